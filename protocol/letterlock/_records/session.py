"""Sessions as records: CBOR arrays, strictly read, so that a store can keep them.

    session       [1, kind, suite, AD, handshake, promote_next, ratchet]
                  initiated:   kind 0; handshake is the initial message's header to repeat
                  established: kind 1; handshake is the id of the peer's, or empty; promote_next 0 or 1
    ratchet       opening, hearing or speaking in the X3DH suite;
                  [that, sparse, braid] in PQXDH (triple_record.py)
    opening       [0, RK, private, public, theirs, CKs, Ns]
    hearing       [1, RK, theirs, CKr, Nr, PN]
    speaking      [2, RK, private, public, CKs, Ns, theirs, CKr, Nr, PN]

A record that reads wrongly is CorruptStore: the store authenticated it, so it is damage or a bug.
"""

from typing import Final, cast

from letterlock._primitives.curve25519 import PrivateKey, RatchetKey, RatchetKeyPair
from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet.chain import ChainKey, ReceivingChain, SendingChain
from letterlock._ratchet.double import Hearing, Speaking, State, Talking, Unanswered, Waiting
from letterlock._ratchet.root import RootKey
from letterlock._ratchet.triple import Triple
from letterlock._records.triple import (
    check_epochs,
    decode_braid,
    decode_sparse,
    encode_braid,
    encode_sparse,
)
from letterlock._session.session import Established, Initiated, Origin, Session
from letterlock._wire import cbor
from letterlock._wire.suite import Suite
from letterlock._wire.typed import array, counter
from letterlock.errors import CorruptStore, MalformedMessage, PeerError
from letterlock.stores._interface import Record

FORMAT: Final = 1
_INITIATED, _ESTABLISHED = 0, 1
_OPENING, _HEARING, _SPEAKING = 0, 1, 2
_SHAPES: Final = {
    _OPENING: (int, bytes, bytes, bytes, bytes, bytes, int),
    _HEARING: (int, bytes, bytes, bytes, int, int),
    _SPEAKING: (int, bytes, bytes, bytes, bytes, int, bytes, bytes, int, int),
}
_SESSION: Final = (int, int, int, bytes, bytes, int, list)
_TRIPLE: Final = (list, list, list)
_SUITES: Final = {int(suite): suite for suite in Suite}
_MAX_HEADER: Final = 4096
_IDS: Final = frozenset({0, 32})
"""How long the name of a handshake may be: empty for one of ours."""


def encode_session(session: Session) -> Record:
    """Return a session as a record."""
    origin = session.origin
    if isinstance(session, Initiated):
        kind, handshake, promote_next = _INITIATED, session.header, False
    else:
        kind, handshake, promote_next = _ESTABLISHED, origin.handshake or b"", session.promote_next
    ratchet = _ratchet(session.ratchet)
    whole: cbor.Value = [
        FORMAT,
        kind,
        int(origin.suite),
        origin.associated_data,
        handshake,
        int(promote_next),
        ratchet,
    ]
    return Record(cbor.encode(whole))


def decode_session(record: Record) -> Session:
    """Return the session of a record. Raises CorruptStore."""
    try:
        return _read_session(cbor.decode(record.expose()))
    except (PeerError, ValueError) as error:  # a key of another length than its type's is a ValueError
        raise CorruptStore("a stored session does not read: restore the store from a copy") from error


def _read_session(value: object) -> Session:
    format_, kind, number, associated_data, handshake, promote_next, ratchet = array(value, _SESSION)
    suite = _SUITES.get(number)
    established = kind == _ESTABLISHED
    if format_ != FORMAT or suite is None or not (established or kind == _INITIATED):  # STO-6
        raise MalformedMessage("session is of no known format, kind or suite")
    # Only an established session can be due for promotion: one value, one encoding.
    if len(associated_data) != KEY_BYTES or not 0 <= promote_next <= established:
        raise MalformedMessage("session has another AD, or a promotion that cannot be due")
    if len(handshake) not in _IDS if established else len(handshake) > _MAX_HEADER:
        raise MalformedMessage("handshake of a session is neither an id nor a header")
    state = _read_double(ratchet) if suite is Suite.X3DH else _read_triple(ratchet)
    if isinstance(state.double if isinstance(state, Triple) else state, Unanswered) is established:
        raise MalformedMessage("ratchet is of another kind of session")
    if established:
        return Established(Origin(suite, associated_data, handshake or None), state, promote_next == 1)
    return Initiated(Origin(suite, associated_data, None), handshake, state)


def _ratchet(state: State | Triple) -> cbor.Value:
    if isinstance(state, Triple):
        return [_double(state.double), encode_sparse(state.sparse), encode_braid(state.braid)]
    return _double(state)


def _read_triple(value: object) -> Triple:
    turned, chains, braid = array(value, _TRIPLE)
    found = Triple(_read_double(turned), decode_sparse(chains), decode_braid(braid))
    check_epochs(found.sparse, found.braid)
    return found


def _double(state: State) -> cbor.Value:
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
                _OPENING, root.expose(), ours.private.expose(), ours.public.data,
                signed.data, sent.key.expose(), sent.number,
            ]  # fmt: skip
        case Waiting():  # pragma: no cover - a session exists from its first message on
            raise AssertionError


def _read_double(value: object) -> Talking:
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
    if kind == _OPENING:
        signed, key, number = rest
        return Unanswered(RootKey(root), ours, RatchetKey(signed), _sending(key, number))
    key, number, theirs, receiving, received, length = rest
    sending = _sending(key, number)
    return Speaking(RootKey(root), ours, sending, _receiving(theirs, receiving, received), counter(length))


def _sending(key: bytes, number: int) -> SendingChain:
    return SendingChain(ChainKey(key), counter(number))


def _receiving(theirs: bytes, key: bytes, number: int) -> ReceivingChain:
    return ReceivingChain(RatchetKey(theirs), ChainKey(key), counter(number))
