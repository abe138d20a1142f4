"""The line protocol: operations asked and answered as JSON, one object a line.

    > {"id": 1, "op": "kdf.chain", "in": {"chain": "00..."}}
    < {"id": 1, "out": {"chain": "...", "message": "..."}}      or  {"id": 1, "error": "InvalidKey"}

A line that is not a request is answered with UsageError and a detail in words. Only the end of the input
ends the conversation.

Not here: the operations (library.py), the streams (commands.py).
"""

import json
from typing import Any, Final, cast

from letterlock.errors import LetterlockError, UsageError
from letterlock_vectors.library import Library

MAX_LINE: Final = 128 * 1024 * 1024
"""Bytes of a request. The largest message has 34 MiB in hexadecimal, and a play contains several messages."""


def answer(library: Library, line: bytes) -> bytes:
    """Return the answer to one line, without a line feed. Never raises."""
    id_: object = None
    try:
        request = _parse(line)
        id_ = request.get("id")
        reply: dict[str, Any] = {"id": id_, "out": library.run(*_question(request))}
    except UsageError as error:
        reply = {"id": id_, "error": type(error).__name__, "detail": str(error)}
    except LetterlockError as error:
        reply = {"id": id_, "error": type(error).__name__}
    return json.dumps(reply, separators=(",", ":")).encode()


def _parse(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise UsageError(f"a request of more than {MAX_LINE} bytes")
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise UsageError("not a line of json") from None
    if not isinstance(request, dict):
        raise UsageError("a request is a json object")
    return cast("dict[str, Any]", request)


def _question(request: dict[str, Any]) -> tuple[str, object]:
    name = request.get("op")
    if type(name) is not str:
        raise UsageError("a request names an operation in `op`")
    return name, request.get("in")
