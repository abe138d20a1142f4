"""What an account takes from the world: suites, the time, random bytes, KEM secrets, what a user decides.

The defaults are chosen by the public constructors (account.py). `letterlock.hazmat` can choose others, and a
user (user/) says which devices may have a session.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from letterlock._handshake.agreement import Circumstances, Encapsulate, encapsulate_afresh
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Clock, Entropy
from letterlock._wire.address import Address
from letterlock._wire.suite import Suite
from letterlock.errors import UsageError

Admit: TypeAlias = Callable[[Address, IdentityKey], bytes | None]
"""Raises unless this identity may have a session at that address. Called with the peer's address and key.

It returns our user id and the peer's, 32 bytes each, or None for an account without a user.
[HAND-17] [HAND-18]
"""

Stray: TypeAlias = Callable[[Address, int], None]
"""Called with the address of a peer whose new message was decrypted in a session that stays archived.

The number says in which order the session began that is active instead."""

_USER_ID_LENGTH: Final = 32

_LATEST: Final = 253_402_300_799
"""The end of the year 9999. A clock that shows more counts milliseconds, or something shorter."""


def _admit_all(_address: Address, _identity: IdentityKey, /) -> None:
    return None


def _ignore(_address: Address, _born: int, /) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Environment:
    """Allowed suites, a clock in seconds since 1970 (UTC), sources of randomness, and a user's two hooks.

    Both hooks run inside the transaction of a call of the account.
    """

    suites: frozenset[Suite]
    clock: Clock
    entropy: Entropy
    encapsulate: Encapsulate = encapsulate_afresh
    admit: Admit = _admit_all
    stray: Stray = _ignore

    def __post_init__(self) -> None:
        if type(self.suites) is not frozenset:
            raise UsageError(f"suites must be frozenset, not {type(self.suites).__name__}")
        for suite in self.suites:
            # The number 2 is not Suite.PQXDH.
            if type(suite) is not Suite:
                raise UsageError(f"a suite must be Suite, not {type(suite).__name__}")
        for name in ("clock", "entropy", "admit", "stray"):
            if not callable(getattr(self, name)):
                raise UsageError(f"{name} must be a function, not {type(getattr(self, name)).__name__}")

    def now(self) -> int:
        """Return the clock's time. Raises UsageError for one that cannot be seconds since 1970."""
        now = self.clock()
        # A wrong time would only show much later, as an expiry in the next century or a record that
        # cannot be read, so it is refused at once.
        if not is_time(now):
            raise UsageError("the clock must return whole seconds since 1970, as an int")
        return now

    def circumstances(self, address: Address) -> Circumstances:
        """Return what initiating with a peer takes from outside."""

        def user_ids(identity: IdentityKey) -> bytes | None:
            return self.user_ids(address, identity, is_ours=True)

        return Circumstances(self.now(), self.entropy, self.encapsulate, user_ids)

    def user_ids(self, address: Address, identity: IdentityKey, *, is_ours: bool) -> bytes | None:
        """Return the user ids of initiator and recipient, 64 bytes, once the peer is admitted; or None.

        `is_ours`: we are the initiator. Raises what `admit` raises, and UsageError if it returns anything
        else.                                                                                       [HAND-17]
        """
        ids = self.admit(address, identity)
        if ids is None:
            return None
        if type(ids) is not bytes or len(ids) != 2 * _USER_ID_LENGTH:
            raise UsageError("admit must return two user ids of 32 bytes each, or None")
        return ids if is_ours else ids[_USER_ID_LENGTH:] + ids[:_USER_ID_LENGTH]


def is_time(value: object) -> bool:
    """Return whether a value can be seconds since 1970."""
    return type(value) is int and 0 <= value <= _LATEST
