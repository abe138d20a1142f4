"""Head and body of an answer are written together, and nothing of it is kept back."""

import asyncio
from typing import cast

import pytest

from letterlock.relay._server._joined_writes import JoinedWrites
from support.relay_server import Server, request, status_of

HEAD = b"HTTP/1.1 200 \r\ncontent-length: 4\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 \r\n\r\n"


class Written:
    """A transport that remembers what is written, and when it was closed."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.parts.append(data)

    def close(self) -> None:
        self.parts.append(b"closed")

    def is_closing(self) -> bool:
        return False


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def joined(written: Written) -> asyncio.Transport:
    return JoinedWrites.around(cast("asyncio.Transport", written))


def test_the_head_goes_with_the_body(joined: asyncio.Transport, written: Written) -> None:
    joined.write(HEAD)
    assert written.parts == []
    joined.write(b"body")
    joined.write(b"more")
    assert written.parts == [HEAD + b"body", b"more"]


def test_an_answer_without_a_body_goes_at_its_end(joined: asyncio.Transport, written: Written) -> None:
    joined.write(HEAD)
    joined.write(b"")
    assert written.parts == [HEAD]


def test_a_client_that_waits_for_leave_to_send_gets_it(joined: asyncio.Transport, written: Written) -> None:
    joined.write(CONTINUE)
    assert written.parts == [CONTINUE]


def test_a_head_is_not_lost_when_the_answer_breaks_off(joined: asyncio.Transport, written: Written) -> None:
    joined.write(HEAD)
    joined.close()
    assert written.parts == [HEAD, b"closed"]


def test_everything_else_is_asked_of_the_transport(joined: asyncio.Transport) -> None:
    assert not joined.is_closing()


def test_answers_on_one_connection_are_whole(server: Server) -> None:
    """Also where the next request comes with the first one."""
    asked = request(b"").replace(b"connection: close\r\n", b"")
    with server.connect() as connection:
        connection.sendall(asked + asked + request(b""))
        found = b""
        while part := connection.recv(65536):
            found += part
    assert found.count(b"HTTP/1.1 400 ") == 3
    assert status_of(found) == 400
