"""One of everything of the post-quantum ratchet that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Final

from letterlock._primitives.curve25519 import PrivateKey, RatchetKeyPair
from letterlock._primitives.mlkem import KemSeed
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._ratchet.authenticator import Authenticator
from letterlock._ratchet.braid import BraidReceived, BraidSent
from letterlock._ratchet.braid_states import (
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
from letterlock._ratchet.double import Received, Waiting
from letterlock._ratchet.keys import MessageKey, PassedKeys, RootKey
from letterlock._ratchet.pq_keys import (
    AuthenticatorKey,
    AuthenticatorRoot,
    EpochSecret,
    HybridKey,
    SparseChainKey,
    SparseMessageKey,
    SparseRootKey,
)
from letterlock._ratchet.sparse import Sparse, SparseChain, SparseGap, SparseReceived
from letterlock._ratchet.triple import Triple, TripleReceived
from letterlock._wire.pq_header import PqHeader, PqType

MATERIAL: Final = bytes(range(0xA0, 0xE0))
"""64 bytes that occur nowhere by chance. Everything secret, in both tables, is made of their beginning."""
KEY: Final = MATERIAL[:32]

PQ_SECRETS: Final = [
    "AuthenticatorKey", "AuthenticatorRoot", "EpochSecret", "HybridKey", "PqSharedSecret", "SparseChainKey",
    "SparseMessageKey", "SparseRootKey",
]  # fmt: skip

authenticator: Final = Authenticator(AuthenticatorRoot(KEY), AuthenticatorKey(KEY))
seed, m, epoch_secret = KemSeed(MATERIAL), EncapsulationRandomness(KEY), EpochSecret(KEY)
chain: Final = SparseChain(1, SparseChainKey(KEY), 2, SparseChainKey(KEY))
sparse: Final = Sparse(SparseRootKey(KEY), 1, chain, chain, 3, True)
gap: Final = SparseGap(1, 3, PassedKeys(MATERIAL))
received: Final = SparseReceived(sparse, SparseMessageKey(KEY), gap, chain, 5)
unsampled: Final = KeysUnsampled(1, authenticator)
rk: Final = RatchetKeyPair.from_private(PrivateKey(KEY))
triple: Final = Triple(Waiting(RootKey(KEY), rk), sparse, unsampled)
pq_header: Final = PqHeader(1, 2, 3, PqType.HDR, 4, bytes(2))
in_double: Final = Received(triple.double, MessageKey(KEY))
TEXT: Final = b"\x77" * 64
"""A long text, which is not printed."""

# What each prints; `pq_words` has what stands for the parts.
PQ_TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "Authenticator": (lambda: authenticator, "{AUTH}"),
    "KeysUnsampled": (lambda: unsampled, "{UNSAMPLED}"),
    "KeysSampled": (
        lambda: KeysSampled(1, authenticator, seed, TEXT, 2), "KeysSampled({BRAID}, {SEED}, sent=2)"
    ),
    "HeaderSent": (
        lambda: HeaderSent(1, authenticator, seed, TEXT, 2, TEXT), "HeaderSent({BRAID}, {SEED}, sent=2)"
    ),
    "Ct1Received": (
        lambda: Ct1Received(1, authenticator, seed, TEXT, 2, TEXT), "Ct1Received({BRAID}, {SEED}, sent=2)"
    ),
    "EkSentCt1Received": (
        lambda: EkSentCt1Received(1, authenticator, seed, TEXT, TEXT), "EkSentCt1Received({BRAID}, {SEED})"
    ),
    "NoHeaderReceived": (lambda: NoHeaderReceived(1, authenticator, TEXT), "NoHeaderReceived({BRAID})"),
    "HeaderReceived": (lambda: HeaderReceived(1, authenticator, TEXT), "HeaderReceived({BRAID})"),
    "Ct1Sampled": (
        lambda: Ct1Sampled(1, authenticator, m, TEXT, 2, TEXT, TEXT), "Ct1Sampled({BRAID}, {M}, sent=2)"
    ),
    "EkReceivedCt1Sampled": (
        lambda: EkReceivedCt1Sampled(1, authenticator, TEXT, 2, TEXT), "EkReceivedCt1Sampled({BRAID}, sent=2)"
    ),
    "Ct1Acknowledged": (
        lambda: Ct1Acknowledged(1, authenticator, m, TEXT, TEXT), "Ct1Acknowledged({BRAID}, {M})"
    ),
    "Ct2Sampled": (lambda: Ct2Sampled(1, authenticator, TEXT, 2), "Ct2Sampled({BRAID}, sent=2)"),
    "BraidSent": (
        lambda: BraidSent(unsampled, 1, PqType.CT1, 2, b"", epoch_secret),
        (
            "BraidSent(state={UNSAMPLED}, epoch=1, type=<PqType.CT1: 5>, first=2, codewords=b'', "
            "secret=<EpochSecret: hidden>)"
        ),
    ),
    "BraidReceived": (
        lambda: BraidReceived(unsampled, 1, epoch_secret),
        "BraidReceived(state={UNSAMPLED}, epoch=1, secret=<EpochSecret: hidden>)",
    ),
    "SparseChain": (lambda: chain, "{SPARSE_CHAIN}"),
    "Sparse": (lambda: sparse, "{SPARSE}"),
    "SparseGap": (lambda: gap, "{SPARSE_GAP}"),
    "SparseReceived": (lambda: received, "{SPARSE_RECEIVED}"),
    "Triple": (lambda: triple, "{TRIPLE}"),
    "TripleReceived": (
        lambda: TripleReceived(HybridKey(KEY), triple, in_double, received, pq_header, b"ad"),
        (
            "TripleReceived(key=<HybridKey: hidden>, before={TRIPLE}, double=Received(state={WAITING}, "
            "key=<MessageKey: hidden>, gap=None, tail=None, tail_end=0), sparse={SPARSE_RECEIVED}, "
            "pq_header=PqHeader(epoch=1, number=2, previous=3, type=<PqType.HDR: 1>, first=4, "
            "codewords=b'\\x00\\x00'), associated_data=b'ad')"
        ),
    ),
}  # fmt: skip


def pq_words(pair: str) -> dict[str, str]:
    """What stands for parts in the table; `pair` is what the ratchet key pair prints."""
    found = {"AUTH": "Authenticator(root=<AuthenticatorRoot: hidden>, key=<AuthenticatorKey: hidden>)"}
    found |= {"SEED": "seed=<KemSeed: hidden>", "M": "m=<EncapsulationRandomness: hidden>"}
    found["BRAID"] = f"epoch=1, authenticator={found['AUTH']}"
    found["UNSAMPLED"] = f"KeysUnsampled({found['BRAID']})"
    key = "<SparseChainKey: hidden>"
    found["SPARSE_CHAIN"] = one = f"SparseChain(epoch=1, key={key}, number=2, following={key})"
    tail = f"latest=1, sending={one}, receiving={one}, previous=3, is_initiator=True"
    found["SPARSE"] = f"Sparse(root=<SparseRootKey: hidden>, {tail})"
    found["SPARSE_GAP"] = "SparseGap(epoch=1, start=3, passed=<PassedKeys: hidden>)"
    tail = f"key=<SparseMessageKey: hidden>, gap={found['SPARSE_GAP']}, tail={one}, tail_end=5"
    found["SPARSE_RECEIVED"] = f"SparseReceived(state={found['SPARSE']}, {tail})"
    waiting = f"Waiting(root=<RootKey: hidden>, ours={pair})"
    found["WAITING"] = waiting
    found["TRIPLE"] = f"Triple(double={waiting}, sparse={found['SPARSE']}, braid={found['UNSAMPLED']})"
    return found
