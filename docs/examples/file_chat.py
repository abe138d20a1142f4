"""Two processes chat over files and are killed while they do: every text arrives, and none arrives twice.

A letter is encrypted and put into an outbox in one transaction, then written to the peer's folder, then
deleted from the outbox. So a kill between any two lines delivers a letter again at worst, and the peer
refuses the second copy. If a letter went out before the commit, a kill could lead to a second use of its key.

Prints:

    alice has all 20 texts of bob: True
    bob has all 20 texts of alice: True
"""

import multiprocessing
import random
import tempfile
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

from letterlock import Account, Address, DuplicateMessage, PrekeyBundle, SqliteStore

PEERS = {"alice": "bob", "bob": "alice"}
TEXTS = 20
KILLS = 3
KEYS = {"alice": b"a" * 32, "bob": b"b" * 32}  # use 32 random bytes for anything but an example
# AUTOINCREMENT: a number that is used again would let one letter replace another in the peer's folder.
TABLES = (
    "CREATE TABLE inbox (text BLOB)",
    "CREATE TABLE sent (text BLOB)",
    "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, letter BLOB)",
)


class Chat:
    """One side: its account, and the application's own tables in the same store."""

    def __init__(self, folder: Path, name: str, peer: str) -> None:
        self.peer = Address(peer)
        self.ours, self.theirs = folder / f"to-{name}", folder / f"to-{peer}"
        self.store = SqliteStore(folder / f"{name}.db", key=KEYS[name])
        self.account = Account.open(self.store)

    def count(self, table: str) -> int:
        with self.store.transaction():
            counted: int = self.store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            return counted

    def write(self) -> None:
        """Put the next letter into the outbox. Bob has no session before Alice's first letter."""
        with self.account.transaction():
            if self.count("sent") == TEXTS or self.account.session(self.peer) is None:
                return
            text = b"text %d" % self.count("sent")
            letter = self.account.encrypt(self.peer, text)
            self.store.connection.execute("INSERT INTO sent VALUES (?)", (text,))
            self.store.connection.execute("INSERT INTO outbox (letter) VALUES (?)", (letter,))

    def send(self) -> None:
        """Deliver what is in the outbox: first the file, which appears whole, then the row is deleted."""
        with self.store.transaction():
            rows = self.store.connection.execute("SELECT id, letter FROM outbox").fetchall()
        for number, letter in rows:
            part = self.theirs / f".{number}.part"
            part.write_bytes(letter)
            part.rename(self.theirs / f"{number}.letter")
            with self.store.transaction():
                self.store.connection.execute("DELETE FROM outbox WHERE id = ?", (number,))

    def read(self) -> None:
        """Save the texts of letters that have arrived, then delete the files."""
        for path in sorted(self.ours.glob("*.letter")):
            with suppress(DuplicateMessage), self.account.transaction():
                text = self.account.decrypt(self.peer, path.read_bytes())
                self.store.connection.execute("INSERT INTO inbox VALUES (?)", (text,))
            path.unlink()


def live(folder: Path, name: str, peer: str) -> None:
    """The life of a process, until both have said everything. It begins anew after a kill."""
    chat = Chat(folder, name, peer)
    with chat.store:
        while chat.count("sent") < TEXTS or chat.count("outbox") or chat.count("inbox") < TEXTS:
            chat.write()
            chat.send()
            chat.read()
            time.sleep(0.01)  # a real one waits for the folder to change


def prepare(folder: Path) -> None:
    """Make both accounts, and let Alice begin. In life each side does its own half."""
    bundle = b""
    for name in ("bob", "alice"):
        (folder / f"to-{name}").mkdir()
        with SqliteStore(folder / f"{name}.db", key=KEYS[name]) as store, store.transaction():
            account = Account.create(store, Address(name))
            for table in TABLES:
                store.connection.execute(table)
            if name == "bob":
                bundle = account.bundle().encode()
            else:
                account.initiate(Address("bob"), PrekeyBundle.decode(bundle))


def start(folder: Path, name: str) -> BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=live, args=(folder, name, PEERS[name]))
    process.start()
    return process


def main(folder: Path) -> None:
    prepare(folder)
    running = {name: start(folder, name) for name in PEERS}
    for _ in range(KILLS):
        time.sleep(random.uniform(0.2, 0.8))
        name = random.choice(list(PEERS))
        running[name].kill()
        running[name].join()
        running[name] = start(folder, name)
    for process in running.values():
        process.join()

    for name, peer in PEERS.items():
        with SqliteStore(folder / f"{name}.db", key=KEYS[name]) as store, store.transaction():
            texts = sorted(text for (text,) in store.connection.execute("SELECT text FROM inbox"))
        complete = texts == sorted(b"text %d" % number for number in range(TEXTS))
        print(f"{name} has all {TEXTS} texts of {peer}: {complete}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
