"""A session heals after one side's whole store was stolen, again and again, over any network.

The thief reads on for a while, then nothing more. The thief sees all messages and is given every X25519
private key that either side makes, so only the post-quantum half can shut the thief out. To show that this
thief is able, the same code reads an X3DH session to its end, and a PQXDH session when it is also given the
KEM's secrets.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from letterlock._ratchet.braid_states import Braid
from letterlock._records.triple import STATES
from letterlock._wire.suite import Suite
from letterlock.stores._sqlite import SqliteStore
from support.eavesdropper import Eavesdropper, Known, unwrapped
from support.kept_keys import kept_count
from support.native import without_native
from support.pair import Pair, Side
from support.tapped import LONG, MIXED, Impostor, Tapped, braid_of, copy_of, epoch_of, opened, triple_of

pytestmark = pytest.mark.pure

NAMES = ("alice", "bob")


@dataclass(frozen=True)
class Theft:
    """A conversation of 300 messages; both sides' stores were copied after a third of them."""

    tapped: Tapped
    at: int

    def side(self, name: str) -> Side:
        return self.tapped.pair.alice if name == "alice" else self.tapped.pair.bob

    @contextmanager
    def store(self, name: str, folder: Path) -> Iterator[SqliteStore]:
        """Open a copy of what was stolen from one side."""
        with copy_of(self.tapped.folder / f"{name} stolen", folder / "copy") as store:
            yield store


def steal(folder: Path, suite: Suite) -> Theft:
    # A fixture of the module is made before the mark `pure` takes effect.
    with without_native(), pytest.MonkeyPatch.context() as monkeypatch:
        tapped = Tapped(folder, monkeypatch, suite)
        tapped.talk(99)
        at = len(tapped.events)
        for side in (tapped.pair.alice, tapped.pair.bob):
            tapped.rob(side, f"{side.address.name} stolen").close()
        tapped.talk(200)
        tapped.pair.close()
    return Theft(tapped, at)


@pytest.fixture(scope="module")
def theft(tmp_path_factory: pytest.TempPathFactory) -> Theft:
    return steal(tmp_path_factory.mktemp("theft"), Suite.PQXDH)


def blind(tapped: Tapped) -> Known:
    """Return what this thief is given: all X25519 private keys, and none of the KEM's secrets."""
    return Known(curve=tapped.all.curve)


def check_verdict(tapped: Tapped, thief: Eavesdropper, side: Side, at: int) -> dict[int, int]:
    """Check that the thief reads only messages before healing. Return how many there were in each epoch.

    Those are of epochs whose secret the store held, and of the next epoch if the store held its seed.
    """
    last = thief.stolen_latest + (1 if thief.seed is not None else 0)
    messages: dict[int, int] = {}
    for whose, message in tapped.messages_for(thief, side, at):
        epoch = epoch_of(message)
        expected = tapped.texts[message] if epoch <= last else None
        assert thief.read(whose, message) == expected, f"epoch {epoch}, stolen in {thief.stolen_latest}"
        messages[epoch] = messages.get(epoch, 0) + 1
    return messages


@pytest.mark.parametrize("name", NAMES)
def test_two_epochs_after_a_theft_the_thief_reads_nothing(theft: Theft, tmp_path: Path, name: str) -> None:
    side = theft.side(name)
    with theft.store(name, tmp_path) as store:
        thief = Eavesdropper(store, side.peer, blind(theft.tapped))
        messages = check_verdict(theft.tapped, thief, side, theft.at)
        healed = thief.stolen_latest + 2
        assert messages[thief.stolen_latest] > 0  # the thief did read something
        assert sum(count for epoch, count in messages.items() if epoch >= healed) > 100
        assert max(messages) >= healed + 2


@pytest.mark.parametrize("name", NAMES)
def test_the_same_thief_reads_everything_when_given_the_secrets_of_the_kem(
    theft: Theft, tmp_path: Path, name: str
) -> None:
    side, tapped = theft.side(name), theft.tapped
    with theft.store(name, tmp_path) as store:
        seeing = Eavesdropper(store, side.peer, tapped.all)
        thief = Eavesdropper(store, side.peer, blind(tapped))
        messages = list(tapped.messages_for(seeing, side, theft.at))
        assert [seeing.read(*each) for each in messages] == [tapped.texts[message] for _, message in messages]
        # Without the KEM's secrets the thief still finds the classical half of every key.
        for whose, message in messages:
            key = thief.classical_key(whose, unwrapped(message))
            assert key is not None
            assert key == seeing.classical_key(whose, unwrapped(message))
        assert max(epoch_of(message) for _, message in messages) >= thief.stolen_latest + 4


