"""Letters about groups: what is kept of them, for whom they are sealed, and for whom not. USR-67."""

from collections.abc import Iterable
from typing import Final

import pytest

from letterlock import Address
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import EpochSecret, GroupRequest, GroupSecret, Wanted
from letterlock._wire.group_limits import MAX_GROUP_LETTERS
from letterlock.errors import MalformedMessage
from letterlock.limits import DAY, KEPT_LIFETIME
from letterlock.user import ContactState, Incoming, Outcome, OwnDeviceRevoked, User
from letterlock.user import _group_mail as group_mail
from letterlock.user._control import control
from letterlock.user._desk import Findings
from letterlock.user._group_delivery import Letter, deliver, listed_devices, withdraw
from letterlock.user._group_mail import all_mail
from letterlock.user._user import desk_behind
from support.content_samples import GROUP_CHAIN
from support.revocations import revoked, talking
from support.user_devices import World, own_record, world

GROUP, OTHER = b"g" * 16, b"h" * 16
SECRET, REQUEST, CHAIN = ContentKind.GROUP_SECRET, ContentKind.GROUP_REQUEST, ContentKind.GROUP_CHAIN


def secret(epoch: int = 1, group: bytes = GROUP, key: bytes = b"s" * 32) -> bytes:
    return GroupSecret(group, epoch, b"o" * 32, EpochSecret(key)).encode()


WRONG: Final = (b"", b"\x80", b"\xf6", secret()[:-1], secret() + b"\0", GROUP_CHAIN.encode()[:-1])


def asks(what: Wanted) -> bytes:
    return GroupRequest(GROUP, 1, what).encode()


def told(sender: User, to: User, kind: ContentKind, body: bytes) -> Incoming:
    """Let a device send another one a letter, whatever is in it."""
    with sender.transaction():
        content = control(desk_behind(sender), to.address, kind, body)
    return to.receive(sender.address, sender.account.encrypt(to.address, content.encode()))


def kept(user: User) -> dict[Address, list[bytes]]:
    with user.transaction():
        return {
            each.address: [one.body.expose() for one in each.letters] for each in all_mail(desk_behind(user))
        }


def carried(sender: User, letters: Iterable[Letter]) -> Findings:
    findings, desk = Findings(), desk_behind(sender)
    with sender.transaction():
        desk.run(deliver, desk, letters, findings)
    return findings


@pytest.fixture
def pair() -> World:
    made = world(alices=2)
    made.servers.send(made.alice.first, "bob", b"hello")
    made.servers.send(made.bob.first, "alice", b"hello")
    return made


# --- what is kept -----------------------------------------------------------------------------------------


def test_a_letter_is_kept_and_given_to_nobody(pair: World) -> None:
    alice, bob = pair.alice.first, pair.bob.first
    for kind, body in ((SECRET, secret()), (REQUEST, asks(Wanted.CHAIN)), (CHAIN, GROUP_CHAIN.encode())):
        incoming = told(alice, bob, kind, body)
        assert (incoming.outcome, incoming.kind, incoming.body) == (Outcome.READ, kind, None)
    with bob.transaction():
        (mail,) = all_mail(desk_behind(bob))
    assert (mail.address, mail.user_id) == (alice.address, alice.user_id)
    assert [each.kind for each in mail.letters] == [SECRET, REQUEST, CHAIN]


def test_a_newer_letter_takes_the_place_of_one_of_its_kind_group_and_epoch(pair: World) -> None:
    alice, bob = pair.alice.first, pair.bob.first
    for body in (secret(), secret(2), secret(1, OTHER), secret(key=b"t" * 32)):
        told(alice, bob, SECRET, body)
    for what in (Wanted.CHAIN, Wanted.SECRET, Wanted.CHAIN):
        told(alice, bob, REQUEST, asks(what))
    requests = [asks(Wanted.SECRET), asks(Wanted.CHAIN)]
    expected = [secret(2), secret(1, OTHER), secret(key=b"t" * 32), *requests]
    assert kept(bob) == {alice.address: expected}


def test_one_device_takes_no_room_from_another(pair: World) -> None:
    alice, bob = pair.alice.first, pair.bob.first
    told(pair.alice.devices[2], bob, SECRET, secret())
    for epoch in range(1, MAX_GROUP_LETTERS + 4):
        told(alice, bob, SECRET, secret(epoch))
    found = kept(bob)
    assert found[pair.alice.devices[2].address] == [secret()]
    assert found[alice.address] == [secret(epoch) for epoch in range(4, MAX_GROUP_LETTERS + 4)]


def test_letters_of_one_device_more_than_the_limit_are_dropped(
    pair: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_mail, "MAX_GROUP_MAILS", 1)
    bob = pair.bob.first
    told(pair.alice.first, bob, SECRET, secret())
    assert told(pair.alice.devices[2], bob, SECRET, secret()).outcome is Outcome.READ
    told(pair.alice.first, bob, SECRET, secret(2))
    assert kept(bob) == {pair.alice.first.address: [secret(), secret(2)]}


