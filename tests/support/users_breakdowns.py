"""Every way in which a conversation can break, each played: the table in the documentation.

    BREAKDOWNS      what happens, and what repairs it, in words, with a play in which it happens
    measured        what the play shows: what was noticed, how long it took, and how many messages

Not here: the page (docs/tools/write_repairs.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from letterlock import Address
from letterlock.limits import DAY, HOUR, MAX_SKIP
from support.users_cast import Known
from support.users_people import new_owner, revoking
from support.users_scene import Scene
from support.users_settling import rest

# --- messages ---------------------------------------------------------------------------------------------


def lost_and_answered(scene: Scene) -> None:
    scene.write(scene.alice, "bob")
    scene.lose()
    scene.play.clock.now += HOUR
    scene.write(scene.bob, "alice")
    scene.bring()


def lost(scene: Scene) -> None:
    scene.write(scene.alice, "bob")
    scene.lose()


def damaged(scene: Scene) -> None:
    scene.write(scene.alice, "bob")
    flight = scene.first()
    text, end = flight.message[:-20], flight.message[-19:]  # the last 16 bytes name the message
    scene.world.receive(scene.bob, flight, message=text + bytes([flight.message[-20] ^ 1]) + end)


def cut(scene: Scene) -> None:
    scene.write(scene.alice, "bob")
    flight = scene.first()
    scene.world.receive(scene.bob, flight, message=flight.message[:60])


def twice(scene: Scene) -> None:
    scene.write(scene.alice, "bob")
    flight = scene.first()
    scene.play.deliver(flight)
    scene.play.deliver(flight)


def reordered(scene: Scene) -> None:
    for _ in range(3):
        scene.write(scene.alice, "bob")
    scene.world.flights.reverse()


def unacknowledged(scene: Scene) -> None:
    scene.write(scene.alice, "bob")
    scene.bring()
    scene.play.clock.now += HOUR
    scene.world.upkeep(scene.bob)
    scene.lose()


def skipped(scene: Scene) -> None:
    for _ in range(MAX_SKIP + 1):
        scene.alice.user.account.encrypt(scene.bob.address, b"lost")
    scene.world.spoiled.add(scene.alice.address)
    scene.write(scene.alice, "bob")


# --- sessions and stores ----------------------------------------------------------------------------------


def first_lost(scene: Scene) -> None:
    scene.write(scene.alice, "bob")
    scene.lose()


def crossed(scene: Scene) -> None:
    scene.write(scene.alice, "bob")
    scene.write(scene.bob, "alice")


def bundle_twice(scene: Scene) -> None:
    bundle = scene.bob.user.account.bundle()
    for copy in (scene.carol, scene.alice):
        scene.play.written += 1
        scene.world.send(copy, "bob", b"text %d" % scene.play.written)
        copy.memory.needs.clear()
        scene.world.begin(copy, scene.bob.address, bundle, right=True)
    scene.world.spoiled.add(scene.alice.address)


def forgotten(scene: Scene) -> None:
    scene.bob.user.account.forget(scene.alice.address)
    scene.world.spoiled.add(scene.bob.address)
    scene.write(scene.alice, "bob")


def reader_restored(scene: Scene) -> None:
    scene.bob.keep_a_copy()
    for _ in range(2):
        scene.write(scene.bob, "alice")
        scene.bring()
        scene.write(scene.alice, "bob")
        scene.bring()
    scene.restored(scene.bob)
    scene.write(scene.alice, "bob")


def writer_restored(scene: Scene) -> None:
    scene.alice.keep_a_copy()
    scene.write(scene.alice, "bob")
    scene.bring()
    scene.restored(scene.alice)
    scene.write(scene.alice, "bob")


def copied(scene: Scene) -> None:
    thief = scene.alice.stolen()
    scene.world.spoiled.add(scene.alice.address)
    scene.write(thief, "bob")
    scene.bring()
    scene.write(scene.alice, "bob")


# --- devices ----------------------------------------------------------------------------------------------


def new_device(scene: Scene) -> None:
    alice = scene.world.people["alice"]
    new = scene.play.add(alice, scene.alice)
    scene.look(new, "bob")
    scene.write(new, "bob")


def revoked_device(scene: Scene) -> None:
    alice = scene.world.people["alice"]
    scene.play.revoke(alice, scene.alice, scene.device("alice", 2))
    scene.look(scene.alice, "alice")
    scene.write(scene.bob, "alice")


def invented_device(scene: Scene) -> None:
    scene.write(scene.alice, "bob")
    flight = scene.first()
    scene.world.flights.append(flight)
    scene.world.receive(scene.bob, flight, claimed=Address("alice", 9))
    scene.meet(scene.bob)
    scene.world.receive(scene.bob, flight, claimed=Address("alice", 9))


def other_bundle(scene: Scene) -> None:
    scene.play.written += 1
    scene.world.send(scene.alice, "bob", b"text %d" % scene.play.written)
    invented = new_owner("bob", scene.play.clock, scene.play.entropy).devices[1]
    scene.world.begin(scene.alice, scene.bob.address, invented.user.account.bundle(), right=False)


# --- the directory ----------------------------------------------------------------------------------------


def withheld(scene: Scene) -> None:
    alice = scene.world.people["alice"]
    scene.play.add(alice, scene.alice)
    scene.look(scene.alice, "alice")
    scene.play.clock.now += HOUR
    scene.write(scene.alice, "bob")
    scene.bring()
    scene.bob.memory.needs.clear()
    scene.world.learn(scene.bob, "alice", ())


def older(scene: Scene) -> None:
    scene.world.learn(scene.bob, "alice", scene.world.people["alice"].chain[:1])
    scene.write(scene.alice, "bob")


def forked(scene: Scene) -> None:
    chain = scene.world.people["alice"].chain
    signed = revoking(chain[:1], scene.alice, scene.play.entropy)
    scene.world.are_lawful(signed)
    scene.world.learn(scene.bob, "alice", (chain[0], signed))
    scene.write(scene.alice, "bob")


def another_user(scene: Scene) -> None:
    scene.world.learn(scene.bob, "alice", scene.play.directory.stranger.chain)
    scene.write(scene.alice, "bob")


def another_user_first(scene: Scene) -> None:
    scene.world.learn(scene.bob, "alice", scene.play.directory.stranger.chain)
    scene.world.learn(scene.alice, "bob", scene.world.people["bob"].chain)
    scene.write(scene.alice, "bob")
    scene.bring()
    scene.look(scene.bob, "alice")


@dataclass(frozen=True)
class Breakdown:
    """A way in which a conversation breaks. `repair` says what mends it."""

    what: str
    repair: str
    happen: Callable[[Scene], None]
    known: Known = Known.SESSIONS
    devices: int = 1


@dataclass(frozen=True)
class Measured:
    """What a play shows. `extra` counts messages beside texts that arrive once and their acknowledgements."""

    noticed: tuple[str, ...]
    seconds: int
    extra: int


BREAKDOWNS: Final = (
    Breakdown("A message arrives twice.", "Its tag is known.", twice),
    Breakdown("Messages arrive in another order.", "Keys of late messages are kept.", reordered),
    Breakdown(
        "A message is damaged on its way, and its last 16 bytes are not.",
        "The reader asks for it; it is sealed again.",
        damaged,
    ),
    Breakdown(
        "A message is cut off, or its last bytes are damaged.",
        "Nobody knows which one it was: it counts as lost.",
        cut,
    ),
    Breakdown(
        "A message is lost, and its reader writes later.",
        "A new session; what was not acknowledged is sealed again in it.",
        lost_and_answered,
    ),
    Breakdown(
        "A message is lost, and its reader writes nothing.", "It is sealed again in its session.", lost
    ),
    Breakdown("An acknowledgement is lost.", "The content is sealed again, and known.", unacknowledged),
    Breakdown(
        f"More than {MAX_SKIP:,} messages are lost in a row.",
        "The reader asks; the answer cannot be read either, so a new session is begun.",
        skipped,
    ),
    Breakdown("The first message of a session is lost.", "A new session.", first_lost, Known.LISTS),
    Breakdown("Both sides begin at once.", "Both keep one of the two sessions.", crossed, Known.LISTS),
    Breakdown(
        "A server hands out a bundle twice.",
        "The reader begins a session, and asks in it.",
        bundle_twice,
        Known.LISTS,
    ),
    Breakdown("A device forgets a session.", "It begins a new one, and asks in it.", forgotten),
    Breakdown(
        "The reader's store is put back to a copy.", "The reader asks; a new session.", reader_restored
    ),
    Breakdown(
        "The writer's store is put back to a copy.",
        "The reader begins a session, and asks in it.",
        writer_restored,
    ),
    Breakdown(
        "A thief writes with a copy of the writer's store.",
        "A new session, which the thief does not have. The owner has to revoke the device.",
        copied,
    ),
    Breakdown(
        "A new device writes that the reader does not know.", "The reader asks the directory.", new_device
    ),
    Breakdown(
        "Somebody writes to a device that was revoked.",
        "Another device of its owner sends the list.",
        revoked_device,
        devices=2,
    ),
    Breakdown(
        "A server delivers under an invented device.",
        "Nothing is read; the true message is.",
        invented_device,
    ),
    Breakdown(
        "A server hands out a bundle with another key.",
        "It is refused, and another one is asked for.",
        other_bundle,
        Known.LISTS,
    ),
    Breakdown(
        "The directory withholds a version.", "It is asked again, and the person may be told.", withheld
    ),
    Breakdown("The directory shows an old list.", "The person keeps the list on record.", older, devices=2),
    Breakdown(
        "The directory shows two versions in one place.",
        "The person keeps the list on record.",
        forked,
        devices=2,
    ),
    Breakdown("The directory shows another user.", "The person keeps the list on record.", another_user),
    Breakdown(
        "The directory showed another user from the start.",
        "The person compares safety numbers, and replaces.",
        another_user_first,
        Known.STRANGERS,
    ),
)


def measured(case: Breakdown) -> Measured:
    """Play a breakdown, and return what it shows. Fails if a text does not arrive."""
    scene = Scene(case.known, case.devices)
    before = scene.play.clock.now
    case.happen(scene)
    seconds = next(_until_read(scene, before))
    usual = sum(2 * len(text.due) for text in scene.world.texts.values())
    return Measured(_noticed(scene), seconds, max(0, len(scene.world.sent) - usual))


def rows() -> list[tuple[str, ...]]:
    """Return the table: what happens, how it is noticed, what repairs it, when, and how many messages."""
    result: list[tuple[str, ...]] = []
    for case in BREAKDOWNS:
        found = measured(case)
        noticed = ", ".join(f"`{each}`" for each in found.noticed) or "nothing to notice"
        result.append((case.what, noticed, case.repair, in_words(found.seconds), str(found.extra)))
    return result


def in_words(seconds: int) -> str:
    """Return how long a repair took, without the minutes in which processes look for messages."""
    if seconds < HOUR // 2:
        return "at once"
    if seconds < DAY // 2:
        return f"after {round(seconds / HOUR)} h"
    return f"after {round(seconds / DAY)} d"


def _until_read(scene: Scene, before: int) -> Iterator[int]:
    """Let time pass until every text was read, then until all is acknowledged; yield when they were."""
    read = 0
    for pause in (0, HOUR, *(DAY // 2,) * 12):
        rest(scene.play)
        if not read and _all_read(scene):
            read = scene.play.clock.now - before
        if read and not any(each.waits_for() for each in scene.world.owned() if not each.is_revoked):
            yield read
        scene.play.clock.now += pause
    raise AssertionError("a text is not read, or never acknowledged")


def _all_read(scene: Scene) -> bool:
    for id_, text in scene.world.texts.items():
        for address in text.due:
            reader = scene.world.copy_at(address)
            assert reader is not None
            known = reader.memory.read[id_] or id_ in reader.forgotten
            if not reader.is_revoked and text.honest and not known:
                return False
    return True


def _noticed(scene: Scene) -> tuple[str, ...]:
    events = [kind.name for _, kind, _, _ in scene.world.events]
    return tuple(dict.fromkeys([*(each.name for each in scene.world.causes), *events]))
