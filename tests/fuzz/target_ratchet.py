"""Fuzzing ratchet messages: decoding, showing, and decrypting on both sides of a live conversation.

Bob is in the middle of everything: an active session and archived ones in both suites, braids in most states,
keys kept for late messages, finished chains. Alice has begun anew and waits for an answer (conversation.py).
"""

from dataclasses import replace
from typing import Final

import cbor2

from fuzz.conversation import SESSIONS, conversation
from fuzz.harness import Finding, Target, attempt, check_points, skipping
from fuzz.peer import TEXT, check_heard, mutator, sealing_peers
from fuzz.pq_changes import PqChanges
from fuzz.spelling import spelt
from fuzz.stage import Stage
from letterlock._session.sealing import pad
from letterlock._wire.inspection import inspect
from letterlock._wire.message import RatchetMessage
from letterlock._wire.pq_header import PqType
from letterlock.errors import PeerError
from support.pair import ALICE, BOB

_PAIR, _HELD = conversation("fuzzed ratchet")
_BOB: Final = Stage(_PAIR.bob.account, _PAIR.bob.store, skipping(12))
_ALICE: Final = Stage(_PAIR.alice.account, _PAIR.alice.store, skipping(12))
_PEERS: Final = (*sealing_peers(_PAIR.alice), *sealing_peers(_PAIR.bob))


def check(data: bytes) -> None:
    attempt(data, lambda: inspect(data), PeerError)
    decoded = attempt(data, lambda: RatchetMessage.decode(data), PeerError)
    if decoded.error is None:
        header = decoded.accepted().header
        check_points(header.ratchet_key)
        if max(header.previous_length, header.number) >= 2**32:
            raise Finding("a counter of more than four bytes was read")
        if spelt(decoded.accepted()) != data:
            raise Finding("a message encodes to other bytes")
    check_heard(_PEERS, data, _BOB.decrypt(ALICE, data), _ALICE.decrypt(BOB, data))


def seeds() -> dict[str, bytes]:
    unanswered, active, second, acknowledged, vector, begun, plain = _PEERS[:7]
    bobs = dict(zip(SESSIONS, _PEERS[7:], strict=True))
    tree = cbor2.loads(_HELD["next"])
    wrong = PqChanges(codewords=bytes(64 * 32), first=40)
    whole = {
        f"{name}-whole-to-alice": peer.say(pad(TEXT), changes=PqChanges(36)) for name, peer in bobs.items()
    }
    whole |= {
        f"{name}-whole": peer.say(pad(TEXT), changes=PqChanges(36))
        for name, peer in zip(SESSIONS, _PEERS[1:7], strict=True)
    }
    return (
        _HELD
        | whole
        | {
            "counter-too-large": cbor2.dumps([*tree[:4], 2**32, *tree[5:]]),
            "sample": cbor2.dumps([1, 2, *tree[2:5], bytes(56)]),
            "sample-triple": cbor2.dumps([*tree[:5], 2, 3, 4, 5, 6, bytes(range(64)), bytes(56)]),
            "most-skipped": active.say(pad(TEXT), 1980, 2000, PqChanges(previous=1990)),
            "one-too-many": active.say(pad(TEXT), 2001, changes=PqChanges(jump=0)),
            "far-sparse-number": cbor2.dumps([*tree[:6], 2**22, *tree[7:]]),
            "one-too-many-sparse": active.say(pad(TEXT), changes=PqChanges(jump=2001)),
            "plain-most-skipped": plain.say(pad(TEXT), 1990, 2000),
            "padding-of-zeros": active.say(bytes(32)),
            "padding-too-long": active.say(pad(TEXT) + bytes(32)),
            "padding-off-the-grid": active.say((b"x" * 200 + b"\x80").ljust(209, b"\0")),
            "no-text": active.say(pad(b"")),
            "unanswered": unanswered.say(pad(TEXT)),
            "epoch-of-the-future": active.say(pad(TEXT), changes=PqChanges(ahead=1)),
            "epoch-of-the-past": active.say(pad(TEXT), changes=PqChanges(ahead=-1)),
            "last-index": begun.say(pad(TEXT), changes=PqChanges(first=2**16 - 1)),
            "wrong-vector": begun.say(pad(TEXT), changes=wrong),
            "wrong-vector-acknowledged": acknowledged.say(pad(TEXT), changes=wrong),
            "wrong-vector-too-late": second.say(pad(TEXT), changes=replace(wrong, type=PqType.EK)),
            "wrong-ct2-to-alice": bobs["second-part"].say(pad(TEXT), changes=wrong),
            "wrong-ct1-to-alice": bobs["begun"].say(pad(TEXT), changes=wrong),
            "wrong-header-to-alice": bobs["active"].say(pad(TEXT), changes=wrong),
            "bare-acknowledgement": vector.say(pad(TEXT), changes=PqChanges(type=PqType.CT1_ACK)),
        }
    )


TARGET: Final = Target(check, mutator(_PEERS), seeds)
