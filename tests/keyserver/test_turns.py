"""Whose device lists are verified next: no stranger keeps an honest user from a turn. REC-55"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from letterlock._keyserver import _limits, _signers, _turns
from letterlock._keyserver._limits import AddressLimits
from letterlock._keyserver._lists import CheckedLists, SeenList, check_lists
from letterlock._keyserver._rows import SealedRows
from letterlock._keyserver._turns import Turns
from letterlock._wire.recovery_calls import ShowLocks
from letterlock._wire.recovery_frame import RECOVERY_CALL_OF_REQUEST
from letterlock._wire.recovery_kept import PutBox
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock.relay._reply import Refused
from support.keyserver_boxes import put
from support.keyserver_town import DeskTown, with_lists

pytestmark = pytest.mark.usefixtures("cheap")

T = TypeVar("T")

MANY = 4 * 1024 * 1024
FEW = 18_000
ALICE = b"a" * 32


def stranger(at: int) -> bytes:
    return b"%032d" % at


class Row:
    """Turns, and who had one, in order."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.served = list[bytes]()
        self.refused = dict[bytes, RelayCode]()
        self.tasks = list[asyncio.Task[None]]()

    async def call(self, user_id: bytes, size: int, held: asyncio.Event | None = None) -> None:
        try:
            async with self.turns.turn(size):
                self.served.append(user_id)
                if held is not None:
                    await held.wait()
        except Refused as refused:
            self.refused[user_id] = RelayCode(ErrorAnswer.decode(refused.reply().body).code)

    async def come(self, user_id: bytes, size: int, held: asyncio.Event | None = None) -> asyncio.Task[None]:
        """Begin a call, and return when it waits or runs."""
        task = asyncio.create_task(self.call(user_id, size, held))
        self.tasks.append(task)
        await asyncio.sleep(0)
        return task

    async def done(self) -> None:
        async with asyncio.timeout(30):
            await asyncio.gather(*self.tasks, return_exceptions=True)


async def full(row: Row) -> asyncio.Event:
    """Have strangers take all turns, until the event is set."""
    held = asyncio.Event()
    for at in range(_turns._AT_ONCE):
        await row.come(stranger(1000 + at), MANY, held)
    return held


def play(test: Callable[[Row], Any]) -> None:
    asyncio.run(asyncio.wait_for(test(Row()), 30))


def test_a_few_lists_go_before_many() -> None:
    async def whole(row: Row) -> None:
        held = await full(row)
        for at in range(100):
            await row.come(stranger(at), MANY)
        await row.come(ALICE, FEW)
        held.set()
        await row.done()
        assert row.served[_turns._AT_ONCE] == ALICE
        assert len(row.served) == _turns._AT_ONCE + 101
        assert not row.refused

    play(whole)


def test_among_equals_nobody_overtakes() -> None:
    async def whole(row: Row) -> None:
        held = await full(row)
        for at in range(20):
            await row.come(stranger(at), FEW + at)
        held.set()
        await row.done()
        assert row.served[_turns._AT_ONCE :] == [stranger(at) for at in range(20)]

    play(whole)


def test_a_row_that_is_full_loses_the_dearest() -> None:
    async def whole(row: Row) -> None:
        held = await full(row)
        for at in range(_turns._WAITING):
            await row.come(stranger(at), MANY)
        await row.come(ALICE, FEW)
        await row.come(b"late", MANY)
        assert len(row.turns._waiting) == _turns._WAITING
        held.set()
        await row.done()
        assert ALICE in row.served
        dearest = {stranger(_turns._WAITING - 1), b"late"}  # the one that came last among equals
        assert row.refused == dict.fromkeys(dearest, RelayCode.UNAVAILABLE)

    play(whole)


