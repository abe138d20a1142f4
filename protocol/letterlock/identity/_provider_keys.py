"""The keys of a sign-on service: fetched from where it publishes them, kept for an hour, and bounded.

    ISSUER/.well-known/openid-configuration     ->  jwks_uri    ->  keys                             [REC-29]

A key that is not known has them fetched again, once a minute at most: so a service may change its keys at any
time, and tokens with made-up keys cost nothing. If the service does not answer, its keys serve for six hours.

Not here: what a token has to say (_oidc.py).
"""

import asyncio
from typing import Final
from urllib.parse import urlsplit

import httpx

from letterlock._primitives.id_token import TokenKeys, json_object
from letterlock.errors import MalformedMessage, UsageError
from letterlock.recovery import CheckUnavailable, IdentityRefused

FRESH: Final = 3600
"""Seconds for which keys are not fetched again. A key that was withdrawn serves no longer than that."""

STALE: Final = 6 * 3600
"""Seconds after which keys are no longer used, even if the service does not answer."""

PAUSE: Final = 60
"""Seconds between two fetches."""

MAX_BYTES: Final = 256 * 1024
"""Bytes of an answer of the service. Keys take a few KiB."""

SECONDS: Final = 10
"""For how long fetching may take in all."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_CONFIGURATION: Final = "/.well-known/openid-configuration"
_OK: Final = 200


class ProviderKeys:
    """The keys of one issuer. One task fetches, and others wait for it."""

    def __init__(self, issuer: str, http: httpx.AsyncClient) -> None:
        _require_secure(issuer)
        self._issuer = issuer
        self._http = http
        self._keys: TokenKeys | None = None
        self._fetched = 0
        self._tried = 0
        self._lock = asyncio.Lock()

    async def find(self, key_id: str, now: int) -> TokenKeys:
        """Return keys with one of this id. Raises IdentityRefused, CheckUnavailable. [REC-29]"""
        async with self._lock:
            keys = self._usable(now)
            if keys is None or not keys.has(key_id) or now - self._fetched >= FRESH:
                keys = await self._refreshed(now)
        if keys is None:
            raise CheckUnavailable("the sign-on service does not show its keys: try again in a minute")
        if not keys.has(key_id):
            raise IdentityRefused("the token names a key that the sign-on service does not have")
        return keys

    def _usable(self, now: int) -> TokenKeys | None:
        return self._keys if 0 <= now - self._fetched < STALE else None

    async def _refreshed(self, now: int) -> TokenKeys | None:
        """Return new keys; or those from before if it is too early, or the service does not answer."""
        if 0 <= now - self._tried < PAUSE:
            return self._usable(now)
        self._tried = now
        try:
            async with asyncio.timeout(SECONDS):
                self._keys = await self._fetch()
            self._fetched = now
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, MalformedMessage, UsageError):
            pass
        return self._usable(now)

    async def _fetch(self) -> TokenKeys:
        found = json_object(await self._get(self._issuer.rstrip("/") + _CONFIGURATION), "a configuration")
        place = found.get("jwks_uri")
        if found.get("issuer") != self._issuer or type(place) is not str:
            raise MalformedMessage("the configuration is not that of the issuer")
        _require_secure(place)
        return TokenKeys.read(await self._get(place))

    async def _get(self, url: str) -> bytes:
        async with self._http.stream("GET", url, follow_redirects=False) as answer:
            if answer.status_code != _OK:
                raise MalformedMessage(f"the service answered {answer.status_code}")
            data = bytearray()
            async for part in answer.aiter_bytes():
                data += part
                if len(data) > MAX_BYTES:
                    raise MalformedMessage(f"the service answered more than {MAX_BYTES} bytes")
        return bytes(data)

    def __repr__(self) -> str:
        return f"<ProviderKeys: {self._issuer}>"


def _require_secure(url: str) -> None:
    """Raise UsageError for a URL over which somebody on the way could put in keys of their own. [REC-29]"""
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname, parts.scheme
    except ValueError:
        host, scheme = None, ""
    if host is None or not (scheme == "https" or (scheme == "http" and host in _LOOPBACK)):
        raise UsageError("a sign-on service has an https URL, or is on this machine")
