"""Strangers at a desk: shown as much as users, for as much work, and counted alike."""

from typing import Any

import pytest

from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._primitives import voprf
from letterlock._primitives.voprf import Blinding
from letterlock.recovery import (
    Attempt,
    EvaluateLock,
    Hardness,
    LockEvaluated,
    ShowLocks,
    WrongPassword,
    choose,
)
from support.keyserver_town import town_of

pytestmark = pytest.mark.usefixtures("cheap")


# --- decoys -----------------------------------------------------------------------------------------------


class Counted:
    """How often parts of the work are done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rows: SealedRows) -> None:
        self.counts: dict[str, int] = {}
        for owner, name in (
            (voprf, "public_key"),
            (voprf, "evaluate"),
            (type(rows._cipher), "seal"),
            (type(rows._cipher), "open"),
            (type(rows._rows), "load"),
            (type(rows._rows), "change"),
        ):
            monkeypatch.setattr(owner, name, self._counting(name, getattr(owner, name)))

    def _counting(self, name: str, work: Any) -> Any:
        def counting(*arguments: Any) -> Any:
            self.counts[name] = self.counts.get(name, 0) + 1
            return work(*arguments)

        return counting

    def taken(self) -> dict[str, int]:
        taken, self.counts = self.counts, {}
        return taken


async def test_a_stranger_is_shown_as_much_as_a_user_for_as_much_work(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:  # REC-12
    town = town_of(rows, second)
    town.hardness = Hardness()
    await town.set_up()
    counted = Counted(monkeypatch, rows)
    shown, sizes, works = [], [], []
    for user_id in (town.user_id, b"s" * 32):
        reply = await town.reply(1, ShowLocks(user_id))
        shown.append(reply.body)
        sizes.append((reply.status, len(reply.body)))
        works.append(counted.taken())
    assert sizes[0] == sizes[1]
    assert works[0] == works[1]
    assert shown[0] != shown[1]
    assert (await town.reply(1, ShowLocks(b"s" * 32))).body == shown[1]
    assert await town.rows[0].load((RowKind.LOCKS, b"s" * 32)) == [None]  # looking stores nothing


async def test_a_strangers_uses_are_counted_like_a_users(
    rows: SealedRows, second: SealedRows, monkeypatch: pytest.MonkeyPatch
) -> None:  # REC-12
    town = town_of(rows, second)
    await town.set_up()
    counted = Counted(monkeypatch, rows)
    sizes, lefts = [], []
    for user_id in (town.user_id, b"s" * 32):
        (lock, *_) = (await town.ask(1, ShowLocks(user_id))).locks
        counted.taken()
        for at in range(12):
            reply = await town.reply(1, EvaluateLock(lock.name, Blinding(bytes((at,))).blinded))
            sizes.append((at, reply.status, len(reply.body), tuple(sorted(counted.taken().items()))))
            lefts.append((at, LockEvaluated.decode(reply.body).standing))
    del sizes[12]  # the first use of a stranger makes a row; its work differs by a seal less or more
    assert lefts[:12] == lefts[12:]
    assert sizes[1:12] == sizes[12:]


async def test_both_servers_show_a_stranger_the_same(rows: SealedRows, second: SealedRows) -> None:  # REC-12
    town = town_of(rows, second, tickets=True)
    first, other = await town.shown(b"s" * 32)
    attempt = Attempt.begin("any", choose(b"s" * 32, first, other))
    theirs = await town.ask(2, attempt.requests[1])
    mine = await town.ask(1, attempt.first(theirs))
    with pytest.raises(WrongPassword):
        attempt.finish(mine, theirs)
