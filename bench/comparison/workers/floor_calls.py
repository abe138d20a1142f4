"""The floor: the calls of primitives that each work requires, straight from Python (bench/floor.py).

python floor_calls.py X3DH|PQXDH
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cbor2
import works
from letterlock_account import floor, versions
from letterlock_session import SessionPair

from letterlock import Suite
from letterlock.session.record import encode_session
from letterlock.wire.padding import padded_length

AT_REST = 40
"""Nonce and tag that a record has more in a file."""


def calls(suite: Suite, bare: Callable[[], None], record: bytes) -> dict[str, works.Own]:
    """Return each work as calls; those of one message are repeated as the pairs' are."""
    triple = suite is Suite.PQXDH
    message = floor.Message(padded_length(works.TEXT_BYTES), triple=triple)
    handshake = floor.Handshake(triple)
    seal, unseal = floor.buffers(os.urandom(padded_length(works.LARGE_BYTES)))
    elements = cbor2.loads(record)

    def both() -> None:
        message.encrypt()
        message.decrypt()

    def first() -> None:
        handshake.initiate()
        message.encrypt()

    found = {
        "initiate": works.each_of(handshake.initiate, 1),
        "initiate-and-encrypt": works.each_of(first, 1),
        "first-decrypt": works.each_of(handshake.respond, 1),
        "encrypt": works.each_of(message.encrypt, works.MESSAGES),
        "encrypt-decrypt": works.each_of(both, works.MESSAGES),
        "ping-pong": works.each_of(message.ping_pong, works.TURNS),
        "skip-999": works.each_of(lambda: message.decrypt_after(works.SKIPPED), 1),
        "late-999": works.each_of(message.decrypt_late, works.SKIPPED),
        "large-encrypt": works.each_of(seal, works.LARGE_MESSAGES),
        "large-decrypt": works.each_of(unseal, works.LARGE_MESSAGES),
        "save-load": works.each_of(lambda: cbor2.loads(cbor2.dumps(elements)), 100),
        "sqlite-encrypt": works.each_of(bare, works.DURABLE),
    }
    return found if triple else found | works.chain(lambda count: floor.walk(bytes(32), count))


def main() -> None:
    suite = Suite[sys.argv[1]]
    pair = works.spoken(lambda: SessionPair(suite))
    assert isinstance(pair, SessionPair)
    record = encode_session(pair.session).expose()
    with (
        tempfile.TemporaryDirectory(prefix="letterlock-floor-") as folder,
        floor.transaction(Path(folder) / "floor.db", len(record) + AT_REST) as bare,
    ):
        works.serve_own(calls(suite, bare, record), versions())


if __name__ == "__main__":
    main()
