"""Members and former members who lie, and strangers who would be members."""

from dataclasses import replace

import pytest

from letterlock._groups._sending import OwnChain, handed_out, seal_text
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import EpochSecret, GroupRequest, GroupSecret, Wanted
from letterlock._wire.group_content import Heard
from letterlock._wire.group_limits import MAX_SENDER_CHAINS
from letterlock._wire.group_text import SenderName
from letterlock.errors import InvalidSignature, MalformedMessage
from letterlock.groups import GroupEvent, GroupEventKind, GroupKeyMissing, GroupRole, InvalidGroupText
from letterlock.user import ContactState, DeviceRevoked, Outcome
from support.group_lies import chain_letter, chain_of, desk, letters, new_chain, sealed, secret_of, tell
from support.group_town import GroupTown

CHAIN, SECRET, REQUEST = ContentKind.GROUP_CHAIN, ContentKind.GROUP_SECRET, ContentKind.GROUP_REQUEST


@pytest.fixture
def town() -> GroupTown:
    return GroupTown("alice", "bob", "carol", "dave")


@pytest.fixture
def team(town: GroupTown) -> bytes:
    return town.new("alice", "bob", "carol")


def refused(town: GroupTown, name: str, text: bytes, team: bytes, error: type[Exception]) -> None:
    incoming = town.show(name, text, team)
    assert (incoming.outcome, type(incoming.error), incoming.text) == (Outcome.REFUSED, error, None)


# --- chains -----------------------------------------------------------------------------------------------


def test_a_chain_that_is_passed_on_opens_nothing_of_its_owner(town: GroupTown, team: bytes) -> None:
    """GRP-37."""
    town.letters.lost.add(town.user("carol").address)
    post = town.post("alice", team)
    tell(town, ("bob", 1), ("carol", 1), CHAIN, chain_letter(town, "alice", team))
    town.process("carol")
    incoming = town.show("carol", post, team)
    assert (incoming.outcome, type(incoming.error)) == (Outcome.HELD, GroupKeyMissing)
    # Nor does what bob signs himself fit the chain that carol has of him: it is alice's.
    own = new_chain(town, "bob", team)
    refused(town, "carol", sealed(town, "bob", own, 1), team, InvalidSignature)


@pytest.mark.parametrize("who", ["dave", "removed"])
def test_the_chain_of_no_member_is_dropped(town: GroupTown, team: bytes, who: str) -> None:  # GRP-37
    name = "dave"
    if who == "removed":
        name = "carol"
        town.give("alice", town.at("alice").remove(team, ["carol"]))
        town.sync(team)
    chain = new_chain(town, "alice", team)
    tell(town, (name, 1), ("bob", 1), CHAIN, handed_out(chain).encode())
    town.process("bob")
    with town.user("bob").transaction():
        at = desk(town.user("bob"))
        sender = replace(chain.sender, user_id=town.user(name).user_id)
        assert at.book.chain(team, chain.epoch.number, sender, chain.number) is None


def test_the_chain_of_another_log_or_of_a_revoked_device_is_dropped(town: GroupTown, team: bytes) -> None:
    """GRP-37."""
    town.people["alice"].add()
    town.learn()
    other = new_chain(town, "alice", team, opening=b"o" * 32)
    tell(town, ("alice", 1), ("bob", 1), CHAIN, handed_out(other).encode())
    second = new_chain(town, "alice", team)
    tell(town, ("alice", 2), ("bob", 1), CHAIN, handed_out(second).encode())
    town.people["alice"].revoke(2)
    town.user("bob").learn("alice", town.people["alice"].lists)
    town.process("bob")
    with town.user("bob").transaction():
        assert desk(town.user("bob")).book.all_newest(team) == []


def test_a_seed_that_was_replaced_serves_no_more(town: GroupTown, team: bytes) -> None:  # GRP-29
    town.readers(town.post("alice", team))
    stolen = chain_of(town, "alice", team)
    last = town.post("alice", team, b"the last one")
    town.clock.now += 7 * 86_400
    assert town.readers(town.post("alice", team)) == {("bob", 1), ("carol", 1)}
    ahead = replace(stolen, number=stolen.number + 1)
    refused(town, "bob", sealed(town, "alice", ahead, 1), team, InvalidGroupText)
    assert town.show("bob", last, team).text == b"the last one"


# --- secrets ----------------------------------------------------------------------------------------------