def test_whoever_has_the_lists_of_a_user_takes_no_places_of_that_user() -> None:
    async def whole(row: Row) -> None:
        held = await full(row)
        for _ in range(_turns._WAITING // 2):
            await row.come(ALICE, FEW)
        await row.come(ALICE, FEW // 4)
        held.set()
        await row.done()
        assert not row.refused
        assert len(row.served) == _turns._AT_ONCE + _turns._WAITING // 2 + 1

    play(whole)


def test_nothing_stays_behind() -> None:
    """Calls that ran out of time while they waited, or in their turn, cost nobody a turn."""

    async def whole(row: Row) -> None:
        for _ in range(3):
            held = await full(row)
            waiting = [await row.come(stranger(at), FEW) for at in range(5)]
            waiting[1].cancel()
            row.tasks[-7].cancel()  # one of those that have a turn
            waiting[0].cancel()  # it is given that turn, and is cancelled with it
            held.set()
            await row.done()
            row.tasks.clear()
        assert (row.turns._running, row.turns._waiting) == (0, [])

    play(whole)


def test_a_turn_that_is_given_to_somebody_who_is_gone_goes_on() -> None:
    async def whole(row: Row) -> None:
        held = await full(row)
        first = await row.come(ALICE, FEW)
        await row.come(stranger(1), FEW)
        for each in row.tasks[: _turns._AT_ONCE]:
            each.cancel()
        await asyncio.sleep(0)
        first.cancel()
        held.set()
        await row.done()
        assert stranger(1) in row.served
        assert row.turns._running == 0

    play(whole)


async def waiting(town: DeskTown, count: int) -> None:
    """Return when so many calls wait for a turn."""
    while len(town.desks[0]._signers._turns._waiting) < count:  # noqa: ASYNC110 - nothing tells it
        await asyncio.sleep(0)


async def test_a_flood_of_made_up_lists_delays_no_honest_user(
    rows: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same at a desk. Two checks are under way when the honest user comes, and no other goes before."""
    town, mallory = DeskTown((rows,)), DeskTown((rows,))
    goes_on, begun = asyncio.Event(), asyncio.Event()
    checked = list[bytes]()

    async def run(work: Callable[[], T], /) -> T:
        begun.set()
        await goes_on.wait()
        return work()

    def check(user_id: bytes, encoded: Sequence[bytes], seen: SeenList | None) -> CheckedLists:
        checked.append(user_id)
        return check_lists(user_id, encoded, seen)

    monkeypatch.setattr(_signers, "check_lists", check)
    town.desks[0] = town.desk(1, run=run)
    for day in range(1, 7):
        mallory.follow(day)

    async def made_up(at: int) -> None:
        """Send seven lists under another user id each time: they are refused after they were verified."""
        request = replace(put(mallory, 1), user_id=stranger(at))
        await town.reply(1, request, with_lists(request, *mallory.lists))

    async with asyncio.TaskGroup() as group:
        for at in range(40):
            group.create_task(made_up(at))
        await begun.wait()
        await waiting(town, 40 - _turns._AT_ONCE)
        honest = group.create_task(town.ask(1, put(town, 1)))
        await waiting(town, 41 - _turns._AT_ONCE)
        goes_on.set()
        await honest
    assert checked.index(town.user_id) == _turns._AT_ONCE
    assert len(checked) == 41


async def test_one_address_has_only_so_many_calls_under_way(rows: SealedRows) -> None:
    """REC-55. Others have theirs, and calls without lists do not count."""
    goes_on, limits = asyncio.Event(), AddressLimits(1000)

    async def run(work: Callable[[], T], /) -> T:
        await goes_on.wait()
        return work()

    town = DeskTown((rows,), limits=limits, run=run)

    call, request = RECOVERY_CALL_OF_REQUEST[PutBox], put(town, 1)
    frame = with_lists(request, *town.lists).encode()

    async def from_address(address: str) -> int:
        return (await town.desks[0].handle(call, frame, address)).status

    async with asyncio.TaskGroup() as group:
        many = [group.create_task(from_address("192.0.2.7")) for _ in range(20)]
        await waiting(town, _limits._AT_ONCE - _turns._AT_ONCE)
        other = group.create_task(from_address("192.0.2.8"))
        await waiting(town, _limits._AT_ONCE - _turns._AT_ONCE + 1)
        await town.ask(1, ShowLocks(town.user_id))
        goes_on.set()
    assert sorted(each.result() for each in many) == [200] * _limits._AT_ONCE + [429] * 4
    assert other.result() == 200
    assert not limits._under_way
