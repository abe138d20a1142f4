"""What one request may cost: size of head and body, media type, method, time, and memory without a token."""

import asyncio
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message

from letterlock import Address
from letterlock._wire.relay_calls import CALL_OF_PATH, CALLS, Call, TokenUse
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_limits import KIB, MAX_STRANGERS_PART
from letterlock._wire.relay_login import ChallengeRequest
from letterlock.relay._reply import Reply
from letterlock.relay._server._budget import Budget
from letterlock.relay._server._calls import Calls
from letterlock.relay._server._core import RelayCore
from support.relay_server import (
    ServedTown,
    Server,
    everything,
    in_town,
    request,
    served,
    status_of,
    until,
)
from support.relay_socket import line
from support.relay_town import Resident

ASK = ChallengeRequest(Address("nobody", 1)).encode()
MIB = 1024 * 1024
CHUNKED = (
    b"POST /v1/challenge HTTP/1.1\r\nhost: x\r\ncontent-type: application/cbor\r\n"
    b"transfer-encoding: chunked\r\n"
)


def error_of(answer: bytes) -> ErrorAnswer:
    return ErrorAnswer.decode(answer.partition(b"\r\n\r\n")[2])


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A relay with little patience."""
    seconds = ["--header-seconds", "1", "--body-seconds", "1", "--answer-seconds", "1", "--idle-seconds", "1"]
    with served(tmp_path_factory.mktemp("hasty"), *seconds, "--connections", "20") as running:
        yield running


def test_a_socket_stays_open_longer_than_a_head_may_take(hasty: Server) -> None:
    async def play(town: ServedTown) -> None:
        alice, bob = await Resident(town, "alice").move_in(), await Resident(town, "bob").move_in()
        async with line(hasty, bob.tokens[1]) as open_line:
            # A connection that sends no head begins after the socket, and is closed: so is no socket.
            with hasty.connect() as silent:
                assert await asyncio.to_thread(everything, silent) == b""
            await alice.sent(bob, {1: b"late"})
            assert list((await open_line.texts(1)).values()) == [b"late"]

    in_town(hasty, play)


# --- heads and bodies -----------------------------------------------------------------------------------


def test_a_call_is_answered(server: Server) -> None:
    assert status_of(server.talk(request(ASK))) == 200


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(server: Server, call: Call) -> None:
    path = call.path
    answer = server.talk(request(b"", path, length=5 * MIB))
    if CALL_OF_PATH[path].token is TokenUse.ALWAYS:
        assert error_of(answer).code is RelayCode.UNKNOWN
    else:
        assert status_of(answer) == 413
        assert error_of(answer).code is RelayCode.TOO_LARGE
        assert 0 < error_of(answer).number <= call.size


def test_one_byte_too_many_is_refused_and_one_less_is_read(server: Server) -> None:
    most = CALL_OF_PATH["/v1/challenge"].size
    assert status_of(server.talk(request(bytes(most + 1)))) == 413
    assert error_of(server.talk(request(bytes(most)))).code is RelayCode.MALFORMED
    most = MAX_STRANGERS_PART + KIB
    assert error_of(server.talk(request(bytes(most + 1), "/v1/put"))).number == most
    assert error_of(server.talk(request(bytes(most), "/v1/put"))).code is RelayCode.MALFORMED


def test_a_body_in_chunks_is_bounded_too(server: Server) -> None:
    whole = CHUNKED + b"connection: close\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(ASK), ASK)
    assert status_of(server.talk(whole)) == 200
    endless = CHUNKED + b"\r\n" + b"400\r\n" + bytes(1024) + b"\r\n"
    with server.connect() as connection:
        connection.sendall(endless + (b"400\r\n" + bytes(1024) + b"\r\n") * 4)
        connection.shutdown(socket.SHUT_WR)
        assert status_of(everything(connection)) == 413


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /v1/nothing HTTP/1.1", 404),
        ("POST /v1/ HTTP/1.1", 404),
        ("POST /v1/challenge/ HTTP/1.1", 404),
        ("POST /v1/Challenge HTTP/1.1", 404),
        ("GET /v1/challenge HTTP/1.1", 405),
        ("PUT /v1/challenge HTTP/1.1", 405),
        ("HEAD /v1/challenge HTTP/1.1", 405),
        ("GET /nothing HTTP/1.1", 404),
        ("POST / HTTP/1.1", 405),
        ("GET /v1 HTTP/1.1", 404),
        ("GET //v1/challenge HTTP/1.1", 404),
        ("GET /v1/socket HTTP/1.1", 404),
        ("GET /%00 HTTP/1.1", 404),
        ("OPTIONS * HTTP/1.1", 404),
        ("BREW /v1/challenge HTTP/1.1", 405),
    ],
)
def test_what_is_no_call_is_refused(server: Server, head: str, status: int) -> None:
    answer = server.talk(f"{head}\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert status_of(answer) == status


@pytest.mark.parametrize(
    "header",
    [
        "content-type: application/json",
        "content-type:",
        "content-type: application/cborx",
        "content-encoding: gzip",
    ],
)
def test_another_media_type_is_refused(server: Server, header: str) -> None:
    answer = server.talk(request(ASK, "/v1/challenge", header))
    assert status_of(answer) == 415
    assert error_of(answer).code is RelayCode.MALFORMED


def test_a_media_type_with_a_parameter_is_taken(server: Server) -> None:
    data = request(ASK).replace(b"application/cbor", b"Application/CBOR; x=y")
    assert status_of(server.talk(data)) == 200


def test_a_long_head_is_refused(server: Server) -> None:
    answer = server.talk(b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x: " + b"y" * 100_000)
    assert status_of(answer) in {0, 400}
    many = b"".join(b"x-%d: y\r\n" % each for each in range(20_000))
    assert status_of(server.talk(b"GET / HTTP/1.1\r\nhost: x\r\n" + many)) in {0, 400}


@pytest.mark.parametrize(
    "junk",
    [
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/x\r\n\r\n",
        b"POST /v1/challenge HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
        b"POST /v1/challenge HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /v1/challenge HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        CHUNKED + b"\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 100,
    ],
)
def test_what_is_no_http_ends_the_connection(hasty: Server, junk: bytes) -> None:
    assert status_of(hasty.talk(junk)) in {0, 400, 505}
    assert status_of(hasty.talk(request(ASK))) == 200


# --- time and memory ------------------------------------------------------------------------------------


def test_a_head_that_does_not_end_is_not_waited_for(hasty: Server) -> None:
    before = hasty.metrics()["letterlock_relay_late_connections_total"]
    with hasty.connect() as silent, hasty.connect() as slow:
        for byte in b"GET / HTTP/1.1\r\nhost: aaaaaaaaaaaaaaaaa":
            try:
                slow.sendall(bytes([byte]))
            except ConnectionError:
                break
            time.sleep(0.05)
        assert everything(slow) == everything(silent) == b""
    assert hasty.metrics()["letterlock_relay_late_connections_total"] == before + 2


def test_a_body_that_does_not_end_is_not_waited_for(hasty: Server) -> None:
    answer = hasty.talk(request(ASK[:-1], length=len(ASK)))
    assert status_of(answer) == 408
    assert error_of(answer).code is RelayCode.MALFORMED


def test_an_idle_connection_ends(hasty: Server) -> None:
    data = request(ASK).replace(b"connection: close\r\n", b"")
    with hasty.connect() as connection:
        connection.sendall(data + data)
        answer = everything(connection)
    assert answer.count(b"HTTP/1.1 200 OK") == 2


def test_an_answer_that_nobody_takes_is_given_up(hasty: Server) -> None:
    before = hasty.metrics()["letterlock_relay_late_connections_total"]
    page = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    with hasty.connect() as deaf:
        deaf.settimeout(0.5)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with suppress(TimeoutError, ConnectionError):
            for _ in range(20_000):
                deaf.sendall(page)
        until(lambda: hasty.metrics()["letterlock_relay_late_connections_total"] > before)


def test_a_connection_too_many_is_closed_at_once(tmp_path: Path) -> None:
    with served(tmp_path, "--connections", "20", "--header-seconds", "600") as few:
        held = [few.connect() for _ in range(20)]
        try:
            assert few.talk(request(ASK)) == b""
        finally:
            for each in held:
                each.close()
        until(lambda: few.talk(request(ASK)) != b"")
        assert few.metrics()["letterlock_relay_refused_connections_total"] >= 1


def test_strangers_bodies_share_bounded_memory(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each of 40 strangers sends most of a registration of 4 MiB: 160 MiB, where 8 MiB are theirs."""
    folder = tmp_path_factory.mktemp("memory")
    with served(folder, "--body-memory", str(16 * MIB)) as small:
        assert status_of(small.talk(request(ASK))) == 200
        before = small.memory()
        held: list[socket.socket] = []
        answers = set[int]()
        try:
            for _ in range(40):
                connection = small.connect()
                connection.settimeout(0.3)
                held.append(connection)
                with suppress(TimeoutError, ConnectionError):
                    connection.sendall(request(bytes(3 * MIB), "/v1/register", length=4 * MIB))
            assert small.metrics()["letterlock_relay_body_bytes"] <= 8 * MIB
            assert small.memory() - before < 64 * MIB
            assert status_of(small.talk(request(ASK))) == 200
            waiting = list(held)
            while 503 not in answers:
                # Whoever has a place says nothing, and the end of a connection may overtake what it was told.
                answered, _, _ = select.select(waiting, [], [], 30)
                assert answered
                waiting.remove(answered[0])
                answers.add(status_of(everything(answered[0])))
        finally:
            for each in held:
                each.close()
        until(lambda: small.metrics()["letterlock_relay_body_bytes"] == 0)


