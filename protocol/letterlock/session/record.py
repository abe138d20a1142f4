"""Sessions as records: CBOR arrays, strictly read, so that a store can keep them.

    session       [1, kind, suite, AD, handshake, insists, ratchet]
                  initiated:   kind 0; handshake is the initial message's header to repeat
                  established: kind 1; handshake is the id of the peer's, or empty; insists 0 or 1
    ratchet       opening, hearing or speaking in the X3DH suite;
                  [that, sparse, braid] in PQXDH (triple_record.py)
    opening       [0, RK, private, public, theirs, CKs, Ns]
    hearing       [1, RK, theirs, CKr, Nr, PN]
    speaking      [2, RK, private, public, CKs, Ns, theirs, CKr, Nr, PN]

A record that reads wrongly is CorruptStore: the store authenticated it, so it is damage or a bug.
"""

from typing import Final

from letterlock.errors import CorruptStore, MalformedMessage, PeerError
from letterlock.limits import MAX_COUNTER
from letterlock.primitives.curve25519 import PrivateKey, RatchetKey, RatchetKeyPair
from letterlock.primitives.secret import KEY_BYTES
from letterlock.ratchet.chain import ChainKey, ReceivingChain, SendingChain
from letterlock.ratchet.double import Hearing, Opening, Speaking, State, Talking, Waiting
from letterlock.ratchet.root import RootKey
from letterlock.ratchet.triple import Triple
from letterlock.session.session import Established, Initiated, Origin, Session
from letterlock.session.triple_record import (
    check_epochs,
    decode_braid,
    decode_sparse,
    encode_braid,
    encode_sparse,
)
from letterlock.stores.protocol import Record
from letterlock.wire import cbor
from letterlock.wire.fields import Fields
from letterlock.wire.suite import Suite

FORMAT: Final = 1
_INITIATED, _ESTABLISHED = 0, 1
_OPENING, _HEARING, _SPEAKING = 0, 1, 2
_LENGTHS: Final = {_OPENING: 7, _HEARING: 6, _SPEAKING: 10}
_MAX_HEADER: Final = 4096
_HANDSHAKE_ID_BYTES: Final = 32


def encode_session(session: Session) -> Record:
    """Return a session as a record."""
    origin = session.origin
    if isinstance(session, Initiated):
        kind, handshake, insists = _INITIATED, session.header, False
    else:
        kind, handshake, insists = _ESTABLISHED, origin.handshake or b"", session.insists
    ratchet = _ratchet(session.ratchet)
    return Record(
        cbor.encode(
            [FORMAT, kind, int(origin.suite), origin.associated_data, handshake, int(insists), ratchet]
        )
    )


def decode_session(record: Record) -> Session:
    """Return the session of a record. Raises CorruptStore."""
    try:
        return _read_session(Fields(cbor.decode(record.expose()), 7, "session"))
    except PeerError as error:
        raise CorruptStore("a stored session does not read: restore the store from a copy") from error


def _read_session(fields: Fields) -> Session:
    fields.constant("format", FORMAT)  # STO-6
    kind = fields.uint("kind", _ESTABLISHED)
    suite = fields.uint("suite", max(Suite))
    if suite not in set(Suite):
        raise fields.wrong("suite", "one this release knows")
    associated_data = fields.blob("ad", KEY_BYTES)
    handshake = fields.blob_between("handshake", 0, _MAX_HEADER)
    if kind == _ESTABLISHED and len(handshake) not in {0, _HANDSHAKE_ID_BYTES}:
        raise fields.wrong("handshake", "an id, or empty")
    # Only an established session can insist: one value, one encoding.
    insists = fields.uint("insists", kind) == 1
    ratchet = _read_ratchet(Suite(suite), fields)
    opening = isinstance(ratchet.double if isinstance(ratchet, Triple) else ratchet, Opening)
    if opening is not (kind == _INITIATED):
        raise fields.wrong("ratchet", "of this kind of session")
    if kind == _INITIATED:
        return Initiated(Origin(Suite(suite), associated_data, None), handshake, ratchet)
    return Established(Origin(Suite(suite), associated_data, handshake or None), ratchet, insists)


def _ratchet(state: State | Triple) -> cbor.Value:
    if isinstance(state, Triple):
        return [_double(state.double), encode_sparse(state.sparse), encode_braid(state.braid)]
    return _double(state)


def _read_ratchet(suite: Suite, fields: Fields) -> Talking | Triple:
    if suite is Suite.X3DH:
        return _read_double(fields.array("ratchet", max(_LENGTHS.values())))
    parts = Fields(fields.any(), 3, "ratchet")
    turned = _read_double(parts.array("double", max(_LENGTHS.values())))
    chains, braid = decode_sparse(parts.any()), decode_braid(parts.any())
    check_epochs(chains, braid)
    return Triple(turned, chains, braid)


def _double(state: State) -> cbor.Value:
    root = state.root.expose()
    match state:
        case Opening():
            return [_OPENING, root, *_pair(state.ours), state.theirs.data, *_sending(state.sending)]
        case Hearing():
            return [_HEARING, root, *_receiving(state.receiving), state.previous_length]
        case Speaking():
            return [
                _SPEAKING, root, *_pair(state.ours), *_sending(state.sending),
                *_receiving(state.receiving), state.previous_length,
            ]  # fmt: skip
        case Waiting():  # pragma: no cover - a session exists from its first message on
            raise AssertionError


def _pair(pair: RatchetKeyPair) -> list[bytes]:
    return [pair.private.expose(), pair.public.data]


def _sending(chain: SendingChain) -> list[bytes | int]:
    return [chain.key.expose(), chain.number]


def _receiving(chain: ReceivingChain) -> list[bytes | int]:
    return [chain.ratchet_key.data, chain.key.expose(), chain.number]


def _read_double(items: list[object]) -> Talking:
    # The first element decides how many there are, so it is read before the rest.
    kind = items[0] if items else None
    if type(kind) is not int or kind not in _LENGTHS:
        raise MalformedMessage("ratchet of a session is of no known kind")
    fields = Fields(items, _LENGTHS[kind], "ratchet")
    fields.uint("kind", kind)
    root = RootKey(fields.blob("rk", KEY_BYTES))
    if kind == _OPENING:
        return Opening(root, _read_pair(fields), _read_theirs(fields), _read_sending(fields))
    if kind == _HEARING:
        return Hearing(root, _read_receiving(fields), fields.uint("pn", MAX_COUNTER))
    ours, sending, receiving = _read_pair(fields), _read_sending(fields), _read_receiving(fields)
    return Speaking(root, ours, sending, receiving, fields.uint("pn", MAX_COUNTER))


def _read_pair(fields: Fields) -> RatchetKeyPair:
    private = PrivateKey(fields.blob("private key", KEY_BYTES))
    return RatchetKeyPair(private, RatchetKey(fields.blob("public key", KEY_BYTES)))


def _read_theirs(fields: Fields) -> RatchetKey:
    return RatchetKey(fields.blob("ratchet key", KEY_BYTES))


def _read_sending(fields: Fields) -> SendingChain:
    return SendingChain(ChainKey(fields.blob("cks", KEY_BYTES)), fields.uint("ns", MAX_COUNTER))


def _read_receiving(fields: Fields) -> ReceivingChain:
    theirs = _read_theirs(fields)
    return ReceivingChain(theirs, ChainKey(fields.blob("ckr", KEY_BYTES)), fields.uint("nr", MAX_COUNTER))
