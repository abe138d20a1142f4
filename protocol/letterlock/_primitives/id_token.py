"""Signed tokens of a sign-on service (RFC 7515, RFC 7519), and the keys that it publishes (RFC 7517).

PyJWT does the work: it is the library for this in most Python services, has no dependencies but
`cryptography`, which is needed here anyway, and takes a list of algorithms that a token cannot widen. What it
is handed here is narrower still: one public key of the right type, and one algorithm.

Not here: what a token has to say (identity/_oidc.py); where the keys come from (identity/_provider_keys.py).
"""

import json
from collections.abc import Mapping
from typing import Any, Final, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from letterlock._primitives.secret import Immutable
from letterlock.errors import InvalidKey, InvalidSignature, MalformedMessage

TOKEN_ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""What a token may be signed with. None of them takes a secret that both sides have."""

MAX_TOKEN_KEYS: Final = 32
"""Keys that a service may publish. It has two while it changes them."""

_MIN_RSA_BITS: Final = 2048
_MAX_RSA_BITS: Final = 8192
"""A longer key would make each verification slow."""

_FAILURES: Final = (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError, OverflowError)
"""What PyJWT and `json` raise for bytes of strangers."""


class TokenKeys(Immutable):
    """The public keys of a service, by their ids."""

    __slots__ = ("_keys",)

    _keys: Mapping[str, Mapping[str, Any]]

    def __init__(self, keys: Mapping[str, Mapping[str, Any]]) -> None:
        object.__setattr__(self, "_keys", dict(keys))

    @classmethod
    def read(cls, data: bytes) -> "TokenKeys":
        """Read a key set in JSON. Keys without an id, and those that encrypt, are left out.

        Raises MalformedMessage.
        """
        found = json_object(data, "a key set").get("keys")
        if type(found) is not list or len(cast("list[object]", found)) > MAX_TOKEN_KEYS:
            raise MalformedMessage(f"a key set has a list of at most {MAX_TOKEN_KEYS} keys")
        keys = [
            cast("dict[str, Any]", each) for each in cast("list[object]", found) if isinstance(each, dict)
        ]
        return cls({each["kid"]: each for each in keys if _is_usable(each)})

    def has(self, key_id: str) -> bool:
        """Return whether there is a key with this id."""
        return key_id in self._keys

    def verify(self, token: bytes, algorithm: str, key_id: str) -> dict[str, Any]:
        """Return what a token says, if the key with this id signed it with this algorithm.

        Raises InvalidSignature, InvalidKey for a key that is no good, MalformedMessage.
        """
        key = _public_key(self._keys[key_id], algorithm)
        try:
            decoded = jwt.PyJWS([algorithm]).decode_complete(token, key=key, algorithms=[algorithm])
        except _FAILURES:
            raise InvalidSignature("the key of the service did not sign this token") from None
        return json_object(decoded["payload"], "a token")

    def __repr__(self) -> str:
        return f"<TokenKeys: {len(self._keys)}>"


def token_head(token: bytes) -> tuple[str, str]:
    """Return which algorithm and which key a token names. Nothing is verified. Raises MalformedMessage."""
    try:
        head = jwt.get_unverified_header(token)
    except _FAILURES:
        raise MalformedMessage("not a signed token") from None
    algorithm, key_id = head.get("alg"), head.get("kid")
    if type(algorithm) is not str or type(key_id) is not str:
        raise MalformedMessage("a token names an algorithm and a key")
    return algorithm, key_id


def json_object(data: bytes, what: str) -> dict[str, Any]:
    """Return an object in JSON. Raises MalformedMessage."""
    try:
        value = json.loads(data)
    except _FAILURES:
        raise MalformedMessage(f"{what} is no JSON") from None
    if not isinstance(value, dict):
        raise MalformedMessage(f"{what} is no JSON object")
    return cast("dict[str, Any]", value)


def _is_usable(key: Mapping[str, Any]) -> bool:
    return type(key.get("kid")) is str and key.get("use", "sig") == "sig" and "d" not in key


def _public_key(data: Mapping[str, Any], algorithm: str) -> jwt.PyJWK:
    """Return a key for one algorithm. Raises InvalidKey if the key is of another type, or too short."""
    is_rsa = algorithm[:2] in {"RS", "PS"}
    try:
        # The curve decides the algorithm of other keys. It must be the one that the token names.
        key = jwt.PyJWK({**data}, algorithm if is_rsa else data.get("alg"))
    except _FAILURES:
        raise InvalidKey("a key of the service is no good for its algorithm") from None
    if key.algorithm_name != algorithm or data.get("alg", algorithm) != algorithm:
        raise InvalidKey("a key of the service is for another algorithm than the token's")
    if isinstance(key.key, RSAPublicKey) and not _MIN_RSA_BITS <= key.key.key_size <= _MAX_RSA_BITS:
        raise InvalidKey(f"an rsa key of the service has not {_MIN_RSA_BITS} to {_MAX_RSA_BITS} bits")
    return key
