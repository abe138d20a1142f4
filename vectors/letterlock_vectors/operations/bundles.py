"""bundle.* and publication.*: signing and verifying bundles, and the bundles of a publication.

Not here: their fields (decoding.py, `wire.decode`).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._handshake.bundle_signature import BundleSigner, verify_bundle, verify_publication
from letterlock._primitives.curve25519 import (
    IdentityKeyPair,
    OneTimePrekey,
    OneTimePrekeyPair,
    PrivateKey,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.mlkem import SEED_BYTES, KemSeed, MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._primitives.xeddsa import NONCE_BYTES, SigningKey
from letterlock._wire.bundle import BundleHead, PrekeyBundle
from letterlock._wire.prekey import KEM, ONE_TIME, SIGNED, PrekeyKey, PrekeyKind, PublicPrekey
from letterlock._wire.publication import Publication
from letterlock.errors import UsageError
from letterlock.limits import MAX_DAY
from letterlock_vectors.inputs import Input, Operation, Output


def make(given: Input) -> Output:
    """Return a bundle of the given private keys, signed with the nonce."""
    identity = IdentityKeyPair.from_private(private_key(given, "identity"))
    one_time, kem = given.optional_nested("one_time"), given.optional_nested("kem")
    signed = _signed(given.nested("signed"))
    head = BundleHead(given.address("address"), identity.public, _day(given), signed)
    signer = BundleSigner(head, SigningKey.of(identity), lambda _: given.sized("nonce", NONCE_BYTES))
    bundle = signer.bundle(
        None if one_time is None else _one_time(one_time),
        None if kem is None else _kem(kem),
    )
    return {"bundle": bundle.encode().hex()}


def check_bundle(given: Input) -> Output:
    """Return nothing if the bundle decodes and its signature verifies."""
    verify_bundle(PrekeyBundle.decode(given.hex("bundle")))
    return {}


def check_publication(given: Input) -> Output:
    """Return nothing if the publication decodes and all its signatures verify."""
    verify_publication(Publication.decode(given.hex("publication")))
    return {}


def bundles(given: Input) -> Output:
    """Return the bundles that a server hands out once each, and the last-resort bundle."""
    publication = Publication.decode(given.hex("publication"))
    return {
        "bundles": [bundle.encode().hex() for bundle in publication.bundles()],
        "last_resort": publication.last_resort_bundle().encode().hex(),
    }


def private_key(given: Input, name: str) -> PrivateKey:
    """Return a private key of 32 bytes. Raises UsageError for another length."""
    return PrivateKey(given.sized(name, KEY_BYTES))


def prekey_kind(given: Input) -> PrekeyKind:
    """Return the kind of a prekey. Raises UsageError for another number."""
    number = given.number("kind")
    if number not in set(PrekeyKind):
        raise UsageError("`kind` must be that of a prekey, 1 to 4")
    return PrekeyKind(number)


def _day(given: Input) -> int:
    day = given.number("made_on")
    if not 0 <= day <= MAX_DAY:
        raise UsageError("`made_on` must be a day from 1970 to 9999")
    return day


def _signed(given: Input) -> PublicPrekey[SignedPrekey]:
    return _prekey(given, SIGNED, SignedPrekeyPair.from_private(private_key(given, "private")).public)


def _one_time(given: Input) -> PublicPrekey[OneTimePrekey]:
    return _prekey(given, ONE_TIME, OneTimePrekeyPair.from_private(private_key(given, "private")).public)


def _kem(given: Input) -> PublicPrekey[MlKem1024PublicKey]:
    return _prekey(given, KEM, MlKem1024KeyPair(KemSeed(given.sized("private", SEED_BYTES))).public)


def _prekey(given: Input, kinds: frozenset[PrekeyKind], key: PrekeyKey) -> PublicPrekey[PrekeyKey]:
    kind, id_ = prekey_kind(given), given.number("id")
    if kind not in kinds or not 0 <= id_ < 2**32:
        raise UsageError("a prekey of this kind or id does not belong here")
    return PublicPrekey(kind, id_, key)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "bundle.make": make,
    "bundle.verify": check_bundle,
    "publication.verify": check_publication,
    "publication.bundles": bundles,
}
