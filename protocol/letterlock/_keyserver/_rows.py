"""Rows: what a server of recovery keeps, each under a tag, sealed, and perhaps only until some time.

    tag       HMAC(index key, "recovery", kind, key), 16 bytes, so that a database names nobody   [REC-20]
    record    sealed under the values key, to its kind and tag

    Rows         what a database does: it sees kinds, tags and sealed records
    SealedRows   the same with keys and records, over any Rows

A change reads some rows, and writes what a step makes of them, in one transaction. Two changes that have a
row in common never see the same of it, whichever process makes them. [REC-9]

Not here: the databases (_sqlite.py, _postgresql.py); what the records hold.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum, unique
from typing import Any, Final, NamedTuple, Protocol, Self, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock.errors import UnsupportedStore
from letterlock.stores import Record
from letterlock.stores._sqlite.cipher import StoreCipher
from letterlock.stores._sqlite.wrapped_key import DataKey

T = TypeVar("T")


@unique
class RowKind(IntEnum):
    """What a row is about, and what its key is."""

    CHECK = 0
    """Opens under the server's key alone; the key is empty."""
    LOCKS = 1
    """The locks of a user; the key is the user id, 32 bytes."""
    LISTS = 2
    """The newest device list of a user that the server has seen; the key is the user id."""
    BOX = 3
    """Whose box is kept, and who may get it; the key is the user id."""
    GATE = 4
    """What a check of identity remembers; the key is the gate's own, 32 bytes."""
    PEOPLE = 5
    """The provisional identities of one person; the key is the gate's tag of an address, 32 bytes."""
    HOURS = 6
    """Time as this server counts it; the key is empty."""
    SECOND_LOCKS = 7
    """The second lock of a user; the key is the user id."""
    NOTICES = 8
    """Notices for a user that wait to be sent; the key is the user id."""
    BOX_CONTENTS = 12
    """The box of a user, which nobody may get before the other row was looked at; the key is the user id."""


class RowName(NamedTuple):
    """The kind and the tag of a row."""

    kind: int
    tag: bytes


class Stored(NamedTuple):
    """What is written: a record, and until when it is kept, in seconds since 1970; None for ever."""

    record: bytes
    until: int | None = None


Changes = Mapping[int, Stored | None]
"""By the place of a row among those that were read: what is written, or None to delete it."""

RowStep = Callable[[list[bytes | None]], tuple[Changes, T]]
"""Takes what the rows hold, None for one that is not there; returns what changes, and an answer."""


class Rows(Protocol):
    """What a database of recovery does. Methods raise StoreError, and nothing is changed then.

    After a StoreError of `change` the change may have been made: its answer may have been lost.
    """

    async def open(self) -> Self:
        """Open the database, and create its tables if there are none."""
        ...

    async def close(self) -> None:
        """Wait for what runs, and close it."""
        ...

    async def load(self, names: Sequence[RowName]) -> list[bytes | None]:
        """Return what rows hold at one moment, None for one that is not there."""
        ...

    async def change(self, names: Sequence[RowName], step: RowStep[T]) -> T:
        """Carry out a step on rows, and return its answer when what changed is durable. [REC-9]

        No other change sees these rows meanwhile. What `step` raises changes nothing, and is raised. It runs
        once, or not at all, and does nothing that takes long.
        """
        ...

    async def page(self, kind: int, after: bytes, most: int) -> list[tuple[bytes, bytes]]:
        """Return tags and records of a kind, after a tag, in the order of tags: at most so many."""
        ...

    async def expire(self, now: int, most: int) -> int:
        """Delete at most so many rows whose time is over, and return how many."""
        ...


Name = tuple[int, bytes]
"""The kind and the key of a row: a user id, or whatever the kind says."""

Found = list[Record | None]
Step = Callable[[Found], tuple[Changes, T]]

_TAGS: Final = b"recovery"
_TABLE: Final = b"recovery"
_FORM: Final = 2
_MARKS: Final = b"letterlock recovery "
"""What the first row holds, followed by the number of the form that all other rows have."""


