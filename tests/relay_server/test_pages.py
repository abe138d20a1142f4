"""The pages that watch a relay, and its log: right, bounded, and without a single identity."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from letterlock._wire.relay_login import account_key, token_text
from letterlock.relay._server._metrics import Totals
from letterlock.relay._server._rates import Rates
from letterlock.relay._server._status_page import Status, status_page
from letterlock.relay._store import Counts
from support.html_page import Page
from support.relay_server import ServedTown, Server, in_town, request, served
from support.relay_socket import line
from support.relay_town import Resident
from support.user_tools import FULL

NAMES = ("alice-the-first", "bob-the-second")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, set[bytes]]]:
    """A relay that wrote everything to its log, and what identified its users."""

    async def play(town: ServedTown) -> None:
        alice, bob = (Resident(town, name, [(1, FULL)]) for name in NAMES)
        for each in (alice, bob):
            await each.move_in()
            await each.publish()
        await alice.claimed(bob, 1)
        await alice.sent(bob, {1: b"a very secret text"})
        async with line(town.server, bob.tokens[1]) as open_line:
            await open_line.acknowledge(*(await open_line.texts(1)))
        for each in (alice, bob):
            marks.update((each.name.encode(), account_key(each.name), each.user_id, each.tokens[1]))
            marks.add(token_text(each.tokens[1]).encode())

    marks: set[bytes] = {b"a very secret text"}
    with served(tmp_path_factory.mktemp("busy"), "--log-level", "debug", "--log-format", "json") as server:
        in_town(server, play)
        server.talk(request(b"\x00", f"/v1/{NAMES[0]}"))
        server.talk(b"GET /" + NAMES[1].encode() + b" HTTP/1.1\r\nhost: x\r\n\r\n")
        server.talk(b"\x00" + NAMES[0].encode() + b"\r\n\r\n")
        yield server, marks


def identities(text: bytes, marks: set[bytes]) -> list[bytes]:
    """Return what of these a text holds, as it is or in hexadecimal digits."""
    return [mark for mark in marks if mark in text or mark.hex().encode() in text.lower()]


# --- the status page ------------------------------------------------------------------------------------


def test_the_status_page_is_plain_and_says_so(server: Server) -> None:
    answer = server.get("/")
    page = Page(answer.text)
    assert answer.status_code == 200
    assert "script" not in page.elements
    assert not set(page.attributes) & {"src", "href", "style", "onclick", "onload", "action"}
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "width=device-width, initial-scale=1" in page.attributes["content"]
    assert "prefers-color-scheme: dark" in answer.text
    assert server.get("/", host="evil.example").status_code == 200
    assert "letterlock relay" in page.text
    assert "SQLite" in page.text


def test_the_style_sheet_is_the_one_that_the_policy_allows(server: Server) -> None:
    import base64
    import hashlib

    answer = server.get("/")
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["content-security-policy"]


def test_the_status_page_shows_counts_and_rates() -> None:
    rates = Rates()
    rates.add(0, totals(send=0))
    rates.add(30, totals(send=60))
    rates.add(60, totals(send=300))
    assert rates.per_second("send", 60) == 5
    assert rates.per_second("send", 3600) == 5
    assert rates.per_second("send", 30) == 8
    assert rates.per_second("fetch", 60) == 0
    assert sum(rates.minutes()) == 300
    status = Status(
        "relay.example", "1.2.3", "sqlite", tickets=True, workers=2, uptime=90_000, draining=False
    )
    text = Page(status_page(status, totals(send=300), rates).decode()).text
    for expected in ("relay.example", "1.2.3", "by ticket", "1 d 1 h", "300", "5.0", "serving", "12.0 KiB"):
        assert expected in text


def test_what_a_name_holds_is_escaped() -> None:
    status = Status("<script>", "<b>", "&", tickets=False, workers=1, uptime=0, draining=True)
    page = Page(status_page(status, totals(send=0), Rates()).decode())
    assert "script" not in page.elements
    assert "b" not in page.elements
    assert "stopping" in page.text


def totals(**requests: int) -> Totals:
    stored = Counts(1, 2, 3, 4, 12_288)
    shown = {name: getattr(stored, name) for name in ("accounts", "devices", "bundles", "messages", "bytes")}
    return Totals(requests, {}, 7, 0, shown)


def test_pages_and_log_hold_no_identity(busy: tuple[Server, set[bytes]]) -> None:
    server, marks = busy
    for path in ("/", "/metrics", "/health", "/ready", "/v1/state"):
        assert identities(server.get(path).content, marks) == []
    log = server.log.read_bytes()
    assert log.count(b'"event": "request"') > 10
    assert identities(log, marks) == []
    assert b"127.0.0.1:" not in log.replace(f"127.0.0.1:{server.address[1]}".encode(), b"")


def test_every_line_of_the_log_is_json(busy: tuple[Server, set[bytes]]) -> None:
    server, _ = busy
    lines = [json.loads(each) for each in server.written().splitlines()]
    assert {"time", "level", "event"} <= set.intersection(*(set(each) for each in lines))
    assert {each["call"] for each in lines if each["event"] == "request"} >= {"send", "unknown"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", each["time"]) for each in lines)


def test_the_check_would_see_an_identity(busy: tuple[Server, set[bytes]]) -> None:
    _, marks = busy
    assert identities(b"x alice-the-first y", marks) == [b"alice-the-first"]
    assert identities(account_key(NAMES[0]).hex().encode(), marks)


# --- metrics, health ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-proto", "x-forwarded-host"]
)
def test_metrics_are_not_for_those_behind_a_proxy(server: Server, header: str) -> None:
    assert server.get("/metrics").status_code == 200
    answer = server.get("/metrics", **{header: "127.0.0.1"})
    assert (answer.status_code, answer.text) == (404, "not found\n")


def test_metrics_have_no_label_but_call_and_code(server: Server) -> None:
    server.talk(request(b"\x00"))
    labels = set(re.findall(r'(\w+)="', server.get("/metrics").text))
    assert labels == {"call", "code", "le", "what"}
    for path in ("/v1/a", "/v1/b"):
        server.talk(request(b"", path))
    calls = set(re.findall(r'call="([^"]*)"', server.get("/metrics").text))
    assert "unknown" in calls
    assert not calls & {"a", "b"}


def test_health_and_readiness(server: Server) -> None:
    assert server.get("/health").text == "ok\n"
    assert server.get("/ready").text == "ready\n"


def test_metrics_may_have_an_address_of_their_own(folder: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    flags = ("--metrics-listen", f"127.0.0.1:{port}", "--status-page", "off")
    with served(folder, *flags) as server:
        assert server.get("/metrics").status_code == 404
        assert server.get("/").status_code == 404
        import httpx

        other = f"http://127.0.0.1:{port}"
        answer = httpx.get(f"{other}/metrics", headers={"x-forwarded-for": "1.2.3.4"}, trust_env=False)
        assert b"letterlock_relay_sockets" in answer.content
        assert httpx.get(f"{other}/", trust_env=False).status_code == 404
        assert httpx.post(f"{other}/v1/challenge", trust_env=False).status_code == 404
        assert server.stop() == 0
