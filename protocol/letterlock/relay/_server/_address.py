"""Addresses to listen on, and the sockets for them.

Not here: who takes connections from the sockets.
"""

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Self

from letterlock.errors import UsageError

if TYPE_CHECKING:
    from starlette.types import Scope

BACKLOG: Final = 2048
"""Connections that the operating system holds until a worker takes them."""

_FORWARDED: Final = b"x-forwarded-for"

_GREATEST_PORT: Final = 65535
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - refused as a name


@dataclass(frozen=True, slots=True)
class Listen:
    """A host and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, where: str, text: str) -> Self:
        """Read HOST:PORT, where an IPv6 address stands in brackets. Raises UsageError."""
        host, colon, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            colon = ""
        if not (colon and host and port.isascii() and port.isdigit() and len(port) < 6):
            raise UsageError(f"{where} must be HOST:PORT, as in 127.0.0.1:8470 or [::1]:8470")
        if int(port) > _GREATEST_PORT:
            raise UsageError(f"{where} has a port above {_GREATEST_PORT}: choose a smaller one, or 0")
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def default_names(listen: Listen) -> tuple[str, ...]:
    """Return the relay's names if none was given. Raises UsageError if an address does not tell them."""
    if listen.host in _EVERYWHERE:
        raise UsageError(
            f"{listen} says nothing of the URL that clients use: give it with --name relay.example"
        )
    named = Listen("localhost", listen.port)
    return (str(listen), str(named)) if is_loopback(listen.host) else (str(listen),)


def bind(listen: Listen) -> socket.socket:
    """Return a socket that listens. Raises OSError that names the address."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named, and each answer would wait for it.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((listen.host, listen.port))
        found.listen(BACKLOG)
        found.setblocking(False)  # noqa: FBT003
        found.set_inheritable(True)
    except OSError as error:
        found.close()
        raise OSError(error.errno, error.strerror, str(listen)) from error
    return found


def bound(found: socket.socket, asked: Listen) -> Listen:
    """Return where a socket listens: with the port that it got, if 0 was asked for."""
    return Listen(asked.host, found.getsockname()[1])


def caller(scope: "Scope", proxies: int) -> str:
    """Return the address of whoever calls, behind so many proxies of ours; "" if there is none.

    Each of our proxies adds the address that called it at the end of X-Forwarded-For. What stands before
    those is whatever the caller wrote.
    """
    client = scope.get("client")
    if not proxies:
        return client[0] if client else ""
    lines = [value for name, value in scope["headers"] if name == _FORWARDED]
    found = b",".join(lines).decode("latin-1").split(",")
    return found[-proxies].strip() if len(found) >= proxies else ""


def is_loopback(host: str | None) -> bool:
    """Return whether an address is this machine's own."""
    try:
        return host is not None and ip_address(host).is_loopback
    except ValueError:
        return False
