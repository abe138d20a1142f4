"""A durable account whose messages land in the application's own table, in the same transaction.

A crash between any two lines loses no message: a message that was not committed decrypts again. The program
raises an error in the middle of a transaction to show that.

Prints:

    crashed while saving: 0 messages in the inbox
    delivered again: 1 message in the inbox
    after a restart: the first dose is due at nine
"""

import os
import tempfile
from pathlib import Path

from letterlock import Account, Address, MemoryStore, SqliteStore

BOB = Address("bob")


def receive(account: Account, store: SqliteStore, message: bytes, *, crash: bool = False) -> None:
    """Decrypt a message and save it: both happen, or neither."""
    with account.transaction():
        text = account.decrypt(BOB, message)
        store.connection.execute("INSERT INTO inbox (sender, text) VALUES (?, ?)", (BOB.name, text))
        if crash:
            raise RuntimeError("the power fails here")


def inbox(store: SqliteStore) -> list[bytes]:
    with store.transaction():
        return [text for (text,) in store.connection.execute("SELECT text FROM inbox ORDER BY rowid")]


def main(folder: Path) -> None:
    key = os.urandom(32)  # keep it outside the store: in a key chain, a KMS, an environment variable
    path = folder / "alice.db"
    bob = Account.create(MemoryStore(), BOB)

    with SqliteStore(path, key=key) as store:
        alice = Account.create(store, Address("alice"))
        with store.transaction():
            store.connection.execute("CREATE TABLE inbox (sender TEXT, text BLOB)")
        bob.initiate(alice.address, alice.bundle())
        message = bob.encrypt(alice.address, b"the first dose is due at nine")

        try:
            receive(alice, store, message, crash=True)
        except RuntimeError:
            print("crashed while saving:", len(inbox(store)), "messages in the inbox")
        receive(alice, store, message)
        print("delivered again:", len(inbox(store)), "message in the inbox")

    with SqliteStore(path, key=key) as store:
        alice = Account.open(store)
        (text,) = inbox(store)
        print("after a restart:", text.decode())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
