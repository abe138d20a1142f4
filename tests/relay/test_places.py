"""Meeting places: strangers leave little, once, where a device of an account lets them."""

import asyncio
from dataclasses import replace
from typing import Final

import pytest

from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_place import GetAnswer, GetRequest, OpenPlaceRequest, PutRequest, Step
from letterlock.relay import _places
from support.relay_town import Resident, Town, some_id

PLACE: Final = some_id("place")
BUNDLE: Final = PutRequest(PLACE, Step.BUNDLE, 0, 1, b"bundle")
OFFER: Final = PutRequest(PLACE, Step.OFFER, 0, 1, b"offer")
ANSWER: Final = PutRequest(PLACE, Step.ANSWER, 0, 1, b"answer")
PACKAGE: Final = PutRequest(PLACE, Step.PACKAGE, 0, 2, b"package")


async def opened(town: Town) -> Resident:
    alice = await Resident(town, "alice").move_in()
    await town.get(DoneAnswer, OpenPlaceRequest(PLACE), alice.tokens[1])
    return alice


async def got(town: Town, step: Step, part: int = 0, wait: int = 0) -> GetAnswer:
    return await town.get(GetAnswer, GetRequest(PLACE, step, part, wait))


async def test_two_devices_exchange_what_a_linking_needs(town: Town) -> None:
    alice = await opened(town)
    for request in (BUNDLE, OFFER, ANSWER, PACKAGE, replace(PACKAGE, part=1, data=b"second")):
        assert await got(town, request.step, request.part) == GetAnswer(0, None)
        token = alice.tokens[1] if request.step.needs_token else None
        await town.get(DoneAnswer, request, token)
        assert await got(town, request.step, request.part) == GetAnswer(request.parts, request.data)


async def test_a_new_device_learns_when_its_place_is_open(town: Town) -> None:
    assert await got(town, Step.OPEN) == GetAnswer(0, None)
    await opened(town)
    assert await got(town, Step.OPEN) == GetAnswer(1, b"")


async def test_nothing_is_left_at_a_place_that_is_not_open(town: Town) -> None:
    """RLY-26: strangers would fill the disk."""
    alice = await Resident(town, "alice").move_in()
    for request in (BUNDLE, ANSWER):
        await town.refuses(RelayCode.UNKNOWN, request, number=1)
    for request in (OFFER, PACKAGE):
        await town.refuses(RelayCode.UNKNOWN, request, number=0)
        await town.refuses(RelayCode.UNKNOWN, request, alice.tokens[1], number=1)
    for step in (Step.BUNDLE, Step.OFFER, Step.ANSWER, Step.PACKAGE):
        await town.refuses(RelayCode.UNKNOWN, GetRequest(PLACE, step, 0, 60), number=1)


async def test_what_was_put_first_stays(town: Town) -> None:
    """RLY-26: a stranger who has seen the code cannot exchange it; the two devices compare digits besides."""
    alice = await opened(town)
    await town.get(DoneAnswer, BUNDLE)
    for other in (replace(BUNDLE, data=b"other"), BUNDLE):
        await town.get(DoneAnswer, other)
    assert (await got(town, Step.BUNDLE)).data == b"bundle"
    await town.get(DoneAnswer, OFFER, alice.tokens[1])
    await town.get(DoneAnswer, replace(OFFER, data=b"other"), alice.tokens[1])
    assert (await got(town, Step.OFFER)).data == b"offer"


@pytest.mark.parametrize("request_", [OFFER, PACKAGE])
async def test_the_steps_of_the_old_device_are_its_accounts_alone(town: Town, request_: PutRequest) -> None:
    """RLY-26"""
    alice = await opened(town)
    bob = await Resident(town, "bob").move_in()
    await town.refuses(RelayCode.UNKNOWN, request_, number=0)
    await town.refuses(RelayCode.UNKNOWN, request_, b"token", number=0)
    await town.refuses(RelayCode.UNKNOWN, request_, bob.tokens[1], number=1)
    await town.get(DoneAnswer, request_, alice.tokens[1])


