"""A braid in each of its eleven states, as an honest exchange leaves it, with what lies beside.

    Held     a state with its slots; `apply` does what a store does with writes
    HELD     one of each kind, from fixed seeds
    TEXTS    what the peer sends in the epoch of each, by type of part

Not here: what is fed to them (target_braid.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from letterlock.ratchet import braid
from letterlock.ratchet.braid import SENDS
from letterlock.ratchet.braid_states import Append, Braid, Clear, NoHeaderReceived, Slot, Write
from letterlock.ratchet.pq_keys import PqSharedSecret
from letterlock.ratchet.pq_profile import LETTERLOCK
from letterlock.wire.healing import BARE, HealingPart, PartType
from pair import entropy_of

SHARED: Final = PqSharedSecret(bytes(range(32)))


@dataclass(frozen=True, slots=True)
class Held:
    """A state, and its slots' entries."""

    state: Braid
    slots: Mapping[Slot, Sequence[bytes]]

    def read(self, slot: Slot) -> Sequence[bytes]:
        return self.slots.get(slot, ())

    def apply(self, state: Braid, writes: Iterable[Write]) -> "Held":
        slots = dict(self.slots)
        for write in writes:
            if isinstance(write, Clear):
                slots.pop(write.slot, None)
            else:
                assert isinstance(write, Append)
                slots[write.slot] = (*slots.get(write.slot, ()), write.entry)
        return Held(state, slots)

    def send(self, room: int) -> tuple["Held", HealingPart]:
        sent = braid.send(LETTERLOCK, self.state, room, entropy_of(f"braid {type(self.state)}"), self.read)
        part = HealingPart(sent.epoch, 1, 0, sent.type, sent.first, sent.codewords)
        return self.apply(sent.state, sent.writes), part

    def receive(self, part: HealingPart) -> "Held":
        braid.check_epoch(self.state, part)
        received = braid.receive(LETTERLOCK, self.state, part, self.read)
        return self.apply(received.state, received.writes)


Letter = tuple[int, int]
"""Who sends, 0 or 1, and how many codewords at most."""

_ORDERS: Final[Mapping[str, Sequence[Letter]]] = {
    "early vector": ((0, 2), (0, 1), (1, 1), (0, 1), (0, 36), (1, 30), (0, 1), (1, 2), (1, 3), (0, 1)),
    "late vector": (
        *((0, 2), (0, 1), (1, 1), (1, 28), (1, 1), (0, 20), (0, 16), (1, 1), (1, 4), (0, 1), (1, 1), (1, 2)),
        *((0, 1), (1, 36), (0, 1)),
    ),
}


def _harvest() -> tuple[dict[str, Held], dict[str, dict[PartType, bytes]]]:
    held: dict[str, Held] = {}
    texts: dict[int, dict[PartType, bytes]] = {}
    for order in _ORDERS.values():
        sides = [
            Held(braid.initiator(LETTERLOCK, SHARED), {}),
            Held(braid.recipient(LETTERLOCK, SHARED), {}),
        ]
        for who, room in order:
            for side in sides:
                held.setdefault(type(side.state).__name__, side)
                if isinstance(side.state, NoHeaderReceived) and side.state.got:
                    held["NoHeaderReceived"] = side
            sides[who], part = sides[who].send(room)
            if part.type not in BARE and len(sides[who].read(Slot.OUTGOING)) == 1:
                texts.setdefault(part.epoch, {}).setdefault(part.type, sides[who].read(Slot.OUTGOING)[0])
            sides[1 - who] = sides[1 - who].receive(part)
    return held, {name: texts.get(each.state.epoch, {}) for name, each in held.items()}


HELD, TEXTS = _harvest()
NAMES: Final = tuple(sorted(HELD))
assert len(NAMES) == len(SENDS)
