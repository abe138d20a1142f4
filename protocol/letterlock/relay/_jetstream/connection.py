"""A connection to NATS JetStream by nats-py: what we ask of it, and its errors as ours.

    last             the last message of a subject, from the stream's leader: it sees what was acknowledged
    last_of_each     the same for many subjects at once, from any replica: it may be behind the leader
    after            messages of a filter in the order of the stream, from any replica
    publish          one message, or several as an atomic batch, if each subject is still as it was read

    Refused          a subject has changed since it was read: nothing was stored
    Unsettled        no answer came: it was stored, or it may be, or never will

JetStream answers when a majority of the replicas has a message, which the system may not have written to its
disk yet. Servers that can all lose power at once should be configured with `sync_interval: always`.

Not here: subjects (subjects.py), streams (streams.py), when to try again (retries.py).
"""

import asyncio
import base64
import json
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Final, NamedTuple

from letterlock.errors import StoreError, UsageError

ANSWER_SECONDS: Final = 2.0
"""How long one question waits for its answer. A leader that is lost is replaced within a few seconds."""

DOUBT_SECONDS: Final = 6.0
"""How long a server answers nothing that needs a leader before another one is asked: it may be cut off from
the others, and does not tell its clients."""

CONNECT_SECONDS: Final = 6.0
"""How long all the servers are tried before the relay does not start."""

_MOST_SUBJECTS: Final = 500
"""Subjects of one question; a server takes 1,024."""

_NOT_FOUND: Final = frozenset({404})
_CHANGED: Final = frozenset({10071, 10164})
_FOR_NOW: Final = frozenset({503, 429, 408})
_BATCHES: Final = range(10174, 10212)
"""Errors about batches: too many at once, given up, incomplete."""
_NO_PEERS: Final = 10005
"""The nodes of a cluster that has just started do not know each other yet."""


class Refused(Exception):
    """A subject has changed since it was read, and nothing was stored. It never leaves the store."""


class Unsettled(Exception):
    """There was no answer. It never leaves the store."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as a stream has it."""

    subject: str
    sequence: int
    data: bytes = field(repr=False)


class Part(NamedTuple):
    """Some messages of a stream, how many follow them, and the sequence up to which the replica had got."""

    messages: list[Stored]
    left: int
    up_to: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message to store. `expected` is the sequence of the last message on `subject`, or on `of` if given.

    It is 0 where nothing was there. After `seconds` the servers delete the message.
    """

    stream: str
    subject: str
    data: bytes = field(repr=False)
    expected: int | None = None
    of: str | None = None
    seconds: int | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that carry the conditions."""
        found = dict[str, str]()
        if self.expected is not None:
            found["Nats-Expected-Last-Subject-Sequence"] = str(self.expected)
        if self.of is not None:
            found["Nats-Expected-Last-Subject-Sequence-Subject"] = self.of
        if self.seconds is not None:
            found["Nats-TTL"] = f"{max(1, self.seconds)}s"
        return found


def library() -> Any:  # noqa: ANN401 (a module that is not always there)
    """Return nats-py. Raises UsageError where it is not installed."""
    try:
        import nats  # noqa: PLC0415 (only who uses this kind of database needs it)
    except ImportError:
        raise UsageError("nats-py is missing: run `pip install 'letterlock[relay-nats]'`") from None
    return nats