@pytest.mark.parametrize("name", NAMES)
def test_the_library_itself_on_a_stolen_store_is_shut_out(theft: Theft, tmp_path: Path, name: str) -> None:
    side, events = theft.side(name), theft.tapped.events
    with theft.store(name, tmp_path) as store:
        stolen = triple_of(store, side)
        last = stolen.sparse.latest + (1 if hasattr(stolen.braid, "seed") else 0)
        seen = {unwrapped(event.message).header.ratchet_key for event in events[: theft.at]}
        impostor = Impostor(store, side, theft.tapped.all, seen)
        did = [(event, impostor.follow(event)) for event in events[theft.at :] if event.side is side]
        heard = [(epoch_of(event.message), text == event.text) for event, text in did if not event.sent]
        # It fails earlier than the thief does: its own braid contradicts the peer's, and it stops.
        assert sum(read for _, read in heard) > 5
        assert not any(read for epoch, read in heard if epoch > last)
        assert max(epoch for epoch, _ in heard) >= stolen.sparse.latest + 4


@pytest.mark.parametrize("name", NAMES)
def test_without_the_post_quantum_half_the_thief_reads_to_the_end(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, name: str
) -> None:
    theft = steal(tmp_path_factory.mktemp("theft"), Suite.X3DH)
    side, tapped = theft.side(name), theft.tapped
    with theft.store(name, tmp_path) as store:
        thief = Eavesdropper(store, side.peer, blind(tapped))
        messages = list(tapped.messages_for(thief, side, theft.at))
        assert len(messages) >= 200
        assert [thief.read(*each) for each in messages] == [tapped.texts[message] for _, message in messages]


@pytest.mark.slow
def test_a_session_heals_from_a_theft_in_every_state_of_the_braid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tapped = Tapped(tmp_path, monkeypatch, Suite.PQXDH, seed=2)
    tapped.talk(10)
    tapped.sizes = MIXED
    thefts: dict[tuple[str, type[Braid]], tuple[SqliteStore, Eavesdropper, Side, int]] = {}
    for count in range(60):
        tapped.talk(1)
        for side in (tapped.pair.alice, tapped.pair.bob):
            what = side.address.name, type(braid_of(side))
            if what not in thefts:
                store = tapped.rob(side, f"stolen {count} {side.address.name}")
                thief = Eavesdropper(store, side.peer, blind(tapped))
                thefts[what] = store, thief, side, len(tapped.events)
        if {state for _, state in thefts} == {*STATES}:
            break
    assert {state for _, state in thefts} == {*STATES}
    tapped.sizes = LONG
    tapped.talk(150)
    for store, thief, side, at in thefts.values():
        messages = check_verdict(tapped, thief, side, at)
        assert max(messages) >= thief.stolen_latest + 3
        store.close()
    # A store that holds the seed lets the thief read one epoch more. Both kinds were stolen.
    assert {thief.seed is not None for _, thief, _, _ in thefts.values()} == {True, False}


@pytest.mark.slow
def test_a_long_conversation_heals_ten_times_over_a_bad_network(tmp_path: Path) -> None:
    pair, rng = Pair(lambda name: opened(tmp_path / name)), random.Random(8)
    pair.alice.initiate()
    texts: dict[bytes, bytes] = {}
    lost = read = restarts = 0

    def hear(side: Side, window: int) -> None:
        message = side.post.drop(rng.randrange(min(window, len(side.post.messages))))
        assert side.read(message) == texts.pop(message)

    for count in range(1000):
        side = pair.alice if count == 0 else rng.choice([pair.alice, pair.bob])
        if side is pair.bob and read == 0:
            side = pair.alice  # Bob cannot write before he has read a message of hers
        text = rng.randbytes(rng.choice([0, 31, 500, 2000]))
        texts[side.say(text)] = text
        if rng.random() < 0.2:
            side.other.post.drop(-1)
            lost += 1
        while len(side.other.post.messages) > rng.randrange(9):
            hear(side.other, 8)
            read += 1
        if rng.random() < 0.05:
            rng.choice([pair.alice, pair.bob]).reopen()
            restarts += 1
    for side in (pair.alice, pair.bob):
        while side.post.messages:
            hear(side, 8)
            read += 1
    assert read + lost == 1000
    assert lost > 150
    assert restarts > 30
    for side in (pair.alice, pair.bob):
        assert triple_of(side.store, side).sparse.latest >= 10
        # Only keys of lost messages are still kept: one in each ratchet for each such message.
        assert kept_count(side.store) <= 2 * lost
    pair.close()
