"""What relays and clients tell each other: arrays in deterministic CBOR whose first element is the version.

    request     = [1, number of the call, ...]
    answer      = [1, ...]                          of the call that was asked: answers carry no number

Size and number of items are checked before anything is parsed. [WIRE-3] [RLY-3]
A body of another version is refused as UnsupportedVersion.

Not here: the calls (relay_calls.py); the other bodies (relay_login.py and its neighbours).
"""

from typing import Any, ClassVar, Final, NamedTuple, Self

from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.cbor_heads import ARRAY, UINT
from letterlock._wire.envelope import check_items
from letterlock._wire.fields import Fields
from letterlock._wire.flat_array import read_head
from letterlock._wire.relay_limits import RELAY_ID_BYTES, SMALL_BODY
from letterlock.errors import MalformedMessage, UnsupportedVersion, UsageError
from letterlock.limits import HEAD_BYTES, MAX_COUNTER, MAX_DEVICES, MAX_ID

RELAY_VERSION: Final = 1
"""The version of the calls. It stands in each body and in each path."""


class Form(NamedTuple):
    """What errors call a body, its elements, and the most bytes and items that it may have.

    `items` counts the elements of all arrays and the arrays themselves.
    """

    what: str
    elements: int
    size: int
    items: int


class RelayBody:
    """One request or answer. Each is a frozen dataclass that says its form, and how its elements are read."""

    __slots__ = ()

    FORM: ClassVar[Form]
    NUMBER: ClassVar[int | None] = None
    """The number of the call; None for an answer."""

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version and the number of the call."""
        raise NotImplementedError

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        raise NotImplementedError

    def encode(self) -> bytes:
        """Return the body as bytes. Raises UsageError if it exceeds the limits of its form."""
        opening = [RELAY_VERSION] if self.NUMBER is None else [RELAY_VERSION, self.NUMBER]
        encoded = cbor.encode([*opening, *self.elements()])
        if len(encoded) > self.FORM.size:
            form = self.FORM
            raise UsageError(f"{len(encoded)} bytes; {form.what} has at most {form.size}: send less at once")
        return encoded

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` gives.

        Raises MalformedMessage, UnsupportedVersion, and UsageError if `data` is not bytes.
        """
        if type(data) is not bytes:  # a bytearray could change after it was checked
            raise UsageError(f"what is decoded must be bytes, not {type(data).__name__}")
        form = cls.FORM
        if len(data) > form.size:
            raise MalformedMessage(f"{len(data)} bytes; {form.what} has at most {form.size}")
        check_relay_version(data)
        check_items(data, form.items, form.what)
        fields = Fields(cbor.decode(data), form.elements, form.what)
        fields.constant("version", RELAY_VERSION)
        if cls.NUMBER is not None:
            fields.constant("number", cls.NUMBER)
        return cls.read(fields)


def check_relay_version(data: bytes) -> None:
    """Check the version before anything else is parsed. Raises MalformedMessage, UnsupportedVersion."""
    array, _, start = read_head(data, 0)
    major, version, _ = read_head(data, start)
    if array != ARRAY or major != UINT:
        raise MalformedMessage("not a body of a relay: no array that begins with a version")
    if version != RELAY_VERSION:
        raise UnsupportedVersion(version, RELAY_VERSION)


# --- elements that several bodies have --------------------------------------------------------------------


def read_name(fields: Fields) -> str:
    """Return the next element, a name that an address may have. Raises MalformedMessage."""
    return Address.from_fields([fields.text("name"), 1]).name


def read_address(fields: Fields) -> Address:
    """Return the address in the next two elements: a name and a device id. Raises MalformedMessage."""
    return Address.from_fields([fields.text("name"), fields.uint_between("device id", 1, MAX_ID)])


def read_ids(fields: Fields, name: str, most: int) -> tuple[bytes, ...]:
    """Return the next element, an array of different ids of 16 bytes. Raises MalformedMessage."""
    items: list[Any] = fields.array(name, most)
    if not all(type(each) is bytes and len(each) == RELAY_ID_BYTES for each in items):
        raise fields.wrong(name, f"an array of byte strings of {RELAY_ID_BYTES} bytes")
    if len(set(items)) != len(items):
        raise fields.wrong(name, "an array of different ids")
    return tuple(items)


def read_blobs(fields: Fields, name: str, most: int, longest: int) -> tuple[bytes, ...]:
    """Return the next element, an array of byte strings of 1 to `longest` bytes. Raises MalformedMessage."""
    items: list[Any] = fields.array(name, most)
    if not all(type(each) is bytes and 1 <= len(each) <= longest for each in items):
        raise fields.wrong(name, f"an array of byte strings of 1 to {longest} bytes")
    return tuple(items)


def read_devices(fields: Fields, name: str) -> tuple[int, ...]:
    """Return the next element, an array of 1 to 32 different device ids. Raises MalformedMessage."""
    items: list[Any] = fields.array(name, MAX_DEVICES)
    if not items or not all(type(each) is int and 1 <= each <= MAX_ID for each in items):
        raise fields.wrong(name, f"an array of 1 to {MAX_DEVICES} device ids")
    if len(set(items)) != len(items):
        raise fields.wrong(name, "an array of different device ids")
    return tuple(items)


def read_version(fields: Fields) -> tuple[int, bytes]:
    """Return the next two elements: the version of a device list, and its head of 8 bytes."""
    return fields.uint_between("list version", 1, MAX_COUNTER), fields.blob("head", HEAD_BYTES)


class EmptyBody(RelayBody):
    """A body that holds nothing besides the version, and the number of the call if it is a request."""

    __slots__ = ()

    def elements(self) -> list[cbor.Value]:
        """Return nothing."""
        return []

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read nothing."""
        del fields
        return cls()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class DoneAnswer(EmptyBody):
    """The answer to a call that was carried out, now or when it came before."""

    __slots__ = ()
    FORM = Form("an answer", 1, SMALL_BODY, 2)
