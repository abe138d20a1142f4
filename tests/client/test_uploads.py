"""Our own device list reaches the relay once, whoever uploads it and however often an answer is lost."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_login import AuthenticateAnswer
from letterlock.client import Client, RelayUnavailable, _joining
from letterlock.client._transport import Reply
from letterlock.user import LinkingRefused
from support.client_town import Asked, Town, bodies, play, refusal, until


def shown(client: Client) -> tuple[int | None, int]:
    """Return the versions of our list that the relay has, as far as is known, and that we have."""
    office = client._office
    return office.relay_version, len(office.queue.user.device_lists())


def test_two_uploads_at_once_are_one(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice = await town.client("alice")
        await town.second(alice, "tablet")
        begun = asyncio.Event()
        appended: list[Asked] = []

        def note(asked: Asked) -> Reply | None:
            if asked.name == "append":
                appended.append(asked)
                begun.set()
            return None

        town.rules.append(note)
        await alice.revoke(2)
        await asyncio.gather(*(alice._sender.upload_lists() for _ in range(3)))
        await begun.wait()
        await until(lambda: (alice._office.relay_version or 0) >= 3)
        assert await alice.run(shown, alice) == (3, 3)
        assert len(appended) == 1

    play(tmp_path, story)


@pytest.mark.parametrize(
    "reply",
    [None, refusal(RelayCode.UNAVAILABLE, 1), refusal(RelayCode.SLOW_DOWN, 1), Reply(200, b"<html>")],
)
def test_a_linking_survives_uploads_that_fail(tmp_path: Path, reply: Reply | None) -> None:
    failed = [0]

    def fail(asked: Asked, answer: Reply) -> Reply:
        if asked.name != "append" or failed[0] >= 3:
            return answer
        failed[0] += 1
        if reply is None:
            raise RelayUnavailable("the answer was lost")
        return reply

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        town.changes.append(fail)
        tablet = await town.second(alice, "tablet")
        assert failed[0] >= 1
        await alice.send("alice", b"to the tablet")
        assert await bodies(tablet, 1) == [b"to the tablet"]
        assert await alice.run(shown, alice) == (2, 2)

    play(tmp_path, story)


def test_a_linking_that_another_change_overtook_is_refused(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice = await town.client("alice")
        with pytest.raises(LinkingRefused, match="came first"):
            await _joining._uploaded(alice._office, alice._sender, 2)  # a device that is not listed any more

    play(tmp_path, story)


def test_a_version_that_the_relay_understates_once_holds_nothing_up(tmp_path: Path) -> None:
    """It refuses a list that it has had for long. The client asks again which one is the newest."""

    async def story(town: Town) -> None:
        alice, bob = await town.client("alice"), await town.client("bob")
        await town.second(alice, "tablet")
        await town.second(alice, "laptop")
        lies = [1]

        def understate(asked: Asked, answer: Reply) -> Reply:
            if asked.client == "alice" and asked.name == "authenticate" and answer.status == 200 and lies:
                made = AuthenticateAnswer.decode(answer.body)
                return Reply(200, replace(made, version=lies.pop()).encode())
            return answer

        town.changes.append(understate)
        alice._office.connection.forget_token(None)
        await alice.send("bob", b"on time")
        assert await bodies(bob, 1) == [b"on time"]
        await until(lambda: not lies)
        before = town.calls["append"]
        await alice.send("bob", b"again")
        assert await bodies(bob, 1) == [b"again"]
        assert town.calls["append"] <= before + 3

    play(tmp_path, story)