class Nats:
    """A connection to a cluster. When a server is lost, or of no use, it goes on with another one."""

    __slots__ = ("_client", "_errors", "_in_vain_since", "_on_reconnect", "_questions", "_servers")

    def __init__(self, servers: Sequence[str], on_reconnect: Callable[[], None]) -> None:
        self._servers = random.sample(servers, len(servers))
        self._in_vain_since: float | None = None
        self._on_reconnect = on_reconnect
        self._questions = set[asyncio.Timeout]()
        self._client: Any = None
        self._errors: tuple[type[Exception], ...] = ()

    async def open(self) -> None:
        """Connect. Raises StoreError."""
        nats = library()
        self._errors = (nats.errors.Error, TimeoutError, OSError)

        async def disconnected() -> None:
            self._give_up_questions()

        async def reconnected() -> None:
            self._on_reconnect()

        async def ignore(_: Exception) -> None:
            pass

        options = {
            "name": "letterlock relay",
            "no_echo": True,
            "dont_randomize": True,  # they are in any order, and the next one is always another one
            "connect_timeout": 2,
            "allow_reconnect": True,
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 0.2,
            "ping_interval": 2,
            "max_outstanding_pings": 2,
            "disconnected_cb": disconnected,
            "reconnected_cb": reconnected,
            "error_cb": ignore,
        }
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                self._client = await nats.connect(self._servers, **options)
        except self._errors as error:
            raise StoreError(f"NATS cannot be reached: {type(error).__name__}; try again") from None

    async def close(self) -> None:
        """End the connection after what was sent is on its way."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(*self._errors):
                await asyncio.wait_for(client.flush(), ANSWER_SECONDS)
            with suppress(*self._errors):
                await client.close()

    @property
    def client(self) -> Any:  # noqa: ANN401 (a library that is not always there)
        """The connection. Raises UsageError after `close`."""
        if self._client is None:
            raise UsageError("the relay's store is closed: open it again")
        return self._client

    # --- questions ------------------------------------------------------------------------------------

    async def _ask(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the leader's answer. Raises Unsettled."""
        try:
            async with self._question():
                answer = await self.client.request(subject, data, timeout=ANSWER_SECONDS, headers=headers)
        except self._errors:
            await self._doubt()
            raise Unsettled from None
        read = _read(bytes(answer.data))
        if _is_for_now(read.get("error")):
            await self._doubt()
        else:
            self._in_vain_since = None
        return read

    @asynccontextmanager
    async def _question(self) -> AsyncGenerator[None]:
        """Raise TimeoutError in the block when the connection is lost: no other one brings the answer."""
        async with asyncio.timeout(None) as question:
            self._questions.add(question)
            try:
                yield
            finally:
                self._questions.discard(question)

    def _give_up_questions(self) -> None:
        now = asyncio.get_running_loop().time()
        for each in self._questions:
            each.reschedule(now)
        self._questions.clear()

    async def _doubt(self) -> None:
        """Go on with another server if this one has been asked in vain for some time."""
        now = asyncio.get_running_loop().time()
        if self._in_vain_since is None:
            self._in_vain_since = now
        elif now - self._in_vain_since > DOUBT_SECONDS:
            self._in_vain_since = now
            # Releases of nats-py that have no such method stay with the server until it is lost.
            reconnect = getattr(self.client, "force_reconnect", None)
            if reconnect is not None:
                await reconnect()

    async def call(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call JetStream's interface. The answer may hold an error. Raises Unsettled."""
        return await self._ask(f"$JS.API.{name}", json.dumps(body).encode())

    async def last(self, stream: str, subject: str) -> Stored | None:
        """Return the last message of a subject as the stream's leader has it, or None. Raises Unsettled."""
        answer = await self.call(f"STREAM.MSG.GET.{stream}", {"last_by_subj": subject})
        if "error" in answer:
            if answer["error"].get("code") in _NOT_FOUND and answer["error"].get("err_code") != _NO_STREAM:
                return None
            raise_error(answer["error"])
        message = answer["message"]
        return Stored(subject, int(message["seq"]), base64.b64decode(message.get("data", "")))

    async def last_of_each(self, stream: str, subjects: Sequence[str]) -> dict[str, Stored]:
        """Return the last message of each subject that a replica has. Raises Unsettled."""
        found = dict[str, Stored]()
        for first in range(0, len(subjects), _MOST_SUBJECTS):
            part = list(subjects[first : first + _MOST_SUBJECTS])
            for each in (await self._stream_of_answers(stream, {"multi_last": part})).messages:
                found[each.subject] = each
        return found

    async def after(self, stream: str, filter_: str, sequence: int, most: int) -> "Part":
        """Return messages of a filter from a sequence on. Raises Unsettled."""
        body = {"seq": sequence, "next_by_subj": filter_, "batch": most, "max_bytes": 4 * 1024 * 1024}
        return await self._stream_of_answers(stream, body)

    async def up_to(self, stream: str, subject: str) -> int:
        """Return how far the replica that answers has got. There is a message on `subject`."""
        return (await self._stream_of_answers(stream, {"multi_last": [subject]})).up_to

    async def _stream_of_answers(self, stream: str, body: dict[str, Any]) -> "Part":
        client = self.client
        inbox = client.new_inbox()
        found = list[Stored]()
        left = 0
        try:
            subscription = await client.subscribe(inbox)
            try:
                await client.publish(f"$JS.API.DIRECT.GET.{stream}", json.dumps(body).encode(), reply=inbox)
                while True:
                    async with self._question():
                        message = await subscription.next_msg(timeout=ANSWER_SECONDS)
                    headers: dict[str, str] = message.headers or {}
                    if "Status" in headers:
                        if headers["Status"] not in {"204", "404"}:
                            raise Unsettled
                        return Part(found, left, int(headers.get("Nats-UpTo-Sequence", 0)))
                    left = int(headers.get("Nats-Num-Pending", 0))
                    found.append(Stored(headers["Nats-Subject"], int(headers["Nats-Sequence"]), message.data))
            finally:
                await subscription.unsubscribe()
        except self._errors:
            raise Unsettled from None

    # --- changes --------------------------------------------------------------------------------------

    async def publish(self, *messages: Message) -> int:
        """Store messages of one stream, all or none. Return the sequence of the last; the others precede it.

        Raises Refused, Unsettled and StoreError.
        """
        *others, last = messages
        headers = last.headers()
        if others:
            batch = token_hex(16)
            try:
                for place, message in enumerate(others, 1):
                    await self.client.publish(
                        message.subject,
                        message.data,
                        headers=message.headers()
                        | {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(place)},
                    )
            except self._errors:
                raise Unsettled from None
            headers |= {
                "Nats-Batch-Id": batch,
                "Nats-Batch-Sequence": str(len(messages)),
                "Nats-Batch-Commit": "1",
            }
        answer = await self._ask(last.subject, last.data, headers or None)
        if "error" in answer:
            raise_error(answer["error"])
        if answer.get("stream") != last.stream:
            raise StoreError("another stream has the subjects of the relay: give the relay another name")
        return int(answer["seq"])

    async def purge(self, stream: str, filters: Iterable[str]) -> None:
        """Delete what nothing leads to any more. What cannot be deleted now stays, and does no harm."""
        for each in filters:
            with suppress(Unsettled):
                await self.call(f"STREAM.PURGE.{stream}", {"filter": each})

    async def tell(self, subject: str) -> None:
        """Send an empty message to whoever listens now. A message that is lost is no error."""
        with suppress(*self._errors):
            await self.client.publish(subject, b"")

    async def listen(self, subject: str, heard: Callable[[], None]) -> Callable[[], Awaitable[None]]:
        """Call a function for each message. Return what ends that. Raises Unsettled."""

        async def on_message(_: object) -> None:
            heard()

        try:
            subscription = await self.client.subscribe(subject, cb=on_message)
            async with self._question():
                await self.client.flush(timeout=ANSWER_SECONDS)
        except self._errors:
            raise Unsettled from None

        async def end() -> None:
            with suppress(*self._errors):
                await subscription.unsubscribe()

        return end


_NO_STREAM: Final = 10059


def _read(data: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(data)
    except ValueError:
        raise StoreError("this is no JetStream: its answers cannot be read") from None
    return answer


def _is_for_now(error: dict[str, Any] | None) -> bool:
    """Return whether there is no leader, or none that can do it now."""
    return error is not None and (error.get("code") in _FOR_NOW or error.get("err_code") == _NO_PEERS)


def raise_error(error: dict[str, Any]) -> None:
    """Raise what JetStream answered. Its words may name subjects, so only its numbers are shown."""
    code, detail = int(error.get("code", 0)), int(error.get("err_code", 0))
    if detail in _CHANGED:
        raise Refused
    if _is_for_now(error) or detail in _BATCHES:
        raise Unsettled
    raise StoreError(f"JetStream refused with error {detail} ({code}): see the servers' logs")
