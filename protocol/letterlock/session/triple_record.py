"""The post-quantum half of a session's record: the sparse chains and the braid.

    sparse    [RK, latest, sending, receiving, previous, is initiator]
    chain     [epoch, CK, n, CK of the next epoch / null]
    braid     [state, epoch, authenticator's root, its key, seed or m / null, sent / null, got / null]

States are numbered as in `STATES`; `got` are the indices that came, two bytes each. What a state does not
hold is null. The long texts are not here: they are rows of their own, and change seldom.

Not here: the double ratchet's half, and the session around both (record.py).
"""

import struct
from dataclasses import fields as fields_of
from typing import Any, Final

from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER
from letterlock.primitives.mlkem import SEED_BYTES, KemSeed
from letterlock.primitives.mlkem_split import EncapsulationRandomness
from letterlock.primitives.secret import KEY_BYTES
from letterlock.ratchet.braid_states import (
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
from letterlock.ratchet.erasure import MAX_INDEX
from letterlock.ratchet.pq_keys import (
    Authenticator,
    AuthenticatorKey,
    AuthenticatorRoot,
    SparseChainKey,
    SparseRootKey,
)
from letterlock.ratchet.sparse import Sparse, SparseChain
from letterlock.wire import cbor
from letterlock.wire.fields import Fields

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
_HOLDS: Final = {state: frozenset(field.name for field in fields_of(state)) for state in STATES}
_INDEX_BYTES: Final = 2
_MOST_INDICES: Final = 36


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
    """Read what `encode_sparse` gives. Raises MalformedMessage."""
    fields = Fields(value, 6, "sparse ratchet")
    return Sparse(
        SparseRootKey(fields.blob("root", KEY_BYTES)),
        fields.uint("latest epoch", MAX_COUNTER),
        _read_chain(fields.any()),
        _read_chain(fields.any()),
        fields.uint("previous", MAX_COUNTER),
        fields.uint("is initiator", 1) == 1,
    )


def encode_braid(state: Braid) -> cbor.Value:
    """Return the braid's state as it stands in a record."""
    holds: Any = state
    secret = getattr(holds, "seed", None) or getattr(holds, "m", None)
    got = getattr(holds, "got", None)
    return [
        STATES.index(type(state)),
        state.epoch,
        state.authenticator.root.expose(),
        state.authenticator.key.expose(),
        None if secret is None else secret.expose(),
        getattr(holds, "sent", None),
        None if got is None else struct.pack(f">{len(got)}H", *got),
    ]


def decode_braid(value: object) -> Braid:
    """Read what `encode_braid` gives. Raises MalformedMessage."""
    fields = Fields(value, 7, "braid")
    state = STATES[fields.uint("state", len(STATES) - 1)]
    epoch = fields.uint("epoch", MAX_COUNTER)
    root = AuthenticatorRoot(fields.blob("authenticator", KEY_BYTES))
    held: dict[str, Any] = {
        "epoch": epoch,
        "authenticator": Authenticator(root, AuthenticatorKey(fields.blob("authenticator", KEY_BYTES))),
    }
    held |= _read_secret(fields, _HOLDS[state])
    held |= _read_sent(fields, _HOLDS[state])
    held |= _read_got(fields, _HOLDS[state])
    made: Braid = state(**held)
    return made


def check_epochs(chains: Sparse, braid: Braid) -> None:
    """Raise MalformedMessage if sparse chains are not where a braid's state has them.

    The side that sends a ciphertext has its secret first. At the beginning of an epoch, our chain of the one
    before may still be the last we sent in, and the peer's the last we heard. [STO-8]
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


def _read_secret(fields: Fields, holds: frozenset[str]) -> dict[str, KemSeed | EncapsulationRandomness]:
    if "seed" in holds:
        return {"seed": KemSeed(fields.blob("seed", SEED_BYTES))}
    if "m" in holds:
        return {"m": EncapsulationRandomness(fields.blob("m", KEY_BYTES))}
    fields.null("seed or m")
    return {}


def _read_sent(fields: Fields, holds: frozenset[str]) -> dict[str, int]:
    if "sent" in holds:
        return {"sent": fields.uint("sent", MAX_INDEX)}
    fields.null("sent")
    return {}


def _read_got(fields: Fields, holds: frozenset[str]) -> dict[str, tuple[int, ...]]:
    if "got" not in holds:
        fields.null("got")
        return {}
    data = fields.blob_between("got", 0, _MOST_INDICES * _INDEX_BYTES)
    count, rest = divmod(len(data), _INDEX_BYTES)
    got = () if rest else struct.unpack(f">{count}H", data)
    if rest or len({*got}) != count:
        raise MalformedMessage("indices of a braid are cut short, or repeat")
    return {"got": got}


def _chain(chain: SparseChain) -> cbor.Value:
    following = None if chain.following is None else chain.following.expose()
    return [chain.epoch, chain.key.expose(), chain.number, following]


def _read_chain(value: object) -> SparseChain:
    fields = Fields(value, 4, "sparse chain")
    epoch, key = fields.uint("epoch", MAX_COUNTER), SparseChainKey(fields.blob("ck", KEY_BYTES))
    number, following = fields.uint("n", MAX_COUNTER), fields.optional_blob("next ck", KEY_BYTES)
    return SparseChain(epoch, key, number, None if following is None else SparseChainKey(following))
