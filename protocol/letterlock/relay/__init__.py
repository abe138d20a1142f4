"""The relay: a directory of device lists and prekeys, and mailboxes. It reads nothing and decides nothing.

    RelayStore              where a relay keeps what it was given: one protocol for every database
    SqliteRelayStore        a file
    PostgresqlRelayStore    a PostgreSQL database, for several relay processes
    JetStreamRelayStore     NATS JetStream, beyond one machine
    open_store              the store that a URL names
    TicketKey               with it an application's server allows people to register
    ClaimState              which prekey bundles of a device were given out: a record that a store keeps

Not here: what clients do with a relay (client/); the command that serves one (cli/).
"""

from letterlock.relay._claims import Choice, ClaimState
from letterlock.relay._errors import RateLimited
from letterlock.relay._jetstream import JetStreamRelayStore
from letterlock.relay._opening import open_store
from letterlock.relay._postgresql import PostgresqlRelayStore
from letterlock.relay._sqlite import SqliteRelayStore
from letterlock.relay._store import (
    Counts,
    Deliver,
    Delivered,
    Expired,
    Head,
    ListedKey,
    LogHead,
    Mail,
    Opened,
    Page,
    Posted,
    Published,
    Put,
    RelayStore,
    ShelfPage,
    Stock,
    Watch,
)
from letterlock.relay._ticket_key import TicketKey

__all__ = [
    "Choice",
    "ClaimState",
    "Counts",
    "Deliver",
    "Delivered",
    "Expired",
    "Head",
    "JetStreamRelayStore",
    "ListedKey",
    "LogHead",
    "Mail",
    "Opened",
    "Page",
    "Posted",
    "PostgresqlRelayStore",
    "Published",
    "Put",
    "RateLimited",
    "RelayStore",
    "ShelfPage",
    "SqliteRelayStore",
    "Stock",
    "TicketKey",
    "Watch",
    "open_store",
]
