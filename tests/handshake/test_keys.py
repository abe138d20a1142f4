"""PRIM-2, PRIM-3: a message with a public key that is not canonical or of low order is refused at once.

Not here: the keys of a bundle (test_signatures.py).
"""

from typing import Any

import cbor2
import pytest

from letterlock._primitives.curve25519 import LOW_ORDER, P
from letterlock.errors import InvalidKey, MalformedMessage, PeerError
from support.pair import Pair, flipped, unchanged
from support.trace_calls import Trace

GOOD = (9).to_bytes(32, "little")
LOW = sorted(LOW_ORDER)
TWISTED = [(u + P).to_bytes(32, "little") for u in (0, 1, 9, 18)]
HIGH_BIT = [flipped(each, 31, 0x80) for each in (GOOD, *LOW)]
NOT_CANONICAL = [P.to_bytes(32, "little"), b"\xff" * 32, *TWISTED, *HIGH_BIT]
WRONG_LENGTH = [b"", bytes(31), GOOD + b"\0", b"\x05" + GOOD]

IDENTITY, EPHEMERAL = 3, 4


def with_key(letter: bytes, at: int, key: Any) -> bytes:
    fields = cbor2.loads(letter)
    fields[at] = key
    return cbor2.dumps(fields)


def with_ratchet_key(letter: bytes, key: Any) -> bytes:
    fields = cbor2.loads(letter)
    inner = cbor2.loads(fields[-1])
    inner[2] = key
    fields[-1] = cbor2.dumps(inner)
    return cbor2.dumps(fields)


@pytest.mark.parametrize("bad", LOW + NOT_CANONICAL, ids=lambda bad: bad.hex()[-12:])
@pytest.mark.parametrize("which", ["identity", "ephemeral", "ratchet"])
def test_a_bad_key_in_an_initial_message(pair: Pair, trace: Trace, which: str, bad: bytes) -> None:
    pair.alice.initiate()
    letter = pair.alice.write(b"first")
    places = {"identity": IDENTITY, "ephemeral": EPHEMERAL}
    forged = with_ratchet_key(letter, bad) if which == "ratchet" else with_key(letter, places[which], bad)
    trace.clear()
    with unchanged(pair.bob.store), pytest.raises(InvalidKey):
        pair.bob.read(forged)
    assert trace.calls == []  # no key of ours was used with it
    assert pair.bob.read(letter) == b"first"


@pytest.mark.parametrize("bad", LOW + NOT_CANONICAL, ids=lambda bad: bad.hex()[-12:])
def test_a_bad_key_in_a_ratchet_message(pair: Pair, trace: Trace, bad: bytes) -> None:
    pair.converse()
    letter = pair.alice.write(b"next")
    trace.clear()
    with unchanged(pair.bob.store), pytest.raises(InvalidKey):
        pair.bob.read(with_key(letter, 2, bad))
    assert trace.calls == []
    assert pair.bob.read(letter) == b"next"


@pytest.mark.parametrize("bad", [*WRONG_LENGTH, None, "x" * 32, 5, [GOOD]], ids=repr)
@pytest.mark.parametrize("which", ["identity", "ephemeral", "ratchet"])
def test_bytes_that_are_no_key(pair: Pair, which: str, bad: Any) -> None:
    pair.alice.initiate()
    letter = pair.alice.write(b"first")
    places = {"identity": IDENTITY, "ephemeral": EPHEMERAL}
    forged = with_ratchet_key(letter, bad) if which == "ratchet" else with_key(letter, places[which], bad)
    with unchanged(pair.bob.store), pytest.raises(MalformedMessage):
        pair.bob.read(forged)


def test_two_good_keys_exchanged_are_refused(pair: Pair) -> None:
    """Both are keys of Alice's, but each stands in the place of the other."""
    pair.alice.initiate()
    letter = pair.alice.write(b"first")
    fields = cbor2.loads(letter)
    fields[IDENTITY], fields[EPHEMERAL] = fields[EPHEMERAL], fields[IDENTITY]
    with unchanged(pair.bob.store), pytest.raises(PeerError):
        pair.bob.read(cbor2.dumps(fields))
    with unchanged(pair.bob.store), pytest.raises(PeerError):
        pair.bob.read(with_ratchet_key(letter, fields[IDENTITY]))
    assert pair.bob.read(letter) == b"first"
