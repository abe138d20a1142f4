"""Conversations that break: messages that arrive damaged, forged, or in the place of another one."""

from collections.abc import Iterable

from letterlock import Address
from letterlock.stores import EntryKind
from letterlock.user import (
    EventKind,
    Incoming,
    NeedKind,
    Outcome,
    Outgoing,
    Upkeep,
    User,
)
from support.user_devices import World, world

ALICE, BOB = Address("alice", 1), Address("bob", 1)


def talking(alices: int = 1, bobs: int = 1) -> World:
    """Return a world in which every device has a session with every other one, and nothing is owed."""
    made = world(alices, bobs)
    made.servers.send(made.alice.first, "bob", b"first")
    for user in (*made.bob.devices.values(), *made.alice.devices.values()):
        made.servers.send(user, "alice" if user.name == "bob" else "bob", b"answer")
    settle(made)
    return made


def settle(made: World, pause: int = 60) -> list[Upkeep]:
    """Let a minute pass, and let every device do its upkeep until nothing is sent."""
    made.clock.now += pause
    done: list[Upkeep] = []
    for _ in range(4):
        for person in (made.alice, made.bob):
            done.extend(keep_up(made, user) for user in person.devices.values())
        made.clock.now += 40
    return done


def keep_up(made: World, user: User) -> Upkeep:
    """Let one device do its upkeep, and deliver what it sends."""
    found = user.upkeep()
    made.servers.carry(user, found.outgoing)
    made.servers.meet(user, found.needs)
    return found


def forged(message: bytes, at: int = -1) -> bytes:
    """Return a message with one bit changed: in its tag, unless `at` says otherwise."""
    changed = bytearray(message)
    changed[at] ^= 1
    return bytes(changed)


def unread(user: User) -> int:
    """Return how many messages a device waits for."""
    with user.transaction():
        return user._desk.book.store.tables.entries.count(EntryKind.RETRY)


def on_record(user: User) -> int:
    """Return how many contents a device has on record."""
    with user.transaction():
        return user._desk.book.store.tables.entries.count(EntryKind.SENT)


def kinds(user: User, made: World) -> list[int | None]:
    """Return the kinds of what a device read."""
    return [each.kind for each in made.servers.read.get(user.address, []) if each.outcome is Outcome.READ]


def events(found: Incoming | Upkeep) -> list[EventKind]:
    return [each.kind for each in found.events]


def bundles(needs: Iterable[object]) -> list[object]:
    return [each for each in needs if each.kind is NeedKind.BUNDLE]  # type: ignore[attr-defined]


def damaged(made: World, text: bytes, user: User | None = None) -> tuple[Outgoing, Incoming]:
    """Let Alice send a text that arrives at Bob's first device with another body."""
    sent, *_ = (user or made.alice.first).send("bob", text)
    return sent, made.bob.first.receive((user or made.alice.first).address, forged(sent.message, -20))


def taken(made: World, number: int = 0, user: User | None = None, to: User | None = None) -> Incoming:
    """Give Bob's first device, or another one, a message whose place another one took: a text of Alice's."""
    sender, reader = user or made.alice.first, to or made.bob.first
    sent = next(each for each in sender.send("bob", b"real") if each.address == reader.address)
    made.servers.carry(sender, (sent,))
    return reader.receive(sender.address, sent.message[:-8] + number.to_bytes(8, "big"))


def with_mark(user: User) -> bool:
    with user.transaction():
        return bool(user._desk.book.require_contact("alice").renew)


def answered(made: World) -> None:
    """Let Alice begin a session of her own in which Bob hears her, and her requests are lost."""
    made.alice.first.begin(BOB, made.bob.first.account.bundle())
    sent, *_ = made.alice.first.send("bob", b"hello?")
    made.bob.first.receive(ALICE, sent.message)
