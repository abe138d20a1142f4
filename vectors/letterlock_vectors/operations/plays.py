"""What all plays share: steps answered in turn, bytes drawn as chosen, and a count of kept keys.

Not here: what the steps do (a module for each play).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, TypeAlias

from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet.double import Hearing, Speaking, State, Unanswered, Waiting
from letterlock._ratchet.ratchet import Ratchet
from letterlock._ratchet.triple import Triple
from letterlock._session.peer_sessions import StoredSession
from letterlock._wire.message import SENT_NONCE_BYTES
from letterlock.errors import LetterlockError, UsageError
from letterlock.limits import MAX_SKIPPED_KEYS
from letterlock.stores._interface import Store
from letterlock_vectors.inputs import Input, Output

Step: TypeAlias = Callable[[Input], Output]

_SESSION_ID_BYTES: Final = 8


def play(steps: Iterable[Input], table: Mapping[str, Step]) -> Output:
    """Return the answers. A step that is refused answers the name of its error, and the next one follows.

    Raises UsageError for a step that is not in the table.
    """
    answers: list[Output] = []
    for step in steps:
        act = table.get(step.text("do"))
        if act is None:
            raise UsageError("there is no such step: see vectors/README.md")
        try:
            answers.append(act(step))
        except LetterlockError as error:
            answers.append({"error": type(error).__name__})
    return {"steps": answers}


class Chosen(Uncopyable):
    """Entropy that hands out the bytes offered for one step, by their length, each once.

    Eight bytes that nobody offered are the id of a session, which shows nowhere: those are counted.
    """

    __slots__ = ("_drawn", "_left")

    def __init__(self) -> None:
        self._left: defaultdict[int, list[bytes]] = defaultdict(list)
        self._drawn = 0

    def offer(self, *pieces: bytes | None) -> None:
        """Forget what is left of the last step, and have these for the next, in order."""
        self._left.clear()
        for piece in pieces:
            if piece is not None:
                self._left[len(piece)].append(piece)

    def __call__(self, length: int) -> bytes:
        """Return the next bytes of this length. Raises UsageError if none are left."""
        if self._left[length]:
            return self._left[length].pop(0)
        if length != _SESSION_ID_BYTES:
            raise UsageError(f"this step needs {length} more random bytes")
        self._drawn += 1
        return (self._drawn << 1).to_bytes(length, "big")


def drawn_by_sending(step: Input, entry: StoredSession | None) -> tuple[bytes | None, ...]:
    """Return what a step that seals may draw: nonce, private key for a turn of the ratchet, and the braid's.

    Both of the latter can have 32 bytes, so that the private key is offered only if a turn is due.
    """
    nonce = step.sized("nonce", SENT_NONCE_BYTES)
    entropy = step.with_default("entropy").optional_hex("entropy")
    private = None if step.is_null("ratchet_private") else step.sized("ratchet_private", KEY_BYTES)
    due = entry is not None and isinstance(double_of(entry.session.ratchet), Hearing)
    return nonce, private if due else None, entropy


def double_of(ratchet: Ratchet) -> State:
    """Return the double ratchet, alone or in a triple one."""
    found = ratchet.double if isinstance(ratchet, Triple) else ratchet
    if not isinstance(found, Waiting | Unanswered | Hearing | Speaking):
        raise TypeError("a ratchet of another suite")
    return found


class _Undone(Exception):
    pass


def kept_keys(store: Store, address: bytes) -> tuple[int, int]:
    """Return how many sessions with a peer are kept, and how many skipped keys in all of them.

    A store has no reason to count keys, but says how many it deletes: so they are deleted, and brought back.
    """
    counts: list[int] = []
    with suppress(_Undone), store.transaction():
        counts = [
            store.tables.skipped_keys.trim(row.id, 0)
            for row in store.tables.sessions.load(address, MAX_SKIPPED_KEYS)
        ]
        raise _Undone
    return len(counts), sum(counts)
