"""Logs: one line an event, as text or as JSON, without identities.

An event has a name, and fields that the relay's own code chose: counts, codes, addresses to listen on. No
name, device, token, client address, path or body is ever a field. Records of other libraries may quote any of
these in their arguments, so only the template of their message is written. A traceback is never written;
where an exception came from is a field.

Not here: what is counted (_metrics.py).
"""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # prometheus_client decides when it is imported whether processes share their numbers
    from letterlock.relay._server._metrics import Metrics

LOGGER: Final = logging.getLogger("letterlock.relay")

Field = str | int | float

_PACKAGE: Final = "letterlock"
_LEVELS: Final = logging.getLevelNamesMapping()
_LIBRARIES: Final = ("uvicorn.error", "asyncio", "websockets")
"""Loggers that warn of whatever a stranger sends: only their errors are logged."""

_MOST_FAULTS: Final = 1000
"""Places of faults that are remembered. A relay with more of them is past helping by its log."""


def configure(log_format: str, log_level: str) -> None:
    """Send all logs to standard error in this format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOGGER.setLevel(_LEVELS[log_level.upper()])
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.raiseExceptions = False  # a full disk must not print a traceback


def event(level: int, what: str, /, **fields: Field) -> None:
    """Log an event."""
    LOGGER.log(level, what, extra={"fields": fields})


class Faults:
    """Exceptions that nobody expected: each is counted, and logged once a process for each place."""

    def __init__(self, metrics: "Metrics") -> None:
        self._metrics = metrics
        self._seen: set[tuple[str, str]] = set()

    def note(self, error: BaseException) -> None:
        """Count and perhaps log an exception. Its text is not used: it may quote what a client sent."""
        kind, place = type(error).__name__, _place(error.__traceback__)
        self._metrics.fault()
        if (kind, place) not in self._seen and len(self._seen) < _MOST_FAULTS:
            self._seen.add((kind, place))
            event(logging.ERROR, "unexpected error", error=kind, where=place)


def _place(traceback: TracebackType | None) -> str:
    """Return file, line and function of the innermost frame in this package, or else of the innermost one."""
    place = "unknown"
    inside = False
    while traceback is not None:
        code = traceback.tb_frame.f_code
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        ours = module.partition(".")[0] == _PACKAGE
        if ours or not inside:
            place = f"{module}:{traceback.tb_lineno} in {code.co_name}"
            inside = inside or ours
        traceback = traceback.tb_next
    return place


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        parts = [_time(record), record.levelname.lower(), _message(record)]
        parts += [f"{name}={_printable(value)}" for name, value in _fields(record).items()]
        return " ".join(parts)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record), "level": record.levelname.lower(), "event": _message(record)}
        return json.dumps(line | _fields(record))


def _time(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _message(record: logging.LogRecord) -> str:
    return str(record.msg).replace("\n", " ").strip()


def _fields(record: logging.LogRecord) -> dict[str, Field]:
    fields: Mapping[str, Field] = getattr(record, "fields", {})
    if record.name == LOGGER.name:
        return dict(fields)
    extra: dict[str, Field] = {"logger": record.name}
    if record.exc_info and record.exc_info[0] is not None:
        extra |= {"error": record.exc_info[0].__name__, "where": _place(record.exc_info[2])}
    return extra


def _printable(value: Field) -> str:
    text = str(value)
    return json.dumps(text) if " " in text or not text.isprintable() or '"' in text else text
