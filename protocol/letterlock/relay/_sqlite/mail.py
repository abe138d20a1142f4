"""Mail: each function runs inside a transaction.

Not here: waking who waits for mail (watching.py); mail that grew too old (operations.py).
"""

import sqlite3
from collections.abc import Iterator, Sequence

from letterlock.relay._sqlite.devices import find, find_device, find_listed, find_rows
from letterlock.relay._sqlite.lane import Undo
from letterlock.relay._store import Deliver, Delivered, ListedKey, Mail

Limits = tuple[int, int]
"""How many messages, and how many bytes in all."""


def deliver(connection: sqlite3.Connection, account: bytes, send: Deliver) -> Delivered:
    """Store all messages of a send, or raise Undo where one finds no room."""
    rows = find_rows(connection, account, send.version, send.hash)
    if not rows or not all(mail.device in rows for mail in send.mail):
        found = find(connection, account)
        return Delivered(unknown=True) if found is None else Delivered(head=found.head)
    for mail in send.mail:
        if not _store(connection, rows[mail.device], mail, send):
            raise Undo(Delivered(full=mail.device))
    return Delivered()


def _store(connection: sqlite3.Connection, row: int, mail: Mail, send: Deliver) -> bool:
    """Store a message unless it is there. Return False if the mailbox has no room."""
    size = len(mail.message)
    is_new = connection.execute(
        "INSERT INTO mail (device, id, time, size, sender, sender_device, message)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, id) DO NOTHING",
        (row, mail.id, mail.time, size, *mail.sender, mail.message),
    ).rowcount
    if not is_new:
        return True
    return bool(
        connection.execute(
            "UPDATE device SET messages = messages + 1, bytes = bytes + ?"
            " WHERE id = ? AND messages < ? AND bytes + ? <= ?",
            (size, row, send.most_messages, size, send.most_bytes),
        ).rowcount
    )


def fetch(
    connection: sqlite3.Connection,
    account: bytes,
    device: int,
    limits: Limits,
    skip: frozenset[bytes],
) -> list[Mail]:
    """Return the oldest messages in order: at most so many and so many bytes, but one if there is one."""
    row = find_device(connection, account, device)
    if row is None:
        return []
    # A message's bytes come last in its row, so what is skipped is not read whole.
    return [
        Mail(device, mail_id, time, (sender, sender_device), message)
        for seq in list(_choose(connection, row, limits, skip))
        for mail_id, time, sender, sender_device, message in connection.execute(
            "SELECT id, time, sender, sender_device, message FROM mail WHERE seq = ?", (seq,)
        )
    ]


def _choose(
    connection: sqlite3.Connection, row: int, limits: Limits, skip: frozenset[bytes]
) -> Iterator[int]:
    most, most_bytes = limits
    count = size = 0
    for seq, mail_id, length in connection.execute(
        "SELECT seq, id, size FROM mail WHERE device = ? ORDER BY seq", (row,)
    ):
        if mail_id in skip:
            continue
        count, size = count + 1, size + length
        if count > most or (count > 1 and size > most_bytes):
            return
        yield seq


def acknowledge(
    connection: sqlite3.Connection, account: bytes, listed: ListedKey, ids: Sequence[bytes]
) -> bool:
    """Delete messages. Return False if the device is not listed."""
    row = find_listed(connection, account, listed)
    if row is None:
        return False
    sizes = [
        size
        for mail_id in ids
        for (size,) in connection.execute(
            "DELETE FROM mail WHERE device = ? AND id = ? RETURNING size", (row, mail_id)
        ).fetchall()
    ]
    if sizes:
        release(connection, row, len(sizes), sum(sizes))
    return True


def release(connection: sqlite3.Connection, row: int, messages: int, size: int) -> None:
    """Count messages that were deleted."""
    connection.execute(
        "UPDATE device SET messages = messages - ?, bytes = bytes - ? WHERE id = ?", (messages, size, row)
    )
