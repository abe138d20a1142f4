"""What a gate asks of a store: every store of rows keeps these rules."""

import asyncio
from collections.abc import Callable

import pytest

from letterlock.recovery import GateRow, GateRows, GateStore
from letterlock.stores import Record
from support.gate_memory import MemoryGates
from support.gate_town import run
from support.pair import NOON

ONE, OTHER, THIRD = (bytes([each]) * 32 for each in (1, 2, 3))
STORES: dict[str, Callable[[], GateStore]] = {"memory": MemoryGates}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> GateStore:
    return STORES[request.param]()


def row(text: bytes, until: int | None = None) -> GateRow:
    return GateRow(Record(text), until)


async def put(store: GateStore, **rows: GateRow | None) -> None:
    keys = {"one": ONE, "other": OTHER, "third": THIRD}
    await store.change([keys[each] for each in rows], lambda _: (tuple(rows.values()), None))


def test_rows_come_back_in_the_order_of_their_keys(store: GateStore) -> None:
    async def play() -> None:
        await put(store, one=row(b"1", NOON), third=row(b"3"))
        assert await store.load([THIRD, OTHER, ONE]) == (row(b"3"), None, row(b"1", NOON))
        assert await store.load([ONE]) == (row(b"1", NOON),)

    run(play())


def test_a_row_can_be_changed_and_deleted(store: GateStore) -> None:
    async def play() -> None:
        await put(store, one=row(b"1"), other=row(b"2"))
        await put(store, one=row(b"1 again", NOON), other=None, third=None)
        assert await store.load([ONE, OTHER, THIRD]) == (row(b"1 again", NOON), None, None)

    run(play())


def test_a_step_that_raises_changes_nothing(store: GateStore) -> None:
    def step(rows: GateRows) -> tuple[GateRows, None]:
        raise ZeroDivisionError

    async def play() -> None:
        await put(store, one=row(b"1"))
        with pytest.raises(ZeroDivisionError):
            await store.change([ONE, OTHER], step)
        assert await store.load([ONE, OTHER]) == (row(b"1"), None)

    run(play())


@pytest.mark.parametrize("is_there", [True, False])
def test_changes_at_once_are_made_one_after_the_other(store: GateStore, is_there: bool) -> None:
    """Also of a row that is not there yet, and of rows that are named in another order."""

    def longer(rows: GateRows) -> tuple[GateRows, int]:
        after = tuple(row((b"" if each is None else each.record.expose()) + b"x") for each in rows)
        return after, len(after[0].record.expose())

    async def play() -> None:
        if is_there:
            await put(store, one=row(b""), other=row(b""))
        orders = ([ONE, OTHER], [OTHER, ONE])
        lengths = await asyncio.gather(*(store.change(orders[at % 2], longer) for at in range(20)))
        assert sorted(lengths) == list(range(1, 21))
        assert await store.load([ONE, OTHER]) == (row(b"x" * 20), row(b"x" * 20))

    run(play())


def test_what_has_ended_is_deleted_and_nothing_else(store: GateStore) -> None:
    async def play() -> None:
        await put(store, one=row(b"1", NOON), other=row(b"2", NOON + 1), third=row(b"3"))
        assert await store.expire(NOON) == 1
        assert await store.load([ONE, OTHER, THIRD]) == (None, row(b"2", NOON + 1), row(b"3"))
        assert await store.expire(NOON) == 0

    run(play())


def test_a_record_may_have_256_bytes(store: GateStore) -> None:
    async def play() -> None:
        await put(store, one=row(bytes(256)))
        assert await store.load([ONE]) == (row(bytes(256)),)

    run(play())
