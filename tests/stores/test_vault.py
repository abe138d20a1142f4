"""The vault: wrapped keys, sealed records, tags, and the encoding that binds them."""

import copy
import hashlib
import hmac
import pickle
from dataclasses import astuple, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterlock._primitives import passphrase as argon2
from letterlock._primitives.kdf import hkdf_sha256
from letterlock.errors import CorruptStore, UsageError, WrongKey
from letterlock.limits import ARGON2_MAX_MEMLIMIT, ARGON2_MAX_OPSLIMIT
from letterlock.stores._interface import Record
from letterlock.stores._vault import (
    DataKey,
    IndexKey,
    KeyOpener,
    Opener,
    PassphraseOpener,
    StoreKey,
    ValuesKey,
    Vault,
    WrapKey,
    WrappedKey,
    encode,
)
from support.store_tools import KEY, OTHER_KEY, PASSPHRASE, cheap_passphrases

DATA_KEY = DataKey(bytes(range(32)))
PARTS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=20)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap_passphrases(monkeypatch)


def openers() -> list[Opener]:
    return [KeyOpener(KEY), PassphraseOpener(PASSPHRASE)]


# --- the wrapped key ------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1])
def test_a_wrapped_key_opens_with_what_wrapped_it(which: int) -> None:
    wrap = WrappedKey.seal(DATA_KEY, openers()[which])
    assert wrap.open(openers()[which]) == DATA_KEY
    assert WrappedKey.read(astuple(wrap)) == wrap
    assert WrappedKey.seal(DATA_KEY, openers()[which]).wrapped != wrap.wrapped


def test_a_wrong_one_is_refused_in_the_same_words_as_a_damaged_one() -> None:
    for opener, wrong in (
        (KeyOpener(KEY), KeyOpener(OTHER_KEY)),
        (PassphraseOpener(PASSPHRASE), PassphraseOpener(PASSPHRASE + " ")),
    ):
        wrap = WrappedKey.seal(DATA_KEY, opener)
        with pytest.raises(WrongKey) as first:
            wrap.open(wrong)
        with pytest.raises(WrongKey) as second:
            replace(wrap, wrapped=wrap.wrapped[:-1] + bytes([wrap.wrapped[-1] ^ 1])).open(opener)
        assert str(first.value) == str(second.value)
        assert first.value.__cause__ is first.value.__context__ is None


@pytest.mark.parametrize("which", [0, 1])
def test_the_other_kind_of_opener_is_named(which: int) -> None:
    wrap = WrappedKey.seal(DATA_KEY, openers()[which])
    with pytest.raises(WrongKey, match=r"is opened with a (key|passphrase), not with a") as caught:
        wrap.open(openers()[1 - which])
    assert ("with a passphrase," in str(caught.value)) == (which == 1)


