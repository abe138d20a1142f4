"""The rules of a group's log: those of a collection's [DOC-60] to [DOC-72], and where they differ."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from letterlock._primitives.labels import COLLECTION_ENTRY, GROUP_ENTRY
from letterlock._records.collection import CollectionPhase, LogState, decode_log, encode_log
from letterlock._wire.collection_limits import MAX_COLLECTION_ENTRY, MAX_MEMBERS
from letterlock._wire.collection_member import Renewed, RoleChange
from letterlock._wire.log_entry import Action, EntryTerms, LogEntry
from letterlock._wire.log_opening import GroupOpening, LogKind
from letterlock.documents._collection_errors import InvalidEntry
from letterlock.documents._log_rules import GROUP_TRANSITIONS, LEAST_ROLE, OPENS, TRANSITIONS, follow
from letterlock.errors import MalformedMessage
from support.collection_logs import (
    ADMIN,
    READER,
    WRITER,
    Log,
    entry_of,
    in_order,
    member,
    opened,
    opened_group,
    sealed_name,
    signed,
    sub,
    user,
)
from support.pair import NOON

CHANGES: dict[Action, tuple[Any, ...]] = {
    Action.ADD: (member("new", WRITER),),
    Action.REMOVE: (user("reader"),),
    Action.LEAVE: (),
    Action.ROLE: (RoleChange(user("reader"), WRITER),),
    Action.RENAME: (sealed_name("other"),),
    Action.RENEW: (),
    Action.CLOSE: (),
}
AUTHORS = {"alice": ADMIN, "writer": WRITER, "reader": READER, "nobody": None}


def group() -> Log:
    """Return a group whose admins are alice and anna."""
    members = member("anna", ADMIN), member("writer", WRITER), member("reader", READER)
    return Log(*members, kind=LogKind.GROUP)


def in_phase(phase: CollectionPhase) -> Log:
    log = group()
    if phase is CollectionPhase.SPENT:
        log.add("alice", Action.ADD, member("gone"))
        log.add("gone", Action.LEAVE)
    if phase is CollectionPhase.PARTED:
        log.add("alice", Action.ADD, member("gone"))
        log.add("alice", Action.REMOVE, user("gone"))
    if phase is CollectionPhase.CLOSED:
        log.add("alice", Action.CLOSE)
    assert log.state.phase is phase
    return log


def refused(log: Log, entry: LogEntry) -> None:
    before = log.state
    with pytest.raises(InvalidEntry):
        log.keep(entry)
    assert log.state is before


def opening_of(log: Log) -> GroupOpening:
    opening = log.state.opening
    assert isinstance(opening, GroupOpening)
    return opening


# --- the table [DOC-63] -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("phase", "action"), list(product(CollectionPhase, CHANGES)))
def test_every_action_in_every_phase(phase: CollectionPhase, action: Action) -> None:
    log = in_phase(phase)
    entry = log.make("anna", action, *CHANGES[action])
    after = GROUP_TRANSITIONS.get((phase, action))
    if after is None:
        refused(log, entry)
    else:
        assert log.keep(entry).phase is after
        assert log.state.kind is LogKind.GROUP


@pytest.mark.parametrize(("author", "action"), list(product(AUTHORS, CHANGES)))
def test_who_may_do_what(author: str, action: Action) -> None:
    log = group()
    log.add("alice", Action.ADD, member("other"))
    entry, role = log.make(author, action, *CHANGES[action]), AUTHORS[author]
    if role is not None and role >= LEAST_ROLE[action]:
        log.keep(entry)
    else:
        refused(log, entry)


@pytest.mark.parametrize("action", list(CHANGES))
def test_an_epoch_begins_with_some_actions_and_no_other(action: Action) -> None:  # DOC-69
    log = group()
    epoch, opening = log.state.epoch, log.state.opening
    wrong = None if action in OPENS else opened_group()
    refused(log, log.make("anna", action, *CHANGES[action], opening=wrong))
    after = log.add("anna", action, *CHANGES[action])
    assert (after.epoch == epoch + 1) is (action in OPENS)
    assert (after.opening is not opening) is (action in OPENS)


# --- nobody is added in an epoch with which somebody went [GRP-13] ----------------------------------------


def test_the_table_of_groups_is_whole() -> None:
    assert {action for _, action in GROUP_TRANSITIONS} == set(Action)
    assert {phase for phase, _ in GROUP_TRANSITIONS} == {None, *CollectionPhase} - {CollectionPhase.CLOSED}
    assert CollectionPhase.PARTED not in {phase for phase, _ in TRANSITIONS} | set(TRANSITIONS.values())


def test_a_renewal_stands_between_a_removal_and_an_addition() -> None:  # GRP-13
    log = group()
    log.add("alice", Action.REMOVE, user("reader"))
    for name in ("reader", "new"):
        refused(log, log.make("alice", Action.ADD, member(name)))
    log.add("alice", Action.RENAME, sealed_name())
    log.add("alice", Action.ROLE, RoleChange(user("writer"), READER))
    refused(log, log.make("alice", Action.ADD, member("new")))
    log.add("alice", Action.RENEW)
    log.add("alice", Action.ADD, *in_order(member("reader"), member("new")))


def test_two_renewals_stand_between_a_leaving_and_an_addition() -> None:  # GRP-13
    log = group()
    log.add("reader", Action.LEAVE)
    refused(log, log.make("alice", Action.ADD, member("reader")))
    log.add("writer", Action.RENEW)
    assert log.state.phase is CollectionPhase.PARTED
    refused(log, log.make("alice", Action.ADD, member("reader")))
    log.add("writer", Action.RENEW)
    log.add("alice", Action.ADD, member("reader"))


def test_a_device_that_was_shut_out_counts_as_somebody_who_went() -> None:  # GRP-13
    log = group()
    log.add("alice", Action.RENEW, opening=opened_group((Renewed(user("writer"), 2),)))
    assert log.state.phase is CollectionPhase.PARTED
    refused(log, log.make("alice", Action.ADD, member("new")))
    log.add("alice", Action.RENEW, opening=opened_group((Renewed(user("anna"), 2),)))
    refused(log, log.make("alice", Action.ADD, member("new")))
    log.add("alice", Action.RENEW)
    log.add("alice", Action.ADD, member("new"))


# --- what a server could try ------------------------------------------------------------------------------


def test_who_is_no_admin_adds_nobody() -> None:
    log = group()
    for author in ("writer", "reader", "mallory"):
        refused(log, log.make(author, Action.ADD, member("mallory", WRITER)))


def test_a_removed_admin_changes_nothing_any_more() -> None:
    log = group()
    early = log.make("anna", Action.ADD, member("mallory"))
    log.add("alice", Action.REMOVE, user("anna"))
    refused(log, early)  # the place is taken
    refused(log, log.make("anna", Action.ADD, member("mallory")))
    refused(log, log.make("anna", Action.RENEW))
    refused(log, log.make("anna", Action.LEAVE))


def test_entries_that_are_left_out_moved_or_repeated_do_not_follow() -> None:  # DOC-61
    log = group()
    log.add("alice", Action.ADD, member("one"))
    log.add("alice", Action.ADD, member("two"))
    log.add("anna", Action.REMOVE, user("one"))
    right = log.entries
    for wrong in ([0, 2], [0, 2, 1], [0, 1, 1], [0, 1, 3], [1], [0, 0]):
        state: LogState | None = None
        with pytest.raises(InvalidEntry):
            for at in wrong:
                state = follow(state, right[at])


def test_an_entry_of_a_fork_does_not_follow() -> None:
    log = group()
    other = group()
    refused(log, other.make("alice", Action.ADD, member("new")))
    one, two = (log.make("alice", Action.ADD, member(name)) for name in ("one", "two"))
    log.keep(one)
    refused(log, two)


# --- one kind of log [GRP-9] ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LogKind)
@pytest.mark.parametrize("action", list(CHANGES))
def test_an_entry_of_the_other_kind_is_refused(kind: LogKind, action: Action) -> None:  # GRP-9
    log = Log(member("anna", ADMIN), member("writer", WRITER), member("reader"), kind=kind)
    other = LogKind.GROUP if kind is LogKind.COLLECTION else LogKind.COLLECTION
    opening = None if action not in OPENS else opened_group() if other is LogKind.GROUP else opened(1)
    with pytest.raises(InvalidEntry, match="another kind"):
        log.keep(log.make("alice", action, *CHANGES[action], kind=other, opening=opening))
    log.add("alice", action, *CHANGES[action])


@pytest.mark.parametrize("kind", LogKind)
def test_an_opening_of_the_other_kind_is_no_opening(kind: LogKind) -> None:  # GRP-9
    log = Log(kind=kind)
    wrong = opened(1) if kind is LogKind.GROUP else opened_group()
    with pytest.raises(MalformedMessage):
        log.make("alice", Action.RENEW, opening=wrong)


def test_an_envelope_of_the_other_kind_is_refused() -> None:  # GRP-9
    for kind, wrong in ((LogKind.GROUP, 20), (LogKind.COLLECTION, 30)):
        encoded = Log(kind=kind).entries[0].encode()
        head, rest = encoded[:2], encoded[2 + len(_uint(int(kind))) :]
        assert head + _uint(int(kind)) + rest == encoded
        with pytest.raises(MalformedMessage, match="another kind"):
            LogEntry.decode(head + _uint(wrong) + rest)


def _uint(number: int) -> bytes:
    return bytes([number]) if number < 24 else bytes([0x18, number])


def test_the_two_kinds_sign_and_are_named_differently() -> None:
    both = {kind: Log(kind=kind).entries[0] for kind in LogKind}
    leaves = [each.leaf for each in both.values()]
    assert leaves[0].startswith(COLLECTION_ENTRY)
    assert leaves[1].startswith(GROUP_ENTRY)
    assert len({each.log_id for each in both.values()}) == 2
    for kind, entry in both.items():
        assert LogEntry.decode(entry.encode()) == entry
        assert entry.terms.kind is kind


# --- members [GRP-10] -------------------------------------------------------------------------------------


def test_members_of_a_group_are_users_and_are_promised_nothing_older() -> None:  # GRP-10
    log = group()
    log.add("alice", Action.RENEW)
    for wrong in (
        member(sub("team")),
        member(sub("team"), WRITER),
        member("late", since=2),
        member("late", WRITER, since=2),
    ):
        refused(log, log.make("alice", Action.ADD, wrong))
        with pytest.raises(InvalidEntry):
            Log(replace(wrong, since=min(wrong.since, 1)), kind=LogKind.GROUP)
    log.add("alice", Action.ADD, member("late", WRITER))


def test_a_thousand_members_and_no_more() -> None:
    many = in_order(*(member(f"member {at}", WRITER) for at in range(MAX_MEMBERS - 1)))
    log = Log(*many, kind=LogKind.GROUP)
    assert len(log.entries[0].encode()) < MAX_COLLECTION_ENTRY
    refused(log, log.make("alice", Action.ADD, member("one more")))
    removal = log.make("alice", Action.REMOVE, many[0].name)
    assert len(removal.encode()) < 8 * 1024  # a commitment, and nothing for each member
    log.keep(removal)


# --- epochs [GRP-11] --------------------------------------------------------------------------------------


def test_an_opening_repeats_no_secret_and_keeps_the_policy() -> None:  # GRP-11
    log = group()
    log.add("alice", Action.RENEW)
    for fields in (
        {"opening": replace(opened_group(), commitment=opening_of(log).commitment)},
        {"opening": opened_group(history=True)},
        {"opening": opened_group((Renewed(user("writer"), 1),))},
        {"opening": opened_group((Renewed(user("nobody"), 2),))},
        {"epoch": 1},
        {"epoch": 2},
        {"epoch": 4},
    ):
        refused(log, log.make("alice", Action.RENEW, **fields))
    log.add("alice", Action.RENEW, opening=opened_group((Renewed(user("writer"), 2),)))
    assert log.state.members[user("writer")].generation == 2


@pytest.mark.parametrize("history", [False, True])
def test_the_policy_is_that_of_entry_1(history: bool) -> None:
    terms = EntryTerms(
        1, None, None, NOON, Action.CREATE, (member("alice", ADMIN),), 1, opened_group(history=history),
        LogKind.GROUP,
    )  # fmt: skip
    log = Log(kind=LogKind.GROUP)
    log.entries, log.states = [], []
    state = follow(None, entry_of(terms, signed("alice")))
    log.states.append(state)
    assert opening_of(log).history is history
    refused(log, log.make("alice", Action.RENEW, opening=opened_group(history=not history)))
    log.add("alice", Action.RENEW, opening=opened_group(history=history))


def test_epoch_1_follows_no_other() -> None:
    terms = EntryTerms(
        1, None, None, NOON, Action.CREATE, (member("alice", ADMIN),), 1,
        opened_group((Renewed(user("alice"), 2),)), LogKind.GROUP,
    )  # fmt: skip
    with pytest.raises(InvalidEntry):
        follow(None, entry_of(terms, signed("alice")))


def test_every_writer_may_renew_and_no_reader() -> None:
    log = group()
    refused(log, log.make("reader", Action.RENEW))
    assert log.add("writer", Action.RENEW).epoch == 2


# --- the record -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LogKind)
def test_a_record_keeps_the_kind(kind: LogKind) -> None:
    log = Log(member("writer", WRITER), kind=kind)
    log.add("alice", Action.RENEW)
    state = decode_log(encode_log(log.state))
    assert state == log.state
    assert state.kind is kind
    assert follow(state, log.make("writer", Action.RENEW)).kind is kind
