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
from letterlock._handshake.prekey_signature import signed_bytes, verify_bundle, verify_publication
from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.inspection import inspect
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.publication import Publication
from letterlock._wire.suite import Suite
from letterlock.errors import InvalidSignature, PeerError
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
    check_points(publication.identity, publication.signed.key, *[each.key for each in publication.one_time])
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
    if not isinstance(tree, list) or len(tree) not in {7, 8}:
        return result
    tree[3] = _SIGNER.public.data
    signed = encoded([_signed_again(each) for each in tree], rng)
    return signed if len(signed) <= room else result


def _signed_again(node: Any) -> Any:
    """Return a prekey, or an array of prekeys, with signatures of ours."""
    match node:
        case [int(kind), int(id_), bytes(key), *_] if kind in set(PrekeyKind) and 0 <= id_ < 2**32:
            message = signed_bytes(PrekeyKind(kind), id_, key[:4000])
            return [*node[:3], xeddsa.sign(_SIGNER, message, bytes(64)), *node[4:]]
        case list() if len(node) < 50:
            return [_signed_again(each) for each in node]
        case _:
            return node


def seeds() -> dict[str, bytes]:
    found = {
        name.replace(" ", "-").replace(",", ""): each.encode() for name, each in bundles(_PUBLICATION).items()
    }
    found["publication"] = whole = _PUBLICATION.encode()
    tree = cbor2.loads(whole)
    bundle = cbor2.loads(found["both-one-time"])
    low = _signed_again([*bundle[4][:2], bytes(32), bytes(64)])
    q = (3329).to_bytes(2, "little")
    return found | {
        "publication-without-one-time": cbor2.dumps([*tree[:6], [], []]),
        "publication-uneven": cbor2.dumps([*tree[:6], tree[6], tree[7][:1]]),
        "publication-ids-twice": cbor2.dumps([*tree[:6], tree[6][:1] * 2, tree[7]]),
        "publication-of-empty-arrays": cbor2.dumps([*tree[:6], [[]] * 20_000, []]),
        "publication-of-wide-prekeys": cbor2.dumps([*tree[:6], [[None] * 5000] * 8, []]),
        "x3dh-bundle": cbor2.dumps([*bundle[:6], None]),
        "low-order-identity": cbor2.dumps([*bundle[:3], bytes(32), *bundle[4:]]),
        "low-order-signed-prekey": cbor2.dumps([*bundle[:4], low, *bundle[5:]]),
        "identity-not-canonical": cbor2.dumps([*bundle[:3], b"\xff" * 31 + b"\x7f", *bundle[4:]]),
        "coefficient-too-large": cbor2.dumps([*bundle[:6], [3, 9, q + kem_key().data[2:], bytes(64)]]),
        "another-address": cbor2.dumps([*bundle[:2], ["mallory", 1], *bundle[3:]]),
        "too-large": cbor2.dumps([*bundle[:2], ["b" * 9000, 1], *bundle[3:]]),
        "version-two": b"\x87\x02" + found["both-one-time"][2:],
    }


TARGET: Final = Target(check, mutate, seeds)
