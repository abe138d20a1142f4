"""What comes over HTTP from somebody who is not trusted. CLN-6"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import pytest

from letterlock.client import RelayMisbehaves, RelayUnavailable
from letterlock.client._http import HttpTransport, RelayUrl
from letterlock.client._transport import Reply, SocketClosed

Story = Callable[[HttpTransport], Awaitable[None]]

MOST = 1000


def answer(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    """Return an HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def play(sent: bytes | None, story: Story) -> list[bytes]:
    """Play a story against a server that answers everything alike; None: it sends without end."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(sent if sent is not None else b"HTTP/1.1 200 OK\r\n\r\n")
            while sent is None:
                writer.write(bytes(65536))
                await writer.drain()
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport = HttpTransport(RelayUrl(f"http://127.0.0.1:{port}"))
        try:
            async with asyncio.timeout(20):
                await story(transport)
        finally:
            await transport.close()
            server.close()

    asyncio.run(main())
    return heads


async def post(transport: HttpTransport) -> Reply:
    return await transport.post("/v1/state", b"body", b"token", MOST, 0)


def test_an_answer_comes_back_with_its_status() -> None:
    async def story(transport: HttpTransport) -> None:
        assert await post(transport) == Reply(429, b"slow", 7)

    (head,) = play(answer(b"slow", "429 Too Many", "Retry-After: 7"), story)
    text = head.decode().lower()
    assert text.startswith("post /v1/state http/1.1")
    assert "authorization: bearer dg9rzw4" in text
    assert "accept-encoding: identity" in text
    assert "content-type: application/cbor" in text


@pytest.mark.parametrize("text", ["-1", "soon", "1e9", "9" * 30, "\u0667"])
def test_a_pause_that_is_no_number_is_none_or_an_hour(text: str) -> None:
    async def story(transport: HttpTransport) -> None:
        assert (await post(transport)).retry_after in {0, 3600}

    play(answer(b"", "503 Busy", f"Retry-After: {text}"), story)


@pytest.mark.parametrize(
    "sent",
    [
        answer(bytes(MOST + 1)),
        answer(b"", "301 Moved", "Location: https://elsewhere.example/"),
        answer(b"", "307 Moved", "Location: /v1/state"),
        answer(gzip.compress(bytes(10_000_000)), "200 OK", "Content-Encoding: gzip"),
        None,
    ],
    ids=["too long", "redirect", "redirect to itself", "compressed", "endless"],
)
def test_what_was_not_asked_for_is_discarded(sent: bytes | None) -> None:
    async def story(transport: HttpTransport) -> None:
        with pytest.raises(RelayMisbehaves):
            await post(transport)

    play(sent, story)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x16\x03\x01 something else",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 yes\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_no_answer(sent: bytes) -> None:
    async def story(transport: HttpTransport) -> None:
        with pytest.raises(RelayUnavailable):
            await post(transport)
        with pytest.raises(RelayUnavailable):
            async with transport.socket(b"token", MOST):
                pass

    play(sent, story)


@pytest.mark.parametrize("place", ["/elsewhere", "http://127.0.0.1:9/v1/socket", "ws://elsewhere.example/"])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Moved", "308 Moved"])
def test_a_socket_follows_no_redirect(status: str, place: str) -> None:
    """CLN-6: the token goes to the relay that was named, and nowhere else."""

    async def story(transport: HttpTransport) -> None:
        with pytest.raises(RelayUnavailable, match="InvalidStatus"):
            async with transport.socket(b"token", MOST):
                pass

    assert len(play(answer(b"", status, f"Location: {place}"), story)) == 1


def test_nobody_listens() -> None:
    async def story(_: HttpTransport) -> None:
        transport = HttpTransport(RelayUrl("http://127.0.0.1:9"))
        with pytest.raises(RelayUnavailable):
            await post(transport)
        with pytest.raises(RelayUnavailable):
            async with transport.socket(b"token", MOST):
                pass
        await transport.close()

    play(b"", story)


def test_a_socket_takes_frames_up_to_its_limit() -> None:
    from websockets.asyncio.server import ServerConnection, serve

    async def speak(connection: ServerConnection) -> None:
        assert await connection.recv() == b"from the client"
        await connection.send(b"x" * MOST)
        await connection.send(b"x" * (MOST + 1))
        await connection.wait_closed()

    async def main() -> None:
        async with asyncio.timeout(20), serve(speak, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            transport = HttpTransport(RelayUrl(f"http://127.0.0.1:{port}"))
            async with transport.socket(b"token", MOST) as socket:
                await socket.send(b"from the client")
                assert await socket.receive() == b"x" * MOST
                with pytest.raises(SocketClosed):
                    await socket.receive()
                with pytest.raises(SocketClosed):
                    await socket.send(b"late")
            await transport.close()

    asyncio.run(main())
