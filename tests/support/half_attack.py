"""Attacks on keys in two halves: they run on everything that one server holds, and on all that is seen.

    pieces              every byte string in records and bodies, whole and in pieces of 32 bytes
    find_recovery_key   the recovery key, if pieces or two of them together give it
    find_granted_key    the key of a grant, if pieces give a seed that opens a part, or both parts

The attacker knows the device list, so a right recovery key shows itself. A granted key shows itself by the
commitment of its subject; here the attacker is simply told.

Not here: how the view was obtained.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import combinations

import cbor2

from letterlock._primitives import hpke
from letterlock._primitives.curve25519 import IdentityKeyPair, PrivateKey
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import RECOVERY_DEVICE
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.grant import Grant
from letterlock.documents._granted_key import key_info
from letterlock.errors import AuthenticationFailed
from letterlock.recovery._device import recovery_device
from letterlock.user import ListChain
from support.recovery_attack import strings

_LONGEST = 1500
"""Longer strings are ML-DSA keys and signatures, which depend on no secret of a half."""


def pieces(seen: Iterable[bytes]) -> set[bytes]:
    """Return all pieces of 32 bytes that somebody has who sees these encodings, with a hash of each."""
    found = set[bytes]()
    for body in seen:
        for text in strings(cbor2.loads(body)):
            if 32 <= len(text) <= _LONGEST:
                found |= {text[at : at + 32] for at in range(0, len(text) - 31, 32)} | {text[-32:]}
                found |= {text[-48:-16]}  # a sealed text of 32 bytes without its tag
    return {each for each in found if len(each) == 32}


def find_recovery_key(seen: Iterable[bytes], chain: ListChain) -> bytes | None:
    """Return the recovery key of a user whose lists everybody knows, or None."""
    listed = recovery_device(chain)
    assert listed is not None
    for guess in _guesses(pieces(seen)):
        identity = PrivateKey(hkdf_sha256(b"", guess, RECOVERY_DEVICE, 128)[:32])
        if IdentityKeyPair.from_private(identity).public == listed.identity:
            return guess
    return None


def find_granted_key(seen: Iterable[bytes], grant: Grant, right: bytes) -> bytes | None:
    """Return the key in a grant to a provisional recipient, or None. `right` tells that a guess is right."""
    known = pieces(seen)
    middle = len(grant.sealed) // 2
    parts = (grant.sealed[:middle], grant.sealed[middle:])
    opened = {
        text
        for seed in known
        for at, part in enumerate(parts, 1)
        for text in _opened(seed, key_info(grant.encoded_terms, at), part)
    }
    guesses = {*_guesses(opened), *(_xor(one, other) for one in opened for other in known)}
    return next((each for each in guesses | known if each == right), None)


def _opened(seed: bytes, info: bytes, part: bytes) -> Iterator[bytes]:
    try:
        yield hpke.open_sealed(XWingKeyPair(XWingSeed(seed)), info, part)
    except AuthenticationFailed:
        return


def _guesses(known: set[bytes]) -> Iterator[bytes]:
    yield from known
    yield from (hashlib.sha256(each).digest() for each in known)
    yield from (_xor(one, other) for one, other in combinations(sorted(known), 2))


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
