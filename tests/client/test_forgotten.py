"""A relay that does not take a token, or knows nobody of the name any more: nothing that was sent is lost.

What a relay says of a token is about this device, not about the name that a call was for. [CLN-11]
"""

from pathlib import Path

import pytest

from letterlock import MemoryStore
from letterlock._wire.relay_error import RelayCode
from letterlock.client import OwnDeviceRevoked, RelayEventKind, RelayUnavailable
from letterlock.client._connection import Connection
from support.client_emptied import emptied, met, told
from support.client_town import RELAY, Asked, Town, bodies, happens, play, refusal, until


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("call", ["send", "claim", "lists", "fetch", "publish"])
def test_a_new_token_that_is_refused_is_renewed(tmp_path: Path, call: str, times: int) -> None:
    """The clock of a relay that jumps ends tokens of a moment ago."""

    async def story(town: Town) -> None:
        left = [refusal(RelayCode.UNKNOWN)] * times
        town.rules.append(lambda asked: left.pop() if asked.name == call and left else None)
        alice, bob = await met(town)
        await until(lambda: not left)
        assert RelayEventKind.UNKNOWN_USER not in await told(alice)
        assert RelayEventKind.NOT_ADMITTED not in await told(alice)
        await alice.send("bob", b"again")
        assert await bodies(bob, 1) == [b"again"]

    play(tmp_path, story)


def test_a_login_that_is_refused_delays_no_post(tmp_path: Path) -> None:
    """The token ended while a post was on its way, and the relay does not admit the device for a while."""

    async def story(town: Town) -> None:
        alice, bob = await met(town)
        refused = [refusal(RelayCode.UNKNOWN)] * 2
        town.rules.append(lambda asked: refused.pop() if asked.name == "authenticate" and refused else None)
        old = lambda asked: refusal(RelayCode.UNKNOWN) if refused and asked.name != "challenge" else None  # noqa: E731
        town.rules.append(old)
        connection: Connection = alice._office.connection
        connection._since -= 100
        await alice.send("bob", b"kept")
        assert await bodies(bob, 1) == [b"kept"]
        assert RelayEventKind.UNKNOWN_USER not in await told(alice)

    play(tmp_path, story)


def test_a_name_is_not_unknown_because_the_caller_is(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice = await town.client("alice")
        await town.client("bob")
        town.rules.append(lambda asked: refusal(RelayCode.UNKNOWN) if asked.client == "alice" else None)
        with pytest.raises(RelayUnavailable):
            await alice.meet("bob")

    play(tmp_path, story)


def test_a_relay_that_forgot_everybody_takes_them_again(tmp_path: Path) -> None:
    """CLN-10. They register and publish by themselves, and what waited in their stores goes."""

    async def story(town: Town) -> None:
        alice, bob = await met(town)
        town.is_down = True
        await happens(alice, RelayEventKind.DOWN)
        await alice.send("bob", b"one")
        await bob.send("alice", b"two")
        async with emptied(town, tmp_path):
            town.is_down = False
            await happens(alice, RelayEventKind.REGISTERED_AGAIN)
            assert await bodies(bob, 1) == [b"one"]
            assert await bodies(alice, 1) == [b"two"]
            carol = await town.client("carol")
            await carol.send("alice", b"three")  # with prekeys that were published anew
            assert await bodies(alice, 1) == [b"three"]
            assert RelayEventKind.NOT_ADMITTED not in await told(alice)

    play(tmp_path, story)


def test_all_devices_and_lists_are_registered_again(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob = await met(town)
        tablet = await town.second(alice, "tablet")
        town.is_down = True
        await happens(tablet, RelayEventKind.DOWN)
        async with emptied(town, tmp_path):
            town.is_down = False
            await happens(tablet, RelayEventKind.UP)
            await happens(bob, RelayEventKind.REGISTERED_AGAIN)
            await bob.send("alice", b"to both")
            assert await bodies(alice, 1) == await bodies(tablet, 1) == [b"to both"]

    play(tmp_path, story)


def test_a_device_that_revoked_itself_registers_nobody(tmp_path: Path) -> None:
    """CLN-10, CLN-14: not even when the relay refuses it."""

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        tablet = await town.second(alice, "tablet")
        await tablet.revoke(2)
        await until(lambda: town.calls["append"] >= 2)
        with pytest.raises(OwnDeviceRevoked):
            await happens(tablet, RelayEventKind.NOT_ADMITTED)
        assert town.calls["register"] == 1

    play(tmp_path, story)


def test_a_revoked_device_that_is_first_is_out_when_another_one_comes(tmp_path: Path) -> None:
    """It gives the relay the lists that it knows. Whoever knows the newer one uploads it."""

    async def story(town: Town) -> None:
        alice = await town.client("alice")
        tablet = await town.second(alice, "tablet")
        town.rules.append(lambda asked: refusal(RelayCode.UNKNOWN) if asked.client == "tablet" else None)
        await alice.revoke(2)
        await until(lambda: town.calls["append"] >= 2)
        await alice.flush()
        town.is_down = True
        await happens(alice, RelayEventKind.DOWN)
        async with emptied(town, tmp_path):
            town.rules[:] = [lambda asked: refusal(RelayCode.UNKNOWN) if asked.client == "alice" else None]
            town.is_down = False
            await happens(tablet, RelayEventKind.REGISTERED_AGAIN)
            town.rules.clear()
            with pytest.raises(OwnDeviceRevoked):
                await happens(tablet, RelayEventKind.NOT_ADMITTED)
            assert [each.id for each in await alice.devices()] == [1]

    play(tmp_path, story)


def test_a_name_that_somebody_else_took_meanwhile(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, _ = await met(town)
        town.is_down = True
        await happens(alice, RelayEventKind.DOWN)
        async with emptied(town, tmp_path):
            town.rules.append(lambda asked: refusal(RelayCode.UNKNOWN) if asked.client == "alice" else None)
            town.is_down = False
            other = await town.kind("other").create(MemoryStore(), name="alice", relay=RELAY)
            await town.stack.enter_async_context(other)
            town.rules.clear()
            await happens(alice, RelayEventKind.NOT_ADMITTED)
            assert RelayEventKind.REGISTERED_AGAIN not in await told(alice)

    play(tmp_path, story)


def test_a_publication_that_another_database_may_have_is_given_up(tmp_path: Path) -> None:
    """CLN-10. Its bundles may have been given out already."""

    async def story(town: Town) -> None:
        town.rules.append(lambda asked: refusal(RelayCode.UNAVAILABLE) if asked.name == "publish" else None)
        alice = await town.client("alice")
        office = alice._office
        kept = (await office.run(office.queue.own)).publication
        assert kept
        town.is_down = True
        await happens(alice, RelayEventKind.DOWN)
        async with emptied(town, tmp_path):
            published: list[bytes] = []

            def watch(asked: Asked) -> None:
                if asked.name == "publish" and town.calls["register"]:
                    published.append(asked.body)

            town.rules[:] = [watch]
            town.calls.clear()
            town.is_down = False
            await until(lambda: bool(published))
            assert all(kept not in each for each in published)

    play(tmp_path, story)
