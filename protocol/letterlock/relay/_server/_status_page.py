"""The page of a relay at /: counts, rates and versions.

Not here: how it looks (_status_frame.py); who is shown it, and when (_pages.py).
"""

from dataclasses import dataclass
from html import escape
from typing import Final

from letterlock.relay._server._metrics import Totals
from letterlock.relay._server._rates import Rates
from letterlock.relay._server._status_frame import STORES, bars, cards, duration, number, page, size

_STORED: Final = {
    "accounts": "accounts",
    "devices": "devices",
    "bundles": "prekey bundles",
    "messages": "messages waiting",
    "bytes": "size of these",
}
_CALLS: Final = ("send", "fetch", "ack", "claim", "publish", "authenticate", "lists", "append", "register")
_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Status:
    """What the page says of the relay itself."""

    name: str
    release: str
    store: str
    tickets: bool
    workers: int
    uptime: float
    draining: bool


def status_page(status: Status, totals: Totals, rates: Rates) -> bytes:
    """Return the page, in UTF-8."""
    body = [
        f"<p>{escape(status.name)} carries end-to-end encrypted messages, which it cannot read.</p>",
        "<h2>Stored, counted every minute</h2>",
        cards([(text, _amount(what, totals)) for what, text in _STORED.items()]),
        "<h2>Traffic</h2>",
        bars(rates.minutes()),
        "<h2>Calls per second</h2>",
        _calls(totals, rates),
        "<h2>Now</h2>",
        cards(_now(status, totals)),
    ]
    return page("relay", body, status.release, draining=status.draining)


def _amount(what: str, totals: Totals) -> str:
    amount = totals.stored.get(what)
    if amount is None:
        return "\N{EN DASH}"
    return size(amount) if what == "bytes" else number(amount)


def _now(status: Status, totals: Totals) -> list[tuple[str, str]]:
    return [
        ("open sockets", number(totals.sockets)),
        ("running for", duration(status.uptime)),
        ("workers", number(status.workers)),
        ("store", STORES.get(status.store, status.store)),
        ("registration", "by ticket" if status.tickets else "open"),
        ("inner errors", number(totals.faults)),
    ]


def _calls(totals: Totals, rates: Rates) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{call}</th><td>{rates.per_second(call, _MINUTE):.1f}</td>"
        f"<td>{rates.per_second(call, _HOUR):.1f}</td><td>{number(totals.requests.get(call, 0))}</td></tr>"
        for call in _CALLS
    )
    refused = number(sum(totals.failures.values()))
    return (
        "<table><thead><tr><th scope='col'>call</th><th scope='col'>last minute</th>"
        f"<th scope='col'>last hour</th><th scope='col'>in all</th></tr></thead><tbody>{rows}"
        f"<tr><th scope='row'>with an error</th><td></td><td></td><td>{refused}</td></tr>"
        "</tbody></table>"
    )
