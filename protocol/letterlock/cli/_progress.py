"""Progress on standard error: a bar, if that is a terminal and tqdm is installed.

tqdm has no dependencies of its own, so the extra `progress` stays small. Without it, a command that counts
bytes prints nothing while it works, and one that counts users prints a line now and then.

Not here: what is counted (documents/_streams.py, client/_enrolment.py).
"""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from letterlock.cli._output import warn
from letterlock.cli._user_report import printable

_LINE_EACH: Final = 100
"""How many are done between two lines, where there is no bar."""


@contextmanager
def progress(what: str) -> Generator[Callable[[int, int | None], None] | None]:
    """Yield what a library tells about progress, in bytes; None if there is nobody to show it to."""
    tqdm = _tqdm()
    if tqdm is None:
        yield None
        return
    with tqdm(desc=printable(what), unit="B", unit_scale=True, leave=False, file=sys.stderr) as bar:

        def tell(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield tell


@contextmanager
def counting(what: str, total: int) -> Generator[Callable[[int], None]]:
    """Yield a function that is told how many are done."""
    tqdm = _tqdm()
    if tqdm is None:

        def say(done: int) -> None:
            if done % _LINE_EACH == 0:
                warn(f"{done} of {total} {what}")

        yield say
        return
    with tqdm(desc=what, total=total, leave=False, file=sys.stderr) as bar:
        yield lambda done: bar.update(done - bar.n)


def _tqdm() -> Any:  # noqa: ANN401 - the package may be absent, from a type checker too
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    try:
        found = import_module("tqdm").tqdm
    except ModuleNotFoundError:
        return None
    found.monitor_interval = 0  # no thread of its own
    return found
