"""Challenges and tokens: what a relay gives out, and knows again without a record of it.

    challenge   random || end || HMAC(secret, "letterlock-v1 relay challenge" || account || device ||
                random || end)                                                                       [RLY-4]
    token       end || device || added || first 8 bytes of the user id || name || HMAC(secret,
                "letterlock-v1 relay token" || all before)                                           [RLY-6]

    end, device, added      four bytes each; `added` is the list version that added the device

A token names the user id too: if the name is given to another user, no token of the earlier one is good.

Not here: whether a device is listed still (_login.py).
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Final, Self

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import HASH_BYTES, hmac_sha256
from letterlock._primitives.labels import RELAY_CHALLENGE, RELAY_TOKEN
from letterlock._primitives.secret import Immutable, Secret, Uncopyable
from letterlock._wire.address import Address
from letterlock._wire.relay_limits import RELAY_ID_BYTES
from letterlock._wire.relay_login import account_key
from letterlock.errors import UsageError
from letterlock.limits import HEAD_BYTES
from letterlock.relay._limits import CHALLENGE_SECONDS, CLOCK_SLACK, TOKEN_SECONDS
from letterlock.relay._store import Head, ListedKey

_END: Final = struct.Struct(">I")
_OPENING: Final = struct.Struct(f">III{HEAD_BYTES}s")
_CHALLENGE_BYTES: Final = RELAY_ID_BYTES + _END.size + HASH_BYTES


class RelaySecret(Secret):
    """32 random bytes with which a relay knows its challenges and tokens again."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Session:
    """A device that showed a good token: its account, its id, and until when the token is good.

    `added` is the version that added the device, `user` the first 8 bytes of the user id.
    """

    account: bytes
    device: int
    until: int
    name: str
    added: int
    user: bytes

    @property
    def requester(self) -> bytes:
        """The 16 bytes that stand for the device where its calls are counted."""
        return hashlib.sha256(self.account + _END.pack(self.device)).digest()[:RELAY_ID_BYTES]

    def listed(self, head: Head | None) -> ListedKey | None:
        """Return the device as the newest list has it; None if it is not this one any more. [RLY-8]"""
        if head is None or head.user_id[:HEAD_BYTES] != self.user:
            return None
        found = head.device(self.device)
        return found if found is not None and found.added == self.added else None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that is the relay's own and has not ended: its random bytes, and when it ends."""

    random: bytes
    until: int


class Seals(Immutable, Uncopyable):
    """Makes challenges and tokens, and knows them again."""

    __slots__ = ("_entropy", "_secret")

    _secret: RelaySecret
    _entropy: Entropy

    def __init__(self, secret: RelaySecret, entropy: Entropy) -> None:
        object.__setattr__(self, "_secret", secret)
        object.__setattr__(self, "_entropy", entropy)

    def challenge(self, address: Address, now: int) -> bytes:
        """Return a new challenge for a device, 52 bytes. Draws 16 bytes of entropy. [RLY-4]"""
        opening = self._entropy(RELAY_ID_BYTES) + _END.pack(now + CHALLENGE_SECONDS)
        return opening + self._challenge_mac(address, opening)

    def read_challenge(self, challenge: bytes, address: Address, now: int) -> Challenge | None:
        """Return a challenge that was made for this device and has not ended, or None."""
        opening, mac = challenge[:-HASH_BYTES], challenge[-HASH_BYTES:]
        if len(challenge) != _CHALLENGE_BYTES:
            return None
        if not hmac.compare_digest(mac, self._challenge_mac(address, opening)):
            return None
        (until,) = _END.unpack(opening[RELAY_ID_BYTES:])
        is_good = _is_good(until, now, CHALLENGE_SECONDS)
        return Challenge(opening[:RELAY_ID_BYTES], until) if is_good else None

    def token(self, name: str, listed: ListedKey, user_id: bytes, now: int) -> bytes:
        """Return a token for a listed device, 53 bytes and the name. [RLY-6]"""
        opening = _OPENING.pack(now + TOKEN_SECONDS, listed.device, listed.added, user_id[:HEAD_BYTES])
        opening += name.encode()
        return opening + self._token_mac(opening)

    def read_token(self, token: bytes, now: int) -> Session | None:
        """Return whose token this is, or None if it is not the relay's own or has ended."""
        opening, mac = token[:-HASH_BYTES], token[-HASH_BYTES:]
        if len(opening) <= _OPENING.size or not hmac.compare_digest(mac, self._token_mac(opening)):
            return None
        until, device, added, user = _OPENING.unpack_from(opening)
        if not _is_good(until, now, TOKEN_SECONDS):
            return None
        name = opening[_OPENING.size :].decode()
        return Session(account_key(name), device, until, name, added, user)

    def _challenge_mac(self, address: Address, opening: bytes) -> bytes:
        device = account_key(address.name) + _END.pack(address.device_id)
        return hmac_sha256(self._secret.expose(), RELAY_CHALLENGE + device + opening)

    def _token_mac(self, opening: bytes) -> bytes:
        return hmac_sha256(self._secret.expose(), RELAY_TOKEN + opening)

    @classmethod
    def of(cls, secret: bytes, entropy: Entropy) -> Self:
        """Return the seals under the secret that a store keeps. Raises UsageError for another length."""
        if len(secret) != HASH_BYTES:
            raise UsageError("the relay's secret has another length: restore its database from a backup")
        return cls(RelaySecret(secret), entropy)


def _is_good(until: int, now: int, seconds: int) -> bool:
    """Return whether what is good for so many seconds has not ended.

    What would be good for longer was made under a clock that was ahead, and is refused.
    """
    return now < until <= now + seconds + CLOCK_SLACK
