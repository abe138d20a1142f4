"""A server that lies about logs: it hides, forks, reorders, replays and forges."""

import contextlib
from dataclasses import replace

import pytest

from letterlock._wire.collection_fork import ForkEntries
from letterlock._wire.collection_member import Role
from letterlock._wire.log_entry import LogEntry
from letterlock.documents import CollectionEvent, CollectionFork, InvalidEntry, UnknownAuthor
from letterlock.errors import InvalidSignature, MalformedMessage, PeerError, UsageError
from letterlock.user import ListChain
from support.collection_town import Town


def made() -> tuple[Town, bytes]:
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    town.give("alice", town.at("alice").set_role(team, ["bob"], Role.ADMIN))
    town.give("alice", town.at("alice").rename(team, "two"))
    town.give("alice", town.at("alice").renew(team))
    return town, team


def test_reordered_cut_and_repeated_entries() -> None:
    town, team = made()
    log, carol = town.server.logs[team], town.at("carol")
    known = carol.get(team).number
    fresh = log[known:]
    assert len(fresh) == 3
    for wrong in ([fresh[0], fresh[2]], [fresh[0], fresh[0]], [fresh[0], fresh[2], fresh[1]]):
        with pytest.raises(InvalidEntry):
            carol.take(team, wrong)
    for gap in ([fresh[1]], fresh[2:], [fresh[1], fresh[0]]):
        with pytest.raises(UsageError, match="ask for those after"):
            carol.take(team, gap)
    assert carol.get(team).number == known
    assert carol.take(team, log).number == known + 3
    assert carol.take(team, log).events == ()
    assert carol.take(team, log[:2]).events == ()


def test_entries_of_another_collection() -> None:
    town, team = made()
    other = town.new("alice", "carol")
    with pytest.raises(InvalidEntry):
        town.at("carol").take(team, [*town.server.logs[team], *town.server.logs[other]])
    with pytest.raises(InvalidEntry):
        town.at("carol").take(team, town.server.logs[other])


def test_every_changed_byte_is_seen() -> None:
    town, team = made()
    carol = town.at("carol")
    wire = town.server.logs[team][carol.get(team).number]
    for at in [*range(200), *range(200, len(wire), 97)]:
        changed = wire[:at] + bytes([wire[at] ^ 1]) + wire[at + 1 :]
        with contextlib.suppress(PeerError, UsageError):
            assert carol.take(team, [changed]).missing is not None, at  # another signer
        assert carol.log(team)[-1] != changed
    for cut in (b"", wire[:-1], wire + b"\0", wire[:50]):
        with pytest.raises(MalformedMessage):
            carol.take(team, [cut])


def test_an_entry_that_somebody_else_signed() -> None:  # DOC-71
    town, team = made()
    wire = town.server.logs[team][-1]
    entry = LogEntry.decode(wire)
    other = LogEntry.decode(town.server.logs[team][-2])
    for forged in (
        replace(entry, signed_by=replace(entry.signed_by, signature=other.signed_by.signature)),
        replace(entry, place=other.place),
        replace(other, signed_by=entry.signed_by, place=entry.place),
    ):
        log = [*town.server.logs[team][:-1], forged.encode()]
        with pytest.raises((InvalidSignature, InvalidEntry)):
            town.at("carol").take(team, log)


def test_an_author_that_is_unknown() -> None:
    town, team = made()
    strangers = Town("dave")
    dave = strangers.at("dave")
    taken = dave.take(team, town.server.logs[team])
    assert taken.number == 0
    assert taken.missing is not None
    assert taken.missing.user_id == town.user("alice").user_id
    assert dave.all() == ()


def test_a_forged_id_shows_nothing() -> None:  # DOC-60
    town, team = made()
    other = town.at("carol").create("team")
    with pytest.raises(InvalidEntry):
        town.at("bob").take(team, [other.entry])


# --- revoked devices [DOC-72] -------------------------------------------------------------------------------


def stolen() -> tuple[Town, bytes]:
    """Return a town in which a thief has alice's second device, which she revoked."""
    town = Town("alice", "bob", "carol")
    town.people["alice"].add()
    town.learn()
    team = town.new("alice", "bob", "carol")
    town.give("alice", town.at("alice").set_role(team, ["bob"], Role.ADMIN))
    town.sync_all(team)
    return town, team


