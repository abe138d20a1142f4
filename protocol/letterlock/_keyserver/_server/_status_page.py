"""The page of a key server at /: whether it serves, how much it is asked, and where its operator looks.

No call has a number of its own: where few people recover, it would tell everybody that somebody does.

Not here: how it looks (relay/_server/_status_frame.py); who is shown it, and when (relay/_server/_pages.py).
"""

from dataclasses import dataclass
from typing import Final

from letterlock.relay._server._metrics import Totals
from letterlock.relay._server._rates import Rates
from letterlock.relay._server._status_frame import STORES, bars, cards, duration, number, page

_WHAT: Final = (
    "Keeps one of two halves that together bring back a user who has lost every device. It can read "
    "nobody&#8217;s documents, and counts each guess at a password."
)
_HELP: Final = (
    ("/health", "the process runs"),
    ("/ready", "the database answers"),
    ("/metrics", "all numbers, for its operator alone"),
    ("the log", "each use of a lock, and what was refused, without names"),
)
"""Where an operator looks, and what is there."""


@dataclass(frozen=True, slots=True)
class KeyServerStatus:
    """What the page says of the key server itself."""

    release: str
    store: str
    checks: tuple[str, ...]
    workers: int
    uptime: float
    draining: bool


def status_page(status: KeyServerStatus, totals: Totals, rates: Rates) -> bytes:
    """Return the page, in UTF-8."""
    body = [
        f"<p>{_WHAT}</p>",
        "<h2>Traffic</h2>",
        bars(rates.minutes()),
        "<h2>Now</h2>",
        cards(
            [
                ("requests in all", number(sum(totals.requests.values()))),
                ("with an error", number(sum(totals.failures.values()))),
                ("inner errors", number(totals.faults)),
                ("running for", duration(status.uptime)),
                ("workers", number(status.workers)),
                ("store", STORES.get(status.store, status.store)),
                ("identity checks", ", ".join(status.checks) or "none"),
            ]
        ),
        "<h2>For its operator</h2>",
        cards(list(_HELP)),
    ]
    return page("key server", body, status.release, draining=status.draining)
