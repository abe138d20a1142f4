"""Sessions as release 0.1.0 stored them: a CBOR record, and the side data that lay beside it in rows.

Written from what that release did, and independent of the reader in _records/first_format.py.
"""

from typing import Any

import cbor2

from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.double import Hearing, Speaking, Unanswered
from letterlock._ratchet.sparse import Sparse, SparseChain
from letterlock._ratchet.triple import Triple
from letterlock._records.triple import STATES
from letterlock._session.session import Initiated, Live
from letterlock.stores._interface import Record

Slots = dict[int, list[bytes]]
_ENTRY = 34


def first_record(session: Live) -> tuple[list[Any], Slots]:
    """Return the fields of a session's record, and its slots. Each codeword came in a message of its own."""
    ratchet: Any = session.ratchet
    slots: Slots = {}
    if isinstance(ratchet, Triple):
        braid, slots = braid_fields(ratchet.braid)
        fields = [double_fields(ratchet.double), sparse_fields(ratchet.sparse), braid]
    else:
        fields = double_fields(ratchet)
    origin = session.origin
    kind, handshake, promote_next = 1, origin.handshake_id or b"", False
    if isinstance(session, Initiated):
        kind, handshake = 0, session.header_bytes
    else:
        promote_next = session.promote_next
    suite = int(origin.suite)
    return [1, kind, suite, origin.associated_data, handshake, int(promote_next), fields], slots


def record(fields: Any) -> Record:
    return Record(cbor2.dumps(fields))


def double_fields(state: Any) -> list[Any]:
    match state:
        case Unanswered(root, ours, theirs, sent):
            pair = [ours.private.expose(), ours.public.data]
            return [0, root.expose(), *pair, theirs.data, sent.key.expose(), sent.number]
        case Hearing(root, theirs, previous):
            chain = [theirs.ratchet_key.data, theirs.key.expose(), theirs.number]
            return [1, root.expose(), *chain, previous]
        case Speaking(root, ours, sent, theirs, previous):
            mine = [ours.private.expose(), ours.public.data, sent.key.expose(), sent.number]
            chain = [theirs.ratchet_key.data, theirs.key.expose(), theirs.number]
            return [2, root.expose(), *mine, *chain, previous]
        case _:
            raise AssertionError


def sparse_fields(state: Sparse) -> list[Any]:
    sending, receiving = _chain(state.sending), _chain(state.receiving)
    return [state.root.expose(), state.latest, sending, receiving, state.previous, int(state.is_initiator)]


def _chain(chain: SparseChain) -> list[Any]:
    following = None if chain.following is None else chain.following.expose()
    return [chain.epoch, chain.key.expose(), chain.number, following]


def braid_fields(state: Braid) -> tuple[list[Any], Slots]:
    held: Any = state
    secret = next((getattr(held, name) for name in ("seed", "m") if hasattr(held, name)), None)
    incoming: bytes | None = getattr(held, "incoming", None)
    entries = [incoming[at : at + _ENTRY] for at in range(0, len(incoming), _ENTRY)] if incoming else []
    fields = [
        STATES.index(type(state)), state.epoch,
        state.authenticator.root.expose(), state.authenticator.key.expose(),
        None if secret is None else secret.expose(), getattr(held, "sent", None),
        None if incoming is None else b"".join(each[:2] for each in entries),
    ]  # fmt: skip
    slots = {1: [getattr(held, "outgoing", b"")], 2: entries, 3: [getattr(held, "kept", b"")]}
    return fields, {slot: each for slot, each in slots.items() if b"".join(each)}
