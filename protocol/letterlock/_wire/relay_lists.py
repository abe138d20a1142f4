"""Device lists on their way to a relay and back.

    register    [1, 3, name, [list ...], ticket / null]     ->  [1]
    lists       [1, 4, name, after]                         ->  [1, newest version, [list ...]]
    append      [1, 5, list]                                ->  [1]
    user        [1, 20, user id, after]                     ->  [1, newest version, [list ...]]

Each list is a byte string, an encoded device list (device_list.py).

Not here: verifying them (user/); who may do what (relay/).
"""

from dataclasses import dataclass, field
from typing import Self

from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.relay_body import Form, RelayBody, read_blobs, read_name
from letterlock._wire.relay_limits import KIB, MAX_CHAIN_BYTES, MAX_CHAIN_LISTS, SMALL_BODY
from letterlock.limits import MAX_COUNTER, MAX_DEVICE_LIST


def _read_lists(fields: Fields, least: int) -> tuple[bytes, ...]:
    lists = read_blobs(fields, "device lists", MAX_CHAIN_LISTS, MAX_DEVICE_LIST)
    if not least <= len(lists):
        raise fields.wrong("device lists", f"an array of {least} to {MAX_CHAIN_LISTS} device lists")
    return lists


@dataclass(frozen=True, slots=True)
class RegisterRequest(RelayBody):
    """Registers a name with the chain of its device lists from version 1: 1 to 20 of them, 4 MiB.

    `ticket` is an encoded ticket, or None where registration is open.
    """

    FORM = Form("a registration", 5, MAX_CHAIN_BYTES + 2 * SMALL_BODY, 6 + MAX_CHAIN_LISTS)
    NUMBER = 3

    name: str
    lists: tuple[bytes, ...] = field(repr=False)
    ticket: bytes | None = field(default=None, repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.name, list[cbor.Value](self.lists), self.ticket]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        name, lists, ticket = read_name(fields), _read_lists(fields, 1), fields.any()
        if ticket is not None and (type(ticket) is not bytes or len(ticket) > SMALL_BODY):
            raise fields.wrong("ticket", "null or a byte string")
        return cls(name, lists, ticket)


@dataclass(frozen=True, slots=True)
class ListsRequest(RelayBody):
    """Asks for the device lists of a name after a version, 0 for all of them."""

    FORM = Form("a request for device lists", 4, SMALL_BODY, 5)
    NUMBER = 4

    name: str
    after: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.name, self.after]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(read_name(fields), fields.uint("version", MAX_COUNTER))


@dataclass(frozen=True, slots=True)
class ListsAnswer(RelayBody):
    """The newest version, and the lists that follow, in order. If the last is older than that, ask again."""

    FORM = Form("an answer with device lists", 3, MAX_CHAIN_BYTES + SMALL_BODY, 4 + MAX_CHAIN_LISTS)

    version: int
    lists: tuple[bytes, ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.version, list[cbor.Value](self.lists)]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.uint_between("newest version", 1, MAX_COUNTER), _read_lists(fields, 0))


@dataclass(frozen=True, slots=True)
class AppendRequest(RelayBody):
    """Adds the next version to the device list of the account that asks."""

    FORM = Form("a new device list", 3, MAX_DEVICE_LIST + KIB, 4)
    NUMBER = 5

    encoded: bytes = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.encoded]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob_between("device list", 1, MAX_DEVICE_LIST))


@dataclass(frozen=True, slots=True)
class UserRequest(RelayBody):
    """Asks for the device lists of a user id, 32 bytes, after a version, 0 for all of them."""

    FORM = Form("a request for a user's device lists", 4, SMALL_BODY, 5)
    NUMBER = 20

    user_id: bytes
    after: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.user_id, self.after]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob("user id", HASH_BYTES), fields.uint("version", MAX_COUNTER))
