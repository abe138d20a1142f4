"""linking.*: the code and the bundle of a new device, the digits, and what the two devices send each other.

Not here: sealing, which draws random bytes; the payload of a package (payload.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.composite import SEED_BYTES, CompositeSeed, DeviceSigningKeyPair
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.secret import KEY_BYTES
from letterlock._primitives.xeddsa import NONCE_BYTES
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import HASH_BYTES, Snapshot, snapshot_hash
from letterlock._wire.linking import (
    LinkingAnswer,
    LinkingBundle,
    LinkingCode,
    LinkingNonce,
    LinkingOffer,
    LinkingSecret,
)
from letterlock.user import ListChain
from letterlock.user._linking import CodeShown, DeviceKeys, Offered, linking_digits, offer_link
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.bundles import private_key
from letterlock_vectors.operations.hpke import receiving_pair


def _write_code(given: Input) -> Output:
    secret = LinkingSecret(given.sized("secret", KEY_BYTES))
    code = LinkingCode(
        given.sized("bundle_hash", HASH_BYTES), secret, given.counter("expires"), given.text("place")
    )
    return {"data": code.encode().hex(), "text": code.text()}


def _read_code(given: Input) -> Output:
    return _code_fields(LinkingCode.from_text(given.text("text")))


def _decode_code(given: Input) -> Output:
    return _code_fields(LinkingCode.decode(given.hex("data")))


def _code_fields(code: LinkingCode) -> Output:
    return {
        "bundle_hash": code.bundle_hash.hex(),
        "secret": code.secret.expose().hex(),
        "expires": code.expires,
        "place": code.place,
    }


def _decode_bundle(given: Input) -> Output:
    bundle = LinkingBundle.decode(given.hex("data"))
    return {
        "identity": bundle.identity.data.hex(),
        "ed25519": bundle.signing.ed25519.data.hex(),
        "ml_dsa": bundle.signing.ml_dsa.data.hex(),
        "receiving": bundle.receiving.data.hex(),
        "nonce_hash": bundle.commitment.hex(),
    }


def _digits(given: Input) -> Output:
    secret = LinkingSecret(given.sized("secret", KEY_BYTES))
    code = LinkingCode(given.sized("bundle_hash", HASH_BYTES), secret, 0, "")
    nonce = LinkingNonce(given.sized("nonce", KEY_BYTES))
    return {"digits": linking_digits(code, given.hex("sealed_offer"), nonce)}


def _decode_offer(given: Input) -> Output:
    offer = LinkingOffer.decode(given.hex("data"))
    return {"snapshot": offer.snapshot.encode().hex(), "id": offer.device_id}


def _decode_answer(given: Input) -> Output:
    answer = LinkingAnswer.decode(given.hex("data"))
    proof = answer.proof
    return {
        "id": proof.device_id,
        "ml_dsa": proof.ml_dsa.hex(),
        "identity_signature": proof.identity_signature.hex(),
        "signature": proof.signature.hex(),
        "nonce": answer.nonce.expose().hex(),
    }


# --- the old device ---------------------------------------------------------------------------------------


def _make_offer(given: Input) -> Output:
    chain = trusted_chain([given.hex("first")])
    code = LinkingCode.decode(given.hex("code"))
    id_and_class = (given.counter("id", 1), given.number("class"))
    offered = offer_link(chain, code, given.hex("bundle"), given.counter("now"), id_and_class)
    return {"offer": offered.offer.encode().hex()}


def _take_answer(given: Input) -> Output:
    offer = LinkingOffer.decode(given.hex("offer"))
    offered = Offered(
        trusted_chain([given.hex("first")]),
        LinkingCode.decode(given.hex("code")),
        LinkingBundle.decode(given.hex("bundle")),
        offer,
        given.hex("sealed_offer"),
    )
    return {"digits": offered.receive(given.hex("answer"), given.counter("now")).digits}


# --- the new device ---------------------------------------------------------------------------------------


def _take_offer(given: Input) -> Output:
    taken = _code_shown(given).receive(given.hex("sealed_offer"), given.counter("now"), _zeros)
    return {
        "version": taken.offer.snapshot.version,
        "hash": snapshot_hash(taken.offer.snapshot.encode()).hex(),
        "id": taken.offer.device_id,
        "digits": taken.digits,
    }


def _take_package(given: Input) -> Output:
    taken = _code_shown(given).answered(given.hex("sealed_offer"), given.hex("answer"))
    linked = taken.receive(given.hex("sealed_package"))
    return {
        "user_id": linked.chain.user_id.hex(),
        "version": linked.chain.version,
        "id": linked.device_id,
        "payload": linked.payload.hex(),
    }


def _code_shown(given: Input) -> CodeShown:
    device = given.nested("device")
    keys = DeviceKeys(
        IdentityKeyPair.from_private(private_key(device, "identity")),
        DeviceSigningKeyPair(CompositeSeed(device.sized("signing", SEED_BYTES))),
        receiving_pair(device, "receiving"),
    )
    nonce = LinkingNonce(device.sized("nonce", KEY_BYTES))
    return CodeShown.restored(keys, nonce, LinkingCode.decode(given.hex("code")))


def _zeros(length: int) -> bytes:
    """Return the Z of a signature that is thrown away."""
    if length != NONCE_BYTES:
        raise ValueError(length)
    return bytes(length)


def trusted_chain(snapshots: list[bytes]) -> ListChain:
    """Return a chain whose signatures were verified elsewhere, of the snapshots of all versions."""
    return ListChain(tuple(DeviceList(Snapshot.decode(each), (), 1, b"", b"") for each in snapshots))


OPERATIONS: Final[Mapping[str, Operation]] = {
    "linking.write_code": _write_code,
    "linking.read_code": _read_code,
    "linking.decode_code": _decode_code,
    "linking.decode_bundle": _decode_bundle,
    "linking.digits": _digits,
    "linking.decode_offer": _decode_offer,
    "linking.decode_answer": _decode_answer,
    "linking.make_offer": _make_offer,
    "linking.take_answer": _take_answer,
    "linking.take_offer": _take_offer,
    "linking.take_package": _take_package,
}
