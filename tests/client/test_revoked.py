"""A device that was revoked while it was away learns it from the signed list, says so, and stops. [CLN-14]

What a relay says without such a list changes nothing: the device goes on asking, less and less often.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock import SqliteStore
from letterlock._wire.device_list import DeviceList
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_lists import ListsAnswer
from letterlock.client import Client, OwnDeviceRevoked, RelayEventKind, _client
from letterlock.client._office import Office
from letterlock.client._transport import Reply
from letterlock.relay import _newer
from letterlock.user import EventKind
from support.client_town import Asked, Change, Rule, Town, bodies, happens, play, refusal, until
from support.user_tools import FULL, Owner


async def with_tablet(town: Town) -> tuple[Client, Client]:
    alice = await town.client("alice")
    return alice, await town.second(alice, "tablet")


def is_tablet(asked: Asked) -> bool:
    return asked.client == "tablet"


def offline(asked: Asked) -> Reply | None:
    return Reply(502, b"") if is_tablet(asked) else None


def unknown(asked: Asked) -> Reply | None:
    """Return what a relay answers that pretends not to know the tablet."""
    return refusal(RelayCode.UNKNOWN) if is_tablet(asked) and asked.name != "challenge" else None


async def revoked_meanwhile(town: Town, store: Any = None) -> tuple[Client, Client]:
    """Return both devices; the tablet was revoked while the relay could not be reached from it."""
    alice = await town.client("alice")
    tablet = await town.second(alice, "tablet", store=store)
    town.rules.append(offline)
    await happens(tablet, RelayEventKind.DOWN)
    await alice.revoke(2)
    await until(lambda: alice._office.relay_version == 3)
    await alice.flush()
    return alice, tablet


async def ended(client: Client) -> list[object]:
    """Return the kinds of all events until the client ends because its device was revoked."""
    found: list[object] = []
    with pytest.raises(OwnDeviceRevoked, match="link it again"):
        async for event in client.events():
            found.append(event.kind)  # noqa: PERF401 (those before the error count)
    return found


def test_a_device_that_was_revoked_while_it_was_away_is_told_and_stops(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        _, tablet = await revoked_meanwhile(town)
        town.rules.clear()
        asked: list[str] = []
        town.rules.append(lambda each: asked.append(each.name) if is_tablet(each) else None)
        assert EventKind.REVOKED in await ended(tablet)
        assert "register" not in asked
        asked.clear()
        town.now += 100_000
        with pytest.raises(OwnDeviceRevoked):
            await bodies(tablet, 1)
        with pytest.raises(OwnDeviceRevoked):
            await tablet.flush()
        assert not asked
        assert [each.id for each in await tablet.devices()] == [1]

    play(tmp_path, story)


def test_a_device_that_learns_of_it_in_its_last_moment_ends_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it still hears of it depends on who is faster: a block that is over does not fail by that."""
    learned: list[bool] = []

    async def story(town: Town) -> None:
        _, tablet = await with_tablet(town)

        async def learn(office: Office, check: Callable[[], None]) -> None:
            office.is_revoked = True
            learned.append(True)
            check()

        monkeypatch.setattr(_client, "drained", learn)
        await tablet.__aexit__(None, None, None)
        monkeypatch.undo()

    play(tmp_path, story)
    assert learned == [True]


def test_what_had_arrived_can_be_read_still(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, tablet = await with_tablet(town)
        bob = await town.client("bob")
        await bob.send("alice", b"before")
        assert await bodies(alice, 1) == [b"before"]
        while (await tablet.state())["unread"] != 1:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.01)
        town.rules.append(offline)
        await alice.revoke(2)
        await until(lambda: alice._office.relay_version == 3)
        town.rules.clear()
        await ended(tablet)
        assert await bodies(tablet, 1) == [b"before"]

    play(tmp_path, story)


