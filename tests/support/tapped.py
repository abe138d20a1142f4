"""A conversation over a line that is tapped, between stores that are robbed.

Tapped      two accounts in files, all they send, and everything they draw that a thief might be given
Impostor    the library itself on a stolen store, fed the ratchet keys that the robbed side drew afterwards
"""

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from letterlock import hazmat
from letterlock._primitives.curve25519 import RatchetKey, RatchetKeyPair
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import KemSeed
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._ratchet import braid
from letterlock._ratchet.braid_states import Braid
from letterlock._ratchet.triple import Triple
from letterlock._records.session import decode_session
from letterlock._wire.suite import Suite
from letterlock.errors import PeerError, SessionEnded
from letterlock.stores._interface import Store
from letterlock.stores._sqlite import SqliteStore
from support.eavesdropper import OURS, THEIRS, Eavesdropper, Known, unwrapped
from support.pair import BOTH_SUITES, Pair, Side, live
from support.store_tools import KEY, unsynced_store

LONG: Final[tuple[int, ...]] = (5, 700, 2000, 2000, 6000)
"""Sizes of texts with which an epoch takes some thirty messages."""

MIXED: Final[tuple[int, ...]] = (5, 2000)
"""Sizes with which one side is often far ahead of the other: the braid then comes into its rarest state."""


@dataclass(frozen=True)
class Event:
    """Something that a side did with a message: it sent it, or read it."""

    side: Side
    sent: bool
    message: bytes
    text: bytes


class Tapped:
    """Two who talk in bursts; messages of one direction overtake each other, and some are on their way."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, suite: Suite, seed: int = 1) -> None:
        self.folder = folder
        self.all = Known()
        self._record(monkeypatch)
        self.rng = random.Random(seed)
        self.sizes = LONG
        self.pair = Pair(lambda name: opened(folder / name), suites=BOTH_SUITES)
        self.events: list[Event] = []
        self.texts: dict[bytes, bytes] = {}
        self.pair.alice.initiate(suite=suite)
        self.say(self.pair.alice)
        self.hear(self.pair.bob)

    def _record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Write down every private half that either side draws; a thief is given some of them."""
        make_pair, make_m = RatchetKeyPair.generate, EncapsulationRandomness.generate

        def generate_pair(entropy: Entropy) -> RatchetKeyPair:
            made = make_pair(entropy)
            self.all.curve[made.public] = made.private
            return made

        def generate_m(entropy: Entropy) -> EncapsulationRandomness:
            self.all.randomness.append(make_m(entropy))
            return self.all.randomness[-1]

        def make_seed(material: bytes) -> KemSeed:
            self.all.seeds.append(KemSeed(material))
            return self.all.seeds[-1]

        monkeypatch.setattr(RatchetKeyPair, "generate", generate_pair)
        monkeypatch.setattr(EncapsulationRandomness, "generate", generate_m)
        monkeypatch.setattr(braid, "KemSeed", make_seed)

    def say(self, side: Side) -> None:
        text = self.rng.randbytes(self.rng.choice(self.sizes))
        message = side.say(text)
        self.texts[message] = text
        self.events.append(Event(side, True, message, text))

    def hear(self, side: Side) -> None:
        """Read one of the oldest four messages that came."""
        message = side.post.drop(self.rng.randrange(min(4, len(side.post.messages))))
        text = side.read(message)
        assert text == self.texts[message]
        self.events.append(Event(side, False, message, text))

    def talk(self, messages: int) -> None:
        """Send as many messages, and read most of what is on its way."""
        for _ in range(messages):
            side = self.rng.choice([self.pair.alice, self.pair.bob])
            self.say(side)
            while len(side.other.post.messages) > self.rng.randrange(6):
                self.hear(side.other)

    def rob(self, side: Side, name: str) -> SqliteStore:
        """Copy a side's files, as they lie there while the side goes on, and open the copy."""
        return copy_of(self.folder / side.address.name, self.folder / name)

    def messages_for(self, thief: Eavesdropper, side: Side, at: int) -> Iterator[tuple[bool, bytes]]:
        """Tell a thief what came before the theft at event `at`; return what he is to read.

        These are the messages sent later, and before them those that the robbed side had still to read.
        """
        before = self.events[:at]
        had = {event.message for event in before if event.side is side}
        for event in before:
            if event.sent and event.message in had:
                thief.recall(event.message)
        later = [event for event in self.events[at:] if event.sent]
        for event in [each for each in before if each.sent and each.message not in had] + later:
            yield (OURS if event.side is side else THEIRS), event.message


class Impostor:
    """The robbed side's account on the stolen store. It sends what that side sends, with the same keys."""

    def __init__(self, store: SqliteStore, side: Side, known: Known, seen: set[RatchetKey]) -> None:
        self._due: list[bytes] = []
        self._curve = known.curve
        self._seen = seen
        self._peer = side.peer
        self.account = hazmat.open_account(store, self._draw, suites=BOTH_SUITES)

    def _draw(self, length: int) -> bytes:
        return self._due.pop() if length == 32 and self._due else os.urandom(length)

    def follow(self, event: Event) -> bytes | None:
        """Do what the robbed side did. Returns the text of a message that it can read."""
        if not event.sent:
            try:
                return self.account.decrypt(self._peer, event.message)
            except PeerError:
                return None
        key = unwrapped(event.message).header.ratchet_key
        self._due = [] if key in self._seen else [self._curve[key].expose()]
        self._seen.add(key)
        with suppress(SessionEnded):
            self.account.encrypt(self._peer, event.text)
        self._due = []
        return None


def opened(folder: Path) -> SqliteStore:
    """Open the store in a folder, or make it; it does not wait for the disk."""
    if not folder.exists():
        folder.mkdir()
        return unsynced_store(folder)
    store = SqliteStore(folder / "store.db", key=KEY)
    store._database._connection.execute("PRAGMA synchronous = OFF")
    return store


def copy_of(folder: Path, to: Path) -> SqliteStore:
    """Copy a store's files, which may be open, and open the copy."""
    shutil.copytree(folder, to)
    return opened(to)


def triple_of(store: Store, side: Side) -> Triple:
    """Return the ratchet of a side's only session."""
    with store.transaction():
        (row,) = store.tables.sessions.load(side.peer.encode(), 2)
    ratchet = live(decode_session(row.record)).ratchet
    assert isinstance(ratchet, Triple)
    return ratchet


def braid_of(side: Side) -> Braid:
    return triple_of(side.store, side).braid


def epoch_of(message: bytes) -> int:
    """Return the epoch whose secret is in a message's key."""
    pq_header = unwrapped(message).pq_header
    assert pq_header is not None
    return pq_header.epoch - 1
