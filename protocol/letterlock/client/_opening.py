"""Opening: a store, its user and its client's rows, and the way to the relay.

    create      a new user, in an empty store; or the same one again, if its registration was cut short
    existing    the user that a store holds
    linked      the user that a new device has become, by linking

Not here: what runs afterwards (_client.py), linking itself (_linking.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from letterlock._primitives.entropy import Clock, system_clock, system_entropy
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import RegisterRequest
from letterlock.client._arrivals import Arrivals
from letterlock.client._connection import Connection
from letterlock.client._errors import (
    NameTaken,
    RelayMisbehaves,
    RelayRefused,
    RelayUnavailable,
    TicketRefused,
)
from letterlock.client._http import HttpTransport, RelayUrl
from letterlock.client._pace import Pace
from letterlock.client._queue import Queue
from letterlock.client._rows import OwnRecord
from letterlock.client._transport import Transport
from letterlock.errors import AccountExists, UsageError
from letterlock.stores import Store
from letterlock.user import User

_PACE: Final = Pace()


@dataclass(frozen=True, slots=True)
class World:
    """What a client takes from the outside world. Tests put their own in its place."""

    transport: Callable[[RelayUrl], Transport] = HttpTransport
    pace: Pace = _PACE
    clock: Clock = system_clock


WORLD: Final = World()


def create(store: Store, name: str, relay: str, clock: Clock) -> Arrivals:
    """Make a user, or return the one whose registration was cut short. Raises AccountExists, UsageError."""
    with store.transaction():
        if store.tables.account.load() is None:
            arrivals = _arrivals_of(User.create(store, name, clock=clock), store, clock)
            arrivals.queue.tables.save_own(OwnRecord(relay))
            return arrivals
        arrivals = existing(store, clock)
        own = arrivals.queue.own()
        if own.registered or (arrivals.queue.user.name, own.relay) != (name, relay):
            raise AccountExists("this store holds a user already: open it, or choose another store")
        return arrivals


def existing(store: Store, clock: Clock) -> Arrivals:
    """Return the user of a store. Raises NoAccount, and UsageError if it has no client."""
    with store.transaction():
        arrivals = _arrivals_of(User.open(store, clock=clock), store, clock)
        arrivals.queue.own()
        return arrivals


def linked(user: User, store: Store, relay: str, clock: Clock) -> Arrivals:
    """Return the user that a new device has become, as a client of a relay that knows it already."""
    with store.transaction():
        arrivals = _arrivals_of(user, store, clock)
        arrivals.queue.tables.save_own(OwnRecord(relay, registered=True))
        return arrivals


def _arrivals_of(user: User, store: Store, clock: Clock) -> Arrivals:
    return Arrivals(Queue(user, store, clock, system_entropy), store)


async def register(connection: Connection, name: str, lists: tuple[bytes, ...], ticket: bytes | None) -> None:
    """Register a user. Raises NameTaken, TicketRefused, RelayUnavailable, RelayMisbehaves."""
    try:
        await connection.call_openly(RegisterRequest(name, lists, ticket), DoneAnswer)
    except RelayRefused as refused:
        match refused.code:
            case RelayCode.TAKEN:
                raise NameTaken from None
            case RelayCode.TICKET:
                raise TicketRefused from None
            case RelayCode.SLOW_DOWN:
                raise RelayUnavailable("the relay registers nobody now", refused.number) from None
            case _:
                raise RelayMisbehaves("refuses to register a user") from None


def checked_name(name: str) -> str:
    """Return a name that is a str. Raises UsageError."""
    if type(name) is not str:
        raise UsageError(f"name must be str, not {type(name).__name__}")
    return name
