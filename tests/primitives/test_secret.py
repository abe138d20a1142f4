"""PRIM-1: secrets never print, pickle, copy, hash or change, and compare on exact type."""

import copy
import dataclasses
import importlib
import json
import pickle
import pkgutil
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import letterlock._primitives
from letterlock._primitives.composite import CompositeSeed, DeviceSigningKeyPair
from letterlock._primitives.curve25519 import (
    EphemeralKeyPair,
    IdentityKeyPair,
    KeyPair,
    OneTimePrekeyPair,
    PrivateKey,
    RatchetKeyPair,
    SharedPoint,
    SignedPrekeyPair,
)
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.floe import FloeStream
from letterlock._primitives.mldsa import MlDsa65KeyPair, MlDsaSeed
from letterlock._primitives.mlkem import (
    Encapsulation,
    KemKeyPair,
    KemSecret,
    KemSeed,
    MlKem768KeyPair,
    MlKem1024KeyPair,
)
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._primitives.passphrase import PassphraseKey
from letterlock._primitives.secret import Secret, Uncopyable
from letterlock._primitives.secretstream import FrameOpener, FrameSealer
from letterlock._primitives.voprf import Blinding, OprfOutput, OprfSeed
from letterlock._primitives.xeddsa import SigningKey, SigningScalar
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed

SECRETS = [
    CompositeSeed,
    Ed25519Seed,
    MlDsaSeed,
    XWingSeed,
    PrivateKey, SharedPoint, SigningScalar, KemSeed, KemSecret, PassphraseKey, EncapsulationRandomness,
    CompositeSeed, Ed25519Seed, MlDsaSeed, XWingSeed, OprfSeed, OprfOutput,
]  # fmt: skip
CURVE_PAIRS: list[type[KeyPair[Any]]] = [
    IdentityKeyPair,
    SignedPrekeyPair,
    OneTimePrekeyPair,
    EphemeralKeyPair,
    RatchetKeyPair,
]
KEM_PAIRS: list[type[KemKeyPair[Any]]] = [MlKem768KeyPair, MlKem1024KeyPair]

MATERIAL = bytes(range(0xA0, 0xE0))
"""64 bytes that do not occur elsewhere by chance; each secret below begins with them."""


def material(role: type[Secret]) -> bytes:
    assert role.LENGTH is not None
    return MATERIAL[: role.LENGTH]


def holders() -> list[Uncopyable]:
    """One object of each type in the primitives that holds a secret."""
    single: list[Uncopyable] = [role(material(role)) for role in SECRETS]
    curve: list[Uncopyable] = [pair.from_private(PrivateKey(MATERIAL[:32])) for pair in CURVE_PAIRS]
    kem: list[Uncopyable] = [pair(KemSeed(MATERIAL)) for pair in KEM_PAIRS]
    built: list[Uncopyable] = [
        Ed25519KeyPair(Ed25519Seed(material(Ed25519Seed))),
        MlDsa65KeyPair(MlDsaSeed(material(MlDsaSeed))),
        DeviceSigningKeyPair(CompositeSeed(material(CompositeSeed))),
        XWingKeyPair(XWingSeed(material(XWingSeed))),
        SigningKey(SigningScalar(MATERIAL[:32]), bytes(32)),
        FrameSealer.begin(MATERIAL[:32], b"")[0],
        FrameOpener.begin(MATERIAL[:32], b"", bytes(24)),
        FloeStream(MATERIAL[:32], bytes(32), b"", segment_bytes=64),
        Blinding(MATERIAL),
    ]
    return [*single, *curve, *kem, *built, Encapsulation(KemSecret(MATERIAL[:32]), b"\x01" * 8)]


HOLDERS = pytest.mark.parametrize("holder", holders(), ids=lambda holder: type(holder).__name__)
ROLES = pytest.mark.parametrize("role", SECRETS)


