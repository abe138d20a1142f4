"""Operations of the handshakes, with chosen keys and encapsulation.

The initiator is `letterlock._handshake.agreement.initiate`. The recipient does what an account does up to the
agreement, with its prekeys in a memory store.

Not here: the ratchet message and the records of handshakes, which account.play covers.
"""

from collections.abc import Mapping
from typing import Final

from letterlock._device.prekeys import PrekeyRing
from letterlock._handshake import agreement
from letterlock._handshake.agreement import Agreement, Circumstances, Encapsulate, Party, Prekeys
from letterlock._primitives.curve25519 import (
    IdentityKeyPair,
    OneTimePrekeyPair,
    PrivateKey,
    SignedPrekeyPair,
)
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import (
    SEED_BYTES,
    Encapsulation,
    KemSecret,
    KemSeed,
    MlKem1024KeyPair,
    MlKem1024PublicKey,
)
from letterlock._primitives.secret import KEY_BYTES
from letterlock._records.prekey import encode_prekey
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.message import InitialMessage, handshake_id
from letterlock._wire.prekey import KEM, PrekeyKind
from letterlock.errors import UsageError
from letterlock.stores._interface import PrekeyRow, Record
from letterlock.stores._memory import MemoryStore
from letterlock_vectors.inputs import Input, Operation, Output


def _initiate(given: Input) -> Output:
    initiation = agreement.initiate(
        _party(given),
        PrekeyBundle.decode(given.hex("bundle")),
        given.address("to"),
        given.suite(),
        Circumstances(
            given.number("now"),
            _only(given.sized("ephemeral", KEY_BYTES)),
            encapsulation_of(given.optional_nested("kem")),
            lambda _: _user_ids(given),
        ),
    )
    header_bytes = initiation.header.encode_header()
    return _agreed(initiation.agreement, handshake_id(header_bytes)) | {"header_bytes": header_bytes.hex()}


def _respond(given: Input) -> Output:
    us, initiator = _party(given), given.address("from")
    agreement.refuse_own_address(us, initiator)
    initial = InitialMessage.decode(given.hex("message"))
    agreement.refuse_own_identity(us, initial.header.identity)
    agreement.require_allowed(initial.header.suite, given.suites())
    agreed = agreement.respond(us, initiator, initial.header, _find(given, initial), _user_ids(given))
    return _agreed(agreed, initial.id)


def _user_ids(given: Input) -> bytes | None:
    given = given.with_default("user_ids")
    return None if given.is_null("user_ids") else given.sized("user_ids", 2 * KEY_BYTES)


def encapsulation_of(given: Input | None) -> Encapsulate:
    """Return an encapsulation whose result is that of the vector, for any key."""

    def encapsulate(_: MlKem1024PublicKey, /) -> Encapsulation:
        if given is None:
            raise UsageError("`kem` is needed to initiate in suite 2")
        return Encapsulation(KemSecret(given.sized("secret", KEY_BYTES)), given.hex("ciphertext"))

    return encapsulate


def prekey_row(given: Input, expires: int | None = None) -> PrekeyRow:
    """Return a private prekey as a store holds it."""
    kind = _kind(given.number("kind"))
    return PrekeyRow(kind, given.number("id"), expires, prekey_record(kind, _secret(given, kind)))


def prekey_record(kind: PrekeyKind, secret: bytes) -> Record:
    """Return the record of a private key of 32 bytes, or of a seed of 64 for a KEM prekey."""
    if kind in KEM:
        return encode_prekey(MlKem1024KeyPair(KemSeed(secret)))
    pair = SignedPrekeyPair if kind is PrekeyKind.SIGNED else OneTimePrekeyPair
    return encode_prekey(pair.from_private(PrivateKey(secret)))


def _secret(given: Input, kind: PrekeyKind) -> bytes:
    return given.sized("private", SEED_BYTES if kind in KEM else KEY_BYTES)


def _kind(number: int) -> PrekeyKind:
    if number not in set(PrekeyKind):
        raise UsageError("there is no kind of prekey of this number")
    return PrekeyKind(number)


def _find(given: Input, initial: InitialMessage) -> Prekeys:
    store = MemoryStore()
    with store.transaction():
        store.tables.prekeys.add([prekey_row(each) for each in given.nested_list("prekeys")])
        return PrekeyRing(store.tables, _only(b"")).find(initial.header, initial.id, 0)


def _party(given: Input) -> Party:
    identity = IdentityKeyPair.from_private(PrivateKey(given.sized("identity", KEY_BYTES)))
    return Party(given.address("address"), identity)


def _only(chosen: bytes) -> Entropy:
    def draw(length: int) -> bytes:
        if length != len(chosen):
            raise AssertionError(f"{length} bytes are drawn where {len(chosen)} are chosen")
        return chosen

    return draw


def _agreed(agreed: Agreement, handshake: bytes) -> Output:
    return {
        "secret": agreed.secret.expose().hex(),
        "associated_data": agreed.associated_data.hex(),
        "handshake_id": handshake.hex(),
    }


OPERATIONS: Final[Mapping[str, Operation]] = {
    "handshake.initiate": _initiate,
    "handshake.respond": _respond,
}
