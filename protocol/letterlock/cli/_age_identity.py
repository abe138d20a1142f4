"""Identities of age: the private keys in an identity file, one a line.

    AGE-SECRET-KEY-1...       X25519, 32 bytes
    AGE-SECRET-KEY-PQ-1...    MLKEM768-X25519, the seed of an X-Wing key, 32 bytes

Both are Bech32 (BIP 173) without its limit on length. Source: C2SP's document on age.

Not here: files (_age_file.py).
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from letterlock._primitives.curve25519 import EphemeralKeyPair, PrivateKey
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock.errors import UsageError

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM: Final = 6
_MAX_FILE: Final = 1 << 16
_CLASSIC: Final = "age-secret-key-"
_HYBRID: Final = "age-secret-key-pq-"


@dataclass(frozen=True, slots=True)
class ClassicIdentity(Uncopyable):
    """An X25519 identity."""

    pair: EphemeralKeyPair = field(repr=False)


@dataclass(frozen=True, slots=True)
class HybridIdentity(Uncopyable):
    """A post-quantum identity."""

    pair: XWingKeyPair = field(repr=False)


AgeIdentity = ClassicIdentity | HybridIdentity


def read_identities(path: Path) -> list[AgeIdentity]:
    """Return the identities in a file; lines that begin with # say nothing. Raises UsageError, OSError."""
    with path.open("rb") as file:
        data = file.read(_MAX_FILE + 1)
    text = data.decode("ascii", "replace") if len(data) <= _MAX_FILE else ""
    lines = [line.strip() for line in text.splitlines()]
    found = [_identity(line, number) for number, line in enumerate(lines, 1) if line and line[0] != "#"]
    if not found:
        raise UsageError(f"{path} holds no age identity: name a file that age-keygen wrote")
    return found


def _identity(text: str, number: int) -> AgeIdentity:
    """Return the identity in a line. Raises UsageError."""
    prefix, key = _bech32(text)
    if prefix == _CLASSIC and len(key) == KEY_BYTES:
        return ClassicIdentity(EphemeralKeyPair.from_private(PrivateKey(key)))
    if prefix == _HYBRID and len(key) == KEY_BYTES:
        return HybridIdentity(XWingKeyPair(XWingSeed(key)))
    raise UsageError(
        f"line {number} of the identity file is no age identity that can be used here: keys of SSH, of "
        "plugins and passphrases work with `age --decrypt FILE | letterlock seal - ...`"
    )


def _bech32(text: str) -> tuple[str, bytes]:
    """Return the prefix and the bytes of a Bech32 text, or nothing for any other text."""
    prefix, _, digits = text.lower().rpartition("1")
    values = [_ALPHABET.find(each) for each in digits]
    if text not in {text.lower(), text.upper()} or len(values) < _CHECKSUM or -1 in values:
        return "", b""
    letters = [ord(each) for each in prefix]
    if _polynomial([*(each >> 5 for each in letters), 0, *(each & 31 for each in letters), *values]) != 1:
        return "", b""
    number = 0
    for each in values[:-_CHECKSUM]:
        number = number << 5 | each
    length, rest = divmod(5 * (len(values) - _CHECKSUM), 8)
    if rest > 4 or number & ((1 << rest) - 1):
        return "", b""
    return prefix, (number >> rest).to_bytes(length, "big")


def _polynomial(values: list[int]) -> int:
    """Return the checksum of BIP 173: 1 for a text that is as it was written."""
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(_GENERATOR):
            check ^= term if top >> bit & 1 else 0
    return check
