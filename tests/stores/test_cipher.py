"""StoreCipher: sealed records open only in their own row; tags and the encoding of columns."""

import copy
import hashlib
import hmac
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterlock._primitives.kdf import hkdf_sha256
from letterlock.errors import CorruptStore
from letterlock.stores import Record
from letterlock.stores._sqlite.cipher import IndexKey, StoreCipher, ValuesKey
from letterlock.stores._sqlite.format import Column, encode
from letterlock.stores._sqlite.wrapped_key import DataKey
from support.store_tools import KEY

DATA_KEY = DataKey(bytes(range(32)))
COLUMNS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=20)


def test_a_record_opens_only_in_its_own_row() -> None:
    # STO-3
    cipher = StoreCipher(DATA_KEY)
    sealed = cipher.seal(Record(b"text"), b"table", 1, b"tag", None)
    assert cipher.open(sealed, b"table", 1, b"tag", None) == Record(b"text")
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
            cipher.open(sealed, *row)
    with pytest.raises(CorruptStore):
        StoreCipher(DataKey(KEY)).open(sealed, b"table", 1, b"tag", None)


def test_a_damaged_record_does_not_open() -> None:
    cipher = StoreCipher(DATA_KEY)
    sealed = cipher.seal(Record(b"text"), b"table", 1)
    for place in range(len(sealed)):
        with pytest.raises(CorruptStore):
            cipher.open(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], b"table", 1)
        with pytest.raises(CorruptStore):
            cipher.open(sealed[:place], b"table", 1)
    for other in (sealed + b"\0", None, 0, 1.5, "text", bytearray(sealed)):
        with pytest.raises(CorruptStore):
            cipher.open(other, b"table", 1)


def test_sealing_a_record_twice_gives_different_bytes() -> None:
    cipher = StoreCipher(DATA_KEY)
    assert len({cipher.seal(Record(b"text"), b"table", 1) for _ in range(100)}) == 100


def test_tags_differ_by_key_by_use_and_by_columns() -> None:
    cipher, other = StoreCipher(DATA_KEY), StoreCipher(DataKey(KEY))
    uses: list[tuple[Any, ...]] = [
        (b"a", b"what"),
        (b"b", b"what"),
        (b"a", b"what", 1),
        (b"a", b"whatever"),
        (b"awhat",),
    ]
    tags = {each.tag(*use) for each in (cipher, other) for use in uses}
    assert len(tags) == 2 * len(uses)
    assert {len(tag) for tag in tags} == {16}
    index = hkdf_sha256(b"", DATA_KEY.expose(), b"letterlock-v1 store index", 32)
    assert cipher.tag(b"a", b"what") == hmac.digest(index, encode(b"a", b"what"), hashlib.sha256)[:16]


@given(st.lists(COLUMNS, max_size=4), st.lists(COLUMNS, max_size=4))
def test_different_columns_have_different_encodings(first: list[Column], second: list[Column]) -> None:
    assert (encode(*first) == encode(*second)) == (first == second)


def test_columns_are_encoded_as_specified() -> None:
    assert encode() == b""
    assert encode(None, -1, 258, b"ab") == b"ni" + b"\xff" * 8 + b"i\0\0\0\0\0\0\1\2b\0\0\0\0\0\0\0\2ab"


@pytest.mark.parametrize(
    "secret",
    [
        *(role(KEY) for role in (ValuesKey, IndexKey)),
        StoreCipher(DataKey(KEY)),
    ],
    ids=lambda secret: type(secret).__name__,
)
def test_no_secret_prints_or_is_copied(secret: object) -> None:
    for text in (repr(secret), str(secret), f"{secret}", repr([secret])):
        assert KEY.hex() not in text
        assert repr(KEY)[2:-1] not in text
    for how in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="holds a secret"):
            how(secret)
