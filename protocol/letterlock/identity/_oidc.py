"""OidcCheck: an ID token of a sign-on service says who it is (OpenID Connect Core 1.0, section 2).

    signature   of a key that the issuer publishes, by an algorithm that the operator allows          [REC-29]
    iss, aud    the issuer, and this server's own client id and no other                              [REC-29]
    nonce       that of the challenge, in base64url without padding                                   [REC-30]
    exp, iat    ends later, and was not made later
    identity    SHA-256(issuer) || sub

A token that the service made for the application, or for the other server, has another audience. So each of
the two servers needs a client id of its own.

Not here: keys (_provider_keys.py); the signature (_primitives/id_token.py); the redirects that bring a token,
which are the client's.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, Final

import httpx

from letterlock._primitives.id_token import TOKEN_ALGORITHMS, token_head
from letterlock._wire.identity_limits import CHALLENGE_SECONDS, MAX_CLOCK_SLACK
from letterlock.errors import PeerError, UsageError
from letterlock.identity._provider_keys import ProviderKeys
from letterlock.recovery import IdentityRefused

_MAX_SUBJECT: Final = 255
"""Characters of a `sub`, by the standard."""

_DEFAULT: Final = ("RS256", "ES256")
_TIMEOUT: Final = 5.0


class OidcCheck:
    """Takes ID tokens of one issuer for one client id. A `TokenCheck`. Close it when the server ends.

    `algorithms` are those that the issuer signs with. `http` is for tests and for a proxy. Raises UsageError
    for an issuer without https, and for an algorithm whose keys both sides would have.
    """

    __slots__ = ("_algorithms", "_audience", "_http", "_issuer", "_keys")

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        algorithms: Iterable[str] = _DEFAULT,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._algorithms = frozenset(algorithms)
        if not self._algorithms or not self._algorithms <= TOKEN_ALGORITHMS:
            raise UsageError(f"a token is signed by one of {', '.join(sorted(TOKEN_ALGORITHMS))}")
        if not audience:
            raise UsageError("a check by a sign-on service needs the client id of this server")
        self._issuer = issuer
        self._audience = audience
        self._http = httpx.AsyncClient(timeout=_TIMEOUT) if http is None else http
        self._keys = ProviderKeys(issuer, self._http)

    async def identity(self, proof: bytes, nonce: bytes, now: int) -> bytes:
        """Return the identity of a token's subject. Raises IdentityRefused, CheckUnavailable."""
        try:
            algorithm, key_id = token_head(proof)
            if algorithm not in self._algorithms:  # REC-29: before a key is looked for
                raise IdentityRefused("the token is signed by an algorithm that is not allowed")
            keys = await self._keys.find(key_id, now)
            claims = keys.verify(proof, algorithm, key_id)
        except PeerError:
            raise IdentityRefused("not a token that the sign-on service signed") from None
        self._check(claims, nonce, now)
        return self.identity_of(claims["sub"])

    def identity_of(self, subject: str) -> bytes:
        """Return the identity of a subject: what `Gate.release` takes. Raises UsageError."""
        if not subject.isascii() or not 1 <= len(subject) <= _MAX_SUBJECT:
            raise UsageError(f"a subject has 1 to {_MAX_SUBJECT} characters of ASCII")
        return hashlib.sha256(self._issuer.encode()).digest() + subject.encode()

    def _check(self, claims: Mapping[str, Any], nonce: bytes, now: int) -> None:
        """Raise IdentityRefused unless a token is for this server, this challenge, and now."""
        _require(claims.get("iss") == self._issuer, "of another issuer")
        _require(claims.get("aud") in (self._audience, [self._audience]), "for another server")
        _require(claims.get("azp", self._audience) == self._audience, "given to another party")
        expected = base64.urlsafe_b64encode(nonce).rstrip(b"=")
        shown = claims.get("nonce")
        is_text = type(shown) is str and shown.isascii()
        _require(is_text and hmac.compare_digest(str(shown).encode(), expected), "for another challenge")
        made, ends, begins = _time(claims.get("iat")), _time(claims.get("exp")), _time(claims.get("nbf", 0))
        oldest = now - CHALLENGE_SECONDS - MAX_CLOCK_SLACK
        _require(oldest <= made <= now + MAX_CLOCK_SLACK, "made at another time")
        _require(begins <= now + MAX_CLOCK_SLACK and now - MAX_CLOCK_SLACK < ends, "over, or not yet good")
        subject = claims.get("sub")
        good = type(subject) is str and subject.isascii() and 1 <= len(subject) <= _MAX_SUBJECT
        _require(good, "without a subject")

    async def close(self) -> None:
        """Close the connections to the sign-on service."""
        await self._http.aclose()

    def __repr__(self) -> str:
        return f"<OidcCheck: {self._issuer}>"


def _require(is_good: bool, what: str) -> None:  # noqa: FBT001 - a condition, and what it means otherwise
    if not is_good:
        raise IdentityRefused(f"the token is {what}")


def _time(value: object) -> float:
    """Return a time of a token, in seconds since 1970. Raises IdentityRefused."""
    if type(value) is int or type(value) is float:
        return value
    raise IdentityRefused("the token is without a time")
