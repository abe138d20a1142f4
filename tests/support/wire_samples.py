"""What the wire tests are made of: a valid sample of every encoding, its parts, and ways to spoil it.

The samples are fixed: all keys come from SHAKE-256 over a label. The tests here hold the samples, and the
sizes that limits.py gives as reasons, to what they claim.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, TypeAlias

import cbor2
import pytest
from hypothesis import strategies as st

from letterlock._handshake.bundle_signature import BundleSigner
from letterlock._primitives.curve25519 import (
    LOW_ORDER,
    EphemeralKey,
    EphemeralKeyPair,
    IdentityKeyPair,
    OneTimePrekey,
    OneTimePrekeyPair,
    P,
    RatchetKey,
    RatchetKeyPair,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._primitives.xeddsa import SigningKey
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.bundle import BundleHead, PrekeyBundle
from letterlock._wire.flat_array import read_elements
from letterlock._wire.message import (
    HandshakeHeader,
    Header,
    InitialMessage,
    KemHeader,
    RatchetMessage,
    read_pq_header,
)
from letterlock._wire.pq_header import BARE, PQ_FIELDS, PqHeader, PqType
from letterlock._wire.prekey import PrekeyKind, PublicPrekey
from letterlock._wire.publication import PrekeyPair, Publication
from letterlock._wire.suite import Suite
from letterlock.errors import UsageError
from letterlock.limits import (
    CODEWORD_BYTES,
    MAX_CODEWORD_INDEX,
    MAX_CODEWORDS,
    MAX_COUNTER,
    MAX_DAY,
    MIN_PADDED,
)

Tree: TypeAlias = Any
"""A decoded encoding, to be edited and encoded again."""

TreePath: TypeAlias = tuple[int, ...]


def entropy(label: str) -> Entropy:
    return lambda length: hashlib.shake_256(label.encode()).digest(length)


IDENTITY: Final = IdentityKeyPair.generate(entropy("identity"))
STRANGER: Final = IdentityKeyPair.generate(entropy("stranger"))
ADDRESS: Final = Address("böb@example.org", 7)
MADE_ON: Final = 19_675


def signed_prekey(id_: int = 1) -> PublicPrekey[SignedPrekey]:
    key = SignedPrekeyPair.generate(entropy("signed")).public
    return PublicPrekey(PrekeyKind.SIGNED, id_, key)


def one_time_prekey(id_: int = 2) -> PublicPrekey[OneTimePrekey]:
    key = OneTimePrekeyPair.generate(entropy(f"one-time {id_}")).public
    return PublicPrekey(PrekeyKind.ONE_TIME, id_, key)


@cache
def kem_key(label: str = "kem") -> MlKem1024PublicKey:
    return MlKem1024KeyPair.generate(entropy(label)).public


def kem_prekey(id_: int = 3, kind: PrekeyKind = PrekeyKind.KEM_ONE_TIME) -> PublicPrekey[MlKem1024PublicKey]:
    return PublicPrekey(kind, id_, kem_key())


LAST_RESORT: Final = PrekeyKind.KEM_LAST_RESORT


def signer(head: BundleHead | None = None, identity: IdentityKeyPair = IDENTITY) -> BundleSigner:
    own = BundleHead(ADDRESS, identity.public, MADE_ON, signed_prekey())
    return BundleSigner(head or own, SigningKey.of(identity), entropy("z"))


@cache
def bundle() -> PrekeyBundle:
    return signer().bundle(one_time_prekey(), kem_prekey())


@cache
def publication(pairs: int = 2) -> Publication:
    prekeys = [(one_time_prekey(100 + n), kem_prekey(500 + n)) for n in range(pairs)]
    return signer().publication(kem_prekey(4, LAST_RESORT), prekeys)


HEADER: Final = Header(RatchetKeyPair.generate(entropy("ratchet")).public, 3, 2**16)
HANDSHAKE: Final = HandshakeHeader(
    Suite.PQXDH,
    IDENTITY.public,
    EphemeralKeyPair.generate(entropy("ephemeral")).public,
    1,
    2,
    KemHeader(3, entropy("ciphertext")(1568)),
)
X3DH: Final = HandshakeHeader(Suite.X3DH, HANDSHAKE.identity, HANDSHAKE.ephemeral, 1, 2, None)
SEALED: Final = entropy("sealed")(8 + MIN_PADDED + 16)
PART: Final = PqHeader(5, 300, 70_000, PqType.EK_CT1_ACK, 30, entropy("codewords")(2 * CODEWORD_BYTES))
BARE_PART: Final = PqHeader(1, 1, 0, PqType.NONE)


def ratchet_message(
    header: Header = HEADER, sealed: bytes = SEALED, pq_header: PqHeader | None = None
) -> bytes:
    """Return a ratchet message, or with a part a triple message."""
    return cbor.complete_array(header.encode_header(pq_header), sealed)


def pq_header_of(elements: list[object]) -> PqHeader:
    """Return what six elements of a triple message say, read from their encoding."""
    data = cbor.encode(elements)  # type: ignore[arg-type]
    return read_pq_header(read_elements(data, 1, PQ_FIELDS, "a triple message")[0])


def initial_message(header: HandshakeHeader = HANDSHAKE, inner: bytes | None = None) -> bytes:
    """Return an initial message; unless told otherwise it carries what its suite speaks."""
    if inner is None:
        inner = ratchet_message(pq_header=None if header.suite is Suite.X3DH else PART)
    return cbor.complete_array(header.encode_header(), inner)


@cache
def samples() -> dict[str, tuple[bytes, Callable[[bytes], object]]]:
    """An encoding of each shape, with its decoder."""
    bare = signer().bundle(None, kem_prekey(4, LAST_RESORT))
    classical = signer().bundle(one_time_prekey(), None)
    return {
        "bundle": (bundle().encode(), PrekeyBundle.decode),
        "last-resort bundle": (bare.encode(), PrekeyBundle.decode),
        "x3dh bundle": (classical.encode(), PrekeyBundle.decode),
        "publication": (publication().encode(), Publication.decode),
        "ratchet message": (ratchet_message(), RatchetMessage.decode),
        "triple message": (ratchet_message(pq_header=PART), RatchetMessage.decode),
        "bare triple message": (ratchet_message(pq_header=BARE_PART), RatchetMessage.decode),
        "initial message": (initial_message(), InitialMessage.decode),
        "x3dh initial message": (initial_message(X3DH), InitialMessage.decode),
    }


SAMPLES: Final = pytest.mark.parametrize(("data", "decode"), samples().values(), ids=samples().keys())


def encode_again(value: object) -> bytes:
    """Return the encoding of anything that a decoder gave, from its fields alone."""
    if isinstance(value, RatchetMessage):
        return cbor.complete_array(value.header.encode_header(value.pq_header), value.sealed)
    if isinstance(value, InitialMessage):
        return cbor.complete_array(value.header.encode_header(), encode_again(value.message))
    assert isinstance(value, PrekeyBundle | Publication)
    return value.encode()


# --- spoiling -------------------------------------------------------------------------------------


def head(major: int, argument: int, width: int | None = None) -> bytes:
    """A CBOR head (RFC 8949 section 3); the shortest unless `width` (0 to 8 bytes) is given."""
    if width is None:
        width = next(
            w for w, bound in ((0, 24), (1, 2**8), (2, 2**16), (4, 2**32), (8, 2**64)) if argument < bound
        )
    if width == 0:
        return bytes([major << 5 | argument])
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + argument.to_bytes(width, "big")


def paths(tree: Tree, at: TreePath = ()) -> Iterator[TreePath]:
    """Every node below the root."""
    if isinstance(tree, list):
        for index, each in enumerate(tree):
            yield (*at, index)
            yield from paths(each, (*at, index))


def edited(tree: Tree, at: TreePath, value: object) -> Tree:
    """A copy of the tree with one node replaced."""
    if not at:
        return value
    copy = list(tree)
    copy[at[0]] = edited(tree[at[0]], at[1:], value)
    return copy


def spoiled(data: bytes, at: TreePath, value: object) -> bytes:
    """An encoding with one node replaced."""
    return cbor2.dumps(edited(cbor2.loads(data), at, value))


# --- strategies -----------------------------------------------------------------------------------


def is_a_name(text: str) -> bool:
    try:
        Address(text)
    except UsageError:
        return False
    return True


IDS: Final = st.integers(0, 2**32 - 1)
POINTS: Final = (
    st.integers(2, P - 2).map(lambda u: u.to_bytes(32, "little")).filter(lambda data: data not in LOW_ORDER)
)
SIGNATURES: Final = st.binary(min_size=64, max_size=64)
KEM_KEYS: Final = st.sampled_from(["kem", "kem 1", "kem 2"]).map(kem_key)
NAMES: Final = (
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)
    .map(lambda name: unicodedata.normalize("NFC", name))
    .filter(is_a_name)
)
ADDRESSES: Final = st.builds(Address, NAMES, st.integers(1, 2**32 - 1))
IDENTITIES: Final = st.sampled_from([IDENTITY.public, STRANGER.public])
DAYS: Final = st.integers(0, MAX_DAY)
SIGNED: Final = st.builds(PublicPrekey, st.just(PrekeyKind.SIGNED), IDS, POINTS.map(SignedPrekey))
ONE_TIME: Final = st.builds(PublicPrekey, st.just(PrekeyKind.ONE_TIME), IDS, POINTS.map(OneTimePrekey))
KEM: Final = st.builds(PublicPrekey, st.just(PrekeyKind.KEM_ONE_TIME), IDS, KEM_KEYS)
LAST: Final = st.builds(PublicPrekey, st.just(LAST_RESORT), IDS, KEM_KEYS)
BUNDLES: Final = st.builds(
    PrekeyBundle,
    ADDRESSES,
    IDENTITIES,
    DAYS,
    SIGNED,
    st.none() | ONE_TIME,
    st.none() | KEM | LAST,
    SIGNATURES,
)
PAIRS: Final = st.builds(PrekeyPair, ONE_TIME, KEM, SIGNATURES)
HEADERS: Final = st.builds(Header, POINTS.map(RatchetKey), IDS, IDS)
COUNTERS: Final = st.integers(1, MAX_COUNTER)
BARE_PARTS: Final = st.builds(PqHeader, COUNTERS, COUNTERS, IDS, st.sampled_from(sorted(BARE)))
FULL_PARTS: Final = st.builds(
    PqHeader,
    COUNTERS,
    COUNTERS,
    IDS,
    st.sampled_from(sorted(set(PqType) - BARE)),
    st.integers(0, MAX_CODEWORD_INDEX - MAX_CODEWORDS + 1),
    st.integers(1, MAX_CODEWORDS).map(lambda n: bytes([n]) * CODEWORD_BYTES * n),
)
PARTS: Final = BARE_PARTS | FULL_PARTS
SEALED_TEXTS: Final = st.binary(min_size=8 + MIN_PADDED + 16, max_size=300)
KEM_PARTS: Final = st.builds(
    KemHeader, IDS, st.integers(0, 255).map(lambda n: bytes([n]) * MlKem1024PublicKey.CIPHERTEXT_BYTES)
)
EPHEMERAL: Final = POINTS.map(EphemeralKey)
HANDSHAKES: Final = st.builds(
    HandshakeHeader, st.just(Suite.PQXDH), IDENTITIES, EPHEMERAL, IDS, st.none() | IDS, KEM_PARTS
) | st.builds(HandshakeHeader, st.just(Suite.X3DH), IDENTITIES, EPHEMERAL, IDS, st.none() | IDS, st.none())


# --- the samples are what they claim --------------------------------------------------------------
