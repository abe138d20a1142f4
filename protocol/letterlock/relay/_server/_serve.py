"""serve: run a relay until it is told to stop.

Not here: reading settings (_settings.py); processes (_supervisor.py).
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from letterlock.errors import UsageError
from letterlock.relay._server._settings import Settings

_MODULES: Final = ("starlette", "uvicorn", "websockets", "prometheus_client")
_METRICS_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"


def serve(settings: Settings, announce: Callable[[str, str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `announce` is called with address and name once calls are answered.

    Raises UsageError if a library is missing, StoreError if the store cannot be used, and OSError if an
    address cannot be listened on.
    """
    missing = [name for name in _MODULES if find_spec(name) is None]
    if missing:
        raise UsageError(f"a relay needs {missing[0]}: python -m pip install 'letterlock[relay]'")
    if settings.workers == 1:
        _run(settings, announce)
    elif not hasattr(os, "fork"):
        raise UsageError(
            "this system has no fork: start several relays on different ports instead of workers"
        )
    else:
        _run_several(settings, announce)


def _run_several(settings: Settings, announce: Callable[[str, str], None]) -> None:
    directory = tempfile.mkdtemp(prefix="letterlock-relay-")
    os.environ[_METRICS_DIRECTORY] = directory
    try:
        _run(settings, announce)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _run(settings: Settings, announce: Callable[[str, str], None]) -> None:
    # prometheus_client decides when it is imported whether processes share their numbers.
    from letterlock.relay._server._supervisor import supervise  # noqa: PLC0415

    supervise(settings, announce)
