"""The record of a triple ratchet: the double ratchet's half, the sparse chains, and the braid.

    triple    [double ratchet, sparse, braid]                                                (double.py)
    sparse    [RK, latest, sending, receiving, previous, is initiator]
    chain     [epoch, CK, n, CK of the next epoch / null]
    braid     [state, epoch, authenticator's root, its key, seed or m / null, sent / null, got / null]

States are numbered as in `STATES`. `got` are the indices of the codewords that arrived, two bytes each. A
field that a state does not have is null. The long texts are side data, in rows of their own.

Not here: the session around it (session.py).
"""

import struct
from dataclasses import fields as fields_of
from typing import Any, Final, NamedTuple

from letterlock._primitives.mlkem import KemSeed
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._ratchet.authenticator import Authenticator
from letterlock._ratchet.braid_states import (
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
from letterlock._ratchet.pq_keys import AuthenticatorKey, AuthenticatorRoot, SparseChainKey, SparseRootKey
from letterlock._ratchet.ratchet import Ratchet
from letterlock._ratchet.sparse import Sparse, SparseChain
from letterlock._ratchet.triple import Triple
from letterlock._records.double import decode_double, encode_double
from letterlock._wire import cbor
from letterlock._wire.typed import array, counter
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_CODEWORD_INDEX

STATES: Final[tuple[type[Braid], ...]] = (
    KeysUnsampled,
    KeysSampled,
    HeaderSent,
    Ct1Received,
    EkSentCt1Received,
    NoHeaderReceived,
    HeaderReceived,
    Ct1Sampled,
    EkReceivedCt1Sampled,
    Ct1Acknowledged,
    Ct2Sampled,
)
"""The states by their number in a record."""

_HAS_SECRET: Final = (Ct1Sampled, EkReceivedCt1Sampled, Ct1Acknowledged, Ct2Sampled)
_BEGINS: Final = (KeysUnsampled, NoHeaderReceived, HeaderReceived)


class _Held(NamedTuple):
    """What a state holds besides epoch and authenticator.

    `secret` is the name of its secret, or empty. `sent` and `got` say whether it has these fields.
    """

    secret: str
    sent: bool
    got: bool


def _held(state: type[Braid]) -> _Held:
    names = [field.name for field in fields_of(state)][2:]
    held = _Held(next((name for name in names if name in _SECRETS), ""), "sent" in names, "got" in names)
    if names != [name for name in (held.secret, "sent" * held.sent, "got" * held.got) if name]:
        raise AssertionError(f"{state.__name__} has fields that records do not")  # pragma: no cover
    return held


_SECRETS: Final[dict[str, type[KemSeed | EncapsulationRandomness]]] = {
    "seed": KemSeed,
    "m": EncapsulationRandomness,
}
_HOLDS: Final = {state: (number, _held(state)) for number, state in enumerate(STATES)}
_NULL: Final = type(None)
_TRIPLE: Final = (list, list, list)
_SPARSE: Final = (bytes, int, list, list, int, int)
_CHAINS: Final = ((int, bytes, int, _NULL), (int, bytes, int, bytes))
_BRAIDS: Final = tuple(
    (int, int, bytes, bytes, bytes if secret else _NULL, int if sent else _NULL, bytes if got else _NULL)
    for _, (secret, sent, got) in _HOLDS.values()
)
_INDEX_BYTES: Final = 2
_MOST_INDICES: Final = 36


def encode_triple(state: Ratchet) -> cbor.Value:
    """Return a triple ratchet as it stands in a record."""
    if not isinstance(state, Triple):  # pragma: no cover - the suite decides both
        raise AssertionError  # noqa: TRY004
    return [encode_double(state.double), encode_sparse(state.sparse), encode_braid(state.braid)]


def decode_triple(value: object) -> Triple:
    """Read what `encode_triple` returns. Raises MalformedMessage, ValueError for a key of another length."""
    turned, chains, braid = array(value, _TRIPLE)
    found = Triple(decode_double(turned), decode_sparse(chains), decode_braid(braid))
    check_epochs(found.sparse, found.braid)
    return found


def encode_sparse(state: Sparse) -> cbor.Value:
    """Return the sparse ratchet as it stands in a record."""
    return [
        state.root.expose(),
        state.latest,
        _chain(state.sending),
        _chain(state.receiving),
        state.previous,
        int(state.is_initiator),
    ]


def decode_sparse(value: object) -> Sparse:
    """Read what `encode_sparse` returns. Raises MalformedMessage, ValueError for a key of another length."""
    root, latest, sending, receiving, previous, initiator = array(value, _SPARSE)
    return Sparse(
        SparseRootKey(root),
        counter(latest),
        _read_chain(sending),
        _read_chain(receiving),
        counter(previous),
        counter(initiator, 1) == 1,
    )


def encode_braid(state: Braid) -> cbor.Value:
    """Return the braid's state as it stands in a record."""
    number, (secret, sent, got) = _HOLDS[type(state)]
    holds: Any = state
    return [
        number,
        state.epoch,
        state.authenticator.root.expose(),
        state.authenticator.key.expose(),
        getattr(holds, secret).expose() if secret else None,
        holds.sent if sent else None,
        struct.pack(f">{len(holds.got)}H", *holds.got) if got else None,
    ]


def decode_braid(value: object) -> Braid:
    """Read what `encode_braid` returns. Raises as `decode_sparse`."""
    number, epoch, root, key, secret, sent, got = array(value, *_BRAIDS)
    state = STATES[counter(number, len(STATES) - 1)]
    held: list[Any] = [counter(epoch), Authenticator(AuthenticatorRoot(root), AuthenticatorKey(key))]
    holds = _HOLDS[state][1]
    if [each is not None for each in (secret, sent, got)] != [*map(bool, holds)]:
        raise MalformedMessage("a braid does not hold what its state says")
    if secret is not None:
        held.append(_SECRETS[holds.secret](secret))
    if sent is not None:
        held.append(counter(sent, MAX_CODEWORD_INDEX))
    if got is not None:
        held.append(_read_got(got))
    made: Braid = state(*held)
    return made


def check_epochs(chains: Sparse, braid: Braid) -> None:
    """Raise MalformedMessage if the sparse chains are not in the epochs that the braid implies. [STO-8]

    The side that sends a ciphertext has its secret first. At the beginning of an epoch, the chain that we
    last sent in, and the chain that we last received in, may still belong to the epoch before.
    """
    latest = braid.epoch - (0 if isinstance(braid, _HAS_SECRET) else 1)
    begun = braid.epoch - 1
    sending = {begun, begun - 1} if isinstance(braid, _BEGINS) else {begun}
    receiving = {begun, begun - 1} if isinstance(braid, NoHeaderReceived) else {begun}
    fit = chains.latest == latest
    for chain, epochs in ((chains.sending, sending), (chains.receiving, receiving)):
        fit &= chain.epoch in epochs and latest - chain.epoch == (0 if chain.following is None else 1)
    if not fit:
        raise MalformedMessage("sparse chains of a session are in epochs that its braid is not in")


def _read_got(data: bytes) -> tuple[int, ...]:
    count, rest = divmod(len(data), _INDEX_BYTES)
    if rest or count > _MOST_INDICES:
        raise MalformedMessage("indices of a braid are cut short, or too many")
    got: tuple[int, ...] = struct.unpack(f">{count}H", data)
    if len({*got}) != count:
        raise MalformedMessage("indices of a braid repeat")
    return got


def _chain(chain: SparseChain) -> cbor.Value:
    following = None if chain.following is None else chain.following.expose()
    return [chain.epoch, chain.key.expose(), chain.number, following]


def _read_chain(value: object) -> SparseChain:
    epoch, key, number, following = array(value, *_CHAINS)
    after = None if following is None else SparseChainKey(following)
    return SparseChain(counter(epoch), SparseChainKey(key), counter(number), after)
