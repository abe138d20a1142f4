"""The interface of a ratchet, as a session uses it. The suite decides which one a session has (suites.py).

    double ratchet    the X3DH suite     (double.py)
    triple ratchet    the PQXDH suite    (triple.py)

A ratchet is an immutable state. Finding the key of a message changes nothing; what an authenticated message
changes comes from `FoundKey.commit`, and the caller commits all of it or nothing.                   [RAT-6]

Not here: sealing and opening messages (_session/), storing what is skipped (stores/).
"""

from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from letterlock._primitives.curve25519 import PublicKey, RatchetKey
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet.keys import MessageKey, SkippedKeys
from letterlock._wire.message import Header, RatchetMessage
from letterlock._wire.pq_header import PqHeader

State_co = TypeVar("State_co", bound="Ratchet", covariant=True)


@dataclass(frozen=True, slots=True)
class SkippedRange(Uncopyable):
    """The keys of consecutive messages that were skipped; the first of them has number `start`.

    `chain` is the name of their chain in a store: 32 bytes.
    """

    chain: bytes
    start: int
    keys: SkippedKeys


@dataclass(frozen=True, slots=True)
class Skipped(Uncopyable):
    """All that one message skipped, in the chains of both ratchets: the older chain first in each.

    The n-th key of one ratchet and the n-th key of the other belong to one message.
    """

    double: tuple[SkippedRange, ...] = ()
    sparse: tuple[SkippedRange, ...] = ()

    @property
    def count(self) -> int:
        """How many keys there are."""
        return sum(each.keys.count for each in self.double + self.sparse)


NONE_SKIPPED: Final = Skipped()


@dataclass(frozen=True, slots=True)
class Sent(Uncopyable, Generic[State_co]):
    """The next message: the state to commit, the headers to send, the key to seal with."""

    state: State_co
    header: Header
    pq_header: PqHeader | None
    key: MessageKey


@dataclass(frozen=True, slots=True)
class Committed(Uncopyable):
    """What an authenticated message changes: the state, and the keys that it skipped.

    `finished` is the ratchet key of the chain that the message ended, if it ended one.
    """

    state: "Ratchet"
    skipped: Skipped = NONE_SKIPPED
    finished: RatchetKey | None = None


FindKept: TypeAlias = Callable[[bytes, int], bytes | None]
"""Returns the kept key of message `number` in the chain that 32 bytes name, or None."""


def nothing_kept(_chain: bytes, _number: int) -> None:
    """Return None: what a new session finds among its kept keys."""


class FoundKey(Protocol):
    """The key of a message, found without changing anything."""

    @property
    def key(self) -> MessageKey:
        """The key that opens the message."""
        ...

    def commit(self) -> Committed:
        """Return what the message changes; call it only after the tag verified. Raises BraidFailed."""
        ...


class Ratchet(Protocol):
    """The state of one session's ratchet."""

    @property
    def max_skipped_keys(self) -> int:
        """How many skipped keys a store keeps for the session."""
        ...

    @property
    def is_unanswered(self) -> bool:
        """Whether we initiated and the peer has not answered."""
        ...

    @property
    def is_unsent(self) -> bool:
        """Whether we initiated and have sent nothing yet."""
        ...

    def speaks(self, message: RatchetMessage, /) -> bool:
        """Return whether a message is of the kind that this ratchet sends. [PQR-8]"""
        ...

    def knows(self, ratchet_key: PublicKey, /) -> bool:
        """Return whether the key heads the chain being received: then no other session need be tried."""
        ...

    def is_next(self, message: RatchetMessage, /) -> bool:
        """Return whether a message is the next one expected in each chain.

        Such a message skips nothing and ends no chain, and its key was not kept.
        """
        ...

    def trial_steps(self, message: RatchetMessage, /) -> int:
        """Return how many chain steps it may cost to find the key of a message."""
        ...

    def next_message(self, size: int, entropy: Entropy, /) -> "Sent[Ratchet]":
        """Return the next message, which has about `size` bytes without codewords.

        Draws 32 bytes at a turn of the ratchet, then 64 or 32 where the braid begins a text. Raises
        UsageError when a chain is full, and while the peer must speak first.
        """
        ...

    def find_message_key(
        self,
        message: RatchetMessage,
        skipped_key: MessageKey | None,
        find: FindKept,
        associated_data: bytes,
        /,
    ) -> FoundKey:
        """Return the key of a message; `skipped_key` is its double-ratchet key if it was skipped.

        `find` is asked for the sparse key of a late message. `associated_data` are the 32 bytes of the
        session. Raises AuthenticationFailed, DuplicateMessage, TooManySkipped, InvalidKey; limits are checked
        before any derivation.
        """
        ...
