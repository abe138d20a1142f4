"""The epoch of a group, and how a chain begins in it.

    CK || next seed   = HKDF-SHA-256(salt S, ikm seed, label || epoch || sender, 64)             [GRP-2]
    commitment        = HMAC-SHA-256(S, label || BE8 number)                                     [GRP-5]
    name key          = HKDF-SHA-256(empty salt, ikm S, label, 32)                                [GRP-12]
    epoch             = group id || BE8 number || opening
    sender            = user id || BE4 device id

S is the epoch secret, 32 random bytes from the device that began the epoch. A member who was removed has
the seeds of all chains and lacks S. A stranger who has S lacks the seeds.

Not here: who makes S, and how it travels.
"""

from hashlib import sha256
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.kdf import hkdf_sha256, hmac_sha256
from letterlock._primitives.labels import GROUP_CHAIN, GROUP_EPOCH, GROUP_HEAD, GROUP_NAME
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_text import SenderName
from letterlock._wire.sender_chain import ChainSeed, GroupChainKey

_NUMBER_BYTES: Final = 8
_DEVICE_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class EpochName:
    """Which epoch: its number, from 1, and the hash of the log's entry that began it, 32 bytes."""

    group_id: bytes
    number: int
    opening: bytes

    def encode(self) -> bytes:
        """Return the 56 bytes that keys are bound to."""
        return self.group_id + self.number.to_bytes(_NUMBER_BYTES, "big") + self.opening


def commitment(secret: EpochSecret, number: int) -> bytes:
    """Return the 32 bytes by which an entry of the log commits to the secret of the epoch that it begins.

    The group's id is no part of it: that is the hash of entry 1, which holds such a commitment.
    """
    return hmac_sha256(secret.expose(), GROUP_EPOCH + number.to_bytes(_NUMBER_BYTES, "big"))


def name_key(secret: EpochSecret) -> bytes:
    """Return the 32 bytes under which the group's name is sealed in this epoch. [GRP-12]"""
    return hkdf_sha256(b"", secret.expose(), GROUP_NAME, KEY_BYTES)


def begin_chain(
    seed: ChainSeed, secret: EpochSecret, epoch: EpochName, sender: SenderName
) -> tuple[GroupChainKey, ChainSeed]:
    """Return the first chain key of a sender in an epoch, and its seed for the epoch after."""
    info = GROUP_CHAIN + epoch.encode() + _encoded(sender)
    keys = hkdf_sha256(secret.expose(), seed.expose(), info, 2 * KEY_BYTES)
    return GroupChainKey(keys[:KEY_BYTES]), ChainSeed(keys[KEY_BYTES:])


def first_head(epoch: EpochName, sender: SenderName) -> bytes:
    """Return the head, 32 bytes, of a chain without texts."""
    return sha256(GROUP_HEAD + epoch.encode() + _encoded(sender)).digest()


def next_head(head: bytes, text_hash: bytes) -> bytes:
    """Return the head after one more text. Both arguments have 32 bytes."""
    return sha256(head + text_hash).digest()


def _encoded(sender: SenderName) -> bytes:
    return sender.user_id + sender.device.to_bytes(_DEVICE_BYTES, "big")
