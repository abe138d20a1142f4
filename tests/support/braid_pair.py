"""Two sides of the ML-KEM Braid without messages or seals, and the table in _ratchet/braid.py's docstring.

Side     a state; takes down every transition, and every secret
walk     a conversation in turns, until both are in an epoch
place    a side in one of the eleven states; `part` and `whole` are what its peer would send
Row      a row of the table, and `becomes`, what all rows together say of a state and a part
"""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import Secret
from letterlock._ratchet import braid, braid_states
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.erasure import codeword
from letterlock._ratchet.pq_keys import EpochSecret, PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK, PqProfile
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from letterlock.limits import CODEWORD_BYTES
from support.pair import entropy_of, plain

SHARED: Final = PqSharedSecret(b"\x29" * 32)

Step: TypeAlias = tuple[str, str]
"""Names of a state and of the one after it."""

TYPES: Final = {
    "None": PqType.NONE, "Hdr": PqType.HDR, "Ek": PqType.EK, "EkCt1Ack": PqType.EK_CT1_ACK,
    "Ct1Ack": PqType.CT1_ACK, "Ct1": PqType.CT1, "Ct2": PqType.CT2,
}  # fmt: skip
"""The types by the names of the specification."""


def texts_in(state: Braid) -> dict[str, bytes]:
    """Return the three long fields of a state, empty where it has none."""
    return {name: getattr(state, name, b"") for name in ("outgoing", "incoming", "kept")}


class Side:
    """One side: its state, and what has come of it."""

    def __init__(self, state: Braid, entropy: Entropy, profile: PqProfile = LETTERLOCK) -> None:
        self.state = state
        self.entropy = entropy
        self.profile = profile
        self.secrets: dict[int, EpochSecret] = {}
        self.taken: set[Step] = set()

    def copy(self) -> "Side":
        """Return this side as a copy of its store would have it."""
        other = Side(self.state, self.entropy, self.profile)
        other.secrets = dict(self.secrets)
        return other

    @property
    def name(self) -> str:
        return type(self.state).__name__

    @property
    def outgoing(self) -> bytes:
        """The text that is being sent, if there is one."""
        return texts_in(self.state)["outgoing"]

    @property
    def incoming(self) -> bytes:
        """The codewords that have arrived, each after its index."""
        return texts_in(self.state)["incoming"]

    def send(self, room: int = 1) -> PqHeader:
        sent = braid.send(self.profile, self.state, room, self.entropy)
        self._commit(sent.state, sent.epoch, sent.secret)
        return PqHeader(sent.epoch, 1, 0, sent.type, sent.first, sent.codewords)

    def receive(self, pq_header: PqHeader) -> None:
        braid.check_epoch(self.state, pq_header)
        got = braid.receive(self.profile, self.state, pq_header)
        self._commit(got.state, got.epoch, got.secret)

    def _commit(self, state: Braid, epoch: int, secret: EpochSecret | None) -> None:
        if type(state) is not type(self.state):
            self.taken.add((self.name, type(state).__name__))
        self.state = state
        if secret is not None:
            assert epoch not in self.secrets
            self.secrets[epoch] = secret

    def all(self) -> object:
        """Return the state, to compare."""
        return plain(self.state)


def braid_pair(seed: object = "braid", profile: PqProfile = LETTERLOCK) -> tuple[Side, Side]:
    """Alice, who sends the first KEM key, and Bob."""
    return (
        Side(braid.initiator(profile, SHARED), entropy_of(f"{seed} alice"), profile),
        Side(braid.recipient(profile, SHARED), entropy_of(f"{seed} bob"), profile),
    )


def walk(
    sides: tuple[Side, Side],
    epoch: int,
    rooms: tuple[int, int] = (1, 1),
    see: Callable[[Side], None] = lambda side: None,
) -> None:
    """Let both speak in turn, each with its room, until both are in an epoch or past it."""
    for _ in range(2000):
        for side, other, room in (*zip(sides, reversed(sides), rooms, strict=True),):
            other.receive(side.send(room))
            see(side)
            see(other)
            if min(each.state.epoch for each in sides) >= epoch:
                return
    raise AssertionError("the braid stands still")


def secrets_in(value: object) -> list[Secret]:
    """Return every secret anywhere in a value."""
    if isinstance(value, Secret):
        return [value]
    if dataclasses.is_dataclass(value):
        return [each for f in dataclasses.fields(value) for each in secrets_in(getattr(value, f.name))]
    return []


EPOCHS: Final = {"initiator's key": 3, "recipient's key": 4}
"""Two epochs late enough to have two before them, one of each role."""


