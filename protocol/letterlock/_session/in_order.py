"""The very next message of a session, by the native module: from one stored row to the next.

    send_next       the next message of the active session
    receive_next    the message that is next in each chain, or that turns the ratchet and skips nothing

The record is handed over as it is stored, so no session is decoded. Both return None wherever anything is
unusual, and where there is no native module. Then nothing has changed, and Python's way (peer_sessions.py)
gives the answer, or the error.

Long texts are left to Python too, because OpenSSL seals them faster.
"""

from typing import Final

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.native import NATIVE
from letterlock._records.session import STATE, SUITE, SUITES, THEIRS, UNANSWERED
from letterlock._wire.suite import Suite
from letterlock.limits import MAX_PAST_CHAINS
from letterlock.stores import Record, SessionRow, Tables

LONGEST: Final = 32 * 1024
"""Bytes of plaintext, or of a message, up to which the native module is asked."""


def send_next(
    tables: Tables, address: bytes, suites: frozenset[Suite], plaintext: bytes, entropy: Entropy
) -> bytes | None:
    """Return the next message to the peer at an address. Draws as `sealing.encrypt` does."""
    if NATIVE is None or len(plaintext) > LONGEST:
        return None
    for row in tables.sessions.load(address, 1):
        record = row.record.expose()
        draws = NATIVE.draws(record)
        if not draws or SUITES.get(record[SUITE]) not in suites:
            break
        sent = NATIVE.send(record, plaintext, b"".join(map(entropy, draws)))
        if sent is None:
            break
        tables.sessions.save(SessionRow(row.id, address, row.rank, Record(sent[0])))
        return sent[1]
    return None


def receive_next(tables: Tables, address: bytes, suites: frozenset[Suite], message: bytes) -> bytes | None:
    """Return the plaintext of a message, once what it changes is saved."""
    if NATIVE is None or len(message) > LONGEST:
        return None
    for row in tables.sessions.load(address, 1):
        record = row.record.expose()
        received = NATIVE.receive(record, message)
        if received is None or SUITES.get(record[SUITE]) not in suites:
            break
        after, plaintext = received
        finished, begun = record[THEIRS], after[THEIRS]
        is_turn = finished != begun
        if is_turn and _is_known(tables, address, row.id, begun):
            break
        tables.sessions.save(SessionRow(row.id, address, row.rank, Record(after)))
        # The signed prekey of a session that was not answered heads no chain.
        if is_turn and record[STATE] != UNANSWERED:
            tables.past_chains.add(row.id, finished, MAX_PAST_CHAINS)
        return plaintext
    return None


def _is_known(tables: Tables, address: bytes, id_: int, chain: bytes) -> bool:
    """Return whether a ratchet key that begins a chain was used before. No honest peer does that."""
    return (
        tables.past_chains.has(id_, chain)
        or tables.skipped_keys.has(id_, chain)
        or tables.skipped_keys.find(address, chain, 0) is not None
    )
