"""Everything that can be set about a relay: names, kinds, defaults and their reasons.

This table makes the flags, the environment variables and the keys of the configuration file.

Not here: reading any of them (_relay_settings.py); what the values mean together (the relay's settings).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from letterlock.errors import UsageError

Value = str | int | bool
"""The value of a setting."""

PREFIX: Final = "LETTERLOCK_RELAY_"
"""What the name of an environment variable begins with."""

CONFIG: Final = "config"
"""The option that names the configuration file. It has no place in the file itself."""

CONFIG_VARIABLE: Final = PREFIX + CONFIG.upper()

_WORDS: Final = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. `read` makes a value of a text or of what TOML gives, or raises UsageError."""

    name: str
    default: Value
    metavar: str
    help: str
    read: Callable[[str, object], Value]

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper().replace("-", "_")

    @property
    def attribute(self) -> str:
        """The name in a `Settings` or an argparse namespace."""
        return self.name.replace("-", "_")


def _text(where: str, given: object) -> str:
    if not isinstance(given, str):
        raise UsageError(f"{where} must be a text: put it in quotes")
    return given


def _switch(where: str, given: object) -> bool:
    value = _WORDS.get(given) if isinstance(given, str) else given
    if not isinstance(value, bool):
        raise UsageError(f"{where} must be on or off")
    return value


def _integer(least: int, most: int) -> Callable[[str, object], int]:
    def read(where: str, given: object) -> int:
        value: object = given
        if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 16:
            value = int(given)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise UsageError(f"{where} must be a whole number from {least} to {most}")
        return value

    return read


def _choice(*choices: str) -> Callable[[str, object], str]:
    def read(where: str, given: object) -> str:
        if not isinstance(given, str) or given not in choices:
            raise UsageError(f"{where} must be one of {', '.join(choices)}")
        return given

    return read


_MIB: Final = 1024 * 1024

OPTIONS: Final = (
    Option("store", "sqlite:///letterlock-relay.db", "URL", "the database", _text),
    Option(
        "listen", "127.0.0.1:8470", "HOST:PORT", "where to take connections; port 0 takes a free one", _text
    ),
    Option(
        "name",
        "",
        "AUTHORITY",
        "host of the clients' URL, with its port unless that is 443; commas separate several. The address by "
        "default",
        _text,
    ),
    Option(
        "registration",
        "open",
        "HOW",
        "`open`: everybody may register; `ticket:KEY`: with a ticket that this public key verifies",
        _text,
    ),
    Option("workers", 1, "N", "worker processes that share the address", _integer(1, 64)),
    Option(
        "metrics-listen",
        "",
        "HOST:PORT",
        "serve /metrics here only; by default on the main address, to this machine only; `off`: nowhere",
        _text,
    ),
    Option("status-page", default=True, metavar="on|off", help="show counts and rates at /", read=_switch),
    Option("log-format", "text", "FORMAT", "text, or json: one object a line", _choice("text", "json")),
    Option(
        "log-level",
        "info",
        "LEVEL",
        "debug, info, warning or error; debug has a line for each request",
        _choice("debug", "info", "warning", "error"),
    ),
    Option("mail-days", 30, "DAYS", "how long mail is kept that nobody fetches", _integer(1, 365)),
    Option(
        "mailbox-messages",
        1000,
        "N",
        "messages in a device's mailbox; newer ones are refused",
        _integer(1, 10**6),
    ),
    Option(
        "mailbox-bytes", 64 * _MIB, "BYTES", "bytes in a device's mailbox", _integer(_MIB, 16 * 1024 * _MIB)
    ),
    Option(
        "shelf-parcels",
        65_536,
        "N",
        "parcels with grants on one user's or collection's shelf; newer ones are refused",
        _integer(64, 10**7),
    ),
    Option(
        "shelf-bytes",
        1024 * _MIB,
        "BYTES",
        "bytes on one user's or collection's shelf",
        _integer(16 * _MIB, 1024 * 1024 * _MIB),
    ),
    Option(
        "connections", 10_000, "N", "connections of one worker; more are closed at once", _integer(1, 10**6)
    ),
    Option("sockets", 8000, "N", "WebSockets of one worker; more are answered 503", _integer(0, 10**6)),
    Option(
        "body-memory",
        256 * _MIB,
        "BYTES",
        "bytes of requests, answers and frames that one worker holds; callers without a token get half, "
        "and sockets half",
        _integer(16 * _MIB, 64 * 1024 * _MIB),
    ),
    Option("header-seconds", 10, "SECONDS", "time for the head of a request", _integer(1, 600)),
    Option("body-seconds", 60, "SECONDS", "time for the body of a request", _integer(1, 600)),
    Option("answer-seconds", 60, "SECONDS", "time for a client to take an answer", _integer(1, 600)),
    Option(
        "idle-seconds",
        75,
        "SECONDS",
        "time between two requests of a connection; longer than the proxy's own",
        _integer(1, 3600),
    ),
    Option("drain-seconds", 15, "SECONDS", "time for requests to end after SIGTERM", _integer(0, 600)),
)
"""All settings, in the order in which the help shows them."""

BY_NAME: Final = {option.name: option for option in OPTIONS}
