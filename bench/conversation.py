"""Conversations to measure: two accounts in stores, and their two sessions without a store.

A conversation begins with three messages each way. Then the triple ratchet is in the state of most messages:
each carries one codeword of a text that is sent for the first time. `Conversation.turn` brings it back to
that state.

Not here: what is measured (bench_*.py).
"""

import os
from collections.abc import Callable
from typing import Any, Final

from letterlock import Account, Address, MemoryStore, Suite
from letterlock._primitives.entropy import system_entropy
from letterlock._records.session import decode_session
from letterlock._session.sealing import Decrypted, decrypt, encrypt
from letterlock._session.session import Ended, Live
from letterlock._wire.message import RatchetMessage
from letterlock.stores import Store

PAYLOAD: Final = os.urandom(100)
ALICE, BOB = Address("alice"), Address("bob")
SUITES: Final = frozenset(Suite)
BURST: Final = 10


class Conversation:
    """Two accounts that have both written; `pending` holds Alice's messages that Bob has not read."""

    def __init__(self, suite: Suite, make: Callable[[], Any] = MemoryStore) -> None:
        self.stores: tuple[Store, Store] = (make(), make())
        self.alice = Account.create(self.stores[0], ALICE, suites=SUITES)
        self.bob = Account.create(self.stores[1], BOB, suites=SUITES)
        self.pending: list[bytes] = []
        self.alice.initiate(BOB, self.bob.bundle(), suite=suite)
        for _ in range(3):
            self.post(PAYLOAD)
            self.deliver()
            self.back(PAYLOAD)
        self.post(PAYLOAD)
        self.deliver()

    def post(self, text: bytes) -> None:
        """Alice writes; Bob has not read it yet."""
        self.pending.append(self.alice.encrypt(BOB, text))

    def deliver(self) -> None:
        """Bob reads all pending messages in order."""
        for message in self.pending:
            self.bob.decrypt(ALICE, message)
        self.pending.clear()

    def there(self, text: bytes) -> None:
        """Alice writes, and Bob reads it."""
        self.bob.decrypt(ALICE, self.alice.encrypt(BOB, text))

    def back(self, text: bytes) -> None:
        """Bob writes, and Alice reads it."""
        self.alice.decrypt(BOB, self.bob.encrypt(ALICE, text))

    def ping_pong(self) -> None:
        """A message each way: two messages, two DH ratchet steps."""
        self.there(PAYLOAD)
        self.back(PAYLOAD)

    def turn(self) -> None:
        """Bob reads everything and answers with BURST messages; Alice reads them and begins a new chain."""
        self.deliver()
        for _ in range(BURST):
            self.back(PAYLOAD)
        self.post(PAYLOAD)
        self.deliver()

    def messages(self, count: int) -> list[bytes]:
        """Return `count` messages of Alice's in a row, which Bob has not read."""
        return [self.alice.encrypt(BOB, PAYLOAD) for _ in range(count)]

    def bare_sessions(self) -> "tuple[BareSession, BareSession]":
        """Return both sessions as they are now."""
        return BareSession(self.stores[0], BOB), BareSession(self.stores[1], ALICE)


class BareSession:
    """One side's session without a store: skipped keys are in a dict."""

    def __init__(self, store: Store, peer: Address) -> None:
        with store.transaction():
            row = store.tables.sessions.load(peer.encode(), 1)[0]
        self.record = row.record
        session = decode_session(row.record)
        assert not isinstance(session, Ended)
        self.session: Live = session
        self.kept: dict[tuple[bytes, int], bytes] = {}

    def find(self, chain: bytes, number: int, /) -> bytes | None:
        """See ratchet.FindKept."""
        return self.kept.get((chain, number))

    def seal(self, text: bytes) -> bytes:
        """Return the next message; the session stays as it is."""
        return encrypt(self.session, text, system_entropy).message

    def open(self, wire: bytes) -> bytes:
        """Return the plaintext of a message; the session stays as it is."""
        return decrypt(self.session, RatchetMessage.decode(wire), self.find).plaintext

    def send(self, text: bytes) -> bytes:
        """Return the next message and advance the session."""
        sealed = encrypt(self.session, text, system_entropy)
        self.session = sealed.session
        return sealed.message

    def receive(self, wire: bytes) -> Decrypted:
        """Open a message and advance the session."""
        opened = decrypt(self.session, RatchetMessage.decode(wire), self.find)
        assert not isinstance(opened.session, Ended)
        self.session = opened.session
        for each in opened.skipped.double + opened.skipped.sparse:
            for number, key in enumerate(each.keys.expose_each(), each.start):
                self.kept[each.chain, number] = key
        return opened
