"""Logs of collections at a relay, which puts their entries in order and can make none.

    log         [1, 18, collection id, after]           ->  [1, newest, [entry ...]]
    log-append  [1, 19, entry]                          ->  [1, taken, newest, [entry ...]]

Each entry is a byte string (log_entry.py). `newest` is the number of the newest entry, 0 if there is
none. If `taken` is 0, the entries are those that the caller lacks, from the first one on that its own entry
contradicts.                                                                                        [RLY-42]

Not here: verifying logs (documents/); who may append (relay/).
"""

from dataclasses import dataclass, field
from typing import Final, Self

from letterlock._wire import cbor
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES, MAX_COLLECTION_ENTRY, MAX_COLLECTION_LOG
from letterlock._wire.fields import Fields
from letterlock._wire.relay_body import Form, RelayBody, read_blobs
from letterlock._wire.relay_limits import KIB, MAX_LOG_BYTES, MAX_LOG_ENTRIES, SMALL_BODY

_ENTRIES: Final = MAX_LOG_BYTES + MAX_COLLECTION_ENTRY + 4 * KIB
"""Bytes of an answer with entries: each has a head of up to 5 bytes."""


def _read_entries(fields: Fields) -> tuple[bytes, ...]:
    return read_blobs(fields, "entries", MAX_LOG_ENTRIES, MAX_COLLECTION_ENTRY)


@dataclass(frozen=True, slots=True)
class LogRequest(RelayBody):
    """Asks for the entries of a collection's log after a number, 0 for all. The id, 16 bytes, is enough."""

    FORM = Form("a request for a log", 4, SMALL_BODY, 5)
    NUMBER = 18

    collection: bytes = field(repr=False)
    after: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.collection, self.after]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        collection = fields.blob("collection id", COLLECTION_ID_BYTES)
        return cls(collection, fields.uint("number", MAX_COLLECTION_LOG))


@dataclass(frozen=True, slots=True)
class LogAnswer(RelayBody):
    """The newest number, and the entries that follow, in order. If the last is older than that, ask again."""

    FORM = Form("an answer with entries of a log", 3, _ENTRIES, 4 + MAX_LOG_ENTRIES)

    newest: int
    entries: tuple[bytes, ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.newest, list[cbor.Value](self.entries)]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.uint_between("newest number", 1, MAX_COLLECTION_LOG), _read_entries(fields))


@dataclass(frozen=True, slots=True)
class LogAppendRequest(RelayBody):
    """Appends an entry, of up to 72 KiB, that a device of the caller's user signed. Entry 1 begins a log."""

    FORM = Form("a new entry of a log", 3, MAX_COLLECTION_ENTRY + KIB, 4)
    NUMBER = 19

    entry: bytes = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.entry]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob_between("entry", 1, MAX_COLLECTION_ENTRY))


@dataclass(frozen=True, slots=True)
class LogAppendAnswer(RelayBody):
    """Whether the entry is in the log, since now or since earlier; if not, entries that the caller lacks.

    If it is not taken, and `newest` is below the number before the entry's, the relay lacks entries itself.
    """

    FORM = Form("an answer about a new entry", 4, _ENTRIES, 5 + MAX_LOG_ENTRIES)

    is_taken: bool
    newest: int
    entries: tuple[bytes, ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [int(self.is_taken), self.newest, list[cbor.Value](self.entries)]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        is_taken = fields.uint("whether it was taken", 1) == 1
        newest, entries = fields.uint("newest number", MAX_COLLECTION_LOG), _read_entries(fields)
        if is_taken and (not newest or entries):
            raise fields.wrong("entries", "an empty array after an entry that was taken")
        return cls(is_taken, newest, entries)
