"""seal.*: one message under one message key.

Not here: deriving the key, which ratchet.play covers.
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.curve25519 import RatchetKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet.keys import MessageKey
from letterlock._session import sealing
from letterlock._wire.message import SENT_NONCE_BYTES, Header, RatchetMessage
from letterlock.errors import PlaintextTooLong
from letterlock.limits import MAX_PLAINTEXT
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.braid import read_pq_header


def _seal(given: Input) -> Output:
    header = Header(
        RatchetKey(given.hex("ratchet_key")), given.counter("previous_length"), given.counter("number")
    )
    plaintext, nonce = given.hex("plaintext"), given.sized("nonce", SENT_NONCE_BYTES)
    if len(plaintext) > MAX_PLAINTEXT:
        raise PlaintextTooLong(len(plaintext), MAX_PLAINTEXT)
    given_header = given.with_default("pq_header").optional_nested("pq_header")
    pq_header = None if given_header is None else read_pq_header(given_header)
    message = sealing.seal_message(_key(given), _associated_data(given), header, plaintext, nonce, pq_header)
    return {"message": message.hex()}


def _open(given: Input) -> Output:
    message = RatchetMessage.decode(given.hex("message"))
    return {"plaintext": sealing.open_message(_key(given), _associated_data(given), message).hex()}


def _key(given: Input) -> MessageKey:
    return MessageKey(given.sized("message_key", KEY_BYTES))


def _associated_data(given: Input) -> bytes:
    return given.sized("associated_data", KEY_BYTES)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "seal.seal": _seal,
    "seal.open": _open,
}
