"""How soon a session heals, and what that costs in bytes: a table for bench/README.md.

    python bench/healing.py            prints it
    python bench/healing.py --check    compares it with the one in bench/README.md

The conversations use the library's own ratchet, without sealing. Random bytes come from a seed, so the table
is the same everywhere. A session has healed when a message is opened whose key contains the secret of a new
epoch: whatever was stolen before that epoch is then of no use.

Not here: what healing costs in time (bench_triple.py).
"""

import argparse
import difflib
import hashlib
import random
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Final

from letterlock._handshake.x3dh import SharedSecret
from letterlock._primitives.curve25519 import SignedPrekeyPair
from letterlock._primitives.entropy import Entropy
from letterlock._ratchet import triple
from letterlock._ratchet.double import Hearing, Speaking, Unanswered
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_keys import SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.ratchet import Sent
from letterlock._ratchet.triple import Triple
from letterlock._session.sealing import padded_length
from letterlock._wire.message import RatchetMessage

PAGE: Final = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- python bench/healing.py -->\n", "<!-- end -->\n"

PAYLOADS: Final = {20: "20 B", 200: "200 B", 2048: "2 KiB", 20480: "20 KiB"}
LATER: Final = 5
"""Epochs after the first over which the mean is taken."""

HANDSHAKE: Final = 1_650
"""Bytes, roughly, that an initial message has besides the ratchet message it carries."""

SEEDS: Final = (1, 2, 3)
WINDOW: Final = 8
AD: Final = bytes(32)


def alternating() -> Iterator[bool]:
    """True is the initiator."""
    return cycle((True, False))


def bursts() -> Iterator[bool]:
    return cycle((True,) * 5 + (False,) * 5)


def one_sided() -> Iterator[bool]:
    return cycle((True,) * 20 + (False,))


@dataclass(frozen=True)
class Traffic:
    """Which side sends next, the share of messages lost, and among how many the next arrival is picked."""

    name: str
    turns: Callable[[], Iterator[bool]]
    loss: float = 0.0
    window: int = 1

    @property
    def seeds(self) -> tuple[int, ...]:
        return SEEDS if self.loss or self.window > 1 else SEEDS[:1]


TRAFFIC: Final = (
    Traffic("alternating", alternating),
    Traffic("bursts of 5", bursts),
    Traffic("20 to 1", one_sided),
    Traffic("20 to 1, 20 % lost", one_sided, loss=0.2),
    Traffic("alternating, 20 % lost", alternating, loss=0.2),
    Traffic(f"alternating, any of {WINDOW} next", alternating, window=WINDOW),
)


@dataclass(frozen=True)
class Healed:
    """Messages sent and bytes added to them, until the first healing, and per later healing."""

    first: float
    first_bytes: float
    later: float
    later_bytes: float


class Side:
    """One side: its state, and the skipped keys that a store would keep."""

    def __init__(self, state: Triple, entropy: Entropy) -> None:
        self.state = state
        self._entropy = entropy
        self._double: dict[tuple[bytes, int], MessageKey] = {}
        self._sparse: dict[tuple[int, int], SparseMessageKey] = {}

    @property
    def may_send(self) -> bool:
        return isinstance(self.state.double, Unanswered | Hearing | Speaking)

    def send(self, payload: int) -> Sent[Triple]:
        handshake = HANDSHAKE if isinstance(self.state.double, Unanswered) else 0
        size = padded_length(payload) + handshake
        sent = triple.send(LETTERLOCK, self.state, size, self._entropy)
        self.state = sent.state
        return sent

    def receive(self, sent: Sent[Triple]) -> None:
        header, pq_header = sent.header, sent.pq_header
        assert pq_header is not None
        kept = self._double.pop((header.ratchet_key.data, header.number), None)
        late = self._sparse.pop((pq_header.epoch - 1, pq_header.number), None)
        message = RatchetMessage(header, pq_header, b"", b"")
        found = triple.find_message_key(
            LETTERLOCK, self.state, message, kept, lambda *_: None if late is None else late.expose(), AD
        )
        if found.key != sent.key:
            raise AssertionError("the two sides have different keys")
        for gap in found.double.gaps():
            keys = enumerate(gap.keys().expose_each(), gap.start)
            self._double |= {(gap.ratchet_key.data, number): MessageKey(key) for number, key in keys}
        for missing in found.sparse.gaps(LETTERLOCK):
            keys = enumerate(missing.keys(LETTERLOCK).expose_each(), missing.start)
            self._sparse |= {(missing.epoch, number): SparseMessageKey(key) for number, key in keys}
        after = found.commit().state
        assert isinstance(after, Triple)
        self.state = after


