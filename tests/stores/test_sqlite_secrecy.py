"""What the files of a SQLite store show to somebody without its key."""

from pathlib import Path

import pytest

from letterlock.stores import SqliteStore
from support.store_tools import (
    ALICE,
    BOB,
    CHAINS,
    DIGESTS,
    KEY,
    create_filled,
    record,
)

pytestmark = pytest.mark.usefixtures("cheap_passphrases")


def test_no_secret_or_address_is_on_the_disk(store: SqliteStore, tmp_path: Path) -> None:
    with store.transaction():
        store.tables.peers.save(b"\x82\x6dcarol@example\x01", record("carol"))
        store.tables.peers.save(b"\x82\x6dcarol@example\x01", record("again"))
    names = ("store.db", "store.db-wal", "store.db-shm")
    data = b"".join((tmp_path / name).read_bytes() for name in names)
    assert (tmp_path / "store.db-wal").stat().st_size > 4096
    store.close()
    data += (tmp_path / "store.db").read_bytes()
    for secret in (b"SECRET", b"alice.net", b"bob.net", b"carol", ALICE, BOB, KEY, *CHAINS, *DIGESTS):
        assert secret not in data
        assert secret.hex().encode() not in data
    assert b"letterlock_sessions" in data


def test_deleted_rows_leave_the_file(path: Path) -> None:
    create_filled(path)
    with SqliteStore(path, key=KEY) as store, store.transaction():
        sealed = store.connection.execute(
            "SELECT sealed FROM letterlock_skipped WHERE session = 1"
        ).fetchall()
        store.tables.skipped_keys.trim(1, 0)
    assert len(sealed) == 2
    data = path.read_bytes()
    assert not any(row[0] in data for row in sealed)
