"""The post-quantum part of a session's record: the sparse chains, and the braid with its texts.

    RK, latest epoch, epochs of sending and receiving, n of sending and receiving, pn, state of the braid,
    CK of sending and receiving, following CK of sending and receiving,
    epoch of the braid, root and key of its authenticator, seed or m, sent,
    lengths of outgoing, incoming and kept; outgoing, incoming, kept

States are numbered as in `LAYOUTS`. A field that a state does not have is zero or empty. A chain has a
following CK while its epoch is not the latest.

Not here: the head before this part, and the handshake after it (session.py).
"""

import struct
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, cast

from letterlock._primitives.mlkem import SEED_BYTES, KemSeed
from letterlock._primitives.mlkem_split import (
    FIRST_BYTES,
    HEADER_BYTES,
    VECTOR_BYTES,
    EncapsulationRandomness,
)
from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet.authenticator import Authenticator
from letterlock._ratchet.braid import indices_in
from letterlock._ratchet.braid_states import (
    CT2_TEXT,
    ENTRY_BYTES,
    HEADER_TEXT,
    Braid,
    Ct1Acknowledged,
    Ct1Received,
    Ct1Sampled,
    Ct2Sampled,
    EkReceivedCt1Sampled,
    EkSentCt1Received,
    HeaderReceived,
    HeaderSent,
    KeysSampled,
    KeysUnsampled,
    NoHeaderReceived,
)
from letterlock._ratchet.double import Talking
from letterlock._ratchet.pq_keys import AuthenticatorKey, AuthenticatorRoot, SparseChainKey, SparseRootKey
from letterlock._ratchet.sparse import Sparse, SparseChain
from letterlock._ratchet.triple import Triple
from letterlock.errors import MalformedMessage
from letterlock.limits import CODEWORD_BYTES, MAX_COUNTER

_PART: Final = struct.Struct(">32sQQQIIII32s32s32s32sQ32s32s64sHHHH")


class Layout(NamedTuple):
    """What a state of the braid holds besides epoch and authenticator; 0 or None stands for nothing.

    `outgoing` and `kept` are the lengths of these texts. `incoming` is the length of the text that arrives.
    """

    state: type[Braid]
    secret: type[KemSeed | EncapsulationRandomness] | None = None
    outgoing: int = 0
    incoming: int = 0
    kept: int = 0

    def make(self, epoch: int, authenticator: Authenticator, held: Iterable[Any]) -> Braid:
        """Return the state from what it holds, in the order of its fields."""
        return cast("Callable[..., Braid]", self.state)(epoch, authenticator, *held)


LAYOUTS: Final[tuple[Layout, ...]] = (
    Layout(KeysUnsampled),
    Layout(KeysSampled, KemSeed, outgoing=HEADER_TEXT),
    Layout(HeaderSent, KemSeed, outgoing=VECTOR_BYTES, incoming=FIRST_BYTES),
    Layout(Ct1Received, KemSeed, outgoing=VECTOR_BYTES, kept=FIRST_BYTES),
    Layout(EkSentCt1Received, KemSeed, incoming=CT2_TEXT, kept=FIRST_BYTES),
    Layout(NoHeaderReceived, incoming=HEADER_TEXT),
    Layout(HeaderReceived, kept=HEADER_BYTES),
    Layout(Ct1Sampled, EncapsulationRandomness, FIRST_BYTES, VECTOR_BYTES, HEADER_BYTES),
    Layout(EkReceivedCt1Sampled, outgoing=FIRST_BYTES, kept=CT2_TEXT),
    Layout(Ct1Acknowledged, EncapsulationRandomness, incoming=VECTOR_BYTES, kept=HEADER_BYTES),
    Layout(Ct2Sampled, outgoing=CT2_TEXT),
)
"""The states by their number in a record, each with what it holds."""
STATES: Final[tuple[type[Braid], ...]] = tuple(layout.state for layout in LAYOUTS)

_NUMBERS: Final[dict[object, int]] = {state: number for number, state in enumerate(STATES)}
_WITH_SECRET: Final = frozenset({7, 8, 9, 10})
"""The states of the side that has the secret of the epoch already."""
_BEGINS: Final = frozenset({0, 5, 6})
_BEGINS_RECEIVING: Final = 5
_ZEROS: Final = bytes(KEY_BYTES)
_NO_SECRET: Final = bytes(SEED_BYTES)


def encode_triple(state: Triple) -> bytes:
    """Return the part that follows the head in a record."""
    sparse, braid = state.sparse, state.braid
    sending, receiving = sparse.sending, sparse.receiving
    number = _NUMBERS[type(braid)]
    _, _, has_outgoing, has_incoming, has_kept = LAYOUTS[number]
    holds: Any = braid
    outgoing = holds.outgoing if has_outgoing else b""
    incoming = holds.incoming if has_incoming else b""
    kept = holds.kept if has_kept else b""
    part = _PART.pack(
        sparse.root.expose(), sparse.latest, sending.epoch, receiving.epoch,
        sending.number, receiving.number, sparse.previous, number,
        sending.key.expose(), receiving.key.expose(),
        b"" if sending.following is None else sending.following.expose(),
        b"" if receiving.following is None else receiving.following.expose(),
        braid.epoch, braid.authenticator.root.expose(), braid.authenticator.key.expose(),
        _secret_of(braid),
        holds.sent if has_outgoing else 0, len(outgoing), len(incoming), len(kept),
    )  # fmt: skip
    return b"".join((part, outgoing, incoming, kept))


