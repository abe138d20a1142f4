"""A braid in each of its eleven states, as an honest exchange leaves it, with its side data.

    Held     a state with its slots; `apply` does what a store does with writes
    HELD     one of each kind, from fixed seeds
    TEXTS    what the peer sends in the epoch of each, by header type

Not here: what is fed to them (target_braid.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from letterlock._ratchet import braid
from letterlock._ratchet.braid import SENDS
from letterlock._ratchet.braid_states import Braid, NoHeaderReceived
from letterlock._ratchet.pq_keys import PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.side_data import Append, Clear, Slot, Write
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from support.pair import entropy_of

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

    def send(self, room: int) -> tuple["Held", PqHeader]:
        entropy = entropy_of(f"braid {type(self.state).__name__}")
        sent = braid.send(LETTERLOCK, self.state, room, entropy, self.read)
        pq_header = PqHeader(sent.epoch, 1, 0, sent.type, sent.first, sent.codewords)
        return self.apply(sent.state, sent.writes), pq_header

    def receive(self, pq_header: PqHeader) -> "Held":
        braid.check_epoch(self.state, pq_header)
        received = braid.receive(LETTERLOCK, self.state, pq_header, self.read)
        return self.apply(received.state, received.writes)


Sending = tuple[int, int]
"""The side that sends, 0 or 1, and how many codewords at most."""

_ORDERS: Final[Mapping[str, Sequence[Sending]]] = {
    "early vector": ((0, 2), (0, 1), (1, 1), (0, 1), (0, 36), (1, 30), (0, 1), (1, 2), (1, 3), (0, 1)),
    "late vector": (
        *((0, 2), (0, 1), (1, 1), (1, 28), (1, 1), (0, 20), (0, 16), (1, 1), (1, 4), (0, 1), (1, 1), (1, 2)),
        *((0, 1), (1, 36), (0, 1)),
    ),
}


def _harvest() -> tuple[dict[str, Held], dict[str, dict[PqType, bytes]]]:
    held: dict[str, Held] = {}
    texts: dict[int, dict[PqType, bytes]] = {}
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
            sides[who], pq_header = sides[who].send(room)
            if pq_header.type not in BARE and len(sides[who].read(Slot.OUTGOING)) == 1:
                texts.setdefault(pq_header.epoch, {}).setdefault(
                    pq_header.type, sides[who].read(Slot.OUTGOING)[0]
                )
            sides[1 - who] = sides[1 - who].receive(pq_header)
    return held, {name: texts.get(each.state.epoch, {}) for name, each in held.items()}


HELD, TEXTS = _harvest()
NAMES: Final = tuple(sorted(HELD))
assert len(NAMES) == len(SENDS)
