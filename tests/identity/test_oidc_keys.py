"""Keys of a sign-on service: how they are found, how often they are fetched, and which answers show none."""

import asyncio

import httpx
import pytest

from letterlock._primitives.id_token import MAX_TOKEN_KEYS
from letterlock.identity import _provider_keys as provider
from letterlock.recovery import (
    CheckUnavailable,
    IdentityRefused,
)
from support.gate_town import run
from support.pair import NOON
from support.sign_on import CHALLENGE, ISSUER, NONCE, SignOn, judged, oidc_check

# --- the keys of the service ------------------------------------------------------------------------------


def test_keys_are_fetched_once_an_hour() -> None:
    service = SignOn()
    checks = oidc_check(service)

    async def play() -> None:
        for seconds in (0, 1, provider.FRESH - 1):
            await checks.identity(service.token(CHALLENGE, exp=NOON + 9000), NONCE, NOON + seconds // 4)
        assert service.asked == ["/.well-known/openid-configuration", "/keys"]
        token = service.token(CHALLENGE, iat=NOON + provider.FRESH, exp=NOON + 9000)
        await checks.identity(token, NONCE, NOON + provider.FRESH)
        assert len(service.asked) == 4

    run(play())


def test_a_new_key_of_the_service_is_found() -> None:
    service = SignOn()
    checks = oidc_check(service)

    async def play() -> None:
        await checks.identity(service.token(CHALLENGE), NONCE, NOON)
        service.keys = {"new": "RS256 other"}
        token = service.token(CHALLENGE, key="RS256 other", head={"kid": "new"})
        with pytest.raises(IdentityRefused):
            await checks.identity(token, NONCE, NOON + provider.PAUSE - 1)
        assert await checks.identity(token, NONCE, NOON + provider.PAUSE)
        with pytest.raises(IdentityRefused):  # the key from before is gone
            await checks.identity(service.token(CHALLENGE), NONCE, NOON + provider.PAUSE)

    run(play())


def test_made_up_keys_do_not_make_it_fetch_again_and_again() -> None:  # REC-29
    service = SignOn()
    checks = oidc_check(service)

    async def play() -> None:
        for at in range(20):
            with pytest.raises(IdentityRefused):
                await checks.identity(
                    service.token(CHALLENGE, head={"kid": f"made up {at}"}), NONCE, NOON + at
                )
        assert len(service.asked) == 2
        assert await checks.identity(service.token(CHALLENGE), NONCE, NOON)

    run(play())


def test_a_service_that_is_down_is_asked_once_a_minute() -> None:
    service = SignOn()
    service.is_down = True
    checks = oidc_check(service)

    async def play() -> None:
        for seconds in (0, 10, 59):
            with pytest.raises(CheckUnavailable):
                await checks.identity(service.token(CHALLENGE), NONCE, NOON + seconds)
        assert len(service.asked) == 1
        service.is_down = False
        assert await checks.identity(service.token(CHALLENGE), NONCE, NOON + 60)

    run(play())


def test_keys_outlive_a_service_that_is_down_for_some_hours() -> None:
    service = SignOn()
    checks = oidc_check(service)

    async def at(seconds: int) -> bytes:
        now = NOON + seconds
        return await checks.identity(service.token(CHALLENGE, iat=now, exp=now + 300), NONCE, now)

    async def play() -> None:
        await at(0)
        service.is_down = True
        assert await at(provider.FRESH)
        assert await at(provider.STALE - 1)
        with pytest.raises(CheckUnavailable):
            await at(provider.STALE + provider.PAUSE)

    run(play())


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/keys", httpx.Response(500)),
        ("/keys", httpx.Response(500, json={"keys": [SignOn().jwk("RS256", "RS256")]})),
        ("/keys", httpx.Response(302, headers={"location": "https://evil.example/keys"})),
        ("/keys", httpx.Response(200, content=b"no json")),
        ("/keys", httpx.Response(200, content=b"[" * 100_000)),
        ("/keys", httpx.Response(200, json=[])),
        ("/keys", httpx.Response(200, json={"keys": {}})),
        ("/keys", httpx.Response(200, json={"keys": [{}] * (MAX_TOKEN_KEYS + 1)})),
        ("/keys", httpx.Response(200, content=b'{"keys": []}' + b" " * provider.MAX_BYTES)),
        ("/.well-known/openid-configuration", httpx.Response(404)),
        ("/.well-known/openid-configuration", httpx.Response(200, json={"issuer": ISSUER})),
        (
            "/.well-known/openid-configuration",
            httpx.Response(200, json={"issuer": "https://evil.example", "jwks_uri": f"{ISSUER}/keys"}),
        ),
        (
            "/.well-known/openid-configuration",
            httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": "http://login.example/keys"}),
        ),
        (
            "/.well-known/openid-configuration",
            httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"}),
        ),
        (
            "/.well-known/openid-configuration",
            httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": "https://[broken"}),
        ),
    ],
)
def test_a_service_that_answers_wrongly_shows_no_keys(path: str, answer: httpx.Response) -> None:  # REC-29
    service = SignOn()
    service.answers[path] = answer
    with pytest.raises(CheckUnavailable):
        judged(service, service.token(CHALLENGE))
    assert len(service.asked) <= 2


def test_one_task_fetches_and_others_wait() -> None:
    service = SignOn()
    checks = oidc_check(service)

    async def play() -> None:
        token = service.token(CHALLENGE)
        found = await asyncio.gather(*(checks.identity(token, NONCE, NOON) for _ in range(10)))
        assert len(set(found)) == 1

    run(play())
    assert len(service.asked) == 2


def test_keys_of_other_uses_stand_beside() -> None:
    service = SignOn()
    service.extra = [
        {"kty": "oct", "kid": "a"},
        {"kid": 1},
        "no key",
        {"kty": "RSA", "use": "enc", "kid": "b"},
    ]
    assert judged(service, service.token(CHALLENGE))