async def test_a_place_is_opened_once_and_by_who_comes_first(town: Town) -> None:
    """RLY-25"""
    alice = await opened(town)
    bob = await Resident(town, "bob").move_in()
    await town.get(DoneAnswer, OpenPlaceRequest(PLACE), alice.tokens[1])
    await town.refuses(RelayCode.TAKEN, OpenPlaceRequest(PLACE), bob.tokens[1])
    await town.refuses(RelayCode.UNKNOWN, OpenPlaceRequest(some_id("other")))


async def test_a_place_ends_after_ten_minutes(town: Town) -> None:
    """RLY-25"""
    await opened(town)
    await town.get(DoneAnswer, BUNDLE)
    town.now += 599
    assert (await got(town, Step.BUNDLE)).data == b"bundle"
    town.now += 1
    await town.refuses(RelayCode.UNKNOWN, GetRequest(PLACE, Step.BUNDLE, 0, 0), number=1)
    await town.refuses(RelayCode.UNKNOWN, ANSWER, number=1)
    assert await got(town, Step.OPEN) == GetAnswer(0, None)


async def test_opening_again_makes_a_place_last_no_longer(town: Town) -> None:
    """RLY-25: a code that was photographed is soon worth nothing."""
    alice = await opened(town)
    town.now += 400
    await town.get(DoneAnswer, OpenPlaceRequest(PLACE), alice.tokens[1])
    town.now += 200
    await town.refuses(RelayCode.UNKNOWN, BUNDLE, number=1)


async def test_an_account_opens_five_places_at_once(town: Town) -> None:
    alice = await opened(town)
    for each in range(4):
        await town.get(DoneAnswer, OpenPlaceRequest(some_id(f"place {each}")), alice.tokens[1])
    request = OpenPlaceRequest(some_id("sixth"))
    await town.refuses(RelayCode.SLOW_DOWN, request, alice.tokens[1], number=120)


# --- waiting ----------------------------------------------------------------------------------------------


async def waited(town: Town, count: int) -> None:
    """Wait until so many calls wait at places."""
    places = town.relay._started()[1].put.__self__  # type: ignore[attr-defined]
    while places._waiting < count:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.001)


async def test_whoever_waits_gets_what_is_put(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_places, "PLACE_PAUSE", 0.01)
    opening = asyncio.ensure_future(got(town, Step.OPEN, wait=60))
    await opened(town)
    assert await opening == GetAnswer(1, b"")
    waiting = asyncio.ensure_future(got(town, Step.BUNDLE, wait=60))
    await town.get(DoneAnswer, BUNDLE)
    assert await waiting == GetAnswer(1, b"bundle")


async def test_what_this_process_stores_is_not_waited_for(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next look at the database would come too late for each of them."""
    monkeypatch.setattr(_places, "PLACE_PAUSE", 3600.0)
    async with asyncio.timeout(30):
        opening = asyncio.ensure_future(got(town, Step.OPEN, wait=60))
        await waited(town, 1)
        alice = await opened(town)
        assert await opening == GetAnswer(1, b"")
        for request in (BUNDLE, OFFER, ANSWER, PACKAGE):
            waiting = asyncio.ensure_future(got(town, request.step, wait=60))
            await waited(town, 1)
            await town.get(DoneAnswer, request, alice.tokens[1] if request.step.needs_token else None)
            assert await waiting == GetAnswer(request.parts, request.data)


async def test_draining_ends_the_wait(town: Town) -> None:
    await opened(town)
    waiting = asyncio.ensure_future(got(town, Step.BUNDLE, wait=60))
    await waited(town, 1)
    town.relay.drain()
    async with asyncio.timeout(30):  # it would wait for a minute
        assert await waiting == GetAnswer(0, None)


async def test_strangers_who_wait_are_counted(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """RLY-28: one more gets an answer at once."""
    monkeypatch.setattr(_places, "MAX_PLACE_WAITS", 2)
    await opened(town)
    waiting = [asyncio.ensure_future(got(town, Step.BUNDLE, wait=60)) for _ in range(2)]
    await waited(town, 2)
    assert await got(town, Step.BUNDLE, wait=60) == GetAnswer(0, None)
    town.relay.drain()
    assert await asyncio.gather(*waiting) == [GetAnswer(0, None)] * 2
