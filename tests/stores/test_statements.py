"""What a message costs in SQLite, counted: the statements that run, and the pages that its commit writes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letterlock import Account, Address, MemoryStore, SqliteStore
from letterlock._wire.suite import Suite

ALICE, BOB = Address("alice"), Address("bob")
SUITES = frozenset(Suite)
KEY = b"\x07" * 32
FRAME_BYTES = 4096 + 24
HEADER_BYTES = 32


class Watched:
    """A conversation of which one side is on disk, watched."""

    def __init__(self, path: Path, suite: Suite) -> None:
        self.suite = suite
        self.store = SqliteStore(path, key=KEY)
        self.log = path.with_name(f"{path.name}-wal")
        self.alice = Account.create(self.store, ALICE, suites=SUITES)
        self.bob = Account.create(MemoryStore(), BOB, suites=SUITES)
        self.alice.initiate(BOB, self.bob.bundle(), suite=suite)
        self.statements: list[str] = []
        for _ in range(3):
            self.bob.decrypt(ALICE, self.alice.encrypt(BOB, b"there"))
            self.alice.decrypt(BOB, self.bob.encrypt(ALICE, b"back"))
        connection = self.store._database._connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.set_trace_callback(self.statements.append)

    def encrypt(self) -> None:
        self.bob.decrypt(ALICE, self.alice.encrypt(BOB, b"text"))

    def decrypt(self) -> None:
        self.alice.decrypt(BOB, self.bob.encrypt(ALICE, b"text"))

    def read(self, message: bytes) -> None:
        assert self.alice.decrypt(BOB, message) == b"text"

    def cost(self, call: Callable[[], None]) -> tuple[list[str], int]:
        """Return the verbs of the statements of a call, and how many pages it wrote."""
        before = self.pages()
        self.statements.clear()
        call()
        return [each.split()[0] for each in self.statements], self.pages() - before

    def pages(self) -> int:
        """Return how many pages are in the log."""
        pages, rest = divmod(max(self.log.stat().st_size, HEADER_BYTES) - HEADER_BYTES, FRAME_BYTES)
        assert rest == 0
        return pages


@pytest.fixture(params=list(Suite), ids=lambda suite: suite.name)
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path / "store.db", request.param)
    yield watched
    watched.store.close()


def test_a_text_in_order_reads_once_and_writes_once(watched: Watched) -> None:
    for _ in range(3):
        watched.encrypt()
        assert watched.cost(watched.encrypt) == (["BEGIN", "SELECT", "UPDATE", "COMMIT"], 1)


def test_a_message_in_order_is_read_as_cheaply(watched: Watched) -> None:
    watched.decrypt()
    for _ in range(3):
        assert watched.cost(watched.decrypt) == (["BEGIN", "SELECT", "UPDATE", "COMMIT"], 1)


def test_a_turn_writes_two_pages(watched: Watched) -> None:
    """One has the session, the other its finished chains."""
    watched.encrypt()
    statements, pages = watched.cost(watched.decrypt)
    assert pages == 2
    assert statements.count("UPDATE") == 2
    assert "INSERT" not in statements


def test_a_transaction_of_nothing_writes_nothing(watched: Watched) -> None:
    def nothing() -> None:
        with watched.store.transaction():
            pass

    assert watched.cost(nothing) == (["BEGIN", "COMMIT"], 0)


def test_a_refused_message_writes_nothing(watched: Watched) -> None:
    message = watched.bob.encrypt(ALICE, b"text")

    def forged() -> None:
        with pytest.raises(Exception, match="authenticate"):
            watched.alice.decrypt(BOB, message[:-1] + bytes([message[-1] ^ 1]))

    statements, pages = watched.cost(forged)
    assert statements[0] == "BEGIN"
    assert statements[-1] == "ROLLBACK"
    assert "UPDATE" not in statements
    assert pages == 0


def test_a_late_message_deletes_both_keys_in_one_change_of_the_digest(watched: Watched) -> None:
    messages = [watched.bob.encrypt(ALICE, b"text") for _ in range(3)]
    watched.read(messages[2])
    statements, _ = watched.cost(lambda: watched.read(messages[0]))
    keys = 2 if watched.suite is Suite.PQXDH else 1
    assert statements.count("SAVEPOINT") == 1
    assert changes(watched) == ["UPDATE letterlock_skipped"] * keys + ["UPDATE letterlock_digest"]
    # The last key of a row goes with the row.
    watched.cost(lambda: watched.read(messages[1]))
    assert changes(watched) == ["DELETE FROM letterlock_skipped"] * keys + ["UPDATE letterlock_digest"]


def changes(watched: Watched) -> list[str]:
    """Return what changed kept keys and the digest."""
    starts = [" ".join(each.split()[: 3 if each.startswith("DELETE") else 2]) for each in watched.statements]
    return [each for each in starts if each.endswith(("letterlock_skipped", "letterlock_digest"))]
