"""ID tokens: which are taken, which are not, and how the keys of the service are found."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any, Final

import jwt
import pytest

from letterlock._primitives.id_token import TokenKeys, token_head
from letterlock.errors import InvalidKey, MalformedMessage, UsageError
from letterlock.identity import OidcCheck
from letterlock.recovery import (
    Gate,
    GateKey,
    Identify,
    IdentityRefused,
    Prove,
    Proven,
)
from support.gate_memory import MemoryGates
from support.gate_town import run
from support.pair import NOON
from support.sign_on import CHALLENGE, CLIENT, ISSUER, NONCE, SUBJECT, SignOn, judged, oidc_check, signing_key


@pytest.mark.parametrize("key", ["RS256", "PS256", "ES256", "ES384", "EdDSA"])
def test_a_token_names_its_subject(key: str) -> None:
    service = SignOn(key)
    identity = judged(service, service.token(CHALLENGE, key=key))
    assert identity == oidc_check(service).identity_of(SUBJECT)
    assert identity.endswith(SUBJECT.encode())


def test_the_same_subject_of_another_issuer_is_another_identity() -> None:
    one, other = (oidc_check(SignOn(issuer=each)).identity_of(SUBJECT) for each in (ISSUER, ISSUER + "/b"))
    assert one != other


def test_the_whole_way_from_a_challenge_to_a_pass() -> None:
    service = SignOn()
    gate = Gate(2, GateKey(bytes(32)), MemoryGates(), {"oidc": oidc_check(service)}, clock=lambda: NOON)

    async def play() -> None:
        challenge = (await gate.identify(Identify("oidc"))).challenge
        assert challenge is not None
        others = service.token(b"another challenge")
        assert await gate.prove(Prove(challenge, others)) == Proven(None)
        token = service.token(challenge)
        assert (await gate.prove(Prove(challenge, token))).pass_ is not None
        with pytest.raises(IdentityRefused):
            await gate.prove(Prove(challenge, token))

    run(play())


# --- what a token says ------------------------------------------------------------------------------------

CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "of another issuer": {"iss": "https://evil.example"},
    "of the issuer with a slash": {"iss": ISSUER + "/"},
    "of no issuer": {"iss": None},
    "of a list of issuers": {"iss": [ISSUER]},
    "for the application": {"aud": "application"},
    "for the other server as well": {"aud": [CLIENT, "relay"]},
    "for a list of nobody": {"aud": []},
    "for everybody": {"aud": None},
    "for an object": {"aud": {CLIENT: 1}},
    "given to another party": {"azp": "application"},
    "for another challenge": {"nonce": "A" * 43},
    "for no challenge": {"nonce": None},
    "for a number": {"nonce": 1},
    "for half a letter": {"nonce": "\ud800"},
    "with the nonce in hexadecimal": {"nonce": NONCE.hex()},
    "over": {"exp": NOON - 120},
    "without an end": {"exp": None},
    "with an end in words": {"exp": "2030"},
    "with an end that is true": {"exp": True},
    "with an end that is no number": {"exp": float("nan")},
    "not yet good": {"nbf": NOON + 121},
    "with a beginning in words": {"nbf": "now"},
    "made later": {"iat": NOON + 121},
    "made long ago": {"iat": NOON - 1800 - 121},
    "made never": {"iat": None},
    "of nobody": {"sub": None},
    "of an empty subject": {"sub": ""},
    "of a number": {"sub": 248289761001},
    "of a long subject": {"sub": "a" * 256},
    "of a subject beyond ascii": {"sub": "\u00e4nna"},
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_token_that_is_not_taken(name: str) -> None:  # REC-29, REC-30
    service = SignOn()
    with pytest.raises(IdentityRefused):
        judged(service, service.token(CHALLENGE, **CLAIMS[name]))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT]},
        {"azp": CLIENT},
        {"exp": NOON - 119},
        {"iat": NOON + 120, "nbf": NOON + 120},
        {"exp": NOON + 300.5},
        {"sub": "a" * 255},
        {"email": "anna@example.org", "groups": ["a"]},
    ],
)
def test_a_token_that_is_taken(claims: dict[str, Any]) -> None:
    service = SignOn()
    assert judged(service, service.token(CHALLENGE, **claims))


# --- who signed it ----------------------------------------------------------------------------------------


def encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def with_head(service: SignOn, **head: Any) -> bytes:
    """Return a good token with another head, under the signature of the first one."""
    _, body, signature = service.token(CHALLENGE).split(b".")
    return b".".join((encoded(json.dumps(head).encode()), body, signature))


def signed_with_the_public_key(service: SignOn) -> bytes:
    """The attack on libraries that let the token choose: HMAC under the public key of the service."""
    public = json.dumps(service.jwk("RS256", "RS256")).encode()
    unsigned, _ = with_head(service, alg="HS256", kid="RS256").rsplit(b".", 1)
    return unsigned + b"." + encoded(hmac.digest(public, unsigned, "sha256"))


def with_its_own_key(service: SignOn) -> bytes:
    key = service.jwk("RS256 other", "RS256 other")
    return service.token(CHALLENGE, key="RS256 other", head={"jwk": key, "kid": "RS256"})


def with_a_url_of_keys(service: SignOn) -> bytes:
    head = {"jku": "https://evil.example/keys", "kid": "RS256"}
    return service.token(CHALLENGE, key="RS256 other", head=head)


def changed(service: SignOn) -> bytes:
    head, body, signature = service.token(CHALLENGE).split(b".")
    payload = json.loads(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4))) | {"sub": "root"}
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=")
    return b".".join((head, body, signature))


FORGED: Final[dict[str, Callable[[SignOn], bytes]]] = {
    "unsigned": lambda it: with_head(it, alg="none", kid="RS256").rsplit(b".", 1)[0] + b".",
    "without an algorithm": lambda it: with_head(it, kid="RS256"),
    "signed with the public key": signed_with_the_public_key,
    "signed by another key": lambda it: it.token(CHALLENGE, key="RS256 other", head={"kid": "RS256"}),
    "signed by a key that is nowhere": lambda it: it.token(CHALLENGE, key="RS256 other"),
    "with its own key": with_its_own_key,
    "with a url of keys": with_a_url_of_keys,
    "changed": changed,
    "of another algorithm with the same key": lambda it: with_head(it, alg="ES256", kid="RS256"),
    "of another padding with the same signature": lambda it: with_head(it, alg="PS256", kid="RS256"),
    "with something critical": lambda it: it.token(CHALLENGE, head={"crit": ["x"], "x": 1}),
    "without a key id": lambda it: with_head(it, alg="RS256"),
    "with half": lambda it: it.token(CHALLENGE)[:-10],
    "with a fourth part": lambda it: it.token(CHALLENGE) + b".x",
    "with no part": lambda it: b"no token",
    "with nothing": lambda it: b".",
    "with bytes": lambda it: b"\xff" * 100,
    "with deep json in the head": lambda it: base64.urlsafe_b64encode(b"[" * 6000) + b".e30.e30",
    "with a list as the head": lambda it: base64.urlsafe_b64encode(b"[1]") + b".e30.e30",
    "with numbers in the head": lambda it: base64.urlsafe_b64encode(b'{"alg":1,"kid":2}') + b".e30.e30",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_the_service_did_not_sign(name: str) -> None:  # REC-29
    service = SignOn()
    token = FORGED[name](service)
    with pytest.raises(IdentityRefused):
        judged(service, token)


@pytest.mark.parametrize("payload", [b"[]", b"1", b"{", b"\xff", b"[" * 4000, b"null", b""])
def test_a_signed_token_that_says_nothing(payload: bytes) -> None:
    service = SignOn()
    token = jwt.PyJWS().encode(payload, signing_key("RS256"), "RS256", headers={"kid": "RS256"}).encode()
    with pytest.raises(IdentityRefused):
        judged(service, token)


def test_an_algorithm_that_the_operator_did_not_allow() -> None:  # REC-29
    service = SignOn("ES256")
    with pytest.raises(IdentityRefused):
        run(oidc_check(service, "RS256").identity(service.token(CHALLENGE, key="ES256"), NONCE, NOON))
    assert service.asked == []


@pytest.mark.parametrize(
    ("published", "token_key"),
    [
        ({"alg": "PS256"}, "RS256"),  # the key is for another algorithm
        ({"alg": "HS256"}, "RS256"),
        ({"use": "enc"}, "RS256"),
        ({"use": 1}, "RS256"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "RS256"),
        ({"n": "AQAB"}, "RS256"),
        ({"n": 1}, "RS256"),
        ({"e": "AA"}, "RS256"),
        ({"d": "AQAB"}, "RS256"),  # a private key that was published by mistake
        ({"crv": "P-384"}, "ES256"),
        ({"x": "AQAB"}, "ES256"),
        ({"crv": "P-256"}, "EdDSA"),
    ],
)
def test_a_key_that_is_no_good(published: dict[str, Any], token_key: str) -> None:  # REC-29
    service = SignOn(token_key)
    service.keys = {}
    service.extra = [service.jwk(token_key, token_key) | published]
    with pytest.raises(IdentityRefused):
        judged(service, service.token(CHALLENGE, key=token_key))


@pytest.mark.parametrize("name", ["RS256", "ES256", "EdDSA"])
def test_a_private_key_that_was_published_is_not_used(name: str) -> None:
    """Whoever reads it signs as the service."""
    service = SignOn(name)
    service.keys = {}
    private = json.loads(jwt.get_algorithm_by_name(name).to_jwk(signing_key(name)))
    service.extra = [{**private, "kid": name}]
    with pytest.raises(IdentityRefused):
        judged(service, service.token(CHALLENGE, key=name))


def test_a_short_rsa_key_is_refused() -> None:  # REC-29
    service = SignOn("RS256 short")
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = service.token(CHALLENGE, key="RS256 short")
    with pytest.raises(IdentityRefused):
        judged(service, token)


# --- settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("issuer", "audience", "algorithms"),
    [
        ("http://login.example", CLIENT, ("RS256",)),
        ("login.example", CLIENT, ("RS256",)),
        ("ftp://login.example", CLIENT, ("RS256",)),
        ("", CLIENT, ("RS256",)),
        (ISSUER, "", ("RS256",)),
        (ISSUER, CLIENT, ()),
        (ISSUER, CLIENT, ("RS256", "HS256")),
        (ISSUER, CLIENT, ("none",)),
    ],
)
def test_settings_that_would_not_do(issuer: str, audience: str, algorithms: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        OidcCheck(issuer, audience, algorithms=algorithms, http=SignOn().client())


@pytest.mark.parametrize("subject", ["", "a" * 256, "\u00e4"])
def test_an_operator_names_a_subject(subject: str) -> None:
    with pytest.raises(UsageError):
        oidc_check(SignOn()).identity_of(subject)


def test_a_check_closes_its_connections() -> None:
    service = SignOn()
    http = service.client()
    run(OidcCheck(ISSUER, CLIENT, http=http).close())
    assert http.is_closed


def test_a_service_on_this_machine_needs_no_certificate() -> None:
    found = OidcCheck("http://127.0.0.1:9000", CLIENT, http=SignOn().client())
    assert repr(found) == "<OidcCheck: http://127.0.0.1:9000>"


def test_what_the_primitive_refuses_has_its_class() -> None:
    service = SignOn("RS256", "ES256")
    keys = TokenKeys({each: service.jwk(each, each) for each in service.keys})
    with pytest.raises(InvalidKey):
        keys.verify(service.token(CHALLENGE), "ES256", "RS256")
    with pytest.raises(MalformedMessage):
        token_head(b"x.y.z")
    assert "2" in repr(keys)
