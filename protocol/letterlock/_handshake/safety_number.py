"""Safety numbers: 60 digits that two people compare to know that nobody sits between them.

    h0          = SHA-512(00 00 || 05 || IK || identifier || 05 || IK)
    h(i+1)      = SHA-512(h(i) || 05 || IK)                       5,200 passes in all        [SES-6]
    fingerprint = its first 32 bytes;  digits: six times 5 bytes big-endian mod 100,000, of each party
    scannable   = protobuf {1: version, 2: {1: our fingerprint}, 3: {1: theirs}}

The published algorithm of Signal's numeric fingerprints, so that known answers exist. The two halves of the
digits are sorted; the scannable form is not.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from letterlock._primitives.curve25519 import IdentityKey
from letterlock.errors import SafetyNumberMismatch, UsageError
from letterlock.limits import SAFETY_NUMBER_ITERATIONS

SCAN_VERSION: Final = 2
_FINGERPRINT_BYTES: Final = 32
_VERSION: Final = b"\0\0"
_CURVE25519: Final = b"\x05"


@dataclass(frozen=True, slots=True)
class SafetyNumber:
    """What both sides see: `str()` gives twelve groups of five digits, `scannable` bytes for a QR code."""

    digits: str
    scannable: bytes
    _expected: bytes

    def verify_scan(self, scanned: bytes) -> None:
        """Return if the peer's scannable form shows the same two keys; raise SafetyNumberMismatch if not.

        Raises UsageError for anything but bytes. [SES-10]
        """
        if type(scanned) is not bytes:
            raise UsageError(f"a scanned code must be bytes, not {type(scanned).__name__}")
        if not hmac.compare_digest(scanned, self._expected):
            raise SafetyNumberMismatch("the scanned code shows other keys: do not trust this conversation")

    def __str__(self) -> str:
        return " ".join(self.digits[start : start + 5] for start in range(0, len(self.digits), 5))


def safety_number(
    our_identifier: bytes,
    our_identity: IdentityKey,
    their_identifier: bytes,
    their_identity: IdentityKey,
    scan_version: int = SCAN_VERSION,
) -> SafetyNumber:
    """Return the safety number of two parties; the identifiers are any stable bytes that both know."""
    ours = fingerprint(our_identifier, our_identity)
    theirs = fingerprint(their_identifier, their_identity)
    digits = "".join(sorted((_digits(ours), _digits(theirs))))
    return SafetyNumber(
        digits, encode_scan(ours, theirs, scan_version), encode_scan(theirs, ours, scan_version)
    )


def fingerprint(identifier: bytes, identity: IdentityKey) -> bytes:
    """Return the 32 bytes that stand for one party; 5,200 passes of SHA-512, about 4 ms."""
    key = _CURVE25519 + identity.data
    digest = _VERSION + key + identifier
    for _ in range(SAFETY_NUMBER_ITERATIONS):
        digest = hashlib.sha512(digest + key).digest()
    return digest[:_FINGERPRINT_BYTES]


def encode_scan(ours: bytes, theirs: bytes, version: int) -> bytes:
    """Return the scannable form of two fingerprints of 32 bytes."""
    return bytes([0x08, version]) + _logical(0x12, ours) + _logical(0x1A, theirs)


def _logical(tag: int, content: bytes) -> bytes:
    inner = bytes([0x0A, len(content)]) + content
    return bytes([tag, len(inner)]) + inner


def _digits(content: bytes) -> str:
    groups = (content[start : start + 5] for start in range(0, 30, 5))
    return "".join(f"{int.from_bytes(group, 'big') % 100_000:05d}" for group in groups)