def test_a_revoked_device_that_is_opened_again_calls_nobody(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        def store() -> SqliteStore:
            return SqliteStore(tmp_path / "tablet.db", key=bytes(32))

        _, tablet = await revoked_meanwhile(town, store)
        town.rules.clear()
        await ended(tablet)
        await tablet.close()
        calls: list[Asked] = []
        town.rules.append(lambda each: calls.append(each) if is_tablet(each) else None)
        async with await town.kind("tablet").open(store) as again:
            await ended(again)
            with pytest.raises(OwnDeviceRevoked):
                await again.send("bob", b"x")
        assert not calls

    play(tmp_path, story)


def test_a_device_that_missed_several_versions_learns_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay answers with 20 lists at most, and here with one."""
    monkeypatch.setattr(_newer, "MAX_CHAIN_LISTS", 1)

    async def story(town: Town) -> None:
        alice, tablet = await with_tablet(town)
        town.rules.append(offline)
        await happens(tablet, RelayEventKind.DOWN)
        third = await town.second(alice, "third")
        await alice.revoke(third.address.device_id)
        await alice.revoke(2)
        await until(lambda: alice._office.relay_version == 5)
        town.calls.clear()
        town.rules.clear()
        assert EventKind.REVOKED in await ended(tablet)
        assert 3 <= town.calls["newer"] <= 5  # another task may ask before it is told

    play(tmp_path, story)


# --- relays that lie ----------------------------------------------------------------------------------------


async def goes_on(town: Town, alice: Client, tablet: Client, rule: Rule, change: Change | None) -> None:
    """Let the relay lie to the tablet until it has asked a few times. The tablet is there afterwards."""
    calls: list[str] = []
    town.rules.append(lambda each: calls.append(each.name) if is_tablet(each) else None)
    town.rules.append(rule)
    if change is not None:
        town.changes.append(change)
    await until(lambda: calls.count("newer") >= 3)
    town.rules.clear()
    town.changes.clear()
    assert 2 in [each.id for each in await tablet.devices()]
    await alice.send("alice", b"still there")
    assert await bodies(tablet, 1) == [b"still there"]
    events = [each.kind async for each in tablet.events(wait=0)]
    assert EventKind.REVOKED not in events


def shows(lists: Callable[[tuple[bytes, ...]], tuple[bytes, ...]], version: int = 3) -> Change:
    """Return a lie about the lists that follow those of the tablet."""

    def change(asked: Asked, reply: Reply) -> Reply:
        if not is_tablet(asked) or asked.name not in {"newer", "lists"}:
            return reply
        shown = ListsAnswer.decode(reply.body).lists if reply.status == 200 else ()
        made = lists(shown)
        return Reply(200, ListsAnswer(version, made).encode())

    return change


def forged() -> tuple[bytes, ...]:
    """Return a list without the tablet that somebody else signed."""
    thief = Owner("alice", [(1, FULL), (2, FULL)])
    thief.next(add=[(3, FULL)])
    thief.next(revoke=(2,))
    return (thief.lists[-1].encode(),)


LIES: dict[str, Change | None] = {
    "nothing but a refusal": None,
    "a list that a thief signed": shows(lambda _: forged()),
    "a chain of a thief from its beginning": shows(lambda _: (*forged(), *forged())),
    "a version that it does not show": shows(lambda _: (), version=9),
    "bytes that are no list": shows(lambda _: (b"revoked",)),
    "an empty answer": shows(lambda _: (), version=2),
    "an older version": shows(lambda _: (), version=1),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_relay_that_only_says_so_revokes_nobody(tmp_path: Path, lie: str) -> None:
    async def story(town: Town) -> None:
        alice, tablet = await with_tablet(town)
        await goes_on(town, alice, tablet, unknown, LIES[lie])

    play(tmp_path, story)


def test_a_revocation_whose_signature_was_changed_is_none(tmp_path: Path) -> None:
    """A list of the user's own that revokes the tablet, with one byte of its signature changed."""

    async def story(town: Town) -> None:
        _, tablet = await revoked_meanwhile(town)

        def change(asked: Asked, reply: Reply) -> Reply:
            if asked.name != "newer" or reply.status != 200:
                return reply
            answer = ListsAnswer.decode(reply.body)
            last = bytearray(answer.lists[-1])
            last[-5] ^= 1
            DeviceList.decode(bytes(last))
            return Reply(200, ListsAnswer(answer.version, (*answer.lists[:-1], bytes(last))).encode())

        calls: list[str] = []
        town.rules[:] = [lambda each: calls.append(each.name) if is_tablet(each) else None]
        town.changes.append(change)
        await until(lambda: calls.count("newer") >= 3)
        assert 2 in [each.id for each in await tablet.devices()]
        town.changes.clear()
        assert EventKind.REVOKED in await ended(tablet)

    play(tmp_path, story)


def test_a_refused_device_asks_less_and_less_often(tmp_path: Path) -> None:
    """All four tasks together make one attempt, and each pause is longer, up to an hour."""

    async def story(town: Town) -> None:
        _, tablet = await with_tablet(town)
        town.rules.append(unknown)
        admission = tablet._office.admission
        await until(lambda: admission.refusals >= 2)
        before = town.calls["newer"], admission.refusals
        await until(lambda: admission.refusals >= before[1] + 2)
        assert town.calls["newer"] - before[0] <= admission.refusals - before[1] + 1
        pauses = [admission.pause(each) for each in (1, 2, 3, 4, 5, 40)]
        assert pauses == [300, 600, 1200, 2400, 3600, 3600]

    play(tmp_path, story)
