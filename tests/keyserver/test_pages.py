"""The page of a key server for people: readable without a script, and silent about users."""

from dataclasses import replace

from letterlock._keyserver._server._status_page import KeyServerStatus, status_page
from letterlock.relay._server._metrics import Totals
from letterlock.relay._server._rates import Rates
from support.html_page import Page

STATUS = KeyServerStatus("1.2.3", "postgresql", ("mail", "ticket"), workers=2, uptime=90_000, draining=False)


def totals(**requests: int) -> Totals:
    return Totals({f"recovery/{name}": count for name, count in requests.items()}, {"UNKNOWN": 5}, 0, 3, {})


def shown(status: KeyServerStatus = STATUS, **requests: int) -> Page:
    rates = Rates()
    rates.add(0, totals())
    rates.add(30, totals(**requests))
    return Page(status_page(status, totals(**requests), rates).decode())


def test_it_says_how_the_server_is() -> None:
    page = shown(evaluate=1200, show=34)
    for expected in ("key server", "serving", "1.2.3", "1 d 1 h", "PostgreSQL", "mail, ticket", "1\u202f234"):
        assert expected in page.text
    for place in ("/health", "/ready", "/metrics"):
        assert place in page.text
    assert "stopping" in shown(replace(STATUS, draining=True)).text
    assert "none" in shown(replace(STATUS, checks=())).text


def test_it_has_no_script_and_loads_nothing() -> None:
    page = shown(show=1)
    assert not {"script", "img", "link", "iframe", "form"} & {*page.elements}
    assert not set(page.attributes) & {"src", "href", "style", "onclick", "onload", "action"}
    assert "width=device-width, initial-scale=1" in page.attributes["content"]


def test_it_does_not_tell_that_somebody_recovers() -> None:
    """Pages with the same number of other calls are the same."""
    assert shown(evaluate=7).text == shown(watch=7).text == shown(take=3, ask=4).text


def test_what_a_setting_holds_is_escaped() -> None:
    page = shown(replace(STATUS, release="<b>", store="<script>", checks=("<i>",)))
    assert not {"b", "script", "i"} & {*page.elements}
