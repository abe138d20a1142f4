"""What a decoded message looks like on the wire, from its fields alone."""

from letterlock.wire import cbor
from letterlock.wire.message import InitialMessage, RatchetMessage


def spelt(message: RatchetMessage | InitialMessage) -> bytes:
    if isinstance(message, InitialMessage):
        return cbor.close(message.header.encode_open(), spelt(message.message))
    return cbor.close(message.header.encode_open(message.part), message.sealed)
