"""What `letterlock vectors check` and `letterlock vectors serve` do.

Not here: their arguments and exit statuses (letterlock.cli), comparing (check.py), answering (serve.py).
"""

import json
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from letterlock.cli._output import say, write_out
from letterlock.errors import LetterlockError
from letterlock_vectors.check import Verdict, check
from letterlock_vectors.files import load, shipped
from letterlock_vectors.library import Library
from letterlock_vectors.line_client import LineClient
from letterlock_vectors.serve import MAX_LINE, answer

_COLUMNS: Final = ("family", "tests", "valid", "invalid", "failed")
_MAX_SHOWN: Final = 20
"""Failures that are listed below the table; --json lists all of them."""


class Disagreement(LetterlockError):
    """An answer is not the recorded one. The exit status is 1."""


def check_vectors(path: str | None, *, as_json: bool, other: str | None) -> None:
    """Run the vectors at `path` and print a table or a JSON report.

    `path` is a file or a folder, or None for the vectors that ship with this package. `other` is a command
    that serves another implementation, or None to test the installed library. Raises Disagreement if an
    answer is not as recorded.
    """
    families = load(shipped() if path is None else Path(path))
    with nullcontext(Library()) if other is None else LineClient(other) as responder:
        verdicts = check(families, responder, _progress)
    say(_report(verdicts) if as_json else _table(verdicts))
    failed = sum(len(verdict.failures) for verdict in verdicts)
    if failed:
        raise Disagreement(f"{failed} answers are not as recorded")


def serve_vectors() -> None:
    """Answer operations, one line each, until standard input ends."""
    library = Library()
    while line := sys.stdin.buffer.readline(MAX_LINE + 1):
        write_out(answer(library, line) + b"\n")


def _progress(family: str) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        print(f"{family} ...", file=sys.stderr, flush=True)


def _report(verdicts: list[Verdict]) -> str:
    counts = [verdict.counts() for verdict in verdicts]
    return json.dumps(
        {
            "families": counts,
            "tests": sum(row["tests"] for row in counts),
            "failed": sum(row["failed"] for row in counts),
            "failures": [failure.shown() for verdict in verdicts for failure in verdict.failures],
        },
        indent=2,
    )


def _table(verdicts: list[Verdict]) -> str:
    counts = [verdict.counts() for verdict in verdicts]
    total = {name: sum(row[name] for row in counts) for name in _COLUMNS[1:]} | {"family": "all"}
    lines = [_row(dict(zip(_COLUMNS, _COLUMNS, strict=True))), *map(_row, counts), _row(total)]
    failures = [failure for verdict in verdicts for failure in verdict.failures]
    for failure in failures[:_MAX_SHOWN]:
        answered = failure.answered.get("error", "another output")
        expected = failure.test.expected.get("error", "the recorded output")
        lines.append(
            f"{failure.family} {failure.test.number} ({failure.test.comment}): {answered}, not {expected}"
        )
    if len(failures) > _MAX_SHOWN:
        lines.append(f"and {len(failures) - _MAX_SHOWN} more: --json lists all of them")
    return "\n".join(lines)


def _row(cells: Mapping[str, object]) -> str:
    name, *numbers = (cells[column] for column in _COLUMNS)
    return f"{name!s:<16}" + "".join(f"{number!s:>9}" for number in numbers)
