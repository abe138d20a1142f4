"""MailServer: the server that takes a service's mail, and how the way to it is kept secret.

    TLS         encrypted from the first byte (port 465)
    STARTTLS    asked for, and refused if the server does not have it (port 587)
    NONE        for a server on this machine alone

Not here: what is sent (_mail.py).
"""

from enum import Enum, unique
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import Secret, Uncopyable
from letterlock.errors import UsageError

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_MAX_PORT: Final = 65535


class MailPassword(Secret):
    """The password of an account at a mail server, in UTF-8."""

    __slots__ = ()
    LENGTH = None


@unique
class MailSecurity(Enum):
    """How the connection to a mail server is encrypted."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MailServer(Uncopyable):
    """Where mail is handed in. Raises UsageError for what would send a code or a password in the clear."""

    host: str
    port: int = 587
    security: MailSecurity = MailSecurity.STARTTLS
    user: str | None = None
    password: MailPassword | None = None

    def __post_init__(self) -> None:
        if not self.host or not 0 < self.port <= _MAX_PORT:
            raise UsageError(f"a mail server has a name, and a port of 1 to {_MAX_PORT}")
        if (self.user is None) != (self.password is None):
            raise UsageError("an account at a mail server has a name and a password")
        if self.security is MailSecurity.NONE and (self.host not in _LOOPBACK or self.user is not None):
            raise UsageError("without encryption, only a mail server on this machine, and no password")
