"""Four processes share one store and write to one peer. Every message has its own key.

Every process opens the file for itself. An account opened before a fork refuses to work in the child.

Prints:

    messages: 40
    decrypted: 40
    all different: True
"""

import multiprocessing
import tempfile
from pathlib import Path

from letterlock import Account, Address, MemoryStore, SqliteStore

BOB = Address("bob")


def worker(path: Path, key: bytes, number: int) -> list[bytes]:
    """Open the shared store and write ten messages."""
    with SqliteStore(path, key=key) as store:
        alice = Account.open(store)
        return [alice.encrypt(BOB, f"worker {number}, message {index}".encode()) for index in range(10)]


def main(folder: Path) -> None:
    key, path = bytes(32), folder / "alice.db"  # use 32 random bytes for anything but an example
    bob = Account.create(MemoryStore(), BOB)
    with SqliteStore(path, key=key) as store:
        alice = Account.create(store, Address("alice"))
        alice.initiate(BOB, bob.bundle())

    with multiprocessing.get_context("spawn").Pool(4) as pool:
        batches = pool.starmap(worker, [(path, key, number) for number in range(4)])
    messages = [message for batch in batches for message in batch]

    texts = [bob.decrypt(alice.address, message) for message in messages]
    print("messages:", len(messages))
    print("decrypted:", len(texts))
    print("all different:", len({*texts}) == len(texts))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