def test_a_wrong_secret_is_dropped_and_reported(town: GroupTown, team: bytes) -> None:  # GRP-5
    town.letters.lost.add(town.user("bob").address)
    town.give("alice", town.at("alice").renew(team))
    town.take("bob", team)
    with town.user("bob").transaction():
        record = desk(town.user("bob")).book.epoch(team, 2)
    assert record is not None
    right = secret_of(town, "alice", team, 2)
    for opening, key in ((record.opening, EpochSecret(b"x" * 32)), (b"o" * 32, right)):
        tell(town, ("carol", 1), ("bob", 1), SECRET, GroupSecret(team, 2, opening, key).encode())
        (event,) = town.at("bob").process().events
        assert (event.kind, event.user_id) == (GroupEventKind.WRONG_SECRET, town.user("carol").user_id)
        with pytest.raises(GroupKeyMissing):
            town.at("bob").encrypt(team, b"hello")
    tell(town, ("carol", 1), ("bob", 1), SECRET, GroupSecret(team, 2, record.opening, right).encode())
    assert town.at("bob").process().retry == (team,)
    tell(
        town,
        ("carol", 1),
        ("bob", 1),
        SECRET,
        GroupSecret(team, 2, record.opening, EpochSecret(bytes(32))).encode(),
    )
    assert town.at("bob").process().events == ()
    assert secret_of(town, "bob", team, 2) == right


def test_a_letter_about_an_unknown_log_waits_for_it(town: GroupTown, team: bytes) -> None:
    town.letters.lost.add(town.user("bob").address)
    town.give("alice", town.at("alice").renew(team))
    with town.user("alice").transaction():
        record = desk(town.user("alice")).book.epoch(team, 2)
    assert record is not None
    body = GroupSecret(team, 2, record.opening, secret_of(town, "alice", team, 2)).encode()
    tell(town, ("alice", 1), ("bob", 1), SECRET, body)
    assert town.at("bob").process().unknown == (team,)
    town.take("bob", team)
    found = town.at("bob").process()
    assert (found.unknown, found.retry) == ((), (team,))


# --- texts ------------------------------------------------------------------------------------------------


def test_texts_of_who_may_not_write(town: GroupTown, team: bytes) -> None:  # GRP-38
    town.give("alice", town.at("alice").set_role(team, ["carol"], GroupRole.READER))
    town.give("alice", town.at("alice").add(team, ["dave"], GroupRole.READER))
    town.sync(team)
    for name in ("carol", "dave"):
        chain = new_chain(town, name, team)
        tell(town, (name, 1), ("bob", 1), CHAIN, handed_out(chain).encode())
        refused(town, "bob", sealed(town, name, chain, 3), team, InvalidGroupText)


def test_who_was_removed_writes_nothing_new(town: GroupTown, team: bytes) -> None:  # GRP-38
    town.readers(town.post("carol", team))
    town.give("alice", town.at("alice").remove(team, ["carol"]))
    old = chain_of(town, "carol", team)
    under_way = sealed(town, "carol", old, 1, b"under way")
    town.sync(team)
    refused(town, "bob", sealed(town, "carol", old, 2), team, InvalidGroupText)
    incoming = town.show("bob", under_way, team)
    assert (incoming.outcome, incoming.text, incoming.late) == (Outcome.READ, b"under way", True)


def test_a_text_in_the_name_of_another_member(town: GroupTown, team: bytes) -> None:
    town.readers(town.post("alice", team))
    mine, hers = new_chain(town, "carol", team), chain_of(town, "alice", team)
    forged = replace(hers, pairs=mine.pairs)
    refused(town, "bob", sealed(town, "carol", forged, 1), team, InvalidSignature)


def test_a_member_whose_device_was_revoked(town: GroupTown, team: bytes) -> None:  # GRP-35
    town.people["carol"].add()
    town.learn()
    town.user("carol", 2).learn("carol", town.people["carol"].lists)
    town.upkeep("carol")
    town.sync(team)
    post = town.post("alice", team)
    assert town.readers(post) == {("bob", 1), ("carol", 1), ("carol", 2)}
    town.readers(town.post("carol", team, device=2))
    town.people["carol"].revoke(2)
    town.learn("alice", "bob")
    secret = secret_of(town, "alice", team, 1)
    post = town.post("alice", team)
    assert {each.address.name for each in post.outgoing} == {"bob", "carol"}
    assert town.readers(post) == {("bob", 1), ("carol", 1)}
    assert secret_of(town, "carol", team, 1) == secret  # no epoch began, and it reads nothing more
    stolen = town.at("carol", 2).encrypt(team, b"thief").text
    refused(town, "bob", stolen, team, DeviceRevoked)


