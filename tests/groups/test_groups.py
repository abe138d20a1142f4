"""The life of a group: who reads what, which letters it takes, and what is refused."""

from collections.abc import Callable

import pytest

from letterlock import SqliteStore
from letterlock.errors import PlaintextTooLong, UsageError
from letterlock.groups import (
    ChangeOutcome,
    CollectionPhase,
    GroupEventKind,
    GroupKeyMissing,
    GroupRole,
    InvalidGroupText,
)
from letterlock.groups._errors import GroupEpochDue
from letterlock.stores import EntryKind
from letterlock.user import Outcome, OwnDeviceRevoked
from support.group_town import GroupTown

ALL = {("bob", 1), ("carol", 1)}


@pytest.fixture
def town() -> GroupTown:
    return GroupTown("alice", "bob", "carol", "dave")


@pytest.fixture
def team(town: GroupTown) -> bytes:
    return town.new("alice", "bob", "carol")


def kinds(events: object) -> set[GroupEventKind]:
    return {each.kind for each in events}  # type: ignore[attr-defined]


# --- reading and writing ----------------------------------------------------------------------------------


def test_all_members_read_and_nobody_else(town: GroupTown, team: bytes) -> None:
    assert town.readers(town.post("alice", team)) == ALL
    assert town.readers(town.post("bob", team)) == {("alice", 1), ("carol", 1)}
    incoming = town.show("bob", town.post("alice", team, b"again"), team)
    assert (incoming.text, incoming.name, incoming.late, incoming.events) == (b"again", "alice", False, ())
    assert town.user("dave").user_id not in {each.user_id for each in town.group("bob", team).members}
    with pytest.raises(UsageError, match="may not write"):
        town.at("dave").encrypt(team, b"hello")


def test_a_chain_is_handed_out_once(town: GroupTown, team: bytes) -> None:  # GRP-34
    first = town.post("alice", team)
    assert len(first.outgoing) + len(first.needs) == 2
    for _ in range(3):
        later = town.post("alice", team)
        assert (later.outgoing, later.needs) == ((), ())


def test_a_text_is_read_once(town: GroupTown, team: bytes) -> None:  # GRP-8
    post = town.post("alice", team)
    assert town.show("bob", post, team).outcome is Outcome.READ
    assert town.show("bob", post, team).outcome is Outcome.REPEATED
    assert town.show("alice", post, team).outcome is Outcome.REPEATED  # it is its own


def test_late_texts_open_and_a_hole_does_not_matter(town: GroupTown, team: bytes) -> None:
    posts = [town.post("alice", team, b"%d" % number) for number in range(4)]
    for number in (3, 0, 2):
        assert town.show("bob", posts[number], team).text == b"%d" % number
    assert town.show("bob", posts[2], team).outcome is Outcome.REPEATED
    assert town.show("bob", posts[1], team).text == b"1"


def test_all_goes_on_after_a_restart(town: GroupTown, team: bytes) -> None:
    town.readers(town.post("alice", team))
    for name in town.people:
        town.reopen(name)
    post = town.post("alice", team, b"later")
    assert (post.outgoing, town.readers(post)) == ((), ALL)


def test_a_reader_reads_and_may_not_write(town: GroupTown, team: bytes) -> None:  # GRP-33
    town.give("alice", town.at("alice").set_role(team, ["bob"], GroupRole.READER))
    town.sync(team)
    with pytest.raises(UsageError, match="may not write"):
        town.at("bob").encrypt(team, b"hello")
    assert town.readers(town.post("alice", team)) == ALL
    assert not town.group("bob", team).may_send


def test_what_is_no_text_is_refused_by_its_sender(town: GroupTown, team: bytes) -> None:
    for wrong in ("hello", bytearray(b"hello"), None):
        with pytest.raises(UsageError):
            town.at("alice").encrypt(team, wrong)  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            town.at("alice").decrypt(team, wrong)  # type: ignore[arg-type]
    with pytest.raises(PlaintextTooLong):
        town.at("alice").encrypt(team, bytes(2**24))
    for unknown in (b"", bytes(16), "team"):
        with pytest.raises(UsageError):
            town.at("alice").encrypt(unknown, b"hello")  # type: ignore[arg-type]


# --- who comes and goes -----------------------------------------------------------------------------------


