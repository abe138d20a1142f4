"""Messages on their way to a mailbox and out of it.

    send        [1, 8, id, name, version, head, [[device, message] ...]]    ->  [1]
    fetch       [1, 9, most, wait, [id ...]]        ->  [1, stock, [[id, time, name, device, message] ...]]
    ack         [1, 10, [id ...]]                                           ->  [1]

On a socket, each frame is one body:

    mail frame  [1, 9, stock, [[id, time, name, device, message] ...]]      relay to client
    ack frame   [1, 10, [id ...]]                   client to relay, and back once they are deleted
    shelf frame [1, 16, newest]                     relay to client (relay_shelf.py)
    follow frame [1, 24, [group id ...]]            client to relay (relay_group.py)
    group frame [1, 24, group id, newest]           relay to client

Not here: what messages hold (message.py); who may do what (relay/).
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final, Self, TypeVar

from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock._wire.flat_array import read_head
from letterlock._wire.relay_body import (
    Form,
    RelayBody,
    check_relay_version,
    read_address,
    read_ids,
    read_name,
    read_version,
)
from letterlock._wire.relay_group import FollowFrame, GroupFrame
from letterlock._wire.relay_limits import (
    KIB,
    MAX_ACKNOWLEDGED,
    MAX_FETCH_ANSWER,
    MAX_FETCHED,
    MAX_RELAYED_MESSAGE,
    MAX_SEND,
    MAX_SENT_MESSAGES,
    MAX_WAIT,
    RELAY_ID_BYTES,
)
from letterlock._wire.relay_shelf import ShelfFrame
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_COUNTER, MAX_ID

_ID_ITEMS: Final = 32 * KIB
"""Bytes in which 256 ids fit, at 17 bytes each, with all that stands around them."""


@dataclass(frozen=True, slots=True)
class SendRequest(RelayBody):
    """One message for each of some devices, 1 to 32, as the list of that version has them: 4 MiB in all.

    `id` has 16 random bytes, and is the same when the request is repeated. `head` has 8 bytes. A message has
    1 to 768 KiB.
    """

    FORM = Form("a send", 7, MAX_SEND, 8 + 3 * MAX_SENT_MESSAGES)
    NUMBER = 8

    id: bytes
    name: str
    version: int
    head: bytes
    messages: tuple[tuple[int, bytes], ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        messages: list[cbor.Value] = [list[cbor.Value](each) for each in self.messages]
        return [self.id, self.name, self.version, self.head, messages]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        id_, name = fields.blob("id", RELAY_ID_BYTES), read_name(fields)
        version, head = read_version(fields)
        messages = tuple(map(_read_message, fields.array("messages", MAX_SENT_MESSAGES)))
        if not messages or len({device for device, _ in messages}) != len(messages):
            raise fields.wrong("messages", "an array of messages for different devices, one at least")
        return cls(id_, name, version, head, messages)


def _read_message(item: object) -> tuple[int, bytes]:
    fields = Fields(item, 2, "a message of a send")
    device = fields.uint_between("device id", 1, MAX_ID)
    return device, fields.blob_between("message", 1, MAX_RELAYED_MESSAGE)


@dataclass(frozen=True, slots=True)
class FetchRequest(RelayBody):
    """Asks for the oldest messages, at most `most` (1 to 100); if there are none, for `wait` seconds (to 60).

    `skip` are the ids, at most 256, of messages that the client has and has not acknowledged.
    """

    FORM = Form("a fetch", 5, _ID_ITEMS, 6 + MAX_ACKNOWLEDGED)
    NUMBER = 9

    most: int
    wait: int
    skip: tuple[bytes, ...] = ()

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.most, self.wait, list[cbor.Value](self.skip)]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        most, wait = fields.uint_between("most", 1, MAX_FETCHED), fields.uint("wait", MAX_WAIT)
        return cls(most, wait, read_ids(fields, "ids to skip", MAX_ACKNOWLEDGED))


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message out of a mailbox: its id of 16 bytes, when the relay stored it, and who sent it.

    `time` is in seconds since 1970. `sender` is the device that authenticated to the relay.
    """

    id: bytes
    time: int
    sender: Address
    message: bytes = field(repr=False)

    def fields(self) -> cbor.Value:
        """Return the delivery as it stands inside an encoding."""
        return [self.id, self.time, self.sender.name, self.sender.device_id, self.message]

    @classmethod
    def from_fields(cls, value: object) -> "Delivery":
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 5, "a delivery")
        id_, time = fields.blob("id", RELAY_ID_BYTES), fields.uint("time", MAX_COUNTER)
        return cls(id_, time, read_address(fields), fields.blob_between("message", 1, MAX_RELAYED_MESSAGE))


