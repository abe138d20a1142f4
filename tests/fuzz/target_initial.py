"""Fuzzing initial messages: decoding, showing, and decrypting against an account that knows one of two peers.

Bob has published; Alice is known to him and has a session, Carol is a stranger. Each input is read as coming
from either.
"""

from dataclasses import replace
from typing import Final

import cbor2

from fuzz.harness import Finding, Target, attempt, check_points, skipping
from fuzz.peer import TEXT, SealingPeer, check_heard, identity, initiating_peer, mutator
from fuzz.pq_changes import PqChanges
from fuzz.same_ids import SameIds
from fuzz.spelling import spelt
from fuzz.stage import Stage
from letterlock._handshake.agreement import Party
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._session.sealing import pad
from letterlock._wire import cbor
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.inspection import inspect
from letterlock._wire.message import InitialMessage
from letterlock._wire.pq_header import PqType
from letterlock._wire.suite import Suite
from letterlock.errors import PeerError
from letterlock.limits import ONE_TIME_LIFETIME
from support.pair import ALICE, CAROL, entropy_of
from support.prekey_tools import bundles
from support.wire_samples import HANDSHAKE

_PAIR: Final = SameIds("fuzzed first messages")
_PAIR.alice.initiate(suite=Suite.X3DH)
_READ: Final = _PAIR.alice.write(TEXT)
_PAIR.bob.read(_READ)
_REPEAT: Final = _PAIR.alice.write(TEXT)
_PAIR.bob.account.publish(1)
_PAIR.clock.now += 2 * ONE_TIME_LIFETIME // 3
_BUNDLES: Final = bundles(_PAIR.bob.store, _PAIR.bob.account.publish(2))
_PAIR.clock.now += ONE_TIME_LIFETIME // 3 + 1  # so that every first message sweeps what has expired
_BOB: Final = Stage(_PAIR.bob.account, _PAIR.bob.store, skipping(8))

_KNOWN: Final = Party(ALICE, identity(_PAIR.alice.store))
_STRANGER: Final = Party(CAROL, IdentityKeyPair.generate(entropy_of("carol")))
_CHANGED: Final = Party(ALICE, _STRANGER.identity)
_OURSELVES: Final = Party(CAROL, identity(_PAIR.bob.store))


def _sealing_peer(party: Party, bundle: PrekeyBundle, seed: object = "first") -> SealingPeer:
    return initiating_peer(party, bundle, _PAIR.bob.store, seed)


def _classical(bundle: PrekeyBundle) -> PrekeyBundle:
    return replace(bundle, kem=None)


_PEERS: Final = tuple(
    _sealing_peer(party, bundle)
    for party in (_KNOWN, _STRANGER)
    for whole in _BUNDLES.values()
    for bundle in (whole, _classical(whole))
)


def check(data: bytes) -> None:
    attempt(data, lambda: inspect(data), PeerError)
    decoded = attempt(data, lambda: InitialMessage.decode(data), PeerError)
    if decoded.error is None:
        initial = decoded.accepted()
        check_points(initial.header.identity, initial.header.ephemeral, initial.message.header.ratchet_key)
        if spelt(initial) != data:
            raise Finding("an initial message encodes to other bytes")
    check_heard(_PEERS, data, _BOB.decrypt(ALICE, data), _BOB.decrypt(CAROL, data))


def seeds() -> dict[str, bytes]:
    found: dict[str, bytes] = {
        "read-before": _READ,
        "repeat": _REPEAT,
    }
    for name, bundle in _BUNDLES.items():
        label = name.replace(" ", "-").replace(",", "")
        found[label] = _sealing_peer(_STRANGER, bundle).say(pad(TEXT))
        found[f"x3dh-{label}"] = _sealing_peer(_KNOWN, _classical(bundle)).say(pad(TEXT))
    whole = _BUNDLES["both one-time"]
    peer = _sealing_peer(_STRANGER, whole)
    tree = cbor2.loads(found["both-one-time"])
    return found | {
        "changed-identity": _sealing_peer(_CHANGED, whole).say(pad(TEXT)),
        "our-own-identity": _sealing_peer(_OURSELVES, whole).say(pad(TEXT)),
        "sample": cbor.complete_array(HANDSHAKE.encode_header(), tree[9]),
        "whole-header": peer.say(pad(TEXT), changes=PqChanges(3)),
        "header-out-of-order": peer.say(pad(TEXT), changes=PqChanges(5, first=60_000)),
        "wrong-header": peer.say(pad(TEXT), changes=PqChanges(codewords=bytes(96))),
        "another-type": peer.say(pad(TEXT), changes=PqChanges(36, type=PqType.EK)),
        "second-epoch": peer.say(pad(TEXT), changes=PqChanges(ahead=1)),
        "most-skipped-sparse": peer.say(pad(TEXT), changes=PqChanges(jump=2000)),
        "plain-in-pqxdh": cbor2.dumps([*tree[:9], cbor2.loads(found["x3dh-both-one-time"])[9]]),
        "triple-in-x3dh": cbor2.dumps([*cbor2.loads(found["x3dh-both-one-time"])[:9], tree[9]]),
        "most-skipped": peer.say(pad(TEXT), 2000),
        "one-too-many": peer.say(pad(TEXT), 2001),
        "padding-of-zeros": peer.say(bytes(32)),
        "unknown-suite": cbor2.dumps([*tree[:2], 3, *tree[3:]]),
        "unknown-prekey": cbor2.dumps([*tree[:5], 2**32 - 1, *tree[6:]]),
        "inner-is-initial": cbor2.dumps([*tree[:9], found["both-one-time"]]),
        "pqxdh-without-kem": cbor2.dumps([*tree[:7], None, None, tree[9]]),
        "x3dh-with-kem": cbor2.dumps([*tree[:2], 1, *tree[3:]]),
    }


TARGET: Final = Target(check, mutator(_PEERS), seeds)
