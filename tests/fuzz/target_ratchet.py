"""Fuzzing ratchet messages: decoding, showing, and decrypting on both sides of a live conversation.

Bob is in the middle of everything: an active session and an archived one, keys kept for late messages, a
finished chain. Alice has begun anew and waits for an answer, with the older sessions in her archive.
"""

from typing import Final

import cbor2

from fuzz.harness import MEGABYTE, Finding, Target, attempt, check_points
from fuzz.stage import Stage
from fuzz.voice import TEXT, check_heard, mutator, voices
from letterlock.errors import PeerError
from letterlock.wire.inspection import inspect
from letterlock.wire.message import RatchetMessage
from letterlock.wire.padding import pad
from letterlock.wire.suite import Suite
from pair import ALICE, BOB, BOTH_SUITES, Pair
from test_wire_samples import encode_again, samples


def _room(size: int) -> int:
    """Memory of a message that is accepted: rows for 4,000 skipped keys, of about a kilobyte each."""
    return 8 * MEGABYTE + 8 * size


def _scene() -> tuple[Pair, dict[str, bytes]]:
    """Two who have talked, and letters that did not arrive yet."""
    pair = Pair(suites=BOTH_SUITES, seed="fuzzed ratchet")
    alice, bob = pair.alice, pair.bob
    pair.converse(Suite.X3DH)
    pair.turn()
    held = {"in-the-archive": alice.write(TEXT), "archive-to-alice": bob.write(TEXT)}
    pair.converse(Suite.X3DH)
    pair.turn()
    held["late"], read = alice.write(TEXT), alice.write(TEXT)
    bob.read(read)
    held["read-before"], held["next"] = read, alice.write(TEXT)
    alice.read(bob.write(TEXT))
    held["turn"], held["to-alice"] = alice.write(TEXT), bob.write(TEXT)
    held["turn-and-jump"] = alice.write(b"a text of more than thirty-one bytes" * 3)
    alice.initiate(suite=Suite.X3DH)
    return pair, held


_PAIR, _HELD = _scene()
_BOB: Final = Stage(_PAIR.bob.account, _PAIR.bob.store, _room)
_ALICE: Final = Stage(_PAIR.alice.account, _PAIR.alice.store, _room)
_VOICES: Final = (*voices(_PAIR.alice), *voices(_PAIR.bob))


def check(data: bytes) -> None:
    attempt(data, lambda: inspect(data), PeerError)
    decoded = attempt(data, lambda: RatchetMessage.decode(data), PeerError)
    if decoded.error is None:
        header = decoded.accepted().header
        check_points(header.ratchet_key)
        if max(header.previous_length, header.number) >= 2**32:
            raise Finding("a counter of more than four bytes was read")
        if encode_again(decoded.accepted()) != data:
            raise Finding("a message encodes to other bytes")
    check_heard(_VOICES, data, _BOB.decrypt(ALICE, data), _ALICE.decrypt(BOB, data))


def seeds() -> dict[str, bytes]:
    active = _VOICES[1]  # the first is of the session that Bob has not heard of
    return _HELD | {
        "counter-too-large": cbor2.dumps([*cbor2.loads(_HELD["next"])[:4], 2**32, bytes(56)]),
        "sample": samples()["ratchet message"][0],
        "most-skipped": active.say(pad(TEXT), 1990, 2000),
        "one-too-many": active.say(pad(TEXT), 2001),
        "padding-of-zeros": active.say(bytes(32)),
        "padding-too-long": active.say(pad(TEXT) + bytes(32)),
        "padding-off-the-grid": active.say((b"x" * 200 + b"\x80").ljust(209, b"\0")),
        "no-text": active.say(pad(b"")),
        "unanswered": _VOICES[0].say(pad(TEXT)),
    }


TARGET: Final = Target(check, mutator(_VOICES), seeds)
