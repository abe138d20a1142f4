"""The profile of a user's device: opened for one command, with the table of what it has to send.

    name       the file name in the recipient's mail directory
    address    the encoded address of the recipient
    message    the message, encrypted

The table `cli_outgoing` lies in the store's database, so that a message and the session's new state are one
commit. A row is deleted once its file was written. After a kill, the next command writes the same file again.

Not here: the directory of a profile (_profile.py), the exchange folder (_folder.py).
"""

import shlex
import sqlite3
import time
import unicodedata
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock.cli._folder import Folder, message_name
from letterlock.cli._profile import NO_ACCOUNT, has_entry, open_store
from letterlock.errors import CorruptStore, NoAccount, PeerError, StoreError, UsageError
from letterlock.stores import EntryKind, SqliteStore
from letterlock.user import Outgoing, User, UserContact

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS cli_outgoing "
    "(name TEXT PRIMARY KEY NOT NULL, address BLOB NOT NULL, message BLOB NOT NULL) WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class UserProfile:
    """An open profile."""

    user: User
    store: SqliteStore
    outgoing: "OutgoingMessages"


@contextmanager
def open_user(home: str | None, maker: str = "letterlock user init NAME") -> Generator[UserProfile]:
    """Open a user's profile for one command. `maker` is the command that makes one.

    Raises UsageError, StoreError, OSError.
    """
    with open_store(home, maker) as store:
        try:
            user = User.open(store)
        except NoAccount:
            raise _why_no_user(store) from None
        yield UserProfile(user, store, OutgoingMessages(store, user.address))


def name_of(typed: str) -> str:
    """Return a typed name in normal form C, as an address has it. Raises UsageError."""
    return Address(unicodedata.normalize("NFC", typed)).name


def find_contact(user: User, name: str) -> UserContact | None:
    """Return the contact of this name, or None."""
    try:
        return user.contact(name)
    except UsageError:
        return None


def require_contact(user: User, typed: str) -> UserContact:
    """Return the contact of a typed name. Raises UsageError if there is none."""
    name = name_of(typed)
    contact = find_contact(user, name)
    if contact is None:
        raise UsageError(f"no contact is called {name}: `letterlock user learn {shlex.quote(name)}` first")
    return contact


def is_listed(user: User) -> bool:
    """Return whether this device is in the user's newest device list on record."""
    return any(each.id == user.address.device_id for each in user.devices())


def require_listed(user: User) -> None:
    """Raise UsageError if this device was revoked."""
    if not is_listed(user):
        raise UsageError(
            "this device was revoked: `letterlock user join` with another --home makes a new one"
        )


def _why_no_user(store: SqliteStore) -> StoreError | UsageError:
    if has_entry(store, EntryKind.LINKING):
        return UsageError("this device is not linked yet: go on with `letterlock user join`")
    if has_entry(store, EntryKind.ASKING):
        return UsageError("this profile waits to come back: `letterlock recovery recover NAME --forgotten`")
    with store.transaction():
        if store.tables.account.load() is None:
            return StoreError(NO_ACCOUNT)
    return UsageError(
        "this profile is a single device's and no user's: see `letterlock --help`, or choose another --home"
    )


class OutgoingMessages:
    """The table of messages that are committed, and perhaps not yet in the exchange folder."""

    __slots__ = ("_last", "_sender", "_store")

    def __init__(self, store: SqliteStore, sender: Address) -> None:
        self._store = store
        self._sender = sender
        self._last = 0

    def add(self, messages: Iterable[Outgoing]) -> None:
        """Record messages, in the transaction that encrypted them. Raises StoreError."""
        for each in messages:
            self._last = max(self._last + 1, time.time_ns() // 1_000_000)
            row = message_name(self._sender, self._last), each.address.encode(), each.message
            self._run(_TABLE)
            self._run("INSERT INTO cli_outgoing (name, address, message) VALUES (?, ?, ?)", *row)

    def post(self, folder: Folder) -> OSError | None:
        """Write all recorded messages to the folder. Return what went wrong with the last that was not.

        A device whose directory cannot be written to does not hold up the others. Raises StoreError.
        """
        failure = None
        for name, address, message in self._all():
            try:
                folder.post(_address(address), name, message)
            except OSError as error:
                failure = error
                continue
            with self._store.transaction():
                self._run("DELETE FROM cli_outgoing WHERE name = ?", name)
        return failure

    def _all(self) -> list[tuple[Any, ...]]:
        with self._store.transaction():
            if not self._run("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'cli_outgoing'"):
                return []
            return self._run("SELECT name, address, message FROM cli_outgoing ORDER BY name")

    def _run(self, sql: str, *values: bytes | str) -> list[tuple[Any, ...]]:
        try:
            return self._store.connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            name: str = getattr(error, "sqlite_errorname", "unreadable text")
            raise StoreError(f"the table of outgoing messages cannot be used ({name})") from error


def _address(encoded: bytes) -> Address:
    try:
        return Address.from_fields(cbor.decode(encoded))
    except (PeerError, TypeError):
        raise CorruptStore("an outgoing message is damaged: restore the store from a copy") from None
