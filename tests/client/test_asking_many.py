"""A client asks about several names at once: what is wrong with one is nothing to the others. CLN-5 CLN-33"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from letterlock import MemoryStore
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import ListsAnswer
from letterlock.client import Client, RelayEventKind, RelayMisbehaves, RelayUnavailable, UnknownUser
from letterlock.client._fetcher import AT_ONCE
from letterlock.client._needs import Needs
from letterlock.client._rows import Draft
from letterlock.client._table import Tables
from letterlock.client._transport import Reply
from letterlock.limits import HOUR
from letterlock.user import Need, NeedKind
from support.client_town import RELAY, Asked, Town, happens, play, refusal, until

NAMES: Final = tuple(f"member {at}" for at in range(AT_ONCE + 3))
HOURS: Final = 60


async def moved_in(town: Town) -> Client:
    """Return Alice's client, after others have registered."""
    for each in NAMES:
        await town.client(each)
    alice = await town.client("alice")
    await happens(alice, RelayEventKind.UP)
    return alice


async def need(alice: Client) -> None:
    """Note that the lists of all are needed, as a group does."""
    office = alice._office

    def note() -> None:
        for each in NAMES:
            office.queue.needs.lists(each)

    await office.run(note)  # in one commit: else the first ones would be asked about alone
    office.fetcher_wake.set()


async def known(alice: Client) -> set[str]:
    return {each.name for each in await alice.contacts()}


async def needed(alice: Client) -> set[str]:
    """Return the names whose lists are needed still."""
    office = alice._office
    return await office.run(lambda: {record.need.name for _, record in office.queue.tables.needs.due()})


class Crowd:
    """Holds calls for lists until so many of them are under way, and counts."""

    def __init__(self, town: Town, least: int) -> None:
        self.now = self.most = 0
        self._least = least
        self._open = asyncio.Event()
        town.gates.append(self._gate)

    async def _gate(self, asked: Asked) -> None:
        if asked.name != "lists" or asked.client != "alice":
            return
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now >= self._least:
            self._open.set()
        try:
            await self._open.wait()
        finally:
            self.now -= 1


def about(name: str, answer: Callable[[Asked, Reply], Reply]) -> Callable[[Asked, Reply], Reply]:
    """Return a change of what the relay answers to Alice about the lists of one name."""

    def change(asked: Asked, reply: Reply) -> Reply:
        is_it = asked.name == "lists" and asked.client == "alice" and asked.request.name == name
        return answer(asked, reply) if is_it else reply

    return change


def test_eight_names_are_asked_about_at_once_and_no_more(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice = await moved_in(town)
        crowd = Crowd(town, AT_ONCE)  # fewer at once would wait here for ever
        await need(alice)
        await until(lambda: crowd.most >= AT_ONCE)
        while await known(alice) != {*NAMES}:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.005)
        assert crowd.most == AT_ONCE
        assert not await needed(alice)

    play(tmp_path, story)


@pytest.mark.parametrize("lie", ["no lists", "rubbish", "those of another", "unknown", "slow down"])
def test_a_lie_about_one_name_keeps_no_other_from_being_learned(tmp_path: Path, lie: str) -> None:
    """CLN-5: what is learned in one commit is learned one by one if some of it is wrong."""

    def answer(asked: Asked, reply: Reply) -> Reply:
        del asked
        match lie:
            case "no lists":
                return Reply(200, ListsAnswer(0, ()).encode())
            case "rubbish":
                return Reply(200, ListsAnswer(1, (b"rubbish",)).encode())
            case "those of another":
                mixed = ListsAnswer.decode(reply.body).lists[0]
                return Reply(200, ListsAnswer(1, (mixed[:-1] + bytes([mixed[-1] ^ 1]),)).encode())
            case "unknown":
                return refusal(RelayCode.UNKNOWN, 1)
            case _:
                return refusal(RelayCode.SLOW_DOWN, 1)

    async def story(town: Town) -> None:
        alice = await moved_in(town)
        town.changes.append(about(NAMES[2], answer))
        await need(alice)
        while await known(alice) != {*NAMES} - {NAMES[2]}:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.005)
        assert await needed(alice) == {NAMES[2]}
        town.changes.clear()
        while await known(alice) != {*NAMES}:
            alice._office.fetcher_wake.set()
            await asyncio.sleep(0.005)

    play(tmp_path, story)


