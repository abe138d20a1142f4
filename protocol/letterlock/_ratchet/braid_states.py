"""The eleven states of the ML-KEM Braid, and what each keeps in side data.

    the side that sends a KEM key       KeysUnsampled, KeysSampled, HeaderSent, Ct1Received, EkSentCt1Received
    the side that sends a ciphertext    NoHeaderReceived, HeaderReceived, Ct1Sampled, EkReceivedCt1Sampled,
                                        Ct1Acknowledged, Ct2Sampled

A state holds what is small and changes with every message: epoch, authenticator, the 64-byte seed or the
32-byte m, how many codewords were sent (`sent`), the indices of those that were collected (`got`). The long
texts are side data:

    OUTGOING    the text whose codewords we send
    INCOMING    the codewords that arrived, one entry for each message that brought a new one
    KEPT        what is needed later: ct1, the header, or ct2 with its MAC

Not here: the transitions (braid.py); slots (side_data.py).
"""

from dataclasses import dataclass
from typing import TypeAlias

from letterlock._primitives.fast_init import fast_init
from letterlock._primitives.mlkem import KemSeed
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet.authenticator import Authenticator


@fast_init
@dataclass(frozen=True, slots=True)
class KeysUnsampled(Uncopyable):
    """It is our turn to send a KEM key, and we have not made it."""

    epoch: int
    authenticator: Authenticator


@fast_init
@dataclass(frozen=True, slots=True)
class KeysSampled(Uncopyable):
    """We send the header. OUTGOING: header || MAC, 96 bytes."""

    epoch: int
    authenticator: Authenticator
    seed: KemSeed
    sent: int


@fast_init
@dataclass(frozen=True, slots=True)
class HeaderSent(Uncopyable):
    """The peer has our header, since ct1 is arriving. OUTGOING: the vector. INCOMING: codewords of ct1."""

    epoch: int
    authenticator: Authenticator
    seed: KemSeed
    sent: int
    got: tuple[int, ...]


@fast_init
@dataclass(frozen=True, slots=True)
class Ct1Received(Uncopyable):
    """We have ct1, and still send the vector. OUTGOING: the vector. KEPT: ct1."""

    epoch: int
    authenticator: Authenticator
    seed: KemSeed
    sent: int


@fast_init
@dataclass(frozen=True, slots=True)
class EkSentCt1Received(Uncopyable):
    """The peer has our vector, since ct2 is arriving. INCOMING: codewords of ct2 || MAC. KEPT: ct1."""

    epoch: int
    authenticator: Authenticator
    seed: KemSeed
    got: tuple[int, ...]


@fast_init
@dataclass(frozen=True, slots=True)
class NoHeaderReceived(Uncopyable):
    """We wait for the peer's header. INCOMING: codewords of header || MAC."""

    epoch: int
    authenticator: Authenticator
    got: tuple[int, ...] = ()


@fast_init
@dataclass(frozen=True, slots=True)
class HeaderReceived(Uncopyable):
    """We have the header, and have not encapsulated. KEPT: the header, 64 bytes."""

    epoch: int
    authenticator: Authenticator


@fast_init
@dataclass(frozen=True, slots=True)
class Ct1Sampled(Uncopyable):
    """We send ct1. OUTGOING: ct1. INCOMING: codewords of the vector. KEPT: the header."""

    epoch: int
    authenticator: Authenticator
    m: EncapsulationRandomness
    sent: int
    got: tuple[int, ...] = ()


@fast_init
@dataclass(frozen=True, slots=True)
class EkReceivedCt1Sampled(Uncopyable):
    """We have the vector, and still send ct1. OUTGOING: ct1. KEPT: ct2 || MAC."""

    epoch: int
    authenticator: Authenticator
    sent: int


@fast_init
@dataclass(frozen=True, slots=True)
class Ct1Acknowledged(Uncopyable):
    """The peer has our ct1, and we lack its vector. INCOMING: codewords of the vector. KEPT: the header."""

    epoch: int
    authenticator: Authenticator
    m: EncapsulationRandomness
    got: tuple[int, ...]


@fast_init
@dataclass(frozen=True, slots=True)
class Ct2Sampled(Uncopyable):
    """We send ct2. OUTGOING: ct2 || MAC, 160 bytes."""

    epoch: int
    authenticator: Authenticator
    sent: int


Braid: TypeAlias = (
    KeysUnsampled
    | KeysSampled
    | HeaderSent
    | Ct1Received
    | EkSentCt1Received
    | NoHeaderReceived
    | HeaderReceived
    | Ct1Sampled
    | EkReceivedCt1Sampled
    | Ct1Acknowledged
    | Ct2Sampled
)
