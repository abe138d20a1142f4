"""How long letterlock takes to start, imported and as a command, and where the time goes.

    importing    `python -X importtime` of either: the sum of what is imported, by package
    --help       `python -m letterlock --help`, from the first to the last moment of the process
    nothing      `python -c ""`: what no program can save

Modules that Python imports before any program are left out of the sum.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from time import perf_counter_ns
from typing import Final

TIMES: Final = 15
LINE: Final = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|( +)(\S+)$")
OTHERS: Final = (
    "letterlock",
    "cryptography",
    "nacl",
    "cbor2",
    "cffi",
    "_cffi_backend",
    "sqlite3",
    "argparse",
)


def parse(said: str) -> dict[str, int]:
    """Return microseconds by module from -X importtime; modules up to `site` are Python's own start."""
    found = [match for match in map(LINE.match, said.splitlines()) if match]
    names = [match[4] for match in found]
    start = names.index("site") + 1 if "site" in names else 0
    return {match[4]: int(match[1]) for match in found[start:]}


def by_package(modules: dict[str, int]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for name, own in modules.items():
        package = name.split(".")[0]
        sums[package if package in OTHERS else "the standard library"] += own
    return sums


LIBRARY: Final = ("-c", "import letterlock")
COMMAND: Final = ("-m", "letterlock", "--help")


def importing(program: Sequence[str], times: int = TIMES) -> Counter[str]:
    """Return microseconds by package for the fastest start of a Python program."""
    _run(program)  # writes the bytecode that is missing
    runs = [_run(("-X", "importtime", *program)) for _ in range(times)]
    return min((by_package(parse(run.stderr)) for run in runs), key=Counter.total)


def _run(program: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a Python program that may keep its bytecode, as an installed program does."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *program]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment)


def elapsed(program: Sequence[str], times: int = TIMES) -> list[float]:
    """Return the milliseconds that runs of a Python program took, sorted."""
    took: list[float] = []
    _run(program)
    for _ in range(times):
        begun = perf_counter_ns()
        _run(program)
        took.append((perf_counter_ns() - begun) / 1e6)
    return sorted(took)