def test_what_is_asked_when_the_client_dies_is_asked_again(tmp_path: Path) -> None:
    """Nothing of the eight was learned, or forgotten."""
    store = tmp_path / "alice.db"

    async def story(town: Town) -> None:
        for each in NAMES:
            await town.client(each)
        kind = town.kind("alice")
        async with await kind.create(store, key=bytes(32), name="alice", relay=RELAY) as alice:
            await happens(alice, RelayEventKind.UP)
            crowd = Crowd(town, 100)  # none of the answers comes
            await need(alice)
            await until(lambda: crowd.now >= AT_ONCE)
        town.gates.clear()
        async with await kind.open(store, key=bytes(32)) as again:
            while await known(again) != {*NAMES}:  # noqa: ASYNC110 (nothing tells)
                await asyncio.sleep(0.005)
            assert not await needed(again)

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(RelayCode.UNKNOWN, 1), UnknownUser),
        (refusal(RelayCode.SLOW_DOWN, 5), RelayUnavailable),
        (Reply(200, ListsAnswer(1, (b"rubbish",)).encode()), RelayMisbehaves),
    ],
)
def test_a_group_is_not_made_with_one_who_is_not_there(
    tmp_path: Path, answer: Reply, error: type[Exception]
) -> None:
    async def story(town: Town) -> None:
        alice = await moved_in(town)
        town.changes.append(about(NAMES[-1], lambda _asked, _reply: answer))
        with pytest.raises(error):
            await alice.groups.create("all", NAMES)
        assert await alice.groups.all() == ()

    play(tmp_path, story)


# --- names that nobody has --------------------------------------------------------------------------------


class Clock:
    """A clock that is set."""

    now = 1_700_000_000

    def __call__(self) -> int:
        return self.now


def asked_in_vain(needs: Needs, clock: Clock) -> int:
    """Ask for what is due for days. Return how many calls that took."""
    calls = 0
    for _ in range(HOURS):
        clock.now += HOUR
        due = needs.due(10_000)
        calls += len(due)
        for each in due:
            needs.unknown(each.name)
    return calls


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rows(clock: Clock) -> Iterator[Tables]:
    """Rows of a client, in a transaction."""
    store = MemoryStore()
    with store.transaction():
        yield Tables(store, clock, bytes)


def test_a_thousand_names_that_nobody_has_are_forgotten(rows: Tables, clock: Clock) -> None:
    needs = Needs(rows)
    for at in range(1_000):
        needs.lists(f"nobody {at}")
    assert asked_in_vain(needs, clock) <= 49 * 1_000
    assert rows.needs.count() == 0


def test_a_name_for_which_content_waits_is_asked_for_on(rows: Tables, clock: Clock) -> None:
    needs = Needs(rows)
    needs.lists("nobody yet")
    rows.drafts.save(bytes(16), Draft("nobody yet", 1, b"hello", (), 0), rows.order())
    assert asked_in_vain(needs, clock) == HOURS
    assert needs.has_lists("nobody yet")


def test_other_failures_make_nobody_forget(rows: Tables, clock: Clock) -> None:
    """A relay that is slow, or lies, has not said that there is nobody."""
    needs = Needs(rows)
    needs.lists("bob")
    for _ in range(HOURS):
        for each in needs.due(10):
            needs.unmet(each)
        clock.now += HOUR
    assert needs.has_lists("bob")


def test_keys_of_devices_are_needed_on(rows: Tables, clock: Clock) -> None:
    needs = Needs(rows)
    needs.add(Need(NeedKind.BUNDLE, "bob", 1))
    assert asked_in_vain(needs, clock) == HOURS
    assert rows.needs.count() == 1
