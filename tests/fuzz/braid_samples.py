"""A braid in each of its eleven states, as an honest exchange leaves it.

    Held     a state that sends and receives
    HELD     one of each kind, from fixed seeds
    TEXTS    what the peer sends in the epoch of each, by header type

Not here: what is fed to them (target_braid.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from letterlock._ratchet import braid
from letterlock._ratchet.braid import SENDS
from letterlock._ratchet.braid_states import Braid, NoHeaderReceived
from letterlock._ratchet.pq_keys import PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from support.braid_pair import texts_in
from support.pair import entropy_of

SHARED: Final = PqSharedSecret(bytes(range(32)))


@dataclass(frozen=True, slots=True)
class Held:
    """A state."""

    state: Braid

    def send(self, room: int) -> tuple["Held", PqHeader]:
        entropy = entropy_of(f"braid {type(self.state).__name__}")
        sent = braid.send(LETTERLOCK, self.state, room, entropy)
        pq_header = PqHeader(sent.epoch, 1, 0, sent.type, sent.first, sent.codewords)
        return Held(sent.state), pq_header

    def receive(self, pq_header: PqHeader) -> "Held":
        braid.check_epoch(self.state, pq_header)
        return Held(braid.receive(LETTERLOCK, self.state, pq_header).state)


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
            Held(braid.initiator(LETTERLOCK, SHARED)),
            Held(braid.recipient(LETTERLOCK, SHARED)),
        ]
        for who, room in order:
            for side in sides:
                held.setdefault(type(side.state).__name__, side)
                if isinstance(side.state, NoHeaderReceived) and side.state.incoming:
                    held["NoHeaderReceived"] = side
            sides[who], pq_header = sides[who].send(room)
            if pq_header.type not in BARE:
                text = texts_in(sides[who].state)["outgoing"]
                texts.setdefault(pq_header.epoch, {}).setdefault(pq_header.type, text)
            sides[1 - who] = sides[1 - who].receive(pq_header)
    return held, {name: texts.get(each.state.epoch, {}) for name, each in held.items()}


HELD, TEXTS = _harvest()
NAMES: Final = tuple(sorted(HELD))
assert len(NAMES) == len(SENDS)
