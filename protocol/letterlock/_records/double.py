"""The double ratchet's half of a session's record.

    unanswered    [0, RK, private, public, theirs, CKs, Ns]
    hearing       [1, RK, theirs, CKr, Nr, PN]
    speaking      [2, RK, private, public, CKs, Ns, theirs, CKr, Nr, PN]

Not here: the session around it (session.py), the post-quantum half (triple.py).
"""

from typing import Final, cast

from letterlock._primitives.curve25519 import PrivateKey, RatchetKey, RatchetKeyPair
from letterlock._ratchet.double import (
    Hearing,
    ReceivingChain,
    SendingChain,
    Speaking,
    Talking,
    Unanswered,
)
from letterlock._ratchet.keys import ChainKey, RootKey
from letterlock._ratchet.ratchet import Ratchet
from letterlock._wire import cbor
from letterlock._wire.typed import array, counter
from letterlock.errors import MalformedMessage

_UNANSWERED, _HEARING, _SPEAKING = 0, 1, 2
_SHAPES: Final = {
    _UNANSWERED: (int, bytes, bytes, bytes, bytes, bytes, int),
    _HEARING: (int, bytes, bytes, bytes, int, int),
    _SPEAKING: (int, bytes, bytes, bytes, bytes, int, bytes, bytes, int, int),
}


def encode_double(state: Ratchet) -> cbor.Value:
    """Return a double ratchet as it stands in a record."""
    match state:
        case Hearing(root, theirs, length):
            return [
                _HEARING, root.expose(),
                theirs.ratchet_key.data, theirs.key.expose(), theirs.number, length,
            ]  # fmt: skip
        case Speaking(root, ours, sent, theirs, length):
            return [
                _SPEAKING, root.expose(), ours.private.expose(), ours.public.data,
                sent.key.expose(), sent.number,
                theirs.ratchet_key.data, theirs.key.expose(), theirs.number, length,
            ]  # fmt: skip
        case Unanswered(root, ours, signed, sent):
            return [
                _UNANSWERED, root.expose(), ours.private.expose(), ours.public.data,
                signed.data, sent.key.expose(), sent.number,
            ]  # fmt: skip
        case _:  # pragma: no cover - Waiting ends with the message that begins a session
            raise AssertionError


def decode_double(value: object) -> Talking:
    """Read what `encode_double` returns. Raises MalformedMessage, ValueError for a key of another length."""
    # The first element decides how many there are, so it is read before the rest.
    items = cast("list[object]", value) if type(value) is list else []
    shape = _SHAPES.get(items[0]) if items and type(items[0]) is int else None
    if shape is None:
        raise MalformedMessage("ratchet of a session is of no known kind")
    kind, root, *rest = array(items, shape)
    if kind == _HEARING:
        theirs, receiving, received, length = rest
        return Hearing(RootKey(root), _receiving(theirs, receiving, received), counter(length))
    private, public, *rest = rest
    ours = RatchetKeyPair(PrivateKey(private), RatchetKey(public))
    if kind == _UNANSWERED:
        signed, key, number = rest
        return Unanswered(RootKey(root), ours, RatchetKey(signed), _sending(key, number))
    key, number, theirs, receiving, received, length = rest
    sending = _sending(key, number)
    return Speaking(RootKey(root), ours, sending, _receiving(theirs, receiving, received), counter(length))


def _sending(key: bytes, number: int) -> SendingChain:
    return SendingChain(ChainKey(key), counter(number))


def _receiving(theirs: bytes, key: bytes, number: int) -> ReceivingChain:
    return ReceivingChain(RatchetKey(theirs), ChainKey(key), counter(number))
