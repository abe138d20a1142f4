"""The record of a message that could not be read.

retry    [1, address, attempts, cause, asked, content id / null]
"""

from dataclasses import dataclass
from typing import Final

from letterlock._records.entry import MAX_ATTEMPTS, MAX_TIME, decode_entry, encode_entry
from letterlock._wire.address import Address
from letterlock._wire.content_bodies import RetryCause
from letterlock._wire.fields import Fields
from letterlock.limits import MESSAGE_ID_BYTES
from letterlock.stores import Record

_FIELDS: Final = 5


@dataclass(frozen=True, slots=True)
class RetryRecord:
    """A message that could not be read: the device that sent it, and how often we asked for it again.

    `asked` is when we asked last, in seconds since 1970 (UTC), and 0 while we have not. `request` is the id
    of the content that asked, 16 bytes.
    """

    address: Address
    attempts: int
    cause: RetryCause
    asked: int = 0
    request: bytes | None = None


def encode_retry(retry: RetryRecord) -> Record:
    """Return the record of a message that could not be read."""
    return encode_entry(retry.address.fields(), retry.attempts, int(retry.cause), retry.asked, retry.request)


def decode_retry(record: Record) -> RetryRecord:
    """Return what a record says of a message that could not be read. Raises CorruptStore."""
    return decode_entry(record, _FIELDS, "a record of a message that could not be read", _read)


def _read(fields: Fields) -> RetryRecord:
    address, attempts = Address.from_fields(fields.any()), fields.uint("attempts", MAX_ATTEMPTS)
    cause = RetryCause(fields.uint("cause", max(RetryCause)))
    asked, request = fields.uint("time", MAX_TIME), fields.optional_blob("request", MESSAGE_ID_BYTES)
    return RetryRecord(address, attempts, cause, asked, request)
