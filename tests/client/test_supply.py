"""How many prekeys a device keeps at its relay: by use, and without bound for no relay. [CLN-16]"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from letterlock import MemoryStore
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.publication import Publication
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_mail import FetchAnswer
from letterlock.client._keeper import Keeper
from letterlock.client._opening import create, existing
from letterlock.client._queue import Queue
from letterlock.client._supply import LEAST, MOST, Supply
from letterlock.client._transport import Reply
from letterlock.limits import DAY
from support.client_town import RELAY, Asked, Town, bodies, play, refusal, until
from support.pair import NOON

WEEK: Final = 7 * DAY + 3600


# --- the rule ---------------------------------------------------------------------------------------------


def after(supply: Supply, *used: int, gap: int = 60) -> Supply:
    """Return a supply after refills, before each of which so many of the prekeys were used."""
    now = NOON
    for each in used:
        now += gap
        found = supply.refilled(supply.left - each, now)
        supply = (found or supply).published((found or supply).level, now)
    return supply


START: Final = Supply().published(LEAST, NOON)


def test_a_device_begins_with_few() -> None:
    assert Supply().level == LEAST == 8


def test_a_busy_device_comes_to_a_hundred() -> None:
    levels = [after(START, *([8, 16, 32, 64, 100, 100][:count])).level for count in range(7)]
    assert levels == [8, 16, 32, 64, MOST, MOST, MOST]


@pytest.mark.parametrize("used", [0, 1, 3])
def test_claims_of_which_less_than_half_become_messages_raise_nothing(used: int) -> None:
    assert START.refilled(LEAST - used, NOON + 60) is None
    later = START.refilled(LEAST - used, NOON + DAY)
    assert later is not None
    assert later.level == LEAST


def test_what_was_used_counts_once() -> None:
    first = START.refilled(0, NOON + 60)
    assert first is not None
    assert first.refilled(0, NOON + 61) is None


def test_a_clock_that_was_put_back_delays_nothing() -> None:
    assert START.refilled(LEAST, NOON - 1) is not None


def test_a_week_without_a_refill_halves_the_level() -> None:
    supply, levels = replace(START, level=MOST), list[int]()
    for _ in range(5):
        supply = supply.rotated()
        levels.append(supply.level)
    assert levels == [50, 25, 12, 8, 8]


def test_a_week_with_a_refill_keeps_it() -> None:
    supply = after(START, 8).rotated()
    assert (supply.level, supply.refills) == (16, 0)
    assert supply.rotated().level == 8


@pytest.mark.parametrize(("level", "stock", "low"), [(8, 2, 0), (8, 1, 1), (100, 25, 0), (100, 24, 1)])
def test_a_stock_is_low_below_a_quarter(level: int, stock: int, low: int) -> None:
    assert Supply(level).is_low(stock) is bool(low)


# --- over a store -----------------------------------------------------------------------------------------


class Device:
    """A queue over a store, whose relay claims what it likes."""

    def __init__(self) -> None:
        self.now = NOON
        self.store = MemoryStore()
        self.queue: Queue = create(self.store, "alice", RELAY, lambda: self.now).queue

    def publish(self) -> int:
        """Publish, and return how many pairs there are."""
        with self.store.transaction():
            number, publication = self.queue.publish(MOST)
            self.queue.published(number)
        return len(Publication.decode(publication).pairs)

    def refill(self, stock: int = 0) -> bool:
        with self.store.transaction():
            return self.queue.refill(stock)

    def use(self, pairs: int) -> None:
        """Take pairs away as first messages do."""
        prekeys = self.store.tables.prekeys
        with self.store.transaction():
            for kind in (PrekeyKind.ONE_TIME, PrekeyKind.KEM_ONE_TIME):
                newest = max(expires for expires, _ in prekeys.expiries(kind))
                for _, id_ in [each for each in prekeys.expiries(kind) if each[0] == newest][:pairs]:
                    prekeys.delete(kind, id_)

    def days(self, days: int) -> int:
        """Let days pass in which the relay claims each minute that nothing is left; return the pairs made."""
        pairs = 0
        for _ in range(days * 24):
            self.now += 3600
            with self.store.transaction():
                wanted = self.queue.upkeep()
            if self.refill() or wanted:
                pairs += self.publish()
        return pairs


def test_the_first_publication_is_small() -> None:
    assert Device().publish() == LEAST


def test_a_device_that_is_asked_rarely_keeps_eight() -> None:
    device = Device()
    device.publish()
    made = list[int]()
    for _ in range(4):
        device.use(3)
        assert not device.refill(5)
        device.now += WEEK
        made.append(device.publish())
    assert made == [LEAST] * 4


def test_a_device_that_many_begin_with_keeps_more_and_later_less() -> None:
    device = Device()
    made = [device.publish()]
    for _ in range(5):
        device.use(made[-1])
        device.now += 600
        assert device.refill()
        made.append(device.publish())
    assert made == [8, 16, 32, 64, 100, 100]
    for _ in range(5):
        device.now += WEEK
        made.append(device.publish())
    assert made[6:] == [100, 50, 25, 12, 8]


def test_a_relay_that_claims_everything_gets_a_publication_a_day() -> None:
    """The private keys that are kept stay few, too."""
    device = Device()
    device.publish()
    assert device.days(28) <= 28 * LEAST + 4 * LEAST
    with device.store.transaction():
        assert device.store.tables.prekeys.count(PrekeyKind.ONE_TIME) < 40 * LEAST


def test_the_same_for_a_device_that_was_busy_before() -> None:
    device = Device()
    for _ in range(5):
        device.use(device.publish())
        device.now += 600
        device.refill()
    assert device.days(7) <= 9 * MOST


def test_all_used_is_a_refill_although_the_relay_says_nothing() -> None:
    device = Device()
    device.use(device.publish())
    with device.store.transaction():
        assert device.queue.upkeep()
    assert device.publish() == 2 * LEAST


def test_the_level_is_kept_in_the_store() -> None:
    device = Device()
    device.use(device.publish())
    assert device.refill()
    with device.store.transaction():
        queue = existing(device.store, lambda: device.now).queue
        assert queue.own().supply.level == 2 * LEAST


# --- over a relay -----------------------------------------------------------------------------------------


def test_a_new_client_has_eight_at_the_relay(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice = await town.client("alice")
        await until(lambda: alice._office.stock == LEAST)

    play(tmp_path, story)


def test_whoever_comes_when_nothing_is_left_gets_the_last_resort(tmp_path: Path) -> None:
    """Ten strangers write before the device has published more."""

    async def story(town: Town) -> None:
        town.rules.append(lambda asked: refusal(RelayCode.UNAVAILABLE) if is_more(asked) else None)
        alice = await town.client("alice")
        for each in range(LEAST + 2):
            stranger = await town.client(f"stranger{each}")
            await stranger.send("alice", b"%d" % each)
            await stranger.flush()
        assert len(await bodies(alice, LEAST + 2)) == LEAST + 2
        town.rules.clear()
        await until(lambda: alice._office.level == 2 * LEAST)

    def is_more(asked: Asked) -> bool:
        return asked.client == "alice" and asked.name == "publish" and asked.request.number > 1

    play(tmp_path, story)


def without_stock(asked: Asked, reply: Reply) -> Reply:
    """Claim that nothing is left."""
    if asked.name != "fetch" or reply.status != 200:
        return reply
    return Reply(200, FetchAnswer(0, FetchAnswer.decode(reply.body).deliveries).encode())


def test_a_relay_that_always_claims_everything_is_told_little(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        town.changes.append(without_stock)
        for _ in range(10):
            await alice.send("bob", b"x")
            await bodies(bob, 1)
        assert bob._office.level == LEAST
        assert town.calls["publish"] <= 4

    play(tmp_path, story)


def test_a_relay_that_pretends_to_forget_gets_six_publications_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rest(_: Keeper) -> None:
        """Stand in for a step of the client's own keeper, which would publish beside the one of the test."""
        await asyncio.Event().wait()

    monkeypatch.setattr(Keeper, "step", rest)

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        keeper = Keeper(alice._office)
        keeper._is_first = False
        alice._office.pace = replace(alice._office.pace, scale=1.0, refill=0.0)
        before = town.calls["publish"]
        for _ in range(20):
            alice._office.want_prekeys()
            await keeper.publish()
        assert town.calls["publish"] - before == 6
        assert alice._office.wants_prekeys

    play(tmp_path, story)
