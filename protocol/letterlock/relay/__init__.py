"""The relay: a directory of device lists and prekeys, and mailboxes. It reads nothing and decides nothing.

    RelayStore    where a relay keeps what it was given: one protocol for every database

Not here: what clients do with a relay (client/); the command that serves one (cli/).
"""

from letterlock.relay._store import (
    Counts,
    Deliver,
    Delivered,
    Expired,
    Head,
    ListedKey,
    Mail,
    Page,
    Published,
    RelayStore,
    Stock,
    Watch,
)

__all__ = [
    "Counts",
    "Deliver",
    "Delivered",
    "Expired",
    "Head",
    "ListedKey",
    "Mail",
    "Page",
    "Published",
    "RelayStore",
    "Stock",
    "Watch",
]
