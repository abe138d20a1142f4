"""The command `letterlock demo`.

It plays a conversation between two people with two devices each, through a relay that it starts itself. Each
step is a `letterlock` command in a process of its own, and is checked; the first wrong result ends the
demonstration. However it ends, its processes and its directory are gone afterwards.

Not here: the conversation (_demo_play.py), running processes (_demo_processes.py).
"""

import tempfile
import time
from argparse import Namespace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from letterlock.cli._demo_play import Play
from letterlock.cli._demo_processes import DemoProcesses
from letterlock.cli._output import say
from letterlock.errors import UsageError

_LIBRARIES: Final = ("httpx", "websockets", "starlette", "uvicorn", "prometheus_client")
"""What the extras of a client and of a relay bring."""


def demo(arguments: Namespace) -> None:
    """Play the conversation. Raises DemoFailed, UsageError if a library is missing, OSError."""
    del arguments
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the demonstration needs {missing[0]}: python -m pip install 'letterlock[client,relay]'"
        )
    began = time.perf_counter()
    with (
        # Clean-up errors are not ignored: a file that cannot be removed is worth reporting.
        tempfile.TemporaryDirectory(prefix="letterlock-demo-") as directory,
        DemoProcesses(Path(directory)) as processes,
    ):
        Play(Path(directory), processes).run()
        seconds = time.perf_counter() - began
        say(f"\nEverything was as expected: {processes.started} processes, {seconds:.1f} s.")