def test_a_contact_in_conflict_is_left_out(town: GroupTown, team: bytes) -> None:  # GRP-35
    town.readers(town.post("alice", team))
    town.user("alice").learn("carol", [*town.people["carol"].fork(at=1)])
    town.people["carol"].add()
    town.user("alice").learn("carol", town.people["carol"].lists)
    assert town.user("alice").contact("carol").state is ContactState.CONFLICTING
    assert town.readers(town.post("alice", team)) == {("bob", 1)}
    incoming = town.show("alice", town.post("carol", team), team)
    assert incoming.outcome is Outcome.HELD


def test_two_versions_of_a_text_are_found_out(town: GroupTown, team: bytes) -> None:  # GRP-6
    town.readers(town.post("alice", team))
    forked = chain_of(town, "alice", team)
    for_carol = town.post("alice", team, b"for carol")
    for_bob = sealed(town, "alice", forked, 1, b"for bob")
    assert town.show("bob", for_bob, team).text == b"for bob"
    assert town.show("carol", for_carol, team).text == b"for carol"
    incoming = town.show("carol", town.post("bob", team), team)
    (event,) = incoming.events
    alice, bob = (town.user(each).user_id for each in ("alice", "bob"))
    assert (event.kind, event.user_id, event.device) == (GroupEventKind.DISAGREES, alice, 1)
    assert (event.said_by, event.said_by_device) == (bob, 1)
    (event,) = town.show("bob", town.post("alice", team), team).events
    assert (event.kind, event.user_id, event.said_by) == (GroupEventKind.DISAGREES, alice, alice)


def test_whoever_accuses_another_of_two_versions_is_named(town: GroupTown, team: bytes) -> None:  # GRP-6
    post = town.post("bob", team)
    town.readers(post)
    town.readers(town.post("carol", team))
    carol, chain = town.user("carol"), chain_of(town, "carol", team)
    bob = town.user("bob").user_id
    with carol.transaction():
        at = desk(carol)
        stand = at.require(team)
        index = at.place_of(team, stand, bob)
        (entry,) = at.log.entries(team, 0, 1)
    assert index is not None
    wrong = (Heard(index, 1, post.number, post.number, bytes(32)),)
    lie = seal_text(chain, 1, entry.hash, wrong, b"bob is two-faced", system_entropy).text
    incoming = town.show("alice", lie, team)
    accused = GroupEvent(GroupEventKind.DISAGREES, team, bob, 1, carol.user_id, 1)
    assert (incoming.outcome, incoming.events) == (Outcome.READ, (accused,))


def chains_of(town: GroupTown, name: str, team: bytes) -> list[tuple[int, int]]:
    """Return epoch and number of all chains of carol that a device keeps."""
    user, sender = town.user(name), SenderName(town.user("carol").user_id, 1)
    with user.transaction():
        book = desk(user).book
        numbers = [5_000 * each for each in range(30)]
        return [(e, n) for e in range(1, 5) for n in numbers if book.chain(team, e, sender, n) is not None]


def hand(town: GroupTown, team: bytes, chain: OwnChain) -> None:
    tell(town, ("carol", 1), ("bob", 1), CHAIN, handed_out(chain).encode())
    town.process("bob")


def test_a_sender_keeps_its_newest_chains_and_no_more(town: GroupTown, team: bytes) -> None:  # GRP-43
    base = new_chain(town, "carol", team)
    town.give("alice", town.at("alice").remove(team, ["carol"]))  # who was removed still has sessions
    town.sync(team)
    for place in range(1, 21):
        hand(town, team, replace(base, number=5_000 * place))
    kept = [(1, 5_000 * place) for place in range(5, 21)]
    assert len(kept) == MAX_SENDER_CHAINS
    assert chains_of(town, "bob", team) == kept
    hand(town, team, replace(base, number=5_000))  # what was deleted does not come back
    assert chains_of(town, "bob", team) == kept


def test_a_chain_for_an_epoch_of_which_its_user_was_no_writer_is_dropped(
    town: GroupTown, team: bytes
) -> None:
    """GRP-43. Carol comes to know the secret of an epoch between two memberships."""
    town.give("alice", town.at("alice").remove(team, ["carol"]))
    town.sync(team)
    chain = new_chain(town, "bob", team)
    stolen = replace(chain, sender=SenderName(town.user("carol").user_id, 1))
    town.give("alice", town.at("alice").renew(team))
    town.give("alice", town.at("alice").add(team, ["carol"]))
    town.sync(team)
    hand(town, team, stolen)
    assert chains_of(town, "bob", team) == []


