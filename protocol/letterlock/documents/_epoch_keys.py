"""The two keys of an epoch: what commits to them, what they seal, and how old epochs follow from new ones.

    E_e, H_e              32 random bytes each: the epoch key and the history key of epoch e         [DOC-73]
    C_E                   HMAC-SHA-256(E_e, "letterlock-v1 epoch key commitment" || e in 4 bytes)
    C_H                   HMAC-SHA-256(H_e, "letterlock-v1 history key commitment" || e in 4 bytes)
    link from e to k      ChaCha20-Poly1305(HKDF(H_e, "letterlock-v1 epoch link"), nonce 0,
                              E_k || H_k, e || k in 4 bytes each || C_E of k)                        [DOC-74]
    key of the name       HKDF(E_e, "letterlock-v1 collection name")                                 [DOC-75]

A member of all epochs is given E_e || H_e, and one "from now on" E_e alone. A history key seals one link, so
its nonce is constant. HKDF has an empty salt.

Not here: how members are given keys (grants); which epoch may follow which (_log_rules.py).
"""

import hmac
from dataclasses import dataclass
from typing import Final

from letterlock._primitives import aead
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hkdf_sha256, hmac_sha256
from letterlock._primitives.labels import COLLECTION_NAME, EPOCH_KEY, EPOCH_LINK, HISTORY_KEY
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.collection_change import EpochHistoryKey, EpochKey
from letterlock._wire.log_opening import CollectionOpening, Link, SealedName
from letterlock.documents._collection_errors import WrongEpochKey
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._sealed_name import open_under_key, seal_under_key

_LINK_NONCE: Final = bytes(aead.NONCE_BYTES)


@dataclass(frozen=True, slots=True)
class EpochKeys(Uncopyable):
    """The keys of one epoch. `history` is None for a member that reads from this epoch on."""

    epoch: int
    key: EpochKey
    history: EpochHistoryKey | None

    @classmethod
    def generate(cls, epoch: int, entropy: Entropy) -> "EpochKeys":
        """Return new keys. Draws 64 bytes from `entropy`."""
        return cls(epoch, EpochKey(entropy(KEY_BYTES)), EpochHistoryKey(entropy(KEY_BYTES)))

    @classmethod
    def from_text(cls, epoch: int, text: bytes) -> "EpochKeys":
        """Read what `text` gives. Raises WrongEpochKey for another length."""
        if len(text) not in {KEY_BYTES, 2 * KEY_BYTES}:
            raise WrongEpochKey
        history = EpochHistoryKey(text[KEY_BYTES:]) if len(text) > KEY_BYTES else None
        return cls(epoch, EpochKey(text[:KEY_BYTES]), history)

    def text(self, *, history: bool) -> GrantedKey:
        """Return what a member is given: both keys, or the epoch key alone."""
        if not history or self.history is None:
            return GrantedKey(self.key.expose())
        return GrantedKey(self.key.expose() + self.history.expose())

    def check(self, opening: CollectionOpening) -> "EpochKeys":
        """Return the keys if they are those of an opening. Raises WrongEpochKey. [DOC-73]"""
        ours = commitment(self.epoch, self.key), opening.commitment
        sound = hmac.compare_digest(*ours)
        if self.history is not None:
            sound &= hmac.compare_digest(history_commitment(self.epoch, self.history), opening.history)
        if not sound:
            raise WrongEpochKey
        return self


def commitment(epoch: int, key: EpochKey) -> bytes:
    """Return the 32 bytes that stand for an epoch key in the log."""
    return hmac_sha256(key.expose(), EPOCH_KEY + _number(epoch))


def history_commitment(epoch: int, key: EpochHistoryKey) -> bytes:
    """Return the 32 bytes that stand for a history key in the log."""
    return hmac_sha256(key.expose(), HISTORY_KEY + _number(epoch))


# --- openings ---------------------------------------------------------------------------------------------


def seal_link(keys: EpochKeys, earlier: EpochKeys) -> Link | None:
    """Return the link from an epoch to an earlier one, or None unless both have history keys. [DOC-74]"""
    if keys.history is None or earlier.history is None:
        return None
    context = _link_context(keys.epoch, earlier.epoch, commitment(earlier.epoch, earlier.key))
    text = earlier.key.expose() + earlier.history.expose()
    return Link(earlier.epoch, aead.seal(_link_key(keys.history), _LINK_NONCE, text, context))


def open_link(keys: EpochKeys, link: Link, opening: CollectionOpening) -> EpochKeys:
    """Return the keys of an earlier epoch, which begins with `opening`. Raises WrongEpochKey. [DOC-74]

    `keys` must have a history key.
    """
    if keys.history is None:
        raise WrongEpochKey
    context = _link_context(keys.epoch, link.epoch, opening.commitment)
    text = aead.open_sealed(_link_key(keys.history), _LINK_NONCE, link.sealed, context)
    if text is None:
        raise WrongEpochKey
    return EpochKeys.from_text(link.epoch, text).check(opening)


def _link_key(history: EpochHistoryKey) -> bytes:
    return hkdf_sha256(b"", history.expose(), EPOCH_LINK, KEY_BYTES)


def _link_context(epoch: int, earlier: int, commitment_: bytes) -> bytes:
    return _number(epoch) + _number(earlier) + commitment_


# --- names ------------------------------------------------------------------------------------------------


def seal_name(keys: EpochKeys, name: str, entropy: Entropy) -> SealedName:
    """Return a name sealed under an epoch key. Draws 12 bytes from `entropy`. [DOC-75]"""
    return seal_under_key(_name_key(keys), keys.epoch, name, entropy)


def open_name(keys: EpochKeys, sealed: bytes) -> str | None:
    """Return the name that was sealed, or None if what an admin sealed is no name. [DOC-75]"""
    return open_under_key(_name_key(keys), keys.epoch, sealed)


def _name_key(keys: EpochKeys) -> bytes:
    return hkdf_sha256(b"", keys.key.expose(), COLLECTION_NAME, KEY_BYTES)


def _number(epoch: int) -> bytes:
    return epoch.to_bytes(4, "big")
