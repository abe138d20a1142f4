"""The floor: the calls of primitives that each case requires, straight from Python (bench/floor.py).

python floor_calls.py X3DH|PQXDH
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cases
import cbor2
from letterlock_account import floor, versions
from letterlock_session import SessionPair

from letterlock import Suite
from letterlock._records.session import encode_session
from letterlock._session.sealing import padded_length

AT_REST = 40
"""Nonce and tag that a record has more in a file."""


def calls(suite: Suite, bare: Callable[[], None], record: bytes) -> dict[str, cases.Own]:
    """Return each case as calls; those of one message are repeated as the pairs' are."""
    triple = suite is Suite.PQXDH
    message = floor.Message(padded_length(cases.TEXT_BYTES), triple=triple)
    handshake = floor.Handshake(triple)
    seal, unseal = floor.buffers(os.urandom(padded_length(cases.LARGE_BYTES)))
    elements = cbor2.loads(record)

    def both() -> None:
        message.encrypt()
        message.decrypt()

    def first() -> None:
        handshake.initiate()
        message.encrypt()

    found = {
        "initiate": cases.each_of(handshake.initiate, 1),
        "initiate-and-encrypt": cases.each_of(first, 1),
        "first-decrypt": cases.each_of(handshake.respond, 1),
        "encrypt": cases.each_of(message.encrypt, cases.MESSAGES),
        "encrypt-decrypt": cases.each_of(both, cases.MESSAGES),
        "ping-pong": cases.each_of(message.ping_pong, cases.TURNS),
        "skip-999": cases.each_of(lambda: message.decrypt_after(cases.SKIPPED), 1),
        "late-999": cases.each_of(message.decrypt_late, cases.SKIPPED),
        "large-encrypt": cases.each_of(seal, cases.LARGE_MESSAGES),
        "large-decrypt": cases.each_of(unseal, cases.LARGE_MESSAGES),
        "save-load": cases.each_of(lambda: cbor2.loads(cbor2.dumps(elements)), 100),
        "sqlite-encrypt": cases.each_of(bare, cases.DURABLE),
        "sqlite-decrypt": cases.each_of(bare, cases.DURABLE),
    }
    return found if triple else found | cases.chain(lambda count: floor.walk(bytes(32), count))


def main() -> None:
    suite = Suite[sys.argv[1]]
    pair = cases.spoken(lambda: SessionPair(suite))
    assert isinstance(pair, SessionPair)
    record = encode_session(pair.session).expose()
    with (
        tempfile.TemporaryDirectory(prefix="letterlock-floor-") as folder,
        floor.transaction(Path(folder) / "floor.db", len(record) + AT_REST) as bare,
    ):
        cases.serve_own(calls(suite, bare, record), versions())


if __name__ == "__main__":
    main()
