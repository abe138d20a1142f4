"""HTTP and WebSocket to one relay, through httpx and websockets.

Certificates are verified, redirects are not followed, and answers are read up to a limit and never
decompressed: the relay is not trusted, and neither is what stands in front of it. Without TLS a client talks
to this machine only, unless the application allows more.                                            [CLN-6]

Both trust the authorities of the system and those of certifi, or only those that SSL_CERT_FILE or
SSL_CERT_DIR names.

Not here: what bodies mean (_connection.py).
"""

import os
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from letterlock._wire.relay_calls import CONTENT_TYPE, SOCKET_PATH
from letterlock._wire.relay_limits import MAX_RELAY_NAME
from letterlock._wire.relay_login import token_text
from letterlock.client._errors import RelayMisbehaves, RelayUnavailable
from letterlock.client._transport import MAX_SECONDS, Reply, Socket, SocketClosed
from letterlock.errors import UsageError

try:
    import certifi
    import httpx
    from websockets.asyncio.client import ClientConnection, connect
    from websockets.exceptions import ConnectionClosed, WebSocketException
except ModuleNotFoundError as error:
    raise UsageError(
        f"letterlock.client needs {error.name}: python -m pip install 'letterlock[client]'"
    ) from error

SECONDS: Final = 20.0
"""How long a connection, a write, or a pause between two pieces of an answer may take."""
_GOING_AWAY: Final = 1001
_OWN_AUTHORITIES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_PORTS: Final = {"https": 443, "http": 80}


class RelayUrl:
    """The URL of a relay, checked: `https`, or `http` on this machine, a host and perhaps a port, no more."""

    __slots__ = ("is_local", "name", "text")

    def __init__(self, url: str, *, allow_insecure: bool = False) -> None:
        """Raises UsageError."""
        if type(url) is not str or len(url) > MAX_RELAY_NAME + len("https:///"):
            raise UsageError("the URL of a server is such as https://relay.example")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        rest = (parts.path.strip("/"), parts.query, parts.fragment, parts.username, parts.password)
        if host is None or parts.scheme not in _PORTS or any(rest) or not host.isascii():
            raise UsageError("the URL of a server is such as https://relay.example, without a path")
        self.is_local = _is_loopback(host)
        if parts.scheme == "http" and not self.is_local and not allow_insecure:
            raise UsageError("a relay on another machine needs https: anybody on the way could pose as it")
        shown = f"[{host}]" if ":" in host else host
        self.name = shown if port is None or port == _PORTS[parts.scheme] else f"{shown}:{port}"
        self.text = f"{parts.scheme}://{self.name}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def trusted() -> ssl.SSLContext:
    """Return what HTTP and sockets verify a relay's certificate with. [CLN-6]"""
    context = ssl.create_default_context()  # reads both variables
    if not any(map(os.environ.get, _OWN_AUTHORITIES)):
        context.load_verify_locations(certifi.where())  # for systems whose own are elsewhere
    return context


class HttpTransport:
    """Connections to one relay, kept open between calls."""

    __slots__ = ("_client", "_tls", "_url")

    def __init__(self, url: RelayUrl) -> None:
        self._url = url
        self._tls = trusted() if url.text.startswith("https:") else None
        timeout = httpx.Timeout(SECONDS)
        headers = {"content-type": CONTENT_TYPE, "accept": CONTENT_TYPE, "accept-encoding": "identity"}
        self._client = httpx.AsyncClient(
            base_url=url.text,
            headers=headers,
            timeout=timeout,
            follow_redirects=False,
            verify=True if self._tls is None else self._tls,
            trust_env=not url.is_local,  # a proxy cannot reach this machine
        )

    async def post(self, path: str, body: bytes, token: bytes | None, most: int, wait: int) -> Reply:
        """See `Transport.post`."""
        headers = {} if token is None else {"authorization": f"Bearer {token_text(token)}"}
        timeout = httpx.Timeout(SECONDS, read=SECONDS + wait)
        try:
            async with self._client.stream(
                "POST", path, content=body, headers=headers, timeout=timeout
            ) as answer:
                return Reply(answer.status_code, await _bounded(answer, most), _retry_after(answer))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise RelayUnavailable(f"no answer ({type(error).__name__})") from None

    @asynccontextmanager
    async def socket(self, token: bytes, most: int) -> AsyncGenerator[Socket]:
        """See `Transport.socket`."""
        url = "ws" + self._url.text.removeprefix("http") + SOCKET_PATH
        headers = {"authorization": f"Bearer {token_text(token)}"}
        try:
            opened = await _Connect(
                url,
                additional_headers=headers,
                max_size=most,
                max_queue=1,
                compression=None,
                open_timeout=SECONDS,
                ssl=self._tls,
                proxy=None if self._url.is_local else True,
            )
        except (WebSocketException, OSError, TimeoutError, ValueError) as error:
            raise RelayUnavailable(f"no socket ({type(error).__name__})") from None
        try:
            yield _OpenSocket(opened)
        finally:
            await opened.close()

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._client.aclose()


class _Connect(connect):
    """Opens a socket at the very address that was given."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Return the error: no redirect is followed. [CLN-6]"""
        return exc


class _OpenSocket:
    """A socket of the library, with the errors of this package."""

    __slots__ = ("_opened",)

    def __init__(self, opened: ClientConnection) -> None:
        self._opened = opened

    async def send(self, frame: bytes) -> None:
        try:
            await self._opened.send(frame)
        except ConnectionClosed as closed:
            raise _closed(closed) from None

    async def receive(self) -> bytes:
        try:
            frame = await self._opened.recv(decode=False)
        except ConnectionClosed as closed:
            raise _closed(closed) from None
        return bytes(frame)


def _closed(closed: ConnectionClosed) -> SocketClosed:
    return SocketClosed(_GOING_AWAY if closed.rcvd is None else closed.rcvd.code)


async def _bounded(answer: httpx.Response, most: int) -> bytes:
    """Return the body. Raises RelayMisbehaves for one that is longer, compressed, or a redirect."""
    if answer.is_redirect:
        raise RelayMisbehaves("leads to another address")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise RelayMisbehaves("compresses its answer, which was not asked for")
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > most:
            raise RelayMisbehaves(f"answers with more than {most} bytes")
    return bytes(body)


def _retry_after(answer: httpx.Response) -> int:
    text = answer.headers.get("retry-after", "")
    return min(int(text), MAX_SECONDS) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