def test_who_was_removed_reads_nothing_more(town: GroupTown, team: bytes) -> None:  # GRP-30
    for name in ("alice", "bob", "carol"):
        town.readers(town.post(name, team))
    taken = town.give("alice", town.at("alice").remove(team, ["carol"]))
    assert taken.outcome is ChangeOutcome.ACCEPTED
    assert [each.address.name for each in taken.outgoing] == ["bob"]
    town.sync(team)
    for name in ("alice", "bob"):
        post = town.post(name, team)
        assert post.outgoing == ()  # the chains went on by themselves
        assert town.readers(post) == {("alice", 1), ("bob", 1)} - {(name, 1)}
    incoming = town.show("carol", town.post("bob", team), team)
    assert (incoming.outcome, type(incoming.error)) == (Outcome.REFUSED, InvalidGroupText)
    with pytest.raises(UsageError):
        town.at("carol").encrypt(team, b"hello")
    assert town.group("carol", team).role is None


def test_who_was_added_reads_from_then_on(town: GroupTown, team: bytes) -> None:  # GRP-31
    before = town.post("alice", team, b"before")
    taken = town.give("alice", town.at("alice").add(team, ["dave"]))
    assert {each.name for each in taken.needs} | {each.address.name for each in taken.outgoing} == {"dave"}
    town.sync(team)
    post = town.post("alice", team, b"after")
    assert len(post.outgoing) == 1
    assert town.readers(post) == ALL | {("dave", 1)}
    assert town.show("dave", before, team).outcome is Outcome.REFUSED  # it was not sealed for dave
    assert town.readers(town.post("dave", team)) == ALL | {("alice", 1)}


def test_nobody_is_added_in_an_epoch_with_which_somebody_went(town: GroupTown, team: bytes) -> None:
    """GRP-13: with the seeds of who went, and the secret of who comes, two people would read all of it."""
    town.give("alice", town.at("alice").remove(team, ["carol"]))
    town.sync(team)
    for name in ("dave", "carol"):
        with pytest.raises(GroupEpochDue):
            town.at("alice").add(team, [name])
    assert town.readers(town.post("alice", team)) == {("bob", 1)}
    town.give("bob", town.at("bob").renew(team))
    town.sync(team)
    town.give("alice", town.at("alice").add(team, ["dave", "carol"]))
    town.sync(team)
    assert town.readers(town.post("bob", team)) == {("alice", 1), ("carol", 1), ("dave", 1)}


def test_nothing_is_sent_after_somebody_left_until_an_epoch_begins(town: GroupTown, team: bytes) -> None:
    """GRP-33: who left knows the secret."""
    town.readers(town.post("alice", team))
    town.give("carol", town.at("carol").leave(team))
    town.sync(team)
    for name in ("alice", "bob"):
        with pytest.raises(GroupEpochDue):
            town.at(name).encrypt(team, b"hello")
    assert town.group("bob", team).phase is CollectionPhase.SPENT
    town.upkeep("bob")
    town.sync(team)
    assert town.readers(town.post("alice", team)) == {("bob", 1)}


def test_a_group_that_is_closed_takes_no_text(town: GroupTown, team: bytes) -> None:  # GRP-33
    post = town.post("alice", team)
    town.give("alice", town.at("alice").close(team))
    town.sync(team)
    with pytest.raises(UsageError, match="closed"):
        town.at("bob").encrypt(team, b"hello")
    assert town.show("bob", post, team).outcome is Outcome.READ


def test_the_name_follows_the_epochs(town: GroupTown, team: bytes) -> None:
    town.give("alice", town.at("alice").rename(team, "crew"))
    town.give("alice", town.at("alice").remove(team, ["carol"]))
    town.sync(team)
    assert [town.group(name, team).name for name in ("alice", "bob", "carol")] == ["crew", "crew", None]


def test_events_tell_what_happened(town: GroupTown, team: bytes) -> None:
    town.give("alice", town.at("alice").add(team, ["dave"]))
    taken = town.take("dave", team)
    assert GroupEventKind.JOINED in kinds(taken.events)
    town.give("alice", town.at("alice").remove(team, ["dave"]))
    assert kinds(town.take("dave", team).events) == {
        GroupEventKind.MEMBERS, GroupEventKind.LEFT, GroupEventKind.EPOCH,
    }  # fmt: skip


