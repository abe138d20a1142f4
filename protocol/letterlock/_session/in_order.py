"""The very next message of a session, by the native module: from one stored row to the next.

    send_next       the next message of the active session
    receive_next    the message that is next in each chain, or that turns the ratchet and skips nothing

The record is handed over as it is stored, so no session is decoded. `suites` are the numbers of those that
are allowed. Both return None wherever anything is unusual, and where there is no native module. Then nothing
has changed, and Python's way (peer_sessions.py) gives the answer, or the error.

Long texts are left to Python too, because OpenSSL seals them faster.
"""

from typing import Final

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.native import NATIVE
from letterlock._records.session import STATE, SUITE, THEIRS, UNANSWERED
from letterlock.limits import MAX_PAST_CHAINS
from letterlock.stores import Record, SessionRow, Tables
from letterlock.stores._calls import StoreCalls

LONGEST: Final = 32 * 1024
"""Bytes of plaintext, or of a message, up to which the native module is asked."""


def send_next(
    calls: StoreCalls, row: SessionRow, suites: frozenset[int], plaintext: bytes, entropy: Entropy
) -> bytes | None:
    """Return the next message of the active session. Draws as `sealing.encrypt` does."""
    if NATIVE is None or len(plaintext) > LONGEST:
        return None
    record = row.record.expose()
    draws = NATIVE.draws(record)
    if not draws or record[SUITE] not in suites:
        return None
    drawn = entropy(draws[0]) if len(draws) == 1 else b"".join(map(entropy, draws))
    sent = NATIVE.send(record, plaintext, drawn)
    if sent is None:
        return None
    calls.save_active(row, Record(sent[0]))
    return sent[1]


def receive_next(
    calls: StoreCalls, tables: Tables, address: bytes, suites: frozenset[int], message: bytes
) -> bytes | None:
    """Return the plaintext of a message, once what it changes is saved."""
    if NATIVE is None or len(message) > LONGEST:
        return None
    row = calls.active(address)
    if row is None:
        return None
    record = row.record.expose()
    received = NATIVE.receive(record, message)
    if received is None or record[SUITE] not in suites:
        return None
    after, plaintext = received
    finished, begun = record[THEIRS], after[THEIRS]
    if finished == begun:
        calls.save_active(row, Record(after))
        return plaintext
    if _is_known(tables, address, row.id, begun):
        return None
    calls.save_active(row, Record(after))
    # The signed prekey of a session that was not answered heads no chain.
    if record[STATE] != UNANSWERED:
        tables.past_chains.add(row.id, finished, MAX_PAST_CHAINS)
    return plaintext


def _is_known(tables: Tables, address: bytes, id_: int, chain: bytes) -> bool:
    """Return whether a ratchet key that begins a chain was used before. No honest peer does that."""
    return (
        tables.past_chains.has(id_, chain)
        or tables.skipped_keys.has(id_, chain)
        or tables.skipped_keys.find(address, chain, 0) is not None
    )
