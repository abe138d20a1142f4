"""Secrets, chains and entries that have not come: what is held, asked for, and given up. GRP-39"""

from dataclasses import replace

import pytest

from letterlock._wire.group_bodies import Wanted
from letterlock._wire.group_limits import MAX_GROUP_REQUESTS, MAX_GROUP_SKIP
from letterlock._wire.group_text import SenderName
from letterlock.errors import TooManySkipped
from letterlock.groups import (
    GroupEntryMissing,
    GroupKeyMissing,
)
from letterlock.groups import _chains as chains
from letterlock.groups import _wants as wants
from letterlock.groups._wants import Want
from letterlock.limits import DAY, HOUR
from letterlock.stores import EntryKind
from letterlock.user import Outcome
from support.group_lies import chain_of, sealed
from support.group_town import GroupTown


@pytest.fixture
def town() -> GroupTown:
    return GroupTown("alice", "bob", "carol", "dave")


@pytest.fixture
def team(town: GroupTown) -> bytes:
    return town.new("alice", "bob", "carol")


def wanted(town: GroupTown, name: str, group: bytes, sender: str, what: Wanted, epoch: int = 1) -> bool:
    """Return whether a device waits for something of a sender."""
    user, of = town.user(name), town.user(sender)
    want = Want(group, epoch, SenderName(of.user_id, 1), what)
    with user.transaction():
        entries = user._desk.book.store.tables.entries
        return any(each.key == want.key for each in entries.all(EntryKind.GROUP_WANT))


# --- what did not come ------------------------------------------------------------------------------------


def test_a_text_without_its_chain_is_held_and_the_chain_asked_for(town: GroupTown, team: bytes) -> None:
    """GRP-39."""
    bob = town.user("bob")
    town.letters.lost.add(bob.address)
    first = town.post("alice", team, b"one")
    town.letters.lost.clear()
    incoming = town.show("bob", first, team)
    assert (incoming.outcome, type(incoming.error)) == (Outcome.HELD, GroupKeyMissing)
    assert wanted(town, "bob", team, "alice", Wanted.CHAIN)
    assert town.at("bob").process().outgoing == ()  # it may be on its way
    town.clock.now += 60
    found = town.at("bob").process()
    assert {each.address.name for each in found.outgoing} | {each.name for each in found.needs} == {"alice"}
    town.send(bob, found.outgoing, found.needs)
    town.process("alice", "bob")
    assert not wanted(town, "bob", team, "alice", Wanted.CHAIN)
    assert town.show("bob", town.post("alice", team, b"two"), team).text == b"two"


def test_a_text_of_a_new_seed_waits_for_it_although_an_earlier_one_is_here(
    town: GroupTown, team: bytes
) -> None:  # GRP-29
    town.readers(town.post("alice", team))
    town.give("alice", town.at("alice").renew(team))
    town.sync(team)
    town.letters.lost.add(town.user("bob").address)
    town.clock.now += 7 * DAY
    post = town.post("alice", team)
    town.letters.lost.clear()
    incoming = town.show("bob", post, team)
    assert (incoming.outcome, type(incoming.error)) == (Outcome.HELD, GroupKeyMissing)
    assert wanted(town, "bob", team, "alice", Wanted.CHAIN, 2)
    town.clock.now += 60
    town.process()
    assert town.show("bob", town.post("alice", team, b"later"), team).text == b"later"


def test_a_text_without_its_secret_is_held_and_the_secret_asked_for(town: GroupTown, team: bytes) -> None:
    """GRP-39, GRP-40."""
    town.readers(town.post("alice", team))
    town.letters.lost.add(town.user("bob").address)
    town.give("alice", town.at("alice").renew(team))
    town.letters.lost.clear()
    town.sync(team)
    post = town.post("alice", team, b"later")
    assert town.show("bob", post, team).outcome is Outcome.HELD
    assert wanted(town, "bob", team, "alice", Wanted.SECRET, 2)
    town.clock.now += 60
    town.process()
    assert town.show("bob", post, team).text == b"later"


def test_requests_end(town: GroupTown, team: bytes) -> None:  # GRP-39
    town.letters.lost |= {town.user("alice").address, town.user("bob").address}
    town.show("bob", town.post("alice", team), team)
    asked = 0
    for _ in range(40):
        town.clock.now += HOUR
        asked += len(town.at("bob").process().outgoing)
    assert asked == MAX_GROUP_REQUESTS
    assert not wanted(town, "bob", team, "alice", Wanted.CHAIN)


def test_there_are_few_notes_of_what_is_wanted(
    town: GroupTown, team: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:  # GRP-39
    monkeypatch.setattr(wants, "MAX_GROUP_WANTS", 1)
    town.letters.lost.add(town.user("bob").address)
    for name in ("alice", "carol"):
        assert town.show("bob", town.post(name, team), team).outcome is Outcome.HELD
    assert wanted(town, "bob", team, "alice", Wanted.CHAIN)
    assert not wanted(town, "bob", team, "carol", Wanted.CHAIN)


def test_a_text_that_names_a_later_entry_waits_for_the_log(town: GroupTown, team: bytes) -> None:  # GRP-39
    town.readers(town.post("alice", team))
    town.give("alice", town.at("alice").rename(team, "x"))
    post = town.post("alice", team)
    incoming = town.show("bob", post, team)
    assert isinstance(incoming.error, GroupEntryMissing)
    assert (incoming.outcome, incoming.error.number) == (Outcome.HELD, 2)
    town.take("bob", team)
    assert town.show("bob", post, team).outcome is Outcome.READ


def test_a_text_of_an_earlier_entry_is_read(town: GroupTown, team: bytes) -> None:
    post = town.post("alice", team)
    town.give("alice", town.at("alice").renew(team))
    town.give("alice", town.at("alice").add(team, ["dave"]))
    town.sync(team)
    incoming = town.show("bob", post, team)
    assert (incoming.outcome, incoming.late) == (Outcome.READ, False)
    assert town.show("bob", post, team).outcome is Outcome.REPEATED


def test_too_many_skipped_texts_are_refused(town: GroupTown, team: bytes) -> None:
    town.readers(town.post("alice", team))
    chain = chain_of(town, "alice", team)
    far = sealed(town, "alice", replace(chain, number=chain.number + MAX_GROUP_SKIP + 1), 1)
    assert isinstance(town.show("bob", far, team).error, TooManySkipped)


def test_whoever_has_skipped_the_most_texts_loses_its_own_keys(
    town: GroupTown, team: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GRP-42."""
    other = town.new("carol", "bob")  # the bound is that of a store, over all groups
    for name, group in (("alice", team), ("carol", other)):
        town.show("bob", town.post(name, group), group)
    monkeypatch.setattr(chains, "MAX_GROUP_KEYS", 6)
    greedy = [town.post("carol", other, b"%d" % at) for at in range(6)]
    honest = [town.post("alice", team, b"%d" % at) for at in range(4)]
    assert town.show("bob", greedy[5], other).outcome is Outcome.READ
    assert town.show("bob", honest[3], team).outcome is Outcome.READ
    assert [town.show("bob", each, team).outcome for each in honest[:3]] == [Outcome.READ] * 3
    assert [town.show("bob", each, other).outcome for each in greedy] == [Outcome.REPEATED] * 6
    assert town.show("bob", town.post("carol", other), other).outcome is Outcome.READ
