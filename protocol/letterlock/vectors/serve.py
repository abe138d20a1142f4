"""The line protocol: operations asked and answered as JSON, one object a line.

    > {"id": 1, "op": "kdf.chain", "in": {"chain": "00..."}}
    < {"id": 1, "out": {"chain": "...", "message": "..."}}      or  {"id": 1, "error": "InvalidKey"}

A line that is no request is answered too, with UsageError and a detail in words; only its end ends it.

Not here: the operations (table.py), the streams (cli/).
"""

import json
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, cast

from letterlock.errors import LetterlockError, UsageError
from letterlock.limits import PROTOCOL_VERSION
from letterlock.vectors.operation import Input, Output, operation
from letterlock.vectors.table import OPERATIONS, run

MAX_LINE: Final = 128 * 1024 * 1024
"""Bytes of a request: a message of the greatest size is 34 MiB in hexadecimal, and a play has several."""


def answer(line: bytes) -> bytes:
    """Return the answer to one line, without its line feed. Never raises."""
    id_: object = None
    try:
        request = _parse(line)
        id_ = request.get("id")
        reply: dict[str, Any] = {"id": id_, "out": run(*_question(request))}
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


@operation("hello")
def hello(_: Input) -> Output:
    """Who answers here, and what can be asked."""
    try:
        installed = version("letterlock")
    except PackageNotFoundError:  # run from a source tree that was never installed
        installed = "0"
    return {
        "implementation": "letterlock",
        "version": installed,
        "protocol": PROTOCOL_VERSION,
        "operations": sorted(OPERATIONS),
    }
