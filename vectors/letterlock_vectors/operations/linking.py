"""linking.*: the code that a new device shows, its bundle, and the six digits.

Not here: what is sealed, because sealing draws random bytes.
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.linking import LinkingBundle, LinkingCode, LinkingNonce, LinkingSecret
from letterlock.user._linking import linking_digits
from letterlock_vectors.inputs import Input, Operation, Output


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


OPERATIONS: Final[Mapping[str, Operation]] = {
    "linking.write_code": _write_code,
    "linking.read_code": _read_code,
    "linking.decode_code": _decode_code,
    "linking.decode_bundle": _decode_bundle,
    "linking.digits": _digits,
}
