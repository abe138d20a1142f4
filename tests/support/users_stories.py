"""Short plays in which a certain part of the user layer has to do its work: for the deliberate breaks.

A story has no chance in it. Alice has two devices, Bob two, and Carol one. All have each other's lists.

Not here: the breaks (tests/model/test_deliberate_breaks_users.py).
"""

from letterlock import Address
from letterlock.user import ContactEvent, Need, NeedKind
from support.users_people import Copy, new_owner, revoking
from support.users_play import Play
from support.users_settling import rest, settle

SHAPE = (2, 2, 1)


def new_play() -> Play:
    return Play(0, SHAPE)


def device(play: Play, name: str, id_: int = 1) -> Copy:
    return play.world.people[name].devices[id_]


def talk(play: Play) -> None:
    """Alice's first device writes to Bob, and Bob's first device answers."""
    for name, other in (("alice", "bob"), ("bob", "alice")):
        copy = device(play, name)
        play.world.send(copy, other, b"from " + name.encode())
        _bring_all(play, copy)


def repeated(play: Play) -> None:
    talk(play)
    for flight in list(play.world.sent):
        play.deliver(flight)


def sent_again(play: Play) -> None:
    """Alice's store is put back to a copy in which a text still waits."""
    copy = device(play, "alice")
    play.world.send(copy, "bob", b"waits")
    copy.keep_a_copy()
    _bring_all(play, copy)
    copy.restore(0)
    play.world.spoiled.add(copy.address)
    _bring_all(play, copy)


def damaged(play: Play) -> None:
    """A text is damaged on its way: Bob asks for it, and gets it at once."""
    talk(play)
    id_ = play.world.send(device(play, "alice"), "bob", b"damaged")
    flight = next(each for each in play.world.flights if each.receiver == Address("bob", 1))
    play.world.flights.remove(flight)
    bob = device(play, "bob")
    play.world.receive(
        bob, flight, message=flight.message[:100] + bytes([flight.message[100] ^ 1]) + flight.message[101:]
    )
    _deliver_all(play)
    assert id_ in bob.memory.read, "what was damaged is not sent again"


def revoked(play: Play) -> None:
    """Bob's second device is revoked; Alice learns of it, and the device itself."""
    talk(play)
    bob = play.world.people["bob"]
    stolen = bob.devices[2]
    play.world.send(stolen, "alice", b"before")
    _meet_all(play, stolen)
    play.world.send(device(play, "alice"), "bob", b"to a thief")
    play.revoke(bob, bob.devices[1], stolen)
    for copy in (device(play, "alice"), stolen):
        _look(play, copy, "bob")
    play.world.send(stolen, "alice", b"after")
    play.world.send(device(play, "alice"), "bob", b"only for the first")
    _deliver_all(play)


def told(play: Play) -> None:
    """Bob's first device knows that the second is revoked; a message of Alice's shows that she does not."""
    talk(play)
    bob = play.world.people["bob"]
    play.revoke(bob, bob.devices[1], bob.devices[2])
    _look(play, bob.devices[1], "bob")
    alice = device(play, "alice")
    play.world.send(alice, "bob", b"to both")
    _deliver_all(play)
    assert len(alice.views["bob"].chain) == len(bob.chain), "Alice is not told"


def linked(play: Play) -> None:
    """Bob has a new device, which Alice sees from a message only."""
    talk(play)
    bob = play.world.people["bob"]
    play.clock.now += 100
    play.add(bob, bob.devices[1])
    _look(play, bob.devices[1], "bob")
    play.world.send(bob.devices[1], "alice", b"I have a new phone")
    _deliver_all(play)


def unlawful(play: Play) -> None:
    """A thief of Bob's second device revokes the first, and signs that properly."""
    bob = play.world.people["bob"]
    signed = revoking(bob.chain, bob.devices[2], play.entropy, 1)
    play.world.learn(device(play, "alice"), "bob", (signed,))


def unsigned(play: Play) -> None:
    """The directory adds a device of its own to a list that Bob signed."""
    chain = play.world.people["bob"].chain
    play.world.learn(device(play, "alice"), "bob", (play.directory.unsigned(chain[-1]),))


def forked(play: Play) -> None:
    """Alice sees two versions in one place, and writes."""
    bob, alice = play.world.people["bob"], device(play, "alice")
    fork = revoking(bob.chain[:1], bob.devices[1], play.entropy)
    play.world.are_lawful(fork)
    event = play.world.learn(alice, "bob", (fork,))
    assert event is ContactEvent.FORK
    play.world.send(alice, "bob", b"to which Bob?")


def other_device(play: Play) -> None:
    """The prekey server hands out a bundle of its own under the address of Bob's device."""
    invented = new_owner("bob", play.clock, play.entropy).devices[1]
    bundle = invented.user.account.bundle()
    play.world.begin(device(play, "alice"), Address("bob", 1), bundle, right=False)


def lost(play: Play) -> None:
    """A text of Alice's is lost, and Bob writes nothing."""
    talk(play)
    rest(play)
    play.world.send(device(play, "alice"), "bob", b"lost")
    play.world.flights.clear()
    settle(play)


def unanswered(play: Play) -> None:
    """The first message of a session is lost."""
    alice = device(play, "alice")
    play.world.send(alice, "bob", b"hello?")
    _meet_all(play, alice)
    play.world.flights.clear()
    settle(play)


def restored_reader(play: Play) -> None:
    """Bob's store is put back to a copy from before the first message, and Alice writes on."""
    bob = device(play, "bob")
    bob.keep_a_copy()
    talk(play)
    bob.restore(0)
    play.world.spoiled.add(bob.address)
    play.world.send(device(play, "alice"), "bob", b"to an old store")
    _deliver_all(play)
    settle(play)


def to_the_end(play: Play) -> None:
    talk(play)
    settle(play)


def _look(play: Play, copy: Copy, name: str) -> None:
    play.meet(copy, Need(NeedKind.LISTS, name, after=0), lies=0)


def _meet_all(play: Play, copy: Copy) -> None:
    while copy.memory.needs:
        play.meet(copy, copy.memory.needs.pop(0), lies=0)


def _deliver_all(play: Play) -> None:
    while play.world.flights:
        play.deliver(play.world.flights.pop(0))


def _bring_all(play: Play, copy: Copy) -> None:
    _meet_all(play, copy)
    _deliver_all(play)
