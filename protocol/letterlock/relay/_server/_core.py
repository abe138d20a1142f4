"""What an endpoint serves: a core with a table of calls, and what the relay is to an endpoint.

    Core        which calls there are, whose token this is, and the answer to a body
    RelayCore   the relay as a core
    Beside      another core in the process of a relay, with a store of its own

Not here: from a request to a body (_calls.py).
"""

from collections.abc import Callable, Mapping
from time import time
from typing import Final, Protocol

from starlette.types import Scope

from letterlock._wire.relay_calls import CALL_OF_PATH, Call, TokenUse
from letterlock.relay._relay import Relay
from letterlock.relay._reply import Reply
from letterlock.relay._session import Session
from letterlock.relay._store import RelayStore


class AnyCall(Protocol):
    """What an endpoint knows of a call: its path, how long a request may be, and whether it needs a token."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        ...

    @property
    def path(self) -> str:
        """The path of the URL, after the authority."""
        ...

    @property
    def size(self) -> int:
        """How many bytes a request has at most."""
        ...

    @property
    def token(self) -> TokenUse:
        """Whether it needs a token."""
        ...


class Core(Protocol):
    """What answers calls."""

    def find(self, path: str) -> AnyCall | None:
        """Return the call with this path, or None."""
        ...

    def session(self, token: bytes, now: int) -> Session | None:
        """Return whose token this is, or None."""
        ...

    async def answer(self, path: str, body: bytes, session: Session | None, scope: Scope) -> Reply:
        """Answer a call. Every body gets an answer."""
        ...


class Beside(Protocol):
    """What a relay's process serves beside the relay."""

    @property
    def core(self) -> Core:
        """What answers the calls below `prefix`."""
        ...

    @property
    def prefix(self) -> str:
        """What the paths of these calls begin with."""
        ...

    def counted_by(self, count: Callable[[str], None]) -> None:
        """Have what happens counted: `count` is told what, and of nobody to whom."""
        ...

    async def ready(self) -> None:
        """Raise StoreError unless its store answers."""
        ...

    async def upkeep(self, now: int) -> None:
        """Delete what has ended. Raises StoreError."""
        ...

    async def close(self) -> None:
        """Close its store."""
        ...


class OpensBeside(Protocol):
    """What a relay is given before its processes begin: each of them opens its own."""

    async def open(self, store: RelayStore) -> Beside:
        """Open it beside a relay's store. Raises StoreError, UsageError."""
        ...


class RelayCore:
    """The relay as a core."""

    def __init__(self, relay: Relay) -> None:
        self._relay: Final = relay
        self._calls: Final[Mapping[str, Call]] = CALL_OF_PATH

    def find(self, path: str) -> Call | None:
        """See Core."""
        return self._calls.get(path)

    def session(self, token: bytes, now: int) -> Session | None:
        """See Core."""
        return self._relay.session(token, now)

    async def answer(self, path: str, body: bytes, session: Session | None, scope: Scope) -> Reply:
        """See Core."""
        del scope
        return await self._relay.handle(self._calls[path], body, session, int(time()))
