"""A user with many contacts, for scaled.py: opening its store, and the messages after that.

The contacts are copies of one, each with a device list and a session of its own. Their lists differ in the
document key, so their user ids differ. Nothing verifies a list that is on record, so the copies keep the
signatures of the first one.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import cases

from letterlock import Address, MemoryStore, SqliteStore
from letterlock._device.known_peers import save_peer
from letterlock._device.peer import Peer
from letterlock._records.contact import ContactRecord
from letterlock._records.pin import PinnedList
from letterlock._wire.content import Content
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DOCUMENT_KEY_BYTES, DocumentKey
from letterlock.limits import HEAD_BYTES, MESSAGE_ID_BYTES
from letterlock.stores import SessionRow
from letterlock.user import ContentKind, Outcome, User
from letterlock.user._book import Book, pinned
from letterlock.user._chain import ListChain

Clock = Callable[[], int]
Run = Callable[[int, Clock], list[float]]

AT_ONCE: Final = 1_000
"""Contacts in one transaction while a store is filled."""


class Contacts:
    """A user whose contacts all have one device, and messages with random ones of them."""

    def __init__(self, count: int, folder: Path) -> None:
        self.path = folder / "store.db"
        self._key = os.urandom(32)
        self.store = SqliteStore(self.path, key=self._key)
        self._ours = User.create(self.store, "ours")
        self._theirs = User.create(MemoryStore(), "theirs")
        _introduce(self._ours, self._theirs)
        self._heads = {"theirs": self._theirs.user_id[:HEAD_BYTES]}
        self._copy(count)
        self._random = random.Random(count)
        self._names = self._random.sample(sorted(self._heads), count)
        self._drawn: Iterator[str] = iter(())
        self._heard: Counter[str] = Counter()
        self.cases: dict[str, Run] = {
            "open": self._open,
            "first-send": self._first_send,
            "first-receive": self._first_receive,
            "look-up": self._look_up,
            "send": self._send,
            "receive": self._receive,
        }

    # --- what is measured -------------------------------------------------------------------------

    def _open(self, count: int, clock: Clock) -> list[float]:
        return [self._reopen(clock) for _ in range(count)]

    def _first_send(self, count: int, clock: Clock) -> list[float]:
        return [self._first(self._sent, clock) for _ in range(count)]

    def _first_receive(self, count: int, clock: Clock) -> list[float]:
        return [self._first(self._received, clock) for _ in range(count)]

    def _look_up(self, count: int, clock: Clock) -> list[float]:
        return [self._timed(self._looked_up, clock) for _ in range(count)]

    def _send(self, count: int, clock: Clock) -> list[float]:
        return [self._sent(clock) for _ in range(count)]

    def _receive(self, count: int, clock: Clock) -> list[float]:
        return [self._received(clock) for _ in range(count)]

    # --- one of each ------------------------------------------------------------------------------

    def _reopen(self, clock: Clock) -> float:
        self.store.close()
        begun = clock()
        self.store = SqliteStore(self.path, key=self._key)
        self._ours = User.open(self.store)
        return clock() - begun

    def _first(self, act: Callable[[Clock], float], clock: Clock) -> float:
        self._reopen(clock)
        return act(clock)

    def _timed(self, act: Callable[[str], object], clock: Clock) -> float:
        name = self._draw()
        begun = clock()
        act(name)
        return clock() - begun

    def _looked_up(self, name: str) -> None:
        self._ours.contact(name)

    def _sent(self, clock: Clock) -> float:
        text = os.urandom(cases.TEXT_BYTES)
        return self._timed(lambda name: self._ours.send(name, text), clock)

    def _received(self, clock: Clock) -> float:
        name = self._draw()
        text, message = self._message(name)
        begun = clock()
        incoming = self._ours.receive(Address(name), message)
        took = clock() - begun
        if (incoming.outcome, incoming.body, incoming.needs) != (Outcome.READ, text, ()):
            raise SystemExit(f"{incoming} is not what was sent")
        return took

    def _draw(self) -> str:
        """Return the name of a random contact that was not drawn for long."""
        name = next(self._drawn, None)
        if name is None:
            self._random.shuffle(self._names)
            self._drawn = iter(self._names)
            name = next(self._drawn)
        return name

    def _message(self, name: str) -> tuple[bytes, bytes]:
        """Return a text of a contact, and the next message of its session, which the peer forgets again."""
        text, head = os.urandom(cases.TEXT_BYTES), self._heads[name]
        id_, to = os.urandom(MESSAGE_ID_BYTES), self._ours.address
        content = Content(ContentKind.TEXT, id_, 0, head, self._ours.user_id[:HEAD_BYTES], text)
        messages: list[bytes] = []
        with suppress(_Forgotten), self._theirs.transaction():
            for _ in range(self._heard[name]):
                self._theirs.account.encrypt(to, text)
            messages.append(self._theirs.account.encrypt(to, content.encode()))
            raise _Forgotten
        self._heard[name] += 1
        return text, messages[-1]

    # --- many contacts ----------------------------------------------------------------------------

    def _copy(self, count: int) -> None:
        """Put the contact, its list and its session under other names too."""
        tables, book = self.store.tables, Book(self.store)
        (first,), identity = self._theirs.device_lists(), self._theirs.account.identity
        with self.store.transaction():
            (session,) = tables.sessions.load(self._theirs.address.encode(), 2)
        numbers = iter(range(1, count))
        while some := list(islice(numbers, AT_ONCE)):
            with self.store.transaction():
                for number in some:
                    address = Address(f"contact {number}")
                    pin = _copy_list(book, address.name, first)
                    book.save_contact(ContactRecord(address.name, pin))
                    save_peer(tables, Peer(address, identity))
                    row = SessionRow(number, address.encode(), session.rank, session.record)
                    tables.sessions.save(row)
                    self._heads[address.name] = pin.hash[:HEAD_BYTES]


class _Forgotten(Exception):
    """Undoes what the peer wrote."""


def _introduce(ours: User, theirs: User) -> None:
    """Let two users learn each other's lists and write, ours last."""
    ours.learn("theirs", theirs.device_lists())
    theirs.learn("ours", ours.device_lists())
    ours.begin(theirs.address, theirs.account.bundle())
    for text in cases.texts(3):
        for one, other in ((ours, theirs), (theirs, ours)):
            (outgoing,) = one.send(other.name, text)
            if other.receive(one.address, outgoing.message).body != text:
                raise SystemExit("a text did not arrive")
    ours.send(theirs.name, text)


def _copy_list(book: Book, name: str, first: DeviceList) -> PinnedList:
    """Save a copy of a first list with another document key, and return what is pinned of it."""
    key = DocumentKey(1, os.urandom(DOCUMENT_KEY_BYTES))
    copied = replace(first, snapshot=replace(first.snapshot, document_key=key))
    pin = pinned(ListChain((copied,)), 0)
    book.save_lists(name, (copied,))
    return pin
