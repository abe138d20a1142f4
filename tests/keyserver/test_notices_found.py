"""Notices whose server died, or is one of several: the next look finds each. REC-42, REC-46, REC-47."""

from dataclasses import replace
from hashlib import sha256

import pytest

from letterlock._keyserver._notices import Notices
from letterlock._keyserver._rows import RowKind, RowName, SealedRows, Stored
from letterlock.errors import StoreError
from support.gate_town import ANNA
from support.keyserver_halves import DELAY, HalvesTown
from support.keyserver_notices import ASKED, asked, kept, mailed, unheard, waits, write
from support.second_lock_town import HOUR

pytestmark = pytest.mark.usefixtures("cheap")


async def test_a_server_that_dies_before_the_mail_sends_it_later(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-42, REC-47. The request is durable with its notice: another process finds it."""
    async with mailed(rows, second) as (town, letters):
        with monkeypatch.context() as patch:
            patch.setattr(Notices, "soon", unheard)
            await asked(town, town.asking())
        town.begin_again()
        assert await waits(town) == (False, DELAY)
        await town.pass_hours(1)
        await town.sent()
        assert letters.notices == [(ANNA, ASKED)]
        assert await waits(town) == (True, DELAY)


async def dies(*_: object) -> None:
    raise StoreError("the machine is gone")


async def test_a_server_that_dies_after_the_mail_sends_another(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-42, REC-46. It never wrote that the mail was taken. So no time runs, and both mails count."""
    async with mailed(rows, second) as (town, letters):
        with monkeypatch.context() as patch:
            patch.setattr(Notices, "_end", dies)
            await asked(town, town.asking())
            await town.sent()
            await town.end()
        town.begin_again()
        assert letters.notices == [(ANNA, ASKED)]
        assert await waits(town) == (False, DELAY)
        await town.upkeep()
        await town.sent()
        assert len(letters.notices) == 1  # it may still be on its way: not at once
        await town.pass_hours(1)
        await town.sent()
        assert letters.notices == [(ANNA, ASKED)] * 2
        assert await waits(town) == (True, DELAY)
        assert len((await kept(town)).sent) == 2


async def test_a_database_that_fails_again_and_again_ends_no_sender(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-47. It fails more often than there are senders."""
    async with mailed(rows, second) as (town, letters):
        with monkeypatch.context() as patch:
            patch.setattr(Notices, "_begin", dies)
            await asked(town, town.asking())
            for _ in range(8):
                await town.sent()
                town.desks[0].notices.soon(town.user_id)
            await town.sent()
        assert town.audits.count(("notice delayed", 0)) == 9
        await town.pass_hours(1)
        assert letters.notices == [(ANNA, ASKED)]


async def test_a_row_stays_while_something_waits(rows: SealedRows, second: SealedRows) -> None:
    """REC-47. Afterwards it says for two days how many mails were sent, and goes."""
    async with mailed(rows, second) as (town, letters):
        letters.refuses = True
        await asked(town, town.asking())
        await town.sent()
        await rows.expire(town.now + 1000 * DELAY, 1000)
        assert (await kept(town)).waiting
        letters.refuses = False
        await town.pass_hours(1)
        await rows.expire(town.now + 2 * DELAY - 1, 1000)
        assert len((await kept(town)).sent) == 1
        await rows.expire(town.now + 2 * DELAY, 1000)
        assert await rows.load((RowKind.NOTICES, town.user_id)) == [None]


async def test_two_processes_send_a_notice_once(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mailed(rows, second) as (town, letters):
        with monkeypatch.context() as patch:
            patch.setattr(Notices, "soon", unheard)
            await asked(town, town.asking())
        others = [town.another(1) for _ in range(4)]
        for each in others:
            await each.upkeep()
        for each in others:
            await each.notices.sent()
            await each.close()
        assert letters.notices == [(ANNA, ASKED)]


async def test_a_database_that_was_restored_shortens_nothing(rows: SealedRows, second: SealedRows) -> None:
    """REC-39, REC-42. Its count is restored with its waits: time since the copy did not pass."""
    async with mailed(rows, second) as (town, letters):
        asking = town.asking()
        await town.ask_both(asking)
        await town.sent()
        await town.pass_hours(3)
        names: list[tuple[int, bytes]] = [
            (RowKind.SECOND_LOCKS, town.user_id),
            (RowKind.NOTICES, town.user_id),
            (RowKind.HOURS, b""),
        ]
        copy = await rows.load(*names)
        await town.pass_hours(20)
        back = {at: None if each is None else Stored(each.expose()) for at, each in enumerate(copy)}
        await write(rows, names, back)
        town.begin_again()
        await town.upkeep()
        told, left = await waits(town)
        assert told
        assert DELAY - 4 * HOUR <= left <= DELAY - 3 * HOUR
        assert letters.notices == [(ANNA, ASKED)]


async def crowd(town: HalvesTown, rows: SealedRows, count: int) -> set[bytes]:
    """Have a notice wait for so many other users, and return them."""
    await asked(town, town.asking())
    one = await kept(town)
    users = {sha256(b"%d" % at).digest() for at in range(count)}
    rows_of = [Stored(replace(one, user_id=each).encode().expose()) for each in users]
    await write(rows, [(RowKind.NOTICES, each) for each in users], dict(enumerate(rows_of)))
    return users


def heard(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return where the users will lie whose notices shall be sent. Nothing is sent."""
    seen = list[bytes]()

    def soon(_: Notices, user_id: bytes) -> bool:
        seen.append(user_id)
        return True

    monkeypatch.setattr(Notices, "soon", soon)
    return seen


async def test_many_users_are_found(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-47. Upkeep looks through pages of rows, and takes no other row for a notice."""
    async with mailed(rows, second) as (town, _):
        seen = heard(monkeypatch)
        users = await crowd(town, rows, 205)
        for _ in range(2):
            seen.clear()
            await town.desks[0].upkeep()
            assert sorted(seen) == sorted([*users, town.user_id])


async def test_notices_that_fail_keep_no_others_waiting(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-47. A look goes on where the last one ended, and every user gets a turn."""
    async with mailed(rows, second) as (town, _):
        room, seen = 30, list[bytes]()

        def soon(_: Notices, user_id: bytes) -> bool:
            """Take as many as there is room for. None of them can be sent, so their rows stay."""
            if len(seen) < room:
                seen.append(user_id)
                return True
            return False

        monkeypatch.setattr(Notices, "soon", soon)
        users = await crowd(town, rows, 100)
        found = set[bytes]()
        for _ in range(4):
            seen.clear()
            await town.desks[0].upkeep()
            assert len(seen) == len(set(seen)) == room
            found |= {*seen}
        assert found == {*users, town.user_id}


async def test_who_comes_while_a_look_is_under_way_is_found_next_time(
    rows: SealedRows, second: SealedRows
) -> None:
    """Going round ends where it began, also when that row is gone."""
    async with mailed(rows, second) as (town, letters):
        letters.refuses = True
        users = await crowd(town, rows, 20)
        for _ in range(3):
            await town.desks[0].upkeep()
            await town.sent()
        await write(rows, [(RowKind.NOTICES, each) for each in users], dict.fromkeys(range(20)))
        letters.refuses = False
        await town.pass_hours(1)
        assert letters.notices == [(ANNA, ASKED)]


async def damage(rows: SealedRows, name: RowName, junk: bytes) -> None:
    await rows._rows.change([name], lambda _: ({0: Stored(junk)}, None))


async def test_a_damaged_row_holds_no_other_up(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-47, REC-23. It is counted each time, and names nobody."""
    async with mailed(rows, second) as (town, _):
        seen = heard(monkeypatch)
        users = await crowd(town, rows, 20)
        first, *_, last = sorted(rows._tag((RowKind.NOTICES, each)) for each in users)
        for name, junk in ((first, b"junk"), (last, b"")):
            await damage(rows, name, junk)
        seen.clear()
        town.audits.clear()
        await town.desks[0].upkeep()
        assert len(seen) == 20 - 2 + 1
        assert town.audits == [("notice unreadable", 0)] * 2
