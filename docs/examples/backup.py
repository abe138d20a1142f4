"""Back up a store while it is in use, lose it, restore the copy, and begin the conversation anew.

A restored ratchet repeats keys. So the restored device publishes new prekeys and initiates new sessions with
`discard_earlier`, before it sends anything.

Prints:

    before the loss: one
    the restored copy is refused: DuplicateMessage
    after the restore: three
    and back: four
"""

import os
import tempfile
from pathlib import Path

from letterlock import Account, Address, DuplicateMessage, MemoryStore, SqliteStore


def main(folder: Path) -> None:
    key = os.urandom(32)  # the copy is useless without it, so keep a copy of the key elsewhere
    path, copy = folder / "alice.db", folder / "alice-backup.db"
    bob = Account.create(MemoryStore(), Address("bob"))

    with SqliteStore(path, key=key) as store:
        alice = Account.create(store, Address("alice"))
        alice.initiate(bob.address, bob.bundle())
        bob.decrypt(alice.address, alice.encrypt(bob.address, b"zero"))
        store.backup(copy)
        print("before the loss:", bob.decrypt(alice.address, alice.encrypt(bob.address, b"one")).decode())

    for lost in folder.glob("alice.db*"):
        lost.unlink()
    copy.rename(path)

    with SqliteStore(path, key=key) as store:
        alice = Account.open(store)
        try:  # Do not do this. The ratchet stands where it stood at the backup, and repeats the key of "one".
            bob.decrypt(alice.address, alice.encrypt(bob.address, b"two"))
        except DuplicateMessage as error:
            print("the restored copy is refused:", type(error).__name__)

        alice.publish(rotate=True)  # upload this: the server discards all that it still holds
        alice.initiate(bob.address, bob.bundle(), discard_earlier=True)
        print("after the restore:", bob.decrypt(alice.address, alice.encrypt(bob.address, b"three")).decode())
        print("and back:", alice.decrypt(bob.address, bob.encrypt(alice.address, b"four")).decode())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
