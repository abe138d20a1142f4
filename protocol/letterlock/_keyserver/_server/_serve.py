"""serve: run a key server until it is told to stop.

Not here: reading settings (_settings.py); processes (relay/_server/_supervisor.py).
"""

from collections.abc import Callable

from letterlock._keyserver._server._settings import KeyServerSettings
from letterlock._keyserver._serving import Checks
from letterlock.relay._server._serve import in_processes


def serve(
    settings: KeyServerSettings, announce: Callable[[str, str], None], checks: Checks | None = None
) -> None:
    """Serve until SIGTERM or SIGINT. `announce` is called with the address once calls are answered.

    Raises UsageError if a library is missing or settings do not fit, StoreError if the database cannot be
    used, and OSError if a file cannot be read or an address cannot be listened on.
    """
    recovery = settings.recovery(checks)

    def run() -> None:
        # prometheus_client decides when it is imported whether processes share their numbers.
        from letterlock._keyserver._server._worker import run_worker  # noqa: PLC0415
        from letterlock.relay._server._supervisor import Service, supervise  # noqa: PLC0415

        service = Service(lambda process: run_worker(settings, recovery, process), recovery.try_store)
        supervise(settings, service, announce)

    in_processes(settings.workers, "key server", run)
