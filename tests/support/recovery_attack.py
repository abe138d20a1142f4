"""A dictionary attack that runs on everything that one server holds, and on everything that both see.

    attack(view, words)     the words that some test singles out

A `View` has one server's secrets (its seeds, the lock, its login key) and every byte that travelled, of both
servers. For each word the attacker computes what an honest client would: h, both inputs, and the output of
the server whose secret it has. It lacks the other output, and so tries everything of which that output could
be made: what it holds, what travelled, its own output, nothing at all. A word is found if the keys that come
out fit the commitment of the lock, open it, or give a login key that was stored. It is found as well if
anything that travelled is a function of the word alone, as in the deployed protocol.

Not here: how the view was obtained.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import cbor2
from voprf import ristretto

from letterlock._primitives import aead
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519PublicKey, Ed25519Seed
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import RECOVERY_KEYS, RECOVERY_SERVER_KEY
from letterlock._primitives.voprf import OprfSeed
from letterlock._wire.recovery_lock import Lock
from letterlock.recovery._password import server_input, stretch


@dataclass(frozen=True)
class View:
    """What one server has: its secrets, the lock, its login keys, and every body that travelled."""

    server: int
    seeds: tuple[OprfSeed, ...]
    lock: Lock
    logins: tuple[Ed25519PublicKey, ...]
    seen: tuple[bytes, ...]


def attack(view: View, words: Iterable[str]) -> list[str]:
    """Return the words of which something that the view has shows that they are right."""
    pieces = tuple({*seen_pieces(view)})
    return [word for word in words if is_confirmed(view, word, pieces)]


def is_confirmed(view: View, word: str, pieces: Sequence[bytes]) -> bool:
    """Return whether any key that the attacker can make of a word fits anything that it has."""
    if plain(view, word) & {*pieces}:
        return True
    own = tuple(outputs(view, word))
    # An output that it lacks could be absent, its own, any piece that it saw, or any two of those halves.
    guesses = (b"", bytes(64), *own, *pieces)
    header = hashlib.sha256(view.lock.header).digest()
    for mine, guess in product((b"", *own), guesses):
        for ikm in {mine + guess, guess + mine}:
            if fits(view, hkdf_sha256(header, ikm, RECOVERY_KEYS, 128)):
                return True
    return False


def plain(view: View, word: str) -> set[bytes]:
    """Return what an attacker expects of a client that sends a function of the password alone."""
    stretched = stretch(word, view.lock.name, view.lock.hardness).expose()
    found = set()
    for text in (word.encode(), stretched):
        digests = (hashlib.sha256, hashlib.sha512, hashlib.blake2b, hashlib.sha3_256)
        found |= {text, hashlib.blake2b(text, digest_size=32).digest()}
        found |= {each(text).digest() for each in digests}
        found.add(Ed25519KeyPair(Ed25519Seed(hashlib.sha256(text).digest())).public.data)
    return found


def outputs(view: View, word: str) -> Iterator[bytes]:
    """Yield what this server's function gives for a word, for each input that a client could use."""
    stretched = stretch(word, view.lock.name, view.lock.hardness)
    for seed in view.seeds:
        evaluator = ristretto.Evaluator.from_seed(seed.expose(), RECOVERY_SERVER_KEY)
        for server in (1, 2):
            yield evaluator.evaluate_known_input(server_input(server, stretched, view.lock.name))


def fits(view: View, material: bytes) -> bool:
    """Return whether 128 bytes are the keys of the lock, by any means that the attacker has."""
    first, second, key, commitment = (material[at : at + 32] for at in range(0, 128, 32))
    sealed = view.lock.sealed
    if commitment == sealed[:32]:
        return True
    if aead.open_sealed(key, bytes(12), sealed[32:], view.lock.header) is not None:
        return True
    return any(Ed25519KeyPair(Ed25519Seed(each)).public in view.logins for each in (first, second))


def seen_pieces(view: View) -> Iterator[bytes]:
    """Yield every byte string inside what travelled, alone and in pieces of 32 and 64 bytes."""
    for body in view.seen:
        for piece in strings(cbor2.loads(body)):
            if len(piece) > 512:
                continue  # an ML-DSA key or a signature, which depends on no password
            yield piece
            for size in (32, 64):
                yield from (piece[at : at + size] for at in range(0, len(piece) - size + 1, 32))


def strings(value: object) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
