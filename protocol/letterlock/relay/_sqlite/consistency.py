"""What must not be in a relay's file, and how much of it there is. All inside one transaction.

Not here: mending it. A relay restores a backup.
"""

import sqlite3
from collections import defaultdict
from typing import Final

from letterlock.errors import CorruptStore
from letterlock.relay._claims import ClaimState

_CONTRADICTIONS: Final = {
    "accounts whose newest list is not there": """SELECT count(*) FROM account a WHERE NOT EXISTS
    (SELECT * FROM list l WHERE l.account = a.id AND l.version = a.version)""",
    "lists newer than their account's newest": """SELECT count(*) FROM list l JOIN account a
    ON a.id = l.account WHERE l.version > a.version""",
    "lists without an account": "SELECT count(*) FROM list WHERE account NOT IN (SELECT id FROM account)",
    "devices without an account": "SELECT count(*) FROM device WHERE account NOT IN (SELECT id FROM account)",
    "messages of devices that no list names": """SELECT count(*) FROM mail
    WHERE device NOT IN (SELECT id FROM device)""",
    "prekeys of devices that no list names": """SELECT count(*) FROM prekeys
    WHERE device NOT IN (SELECT id FROM device)""",
    "pages of prekeys without a count": """SELECT count(*) FROM page
    WHERE device NOT IN (SELECT device FROM prekeys)""",
    "pages that lack bundles": """SELECT count(*) FROM page p WHERE p.count <>
    (SELECT count(*) FROM bundle b WHERE b.id >= p.first AND b.id < p.first + p.count)""",
    "bundles without a page": """SELECT (SELECT count(*) FROM bundle) - coalesce(sum(count), 0) FROM page""",
    "mailboxes with a wrong count of messages": """SELECT count(*) FROM device d LEFT JOIN
    (SELECT device, count(*) AS n, sum(size) AS size FROM mail GROUP BY device) m ON m.device = d.id
    WHERE d.messages <> coalesce(m.n, 0) OR d.bytes <> coalesce(m.size, 0)""",
    "messages of another length than noted": "SELECT count(*) FROM mail WHERE size <> length(message)",
    "parts of places that nobody opened": """SELECT count(*) FROM part
    WHERE place NOT IN (SELECT place FROM place)""",
    "parcels of another length than noted": "SELECT count(*) FROM parcel WHERE size <> length(parcel)",
    "parcels on no shelf, or numbered beyond its newest": """SELECT count(*) FROM parcel p
    WHERE NOT EXISTS (SELECT * FROM shelf s WHERE s.shelf = p.shelf AND s.number >= p.number)""",
    "shelves with a wrong count of parcels": """SELECT count(*) FROM shelf s LEFT JOIN
    (SELECT shelf, count(*) AS n, sum(size) AS size FROM parcel GROUP BY shelf) p ON p.shelf = s.shelf
    WHERE s.parcels <> coalesce(p.n, 0) OR s.bytes <> coalesce(p.size, 0)""",
    "wrong counts of what one user put on a shelf": """SELECT count(*) FROM
    (SELECT shelf, putter, parcels, bytes FROM putter EXCEPT
    SELECT shelf, putter, count(*), sum(size) FROM parcel GROUP BY shelf, putter)""",
    "users whose parcels on a shelf are not counted": """SELECT count(*) FROM
    (SELECT DISTINCT shelf, putter FROM parcel EXCEPT SELECT shelf, putter FROM putter)""",
    "logs whose newest entry is not there": """SELECT count(*) FROM log l WHERE NOT EXISTS
    (SELECT * FROM entry e WHERE e.log = l.log AND e.number = l.number)""",
    "logs that lack entries, or have newer ones": """SELECT count(*) FROM log l WHERE l.number <>
    (SELECT count(*) FROM entry e WHERE e.log = l.log)""",
    "entries without a log": "SELECT count(*) FROM entry WHERE log NOT IN (SELECT log FROM log)",
}
"""What must not be, and how many there are of it."""


def check(connection: sqlite3.Connection) -> list[str]:
    """Return what contradicts itself, each as a sentence without identities."""
    found = [
        f"SQLite: {text}"
        for (text,) in connection.execute("PRAGMA integrity_check").fetchall()
        if text != "ok"
    ]
    for what, question in _CONTRADICTIONS.items():
        (count,) = connection.execute(question).fetchone()
        if count:
            found.append(f"{count} {what}")
    return found + _check_claims(connection)


def _check_claims(connection: sqlite3.Connection) -> list[str]:
    """Compare the records of claims with the pages that they are about."""
    pages: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for device, number, count in connection.execute("SELECT device, number, count FROM page"):
        pages[device][number] = count
    damaged = wrong = missing = 0
    for device, number, stock, record in connection.execute(
        "SELECT device, number, stock, state FROM prekeys"
    ):
        try:
            state = ClaimState.decode(record)
        except CorruptStore:
            damaged += 1
            continue
        wrong += (number, stock) != (state.number, state.stock)
        missing += {page.number: page.bundles for page in state.pages} != pages[device]
    found = {
        "records of claims that cannot be read": damaged,
        "devices with a wrong count of bundles": wrong,
        "devices whose pages are not those of their record": missing,
    }
    return [f"{count} {what}" for what, count in found.items() if count]
