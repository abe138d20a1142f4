"""Fuzzing bundles and publications: decoding, verifying, showing, and agreeing with what verifies."""

import random
from functools import partial
from typing import Any, Final

import cbor2

from fuzz.harness import Finding, Target, attempt, check_points
from fuzz.peer import identity
from fuzz.same_ids import SameIds
from fuzz.stage import Stage
from fuzz.tree import encoded, mutated, parsed
from letterlock._handshake.bundle_signature import verify_bundle, verify_publication
from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.labels import BUNDLE_SIGNATURE
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.inspection import inspect
from letterlock._wire.publication import Publication
from letterlock._wire.suite import Suite
from letterlock.errors import InvalidSignature, PeerError
from letterlock.limits import MAX_DAY, MAX_SIGNED_MESSAGE
from support.prekey_tools import bundles
from support.wire_samples import kem_key

_PAIR: Final = SameIds("fuzzed bundles")
_PUBLICATION: Final = _PAIR.bob.account.publish(2)
_SIGNER: Final[IdentityKeyPair] = identity(_PAIR.bob.store)
_ALICE: Final = Stage(_PAIR.alice.account, _PAIR.alice.store)


def check(data: bytes) -> None:
    shown = attempt(data, lambda: inspect(data), PeerError)
    if shown.error is None:
        attempt(data, lambda: str(shown.accepted()) + shown.accepted().json(), PeerError).accepted()
    decoded = attempt(data, lambda: PrekeyBundle.decode(data), PeerError)
    if decoded.error is None:
        _check_bundle(data, decoded.accepted())
    read = attempt(data, lambda: Publication.decode(data), PeerError)
    if read.error is None:
        _check_publication(data, read.accepted())


def _check_bundle(data: bytes, bundle: PrekeyBundle) -> None:
    check_points(bundle.identity, bundle.signed.key, *[each.key for each in (bundle.one_time,) if each])
    if bundle.encode() != data:
        raise Finding("a bundle encodes to other bytes")
    sound = attempt(data, partial(verify_bundle, bundle), InvalidSignature).error is None
    account = _PAIR.alice.account
    for suite in Suite:
        call = partial(account.initiate, bundle.address, bundle, suite=suite)
        initiated = _ALICE.use(data, call)
        if initiated.error is None and not sound:
            raise Finding("a bundle that does not verify was agreed with")


def _check_publication(data: bytes, publication: Publication) -> None:
    check_points(
        publication.identity, publication.signed.key, *[each.one_time.key for each in publication.pairs]
    )
    if publication.encode() != data:
        raise Finding("a publication encodes to other bytes")
    sound = attempt(data, partial(verify_publication, publication), InvalidSignature).error is None
    handed_out = [*publication.bundles(), publication.last_resort_bundle()]
    for bundle in handed_out:
        again = attempt(data, partial(PrekeyBundle.decode, bundle.encode()), PeerError).accepted()
        if again != bundle:
            raise Finding("a bundle of a publication does not read")
        if sound:
            attempt(data, partial(verify_bundle, again), InvalidSignature).accepted()


def mutate(data: bytes, rng: random.Random, room: int) -> bytes:
    """As every tree; and one time in three sign again what was changed, so that it verifies."""
    result = mutated(data, rng, room)
    if rng.random() > 0.33:
        return result
    tree = parsed(result)
    if not isinstance(tree, list) or len(tree) != 9:
        return result
    tree[3] = _SIGNER.public.data
    signed = encoded(_signed_again(tree), rng)
    return signed if len(signed) <= room else result


def _signed_again(tree: list[Any]) -> list[Any]:
    """Return a bundle, or a publication, with signatures of ours."""
    if tree[1] != 4:
        return [*tree[:8], _signature(tree[:8])]
    head, pairs = tree[2:6], tree[8] if isinstance(tree[8], list) else []
    last = _signature([2, 3, *head, None, tree[6]])
    signed = [
        [*each[:2], _signature([2, 3, *head, *each[:2]])]
        if isinstance(each, list) and len(each) == 3
        else each
        for each in pairs[:50]
    ]
    return [*tree[:7], last, signed + pairs[50:]]


def _signature(elements: list[Any]) -> bytes:
    message = BUNDLE_SIGNATURE + cbor2.dumps([*elements, b""])[:-1]
    return xeddsa.sign(_SIGNER, message[:MAX_SIGNED_MESSAGE], bytes(64))


def seeds() -> dict[str, bytes]:
    made = bundles(_PAIR.bob.store, _PUBLICATION)
    found = {name.replace(" ", "-").replace(",", ""): each.encode() for name, each in made.items()}
    found["publication"] = whole = _PUBLICATION.encode()
    tree = cbor2.loads(whole)
    bundle = cbor2.loads(found["both-one-time"])
    q = (3329).to_bytes(2, "little")
    return found | {
        "publication-without-one-time": cbor2.dumps([*tree[:8], []]),
        "publication-half-a-pair": cbor2.dumps([*tree[:8], [tree[8][0][:1], *tree[8][1:]]]),
        "publication-ids-twice": cbor2.dumps([*tree[:8], tree[8][:1] * 2]),
        "publication-of-empty-arrays": cbor2.dumps([*tree[:8], [[]] * 20_000]),
        "publication-of-wide-prekeys": cbor2.dumps([*tree[:8], [[None] * 5000] * 8]),
        "x3dh-bundle": cbor2.dumps(_signed_again([*bundle[:7], None, b""])),
        "low-order-identity": cbor2.dumps([*bundle[:3], bytes(32), *bundle[4:]]),
        "low-order-signed-prekey": cbor2.dumps(
            _signed_again([*bundle[:5], [*bundle[5][:2], bytes(32)], *bundle[6:]])
        ),
        "identity-not-canonical": cbor2.dumps([*bundle[:3], b"\xff" * 31 + b"\x7f", *bundle[4:]]),
        "coefficient-too-large": cbor2.dumps([*bundle[:7], [3, 9, q + kem_key().data[2:]], bundle[8]]),
        "another-address": cbor2.dumps([*bundle[:2], ["mallory", 1], *bundle[3:]]),
        "stale": cbor2.dumps(_signed_again([*bundle[:4], 0, *bundle[5:]])),
        "last-day": cbor2.dumps(_signed_again([*bundle[:4], MAX_DAY, *bundle[5:]])),
        "last-resort-dropped": cbor2.dumps([*bundle[:7], None, bundle[8]]),
        "too-large": cbor2.dumps([*bundle[:2], ["b" * 9000, 1], *bundle[3:]]),
        "version-one": b"\x87\x01" + found["both-one-time"][2:],
        "version-three": b"\x89\x03" + found["both-one-time"][2:],
    }


TARGET: Final = Target(check, mutate, seeds)
