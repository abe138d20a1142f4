"""The commands about test vectors: `vectors check` and `vectors serve`.

Not here: what is checked, and what is served (letterlock.vectors).
"""

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from letterlock.cli._line_client import Another
from letterlock.cli._output import say, write_out
from letterlock.errors import LetterlockError
from letterlock.vectors.check import Verdict, check
from letterlock.vectors.files import load, shipped
from letterlock.vectors.responder import Ourselves
from letterlock.vectors.serve import MAX_LINE, answer

_COLUMNS: Final = ("family", "tests", "valid", "invalid", "failed")
_SHOWN: Final = 20
"""Failures that the table is followed by; --json has all."""


class Disagreement(LetterlockError):
    """An answer is not the recorded one; exit status 1."""


def check_vectors(arguments: Namespace) -> None:
    """Run the vectors and print how each family went. Raises Disagreement if an answer is not as recorded."""
    families = load(shipped() if arguments.path is None else Path(arguments.path))
    other = arguments.other
    with nullcontext(Ourselves()) if other is None else Another(other) as responder:
        verdicts = check(families, responder, _progress)
    say(_report(verdicts) if arguments.json else _table(verdicts))
    failed = sum(len(verdict.failures) for verdict in verdicts)
    if failed:
        raise Disagreement(f"{failed} answers are not as recorded")


def serve_vectors(_: Namespace) -> None:
    """Answer operations, a line each, until the input ends."""
    while line := sys.stdin.buffer.readline(MAX_LINE + 1):
        write_out(answer(line) + b"\n")


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
    for failure in failures[:_SHOWN]:
        answered = failure.answered.get("error", "another output")
        expected = failure.test.expected.get("error", "the recorded output")
        lines.append(
            f"{failure.family} {failure.test.number} ({failure.test.comment}): {answered}, not {expected}"
        )
    if len(failures) > _SHOWN:
        lines.append(f"and {len(failures) - _SHOWN} more: --json has them all")
    return "\n".join(lines)


def _row(cells: Mapping[str, object]) -> str:
    name, *numbers = (cells[column] for column in _COLUMNS)
    return f"{name!s:<16}" + "".join(f"{number!s:>9}" for number in numbers)
