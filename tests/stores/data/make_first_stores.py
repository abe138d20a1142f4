"""Writes `first_stores.zip`: store files of release 0.1.0, with what is still on its way between them.

Run it once, with the package of that release on the path and nothing else of this repository:

    git worktree add ../first 9041fed
    PYTHONPATH=../first/protocol python tests/stores/data/make_first_stores.py

alice.db has many peers, and each of them is a file of its own: one for each state of the post-quantum
ratchet on Alice's side, one with the other suite, one that never answered, one in several sessions. Some keys
are skipped. `letters.json` says which messages have not arrived yet, and what their texts are.
"""

import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from letterlock import Account, Address, SqliteStore, Suite
from letterlock._records.session import decode_session
from letterlock._records.triple import STATES

KEY = bytes(range(32))
PASSPHRASE = "correct horse battery staple"
NOON = 1_700_000_000
SUITES = frozenset(Suite)
ALICE = Address("alice")
HERE = Path(__file__).parent


class Writer:
    """Alice and her peers, each in a file of the release."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.letters: dict[str, dict[str, Any]] = {}
        self.alice_store = SqliteStore(folder / "alice.db", key=KEY)
        self.alice = Account.create(self.alice_store, ALICE, suites=SUITES, clock=lambda: NOON)
        self.stores: list[SqliteStore] = [self.alice_store]

    def peer(self, name: str, *, passphrase: bool = False) -> Account:
        path = self.folder / f"{name}.db"
        store = SqliteStore.open(path, passphrase=PASSPHRASE) if passphrase else SqliteStore(path, key=KEY)
        self.stores.append(store)
        self.letters[name] = {"passphrase": passphrase, "to_alice": [], "from_alice": []}
        return Account.create(store, Address(name), suites=SUITES, clock=lambda: NOON)

    def state(self, address: Address) -> str:
        """Return the state of the post-quantum ratchet in Alice's session."""
        with self.alice_store.transaction():
            row = self.alice_store.tables.sessions.load(address.encode(), 1)[0]
        session: Any = decode_session(row.record)
        return type(session.ratchet.braid).__name__

    def turn(self, peer: Account, text: bytes = b"text") -> None:
        peer.decrypt(ALICE, self.alice.encrypt(peer.address, text))
        self.alice.decrypt(peer.address, peer.encrypt(ALICE, text))

    def send_later(self, peer: Account, text: str, *, to_alice: bool) -> None:
        """Write a message that does not arrive before the release is replaced."""
        sender, recipient = (peer, ALICE) if to_alice else (self.alice, peer.address)
        wire = sender.encrypt(recipient, text.encode())
        self.letters[peer.address.name]["to_alice" if to_alice else "from_alice"].append([text, wire.hex()])

    def skip(self, peer: Account) -> None:
        """Let two messages each way be late, so that both sides keep their keys."""
        for number in range(2):
            self.send_later(peer, f"late {number}", to_alice=True)
            self.send_later(peer, f"late {number}", to_alice=False)
        self.alice.decrypt(peer.address, peer.encrypt(ALICE, b"overtakes"))
        peer.decrypt(ALICE, self.alice.encrypt(peer.address, b"overtakes"))

    def close(self) -> None:
        for store in self.stores:
            store.close()


def in_every_state(writer: Writer) -> None:
    for state in STATES:
        name = state.__name__.lower()
        peer = writer.peer(name)
        writer.alice.initiate(peer.address, peer.bundle())
        for _ in range(400):
            writer.turn(peer, b"long " * 60)
            if writer.state(peer.address) == state.__name__:
                break
        else:
            # This state lasts only while one side alone writes.
            for _ in range(400):
                writer.alice.decrypt(peer.address, peer.encrypt(ALICE, b"text"))
                if writer.state(peer.address) == state.__name__:
                    break
                writer.turn(peer)
        assert writer.state(peer.address) == state.__name__, (state, writer.state(peer.address))
        writer.send_later(peer, "on its way", to_alice=True)


def main() -> None:
    with TemporaryDirectory() as folder:
        writer = Writer(Path(folder))
        in_every_state(writer)
        late = writer.peer("late")
        writer.alice.initiate(late.address, late.bundle())
        writer.turn(late)
        writer.skip(late)
        plain = writer.peer("plain", passphrase=True)
        writer.alice.initiate(plain.address, plain.bundle(), suite=Suite.X3DH)
        for _ in range(3):
            writer.turn(plain)
        writer.skip(plain)
        silent = writer.peer("silent")
        writer.alice.initiate(silent.address, silent.bundle())
        writer.send_later(silent, "first", to_alice=False)
        writer.send_later(silent, "second", to_alice=False)
        often = writer.peer("often")
        for suite in (Suite.X3DH, Suite.PQXDH, Suite.PQXDH):
            writer.alice.initiate(often.address, often.bundle(), suite=suite)
            writer.turn(often)
            writer.send_later(often, f"in a session of {suite.name}", to_alice=True)
        writer.close()
        with zipfile.ZipFile(HERE / "first_stores.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
            for path in sorted(Path(folder).iterdir()):
                out.write(path, path.name)
            out.writestr("letters.json", json.dumps(writer.letters, indent=1))


if __name__ == "__main__":
    main()
