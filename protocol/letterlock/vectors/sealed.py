"""Operations of sealing: one message under one message key.

Not here: which key that is; ratchet.play shows it.
"""

from letterlock.errors import PlaintextTooLong
from letterlock.limits import MAX_PLAINTEXT
from letterlock.primitives.curve25519 import RatchetKey
from letterlock.primitives.secret import KEY_BYTES
from letterlock.ratchet.chain import MessageKey
from letterlock.session import sealing
from letterlock.vectors.braid import read_part
from letterlock.vectors.operation import Input, Output, operation
from letterlock.wire.message import SENT_NONCE_BYTES, Header, RatchetMessage


@operation("seal.seal")
def _seal(given: Input) -> Output:
    header = Header(
        RatchetKey(given.hex("ratchet_key")), given.counter("previous_length"), given.counter("number")
    )
    plaintext, nonce = given.hex("plaintext"), given.sized("nonce", SENT_NONCE_BYTES)
    if len(plaintext) > MAX_PLAINTEXT:
        raise PlaintextTooLong(len(plaintext), MAX_PLAINTEXT)
    given_part = given.younger("part").optional_part("part")
    part = None if given_part is None else read_part(given_part)
    message = sealing.seal(_key(given), _associated_data(given), header, plaintext, nonce, part)
    return {"message": message.hex()}


@operation("seal.open")
def _open(given: Input) -> Output:
    message = RatchetMessage.decode(given.hex("message"))
    return {"plaintext": sealing.open_(_key(given), _associated_data(given), message).hex()}


def _key(given: Input) -> MessageKey:
    return MessageKey(given.sized("message_key", KEY_BYTES))


def _associated_data(given: Input) -> bytes:
    return given.sized("associated_data", KEY_BYTES)
