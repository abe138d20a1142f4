"""The eleven states of the ML-KEM Braid, and what each holds.

    the side that sends a KEM key       KeysUnsampled, KeysSampled, HeaderSent, Ct1Received, EkSentCt1Received
    the side that sends a ciphertext    NoHeaderReceived, HeaderReceived, Ct1Sampled, EkReceivedCt1Sampled,
                                        Ct1Acknowledged, Ct2Sampled

Every state holds the epoch that is being agreed on and the authenticator. The other fields:

    seed, m     64 or 32 bytes: what makes our KEM key, or our ciphertext
    outgoing    the text whose codewords we send
    sent        the index of the next codeword of `outgoing`
    incoming    the codewords that arrived: index (two bytes) and codeword (32 bytes), in order of arrival
    kept        a text that is needed later

Not here: the transitions (braid.py).
"""

from dataclasses import field
from typing import Final, TypeAlias

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.mlkem import KemSeed
from letterlock._primitives.mlkem_split import HEADER_BYTES, SECOND_BYTES, EncapsulationRandomness
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet.authenticator import Authenticator
from letterlock.limits import CODEWORD_BYTES

HEADER_TEXT: Final = HEADER_BYTES + KEY_BYTES
"""Bytes of a header with its MAC."""
CT2_TEXT: Final = SECOND_BYTES + KEY_BYTES
"""Bytes of ct2 with its MAC."""
INDEX_BYTES: Final = 2
ENTRY_BYTES: Final = INDEX_BYTES + CODEWORD_BYTES
"""Bytes of an index and its codeword in `incoming`."""


@dataclass(frozen=True, slots=True)
class KeysUnsampled(Uncopyable):
    """It is our turn to send a KEM key, and we have not made it."""

    epoch: int
    authenticator: Authenticator


@dataclass(frozen=True, slots=True)
class KeysSampled(Uncopyable):
    """We send the header. `outgoing`: header || MAC, 96 bytes."""

    epoch: int
    authenticator: Authenticator
    seed: KemSeed
    outgoing: bytes = field(repr=False)
    sent: int

    def after_sending(self, sent: int) -> "KeysSampled":
        """Return the state whose next codeword is `sent`."""
        return KeysSampled(self.epoch, self.authenticator, self.seed, self.outgoing, sent)


@dataclass(frozen=True, slots=True)
class HeaderSent(Uncopyable):
    """The peer has our header, since ct1 is arriving. `outgoing`: the vector. `incoming`: of ct1."""

    epoch: int
    authenticator: Authenticator
    seed: KemSeed
    outgoing: bytes = field(repr=False)
    sent: int
    incoming: bytes = field(repr=False)

    def after_sending(self, sent: int) -> "HeaderSent":
        """Return the state whose next codeword is `sent`."""
        return HeaderSent(self.epoch, self.authenticator, self.seed, self.outgoing, sent, self.incoming)


@dataclass(frozen=True, slots=True)
class Ct1Received(Uncopyable):
    """We have ct1, and still send the vector. `outgoing`: the vector. `kept`: ct1."""

    epoch: int
    authenticator: Authenticator
    seed: KemSeed
    outgoing: bytes = field(repr=False)
    sent: int
    kept: bytes = field(repr=False)

    def after_sending(self, sent: int) -> "Ct1Received":
        """Return the state whose next codeword is `sent`."""
        return Ct1Received(self.epoch, self.authenticator, self.seed, self.outgoing, sent, self.kept)


@dataclass(frozen=True, slots=True)
class EkSentCt1Received(Uncopyable):
    """The peer has our vector, since ct2 is arriving. `incoming`: of ct2 || MAC. `kept`: ct1."""

    epoch: int
    authenticator: Authenticator
    seed: KemSeed
    incoming: bytes = field(repr=False)
    kept: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoHeaderReceived(Uncopyable):
    """We wait for the peer's header. `incoming`: of header || MAC."""

    epoch: int
    authenticator: Authenticator
    incoming: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HeaderReceived(Uncopyable):
    """We have the header, and have not encapsulated. `kept`: the header, 64 bytes."""

    epoch: int
    authenticator: Authenticator
    kept: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ct1Sampled(Uncopyable):
    """We send ct1. `outgoing`: ct1. `incoming`: of the vector. `kept`: the header."""

    epoch: int
    authenticator: Authenticator
    m: EncapsulationRandomness
    outgoing: bytes = field(repr=False)
    sent: int
    incoming: bytes = field(repr=False)
    kept: bytes = field(repr=False)

    def after_sending(self, sent: int) -> "Ct1Sampled":
        """Return the state whose next codeword is `sent`."""
        return Ct1Sampled(
            self.epoch, self.authenticator, self.m, self.outgoing, sent, self.incoming, self.kept
        )


@dataclass(frozen=True, slots=True)
class EkReceivedCt1Sampled(Uncopyable):
    """We have the vector, and still send ct1. `outgoing`: ct1. `kept`: ct2 || MAC."""

    epoch: int
    authenticator: Authenticator
    outgoing: bytes = field(repr=False)
    sent: int
    kept: bytes = field(repr=False)

    def after_sending(self, sent: int) -> "EkReceivedCt1Sampled":
        """Return the state whose next codeword is `sent`."""
        return EkReceivedCt1Sampled(self.epoch, self.authenticator, self.outgoing, sent, self.kept)


@dataclass(frozen=True, slots=True)
class Ct1Acknowledged(Uncopyable):
    """The peer has our ct1, and we lack its vector. `incoming`: of the vector. `kept`: the header."""

    epoch: int
    authenticator: Authenticator
    m: EncapsulationRandomness
    incoming: bytes = field(repr=False)
    kept: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ct2Sampled(Uncopyable):
    """We send ct2. `outgoing`: ct2 || MAC, 160 bytes."""

    epoch: int
    authenticator: Authenticator
    outgoing: bytes = field(repr=False)
    sent: int

    def after_sending(self, sent: int) -> "Ct2Sampled":
        """Return the state whose next codeword is `sent`."""
        return Ct2Sampled(self.epoch, self.authenticator, self.outgoing, sent)


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
