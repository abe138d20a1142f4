"""A store with one damaged byte: opened and used, it raises our errors only.

Every byte of the header is damaged. Some of the others that hold something stand for the rest, and one byte
of each page for those that hold nothing.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest

from letterlock.errors import LetterlockError, StoreError, UnsupportedStore
from letterlock.stores._sqlite import opening
from support.store_tools import CHANGES, everything, fill, open_sqlite

HEADER, PAGE = 110, 4096
STEP = int(os.environ.get("LETTERLOCK_TEST_DAMAGE_STEP", "40"))
"""One of how many bytes that hold something is damaged; 1 takes minutes. Both ways take turns."""


@pytest.fixture
def folder(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pragmas = tuple(each for each in opening._PRAGMAS if "synchronous" not in each)
    monkeypatch.setattr(opening, "_PRAGMAS", (*pragmas, "PRAGMA synchronous = OFF"))
    return fast_path


def whole_store(folder: Path) -> bytes:
    with open_sqlite(folder) as store, store.transaction():
        fill(store)
    return (folder / "store.db").read_bytes()


def put(folder: Path, data: bytes) -> None:
    for each in folder.iterdir():
        each.unlink()
    (folder / "store.db").write_bytes(data)


def use(folder: Path) -> None:
    with open_sqlite(folder, busy_timeout=0) as store, store.transaction():
        everything(store)
        for change in CHANGES.values():
            with suppress(StoreError):
                change(store)


def unused_bytes(whole: bytes) -> set[int]:
    """Return where the bytes are that hold nothing: the long rows of zeros."""
    return {at for zeros in re.finditer(rb"\0{32,}", whole) for at in range(*zeros.span())}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["0xFF", "flipped bit"])
def test_a_damaged_byte_raises_our_errors_only(folder: Path, how: str) -> None:
    whole = whole_store(folder)
    unused = unused_bytes(whole)
    held = [at for at in range(HEADER, len(whole)) if at not in unused]
    one_of_each_page = {at // PAGE: at for at in unused}
    turn = 0 if how == "0xFF" else STEP // 2
    refused = 0
    for at in (*range(HEADER), *held[turn::STEP], *one_of_each_page.values()):
        damaged = bytearray(whole)
        damaged[at] = 0xFF if how == "0xFF" else whole[at] ^ (1 << at % 8)
        put(folder, bytes(damaged))
        try:
            use(folder)
        except UnsupportedStore:
            refused += 1
            assert (folder / "store.db").read_bytes() == bytes(damaged), at
        except LetterlockError:
            refused += 1
        except BaseException as error:
            raise AssertionError(f"byte {at}, {how}") from error
    assert refused > 170


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"letterlock_meta", b"\xffetterlock_meta"),
        (b"CREATE TABLE letterlock_meta", b"CREATE TABL\xff letterlock_meta"),
        (b"letterlock_sessions", b"\xff\xfe\xfd\xfcerlock_sessions"),
        (b"table", b"\xffable"),
        (b"index", b"inde\x80"),
    ],
)
def test_schema_text_that_is_not_utf_8_is_damage(folder: Path, old: bytes, new: bytes) -> None:
    whole = whole_store(folder)
    for at in (at for at in range(len(whole)) if whole.startswith(old, at)):
        put(folder, whole[:at] + new + whole[at + len(old) :])
        with suppress(StoreError):  # it may be text that nobody reads
            use(folder)
