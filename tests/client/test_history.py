"""What an application gives a new device of its user comes with the linking, sealed, and is read there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from letterlock import SqliteStore
from letterlock._primitives.composite import SIGNATURE_BYTES
from letterlock._primitives.entropy import system_entropy
from letterlock._wire.relay_calls import CALL_OF_PATH
from letterlock._wire.relay_place import GetAnswer, Step
from letterlock.client import Client, HistoryRefused, Message, RelayMisbehaves, RelayUnavailable
from letterlock.client._history import MAX_TOGETHER, divided
from letterlock.client._transport import Reply
from letterlock.errors import UsageError
from letterlock.user import EventKind
from letterlock.user._archive import FRAME_BYTES, MARK
from support.client_town import Asked, Town, bodies, happens, play

ITEMS = [b"Good morning, Ben.", b"", b"Good morning to you."]


async def first(client: Client) -> Message:
    async for message in client.messages():
        return message
    raise AssertionError


def test_a_new_device_reads_the_history(tmp_path: Path) -> None:
    """CLN-13"""

    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        tablet = await town.second(alice, "tablet", ITEMS)
        message = await first(tablet)
        assert (message.sender, message.is_archive) == ("alice", True)
        assert await tablet.read_archive(message.body) == ITEMS
        again = await first(tablet)  # it was not finished
        assert again.body == message.body
        await again.done()
        await bob.send("alice", b"new")
        assert await bodies(tablet, 1) == [b"new"]
        assert await bodies(alice, 1) == [b"new"]  # and no archive

    play(tmp_path, story)


def test_the_relay_sees_no_word_of_it_and_without_items_there_is_none(tmp_path: Path) -> None:
    """CLN-13"""
    seen: list[bytes] = []

    def look(asked: Asked) -> Reply | None:
        seen.append(asked.body)
        return None

    async def story(town: Town) -> None:
        town.rules.append(look)
        alice, bob = await town.client("alice"), await town.client("bob")
        tablet, laptop = (
            await town.second(alice, "tablet", [b"a very rare word"]),
            await town.second(bob, "l"),
        )
        assert await tablet.read_archive((await first(tablet)).body) == [b"a very rare word"]
        assert not any(b"rare" in each for each in seen)
        await alice.send("bob", b"hello")
        message = await first(laptop)
        assert (message.body, message.is_archive) == (b"hello", False)

    play(tmp_path, story)


def test_a_history_of_many_parts_arrives_whole(tmp_path: Path) -> None:
    """CLN-13"""
    items = [system_entropy(300_000) for _ in range(9)]

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        tablet = await town.second(alice, "tablet", items)
        assert await tablet.read_archive((await first(tablet)).body) == items
        assert town.calls["put"] >= 3 + 6

    play(tmp_path, story)


@pytest.mark.parametrize("item", [bytes(MAX_TOGETHER), "text", None])
def test_a_history_that_cannot_be_given_adds_no_device(tmp_path: Path, item: Any) -> None:
    async def story(town: Town) -> None:
        alice = await town.client("alice")
        with pytest.raises(UsageError):
            await town.second(alice, "tablet", [item])
        assert [each.id for each in await alice.devices()] == [1]

    play(tmp_path, story)


def spoiled(change: Callable[[bytes], bytes]) -> Callable[[Asked, Reply], Reply]:
    """Return a change of what a new device gets in the last part of the package."""

    def changed(asked: Asked, reply: Reply) -> Reply:
        if asked.name != "get" or asked.request.step is not Step.PACKAGE or reply.status != 200:
            return reply
        answer = CALL_OF_PATH["/v1/get"].answer.decode(reply.body)
        assert isinstance(answer, GetAnswer)
        return Reply(200, GetAnswer(answer.parts, answer.data and change(answer.data)).encode())

    return changed


def package_end(data: bytes) -> int:
    return 4 + int.from_bytes(data[:4], "big")


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a bit of the last frame": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "cut by a frame": lambda data: data[:-FRAME_BYTES],
    "a frame twice": lambda data: data + data[-FRAME_BYTES:],
    "a byte more": lambda data: data + b"\0",
    "no archive any more": lambda data: data[: package_end(data) + SIGNATURE_BYTES],
    "nothing but the package": lambda data: data[: package_end(data)],
    "half a signature": lambda data: data[: package_end(data) + 100],
    "another mark": lambda data: data.replace(MARK, b"?" * len(MARK)),
    "another signature": lambda data: (
        data[: package_end(data)] + bytes(SIGNATURE_BYTES) + data[package_end(data) + SIGNATURE_BYTES :]
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_history_that_the_relay_changed_is_refused_at_once(tmp_path: Path, change: str) -> None:
    """CLN-13: the device is linked all the same."""

    def store() -> SqliteStore:
        return SqliteStore(tmp_path / "tablet.db", key=bytes(32))

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        town.changes.append(spoiled(CHANGES[change]))
        with pytest.raises(HistoryRefused, match="open the store"):
            await town.second(alice, "tablet", ITEMS, store)
        async with await town.kind("tablet").open(store) as tablet:
            events = await happens(tablet, EventKind.HISTORY_REFUSED)
            assert (events[-1].name, events[-1].device) == ("alice", 1)
            await alice.send("alice", b"to the tablet")
            assert await bodies(tablet, 1) == [b"to the tablet"]  # and no archive

    play(tmp_path, story)


@pytest.mark.parametrize("items", [ITEMS, []])
def test_a_history_of_another_linking_is_refused(tmp_path: Path, items: list[bytes]) -> None:
    """CLN-13: what the same device signed for another package, with an archive where there is none too."""
    kept: list[bytes] = []

    def change(data: bytes) -> bytes:
        kept.append(data)
        return data[: package_end(data)] + kept[0][package_end(kept[0]) :]

    def store() -> SqliteStore:
        return SqliteStore(tmp_path / "laptop.db", key=bytes(32))

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        town.changes.append(spoiled(change))
        await town.second(alice, "tablet", ITEMS)
        with pytest.raises(HistoryRefused):
            await town.second(alice, "laptop", items, store)

    play(tmp_path, story)


def test_a_key_that_does_not_come_is_not_waited_for_without_end(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice = await town.client("alice")
        with pytest.raises(RelayUnavailable, match="key"):
            await alice.read_archive(MARK + bytes(16 + 24 + FRAME_BYTES), wait=0)

    play(tmp_path, story)


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\0\0\0\x02x", b"\xff\xff\xff\xffpackage"])
def test_what_was_cut_in_the_meeting_place_is_refused(data: bytes) -> None:
    """CLN-13"""
    with pytest.raises(RelayMisbehaves):
        divided(data)
