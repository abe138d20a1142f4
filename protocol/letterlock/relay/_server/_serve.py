"""serve: run a relay until it is told to stop, and what is served beside it.

Not here: reading settings (_settings.py); processes (_supervisor.py).
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from letterlock.errors import UsageError
from letterlock.relay._opening import open_store
from letterlock.relay._server._settings import Settings

if TYPE_CHECKING:
    from letterlock.relay._server._core import OpensBeside

_MODULES: Final = ("starlette", "uvicorn", "websockets", "prometheus_client")
_METRICS_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"


def serve(
    settings: Settings, announce: Callable[[str, str], None], beside: "OpensBeside | None" = None
) -> None:
    """Serve until SIGTERM or SIGINT. `announce` is called with address and name once calls are answered.

    Raises UsageError if a library is missing, StoreError if a store cannot be used, and OSError if an
    address cannot be listened on.
    """

    def run() -> None:
        # prometheus_client decides when it is imported whether processes share their numbers.
        from letterlock.relay._server._supervisor import Service, supervise  # noqa: PLC0415
        from letterlock.relay._server._worker import run_worker  # noqa: PLC0415

        service = Service(lambda process: run_worker(settings, process, beside), lambda: _try(settings))
        supervise(settings, service, announce)

    in_processes(settings.workers, "relay", run)


def in_processes(workers: int, what: str, run: Callable[[], None]) -> None:
    """Run a server of so many processes, which share their numbers. Raises UsageError."""
    missing = [name for name in _MODULES if find_spec(name) is None]
    if missing:
        raise UsageError(f"a {what} needs {missing[0]}: python -m pip install 'letterlock[relay]'")
    if workers == 1:
        run()
    elif not hasattr(os, "fork"):
        raise UsageError(
            f"this system has no fork: start a {what} on each of several ports instead of workers"
        )
    else:
        _run_several(run)


def _run_several(run: Callable[[], None]) -> None:
    directory = tempfile.mkdtemp(prefix="letterlock-")
    os.environ[_METRICS_DIRECTORY] = directory
    try:
        run()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _try(settings: Settings) -> None:
    """Open and close the store. Raises StoreError."""
    store = await open_store(settings.store).open()
    await store.close()
