"""What fails inside: the client sees a 503, and the log has one line a place, without what was sent."""

import asyncio
import logging
from typing import Any

import pytest

from letterlock._wire.relay_calls import CONTENT_TYPE
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock.relay._server import _logs
from letterlock.relay._server._budget import Budget
from letterlock.relay._server._calls import Calls
from letterlock.relay._server._core import RelayCore
from letterlock.relay._server._guard import Guard
from letterlock.relay._server._logs import Faults
from letterlock.relay._server._metrics import Metrics

SENT = b"what the client sent"


class Broken:
    """A relay with a bug, which quotes what it was sent."""

    def session(self, token: bytes, now: int) -> None:
        del token, now

    async def handle(self, call: object, body: bytes, token: object, now: int) -> None:
        raise KeyError(body.decode())


class Client:
    """The ASGI side of one request."""

    def __init__(self, body: bytes = SENT, path: str = "/v1/challenge") -> None:
        self.parts = [{"type": "http.request", "body": body, "more_body": False}]
        self.sent: list[dict[str, Any]] = []
        headers = [(b"content-type", CONTENT_TYPE.encode())]
        self.scope = {"type": "http", "method": "POST", "path": path, "headers": headers}

    async def receive(self) -> dict[str, Any]:
        return self.parts.pop(0) if self.parts else {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.sent)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger=_logs.LOGGER.name)
    return caplog


def shown(record: logging.LogRecord) -> str:
    """Return the lines that both formats make of a record."""
    return _logs._Text().format(record) + _logs._Json().format(record)


def test_a_bug_is_a_503_counted_and_logged_once(log: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    faults = Faults(metrics)
    calls = Guard(Calls(RelayCore(Broken()), metrics, faults, Budget(2**20, metrics.body), 5), faults)  # type: ignore[arg-type]
    for _ in range(3):
        client = Client()
        asyncio.run(calls(client.scope, client.receive, client.send))
        assert client.status == 503
        assert ErrorAnswer.decode(client.body).code is RelayCode.UNAVAILABLE
    assert metrics.totals().faults == 3
    assert metrics.totals().failures == {"UNAVAILABLE": 3}
    (record,) = [each for each in log.records if each.levelno == logging.ERROR]
    text = shown(record)
    assert "KeyError" in text
    assert "letterlock.relay._server._core:" in text
    assert SENT.decode() not in text
    assert "Traceback" not in text


def test_the_guard_answers_for_whatever_is_inside(log: pytest.LogCaptureFixture) -> None:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError(scope["path"])

    metrics = Metrics()
    client = Client(path="/secret")
    asyncio.run(Guard(inside, Faults(metrics))(client.scope, client.receive, client.send))
    assert client.status == 503
    assert metrics.totals().faults == 1
    assert "secret" not in "".join(shown(each) for each in log.records)


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    client = Client()
    asyncio.run(Guard(inside, Faults(Metrics()))(client.scope, client.receive, client.send))
    assert [each["type"] for each in client.sent] == ["http.response.start"]


def test_a_request_that_is_cancelled_at_the_end_has_an_answer() -> None:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    async def play() -> None:
        task = asyncio.create_task(Guard(inside, Faults(metrics))(client.scope, client.receive, client.send))
        await asyncio.sleep(0)
        task.cancel()
        await task

    client, metrics = Client(), Metrics()
    asyncio.run(play())
    assert client.status == 503
    assert metrics.totals().faults == 0


def test_records_of_libraries_show_their_template_alone() -> None:
    record = logging.LogRecord("uvicorn.error", logging.ERROR, "f", 1, '%s - "%s"', ("10.1.2.3", "/x"), None)
    text = shown(record)
    assert "10.1.2.3" not in text
    assert "/x" not in text
    with pytest.raises(ValueError, match="a secret") as raised:
        raise ValueError("a secret")
    record.exc_info = (ValueError, raised.value, raised.value.__traceback__)
    text = shown(record)
    assert "ValueError" in text
    assert "secret" not in text
    assert "Traceback" not in text
    assert "\n" not in text


def test_a_field_with_spaces_is_quoted() -> None:
    record = logging.LogRecord(_logs.LOGGER.name, logging.INFO, "f", 1, "event", (), None)
    record.fields = {"a": "x y", "b": 'q"', "c": 3, "d": "line\nbreak"}
    line = _logs._Text().format(record)
    assert line.endswith('info event a="x y" b="q\\"" c=3 d="line\\nbreak"')
