"""Epochs and chains over time, and devices that die or work beside another process."""

from pathlib import Path

import pytest

from letterlock import SqliteStore
from letterlock._wire.content import ContentKind
from letterlock._wire.group_limits import KEPT_EPOCHS
from letterlock.groups import (
    ChangeOutcome,
    GroupKeyMissing,
    GroupRole,
    Groups,
    InvalidGroupText,
)
from letterlock.limits import DAY, KEPT_LIFETIME
from letterlock.user import Outcome, User
from support.group_lies import chain_of, desk, secret_of
from support.group_town import GroupTown


@pytest.fixture
def town() -> GroupTown:
    return GroupTown("alice", "bob", "carol", "dave")


@pytest.fixture
def team(town: GroupTown) -> bytes:
    return town.new("alice", "bob", "carol")


# --- time -------------------------------------------------------------------------------------------------


def test_old_epochs_are_deleted_and_silent_chains_go_on(town: GroupTown, team: bytes) -> None:  # GRP-41
    for name in ("alice", "carol"):
        town.readers(town.post(name, team))
    late = town.post("carol", team, b"late")
    for _ in range(KEPT_EPOCHS + 2):
        town.give("alice", town.at("alice").renew(team))
        town.sync(team)
    before = secret_of(town, "bob", team, 1)
    town.clock.now += DAY
    town.upkeep("bob")
    with town.user("bob").transaction():
        book = desk(town.user("bob")).book
        assert [epoch for _, epoch, _ in book.epochs()] == list(range(3, KEPT_EPOCHS + 4))
        chain = chain_of(town, "carol", team)
        assert book.chain(team, 1, chain.sender, chain.number) is None
        assert {epoch for _, epoch, _ in book.all_newest(team)} == {3}
    assert before is not None
    assert isinstance(town.show("bob", late, team).error, InvalidGroupText)
    post = town.post("carol", team, b"carol goes on")
    assert post.outgoing == ()
    assert town.show("bob", post, team).text == b"carol goes on"


def test_a_member_who_begins_many_epochs_at_once_deletes_nothing(town: GroupTown, team: bytes) -> None:
    """GRP-41."""
    for name in ("alice", "bob", "carol"):
        town.readers(town.post(name, team))
    unread = town.at("alice").encrypt(team, b"while bob is away")
    for _ in range(KEPT_EPOCHS + 4):
        town.give("carol", town.at("carol").renew(team))
        town.take("alice", team)
    town.take("bob", team)
    town.clock.now += DAY - 1
    town.upkeep("bob")
    assert town.show("bob", unread, team).outcome is Outcome.READ
    # A chain that was silent through all of them still goes on.
    town.process()
    assert town.show("bob", town.post("alice", team), team).outcome is Outcome.READ


def test_an_epoch_ends_thirty_days_after_the_next_began(town: GroupTown, team: bytes) -> None:  # GRP-41
    posts = [town.post("alice", team, b"%d" % at) for at in range(3)]
    assert town.show("bob", posts[1], team).outcome is Outcome.READ
    town.give("alice", town.at("alice").renew(team))
    town.sync(team)
    town.clock.now += KEPT_LIFETIME - 1
    town.at("bob").upkeep()
    assert town.show("bob", posts[0], team).text == b"0"
    town.clock.now += 1
    town.at("bob").upkeep()
    assert isinstance(town.show("bob", posts[2], team).error, InvalidGroupText)
    with town.user("bob").transaction():
        assert desk(town.user("bob")).book.epoch(team, 1) is None


def test_a_worn_seed_is_replaced(town: GroupTown, team: bytes) -> None:  # GRP-4
    assert len(town.post("alice", team).outgoing) == 2
    assert town.post("alice", team).outgoing == ()
    town.clock.now += 7 * DAY
    post = town.post("alice", team)
    assert (len(post.outgoing), post.number) == (2, 10_000)
    assert town.readers(post) == {("bob", 1), ("carol", 1)}


# --- races and deaths -------------------------------------------------------------------------------------


def test_two_changes_at_once_are_both_made_in_the_end(town: GroupTown, team: bytes) -> None:
    """GRP-30: nobody is told of the secret of the change that lost."""
    town.give("alice", town.at("alice").set_role(team, ["bob"], GroupRole.ADMIN))
    town.sync(team)
    lost, won = town.at("bob").renew(team), town.at("alice").remove(team, ["carol"])
    assert town.relay.swap(won)
    assert not town.relay.swap(lost)
    town.send(town.user("alice"), town.at("alice").accepted(won).outgoing)
    taken = town.take("bob", team)
    assert (taken.outcome, taken.outgoing) == (ChangeOutcome.MET, ())
    with town.user("bob").transaction():
        at = desk(town.user("bob"))
        assert at.book.changes(team) == []
        record = at.book.epoch(team, 2)
    assert record is not None
    assert record.secret is None
    town.process("bob")
    assert secret_of(town, "bob", team, 2) == secret_of(town, "alice", team, 2)


def test_the_secret_of_an_epoch_that_is_over_goes_to_nobody(town: GroupTown, team: bytes) -> None:  # GRP-30
    town.give("alice", town.at("alice").set_role(team, ["bob"], GroupRole.ADMIN))
    town.sync(team)
    assert town.relay.swap(town.at("alice").renew(team))  # and alice dies before she is told
    town.take("bob", team)
    town.give("bob", town.at("bob").renew(team))
    town.give("bob", town.at("bob").add(team, ["dave"]))
    taken = town.take("alice", team)
    assert (taken.outcome, taken.outgoing, taken.needs) == (ChangeOutcome.ACCEPTED, (), ())
    town.sync(team)
    with town.user("dave").transaction():
        record = desk(town.user("dave")).book.epoch(team, 2)
    assert record is not None
    assert record.secret is None
    assert town.readers(town.post("alice", team)) == {("bob", 1), ("carol", 1), ("dave", 1)}


