"""Document seeds: from each one follow all that came before it, and none that come after.

    document key g    = X-Wing public key of seed g
    key of seed g     = HKDF(bytes(32), seed g+1, label || user id || g in 4 bytes, 32)              [USR-42]
    sealed seed g     = ChaCha20-Poly1305(key, nonce 0, seed g, user id || g || SHA-256(document key g))

A key seals one text only, so its nonce is constant. A new device gets the newest seed and the sealed ones,
and reads old documents. A revoked device has no seed that opens a later one.

Not here: documents; the encoding in which seeds travel (_wire/linking_payload.py).
"""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from letterlock._primitives import aead
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import DOCUMENT_SEED
from letterlock._primitives.secret import KEY_BYTES
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._records.user import UserRecord
from letterlock._wire.device_snapshot import DocumentKey
from letterlock._wire.linking_payload import DocumentSeed, PayloadContents
from letterlock.errors import UsageError
from letterlock.user._chain import ListChain
from letterlock.user._errors import LinkingRefused
from letterlock.user._rules import rights

Seeds = tuple[tuple[int, DocumentSeed], ...]
"""Generations with their seeds, in order of the generations."""

_NONCE: Final = bytes(aead.NONCE_BYTES)


def new_seed(entropy: Entropy) -> DocumentSeed:
    """Return the seed of a new generation. Draws 32 bytes from `entropy`."""
    return DocumentSeed(entropy(KEY_BYTES))


def document_key_pair(seed: DocumentSeed) -> XWingKeyPair:
    """Return the key pair of a generation."""
    return XWingKeyPair(XWingSeed(seed.expose()))


def all_seeds(own: UserRecord) -> Seeds:
    """Return the seed of every document key of the user. Raises UsageError if this device lacks one.

    A seed that came before its device list is not among them, and may never get one.
    """
    key = None if own.pin.snapshot is None else own.pin.snapshot.document_key
    newest = 0 if key is None else key.generation
    found = tuple(each for each in own.seeds if each[0] <= newest)
    if [generation for generation, _ in found] != list(range(1, newest + 1)):
        raise UsageError("a document seed of another device has not arrived: receive its messages first")
    return found


def seal_seeds(seeds: Seeds, user_id: bytes) -> tuple[bytes, ...]:
    """Return every seed but the newest, each sealed under the one after it, 48 bytes each; newest first."""
    pairs = pairwise(seeds)
    sealed = [seal_seed(seed, later, user_id, generation) for (generation, seed), (_, later) in pairs]
    return tuple(reversed(sealed))


def seal_seed(seed: DocumentSeed, later: DocumentSeed, user_id: bytes, generation: int) -> bytes:
    """Return the seed of `generation` sealed under the next generation's seed, 48 bytes."""
    key = _link_key(later, user_id, generation)
    public = document_key_pair(seed).public.data
    return aead.seal(key, _NONCE, seed.expose(), _context(user_id, generation, public))


def seeds_of(contents: PayloadContents, chain: ListChain, device_id: int) -> Seeds:
    """Return the seeds that a payload gives to a device, none to one that may not read documents. [USR-43]

    Raises LinkingRefused as `open_seeds` does, and if there is a seed for a device that may not read
    documents, or none for one that may.
    """
    listed = chain.newest.snapshot.device(device_id)
    reads = listed is not None and rights(listed).reads_documents
    if reads != (contents.seed is not None):
        raise LinkingRefused("the document seeds do not fit this device's class: begin again")
    return () if contents.seed is None else open_seeds(contents.seed, contents.sealed, chain)


def open_seeds(newest: DocumentSeed, sealed: Sequence[bytes], chain: ListChain) -> Seeds:
    """Return all seeds of the generations that a chain has, having checked each against its document key.

    Raises LinkingRefused if a seed does not open, is not its document key's, or is missing. [USR-42]
    """
    keys = _document_keys(chain)
    if len(sealed) != len(keys) - 1:
        raise LinkingRefused("the package has not one seed for each document key: begin again")
    seeds = [newest]
    _check(newest, keys[-1])
    for key, each in zip(reversed(keys[:-1]), sealed, strict=True):
        seeds.append(_opened(each, seeds[-1], chain.user_id, key))
        _check(seeds[-1], key)
    return tuple((key.generation, seed) for key, seed in zip(keys, reversed(seeds), strict=True))


def _opened(sealed: bytes, later: DocumentSeed, user_id: bytes, key: DocumentKey) -> DocumentSeed:
    link_key = _link_key(later, user_id, key.generation)
    found = aead.open_sealed(link_key, _NONCE, sealed, _context(user_id, key.generation, key.public))
    if found is None or len(found) != KEY_BYTES:
        raise LinkingRefused("a sealed document seed does not open: begin again")
    return DocumentSeed(found)


def _check(seed: DocumentSeed, key: DocumentKey) -> None:
    if document_key_pair(seed).public.data != key.public:
        raise LinkingRefused("a document seed is not the one of the listed document key: begin again")


def _document_keys(chain: ListChain) -> tuple[DocumentKey, ...]:
    """Return the document keys of a chain, in order of their generations."""
    found = {each.snapshot.document_key for each in chain.lists} - {None}
    return tuple(sorted((each for each in found if each is not None), key=lambda each: each.generation))


def _link_key(later: DocumentSeed, user_id: bytes, generation: int) -> bytes:
    info = DOCUMENT_SEED + user_id + generation.to_bytes(4, "big")
    return hkdf_sha256(bytes(32), later.expose(), info, KEY_BYTES)


def _context(user_id: bytes, generation: int, public: bytes) -> bytes:
    return user_id + generation.to_bytes(4, "big") + hashlib.sha256(public).digest()
