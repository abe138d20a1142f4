"""A store with one damaged byte: opened and used, it raises our errors only.

The first two pages hold the header, the schema and the wrapped key. Some bytes of every later page stand for
the others.
"""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from letterlock.errors import LetterlockError, StoreError, UnsupportedStore
from letterlock.stores._sqlite import opening
from support.store_tools import CHANGES, everything, fill, open_sqlite

STEP = int(os.environ.get("LETTERLOCK_TEST_DAMAGE_STEP", "58"))
"""Every how many bytes of the first two pages one is damaged; 1 takes minutes. Both ways take turns."""
LATER_STEP = 422


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


@pytest.mark.slow
@pytest.mark.parametrize("how", ["0xFF", "flipped bit"])
def test_a_damaged_byte_raises_our_errors_only(folder: Path, how: str) -> None:
    whole = whole_store(folder)
    turn = 0 if how == "0xFF" else 1
    first_two = range(turn * STEP // 2, 8192, STEP)
    later = range(8192 + turn * LATER_STEP // 2, len(whole), LATER_STEP)
    refused = 0
    for at in (*range(110), *first_two, *later):
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
    assert refused > 80  # most of a page is unused


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