class Conversation:
    """Two sides and the network between them."""

    def __init__(self, traffic: Traffic, payload: int, seed: int) -> None:
        entropy = entropy_of(f"{traffic.name} {payload} {seed}")
        secret, signed = SharedSecret(entropy(32)), SignedPrekeyPair.generate(entropy)
        self._sides = {
            True: Side(triple.initiator(LETTERLOCK, secret, signed.public, entropy), entropy),
            False: Side(triple.recipient(LETTERLOCK, secret, signed), entropy),
        }
        self._rng = random.Random(seed)
        self._traffic, self._payload = traffic, payload
        self._on_the_way: dict[bool, list[Sent[Triple]]] = {True: [], False: []}

    def play(self) -> Healed:
        """Play until the first message of the last epoch has been opened."""
        epoch, sent, added = 0, 0, 0
        reached: list[tuple[int, int]] = []
        for who in self._traffic.turns():
            if not self._sides[who].may_send:
                continue  # it has received nothing from the initiator yet
            message = self._sides[who].send(self._payload)
            sent, added = sent + 1, added + extra_bytes(message)
            for opened in self._deliver(message, not who):
                if epoch_of(opened) > epoch:
                    epoch += 1
                    reached.append((sent, added))
            if epoch == 1 + LATER:
                break
        (first, first_bytes), (last, last_bytes) = reached[0], reached[-1]
        return Healed(first, first_bytes, (last - first) / LATER, (last_bytes - first_bytes) / LATER)

    def _deliver(self, message: Sent[Triple], to: bool) -> Iterator[Sent[Triple]]:
        waiting = self._on_the_way[to]
        if self._rng.random() >= self._traffic.loss:
            waiting.append(message)
        while len(waiting) >= self._traffic.window:
            arrived = waiting.pop(self._rng.randrange(len(waiting)))
            self._sides[to].receive(arrived)
            yield arrived


def entropy_of(seed: str) -> Entropy:
    drawn = count()
    return lambda length: hashlib.shake_256(f"{seed} {next(drawn)}".encode()).digest(length)


def epoch_of(message: Sent[Triple]) -> int:
    """Return the epoch of a message's sparse key."""
    return 0 if message.pq_header is None else message.pq_header.epoch - 1


def extra_bytes(message: Sent[Triple]) -> int:
    """Return how many bytes longer a message is than an X3DH message of the same text."""
    return len(message.header.encode_header(message.pq_header)) - len(message.header.encode_header())


def row(traffic: Traffic, payload: int) -> str:
    """Return one line of the table: medians over the seeds."""
    runs = [Conversation(traffic, payload, seed).play() for seed in traffic.seeds]
    first, first_bytes, later, later_bytes = (
        statistics.median(getattr(run, name) for run in runs)
        for name in ("first", "first_bytes", "later", "later_bytes")
    )
    each = later_bytes / later
    cells = (
        traffic.name,
        PAYLOADS[payload],
        f"{first:.0f}",
        f"{first_bytes:,.0f}",
        f"{later:.1f}",
        f"{later_bytes:,.0f}",
        f"{each:,.0f}",
        f"{100 * each / padded_length(payload):.0f} %",
    )
    return f"| {' | '.join(cells)} |"


HEAD: Final = (
    "| traffic | texts of | first: messages | bytes | later: messages | bytes | bytes each | of the text |",
    "|---|--:|--:|--:|--:|--:|--:|--:|",
)


def table() -> str:
    rows = [row(traffic, payload) for traffic in TRAFFIC for payload in PAYLOADS]
    return "".join(f"{line}\n" for line in [*HEAD, *rows])


def committed() -> str:
    """Return the table in bench/README.md."""
    return PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip("\n") + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="How soon a session heals, and what that costs in bytes.")
    parser.add_argument("--check", action="store_true", help="compare with the table in bench/README.md")
    made = table()
    if not parser.parse_args().check:
        print(made, end="")
        return 0
    different = list(
        difflib.unified_diff(committed().splitlines(), made.splitlines(), "README.md", "now", n=0)
    )
    print("\n".join(different) or "bench/README.md has this table")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
