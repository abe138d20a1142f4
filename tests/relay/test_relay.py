"""The relay as a whole: whatever is sent to it, it answers, and a store that fails is told as such."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_calls import CALL_OF_PATH, CALL_OF_REQUEST, CALLS, Call, TokenUse
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_lists import AppendRequest, ListsRequest, RegisterRequest
from letterlock._wire.relay_mail import AckRequest, FetchRequest
from letterlock._wire.relay_place import GetRequest, OpenPlaceRequest, PutRequest, Step
from letterlock._wire.relay_prekeys import PublishRequest
from letterlock.errors import InvalidKey, StoreBusy, StoreError, UsageError
from letterlock.relay import _means, open_store
from letterlock.relay._buckets import Bucket, Buckets, Seen
from letterlock.relay._means import Heads
from letterlock.relay._relay import Relay
from letterlock.relay._reply import Refused, Reply
from letterlock.relay._settings import RelaySettings
from letterlock.relay._store import Head
from letterlock.relay._verification import verify_chain
from support.pair import flipped
from support.relay_samples import BODIES
from support.relay_town import NAME, NOW, Resident, Town, some_id
from support.user_tools import Owner

PLACE: Final = some_id("place")
REQUESTS: Final[list[RelayBody]] = [body for body, _ in BODIES if type(body) in CALL_OF_REQUEST]


def is_answer(call: Call, reply: Reply) -> bool:
    """Return whether a reply is an answer of the call, or an error with its status."""
    if reply.status == 200:
        call.answer.decode(reply.body)
        return reply.retry_after is None
    error = ErrorAnswer.decode(reply.body)
    waits = error.code in {RelayCode.SLOW_DOWN, RelayCode.UNAVAILABLE}
    return reply.status == error.code.status and reply.retry_after == (error.number if waits else None)


# --- whatever is sent -------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
async def test_every_call_answers_whatever_its_body_is(town: Town, call: Call) -> None:
    """RLY-2: also with the token of a device, so that the body is read."""
    alice = await Resident(town, "alice").move_in()
    town.relay.drain()  # so that nothing waits
    (request, *_) = [each for each in REQUESTS if type(each) is call.request]
    encoded = request.encode()
    bodies = [b"", b"\x00", b"\x81\x01", b"\xff" * 40, bytes(call.size), encoded[:-1], encoded + b"\0"]
    bodies += [flipped(encoded, at) for at in range(len(encoded))]
    extras: list[list[Any]] = [[], [None] * 3, [[]] * 5, [{}], [1.5]]
    bodies += [cbor2.dumps([1, call.number, *extra]) for extra in extras]
    for body in bodies:
        for token in (None, b"token", alice.tokens[1]):
            assert is_answer(call, await town.relay.handle(call, body, token, town.now))
            town.now += 5
        await alice.log_in(1)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
async def test_a_body_that_is_too_long_is_told_what_the_call_takes(town: Town, call: Call) -> None:
    """RLY-3: before it is parsed."""
    alice = await Resident(town, "alice").move_in()
    reply = await town.relay.handle(call, b"\x80" * (call.size + 1), alice.tokens[1], town.now)
    assert ErrorAnswer.decode(reply.body) == ErrorAnswer(RelayCode.TOO_LARGE, call.size)


@pytest.mark.parametrize(
    "call", [each for each in CALLS if each.token is TokenUse.ALWAYS], ids=lambda it: it.name
)
async def test_a_strangers_body_is_not_even_parsed(town: Town, call: Call) -> None:
    for body in (b"", b"\xff" * 100, bytes(call.size + 1)):
        reply = await town.relay.handle(call, body, None, town.now)
        assert ErrorAnswer.decode(reply.body) == ErrorAnswer(RelayCode.UNKNOWN)


async def test_a_body_of_another_version_is_malformed(town: Town) -> None:
    call = CALL_OF_PATH["/v1/challenge"]
    reply = await town.relay.handle(call, cbor2.dumps([2, 1, "alice", 1]), None, town.now)
    assert ErrorAnswer.decode(reply.body) == ErrorAnswer(RelayCode.MALFORMED)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bytes_get_an_answer(town: Town, data: st.DataObject) -> None:
    """RLY-2"""
    calls = data.draw(st.lists(st.tuples(st.sampled_from(CALLS), st.binary(max_size=60)), max_size=20))

    async def run() -> None:
        store = open_store(f"sqlite:///{town_path(town)}")
        relay = Relay(await store.open(), RelaySettings(NAME))
        try:
            await relay.start()
            relay.drain()
            for call, tail in calls:
                for body in (tail, bytes([0x80 + call.request.FORM.elements, 1, call.number]) + tail):
                    assert is_answer(call, await relay.handle(call, body, tail, NOW))
        finally:
            await store.close()

    asyncio.run(run())


def town_path(town: Town) -> str:
    return str(vars(town.store)["_path"])


# --- stores that fail -------------------------------------------------------------------------------------


class Failing:
    """A store whose methods raise, all or some of them, once it is told to."""

    def __init__(self, store: Any, error: Callable[[], Exception]) -> None:
        self.store = store
        self.error = error
        self.fails: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name not in self.fails:
            return getattr(self.store, name)
        return self.watched if name == "watch" else self.called

    async def called(self, *arguments: object, **named: object) -> None:
        del arguments, named
        raise self.error()

    @asynccontextmanager
    async def watched(self, *arguments: object) -> AsyncIterator[None]:
        del arguments
        if self.fails:
            raise self.error()
        yield


METHODS: Final = {
    "head", "lists", "create", "append", "publish", "claim", "stock", "deliver", "fetch", "acknowledge",
    "watch", "advance", "spend", "open_place", "place_owner", "put", "get",
}  # fmt: skip


@pytest.mark.parametrize("method", sorted(METHODS))
async def test_a_store_that_fails_is_told_as_unavailable(town: Town, method: str) -> None:
    """RLY-29: with the time after which to ask again, and without a word of what failed."""
    alice, bob = await Resident(town, "alice").move_in(), await Resident(town, "bob").move_in()
    failing = Failing(town.store, lambda: StoreBusy("the path of a file"))
    town.relay = Relay(failing, town.settings, entropy=town.draw)
    await town.relay.start()
    alice.next(add=[(2, 1)])
    requests: list[tuple[RelayBody, bytes | None]] = [
        (alice.login(1, await alice.challenge(1)), None),
        (Resident(town, "carol").registration(), None),
        (AppendRequest(alice.lists[-1].encode()), alice.tokens[1]),
        (PublishRequest(1, alice.publication().encode()), alice.tokens[1]),
        (bob.claim(bob), alice.tokens[1]),
        (bob.send(bob, {1: b"x"}), alice.tokens[1]),
        (FetchRequest(1, 1), alice.tokens[1]),
        (ListsRequest("bob", 0), alice.tokens[1]),
        (AckRequest((PLACE,)), alice.tokens[1]),
        (OpenPlaceRequest(PLACE), alice.tokens[1]),
        (PutRequest(PLACE, Step.OFFER, 0, 1, b"offer"), alice.tokens[1]),
        (GetRequest(PLACE, Step.OFFER, 0, 0), None),
    ]
    await town.ask(OpenPlaceRequest(PLACE), alice.tokens[1])
    failing.fails = {method}
    codes = set()
    for request, token in requests:
        reply = await town.post(request, token)
        assert is_answer(CALL_OF_REQUEST[type(request)], reply)
        codes.add(reply.status)
        assert b"path" not in reply.body
    assert 503 in codes


async def test_a_store_that_fails_at_the_start_keeps_the_relay_from_starting(town: Town) -> None:
    failing = Failing(town.store, lambda: StoreError("no disk"))
    failing.fails = {"secret"}
    with pytest.raises(StoreError):
        await Relay(failing, town.settings).start()


async def test_a_relay_that_was_not_started_says_so(town: Town) -> None:
    relay = Relay(town.store, town.settings)
    with pytest.raises(UsageError, match="start"):
        relay.session(b"token", NOW)
    with pytest.raises(UsageError, match="start"):
        await relay.handle(CALLS[0], b"", None, NOW)


async def test_a_secret_of_another_length_is_refused(town: Town) -> None:
    town.draw = lambda length: bytes(length - 1)
    with pytest.raises(UsageError, match="backup"):
        await Relay(
            await open_store(f"sqlite:///{town_path(town)}2").open(), town.settings, entropy=town.draw
        ).start()


# --- work that takes milliseconds -------------------------------------------------------------------------


async def test_verifying_runs_where_the_server_says(town: Town) -> None:
    """RLY-30: a stranger's registration must not hold up everybody else's calls."""
    ran = 0

    async def run(work: Callable[[], Any], /) -> Any:
        nonlocal ran
        ran += 1
        return await asyncio.to_thread(work)

    town.relay = Relay(town.store, town.settings, entropy=town.draw, run=run)
    await town.relay.start()
    alice = await Resident(town, "alice").move_in()
    await alice.publish()
    alice.next(add=[(2, 1)])
    await alice.append()
    assert ran == 3
    await town.refuses(RelayCode.REFUSED, RegisterRequest("bob", (b"list",)))
    await alice.state()
    assert ran == 4


# --- bounds in memory -------------------------------------------------------------------------------------


def test_a_bucket_gives_so_many_and_then_one_an_interval() -> None:
    buckets = Buckets(Bucket(3, 10))
    for _ in range(3):
        buckets.take("a", NOW)
    for later, seconds in ((0, 10), (4, 6), (9, 1)):
        with pytest.raises(Refused) as refused:
            buckets.take("a", NOW + later)
        assert (refused.value.code, refused.value.number) == (RelayCode.SLOW_DOWN, seconds)
    buckets.take("b", NOW)
    buckets.take("a", NOW + 10)
    with pytest.raises(Refused):
        buckets.take("a", NOW + 10)


@given(st.integers(1, 5), st.integers(1, 20), st.lists(st.integers(0, 30), max_size=60))
def test_a_bucket_never_gives_more_than_its_rate(size: int, interval: int, waits: list[int]) -> None:
    buckets, now, given_ = Buckets(Bucket(size, interval)), NOW, list[int]()
    for wait in waits:
        now += wait
        try:
            buckets.take("a", now)
        except Refused as refused:
            seconds = refused.number
            buckets.take("a", now + seconds)
            now += seconds
        given_.append(now)
        for start in given_:
            assert sum(each >= start for each in given_) <= size + (now - start) // interval


@pytest.mark.parametrize("ahead", [121, 3600, 365 * 24 * 3600])
def test_a_clock_that_was_ahead_has_nobody_refused(ahead: int) -> None:
    """RLY-34"""
    buckets = Buckets(Bucket(10, 6))
    for _ in range(10):
        buckets.take("a", NOW + ahead)
    for _ in range(10):
        buckets.take("a", NOW)
    with pytest.raises(Refused) as refused:
        buckets.take("a", NOW)
    buckets.take("a", NOW + refused.value.number)


def test_a_clock_that_was_a_little_ahead_gives_nothing_away() -> None:
    """RLY-34"""
    buckets = Buckets(Bucket(10, 6))
    for _ in range(10):
        buckets.take("a", NOW + 50)
    for now in (NOW, NOW + 20, NOW + 50):
        with pytest.raises(Refused):
            buckets.take("a", now)
    buckets.take("a", NOW + 56)


def test_buckets_and_seen_keys_are_bounded() -> None:
    """RLY-31: a flood of strangers is forgotten, and the memory does not grow."""
    buckets, seen = Buckets(Bucket(1, 10), most=100), Seen(most=100)
    for each in range(1000):
        buckets.take(each, NOW)
        seen.add(each)
        assert len(buckets) <= 100
        assert len(seen) <= 100
    assert 999 in seen
    assert 0 not in seen
    buckets.take(0, NOW)
    with pytest.raises(Refused):
        buckets.take(999, NOW)


class SameHead(Failing):
    """A store in which every account has the list of one."""

    async def head(self, account: bytes) -> Head | None:
        del account
        found: Head | None = await self.store.head(bytes(16))
        return found


async def test_remembered_lists_are_bounded(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_means, "MAX_HEADS", 100)
    encoded = Owner("alice").lists[0].encode()
    await town.store.create(bytes(16), [encoded], verify_chain([encoded]), replace=False)

    heads = Heads(SameHead(town.store, ValueError))
    for each in range(150):
        assert await heads.recent(each.to_bytes(16, "big"), NOW) is not None
    assert len(heads) == 100


# --- settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "Relay.example"},
        {"name": "a" * 264},
        {"name": NAME, "other_names": ("",)},
        {"name": NAME, "mailbox_messages": 0},
        {"name": NAME, "mailbox_bytes": 1024 * 1024 - 1},
        {"name": NAME, "mail_days": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RelaySettings(**wrong)


def test_a_ticket_key_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidKey):
        RelaySettings(NAME, ticket_key=bytes(32))