def _secret_of(braid: Braid) -> bytes:
    """Return seed, m or nothing; the record pads it with zeros."""
    match braid:
        case KeysSampled() | HeaderSent() | Ct1Received() | EkSentCt1Received():
            return braid.seed.expose()
        case Ct1Sampled() | Ct1Acknowledged():
            return braid.m.expose()
        case _:
            return b""


def read_triple(data: bytes, at: int, double: Talking, *, is_initiator: bool) -> tuple[Triple, int]:
    """Read what `encode_triple` returned, from an offset on; return its end too.

    Raises MalformedMessage, or struct.error for data that is cut short.
    """
    (
        root, latest, sending_epoch, receiving_epoch, sent_number, received_number, previous, number,
        sending, receiving, sending_next, receiving_next,
        epoch, authenticator_root, authenticator_key, secret, *lengths,
    ) = _PART.unpack_from(data, at)  # fmt: skip
    layout = _layout_of(number)
    _check_epochs(number, epoch, latest, (sending_epoch, receiving_epoch))
    sparse = Sparse(
        SparseRootKey(root),
        latest,
        _read_chain(latest, sending_epoch, sending, sent_number, sending_next),
        _read_chain(latest, receiving_epoch, receiving, received_number, receiving_next),
        previous,
        is_initiator,
    )
    authenticator = Authenticator(AuthenticatorRoot(authenticator_root), AuthenticatorKey(authenticator_key))
    held, end = _read_held(data, at + _PART.size, layout, secret, lengths)
    return Triple(double, sparse, layout.make(epoch, authenticator, held)), end


def _layout_of(number: int) -> Layout:
    if number >= len(LAYOUTS):
        raise MalformedMessage("braid of a session is in no known state")
    return LAYOUTS[number]


def _read_chain(latest: int, epoch: int, key: bytes, number: int, following: bytes) -> SparseChain:
    if epoch != latest:
        return SparseChain(epoch, SparseChainKey(key), number, SparseChainKey(following))
    if following != _ZEROS:
        raise MalformedMessage("chain of the latest epoch has a key of the next one")
    return SparseChain(epoch, SparseChainKey(key), number)


def _check_epochs(number: int, epoch: int, latest: int, chains: tuple[int, int]) -> None:
    """Raise MalformedMessage if the sparse chains are not in the epochs that the braid implies. [STO-8]

    The side that sends a ciphertext has its secret first. At the beginning of an epoch, the chain that we
    last sent in, and the chain that we last received in, may still belong to the epoch before.
    """
    begun = epoch - 1
    fits = epoch <= MAX_COUNTER and latest == (epoch if number in _WITH_SECRET else begun)
    for chain, lags in zip(chains, (number in _BEGINS, number == _BEGINS_RECEIVING), strict=True):
        fits &= chain == begun or (lags and chain == begun - 1)
    if not fits:
        raise MalformedMessage("sparse chains of a session are in epochs that its braid is not in")


def _read_held(
    data: bytes, at: int, layout: Layout, secret: bytes, lengths: list[int]
) -> tuple[list[Any], int]:
    """Return what a state of the braid holds besides epoch and authenticator, and where it ends."""
    sent, outgoing, incoming, kept = lengths
    after_outgoing, after_incoming = at + outgoing, at + outgoing + incoming
    end = after_incoming + kept
    held: list[Any] = []
    fits = outgoing == layout.outgoing and kept == layout.kept and end <= len(data)
    if layout.secret is None:
        fits &= secret == _NO_SECRET
    else:
        held.append(layout.secret(secret[: layout.secret.LENGTH]))
        fits &= secret[layout.secret.LENGTH :] == _NO_SECRET[layout.secret.LENGTH :]
    if layout.outgoing:
        held += data[at:after_outgoing], sent
    else:
        fits &= sent == 0
    if layout.incoming:
        held.append(data[after_outgoing:after_incoming])
    fits &= _is_incoming(data[after_outgoing:after_incoming], layout.incoming)
    if layout.kept:
        held.append(data[after_incoming:end])
    if not fits:
        raise MalformedMessage("a braid does not hold what its state says")
    return held, end


def _is_incoming(incoming: bytes, length: int) -> bool:
    """Return whether these may be the codewords collected of a text of `length` bytes, still incomplete."""
    count, rest = divmod(len(incoming), ENTRY_BYTES)
    fits = rest == 0 and (count == 0 or count < length // CODEWORD_BYTES)
    return fits and len({*indices_in(incoming)}) == count
