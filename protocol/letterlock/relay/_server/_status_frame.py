"""The frame of the page at /, as HTML and CSS without script, for phones and in dark too.

Both servers have such a page: the heads, cards and bars are the same.

Not here: what a relay shows (_status_page.py), and a key server (_keyserver/_server/_status_page.py).
"""

import base64
from hashlib import sha256
from html import escape
from typing import Final

from letterlock._wire.relay_body import RELAY_VERSION

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

STORES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "postgres": "PostgreSQL", "nats": "NATS"}
"""What people call a store, by the scheme of its URL."""

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_REFRESH: Final = 30
_BARS_HEIGHT: Final = 40
_BARS: Final = 60
_BASE: Final = (
    f'<rect class="base" x="0" y="{_BARS_HEIGHT - 0.5}" width="{4 * _BARS - 1}" height="0.5"></rect>'
)


def page(what: str, body: list[str], release: str, *, draining: bool) -> bytes:
    """Return a page about a server, such as `relay`, in UTF-8. `body` is HTML: its parts are escaped."""
    state = '<span class="state bad">stopping</span>' if draining else '<span class="state">serving</span>'
    versions = (
        f"letterlock {escape(release)}, protocol version {RELAY_VERSION}. "
        f"This page shows no user, and loads anew every {_REFRESH} seconds."
    )
    inside = "\n".join(
        (
            f"<header><h1>letterlock {what}</h1>{state}</header>",
            *body,
            f"<footer><p>{versions}</p></footer>",
        )
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>letterlock {what}</title>\n"
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="robots" content="noindex">\n<meta http-equiv="refresh" content="{_REFRESH}">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{inside}\n</main>\n</body>\n</html>\n"
    ).encode()


def cards(shown: list[tuple[str, str]]) -> str:
    """Return names with values, which are any text."""
    inside = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in shown)
    return f"<dl>{inside}</dl>"


def bars(minutes: list[int]) -> str:
    """Return the requests of each minute of an hour, the oldest first."""
    most = max(*minutes, 1)
    drawn = "".join(
        f'<rect x="{place * 4}" y="{_BARS_HEIGHT - height:g}" width="3" height="{height:g}"></rect>'
        for place, count in enumerate(minutes)
        if (height := round(max(count * _BARS_HEIGHT / most, 0.5 if count else 0), 1))
    )
    text = f"requests in each minute of the last hour, at most {number(max(minutes))}"
    return (
        f'<figure><svg viewBox="0 0 {4 * _BARS - 1} {_BARS_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{text}">{_BASE}{drawn}</svg><figcaption>{text}</figcaption></figure>'
    )


def number(amount: int) -> str:
    """Return a number with its thousands apart."""
    return f"{amount:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def size(amount: float) -> str:
    """Return so many bytes in a fitting unit."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def duration(seconds: float) -> str:
    """Return a time in two units."""
    whole = int(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
