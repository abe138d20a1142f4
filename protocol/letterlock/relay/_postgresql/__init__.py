"""A relay's database in PostgreSQL 15 or later: one site, with as many relay processes as it needs.

    PostgresqlRelayStore    the store
    migrate                 brings the tables of an earlier release to this one

Every method is one statement or one short transaction. Rows are locked in one order: account, device,
prekeys, mail; several devices in the order of their ids. So no two calls wait for each other.

Mail is one table, not a table for each day. Most mail leaves by acknowledgement, within hours, and vacuum
must keep up with that in any case. The rest is deleted row by row when it is too old. With a table for each
day that rest would cost nothing, but each send, fetch and acknowledgement would search all the days.

Not here: what a relay asks of a database (relay/_store.py).
"""

from letterlock.relay._postgresql.schema import migrate
from letterlock.relay._postgresql.store import PostgresqlRelayStore

__all__ = ["PostgresqlRelayStore", "migrate"]
