"""Prekeys on their way to a relay and from there to others.

    publish     [1, 6, number, publication]                         ->  [1, single-use bundles in stock]
    claim       [1, 7, id, name, version, head, [device ...]]       ->  [1, [bundle / null ...]]
    state       [1, 11]                     ->  [1, list version, number, stock, messages, bytes]

Publication and bundles are byte strings, encoded as publication.py and bundle.py say.

Not here: verifying them (_handshake/); who gets which bundle (relay/).
"""

from dataclasses import dataclass, field
from typing import Any, Self

from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.relay_body import EmptyBody, Form, RelayBody, read_devices, read_name, read_version
from letterlock._wire.relay_limits import KIB, MAX_SHOWN_COUNTER, MAX_UPLOAD, RELAY_ID_BYTES, SMALL_BODY
from letterlock.limits import MAX_BUNDLE, MAX_COUNTER, MAX_DEVICES


@dataclass(frozen=True, slots=True)
class PublishRequest(RelayBody):
    """A publication of the device that asks, at most 256 KiB and 100 pairs. `number` grows each time."""

    FORM = Form("an upload of prekeys", 4, MAX_UPLOAD + KIB, 5)
    NUMBER = 6

    number: int
    publication: bytes = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.number, self.publication]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        number = fields.uint_between("number of the publication", 1, MAX_COUNTER)
        return cls(number, fields.blob_between("publication", 1, MAX_UPLOAD))


@dataclass(frozen=True, slots=True)
class PublishAnswer(RelayBody):
    """How many single-use bundles of the device the relay has now."""

    FORM = Form("an answer to an upload", 2, SMALL_BODY, 3)

    stock: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.stock]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.uint("stock", MAX_COUNTER))


@dataclass(frozen=True, slots=True)
class ClaimRequest(RelayBody):
    """Asks for one bundle of each device, 1 to 32 of them, as the device list of that version has them.

    `id` has 16 random bytes, and is the same when the request is repeated. `head` has 8 bytes.
    """

    FORM = Form("a claim", 7, SMALL_BODY, 8 + MAX_DEVICES)
    NUMBER = 7

    id: bytes
    name: str
    version: int
    head: bytes
    devices: tuple[int, ...]

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.id, self.name, self.version, self.head, list[cbor.Value](self.devices)]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        id_, name = fields.blob("id", RELAY_ID_BYTES), read_name(fields)
        return cls(id_, name, *read_version(fields), read_devices(fields, "devices"))


@dataclass(frozen=True, slots=True)
class ClaimAnswer(RelayBody):
    """A bundle for each device in the order of the request; None for a device that published none."""

    FORM = Form("an answer to a claim", 2, MAX_DEVICES * (MAX_BUNDLE + 3) + KIB, 3 + MAX_DEVICES)

    bundles: tuple[bytes | None, ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [list[cbor.Value](self.bundles)]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        items: list[Any] = fields.array("bundles", MAX_DEVICES)
        for each in items:
            if each is not None and (type(each) is not bytes or not 1 <= len(each) <= MAX_BUNDLE):
                raise fields.wrong(
                    "bundles", f"an array of nulls and byte strings of 1 to {MAX_BUNDLE} bytes"
                )
        return cls(tuple(items))


class StateRequest(EmptyBody):
    """Asks what the relay has of the device that asks."""

    __slots__ = ()
    FORM = Form("a request for the state", 2, SMALL_BODY, 3)
    NUMBER = 11


@dataclass(frozen=True, slots=True)
class StateAnswer(RelayBody):
    """The newest version of the list, and what is there for the device that asks.

    `number` is that of its newest publication, 0 for none; `stock` counts its single-use bundles, `messages`
    and `size` what waits in its mailbox, in messages and bytes.
    """

    FORM = Form("a state", 6, SMALL_BODY, 7)

    version: int
    number: int
    stock: int
    messages: int
    size: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.version, self.number, self.stock, self.messages, self.size]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(
            fields.uint_between("list version", 1, MAX_COUNTER),
            fields.uint("number of the publication", MAX_COUNTER),
            fields.uint("stock", MAX_COUNTER),
            fields.uint("messages", MAX_COUNTER),
            fields.uint("bytes", MAX_SHOWN_COUNTER),
        )
