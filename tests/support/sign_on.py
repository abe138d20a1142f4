"""A sign-on service in the process of a test: it publishes keys, and signs ID tokens.

Not here: a login page. Whoever asks for a token has logged in.
"""

import base64
import json
from typing import Any, Final

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from letterlock._primitives.id_token import TOKEN_ALGORITHMS
from letterlock.identity import OidcCheck
from letterlock.recovery import challenge_nonce
from support.gate_town import run
from support.pair import NOON

ISSUER: Final = "https://login.example"
CLIENT: Final = "key-server"
SUBJECT: Final = "248289761001"
CHALLENGE: Final = b"a challenge"
NONCE: Final = challenge_nonce(CHALLENGE)


def _rsa(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


_KEYS: Final[dict[str, Any]] = {}


def signing_key(name: str) -> Any:
    """Return the private key of a name such as `RS256` or `RS256 other`, made once."""
    if name not in _KEYS:
        makers = {
            "RS": lambda: _rsa(1024 if "short" in name else 2048),
            "PS": lambda: _rsa(2048),
            "ES": lambda: ec.generate_private_key(ec.SECP384R1() if "384" in name else ec.SECP256R1()),
            "Ed": ed25519.Ed25519PrivateKey.generate,
        }
        _KEYS[name] = makers[name[:2]]()
    return _KEYS[name]


class SignOn:
    """Publishes the keys in `keys`, by key id: the name of a signing key. `asked` has the paths that came."""

    def __init__(self, *names: str, issuer: str = ISSUER) -> None:
        self.issuer = issuer
        self.keys = {name: name for name in names or ("RS256",)}
        self.asked: list[str] = []
        self.extra: list[Any] = []
        self.configuration: dict[str, Any] = {"issuer": issuer, "jwks_uri": f"{issuer}/keys"}
        self.answers: dict[str, httpx.Response] = {}
        self.is_down = False

    def client(self) -> httpx.AsyncClient:
        """Return a client that reaches this service and nothing else."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def jwk(self, key_id: str, name: str) -> dict[str, Any]:
        """Return the public half of a key as it is published."""
        algorithm = jwt.get_algorithm_by_name(name.split(maxsplit=1)[0])
        public = json.loads(algorithm.to_jwk(signing_key(name).public_key()))
        return {**public, "kid": key_id, "use": "sig"}

    def token(self, challenge: bytes, /, *, key: str = "RS256", head: Any = None, **claims: Any) -> bytes:
        """Return a good ID token for a challenge, with other claims. A claim of None is left out."""
        nonce = base64.urlsafe_b64encode(challenge_nonce(challenge)).rstrip(b"=").decode()
        good: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": SUBJECT,
            "nonce": nonce,
            "iat": NOON - 5,
            "exp": NOON + 300,
        }
        said = {name: value for name, value in (good | claims).items() if value is not None}
        payload = json.dumps(said).encode()
        algorithm = key.split(maxsplit=1)[0]
        headers = {"kid": key, "typ": "JWT", **(head or {})}
        return jwt.PyJWS().encode(payload, signing_key(key), algorithm, headers=headers).encode()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        if self.is_down:
            raise httpx.ConnectError("nobody there")
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self.configuration)
        if path == "/keys":
            keys = [self.jwk(key_id, name) for key_id, name in self.keys.items()]
            return httpx.Response(200, json={"keys": [*keys, *self.extra]})
        return httpx.Response(404)


def oidc_check(service: SignOn, *algorithms: str) -> OidcCheck:
    """Return a check of the tokens of a service, with all algorithms unless some are named."""
    allowed = algorithms or tuple(sorted(TOKEN_ALGORITHMS))
    return OidcCheck(service.issuer, CLIENT, algorithms=allowed, http=service.client())


def judged(service: SignOn, token: bytes, now: int = NOON) -> bytes:
    """Return the identity in a token, or raise what the check raises."""
    return run(oidc_check(service).identity(token, NONCE, now))