# --- requests ---------------------------------------------------------------------------------------------


def test_requests_are_answered_to_members_once_an_hour(town: GroupTown, team: bytes) -> None:  # GRP-40
    town.post("alice", team)
    for what in Wanted:
        body = GroupRequest(team, 1, what).encode()
        tell(town, ("carol", 1), ("alice", 1), REQUEST, body)
        assert [each.address.name for each in letters(town, "alice").outgoing] == ["carol"]
        tell(town, ("carol", 1), ("alice", 1), REQUEST, body)
        assert letters(town, "alice").outgoing == []
    town.clock.now += 3_600
    tell(town, ("carol", 1), ("alice", 1), REQUEST, GroupRequest(team, 1, Wanted.CHAIN).encode())
    assert [each.address.name for each in letters(town, "alice").outgoing] == ["carol"]


def test_requests_that_are_not_answered(town: GroupTown, team: bytes) -> None:  # GRP-40
    town.post("alice", team)
    town.give("alice", town.at("alice").remove(team, ["carol"]))
    town.sync(team)
    for name, epoch in (("dave", 1), ("dave", 2), ("carol", 1), ("carol", 2), ("bob", 1), ("bob", 3)):
        for what in (Wanted.CHAIN,) if (name, epoch) == ("bob", 1) else Wanted:
            tell(town, (name, 1), ("alice", 1), REQUEST, GroupRequest(team, epoch, what).encode())
            found = letters(town, "alice")
            assert (found.outgoing, found.needs) == ([], []), (name, epoch)
    tell(town, ("dave", 1), ("alice", 1), REQUEST, GroupRequest(b"u" * 16, 1, Wanted.SECRET).encode())
    assert letters(town, "alice").outgoing == []


def test_the_secret_of_an_epoch_that_is_over_is_for_who_was_a_member_at_its_end(
    town: GroupTown, team: bytes
) -> None:
    """GRP-40: the device that should have sent it may be revoked, and its letter is dropped then."""
    town.give("alice", town.at("alice").renew(team))
    town.sync(team)
    town.give("alice", town.at("alice").add(team, ["dave"]))
    town.sync(team)
    town.give("alice", town.at("alice").renew(team))
    town.sync(team)
    answered = []
    for name in ("bob", "dave"):
        for epoch in (1, 2):
            tell(town, (name, 1), ("alice", 1), REQUEST, GroupRequest(team, epoch, Wanted.SECRET).encode())
            if letters(town, "alice").outgoing:
                answered.append((name, epoch))
    assert answered == [("bob", 1), ("bob", 2), ("dave", 2)]


# --- a store that was put back ----------------------------------------------------------------------------


def test_a_restored_store_begins_with_a_new_seed(town: GroupTown, team: bytes) -> None:  # GRP-36
    town.readers(town.post("alice", team))
    before = chain_of(town, "alice", team)
    alice = town.user("alice")
    assert alice.compare_with_witness(alice.count_for_witness(), 10).events
    town.letters.meet(alice, alice.upkeep().needs)
    post = town.post("alice", team, b"afterwards")
    after = chain_of(town, "alice", team)
    assert after.pairs != before.pairs
    assert post.number // 5_000 > 1
    town.process("bob")
    assert town.show("bob", post, team).outcome is Outcome.READ


# --- bytes ------------------------------------------------------------------------------------------------


def test_a_changed_text_is_refused_and_changes_nothing(town: GroupTown, team: bytes) -> None:
    town.readers(town.post("alice", team))
    post = town.post("alice", team, b"x" * 40)
    for at in range(0, len(post.text), 7):
        wrong = post.text[:at] + bytes([post.text[at] ^ 1]) + post.text[at + 1 :]
        assert town.at("bob").decrypt(team, wrong).outcome in {Outcome.REFUSED, Outcome.HELD}
    for wrong in (b"", post.text[:-1], post.text + b"\0", b"\x80"):
        refused(town, "bob", wrong, team, MalformedMessage)
    other = town.new("alice", "bob")
    refused(town, "bob", town.post("alice", other).text, team, MalformedMessage)
    assert town.show("bob", post, team).outcome is Outcome.READ
