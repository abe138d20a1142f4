"""Sessions as records: CBOR arrays, strictly read, so that a store can keep them.

    session       [2, kind, suite, AD, handshake, promote next, ratchet, born, yields]
                  [1, kind, suite, AD, handshake, promote next, ratchet]     read only; born and yields are 0
                  initiated:   kind 0; handshake is the initial message's header to repeat
                  established: kind 1; handshake is the id of the peer's, or empty; promote next 0 or 1
                  ended: kind 2; handshake as in kind 1, no promote next, yields or ratchet (an empty array)
    ratchet       of the X3DH suite (double.py), or of PQXDH (triple.py)

A record that cannot be read raises CorruptStore. The store authenticated it, so the fault is damage or a bug.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, assert_never, cast

from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet.ratchet import Ratchet
from letterlock._records.double import decode_double, encode_double
from letterlock._records.triple import decode_triple, encode_triple
from letterlock._session.session import Ended, Established, Initiated, Origin, Session
from letterlock._wire import cbor
from letterlock._wire.suite import Suite
from letterlock._wire.typed import array, counter
from letterlock.errors import CorruptStore, MalformedMessage, PeerError
from letterlock.limits import MAX_CROSSED_MESSAGES
from letterlock.stores import DeferredRecord, Record

FORMAT: Final = 2
_INITIATED, _ESTABLISHED, _ENDED = 0, 1, 2
_SESSION: Final = (int, int, int, bytes, bytes, int, list, int, int)
_EARLIER: Final = (int, int, int, bytes, bytes, int, list)
"""The shape of format 1."""
_MAX_BORN: Final = 2**63 - 1
_SUITES: Final = {int(suite): suite for suite in Suite}
_MAX_HEADER: Final = 4096
_ID_LENGTHS: Final = frozenset({0, 32})
"""How long the name of a handshake may be: a handshake of our own has none."""

_Codec: TypeAlias = tuple[Callable[[Ratchet], cbor.Value], Callable[[object], Ratchet]]
_RATCHETS: Final[Mapping[Suite, _Codec]] = MappingProxyType(
    {Suite.X3DH: (encode_double, decode_double), Suite.PQXDH: (encode_triple, decode_triple)}
)
"""How the ratchet of each suite is written and read."""


def encode_session(session: Session) -> Record:
    """Return a session as a record."""
    origin = session.origin
    encode_ratchet, _ = _RATCHETS[origin.suite]
    handshake, promote_next, yields = origin.handshake or b"", False, 0
    ratchet: cbor.Value = []
    match session:
        case Initiated():
            kind, handshake, ratchet = _INITIATED, session.header, encode_ratchet(session.ratchet)
        case Established():
            kind, ratchet = _ESTABLISHED, encode_ratchet(session.ratchet)
            promote_next, yields = session.promote_next, session.yields
        case Ended():
            kind = _ENDED
        case _:
            assert_never(session)
    whole: cbor.Value = [
        FORMAT,
        kind,
        int(origin.suite),
        origin.associated_data,
        handshake,
        int(promote_next),
        ratchet,
        origin.born,
        yields,
    ]
    return Record(cbor.encode(whole))


def decode_session(record: Record | DeferredRecord) -> Session:
    """Return the session of a record. Raises CorruptStore."""
    try:
        return _read_session(cbor.decode(record.expose()))
    except (PeerError, ValueError) as error:  # a key of another length than its type's is a ValueError
        raise CorruptStore("a stored session cannot be read: restore the store from a copy") from error


def _read_session(value: object) -> Session:
    format_, kind, number, associated_data, handshake, promote_next, ratchet, born, yields = _fields(value)
    suite = _SUITES.get(number)
    established, ended = kind == _ESTABLISHED, kind == _ENDED
    if format_ != FORMAT or suite is None or not (established or ended or kind == _INITIATED):  # STO-6
        raise MalformedMessage("session is of no known format, kind or suite")
    # Only an established session can be due for promotion: one value, one encoding.
    if len(associated_data) != KEY_BYTES or not 0 <= promote_next <= established:
        raise MalformedMessage("AD of a session has the wrong length, or its promotion cannot be due")
    if len(handshake) not in _ID_LENGTHS if established or ended else len(handshake) > _MAX_HEADER:
        raise MalformedMessage("handshake of a session is neither an id nor a header")
    counter(born, _MAX_BORN)
    counter(yields, MAX_CROSSED_MESSAGES if established else 0)
    if ended:
        if ratchet:
            raise MalformedMessage("a session that ended has a ratchet")
        return Ended(Origin(suite, associated_data, handshake or None, born))
    _, decode_ratchet = _RATCHETS[suite]
    state = decode_ratchet(ratchet)
    if state.is_unanswered is established:
        raise MalformedMessage("ratchet is of another kind of session")
    if established:
        origin = Origin(suite, associated_data, handshake or None, born)
        return Established(origin, state, promote_next == 1, yields)
    return Initiated(Origin(suite, associated_data, None, born), handshake, state)


def _length(value: object) -> int:
    return len(cast("list[object]", value)) if type(value) is list else 0


def _fields(value: object) -> list[Any]:
    """Return the fields of a session in the form of today's format. Raises MalformedMessage."""
    if _length(value) != len(_EARLIER):
        return array(value, _SESSION)
    format_, *fields = array(value, _EARLIER)
    if format_ != 1:
        raise MalformedMessage("session is of no known format")
    return [FORMAT, *fields, 0, 0]
