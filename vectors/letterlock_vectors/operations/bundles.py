"""bundle.* and publication.*: signing and verifying prekeys, and the bundles of a publication.

Not here: their fields (decoding.py, `wire.decode`).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._handshake.prekey_signature import sign_prekey, verify_bundle, verify_publication
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
from letterlock._primitives.xeddsa import NONCE_BYTES
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import KEM, ONE_TIME, SIGNED, PrekeyKey, PrekeyKind, PublicPrekey
from letterlock._wire.publication import Publication
from letterlock.errors import UsageError
from letterlock_vectors.inputs import Input, Operation, Output


def make(given: Input) -> Output:
    """Return a bundle of the given private keys, each signed with the nonce beside it."""
    identity = IdentityKeyPair.from_private(private_key(given, "identity"))
    one_time, kem = given.optional_nested("one_time"), given.optional_nested("kem")
    bundle = PrekeyBundle(
        given.address("address"),
        identity.public,
        _signed(given.nested("signed"), identity),
        None if one_time is None else _one_time(one_time, identity),
        None if kem is None else _kem(kem, identity),
    )
    return {"bundle": bundle.encode().hex()}


def check_bundle(given: Input) -> Output:
    """Return nothing if the bundle decodes and all its signatures verify."""
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


def _signed(given: Input, identity: IdentityKeyPair) -> PublicPrekey[SignedPrekey]:
    pair = SignedPrekeyPair.from_private(private_key(given, "private"))
    return _sign(given, SIGNED, pair.public, identity)


def _one_time(given: Input, identity: IdentityKeyPair) -> PublicPrekey[OneTimePrekey]:
    pair = OneTimePrekeyPair.from_private(private_key(given, "private"))
    return _sign(given, ONE_TIME, pair.public, identity)


def _kem(given: Input, identity: IdentityKeyPair) -> PublicPrekey[MlKem1024PublicKey]:
    pair = MlKem1024KeyPair(KemSeed(given.sized("private", SEED_BYTES)))
    return _sign(given, KEM, pair.public, identity)


def _sign(
    given: Input, kinds: frozenset[PrekeyKind], key: PrekeyKey, identity: IdentityKeyPair
) -> PublicPrekey[PrekeyKey]:
    kind, id_ = prekey_kind(given), given.number("id")
    if kind not in kinds or not 0 <= id_ < 2**32:
        raise UsageError("a prekey of this kind or id does not belong here")
    return sign_prekey(kind, id_, key, identity, given.sized("nonce", NONCE_BYTES))


OPERATIONS: Final[Mapping[str, Operation]] = {
    "bundle.make": make,
    "bundle.verify": check_bundle,
    "publication.verify": check_publication,
    "publication.bundles": bundles,
}
