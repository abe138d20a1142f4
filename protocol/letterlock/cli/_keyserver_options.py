"""Everything that can be set about a key server. Options that a relay has too mean the same.

Not here: reading any of them (_settings_reader.py); what the values mean together (the server's settings).
"""

from dataclasses import replace
from typing import Final

from letterlock._keyserver._strangers import NEW_USERS
from letterlock.cli._options import Option, Options, integer, text
from letterlock.cli._relay_options import BY_NAME

_COMMON: Final = (
    "workers",
    "address-calls",
    "proxies",
    "metrics-listen",
    "status-page",
    "log-format",
    "log-level",
    "connections",
    "body-memory",
    "header-seconds",
    "body-seconds",
    "answer-seconds",
    "idle-seconds",
    "drain-seconds",
)

KEYSERVER_OPTIONS: Final = (
    Option("store", "sqlite:///letterlock-keyserver.db", "URL", "the database: SQLite or PostgreSQL", text),
    Option("keys", "", "FILE", "the server's secrets, which `letterlock keyserver keys` makes", text),
    Option(
        "identity",
        "",
        "HOW",
        "checks of a user's identity before a guess, with blanks between: mail:..., oidc:..., ticket:...; "
        "`none`: not at all. There is no default",
        text,
    ),
    replace(BY_NAME["listen"], default="127.0.0.1:8471"),
    Option("uses", 10, "N", "guesses at a user's password until one is right", integer(1, 1000)),
    Option("uses-a-day", 3, "N", "guesses in a day (UTC)", integer(1, 1000)),
    Option("pause", 30, "SECONDS", "time between two guesses", integer(0, 86_400)),
    Option("rest-days", 7, "DAYS", "how long a lock without guesses rests; then it has 3", integer(0, 366)),
    *(BY_NAME[name] for name in _COMMON[:2]),
    Option(
        "new-users",
        NEW_USERS,
        "N",
        "new users without a pass who may come at once, and in a day, in each process; 0: no bound",
        integer(0, 86_400),
    ),
    *(BY_NAME[name] for name in _COMMON[2:]),
)
"""All settings, in the order in which the help shows them."""

KEYSERVER_BY_NAME: Final = {option.name: option for option in KEYSERVER_OPTIONS}

KEYSERVER: Final = Options("keyserver serve", "LETTERLOCK_KEYSERVER_", KEYSERVER_OPTIONS)
"""The same, with what begins the environment variables."""
