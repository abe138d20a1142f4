"""Who is there before a play of the model of users. Making people is slow, so each play copies their stores.

    STRANGERS    nobody has another person's lists
    LISTS        everybody has everybody's lists, and no sessions
    SESSIONS     every device has a session with every other one, and nothing waits

Not here: what the plays do (users_play.py).
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from letterlock import Address
from letterlock._primitives.entropy import Clock as Reader
from letterlock._primitives.entropy import Entropy
from letterlock.limits import RECEIPT_DELAY
from support.pair import entropy_of
from support.user_devices import Clock
from support.users_people import Copy, Owner, View, adding, new_copy, new_owner, own_record

NAMES: Final = ("alice", "bob", "carol")
SHAPES: Final = ((2, 2, 1), (3, 1, 2), (1, 2, 4))
"""How many devices each person has."""


class Known(Enum):
    """What people know of each other before a play."""

    STRANGERS = "strangers"
    LISTS = "lists"
    SESSIONS = "sessions"


@dataclass(frozen=True)
class Cast:
    """People before a play, and somebody whom nobody knows. `now` is the time at which a play begins."""

    people: dict[str, Owner]
    stranger: Owner
    now: int


@cache
def cast(shape: tuple[int, int, int], known: Known) -> Cast:
    """Return people with so many devices each."""
    clock, entropy = Clock(), entropy_of(("cast", shape))
    people = {}
    for name, count in zip(NAMES, shape, strict=True):
        owner = people[name] = new_owner(name, clock, entropy)
        for _ in range(count - 1):
            link(owner, owner.devices[1], clock, entropy)
        for copy in owner.devices.values():
            _learn(copy, owner)
    copies = [copy for owner in people.values() for copy in owner.devices.values()]
    if known is not Known.STRANGERS:
        for copy in copies:
            for owner in people.values():
                _learn(copy, owner)
    if known is Known.SESSIONS:
        _talk(copies, clock)
    return Cast(people, new_owner("mallory", clock, entropy), clock.now)


def link(owner: Owner, signer: Copy, clock: Reader, entropy: Entropy) -> Copy:
    """Let a device add another one to the true chain."""
    signed, keys = adding(owner.chain, signer, entropy)
    owner.chain = (*owner.chain, signed)
    seeds, device_id = own_record(signer.store).seeds, len(owner.chain)
    new = new_copy(Address(owner.name, device_id), keys, owner.chain, seeds, clock, entropy)
    owner.devices[device_id] = new
    return new


def _learn(copy: Copy, owner: Owner) -> None:
    copy.user.learn(owner.name, owner.chain)
    copy.views[owner.name] = View(owner.chain, shown=copy.clock())


def _talk(copies: list[Copy], clock: Clock) -> None:
    """Let everybody write to everybody, and acknowledge what was read."""
    at = {copy.address: copy for copy in copies}
    for copy in copies:
        for name in NAMES:
            sent = copy.user.send(name, b"hello")
            outgoing = list(sent.outgoing)
            for need in sent.needs:
                outgoing += copy.user.begin(need.address, at[need.address].user.account.bundle())
            for each in outgoing:
                at[each.address].user.receive(copy.address, each.message)
    clock.now += RECEIPT_DELAY
    for copy in copies:
        for each in copy.user.upkeep().outgoing:
            at[each.address].user.receive(copy.address, each.message)
