"""A relay that answers at once what should take long does not have the client ask without a pause."""

from math import inf
from pathlib import Path
from typing import Any

import pytest

from letterlock import MemoryStore
from letterlock._wire.relay_mail import FetchAnswer
from letterlock.client import Client
from letterlock.client._fetcher import Fetcher
from letterlock.client._pace import Pace
from letterlock.client._posts import Sendable
from letterlock.client._receiver import Receiver
from letterlock.client._sender import Sender
from letterlock.client._transport import DISPLACED, TOKEN_ENDED, Reply, SocketClosed
from support.client_town import RELAY, Town, TownSocket, play

WAITS: list[int] = []


class Noted(Pace):
    """A pace that notes after how many failures somebody waits, and has nobody wait."""

    def backoff(self, failures: int, least: float = 0.0) -> float:
        WAITS.append(failures)
        return 0.0


async def receiver(town: Town) -> Receiver:
    """Return the receiver of a client that was not entered."""
    client: Client = await town.kind("alice").create(MemoryStore(), name="alice", relay=RELAY)
    town.stack.push_async_callback(client.close)
    office: Any = client._office
    office.pace = Noted(poll=50)
    WAITS.clear()
    return Receiver(office)


def test_a_poll_that_the_relay_does_not_hold_is_followed_by_a_pause(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        made = await receiver(town)
        made._no_socket_until = inf
        empty = Reply(200, FetchAnswer(100, ()).encode())
        town.rules.append(lambda asked: empty if asked.name == "fetch" else None)
        for _ in range(3):
            await made.step()
        assert WAITS == [1, 2, 3]

    play(tmp_path, story)


@pytest.mark.parametrize(("code", "waits"), [(TOKEN_ENDED, [1, 2, 3]), (1001, [1, 2, 3]), (DISPLACED, [])])
def test_a_socket_that_is_closed_at_once_is_followed_by_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, waits: list[int]
) -> None:
    async def close(_: TownSocket) -> bytes:
        raise SocketClosed(code)

    async def story(town: Town) -> None:
        made = await receiver(town)
        monkeypatch.setattr(TownSocket, "receive", close)
        for _ in range(3):
            await made._listen()
        assert waits == WAITS

    play(tmp_path, story)


def test_posts_wait_for_a_relay_that_claims_to_lack_our_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delayed: list[tuple[list[bytes], int]] = []

    async def delay(_: Sender, ids: list[bytes], seconds: int) -> None:
        delayed.append((ids, seconds))

    async def story(town: Town) -> None:
        made = await receiver(town)
        office, post = made._office, Sendable(bytes(16), "alice", 3, bytes(8), ())
        office.relay_version = 3
        monkeypatch.setattr(Sender, "_delay", delay)
        await Sender(office, Fetcher(office))._stale(2, "alice", [post])
        assert office.relay_version == 2
        assert [ids for ids, _ in delayed] == [[post.id]]
        assert delayed[0][1] >= 1

    play(tmp_path, story)
