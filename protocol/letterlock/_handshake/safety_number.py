"""Safety numbers: 60 digits that two people compare to know that nobody intercepts them.

    h0          = SHA-512(00 00 || 05 || IK || identifier || 05 || IK)
    h(i+1)      = SHA-512(h(i) || 05 || IK)                       5,200 passes in all        [SES-6]
    fingerprint = its first 32 bytes;  digits: six times 5 bytes big-endian mod 100,000, of each party
    scannable   = protobuf {1: version, 2: {1: our fingerprint}, 3: {1: theirs}}

This is the algorithm that Signal published for its numeric fingerprints, so known answers exist. The two
halves of the digits are sorted, so both sides see the same digits. The scannable form is not sorted.

Not here: the identifiers (account.py passes the encoded addresses).
"""

import hashlib
import hmac
from typing import Final

from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.dataclass import dataclass
from letterlock.errors import SafetyNumberMismatch, UsageError
from letterlock.limits import SAFETY_NUMBER_ITERATIONS

SCAN_VERSION: Final = 2
_FINGERPRINT_BYTES: Final = 32
_VERSION: Final = b"\0\0"
_CURVE25519: Final = b"\x05"


@dataclass(frozen=True, slots=True)
class SafetyNumber:
    """The safety number of two parties.

    `digits` are 60 digits, and `str()` gives them in twelve groups of five. `scannable` is the 74 bytes of a
    QR code for the peer to scan.
    """

    digits: str
    scannable: bytes
    _expected: bytes

    def verify_scan(self, scanned: bytes) -> None:
        """Raise SafetyNumberMismatch unless the peer's `scannable` shows the same two keys. [SES-10]

        Raises UsageError for anything but bytes.
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
    """Return the safety number of two parties. The identifiers are any stable bytes that both know."""
    ours = fingerprint(our_identifier, our_identity)
    theirs = fingerprint(their_identifier, their_identity)
    return compare_fingerprints(ours, theirs, scan_version)


def compare_fingerprints(ours: bytes, theirs: bytes, scan_version: int) -> SafetyNumber:
    """Return the safety number of two fingerprints of 32 bytes."""
    digits = "".join(sorted((_digits(ours), _digits(theirs))))
    return SafetyNumber(
        digits, encode_scan(ours, theirs, scan_version), encode_scan(theirs, ours, scan_version)
    )


def fingerprint(identifier: bytes, identity: IdentityKey) -> bytes:
    """Return the 32 bytes that stand for one party: 5,200 passes of SHA-512."""
    return key_fingerprint(_CURVE25519 + identity.data, identifier)


def key_fingerprint(key: bytes, identifier: bytes) -> bytes:
    """Return the fingerprint of any bytes that name a party in place of a type byte and a key."""
    digest = _VERSION + key + identifier
    for _ in range(SAFETY_NUMBER_ITERATIONS):
        digest = hashlib.sha512(digest + key).digest()
    return digest[:_FINGERPRINT_BYTES]


def encode_scan(ours: bytes, theirs: bytes, version: int) -> bytes:
    """Return the scannable form, 74 bytes, of two fingerprints of 32 bytes."""
    return bytes([0x08, version]) + _message_field(0x12, ours) + _message_field(0x1A, theirs)


def _message_field(tag: int, content: bytes) -> bytes:
    inner = bytes([0x0A, len(content)]) + content
    return bytes([tag, len(inner)]) + inner


def _digits(content: bytes) -> str:
    groups = (content[start : start + 5] for start in range(0, 30, 5))
    return "".join(f"{int.from_bytes(group, 'big') % 100_000:05d}" for group in groups)
