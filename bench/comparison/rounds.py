"""Workers, one process each, and the rounds in which they take turns.

Machines drift, so in every round each worker does each case for a moment, in another order than in the round
before. No worker is measured in a better minute than the others. One worker runs at a time.

Not here: the cases (workers/cases.py), and the figures made from the times (results.py).
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Self

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
PATIENCE: Final = 10
"""Seconds that a worker may take to end after its input is closed."""


class WorkerFailed(Exception):
    """A worker could not start, or could not do a case; the text says why, in one line."""


class Worker:
    """A process that answers lines."""

    def __init__(self, command: list[str], variables: Mapping[str, str] = NOTHING) -> None:
        """Start the command with these environment variables added to ours."""
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the worker
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                text=True,
                env={**os.environ, **variables},
            )
        except OSError:
            self._said.close()
            raise
        try:
            hello = self._read()
        except WorkerFailed:
            self.close()
            raise
        self.cases: list[str] = hello["cases"]
        self.versions: dict[str, str] = hello["versions"]

    def run(self, case: str, count: int) -> dict[str, Any]:
        """Return the answer for `count` repetitions. Raises WorkerFailed."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"run {case} {count}\n")
            self._process.stdin.flush()
        except OSError:
            raise WorkerFailed("the worker is gone") from None
        answer = self._read()
        if "error" in answer:
            raise WorkerFailed(answer["error"])
        return answer

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        self._said.seek(0)
        said = self._said.read().strip().splitlines() or ["no word"]
        raise WorkerFailed(f"the worker ended: {said[-1]}")

    def close(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Times:
    """Nanoseconds of one worker's repetitions of one case, round by round; or why there are none."""

    rounds: list[list[float]] = field(default_factory=list)
    recovered: int | None = None
    failed: str | None = None


Table = dict[str, dict[str, Times]]
"""By case, then by the worker's name."""


def play(
    workers: Mapping[str, Worker], counts: Mapping[str, int], rounds: int, tell: Callable[[str], None]
) -> Table:
    """Let the workers take turns. If a worker cannot do a case, note it and do not try again."""
    table: Table = {case: {} for case in counts}
    names = list(workers)
    for number in range(rounds):
        turned = names[number % len(names) :] + names[: number % len(names)]
        for case, count in counts.items():
            for name in turned:
                if case in workers[name].cases:
                    tell(f"round {number + 1} of {rounds}: {case}, {name}")
                    _turn(workers[name], case, count, table[case].setdefault(name, Times()))
    return table


def _turn(worker: Worker, case: str, count: int, times: Times) -> None:
    if times.failed is not None:
        return
    try:
        answer = worker.run(case, count)
    except WorkerFailed as error:
        times.failed = str(error)
        return
    times.rounds.append(answer["ns"])
    came = answer.get("recovered")
    if came is not None:
        times.recovered = came if times.recovered is None else min(times.recovered, came)


def start(
    commands: Mapping[str, list[str]],
    stack: ExitStack,
    variables: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> tuple[dict[str, Worker], dict[str, str]]:
    """Start the workers; return those that run, and the reasons why the others do not.

    `variables` are environment variables by the worker's name.
    """
    workers: dict[str, Worker] = {}
    missing: dict[str, str] = {}
    for name, command in commands.items():
        try:
            workers[name] = stack.enter_context(Worker(command, variables.get(name, NOTHING)))
        except (WorkerFailed, OSError) as error:
            missing[name] = str(error)
    return workers, missing
