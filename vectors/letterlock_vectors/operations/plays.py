"""What all plays share: answering steps in turn, chosen random bytes, and counting skipped keys.

Not here: the steps themselves (accounts.py, braid.py, ratchets.py, sparse.py, triple.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, TypeAlias

from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._ratchet.double import Hearing, Speaking, State, Unanswered, Waiting
from letterlock._ratchet.ratchet import Ratchet
from letterlock._ratchet.triple import Triple
from letterlock._session.session import Ended
from letterlock._session.stored_session import StoredSession
from letterlock._wire.message import SENT_NONCE_BYTES
from letterlock.errors import LetterlockError, UsageError
from letterlock.limits import MAX_SKIPPED_KEYS
from letterlock.stores._interface import Store
from letterlock_vectors.inputs import Input, Output

Step: TypeAlias = Callable[[Input], Output]

_SESSION_ID_BYTES: Final = 8


def play(steps: Iterable[Input], table: Mapping[str, Step]) -> Output:
    """Return the answer to each step. The answer to a refused step is the name of its error.

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


class ChosenEntropy(Uncopyable):
    """Entropy that returns the bytes offered for one step, by their length, each once.

    Eight bytes that were not offered are the id of a session. No message contains it, so a counter will do.
    """

    __slots__ = ("_drawn", "_left")

    def __init__(self) -> None:
        self._left: defaultdict[int, list[bytes]] = defaultdict(list)
        self._drawn = 0

    def offer(self, *chosen: bytes | None) -> None:
        """Replace all earlier bytes with these. Bytes of the same length are drawn in order."""
        self._left.clear()
        for each in chosen:
            if each is not None:
                self._left[len(each)].append(each)

    def __call__(self, length: int) -> bytes:
        """Return the next bytes of this length. Raises UsageError if none are left."""
        if self._left[length]:
            return self._left[length].pop(0)
        if length != _SESSION_ID_BYTES:
            raise UsageError(f"this step needs {length} more random bytes")
        self._drawn += 1
        return (self._drawn << 1).to_bytes(length, "big")


def entropy_for_sending(step: Input, entry: StoredSession | None) -> tuple[bytes | None, ...]:
    """Return the bytes that a sending step may draw: the nonce, the ratchet's private key, the braid's bytes.

    The last two can both have 32 bytes, so the private key is offered only if the ratchet needs a new one.
    """
    nonce = step.sized("nonce", SENT_NONCE_BYTES)
    entropy = step.with_default("entropy").optional_hex("entropy")
    private = None if step.is_null("ratchet_private") else step.sized("ratchet_private", KEY_BYTES)
    session = None if entry is None or isinstance(entry.session, Ended) else entry.session
    needs_key = session is not None and isinstance(double_of(session.ratchet), Hearing)
    return nonce, private if needs_key else None, entropy


def double_of(ratchet: Ratchet) -> State:
    """Return the double ratchet, alone or in a triple one."""
    found = ratchet.double if isinstance(ratchet, Triple) else ratchet
    if not isinstance(found, Waiting | Unanswered | Hearing | Speaking):
        raise TypeError("a ratchet of another suite")
    return found


class _RollBack(Exception):
    pass


def kept_keys(store: Store, address: bytes) -> tuple[int, int]:
    """Return the number of stored sessions with a peer, and of the skipped keys in all of them.

    A store cannot count keys, but it counts those that it deletes. So they are deleted, and rolled back.
    """
    counts: list[int] = []
    with suppress(_RollBack), store.transaction():
        counts = [
            store.tables.skipped_keys.trim(row.id, 0)
            for row in store.tables.sessions.load(address, MAX_SKIPPED_KEYS)
        ]
        raise _RollBack
    return len(counts), sum(counts)
