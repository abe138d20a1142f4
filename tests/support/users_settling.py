"""The end of a play: servers and network are honest, thieves are gone, and everything that waits arrives.

    each text was read once by every device for which it was meant
    what is written then arrives as well, and is acknowledged
    nothing is on record as sent any more
    all that took a number of messages that the devices alone bound

Not here: what happened before (users_play.py).
"""

from typing import Final

from letterlock import Address
from letterlock.limits import DAY, HOUR, LISTS_PAUSE
from letterlock.user import Need, NeedKind
from support.users_directory import oldest_full
from support.users_people import Copy, Owner, revoking
from support.users_play import Play
from support.users_world import Text

PAUSES: Final = (0, HOUR, *(DAY,) * 16)
"""How long the world waits after each round.

A request that is not acknowledged is repeated after an hour, and a session that is silent replaced after one
day, two, four and eight.
"""
NUMBERS: Final = 8
"""One play in so many computes safety numbers, which is slow by design. User ids are compared in all."""
MAX_TURNS: Final = 60
"""Turns without a pause in one round: ask, answer, begin, deliver, and what that leads to."""
MAX_MESSAGES: Final = 10
"""Messages that one device sends another one until all has arrived: 1 is usual, 3 the most seen."""


def settle(play: Play) -> int:
    """Let everybody be honest until nothing waits, and check that all texts arrived.

    Return how many messages it took. They are few, whatever happened before.
    """
    play.world.thieves.clear()
    before = len(play.world.sent)
    for owner in play.world.people.values():
        if owner.name in play.directory.forks:
            _answer_thief(play, owner)
    for copy in play.world.owned():
        for name in play.world.people:
            _look(play, copy, name)
    _until_quiet(play)
    took, devices = len(play.world.sent) - before, len(play.world.owned())
    assert took <= MAX_MESSAGES * devices * (devices - 1)
    _check_all(play)
    writers = play.rng.sample(_honest(play), min(2, len(_honest(play))))
    for copy in writers:
        for name in copy.views:
            play.written += 1
            play.world.send(copy, name, b"text %d" % play.written)
    _until_quiet(play)
    _check_all(play)
    if play.seed % NUMBERS == 0:
        copy = play.rng.choice(_honest(play))
        names = [name for name in copy.views if name != copy.address.name]
        play.world.check_number(copy, play.rng.choice(names))
    return took


def _answer_thief(play: Play, owner: Owner) -> None:
    """Let an owner sign a version after a theft.

    Somebody who took the thief's version would else find the true list only older, and older lists are never
    taken.
    """
    signers = [each for each in oldest_full(owner) if each.honest]
    signed = revoking(owner.chain, signers[0], play.entropy)
    play.world.are_lawful(signed)
    owner.chain = (*owner.chain, signed)


def rest(play: Play) -> None:
    """Let everybody wait for a moment, and do what is due, until nothing is on its way."""
    play.clock.now += LISTS_PAUSE + 1
    for copy in play.world.owned():
        if not copy.is_revoked:
            play.world.upkeep(copy)
    for _ in range(MAX_TURNS):
        if not _turn(play):
            return
    raise AssertionError("the processes never come to rest")


def _until_quiet(play: Play) -> None:
    for pause in PAUSES:
        rest(play)
        if not _waiting(play):
            return
        play.clock.now += pause
    raise AssertionError(f"something is never acknowledged: {_waiting(play)}")


def _waiting(play: Play) -> dict[Copy, set[Address]]:
    """Return which processes wait for which others, of those that are honest and have the true lists."""
    honest = _honest(play)
    there = {each.address for each in honest}
    return {each: each.waits_for() & there for each in honest if each.waits_for() & there}


def _turn(play: Play) -> bool:
    """Let every process do what it has to, and deliver everything; return whether anything was delivered."""
    for copy in play.world.owned():
        play.decides_all(copy)
        _meet(play, copy)
        play.gives_again(copy)
        _meet(play, copy)
    flights, play.world.flights = play.world.flights, []
    for flight in flights:
        play.deliver(flight)
    return bool(flights)


def _look(play: Play, copy: Copy, name: str) -> None:
    """Show a process the true lists of somebody, and decide what is frozen."""
    for _ in range(2):
        view = copy.views.get(name)
        if view is not None and view.other is not None and name != copy.address.name:
            play.decide(copy, name, view)
        play.meet(copy, Need(NeedKind.LISTS, name, after=0), lies=0)
        if copy.views[name].other is None:
            return


def _meet(play: Play, copy: Copy) -> None:
    needs, copy.memory.needs = copy.memory.needs, []
    for need in needs:
        if need.kind is NeedKind.LISTS or need.address.device_id in copy.views[need.name].devices:
            play.meet(copy, need, lies=0)


def _honest(play: Play) -> list[Copy]:
    """Return the processes of listed devices that have the true lists of their own user.

    A directory that lied may have led a device to a version that a thief signed. Nothing brings it back but
    linking it again.
    """
    return [each for each in play.world.honest() if _is_on_true_chain(play, each)]


def _is_on_true_chain(play: Play, copy: Copy) -> bool:
    return copy.own.chain[-1].hash == play.world.people[copy.address.name].chain[-1].hash


def _check_all(play: Play) -> None:
    for id_, text in play.world.texts.items():
        _check(play, id_, text)


def _check(play: Play, id_: bytes, text: Text) -> None:
    """Check that a text was read by every device for which it was meant, if both remember it.

    A thief who reads in the place of a device can acknowledge what it reads, and the device never gets it.
    """
    honest = {each.address: each for each in _honest(play)}
    sender = honest.get(text.sender)
    if not text.honest or sender is None or id_ in sender.forgotten | play.world.dropped:
        return
    for address in text.due:
        reader = honest.get(address)
        intercepted = (address, id_) in play.world.intercepted
        if reader is not None and id_ not in reader.forgotten and not intercepted:
            assert reader.memory.read[id_] == 1, f"{address} has not read {text.body!r} of {text.sender}"
