"""Sessions as release 0.1.0 stored them: CBOR records, with side data beside them. Read, never written.

    session    [1, kind, suite, AD, handshake, promote next, ratchet]
               kind 0: initiated, handshake is the header to repeat; kind 1: established, its id or nothing
    ratchet    double in suite 1, [double, sparse, braid] in suite 2
    double     [0, RK, private, public, theirs, CKs, Ns]                            unanswered
               [1, RK, theirs, CKr, Nr, PN]                                         hearing
               [2, RK, private, public, CKs, Ns, theirs, CKr, Nr, PN]               speaking
    sparse     [RK, latest, sending, receiving, previous, is initiator]
    chain      [epoch, CK, n, CK of the next epoch / null]
    braid      [state, epoch, authenticator's root, its key, seed or m / null, sent / null, got / null]
    slots      1 outgoing, 2 incoming, 3 kept: the entries of each, in order

`got` are the indices of the codewords in slot 2, two bytes each.

A store that is migrated joins both:

    1 || length of the record (4) || record || for each entry: slot (1) || length (4) || entry

Not here: how a store is migrated (stores/_sqlite/migration.py).
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import fields as fields_of
from typing import Final, TypeAlias, cast

from letterlock._primitives.curve25519 import PrivateKey, RatchetKey, RatchetKeyPair
from letterlock._primitives.mlkem import KemSeed
from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet.authenticator import Authenticator
from letterlock._ratchet.braid import indices_in
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.double import Hearing, ReceivingChain, SendingChain, Speaking, Talking, Unanswered
from letterlock._ratchet.keys import ChainKey, RootKey
from letterlock._ratchet.pq_keys import AuthenticatorKey, AuthenticatorRoot, SparseChainKey, SparseRootKey
from letterlock._ratchet.sparse import Sparse, SparseChain
from letterlock._ratchet.triple import Triple
from letterlock._records.session import decode_session, encode_session
from letterlock._records.triple import LAYOUTS
from letterlock._session.session import Established, Initiated, Origin, Session
from letterlock._wire import cbor
from letterlock._wire.suite import Suite
from letterlock._wire.typed import array, counter
from letterlock.errors import CorruptStore, MalformedMessage, PeerError
from letterlock.stores import AnyRecord, Record

Slots: TypeAlias = Mapping[int, Sequence[bytes]]
"""The entries of the slots 1 to 3. A slot without entries may be left out."""

_INITIATED, _ESTABLISHED = 0, 1
_SESSION: Final = (int, int, int, bytes, bytes, int, list)
_UNANSWERED, _HEARING, _SPEAKING = 0, 1, 2
_DOUBLES: Final = {
    _UNANSWERED: (int, bytes, bytes, bytes, bytes, bytes, int),
    _HEARING: (int, bytes, bytes, bytes, int, int),
    _SPEAKING: (int, bytes, bytes, bytes, bytes, int, bytes, bytes, int, int),
}
_NULL: Final = type(None)
_TRIPLE: Final = (list, list, list)
_SPARSE: Final = (bytes, int, list, list, int, int)
_CHAINS: Final = ((int, bytes, int, _NULL), (int, bytes, int, bytes))
_BRAIDS: Final = tuple(
    (
        int, int, bytes, bytes, bytes if layout.secret else _NULL, int if layout.outgoing else _NULL,
        bytes if layout.incoming else _NULL,
    )
    for layout in LAYOUTS
)  # fmt: skip
_OUTGOING, _INCOMING, _KEPT = 1, 2, 3
_SLOTS: Final = (_OUTGOING, _INCOMING, _KEPT)
_FIRST: Final = b"\x01"
_HEAD: Final = struct.Struct(">BI")


def decode_first_session(record: Record, slots: Slots) -> Session:
    """Return the session of a record of release 0.1.0 and its side data. Raises CorruptStore."""
    try:
        session = _read_session(cbor.decode(record.expose()), slots)
        # Today's reader checks all the rest: what fits what, and how long a text may be.
        return decode_session(encode_session(session))
    except (PeerError, ValueError, struct.error) as error:
        raise CorruptStore("a session of an earlier release cannot be read: restore a copy") from error


def decode_any_session(record: AnyRecord) -> Session:
    """Return the session of a record of today or of one that migration joined. Raises CorruptStore."""
    data = record.expose()
    if data[:1] != _FIRST:
        return decode_session(record)
    (first, *entries) = _joined(data)
    slots: dict[int, list[bytes]] = {}
    for slot, entry in entries:
        slots.setdefault(slot, []).append(entry)
    return decode_first_session(Record(first[1]), slots)


def _joined(data: bytes) -> list[tuple[int, bytes]]:
    """Return the record with its first byte, then each entry with its slot. Raises CorruptStore."""
    found: list[tuple[int, bytes]] = []
    start = 0
    while start < len(data):
        if len(data) - start >= _HEAD.size:
            number, length = _HEAD.unpack_from(data, start)
            start += _HEAD.size
            if length <= len(data) - start and (number in _SLOTS or not found):
                found.append((number, data[start : start + length]))
                start += length
                continue
        raise CorruptStore("a session of an earlier release cannot be read: restore a copy")
    return found


def _read_session(value: object, slots: Slots) -> Session:
    format_, kind, number, associated_data, handshake, promote_next, ratchet = array(value, _SESSION)
    if format_ != 1 or not _INITIATED <= kind <= _ESTABLISHED or len(associated_data) != KEY_BYTES:
        raise MalformedMessage("session is of no known format or kind")
    suite = Suite(number)
    state = _read_double(ratchet) if suite is Suite.X3DH else _read_triple(ratchet, slots)
    if state.is_unanswered is (kind == _ESTABLISHED) or (suite is Suite.X3DH and any(slots.values())):
        raise MalformedMessage("ratchet or side data is of another kind of session")
    if kind == _INITIATED:
        counter(promote_next, 0)
        return Initiated(Origin(suite, associated_data, None), handshake, state)
    origin = Origin(suite, associated_data, handshake or None)
    return Established(origin, state, counter(promote_next, 1) == 1)


# --- the double ratchet -----------------------------------------------------------------------------


def _read_double(value: object) -> Talking:
    # The first element decides how many there are, so it is read before the rest.
    items = cast("list[object]", value) if type(value) is list else []
    shape = _DOUBLES.get(items[0]) if items and type(items[0]) is int else None
    if shape is None:
        raise MalformedMessage("ratchet of a session is of no known kind")
    kind, root, *rest = array(items, shape)
    if kind == _HEARING:
        theirs, receiving, received, length = rest
        return Hearing(RootKey(root), _receiving(theirs, receiving, received), length)
    private, public, *rest = rest
    ours = RatchetKeyPair(PrivateKey(private), RatchetKey(public))
    if kind == _UNANSWERED:
        signed, key, number = rest
        return Unanswered(RootKey(root), ours, RatchetKey(signed), SendingChain(ChainKey(key), number))
    key, number, theirs, receiving, received, length = rest
    sending = SendingChain(ChainKey(key), number)
    return Speaking(RootKey(root), ours, sending, _receiving(theirs, receiving, received), length)


def _receiving(theirs: bytes, key: bytes, number: int) -> ReceivingChain:
    return ReceivingChain(RatchetKey(theirs), ChainKey(key), number)


# --- the triple ratchet -----------------------------------------------------------------------------


def _read_triple(value: object, slots: Slots) -> Triple:
    double, sparse, braid = array(value, _TRIPLE)
    return Triple(_read_double(double), _read_sparse(sparse), _read_braid(braid, slots))


def _read_sparse(value: object) -> Sparse:
    root, latest, sending, receiving, previous, initiator = array(value, _SPARSE)
    chains = _read_chain(sending, latest), _read_chain(receiving, latest)
    return Sparse(SparseRootKey(root), latest, *chains, previous, counter(initiator, 1) == 1)


def _read_chain(value: object, latest: int) -> SparseChain:
    epoch, key, number, following = array(value, *_CHAINS)
    if (following is None) != (epoch == latest):  # today's record leaves this to the epochs
        raise MalformedMessage("chain of a session has a key too many or too few")
    after = None if following is None else SparseChainKey(following)
    return SparseChain(epoch, SparseChainKey(key), number, after)


def _read_braid(value: object, slots: Slots) -> Braid:
    number, epoch, root, key, secret, sent, got = array(value, *_BRAIDS)
    layout = LAYOUTS[counter(number, len(LAYOUTS) - 1)]
    outgoing, kept = _text(slots, _OUTGOING), _text(slots, _KEPT)
    incoming = b"".join(slots.get(_INCOMING, ()))
    holds = (secret is not None, sent is not None, got is not None, outgoing != b"", kept != b"")
    lacks_nothing = (
        *map(bool, (layout.secret, layout.outgoing, layout.incoming, layout.outgoing, layout.kept)),
    )
    if holds != lacks_nothing or _indices(got or b"") != indices_in(incoming):
        raise MalformedMessage("braid of a session or its side data does not fit its state")
    made_of: dict[str, object] = {"sent": sent, "outgoing": outgoing, "incoming": incoming, "kept": kept}
    if layout.secret is not None:
        made_of["seed" if layout.secret is KemSeed else "m"] = layout.secret(secret)
    authenticator = Authenticator(AuthenticatorRoot(root), AuthenticatorKey(key))
    _, _, *names = (field.name for field in fields_of(layout.state))
    return layout.make(epoch, authenticator, (made_of[name] for name in names))


def _text(slots: Slots, slot: int) -> bytes:
    """Return the only entry of a slot, or nothing."""
    entries = slots.get(slot, ())
    if len(entries) > 1:
        raise MalformedMessage("side data of a session has an entry too many")
    return entries[0] if entries else b""


def _indices(got: bytes) -> list[int]:
    return [index for (index,) in struct.iter_unpack(">H", got)]