def assert_hidden(text: str) -> None:
    """Neither hex, nor any 4 bytes of the secret as escapes, integers or raw characters, are in a text."""
    for start in range(len(MATERIAL) - 4):
        piece = MATERIAL[start : start + 4]
        for form in (piece.hex(), repr(piece)[2:-1], str(list(piece))[1:-1], piece.decode("latin-1")):
            assert form not in text
            assert form.upper() not in text


def test_every_secret_type_of_the_primitives_is_tested_here() -> None:
    for module in pkgutil.iter_modules(letterlock._primitives.__path__, "letterlock._primitives."):
        importlib.import_module(module.name)
    found: set[str] = set()
    waiting: list[type[Uncopyable]] = [Uncopyable]
    while waiting:
        for each in waiting.pop().__subclasses__():
            waiting.append(each)
            if each.__module__.startswith("letterlock._primitives."):
                found.add(each.__name__)
    # Names, because a slotted dataclass leaves an unslotted class of the same name behind.
    assert found - {"Secret", "KeyPair", "KemKeyPair", "CompositeKeyPair", "_Stream"} == {
        type(holder).__name__ for holder in holders()
    }


# --- printing -------------------------------------------------------------------------------------


@ROLES
def test_the_repr_of_a_secret_is_pinned(role: type[Secret]) -> None:
    secret = role(material(role))
    assert repr(secret) == f"<{role.__name__}: hidden>"
    assert str(secret) == f"{secret}" == f"{secret!r}" == f"{secret!s}" == repr(secret)


@pytest.mark.parametrize("pair_type", CURVE_PAIRS)
def test_the_repr_of_a_curve_pair_is_pinned(pair_type: type[KeyPair[Any]]) -> None:
    pair = pair_type.from_private(PrivateKey(MATERIAL[:32]))
    assert repr(pair) == f"<{pair_type.__name__}: {pair_type.PUBLIC.__name__}({pair.public.data.hex()})>"


@pytest.mark.parametrize("pair_type", KEM_PAIRS)
def test_the_repr_of_a_kem_pair_is_pinned(pair_type: type[KemKeyPair[Any]]) -> None:
    pair = pair_type(KemSeed(MATERIAL))
    start = pair.public.data[:8].hex()
    assert repr(pair) == f"<{pair_type.__name__}: {pair_type.PUBLIC.__name__}({start}...)>"


@HOLDERS
def test_no_way_of_printing_shows_the_secret(holder: Uncopyable) -> None:
    for text in (repr(holder), str(holder), f"{holder}", f"{holder!r:>200}", f"{[holder]}", f"{holder!a}"):
        assert_hidden(text)


@HOLDERS
def test_a_format_specification_shows_nothing(holder: Uncopyable) -> None:
    for specification in ("x", "s", "40", "b"):
        with pytest.raises(TypeError) as caught:
            format(holder, specification)
        assert_hidden(str(caught.value))


@HOLDERS
def test_a_secret_is_not_bytes_nor_json(holder: Uncopyable) -> None:
    operations: list[Callable[[Uncopyable], object]] = [
        bytes,  # type: ignore[list-item]
        memoryview,  # type: ignore[list-item]
        len,  # type: ignore[list-item]
        iter,  # type: ignore[list-item]
        json.dumps,
        vars,
    ]
    for operation in operations:
        with pytest.raises(TypeError):
            operation(holder)


# --- copying, pickling, hashing, changing ---------------------------------------------------------


@HOLDERS
def test_a_secret_is_neither_copied_nor_pickled(holder: Uncopyable) -> None:
    attempts: list[Callable[[Uncopyable], object]] = [copy.copy, copy.deepcopy, Uncopyable.__reduce__]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        attempts += [partial(pickle.dumps, protocol=protocol), lambda it, n=protocol: it.__reduce_ex__(n)]  # type: ignore[misc]
    for attempt in attempts:
        with pytest.raises(TypeError, match=r"holds a secret and cannot be (copied|pickled)") as caught:
            attempt(holder)
        assert_hidden(str(caught.value))
    with pytest.raises(TypeError):
        copy.deepcopy([holder])