def test_a_thief_of_a_revoked_device_adds_nobody() -> None:  # DOC-72
    town, team = stolen()
    thief = town.at("alice", 2)
    change = thief.remove(team, ["carol"])
    town.people["alice"].revoke(2)
    town.learn("bob")
    bob = town.at("bob")
    taken = bob.take(team, [change.entry])
    assert CollectionEvent.UNVOUCHED in taken.events
    assert bob.get(team).number == change.number - 1
    assert bob.get(team).epoch == 1


def test_what_was_signed_in_time_is_vouched_for() -> None:  # DOC-72
    town, team = stolen()
    town.sync("alice", team, 2)
    town.give("alice", town.at("alice", 2).rename(team, "by the phone"), 2)
    town.sync("alice", team)
    town.people["alice"].revoke(2)
    town.learn("alice", "bob", "carol")
    bob = town.at("bob")
    log = town.server.logs[team]
    assert CollectionEvent.UNVOUCHED in bob.take(team, log).events
    town.upkeep("alice")  # a new epoch is due, and vouches for what came before
    town.sync("bob", team)
    assert bob.get(team).name == "by the phone"
    assert bob.get(team).number == len(town.server.logs[team])


def test_whom_the_thief_made_an_admin_vouches_for_nothing() -> None:  # DOC-72
    town, team = stolen()
    thief = town.at("alice", 2)
    change = thief.set_role(team, ["carol"], Role.ADMIN)
    carol = town.at("carol")
    carol.take(team, [change.entry])  # she does not know of the revocation, or is in it
    more = carol.rename(team, "mine")
    town.people["alice"].revoke(2)
    town.learn("bob")
    taken = town.at("bob").take(team, [change.entry, more.entry])
    assert CollectionEvent.UNVOUCHED in taken.events
    assert town.at("bob").get(team).number == change.number - 1


# --- evidence [DOC-80] --------------------------------------------------------------------------------------


def forked() -> tuple[Town, bytes, bytes]:
    town, team = made()
    town.sync_all(team)
    one, other = town.at("alice").rename(team, "one"), town.at("bob").rename(team, "other")
    town.at("carol").take(team, [one.entry])
    town.at("carol").take(team, [other.entry])
    evidence = town.at("carol").evidence(team)
    assert evidence is not None
    return town, team, evidence


def chains(town: Town, *names: str) -> list[ListChain]:
    return [ListChain.verify(town.people[name].lists) for name in names]


def test_anybody_checks_evidence_with_device_lists_alone() -> None:  # DOC-80
    town, team, evidence = forked()
    fork = CollectionFork.check(evidence, chains(town, "alice", "bob"))
    assert fork.collection == team
    assert fork.number == len(town.server.logs[team]) + 1
    assert fork.ours == (town.user("alice").user_id,)
    assert fork.theirs == (town.user("bob").user_id,)


def test_evidence_that_shows_nothing() -> None:  # DOC-80
    town, _, evidence = forked()
    known = chains(town, "alice", "bob")
    with pytest.raises(UnknownAuthor):
        CollectionFork.check(evidence, chains(town, "alice"))
    found = ForkEntries.decode(evidence)
    same = replace(found, theirs=found.ours)
    early = ForkEntries(
        found.shared[:-1], (*found.shared[-1:], *found.ours), (*found.shared[-1:], *found.theirs)
    )
    for wrong in (
        same,
        early,
        replace(found, ours=()),
        replace(found, theirs=()),
        replace(found, shared=found.shared[:-1]),
        replace(found, shared=()),
        replace(found, shared=found.shared[1:]),
    ):
        with pytest.raises(InvalidEntry):
            CollectionFork.check(wrong.encode(), known)
    with pytest.raises(MalformedMessage):
        CollectionFork.check(evidence[:-1], known)
    for at in range(len(evidence) - 3000, len(evidence), 501):
        changed = evidence[:at] + bytes([evidence[at] ^ 1]) + evidence[at + 1 :]
        with pytest.raises(PeerError):
            CollectionFork.check(changed, known)


def test_a_fork_that_does_not_verify_changes_nothing() -> None:
    town, team = made()
    town.sync_all(team)
    ours = LogEntry.decode(town.server.logs[team][-1])
    forged = replace(ours, signed_by=replace(ours.signed_by, signature=bytes(3373)))
    other = replace(forged.terms, issued=forged.terms.issued + 1)
    wrong = LogEntry.of(other.encode(), forged.place, forged.signed_by)
    with pytest.raises(InvalidSignature):
        town.at("carol").take(team, [wrong.encode()])
    assert not town.at("carol").get(team).forked
