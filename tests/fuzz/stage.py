"""A live account that is in the same state for every input.

A call is made inside a transaction that is undone afterwards. Before that, the store is checked:

    refused     nothing has changed
    accepted    the same message is a duplicate, and is still refused after its session has gone

Not here: work, memory, errors (harness.py).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeAlias, TypeVar

from fuzz.harness import MESSAGE, Budget, Finding, Look, Outcome, attempt
from letterlock._wire.address import Address
from letterlock.account import Account
from letterlock.errors import AuthenticationFailed, DuplicateMessage, LetterlockError, PeerError
from letterlock.limits import MAX_ARCHIVED_SESSIONS
from letterlock.stores import SessionRow
from support.pair import AnyStore, snapshot

T = TypeVar("T")

Step: TypeAlias = Callable[[], object]


class _Undo(Exception):
    """Ends a transaction of the stage, so that the store is as it was."""


class Stage:
    """An account in its store; `budget` limits each call on it."""

    def __init__(self, account: Account, store: AnyStore, budget: Budget = MESSAGE) -> None:
        self._account = account
        self._store = store
        self._budget = budget
        self._still = snapshot(store)

    def decrypt(self, address: Address, data: bytes) -> Outcome[bytes]:
        """Decrypt a message; if that gives a plaintext, check that it does not the second time."""
        sessions: list[int] = []

        def call() -> bytes:
            sessions.append(self._count(address))
            return self._account.decrypt(address, data)

        return self.use(data, call, then=lambda: self._require_once(address, call, sessions[0]))

    def use(
        self, data: bytes, call: Callable[[], T], *, first: Step | None = None, then: Step | None = None
    ) -> Outcome[T]:
        """Make a call on the account: after `first`, and before `then` if it is accepted."""

        @contextmanager
        def around() -> Iterator[Look]:
            with suppress(_Undo), self._store.transaction():
                before = self._still
                if first is not None:
                    first()
                    before = snapshot(self._store)
                yield partial(self._look, before, then)
                raise _Undo

        outcome = attempt(data, call, LetterlockError, self._budget, around)
        if snapshot(self._store) != self._still:
            raise Finding("the store is not as it was: the transaction did not undo everything")
        return outcome

    def _look(self, before: dict[str, Any], then: Step | None, error: LetterlockError | None) -> None:
        if error is not None:
            if snapshot(self._store) != before:
                raise Finding(f"refused as {type(error).__name__}, and the store has changed")
        elif then is not None:
            then()

    def _require_once(self, address: Address, call: Step, sessions: int) -> None:
        status = self._account.session(address)
        ended = self._count(address) < sessions or (status is not None and status.ended)
        # A session that ended has no key left to know the message by.  PQR-5
        _require_refusal(call, AuthenticationFailed if ended else DuplicateMessage)
        for row in self._rows(address):
            self._store.tables.sessions.delete(row.id)
        # What a first message used is used up, even if its session is deleted.  HAND-7, HAND-8
        _require_refusal(call, PeerError)

    def _count(self, address: Address) -> int:
        with self._store.transaction():
            return len(self._rows(address))

    def _rows(self, address: Address) -> list[SessionRow]:
        return self._store.tables.sessions.load(address.encode(), MAX_ARCHIVED_SESSIONS + 1)


def _require_refusal(call: Step, allowed: type[LetterlockError]) -> None:
    try:
        call()
    except allowed:
        return
    except LetterlockError as error:
        raise Finding(f"the second time refused as {type(error).__name__}") from None
    raise Finding("accepted twice")
