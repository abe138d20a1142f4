"""Every call, over HTTP, to a relay in a process of its own."""

from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_calls import CALLS
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_mail import AckRequest
from letterlock._wire.relay_place import GetAnswer, GetRequest, OpenPlaceRequest, PutRequest, Step
from letterlock._wire.relay_prekeys import StateRequest
from support.relay_server import ServedTown, Server, in_town
from support.relay_town import Resident, some_id
from support.user_tools import FULL

PLACE = some_id("place")


def test_two_people_use_every_call(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        alice, bob = (Resident(town, name) for name in ("alice", "bob"))
        bob.next(add=[(2, FULL)])
        for each in (alice, bob):
            await each.move_in()
            assert await each.publish() == 3
        assert len((await alice.listed("bob")).lists) == 2
        bundles = await alice.claimed(bob, 1)
        assert bundles == await alice.claimed(bob, 1)
        assert bundles[0] is not None
        await alice.sent(bob, {1: b"to one", 2: b"to two"})
        await alice.sent(bob, {1: b"to one", 2: b"to two"})
        (first,) = await bob.fetched(1)
        (second,) = await bob.fetched(2, wait=5)
        assert (first.message, second.message) == (b"to one", b"to two")
        assert first.sender.name == "alice"
        assert await bob.fetched(1, skip=[first.id]) == ()
        await bob.acknowledged(first.id)
        await bob.acknowledged(first.id)
        assert await bob.fetched(1) == ()
        assert (await bob.state(2)).messages == 1
        bob.next(revoke=(2,))
        await bob.append()
        await town.refuses(RelayCode.UNKNOWN, StateRequest(), bob.tokens[2])
        await town.get(DoneAnswer, OpenPlaceRequest(PLACE), alice.tokens[1])
        await town.get(DoneAnswer, PutRequest(PLACE, Step.BUNDLE, 0, 1, b"bundle"))
        await town.refuses(RelayCode.UNKNOWN, PutRequest(PLACE, Step.OFFER, 0, 1, b"offer"))
        found = await town.get(GetAnswer, GetRequest(PLACE, Step.BUNDLE, 0, 5))
        assert found.data == b"bundle"
        metrics = server.metrics()
        for call in CALLS:
            assert metrics[f'letterlock_relay_request_seconds_count{{call="{call.name}",code="OK"}}'] > 0

    in_town(server, play)


def test_without_a_token_nothing_is_told(server: Server) -> None:
    async def play(town: ServedTown) -> None:
        for token in (None, b"\x00", b"x" * 512):
            await town.refuses(RelayCode.UNKNOWN, AckRequest((PLACE,)), token)
            await town.refuses(RelayCode.UNKNOWN, StateRequest(), token)

    in_town(server, play)
