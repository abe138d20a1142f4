"""The page at /: counts, rates and versions, as HTML and CSS without script, for phones and in dark too.

Not here: who is shown it, and when (_pages.py).
"""

import base64
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Final

from letterlock._wire.relay_body import RELAY_VERSION
from letterlock.relay._server._metrics import Totals
from letterlock.relay._server._rates import Rates

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2a33; --soft: #5c6b76; --line: #dde3e7; --paper: #f6f8f9;
  --card: #fff; --accent: #37608a; --bad: #a8321f; --good: #2c7a4b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4eaee; --soft: #9cabb5; --line: #33414b;
  --paper: #141b20; --card: #1c262d; --accent: #7fb0e0; --bad: #f0907f; --good: #74c795; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline;
  justify-content: space-between; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1rem; margin: 2rem 0 .75rem; color: var(--soft); font-weight: 600; }
p { margin: .25rem 0; color: var(--soft); overflow-wrap: anywhere; }
.state { font-weight: 600; color: var(--good); white-space: nowrap; }
.bad { color: var(--bad); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 0; }
dl div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .75rem .875rem; }
dt { color: var(--soft); font-size: .875rem; }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: 1rem; }
figcaption { color: var(--soft); font-size: .875rem; margin-top: .5rem; }
svg { display: block; width: 100%; height: 6rem; }
rect { fill: var(--accent); }
rect.base { fill: var(--line); }
table { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; font-variant-numeric: tabular-nums; }
th, td { padding: .5rem 1rem; text-align: right; border-top: 1px solid var(--line); font-weight: 400; }
thead th { border-top: 0; color: var(--soft); font-size: .875rem; }
th:first-child { text-align: left; }
footer { margin-top: 2rem; font-size: .875rem; }
@media (max-width: 30rem) { th, td { padding: .5rem .25rem; } th:first-child { padding-left: 1rem; }
  td:last-child, th:last-child { padding-right: 1rem; }
  dl div:last-child:nth-child(odd) { grid-column: 1 / -1; } }
"""

_DIGEST: Final = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()

POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The content security policy: one known style sheet, and nothing else at all."""

_STORED: Final = {
    "accounts": "accounts",
    "devices": "devices",
    "bundles": "prekey bundles",
    "messages": "messages waiting",
    "bytes": "size of these",
}
_STORES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "postgres": "PostgreSQL", "nats": "NATS"}
_CALLS: Final = ("send", "fetch", "ack", "claim", "publish", "authenticate", "lists", "append", "register")
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_REFRESH: Final = 30
_BARS_HEIGHT: Final = 40
_BARS: Final = 60
_BASE: Final = (
    f'<rect class="base" x="0" y="{_BARS_HEIGHT - 0.5}" width="{4 * _BARS - 1}" height="0.5"></rect>'
)


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
    state = (
        '<span class="state bad">stopping</span>' if status.draining else '<span class="state">serving</span>'
    )
    body = "\n".join(
        (
            f"<header><h1>letterlock relay</h1>{state}</header>",
            f"<p>{escape(status.name)} carries end-to-end encrypted messages, which it cannot read.</p>",
            "<h2>Stored, counted every minute</h2>",
            _cards([(text, _amount(what, totals)) for what, text in _STORED.items()]),
            "<h2>Traffic</h2>",
            _bars(rates.minutes()),
            "<h2>Calls per second</h2>",
            _calls(totals, rates),
            "<h2>Now</h2>",
            _cards(_now(status, totals)),
            f"<footer><p>{_versions(status)}</p></footer>",
        )
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>letterlock relay</title>\n"
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="robots" content="noindex">\n<meta http-equiv="refresh" content="{_REFRESH}">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    ).encode()


def _versions(status: Status) -> str:
    return (
        f"letterlock {escape(status.release)}, protocol version {RELAY_VERSION}. "
        f"This page shows no user, and loads anew every {_REFRESH} seconds."
    )


def _cards(cards: list[tuple[str, str]]) -> str:
    inside = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in cards)
    return f"<dl>{inside}</dl>"


def _amount(what: str, totals: Totals) -> str:
    amount = totals.stored.get(what)
    if amount is None:
        return "\N{EN DASH}"
    return _size(amount) if what == "bytes" else _number(amount)


def _now(status: Status, totals: Totals) -> list[tuple[str, str]]:
    return [
        ("open sockets", _number(totals.sockets)),
        ("running for", _duration(status.uptime)),
        ("workers", _number(status.workers)),
        ("store", _STORES.get(status.store, status.store)),
        ("registration", "by ticket" if status.tickets else "open"),
        ("inner errors", _number(totals.faults)),
    ]


def _bars(minutes: list[int]) -> str:
    most = max(*minutes, 1)
    bars = "".join(
        f'<rect x="{place * 4}" y="{_BARS_HEIGHT - height:g}" width="3" height="{height:g}"></rect>'
        for place, count in enumerate(minutes)
        if (height := round(max(count * _BARS_HEIGHT / most, 0.5 if count else 0), 1))
    )
    text = f"requests in each minute of the last hour, at most {_number(max(minutes))}"
    return (
        f'<figure><svg viewBox="0 0 {4 * _BARS - 1} {_BARS_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{text}">{_BASE}{bars}</svg><figcaption>{text}</figcaption></figure>'
    )


def _calls(totals: Totals, rates: Rates) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{call}</th><td>{rates.per_second(call, _MINUTE):.1f}</td>"
        f"<td>{rates.per_second(call, _HOUR):.1f}</td><td>{_number(totals.requests.get(call, 0))}</td></tr>"
        for call in _CALLS
    )
    refused = _number(sum(totals.failures.values()))
    return (
        "<table><thead><tr><th scope='col'>call</th><th scope='col'>last minute</th>"
        f"<th scope='col'>last hour</th><th scope='col'>in all</th></tr></thead><tbody>{rows}"
        f"<tr><th scope='row'>with an error</th><td></td><td></td><td>{refused}</td></tr>"
        "</tbody></table>"
    )


def _number(amount: int) -> str:
    return f"{amount:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _size(amount: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def _duration(seconds: float) -> str:
    whole = int(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
