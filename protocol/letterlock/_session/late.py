"""A late message of the active session, by the native module: its keys were kept when it was skipped.

The chains stay as they are. In the PQXDH suite the codewords of the message still count, so the record may
change. Both keys are deleted in the same call.                                                      [RAT-7]

`receive_late` returns None wherever anything is unusual, and where there is no native module: if the message
is late in one ratchet alone, or if a key is kept in another session, or no longer. Then nothing has changed,
and Python's way (peer_sessions.py) gives the answer, or the error.
"""

from collections.abc import Callable

from letterlock._primitives.native import NATIVE
from letterlock._records.session import SUITE
from letterlock._session.in_order import LONGEST
from letterlock.limits import KEPT_LIFETIME
from letterlock.stores import Record
from letterlock.stores._calls import StoreCalls


def receive_late(
    calls: StoreCalls, address: bytes, suites: frozenset[int], message: bytes, now: Callable[[], int]
) -> bytes | None:
    """Return the plaintext of a message, once what it changes is saved and its keys are deleted.

    `suites` are the numbers of those that are allowed. `now` is asked for the age of the keys.
    """
    if NATIVE is None or len(message) > LONGEST:
        return None
    row = calls.active(address)
    if row is None:
        return None
    record = row.record.expose()
    places = NATIVE.places(record, message)
    if not places or record[SUITE] not in suites:
        return None
    kept, oldest = calls.kept(row, places), now() - KEPT_LIFETIME
    if not kept or any(key.kept < oldest for key in kept):  # SES-16
        return None
    received = NATIVE.receive_late(record, message, *[key.record.expose() for key in kept])
    if received is None:
        return None
    after, plaintext = received
    if after is not None:
        calls.save_active(row, Record(after))
    calls.delete_kept(kept)
    return plaintext
