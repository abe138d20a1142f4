"""The next message of the active session, by the native module: from one stored row to the next.

    send_next       the next message of the active session
    receive_next    a message that is not late: the next of its chain or one beyond a gap, with a turn of the
                    ratchet or without

The record is handed over as it is stored, so no session is decoded. `suites` are the numbers of those that
are allowed. Both return None wherever anything is unusual, and where there is no native module. Then nothing
has changed, and Python's way (peer_sessions.py) gives the answer, or the error.

Long texts are left to Python too, because OpenSSL seals them faster.
"""

from collections.abc import Callable
from typing import Final

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.native import NATIVE, Halves, Range
from letterlock._ratchet.keys import SkippedKeys
from letterlock._ratchet.ratchet import SkippedRange
from letterlock._records.session import RECEIVED, STATE, SUITE, THEIRS, UNANSWERED, unanswered_since
from letterlock._session.stored_session import is_over
from letterlock._wire.suite import Suite
from letterlock.limits import MAX_PAST_CHAINS, MAX_SKIPPED_KEYS
from letterlock.stores import Record, SessionRow, Tables
from letterlock.stores._calls import StoreCalls

_MOST: Final = {int(Suite.X3DH): MAX_SKIPPED_KEYS, int(Suite.PQXDH): 2 * MAX_SKIPPED_KEYS}
"""How many skipped keys a session keeps: a message of the PQXDH suite has two. [RAT-7]"""

LONGEST: Final = 16 * 1024
"""Bytes of plaintext, or of a message, up to which the native module is asked."""


def send_next(
    calls: StoreCalls,
    row: SessionRow,
    suites: frozenset[int],
    plaintext: bytes,
    entropy: Entropy,
    now: Callable[[], int],
) -> bytes | None:
    """Return the next message of the active session. Draws as `sealing.encrypt` does.

    `now` is asked if the session was not answered.
    """
    if NATIVE is None or len(plaintext) > LONGEST:
        return None
    record = row.record.expose()
    draws = NATIVE.draws(record)
    if not draws or record[SUITE] not in suites or is_over(unanswered_since(record), now):
        return None
    drawn = entropy(draws[0]) if len(draws) == 1 else b"".join(map(entropy, draws))
    sent = NATIVE.send(record, plaintext, drawn)
    if sent is None:
        return None
    calls.save_active(row, Record(sent[0]))
    return sent[1]


def receive_next(
    calls: StoreCalls,
    tables: Tables,
    address: bytes,
    suites: frozenset[int],
    message: bytes,
    now: Callable[[], int],
) -> bytes | None:
    """Return the plaintext of a message, once what it changes is saved.

    `now` is asked if it skips any, or if the session was not answered.
    """
    if NATIVE is None or len(message) > LONGEST:
        return None
    row = calls.active(address)
    if row is None:
        return None
    record = row.record.expose()
    received = NATIVE.receive(record, message)
    if received is None or record[SUITE] not in suites or is_over(unanswered_since(record), now):
        return None
    after, plaintext, skipped = received
    finished, begun = record[THEIRS], after[THEIRS]
    if finished == begun and skipped is None:
        calls.save_active(row, Record(after))
        return plaintext
    if (finished != begun and _is_known(tables, row.id, begun)) or _is_kept(tables, address, after):
        return None
    calls.save_active(row, Record(after))
    if skipped is not None:
        _keep(tables, row.id, skipped, now(), _MOST[record[SUITE]])
    # The signed prekey of a session that was not answered heads no chain.
    if finished != begun and record[STATE] != UNANSWERED:
        tables.past_chains.add(row.id, finished, MAX_PAST_CHAINS)
    return plaintext


def _keep(tables: Tables, id_: int, skipped: Halves, now: int, most: int) -> None:
    """Keep the keys of what a message skipped, and at most this many of the session. [RAT-7]"""
    halves = tuple(tuple(map(_range, half)) for half in skipped)
    tables.skipped_keys.add(id_, halves, now)
    tables.skipped_keys.trim(id_, most)


def _range(each: Range) -> SkippedRange:
    chain, start, keys = each
    return SkippedRange(chain, start, SkippedKeys(keys))


def _is_kept(tables: Tables, address: bytes, after: bytes) -> bool:
    """Return whether the key of the message itself is kept, in any session. No honest peer causes that."""
    number = int.from_bytes(after[RECEIVED], "big") - 1
    return tables.skipped_keys.find(address, after[THEIRS], number) is not None


def _is_known(tables: Tables, id_: int, chain: bytes) -> bool:
    """Return whether a ratchet key that begins a chain was used before. No honest peer does that."""
    return tables.past_chains.has(id_, chain) or tables.skipped_keys.has(id_, chain)