@pytest.mark.parametrize("which", [0, 1])
def test_every_field_of_a_wrapped_key_is_bound(which: int) -> None:
    opener = openers()[which]
    wrap = WrappedKey.seal(DATA_KEY, opener)
    for place in range(len(wrap.wrapped)):
        flipped = bytearray(wrap.wrapped)
        flipped[place] ^= 0x80
        with pytest.raises(WrongKey):
            replace(wrap, wrapped=bytes(flipped)).open(opener)
    for changed in (
        replace(wrap, salt=bytes(16)),
        replace(wrap, opslimit=wrap.opslimit + 1),
        replace(wrap, memlimit=wrap.memlimit + 1024),
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
    wrap = WrappedKey.seal(DATA_KEY, opener)
    monkeypatch.setattr(argon2, "derive", lambda *_: pytest.fail("Argon2 ran"))
    with pytest.raises(CorruptStore):
        replace(wrap, opslimit=opslimit, memlimit=memlimit).open(opener)


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
def test_a_row_that_is_no_wrapped_key_is_damaged(columns: tuple[object, ...]) -> None:
    with pytest.raises(CorruptStore):
        WrappedKey.read(columns)


@pytest.mark.parametrize(
    "key", [b"", bytes(31), bytes(33), bytearray(32), memoryview(bytes(32)), "k" * 32, 32, None]
)
def test_a_store_key_is_32_bytes_of_bytes(key: object) -> None:
    with pytest.raises(UsageError, match="exactly 32 bytes"):
        KeyOpener(key)  # type: ignore[arg-type]


@pytest.mark.parametrize("passphrase", [b"bytes", None, 7])
def test_a_passphrase_is_text(passphrase: object) -> None:
    with pytest.raises(UsageError, match="is a `str`"):
        PassphraseOpener(passphrase)  # type: ignore[arg-type]


@pytest.mark.parametrize("passphrase", ["", "x" * 4097])
def test_an_unfit_passphrase_is_the_caller_s_mistake(passphrase: str) -> None:
    with pytest.raises(UsageError):
        WrappedKey.seal(DATA_KEY, PassphraseOpener(passphrase))


# --- records and tags -----------------------------------------------------------------------------


def test_a_record_opens_in_its_row_only() -> None:
    # STO-3
    vault = Vault(DATA_KEY)
    sealed = vault.seal(Record(b"text"), b"table", 1, b"tag", None)
    assert vault.open(sealed, b"table", 1, b"tag", None) == Record(b"text")
    rows: list[tuple[Any, ...]] = [
        (b"tables", 1, b"tag", None),
        (b"table", 2, b"tag", None),
        (b"table", 1, b"tag2", None),
        (b"table", 1, b"tag", 0),
        (b"table", 1, b"tag"),
        (b"table", 1, b"tag", None, None),
        (b"table", b"tag", 1, None),
        (b"table", 1.0, b"tag", None),
        (b"table", 1, "tag", None),
    ]
    for row in rows:
        with pytest.raises(CorruptStore):
            vault.open(sealed, *row)
    with pytest.raises(CorruptStore):
        Vault(DataKey(KEY)).open(sealed, b"table", 1, b"tag", None)


def test_a_damaged_record_does_not_open() -> None:
    vault = Vault(DATA_KEY)
    sealed = vault.seal(Record(b"text"), b"table", 1)
    for place in range(len(sealed)):
        with pytest.raises(CorruptStore):
            vault.open(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], b"table", 1)
        with pytest.raises(CorruptStore):
            vault.open(sealed[:place], b"table", 1)
    for other in (sealed + b"\0", None, 0, 1.5, "text", bytearray(sealed)):
        with pytest.raises(CorruptStore):
            vault.open(other, b"table", 1)


def test_no_two_sealings_are_alike() -> None:
    vault = Vault(DATA_KEY)
    assert len({vault.seal(Record(b"text"), b"table", 1) for _ in range(100)}) == 100


def test_tags_are_keyed_and_told_apart_by_use() -> None:
    vault, other = Vault(DATA_KEY), Vault(DataKey(KEY))
    uses: list[tuple[Any, ...]] = [
        (b"a", b"what"),
        (b"b", b"what"),
        (b"a", b"what", 1),
        (b"a", b"whatever"),
        (b"awhat",),
    ]
    tags = {each.tag(*use) for each in (vault, other) for use in uses}
    assert len(tags) == 2 * len(uses)
    assert {len(tag) for tag in tags} == {16}
    index = hkdf_sha256(b"", DATA_KEY.expose(), b"letterlock-v1 store index", 32)
    assert vault.tag(b"a", b"what") == hmac.digest(index, encode(b"a", b"what"), hashlib.sha256)[:16]


@given(st.lists(PARTS, max_size=4), st.lists(PARTS, max_size=4))
def test_no_other_parts_have_the_same_encoding(
    first: list[bytes | int | None], second: list[bytes | int | None]
) -> None:
    assert (encode(*first) == encode(*second)) == (first == second)


def test_parts_are_encoded_as_the_specification_says() -> None:
    assert encode() == b""
    assert encode(None, -1, 258, b"ab") == b"ni" + b"\xff" * 8 + b"i\0\0\0\0\0\0\1\2b\0\0\0\0\0\0\0\2ab"


# --- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret",
    [
        *(role(KEY) for role in (StoreKey, DataKey, WrapKey, ValuesKey, IndexKey)),
        KeyOpener(KEY),
        PassphraseOpener("@@@@@@@@"),
        Vault(DataKey(KEY)),
    ],
    ids=lambda secret: type(secret).__name__,
)
def test_nothing_here_prints_or_is_copied(secret: object) -> None:
    for text in (repr(secret), str(secret), f"{secret}", repr([secret])):
        assert KEY.hex() not in text
        assert repr(KEY)[2:-1] not in text
        assert "@@@@" not in text
    for how in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="holds a secret"):
            how(secret)
