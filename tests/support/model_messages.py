"""Messages of the model, and what a network can do to them without any key.

    Message     a message with everything its author knows about it
    Parcel      bytes to deliver, and the message in them, if there is one
    cut, lengthened, turned_over, relabelled, with_pq_field, peeled, rewrapped

Not here: which device may read them (model_world.py).
"""

from dataclasses import dataclass, replace

from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import InitialMessage, RatchetMessage
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.suite import Suite
from support.pair import flipped


@dataclass(frozen=True)
class Need:
    """A prekey that answering a handshake needs."""

    kind: PrekeyKind
    id: int
    key: bytes


def needs_of(bundle: PrekeyBundle, suite: Suite) -> tuple[Need, ...]:
    """Return what the recipient must still have to answer a handshake with this bundle."""
    prekeys = (bundle.signed, bundle.one_time, bundle.kem if suite is Suite.PQXDH else None)
    return tuple(Need(each.kind, each.id, each.key.data) for each in prekeys if each is not None)


@dataclass(frozen=True)
class Message:
    """A message: `session` is the associated data of the session it was written in."""

    number: int
    sender: Address
    receiver: Address
    session: bytes
    text: bytes
    wire: bytes

    @property
    def initial(self) -> bool:
        return peek_kind(self.wire) is Kind.INITIAL

    @property
    def ratchet_message(self) -> RatchetMessage:
        """The ratchet message that it is or carries."""
        return InitialMessage.decode(self.wire).message if self.initial else RatchetMessage.decode(self.wire)

    def __repr__(self) -> str:
        return f"<message {self.number}: {self.sender} to {self.receiver}>"


@dataclass(frozen=True)
class Parcel:
    """Bytes in transit. `message` is the message in them, or None if nothing may be read."""

    wire: bytes
    message: Message | None

    @property
    def begins(self) -> bool:
        """Whether a session can be begun with it: a first message as its author wrote it, header and all."""
        return self.message is not None and self.message.initial and peek_kind(self.wire) is Kind.INITIAL

    @property
    def as_sent(self) -> bool:
        """Whether the message in it arrives with a handshake exactly if its author sent it with one."""
        return self.message is not None and self.message.initial is (peek_kind(self.wire) is Kind.INITIAL)


def whole(message: Message) -> Parcel:
    return Parcel(message.wire, message)


def cut(message: Message, at: int) -> Parcel:
    return Parcel(message.wire[: at % len(message.wire)], None)


def lengthened(message: Message, tail: bytes) -> Parcel:
    return Parcel(message.wire + tail, None)


def turned_over(message: Message, at: int, mask: int) -> Parcel:
    """Flip bits of one byte, counted from the end, where the sealed text is."""
    return Parcel(flipped(message.wire, len(message.wire) - 1 - at % len(message.wire), mask), None)


def relabelled(message: Message, add: int) -> Parcel:
    """Give the message another previous chain length, which does not change its message key."""
    header = message.ratchet_message.header
    changed = replace(header, previous_length=header.previous_length + add)
    return _reopened(message, changed.encode_header(message.ratchet_message.pq_header))


def with_pq_field(message: Message, name: str, add: int) -> Parcel:
    """Change one field of the post-quantum header; a plain message gets such a header."""
    pq_header = message.ratchet_message.pq_header or PqHeader(1, 1, 0, PqType.HDR, 0, bytes(32))
    value = getattr(pq_header, name)
    if isinstance(value, PqType):
        changed = replace(pq_header, type=PqType((value + add) % len(PqType)), codewords=bytes(32))
    elif isinstance(value, bytes):
        changed = replace(pq_header, codewords=flipped(value, add % len(value)) if value else bytes(32))
    else:
        changed = replace(pq_header, **{name: value + add})
    return _reopened(message, message.ratchet_message.header.encode_header(changed))


def _reopened(message: Message, opened: bytes) -> Parcel:
    """Put other header bytes before the sealed text; if they differ, nobody may read the result."""
    same = message if opened == message.ratchet_message.header_bytes else None
    return Parcel(
        _behind_its_handshake(message, cbor.complete_array(opened, message.ratchet_message.sealed)), same
    )


def peeled(message: Message) -> Parcel:
    """Remove the handshake from a first message, as no author does."""
    ratchet_message = message.ratchet_message
    return Parcel(cbor.complete_array(ratchet_message.header_bytes, ratchet_message.sealed), message)


def rewrapped(message: Message, header: Message) -> Parcel:
    """Put a message behind the handshake of another. It may be read only if that was its own."""
    inside = message if message.session == header.session and message.sender == header.sender else None
    return Parcel(_behind_its_handshake(header, peeled(message).wire), inside)


def _behind_its_handshake(message: Message, ratchet_message: bytes) -> bytes:
    """Return a ratchet message behind the handshake of `message`, if that has one."""
    if not message.initial:
        return ratchet_message
    return cbor.complete_array(InitialMessage.decode(message.wire).header.encode_header(), ratchet_message)
