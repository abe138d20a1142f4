"""Everything that can be set about a relay: names, kinds, defaults and their reasons.

This table makes the flags, the environment variables and the keys of the configuration file.

Not here: reading any of them (_settings_reader.py); what the values mean together (the relay's settings).
"""

from typing import Final

from letterlock.cli._options import Option, Options, choice, integer, switch, text

_MIB: Final = 1024 * 1024

OPTIONS: Final = (
    Option("store", "sqlite:///letterlock-relay.db", "URL", "the database", text),
    Option(
        "listen", "127.0.0.1:8470", "HOST:PORT", "where to take connections; port 0 takes a free one", text
    ),
    Option(
        "name",
        "",
        "AUTHORITY",
        "host of the clients' URL, with its port unless that is 443; commas separate several. The address by "
        "default",
        text,
    ),
    Option(
        "registration",
        "open",
        "HOW",
        "`open`: everybody may register; `ticket:KEY`: with a ticket that this public key verifies",
        text,
    ),
    Option("workers", 1, "N", "worker processes that share the address", integer(1, 64)),
    Option(
        "metrics-listen",
        "",
        "HOST:PORT",
        "serve /metrics here only; by default on the main address, to this machine only; `off`: nowhere",
        text,
    ),
    Option("status-page", default=True, metavar="on|off", help="show counts and rates at /", read=switch),
    Option("log-format", "text", "FORMAT", "text, or json: one object a line", choice("text", "json")),
    Option(
        "log-level",
        "info",
        "LEVEL",
        "debug, info, warning or error; debug has a line for each request",
        choice("debug", "info", "warning", "error"),
    ),
    Option("mail-days", 30, "DAYS", "how long mail is kept that nobody fetches", integer(1, 365)),
    Option(
        "mailbox-messages",
        1000,
        "N",
        "messages in a device's mailbox; newer ones are refused",
        integer(1, 10**6),
    ),
    Option(
        "mailbox-bytes", 64 * _MIB, "BYTES", "bytes in a device's mailbox", integer(_MIB, 16 * 1024 * _MIB)
    ),
    Option(
        "shelf-parcels",
        65_536,
        "N",
        "parcels with grants on one user's or collection's shelf; newer ones are refused",
        integer(64, 10**7),
    ),
    Option(
        "shelf-bytes",
        1024 * _MIB,
        "BYTES",
        "bytes on one user's or collection's shelf",
        integer(16 * _MIB, 1024 * 1024 * _MIB),
    ),
    Option(
        "connections", 10_000, "N", "connections of one worker; more are closed at once", integer(1, 10**6)
    ),
    Option("sockets", 8000, "N", "WebSockets of one worker; more are answered 503", integer(0, 10**6)),
    Option(
        "body-memory",
        256 * _MIB,
        "BYTES",
        "bytes of requests, answers and frames that one worker holds; callers without a token get half, "
        "and sockets half",
        integer(16 * _MIB, 64 * 1024 * _MIB),
    ),
    Option("header-seconds", 10, "SECONDS", "time for the head of a request", integer(1, 600)),
    Option("body-seconds", 60, "SECONDS", "time for the body of a request", integer(1, 600)),
    Option("answer-seconds", 60, "SECONDS", "time for a client to take an answer", integer(1, 600)),
    Option(
        "idle-seconds",
        75,
        "SECONDS",
        "time between two requests of a connection; longer than the proxy's own",
        integer(1, 3600),
    ),
    Option("drain-seconds", 15, "SECONDS", "time for requests to end after SIGTERM", integer(0, 600)),
    Option(
        "recovery-store",
        "",
        "URL",
        "the database of recovery: this relay is then server 1. SQLite or PostgreSQL, apart from --store",
        text,
    ),
    Option(
        "recovery-keys", "", "FILE", "the secrets of server 1, which `letterlock keyserver keys` makes", text
    ),
    Option(
        "recovery-tickets",
        "",
        "KEY",
        "evaluate with a ticket only that this public key of server 2 verifies; `none`: for everybody",
        text,
    ),
    Option(
        "recovery-identity",
        "",
        "HOW",
        "checks of a user's identity before a guess, as those of a key server; none without",
        text,
    ),
    Option(
        "address-calls",
        60,
        "N",
        "evaluations that one address may ask for at once, and one more every 10 seconds; 0: no bound",
        integer(0, 10**6),
    ),
    Option(
        "proxies", 0, "N", "proxies in front whose X-Forwarded-For tells the caller's address", integer(0, 8)
    ),
)
"""All settings, in the order in which the help shows them."""

BY_NAME: Final = {option.name: option for option in OPTIONS}

RELAY: Final = Options("relay serve", "LETTERLOCK_RELAY_", OPTIONS)
"""The same, with what begins the environment variables."""