@ROLES
def test_a_secret_gives_no_state(role: type[Secret]) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        role(material(role)).__getstate__()


@ROLES
def test_a_secret_is_not_hashed(role: type[Secret]) -> None:
    secret = role(material(role))
    with pytest.raises(TypeError, match="unhashable"):
        hash(secret)
    with pytest.raises(TypeError, match="unhashable"):
        {secret}  # noqa: B018


@HOLDERS
def test_a_holder_of_secrets_does_not_change(holder: Uncopyable) -> None:
    for name in ("_material", "seed", "private", "public", "_key", "secret", "other"):
        with pytest.raises((AttributeError, TypeError, dataclasses.FrozenInstanceError)):
            setattr(holder, name, b"")
        with pytest.raises((AttributeError, TypeError, dataclasses.FrozenInstanceError)):
            delattr(holder, name)
    assert not hasattr(holder, "__dict__")


# --- comparing ------------------------------------------------------------------------------------


@ROLES
def test_secrets_compare_by_exact_type_and_bytes(role: type[Secret]) -> None:
    class Sub(role):  # type: ignore[misc,valid-type]
        __slots__ = ()

    one, same = role(material(role)), role(material(role))
    assert one == same
    assert (one != same) is False
    for at in (0, len(material(role)) - 1):
        changed = bytearray(material(role))
        changed[at] ^= 1
        assert one != role(bytes(changed))
    assert one != Sub(material(role))
    assert Sub(material(role)) != one
    assert one.__eq__(material(role)) is NotImplemented
    assert one != material(role)


@ROLES
@pytest.mark.parametrize("other", SECRETS)
def test_equal_bytes_in_two_roles_are_two_keys(role: type[Secret], other: type[Secret]) -> None:
    # PRIM-1
    assert (role(material(role)) == other(material(other))) == (role is other)


def test_comparing_is_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        seen.append((one, other))
        return one == other

    monkeypatch.setattr("letterlock._primitives.secret.hmac.compare_digest", compare)
    assert PrivateKey(MATERIAL[:32]) != PrivateKey(MATERIAL[32:])
    assert seen == [(MATERIAL[:32], MATERIAL[32:])]


# --- making ---------------------------------------------------------------------------------------


@ROLES
def test_expose_is_what_went_in(role: type[Secret]) -> None:
    assert role(material(role)).expose() == material(role)


@ROLES
@pytest.mark.parametrize("change", [-1, 1, -32], ids=str)
def test_a_secret_of_another_length_is_refused_without_showing_it(role: type[Secret], change: int) -> None:
    assert role.LENGTH is not None
    wrong = (MATERIAL * 2)[: role.LENGTH + change]
    with pytest.raises(ValueError, match=rf"{role.__name__} needs {role.LENGTH} bytes, not ") as caught:
        role(wrong)
    assert_hidden("".join(traceback.format_exception(caught.value)))


class OwnBytes(bytes):
    """A subclass could override comparing or slicing."""


@ROLES
@pytest.mark.parametrize("kind", [bytearray, memoryview, OwnBytes, list, lambda data: data.hex()])
def test_a_secret_is_made_of_bytes_alone(role: type[Secret], kind: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TypeError, match=f"^{role.__name__} needs bytes$") as caught:
        role(kind(material(role)))
    assert_hidden(str(caught.value))


def test_a_secret_may_have_any_length_where_its_role_says_so() -> None:
    class Blob(Secret):
        __slots__ = ()
        LENGTH = None

    assert Blob(b"").expose() == b""
    assert Blob(MATERIAL).expose() == MATERIAL
    assert repr(Blob(MATERIAL)) == "<Blob: hidden>"