def test_answers_that_nobody_takes_share_bounded_memory() -> None:
    """Each of four connections of one device asks for 4 MiB, and reads none of it: two fit into 10 MiB."""

    async def play() -> None:
        held, statuses, taken = list[int](), list[int](), asyncio.Event()

        async def handle(*_: object) -> Reply:
            return Reply(200, bytes(4 * MIB))

        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            elif not message.get("more_body"):
                await taken.wait()

        relay: Any = SimpleNamespace(session=lambda *_: SimpleNamespace(), handle=handle)
        metrics: Any = SimpleNamespace(body=held.append, request=lambda *_: None)
        faults: Any = None
        calls = Calls(RelayCore(relay), metrics, faults, Budget(10 * MIB, held.append), 60)
        headers = [(b"content-type", b"application/cbor"), (b"authorization", b"Bearer AAAA")]
        scope = {"path": "/v1/lists", "method": "POST", "headers": headers}
        tasks = [asyncio.create_task(calls(scope, receive, send)) for _ in range(4)]
        while len(statuses) < len(tasks):  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.001)
        assert (sorted(statuses), sum(held)) == ([200, 200, 503, 503], 8 * MIB)
        taken.set()
        await asyncio.gather(*tasks)
        assert sum(held) == 0

    asyncio.run(play())
