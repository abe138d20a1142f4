"""What a decoded message looks like on the wire, from its fields alone."""

from letterlock._wire import cbor
from letterlock._wire.message import InitialMessage, RatchetMessage


def spelt(message: RatchetMessage | InitialMessage) -> bytes:
    if isinstance(message, InitialMessage):
        return cbor.complete_array(message.header.encode_header(), spelt(message.message))
    return cbor.complete_array(message.header.encode_header(message.pq_header), message.sealed)