class SealedRows(Uncopyable):
    """Rows by their keys, with records that only the server's key opens."""

    __slots__ = ("_cipher", "_rows")

    def __init__(self, rows: Rows, key: DataKey) -> None:
        self._rows = rows
        self._cipher = StoreCipher(key)

    async def open(self) -> Self:
        """Open the database. Raises StoreError, and UnsupportedStore if it was made under another key."""
        await self._rows.open()
        try:
            await self._check()
        except BaseException:
            await self._rows.close()
            raise
        return self

    async def _check(self) -> None:
        """Compare the key with that of the row that stands under no tag, which the first start writes.

        Under another key every user would seem to have no lock, and devices would make new ones.
        """
        name = RowName(RowKind.CHECK, b"")
        made = self._cipher.seal(Record(_MARKS + b"%d" % _FORM), _TABLE, *name)

        def step(found: list[bytes | None]) -> tuple[Changes, bytes]:
            return ({0: Stored(made)}, made) if found[0] is None else ({}, found[0])

        kept = await self._rows.change([name], step)
        try:
            mark = self._cipher.open(kept, _TABLE, *name).expose()
        except Exception:  # noqa: BLE001 - whatever it is, this key does not open it
            raise UnsupportedStore(
                "the database was made under another key file: name that one, or another database"
            ) from None
        _require_form(mark)

    async def close(self) -> None:
        """Close the database."""
        await self._rows.close()

    async def ready(self) -> None:
        """Raise StoreError unless the database answers."""
        await self._rows.load([RowName(RowKind.CHECK, b"")])

    async def load(self, *names: Name) -> Found:
        """Return what rows hold. Raises StoreError."""
        tagged = [self._tag(each) for each in names]
        return self._opened(tagged, await self._rows.load(tagged))

    async def change(self, names: Sequence[Name], step: Step[T]) -> T:
        """Carry out a step on rows. Raises StoreError, and what `step` raises."""
        tagged = [self._tag(each) for each in names]

        def inside(found: list[bytes | None]) -> tuple[Changes, T]:
            changes, answer = step(self._opened(tagged, found))
            return {at: self._sealed(tagged[at], each) for at, each in changes.items()}, answer

        return await self._rows.change(tagged, inside)

    async def page(self, kind: RowKind, after: bytes, most: int) -> tuple[list[Record], bytes]:
        """Return at most so many records of a kind, and after which tag the next ones come.

        Begin after b"". There are no more if there are fewer. Raises StoreError.
        """
        found = await self.sealed_page(kind, after, most)
        opened = [self.open_one(kind, tag, sealed) for tag, sealed in found]
        return opened, found[-1][0] if found else after

    async def sealed_page(self, kind: RowKind, after: bytes, most: int) -> list[tuple[bytes, bytes]]:
        """Return at most so many rows of a kind, in the order of their tags, sealed. Raises StoreError."""
        return await self._rows.page(kind, after, most)

    def open_one(self, kind: RowKind, tag: bytes, sealed: bytes) -> Record:
        """Open a row of a page. Raises CorruptStore."""
        return self._cipher.open(sealed, _TABLE, int(kind), tag)

    async def expire(self, now: int, most: int) -> int:
        """Delete at most so many rows whose time is over, and return how many. Raises StoreError."""
        return await self._rows.expire(now, most)

    def found_or(self, found: Record | None, record: Record, name: Name) -> Record:
        """Return what a row held, or else another record, for the same work. [REC-12]"""
        tagged = self._tag(name)
        sealed = self._cipher.seal(record, _TABLE, *tagged)
        if found is not None:
            return found  # it was opened when it was read
        return self._cipher.open(sealed, _TABLE, *tagged)

    def _tag(self, name: Name) -> RowName:
        kind, key = name
        return RowName(int(kind), self._cipher.tag(_TAGS, int(kind), key))

    def _sealed(self, name: RowName, stored: Stored | None) -> Stored | None:
        if stored is None:
            return None
        return Stored(self._cipher.seal(Record(stored.record), _TABLE, *name), stored.until)

    def _opened(self, names: Sequence[RowName], found: Sequence[Any]) -> Found:
        return [
            None if each is None else self._cipher.open(each, _TABLE, *name)
            for name, each in zip(names, found, strict=True)
        ]

    def __repr__(self) -> str:
        return "<SealedRows>"


def _require_form(mark: bytes) -> None:
    """Raise UnsupportedStore for a database whose rows have another form."""
    digits = mark.removeprefix(_MARKS)
    form = int(digits) if digits.isdigit() else 0
    if form < _FORM:
        raise UnsupportedStore(
            f"the rows have form {form}, of a letterlock before its first release, and this one reads form "
            f"{_FORM}: keep the old one, or begin with an empty database and have users set up recovery again"
        )
    if form > _FORM:
        raise UnsupportedStore(f"the rows have form {form}, of a newer release: upgrade letterlock")
