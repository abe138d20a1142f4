"""WrappedKey: the data key opens with the right key or passphrase, and with nothing else."""

import copy
import pickle
from dataclasses import astuple, replace

import pytest

from letterlock._primitives import passphrase as argon2
from letterlock.errors import CorruptStore, UsageError, WrongKey
from letterlock.limits import ARGON2_MAX_MEMLIMIT, ARGON2_MAX_OPSLIMIT
from letterlock.stores._sqlite.wrapped_key import (
    DataKey,
    KeyOpener,
    Opener,
    PassphraseOpener,
    StoreKey,
    WrapKey,
    WrappedKey,
)
from support.store_tools import KEY, OTHER_KEY, PASSPHRASE, use_cheap_passphrases

DATA_KEY = DataKey(bytes(range(32)))


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    use_cheap_passphrases(monkeypatch)


def openers() -> list[Opener]:
    return [KeyOpener(KEY), PassphraseOpener(PASSPHRASE)]


@pytest.mark.parametrize("which", [0, 1])
def test_a_wrapped_key_opens_with_the_opener_that_wrapped_it(which: int) -> None:
    wrapped = WrappedKey.seal(DATA_KEY, openers()[which])
    assert wrapped.open(openers()[which]) == DATA_KEY
    assert WrappedKey.read(astuple(wrapped)) == wrapped
    assert WrappedKey.seal(DATA_KEY, openers()[which]).wrapped != wrapped.wrapped


def test_a_wrong_key_and_a_damaged_wrapped_key_raise_the_same_text() -> None:
    for opener, wrong in (
        (KeyOpener(KEY), KeyOpener(OTHER_KEY)),
        (PassphraseOpener(PASSPHRASE), PassphraseOpener(PASSPHRASE + " ")),
    ):
        wrapped = WrappedKey.seal(DATA_KEY, opener)
        with pytest.raises(WrongKey) as first:
            wrapped.open(wrong)
        with pytest.raises(WrongKey) as second:
            replace(wrapped, wrapped=wrapped.wrapped[:-1] + bytes([wrapped.wrapped[-1] ^ 1])).open(opener)
        assert str(first.value) == str(second.value)
        assert first.value.__cause__ is first.value.__context__ is None


@pytest.mark.parametrize("which", [0, 1])
def test_the_error_names_the_kind_of_opener_that_the_store_needs(which: int) -> None:
    wrapped = WrappedKey.seal(DATA_KEY, openers()[which])
    with pytest.raises(WrongKey, match=r"is opened with a (key|passphrase), not with a") as caught:
        wrapped.open(openers()[1 - which])
    assert ("with a passphrase," in str(caught.value)) == (which == 1)


@pytest.mark.parametrize("which", [0, 1])
def test_every_field_of_a_wrapped_key_is_bound(which: int) -> None:
    opener = openers()[which]
    wrapped = WrappedKey.seal(DATA_KEY, opener)
    for place in range(len(wrapped.wrapped)):
        flipped = bytearray(wrapped.wrapped)
        flipped[place] ^= 0x80
        with pytest.raises(WrongKey):
            replace(wrapped, wrapped=bytes(flipped)).open(opener)
    for changed in (
        replace(wrapped, salt=bytes(16)),
        replace(wrapped, opslimit=wrapped.opslimit + 1),
        replace(wrapped, memlimit=wrapped.memlimit + 1024),
    ):
        with pytest.raises(WrongKey):
            changed.open(opener)


@pytest.mark.parametrize(
    ("opslimit", "memlimit"),
    [
        (0, 8192),
        (-1, 8192),
        (ARGON2_MAX_OPSLIMIT + 1, 8192),
        (2**62, 8192),
        (1, 0),
        (1, 8191),
        (1, ARGON2_MAX_MEMLIMIT + 1),
        (1, 2**62),
    ],
)
def test_passphrase_parameters_are_bounded_before_they_are_used(
    opslimit: int, memlimit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = PassphraseOpener(PASSPHRASE)
    wrapped = WrappedKey.seal(DATA_KEY, opener)
    monkeypatch.setattr(argon2, "derive", lambda *_: pytest.fail("Argon2 ran"))
    with pytest.raises(CorruptStore):
        replace(wrapped, opslimit=opslimit, memlimit=memlimit).open(opener)


@pytest.mark.parametrize(
    "columns",
    [
        (),
        (1, bytes(16), 0, 0),
        (0, bytes(16), 0, 0, bytes(72)),
        (3, bytes(16), 0, 0, bytes(72)),
        (1, bytes(15), 0, 0, bytes(72)),
        (1, bytes(17), 0, 0, bytes(72)),
        (1, bytes(16), 0, 0, bytes(71)),
        (1, bytes(16), 0, 0, bytes(73)),
        (1, bytes(16), 0, 0, b""),
        (1.0, bytes(16), 0, 0, bytes(72)),
        ("1", bytes(16), 0, 0, bytes(72)),
        (None, bytes(16), 0, 0, bytes(72)),
        (1, "s" * 16, 0, 0, bytes(72)),
        (1, bytes(16), None, 0, bytes(72)),
        (1, bytes(16), 0, "0", bytes(72)),
        (1, bytes(16), 0, 0, "w" * 72),
    ],
)
def test_a_malformed_row_is_refused(columns: tuple[object, ...]) -> None:
    with pytest.raises(CorruptStore):
        WrappedKey.read(columns)


@pytest.mark.parametrize(
    "key", [b"", bytes(31), bytes(33), bytearray(32), memoryview(bytes(32)), "k" * 32, 32, None]
)
def test_a_store_key_that_is_not_32_bytes_is_refused(key: object) -> None:
    with pytest.raises(UsageError, match="exactly 32 random bytes"):
        KeyOpener(key)  # type: ignore[arg-type]


@pytest.mark.parametrize("passphrase", [b"bytes", None, 7])
def test_a_passphrase_that_is_not_a_str_is_refused(passphrase: object) -> None:
    with pytest.raises(UsageError, match="is a `str`"):
        PassphraseOpener(passphrase)  # type: ignore[arg-type]


@pytest.mark.parametrize("passphrase", ["", "x" * 4097])
def test_a_passphrase_that_is_too_short_or_too_long_is_refused(passphrase: str) -> None:
    with pytest.raises(UsageError):
        WrappedKey.seal(DATA_KEY, PassphraseOpener(passphrase))


@pytest.mark.parametrize(
    "secret",
    [
        *(role(KEY) for role in (StoreKey, DataKey, WrapKey)),
        KeyOpener(KEY),
        PassphraseOpener("@@@@@@@@"),
    ],
    ids=lambda secret: type(secret).__name__,
)
def test_no_secret_prints_or_is_copied(secret: object) -> None:
    for text in (repr(secret), str(secret), f"{secret}", repr([secret])):
        assert KEY.hex() not in text
        assert repr(KEY)[2:-1] not in text
        assert "@@@@" not in text
    for how in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="holds a secret"):
            how(secret)