@dataclass(frozen=True, slots=True)
class FetchAnswer(RelayBody):
    """Messages, the oldest first, and how many single-use bundles of the device are in stock."""

    FORM = Form("an answer to a fetch", 3, MAX_FETCH_ANSWER, 4 + 6 * MAX_FETCHED)

    stock: int
    deliveries: tuple[Delivery, ...]

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.stock, [each.fields() for each in self.deliveries]]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        stock, items = fields.uint("stock", MAX_COUNTER), fields.array("messages", MAX_FETCHED)
        deliveries = tuple(map(Delivery.from_fields, items))
        if len({each.id for each in deliveries}) != len(deliveries):
            raise fields.wrong("messages", "an array of messages with different ids")
        return cls(stock, deliveries)


@dataclass(frozen=True, slots=True)
class MailFrame(FetchAnswer):
    """What a relay pushes into a socket: an answer to a fetch that carries the number of the call.

    The number tells it from an acknowledgement.
    """

    FORM = Form("a frame with mail", 4, MAX_FETCH_ANSWER, 5 + 6 * MAX_FETCHED)
    NUMBER = 9


@dataclass(frozen=True, slots=True)
class AckRequest(RelayBody):
    """Ids of messages, 1 to 256, that the relay may delete; in a frame from the relay: that it deleted."""

    FORM = Form("an acknowledgement", 3, _ID_ITEMS, 4 + MAX_ACKNOWLEDGED)
    NUMBER = 10

    ids: tuple[bytes, ...]

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [list[cbor.Value](self.ids)]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        ids = read_ids(fields, "ids", MAX_ACKNOWLEDGED)
        if not ids:
            raise fields.wrong("ids", "an array of one id at least")
        return cls(ids)


_PUSHED: Final[dict[Any, type[MailFrame | AckRequest | ShelfFrame | GroupFrame]]] = {
    9: MailFrame,
    10: AckRequest,
    16: ShelfFrame,
    24: GroupFrame,
}
_SENT: Final[dict[Any, type[AckRequest | FollowFrame]]] = {10: AckRequest, 24: FollowFrame}

Frame = TypeVar("Frame", bound=RelayBody)


def read_frame(data: bytes) -> MailFrame | AckRequest | ShelfFrame | GroupFrame:
    """Read a frame that a relay pushed into a socket.

    Raises MalformedMessage, UnsupportedVersion, and UsageError if `data` is not bytes.
    """
    return _read(data, _PUSHED)


def read_sent_frame(data: bytes) -> AckRequest | FollowFrame:
    """Read a frame that a client sent into a socket. Raises as `read_frame`."""
    return _read(data, _SENT)


def _read(data: bytes, kinds: Mapping[Any, type[Frame]]) -> Frame:
    if type(data) is not bytes:
        raise UsageError(f"what is decoded must be bytes, not {type(data).__name__}")
    check_relay_version(data)
    _, _, start = read_head(data, 0)
    _, _, start = read_head(data, start)
    kind = kinds.get(read_head(data, start)[1])
    if kind is None:
        raise MalformedMessage("no frame that is known: neither mail, an acknowledgement nor news")
    return kind.decode(data)