def test_history_is_the_groups_and_stays(town: GroupTown) -> None:
    change = town.at("alice").create("open", ["bob"], history=True)
    town.give("alice", change)
    town.give("alice", town.at("alice").renew(change.group))
    town.sync(change.group)
    assert town.group("bob", change.group).history
    assert not town.group("bob", town.new("alice", "bob")).history


# --- what may not be changed ------------------------------------------------------------------------------


def test_changes_that_are_not_allowed(town: GroupTown, team: bytes) -> None:
    bob, alice = town.at("bob"), town.at("alice")
    forbidden: list[Callable[[], object]] = [
        lambda: bob.add(team, ["dave"]),
        lambda: bob.remove(team, ["carol"]),
        lambda: bob.rename(team, "mine"),
        lambda: bob.close(team),
        lambda: bob.set_role(team, ["bob"], GroupRole.ADMIN),
        lambda: alice.add(team, ["bob"]),
        lambda: alice.add(team, []),
        lambda: alice.add(team, "bob"),
        lambda: alice.add(team, ["nobody"]),
        lambda: alice.add(team, [b"bob"]),  # type: ignore[list-item]
        lambda: alice.remove(team, ["dave"]),
        lambda: alice.remove(team, ["alice"]),
        lambda: alice.set_role(team, ["bob"], 2),  # type: ignore[arg-type]
        lambda: alice.rename(team, "x" * 256),
        lambda: alice.leave(team),
        lambda: alice.create("team", ["nobody"]),
        lambda: alice.renew(bytes(16)),
    ]
    for each in forbidden:
        with pytest.raises(UsageError):
            each()
    assert town.at("alice").pending() == town.at("bob").pending() == ()


def test_one_change_at_a_time(town: GroupTown, team: bytes) -> None:
    change = town.at("alice").renew(team)
    with pytest.raises(UsageError, match="under way"):
        town.at("alice").add(team, ["dave"])
    assert town.reopen("alice").pending() == (change,)
    assert town.give("alice", change).outcome is ChangeOutcome.ACCEPTED
    assert town.at("alice").pending() == ()


def test_without_the_secret_nothing_is_sealed_and_nobody_added(town: GroupTown, team: bytes) -> None:
    """GRP-31, GRP-33."""
    town.letters.lost.add(town.user("bob").address)
    town.give("alice", town.at("alice").set_role(team, ["bob"], GroupRole.ADMIN))
    town.give("alice", town.at("alice").renew(team))
    town.sync(team)
    bob = town.at("bob")
    with pytest.raises(GroupKeyMissing):
        bob.encrypt(team, b"hello")
    with pytest.raises(GroupKeyMissing):
        bob.add(team, ["dave"])
    with pytest.raises(GroupKeyMissing):
        bob.rename(team, "x")
    assert town.group("bob", team).name is None


def test_a_device_that_was_revoked_sends_nothing(town: GroupTown, team: bytes) -> None:
    town.people["bob"].add()
    town.people["bob"].revoke(1, signer=1)
    with pytest.raises(OwnDeviceRevoked):
        town.at("bob").encrypt(team, b"hello")


def test_a_store_on_disk_does_the_same(tmp_path: object) -> None:
    paths = iter(range(9))
    made = GroupTown("alice", "bob", store=lambda: SqliteStore(f"{tmp_path}/{next(paths)}", key=bytes(32)))
    team = made.new("alice", "bob")
    posts = [made.post("alice", team, b"%d" % number) for number in range(3)]
    assert made.show("bob", posts[2], team).text == b"2"
    assert made.show("bob", posts[0], team).text == b"0"
    made.give("alice", made.at("alice").renew(team))
    made.sync(team)
    assert made.readers(made.post("bob", team)) == {("alice", 1)}
    assert made.readers(made.post("alice", team)) == {("bob", 1)}
    for person in made.people.values():
        person.first._desk.book.store.close()


def test_a_group_that_is_forgotten_is_gone(town: GroupTown, team: bytes) -> None:
    town.readers(town.post("alice", team))
    town.at("bob").forget(team)
    assert town.at("bob").all() == ()
    store = town.user("bob")._desk.book.store
    with store.transaction():
        count = store.tables.entries.count
        assert [each for each in EntryKind if each.name.startswith("GROUP") and count(each)] == []
