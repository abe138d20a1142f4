"""Settings that every server has, a relay as well as a key server: its sockets, processes, logs and limits.

Not here: what else a relay is told (_settings.py), or a key server (_keyserver/_server/).
"""

from dataclasses import dataclass, field
from typing import Final

from letterlock.errors import UsageError
from letterlock.relay._server._address import Listen

OFF: Final = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What each server was told. Each field is an option of the same name; times are in seconds.

    Raises UsageError if the values cannot go together.
    """

    store: str = field(repr=False)  # a URL may hold a password
    listen: str
    workers: int
    address_calls: int
    proxies: int
    metrics_listen: str
    status_page: bool
    log_format: str
    log_level: str
    connections: int
    body_memory: int
    header_seconds: int
    body_seconds: int
    answer_seconds: int
    idle_seconds: int
    drain_seconds: int

    def __post_init__(self) -> None:
        """Check what concerns more than one value. Raises UsageError."""
        listen = Listen.parse("listen", self.listen)
        if self.metrics_address == listen and listen.port:
            raise UsageError("metrics-listen is the main address: choose another port, or leave it out")

    @property
    def metrics_address(self) -> Listen | None:
        """Where /metrics has an address of its own, or None."""
        if self.metrics_listen in {"", OFF}:
            return None
        return Listen.parse("metrics-listen", self.metrics_listen)
