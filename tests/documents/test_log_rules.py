"""The rules of a collection's log: which entry may follow which, and what it changes."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from letterlock._records.collection import CollectionPhase, LogState
from letterlock._wire.collection_limits import MAX_COLLECTION_LOG, MAX_MEMBERS
from letterlock._wire.collection_member import Member, MemberName, Renewed, Role, RoleChange
from letterlock._wire.log_entry import Action, EntryTerms, LogEntry
from letterlock._wire.log_opening import Link
from letterlock.documents._collection_book import of_collection
from letterlock.documents._collection_errors import InvalidEntry
from letterlock.documents._log_rules import LEAST_ROLE, OPENS, TRANSITIONS, follow
from letterlock.errors import MalformedMessage
from support.collection_logs import (
    ADMIN,
    READER,
    WRITER,
    Log,
    digest,
    entry_of,
    in_order,
    member,
    opened,
    sealed_name,
    signed,
    sub,
    user,
)
from support.pair import NOON

CHANGES: dict[Action, tuple[Any, ...]] = {
    Action.ADD: (member("new"),),
    Action.REMOVE: (user("reader"),),
    Action.LEAVE: (),
    Action.ROLE: (RoleChange(user("reader"), WRITER),),
    Action.RENAME: (sealed_name("other"),),
    Action.RENEW: (),
    Action.CLOSE: (),
}


def team() -> Log:
    """Return a log whose admins are alice and anna."""
    return Log(member("anna", ADMIN), member("writer", WRITER), member("reader", READER))


def in_phase(phase: CollectionPhase) -> Log:
    log = team()
    if phase is CollectionPhase.SPENT:
        log.add("alice", Action.ADD, member("gone"))
        log.add("gone", Action.LEAVE)
    if phase is CollectionPhase.CLOSED:
        log.add("alice", Action.CLOSE)
    assert log.state.phase is phase
    return log


def refused(log: Log, entry: LogEntry) -> None:
    before = log.state
    with pytest.raises(InvalidEntry):
        log.keep(entry)
    assert log.state is before


# --- the table [DOC-63] -----------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [each for each in CollectionPhase if each is not CollectionPhase.PARTED])
@pytest.mark.parametrize("action", CHANGES)
def test_every_action_in_every_phase(phase: CollectionPhase, action: Action) -> None:
    log = in_phase(phase)
    entry = log.make("anna", action, *CHANGES[action])
    after = TRANSITIONS.get((phase, action))
    if after is None:
        refused(log, entry)
    else:
        assert log.keep(entry).phase is after


AUTHORS = {"alice": ADMIN, "writer": WRITER, "reader": READER, "nobody": None}


@pytest.mark.parametrize(("author", "action"), list(product(AUTHORS, CHANGES)))
def test_who_may_do_what(author: str, action: Action) -> None:
    log = team()
    log.add("alice", Action.ADD, member("other"))
    entry = log.make(author, action, *CHANGES[action])
    role = AUTHORS[author]
    if role is not None and role >= LEAST_ROLE[action]:
        log.keep(entry)
    else:
        refused(log, entry)


def test_the_tables_are_whole() -> None:
    assert set(LEAST_ROLE) == set(Action)
    assert {action for _, action in TRANSITIONS} == set(Action)
    assert {phase for phase, _ in TRANSITIONS} == {None, CollectionPhase.OPEN, CollectionPhase.SPENT}
    assert {Action.CREATE, Action.REMOVE, Action.RENEW} == OPENS


@pytest.mark.parametrize("action", list(CHANGES))
def test_nothing_comes_before_entry_1(action: Action) -> None:
    terms = EntryTerms(1, None, None, NOON, action, CHANGES[action], 1, opened() if action in OPENS else None)
    with pytest.raises(InvalidEntry):
        follow(None, entry_of(terms, signed("reader")))


def test_a_collection_is_made_once() -> None:
    log = team()
    refused(log, log.make("alice", Action.CREATE, member("alice", ADMIN)))


# --- place [DOC-60] [DOC-61] ------------------------------------------------------------------------------


def test_an_entry_names_the_one_before() -> None:
    log = team()
    for fields in (
        {"number": 1},
        {"number": 3},
        {"before": digest("other")},
        {"before": None},
        {"log_id": digest("other", 16)},
        {"log_id": None},
        {"epoch": 2},
    ):
        refused(log, log.make("alice", Action.ADD, member("new"), **fields))
    log.add("alice", Action.ADD, member("new"))


def test_an_entry_of_a_parallel_log_does_not_follow() -> None:
    log, other = team(), team()
    refused(log, other.make("alice", Action.ADD, member("new")))


def first(*changes: Member, **fields: Any) -> LogEntry:
    terms = EntryTerms(1, None, None, NOON, Action.CREATE, changes, 1, opened())
    return entry_of(replace(terms, **fields), signed("alice"))


def test_entry_1_has_nothing_before_it() -> None:
    alice = member("alice", ADMIN)
    assert follow(None, first(alice)).number == 1
    for fields in (
        {"number": 2},
        {"log_id": digest("id", 16)},
        {"before": digest("before")},
        {"epoch": 2},
        {"opening": None},
        {"opening": opened(link=1)},
        {"opening": opened(renewed=(Renewed(user("alice"), 2),))},
    ):
        with pytest.raises(InvalidEntry):
            follow(None, first(alice, **fields))


def test_the_id_is_that_of_entry_1() -> None:  # DOC-60
    one, other = first(member("alice", ADMIN)), first(member("alice", ADMIN))
    assert follow(None, one).log_id == one.hash[:16] == one.log_id
    assert one.log_id != other.log_id


def test_another_signer_makes_another_entry() -> None:  # DOC-60
    log = team()
    terms = log.terms(Action.ADD, member("new"))
    hashes = {
        entry_of(terms, by).hash
        for by in (signed("alice"), signed("anna"), signed("alice", version=2), signed("alice", device=2))
    }
    assert len(hashes) == 4


def test_a_log_ends() -> None:  # DOC-61
    log = team()
    log.states.append(replace(log.state, number=MAX_COLLECTION_LOG - 1))
    log.add("alice", Action.ADD, member("last"))
    refused(log, log.make("alice", Action.ADD, member("one more")))


def test_an_author_does_not_go_back_to_an_older_list() -> None:  # DOC-70
    log = team()
    log.add("alice", Action.ADD, member("a"), version=3)
    refused(log, log.make("alice", Action.ADD, member("b"), version=2))
    log.add("anna", Action.ADD, member("b"), version=1)
    assert log.add("alice", Action.ADD, member("c"), version=3).seen == {
        digest("alice"): 3,
        digest("anna"): 1,
    }


# --- members [DOC-62] [DOC-64] ----------------------------------------------------------------------------


def test_members_stand_in_their_order() -> None:  # DOC-62
    log, new = team(), in_order(member("a"), member("b"), member(sub("c")))
    refused(log, log.make("alice", Action.ADD, *reversed(new)))
    refused(log, log.make("alice", Action.ADD, *new, new[-1]))
    log.add("alice", Action.ADD, *new)
    names = [each.name for each in new]
    refused(log, log.make("alice", Action.REMOVE, *reversed(names)))
    changes = [RoleChange(each, WRITER) for each in names]
    refused(log, log.make("alice", Action.ROLE, *reversed(changes)))
    log.add("alice", Action.ROLE, *changes)
    log.add("alice", Action.REMOVE, *names)


def test_at_most_a_thousand_members() -> None:  # DOC-64
    many = in_order(*(member(f"member {at}") for at in range(MAX_MEMBERS - 1)))
    log = Log(*many)
    assert len(log.state.members) == MAX_MEMBERS
    refused(log, log.make("alice", Action.ADD, member("one more")))
    log.add("alice", Action.REMOVE, many[0].name)
    log.add("alice", Action.ADD, member("one more"))


@pytest.mark.parametrize("action", [Action.LEAVE, Action.ROLE])
def test_the_last_admin_stays(action: Action) -> None:  # DOC-64
    log = Log(member("writer", WRITER))
    changes = (RoleChange(user("alice"), WRITER),) if action is Action.ROLE else ()
    refused(log, log.make("alice", action, *changes))
    log.add("alice", Action.ROLE, RoleChange(user("writer"), ADMIN))
    log.add("alice", action, *changes)
    assert log.state.admins == (user("writer"),)


def test_an_admin_is_a_user_and_reads_all_epochs() -> None:  # DOC-64
    log = team()
    refused(log, log.make("alice", Action.ADD, member(sub("team"), ADMIN)))
    refused(log, log.make("alice", Action.ADD, member("late", ADMIN, since=1)))
    log.add("alice", Action.ADD, member(sub("team"), WRITER))
    log.add("alice", Action.ADD, member("late", WRITER, since=1))
    refused(log, log.make("alice", Action.ROLE, RoleChange(sub("team"), ADMIN)))
    refused(log, log.make("alice", Action.ROLE, RoleChange(user("late"), ADMIN)))


def test_entry_1_makes_its_author_an_admin() -> None:
    for members in ((), (member("bob", ADMIN),), (member("alice", WRITER),)):
        with pytest.raises(InvalidEntry):
            follow(None, first(*members))
    with pytest.raises(InvalidEntry):
        follow(None, first(*in_order(member("alice", WRITER), member("bob", ADMIN))))


# --- actions ----------------------------------------------------------------------------------------------


def test_adding() -> None:  # DOC-65
    log = team()
    log.add("alice", Action.RENEW)
    for changes in ((), (member("reader"),), (member("new", since=1),), (member("new", since=3),)):
        refused(log, log.make("alice", Action.ADD, *changes))
    log.add("alice", Action.ADD, member("new", since=2))
    log.add("alice", Action.ADD, member("newer", since=0, generation=7))
    assert log.state.members[user("newer")] == member("newer", generation=7)
    assert log.state.epoch == 2


def test_removing() -> None:  # DOC-66
    log = team()
    for changes in ((), (user("nobody"),), (user("alice"),), in_order(user("alice"), user("reader"))):
        refused(log, log.make("alice", Action.REMOVE, *changes))
    log.add("alice", Action.REMOVE, *in_order(user("anna"), user("reader")))
    assert set(log.state.members) == {user("alice"), user("writer")}
    refused(log, log.make("anna", Action.ADD, member("mallory")))


def test_changing_roles() -> None:  # DOC-67
    log = team()
    for changes in ((), (RoleChange(user("nobody"), WRITER),), (RoleChange(user("reader"), READER),)):
        refused(log, log.make("alice", Action.ROLE, *changes))
    log.add("alice", Action.ROLE, RoleChange(user("reader"), WRITER))
    assert log.state.role_of(digest("reader")) is WRITER
    assert user("reader") in log.state.writers
    log.add("alice", Action.ROLE, RoleChange(user("reader"), READER))
    assert user("reader") in log.state.writers  # it could write in this epoch
    log.add("alice", Action.RENEW)
    assert user("reader") not in log.state.writers


def test_leaving() -> None:  # DOC-68
    log = team()
    refused(log, log.make("nobody", Action.LEAVE))
    log.add("reader", Action.LEAVE)
    assert user("reader") not in log.state.members
    refused(log, log.make("reader", Action.LEAVE))
    refused(log, log.make("alice", Action.RENAME, sealed_name()))
    assert log.add("writer", Action.RENEW).phase is CollectionPhase.OPEN


def test_renaming() -> None:
    log = team()
    refused(log, log.make("alice", Action.RENAME))
    with pytest.raises(MalformedMessage):
        log.make("alice", Action.RENAME, sealed_name("a"), sealed_name("b"))
    assert log.add("alice", Action.RENAME, sealed_name("a")).name == sealed_name("a").sealed
    state = log.add("alice", Action.RENEW)
    assert state.name == state.opening.name.sealed


@pytest.mark.parametrize("action", [Action.LEAVE, Action.RENEW, Action.CLOSE])
def test_actions_without_changes(action: Action) -> None:
    log = team()
    for change in (sealed_name(), user("reader"), member("new")):
        with pytest.raises(MalformedMessage):
            log.make("anna", action, change)


# --- epochs [DOC-69] --------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", list(CHANGES))
def test_an_opening_belongs_to_some_actions(action: Action) -> None:
    log = team()
    wrong = None if action in OPENS else opened(link=1)
    refused(log, log.make("anna", action, *CHANGES[action], opening=wrong))


def test_an_epoch_follows_the_one_before() -> None:
    log = team()
    log.add("alice", Action.RENEW)
    old = of_collection(log.state.opening)
    for fields in (
        {"epoch": 1},
        {"epoch": 2},
        {"epoch": 4},
        {"opening": replace(opened(), link=Link(3, bytes(80)))},
        {"opening": replace(opened(), commitment=old.commitment)},
        {"opening": replace(opened(), history=old.history)},
        {"opening": replace(opened(), history=old.commitment)},
        {"opening": replace(opened(), history=digest("one"), commitment=digest("one"))},
    ):
        refused(log, log.make("alice", Action.RENEW, **fields))
    log.add("alice", Action.RENEW, opening=opened(link=1))
    log.add("alice", Action.RENEW, opening=opened())


def test_who_begins_an_epoch_reads_all_of_them() -> None:
    log = team()
    log.add("alice", Action.ADD, member("late", WRITER, since=1))
    refused(log, log.make("late", Action.RENEW))
    log.add("alice", Action.RENEW)
    refused(log, log.make("late", Action.RENEW))


def test_generations_only_grow() -> None:
    log = team()
    log.add("alice", Action.ADD, member("old", generation=3), member(sub("team"), generation=2))
    for renewed in (
        (Renewed(user("old"), 3),),
        (Renewed(user("old"), 2),),
        (Renewed(user("nobody"), 9),),
        (Renewed(user("old"), 4), Renewed(user("old"), 5)),
        (Renewed(sub("team"), 3), Renewed(user("old"), 4)),
    ):
        refused(log, log.make("alice", Action.RENEW, opening=opened(renewed=renewed)))
    renewed = (Renewed(user("old"), 4), Renewed(sub("team"), 3))
    state = log.add("alice", Action.RENEW, opening=opened(renewed=renewed))
    assert state.members[user("old")].generation == 4
    assert state.members[sub("team")].generation == 3


def test_a_removed_member_has_no_generation() -> None:
    log = team()
    renewed = (Renewed(user("reader"), 2),)
    refused(log, log.make("alice", Action.REMOVE, user("reader"), opening=opened(renewed=renewed)))


def test_the_entry_that_added_a_collection_is_known() -> None:
    log = team()
    state = log.add("alice", Action.ADD, member(sub("team")))
    assert state.nested == {sub("team").id: state.head}
    assert log.add("alice", Action.RENEW).nested == state.nested
    assert log.add("alice", Action.REMOVE, sub("team")).nested == {}


def test_what_a_state_says() -> None:
    state: LogState = team().state
    assert state.has_role(digest("writer"), Role.WRITER)
    assert not state.has_role(digest("reader"), Role.WRITER)
    assert not state.has_role(digest("nobody"), Role.READER)
    assert {each.name for each in state.users} == set(state.members)
    assert all(isinstance(each, MemberName) for each in state.writers)