@pytest.mark.parametrize("kind", [SECRET, REQUEST, CHAIN])
@pytest.mark.parametrize("body", WRONG, ids=range(len(WRONG)))
def test_what_has_not_the_shape_of_its_kind_is_refused(pair: World, kind: ContentKind, body: bytes) -> None:
    incoming = told(pair.alice.first, pair.bob.first, kind, body)
    assert incoming.outcome is Outcome.REFUSED
    assert isinstance(incoming.error, MalformedMessage)
    assert kept(pair.bob.first) == {}


def test_letters_end_by_time(pair: World) -> None:
    bob = pair.bob.first
    told(pair.alice.first, bob, SECRET, secret())
    pair.clock.now += KEPT_LIFETIME - DAY
    bob.upkeep()
    assert kept(bob) != {}
    pair.clock.now += DAY
    bob.upkeep()
    assert kept(bob) == {}


# --- for whom letters are sealed --------------------------------------------------------------------------


def test_a_letter_goes_to_the_devices_that_are_meant(pair: World) -> None:
    bob = pair.bob.first
    found = carried(bob, [Letter("alice", frozenset({2}), SECRET, secret())])
    assert [each.address for each in found.outgoing] == [Address("alice", 2)]
    pair.servers.carry(bob, found.outgoing)
    assert kept(pair.alice.devices[2]) == {bob.address: [secret()]}
    assert kept(pair.alice.first) == {}
    assert kept(bob) == {}


def test_a_letter_to_our_other_devices_is_no_sync_copy(pair: World) -> None:
    alice = pair.alice.first
    found = carried(alice, [Letter("alice", frozenset({1, 2}), SECRET, secret())])
    pair.servers.carry(alice, found.outgoing)
    pair.servers.meet(alice, found.needs)
    assert kept(pair.alice.devices[2]) == {alice.address: [secret()]}
    assert kept(alice) == {}


def test_a_letter_waits_for_a_session() -> None:
    made = world(alices=2)
    bob = made.bob.first
    found = carried(bob, [Letter("alice", frozenset({1}), SECRET, secret())])
    assert (found.outgoing, len(found.needs)) == ([], 1)
    made.servers.meet(bob, found.needs)
    assert kept(made.alice.first) == {bob.address: [secret()]}
    assert kept(made.alice.devices[2]) == {}


def test_a_lost_letter_is_sealed_again(pair: World) -> None:
    bob = pair.bob.first
    carried(bob, [Letter("alice", frozenset({1}), SECRET, secret())])  # nobody delivers it
    pair.clock.now += 2 * DAY
    found = bob.upkeep()
    pair.servers.carry(bob, found.outgoing)
    pair.servers.meet(bob, found.needs)
    assert kept(pair.alice.first) == {bob.address: [secret()]}


def test_strangers_and_contacts_in_conflict_get_nothing(pair: World) -> None:
    bob = pair.bob.first
    letter = Letter("alice", frozenset({1, 2}), SECRET, secret())
    assert carried(bob, [Letter("zoe", frozenset({1}), SECRET, secret())]).outgoing == []
    bob.learn("alice", pair.alice.fork())
    assert bob.contact("alice").state is ContactState.CONFLICTING
    found = carried(bob, [letter])
    assert (found.outgoing, found.needs) == ([], [])
    with bob.transaction():
        desk = desk_behind(bob)
        assert listed_devices(desk, desk.book.contact("alice")) == frozenset()


def test_a_revoked_device_gets_nothing_and_sends_nothing() -> None:
    made = talking()
    bob, third = made.bob.first, made.alice.devices[3]
    made.servers.carry(made.alice.first, revoked(made, 3).outgoing)
    bob.learn("alice", made.alice.lists[bob.contact("alice").version :])
    found = carried(bob, [Letter("alice", frozenset({1, 2, 3}), SECRET, secret())])
    assert {each.address.device_id for each in found.outgoing} == {1, 2}
    third.learn("alice", made.alice.lists)
    with pytest.raises(OwnDeviceRevoked):
        carried(third, [Letter("bob", frozenset({1}), SECRET, secret())])


def test_what_waits_for_a_former_member_is_withdrawn() -> None:
    made = world()
    bob = made.bob.first
    letters = [Letter("alice", frozenset({1}), SECRET, secret(1, group)) for group in (GROUP, OTHER)]
    carried(bob, letters)
    bob.send("alice", b"hello")
    with bob.transaction():
        withdraw(desk_behind(bob), GROUP, {"bob", "alice"})
        withdraw(desk_behind(bob), GROUP, {"bob"})
    made.servers.carry(bob, bob.begin(Address("alice", 1), made.alice.first.account.bundle()))
    assert kept(made.alice.first) == {bob.address: [secret(1, OTHER)]}
    assert made.servers.bodies(made.alice.first) == [b"hello"]


# --- the stamp of lists -----------------------------------------------------------------------------------


def test_the_stamp_changes_with_lists_and_with_nothing_else(pair: World) -> None:
    bob = pair.bob.first

    def stamp() -> int:
        with bob.transaction():
            return desk_behind(bob).book.lists_stamp()

    before = stamp()
    pair.servers.send(bob, "alice", b"hello")
    pair.clock.now += 2 * DAY
    bob.learn("alice", ())
    bob.upkeep()
    assert stamp() == before
    pair.alice.add()
    bob.learn("alice", pair.alice.lists)
    assert stamp() == before + 1
    bob.learn("alice", pair.alice.fork())
    assert stamp() == before + 2
    assert own_record(bob).pin.version == 1
