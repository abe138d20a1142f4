"""What an account keeps about itself: its identity, and which of its prekeys are current.

Not here: the prekeys (prekeys.py); how this is stored (_records/account.py).
"""

from dataclasses import replace
from typing import Final

from letterlock._handshake.agreement import Party
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.address import Address
from letterlock.errors import UsageError
from letterlock.limits import ID_JUMP, MAX_ID

_ID_START_BYTES: Final = 3
_JUMP_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class AccountRecord(Uncopyable):
    """Identity, the next unused prekey id, and the ids of the current prekeys; no prekey has id 0.

    `rotated` is when the current signed and last-resort prekeys were made, in seconds since 1970 (UTC).
    """

    party: Party
    next_id: int
    signed_id: int = 0
    last_resort_id: int = 0
    rotated: int = 0

    def skip_ids(self, entropy: Entropy) -> "AccountRecord":
        """Return the account past a random number of unused ids. Draws 4 bytes. [HAND-12]

        A store that was put back to an earlier copy then does not give the same ids to other keys.
        """
        bound = (MAX_ID + 1 - self.next_id) // ID_JUMP + 1
        drawn = int.from_bytes(entropy(_JUMP_BYTES), "big")
        return replace(self, next_id=self.next_id + (drawn * bound >> 8 * _JUMP_BYTES))

    def take_ids(self, count: int) -> range:
        """Return the next `count` unused ids. Raises UsageError after the last of 2**32. [HAND-10]"""
        if self.next_id + count - 1 > MAX_ID:
            raise UsageError("all prekey ids are used up: create a new account")
        return range(self.next_id, self.next_id + count)


def new_account(address: Address, entropy: Entropy, identity: IdentityKeyPair | None = None) -> AccountRecord:
    """Return a new account. Draws 32 bytes for the key unless `identity` is given, then 3 for the first id.

    The first id is random, so that ids do not tell how old an account is. It is low, so that ids last.
    """
    identity = identity or IdentityKeyPair.generate(entropy)
    return AccountRecord(Party(address, identity), 1 + int.from_bytes(entropy(_ID_START_BYTES), "big"))