def test_a_change_that_lost_waits_for_the_secret(town: GroupTown, team: bytes) -> None:
    town.give("alice", town.at("alice").set_role(team, ["bob"], GroupRole.ADMIN))
    town.sync(team)
    adds, renews = town.at("bob").add(team, ["dave"]), town.at("alice").renew(team)
    assert town.relay.swap(renews)
    taken = town.at("alice").accepted(renews)
    assert not town.relay.swap(adds)
    assert town.take("bob", team).outcome is ChangeOutcome.WAITING
    town.send(town.user("alice"), taken.outgoing, taken.needs)
    town.process("bob")
    again = town.at("bob").take(team, [])
    assert again.outcome is ChangeOutcome.MADE_AGAIN
    assert again.change is not None
    assert town.give("bob", again.change).outcome is ChangeOutcome.ACCEPTED
    town.sync(team)
    assert town.readers(town.post("alice", team)) == {("bob", 1), ("carol", 1), ("dave", 1)}


def test_who_dies_before_or_after_the_entry_is_taken(town: GroupTown, team: bytes) -> None:  # GRP-30
    change = town.at("alice").renew(team)
    town.reopen("alice")
    assert town.at("alice").pending() == (change,)
    assert town.relay.swap(change)
    town.reopen("alice").accepted(change)  # and dies: nobody delivers the letters
    town.take("bob", team)
    with pytest.raises(GroupKeyMissing):
        town.at("bob").encrypt(team, b"hello")
    town.clock.now += 2 * DAY
    alice = town.user("alice")
    town.reopen("alice")
    found = alice.upkeep()
    town.send(alice, found.outgoing, found.needs)
    town.process("bob")
    assert secret_of(town, "bob", team, 2) == secret_of(town, "alice", team, 2)


def test_a_letter_that_waits_for_who_was_removed_is_dropped(town: GroupTown, team: bytes) -> None:  # GRP-32
    dave = town.user("dave").address
    town.letters.lost.add(dave)
    town.give("alice", town.at("alice").add(team, ["dave"]))  # there is no session with dave yet
    town.post("alice", team)
    town.give("alice", town.at("alice").remove(team, ["dave"]))
    town.letters.lost.clear()
    alice = town.user("alice")
    town.letters.carry(alice, alice.begin(dave, town.user("dave").account.bundle()))
    kinds = {each.kind for each in town.letters.read.get(dave, [])}
    assert not kinds & {ContentKind.GROUP_SECRET, ContentKind.GROUP_CHAIN}


def test_a_member_whose_lists_are_missing_is_owed_the_secret() -> None:  # GRP-31
    town = GroupTown("alice", "bob", "carol")
    team = town.new("alice", "bob")
    stranger = GroupTown("zoe")
    town.people["zoe"] = stranger.people["zoe"]
    town.letters.join(town.people["zoe"])
    town.user("alice").learn("zoe", town.people["zoe"].lists)
    town.learn("zoe")
    town.give("alice", town.at("alice").set_role(team, ["bob"], GroupRole.ADMIN))
    town.give("alice", town.at("alice").add(team, ["zoe"]))
    town.sync(team)
    taken = town.give("bob", town.at("bob").renew(team))
    zoe = town.user("zoe").user_id
    assert taken.strangers == (zoe,)
    assert town.at("bob").upkeep().strangers == (zoe,)
    assert town.at("bob").encrypt(team, b"hello").strangers == (zoe,)
    town.user("bob").learn("zoe", town.people["zoe"].lists)
    town.upkeep("bob")
    town.sync(team)
    assert ("zoe", 1) in town.readers(town.post("bob", team))


def test_a_new_device_gets_secrets_and_chains(town: GroupTown, team: bytes) -> None:
    town.readers(town.post("alice", team))
    town.people["bob"].add()
    town.learn()
    town.upkeep("bob")
    unknown = town.process("bob")
    assert unknown == {team}
    town.take("bob", team, device=2)
    town.process("bob")
    assert town.readers(town.post("alice", team)) == {("bob", 1), ("bob", 2), ("carol", 1)}
    assert town.readers(town.post("bob", team, device=2)) == {("alice", 1), ("carol", 1), ("bob", 1)}


def test_two_processes_with_one_store_use_no_key_twice(tmp_path: Path) -> None:
    paths = iter(("alice", "bob"))
    town = GroupTown("alice", "bob", store=lambda: SqliteStore(tmp_path / next(paths), key=bytes(32)))
    team = town.new("alice", "bob")
    store = SqliteStore(tmp_path / "alice", key=bytes(32))
    other = Groups(User.open(store, clock=town.clock))
    town.readers(town.post("alice", team))
    posts = [(other if at % 2 else town.at("alice")).encrypt(team, b"%d" % at) for at in range(6)]
    assert len({each.number for each in posts}) == 6
    town.give("alice", town.at("alice").renew(team))
    town.sync(team)
    posts.append(other.encrypt(team, b"6"))
    assert [town.show("bob", each, team).text for each in posts] == [b"%d" % at for at in range(7)]
    store.close()