@cache
def places(epoch: int) -> dict[str, Side]:
    """Return a side as it came into each of the eleven states, in an epoch; for copies."""
    found: dict[str, Side] = {}

    def see(side: Side) -> None:
        if side.state.epoch == epoch:
            found.setdefault(side.name, side.copy())

    # With one codeword each, ct1 is there before the vector; where the key's side has room, after it.
    for many in (1, 64):
        sides = braid_pair("places")
        walk(sides, epoch, (64, 64), see)
        key_sender = sides[0] if epoch % 2 else sides[1]
        walk(sides, epoch + 1, (many, 1) if key_sender is sides[0] else (1, many), see)
    return found


def place(epoch: int, name: str) -> Side:
    return places(epoch)[name].copy()


RECEIVERS: Final = {
    PqType.HDR: "NoHeaderReceived",
    PqType.CT1: "KeysSampled",
    PqType.EK: "Ct1Sampled",
    PqType.EK_CT1_ACK: "Ct1Sampled",
    PqType.CT2: "Ct1Received",
}
"""The types that bring a text, and the state in which the first of it comes."""

_SENDERS: Final = ("KeysSampled", "Ct1Sampled", "HeaderSent", "Ct1Received", "Ct2Sampled")


@cache
def texts(epoch: int) -> dict[PqType, bytes]:
    """What an epoch's codewords are of, from the states of those who send them."""
    sides = [places(epoch)[name] for name in _SENDERS]
    return {braid.SENDS[type(side.state)]: side.outgoing for side in sides}


def share_of(epoch: int, type_: PqType) -> int:
    """Return how many codewords bring a text; 1 for what has none."""
    return 1 if type_ in BARE else len(texts(epoch)[type_]) // CODEWORD_BYTES


@cache
def pq_header(epoch: int, type_: PqType, *indices: int, of: int | None = None) -> PqHeader:
    """Return a part of an epoch with codewords in a row, from the text of this epoch or of another."""
    if type_ in BARE:
        return PqHeader(epoch, 1, 0, type_)
    text = texts(of or epoch)[type_]
    data = b"".join(codeword(text, index).data for index in indices)
    return PqHeader(epoch, 1, 0, type_, indices[0], data)


def whole(epoch: int, type_: PqType, of: int | None = None) -> PqHeader:
    return pq_header(epoch, type_, *range(share_of(of or epoch, type_)), of=of)


# --- the table --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One row: `types` is empty for "sending" and for "the next epoch"."""

    state: str
    sends: PqType
    on: str
    types: frozenset[PqType]
    is_last: bool
    after: str
    has_secret: bool


def documented() -> list[Row]:
    """Read the table in the docstring of _ratchet/braid.py."""
    lines = [line.strip() for line in (braid.__doc__ or "").splitlines()]
    start = next(index for index, line in enumerate(lines) if line.startswith("state "))
    assert re.split(r"\s{2,}", lines[start]) == ["state", "sends", "on", "becomes"]
    rows = []
    for line in lines[start + 2 : lines.index("", start)]:
        state, sends, on, becomes = re.split(r"\s{2,}", line)
        after, _, rest = becomes.partition(", ")
        assert rest in {"", "with a secret"}
        words = [word for word in on.split(", ") if not word.startswith("the last")]
        types = frozenset(TYPES[word] for word in words if word not in {"sending", "the next epoch"})
        rows.append(Row(state, TYPES[sends], on, types, ", the last" in on, after, bool(rest)))
    return rows


ROWS: Final = documented()


def row_for(state: str, type_: PqType, *, whole: bool) -> Row | None:
    """Return the row for a part of the same epoch that has one codeword, or all of its text."""
    rows = [row for row in ROWS if row.state == state and type_ in row.types]
    return next((row for row in rows if row.is_last == whole), next((r for r in rows if not r.is_last), None))


def becomes(state: str, type_: PqType, *, whole: bool) -> str:
    """Return the state after a part; two rows are gone through where one brings all of a text."""
    row = row_for(state, type_, whole=whole)
    if row is None:
        return state
    further = None if row.is_last or not whole else row_for(row.after, type_, whole=True)
    return further.after if further is not None and further.is_last else row.after


def is_of_use(state: str, type_: PqType) -> bool:
    """Return whether any row takes this type in a state."""
    return any(row.state == state and type_ in row.types for row in ROWS)


STATES: Final[dict[str, type[Braid]]] = {
    name: kind
    for name, kind in vars(braid_states).items()
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__") and "epoch" in kind.__annotations__
}
"""The eleven, by name."""
