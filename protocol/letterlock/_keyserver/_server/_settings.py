"""Settings of a key server: what the command line, the environment and a file made together.

Not here: reading them (cli/_settings_reader.py).
"""

from dataclasses import dataclass, field
from pathlib import Path

from letterlock._keyserver._keys import ServerKeys
from letterlock._keyserver._serving import Checks, RecoverySettings
from letterlock.errors import UsageError
from letterlock.recovery import Policy
from letterlock.relay._server._address import Listen
from letterlock.relay._server._settings import OFF

NO_IDENTITY = "none"
"""Says that nobody's identity is checked. It has to be said: anybody may use up guesses. [REC-18]"""


@dataclass(frozen=True, slots=True)
class KeyServerSettings:
    """What `letterlock keyserver serve` was told. Each field is an option of the same name.

    Times are in seconds. Raises UsageError if the values cannot go together.
    """

    store: str = field(repr=False)  # a URL may hold a password
    keys: str
    identity: str
    listen: str
    workers: int
    uses: int
    uses_a_day: int
    pause: int
    rest_days: int
    address_calls: int
    new_users: int
    proxies: int
    metrics_listen: str
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
        if not self.keys:
            raise UsageError("name the key file with --keys: `letterlock keyserver keys FILE` makes one")
        if not self.identity:
            raise UsageError("say how identities are checked with --identity, or `--identity none`")

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called in logs: no client calls it by a name."""
        return ("keyserver",)

    @property
    def metrics_address(self) -> Listen | None:
        """Where /metrics has an address of its own, or None."""
        if self.metrics_listen in {"", OFF}:
            return None
        return Listen.parse("metrics-listen", self.metrics_listen)

    def recovery(self, checks: Checks | None) -> RecoverySettings:
        """Return what the server of recovery is told. Reads the key file. Raises UsageError, OSError."""
        if (checks is None) != (self.identity == NO_IDENTITY):
            raise UsageError(f"no identity is checked by {self.identity!r}: see the page of the key server")
        keys = ServerKeys.read(Path(self.keys))
        return RecoverySettings(
            number=2,
            store=self.store,
            keys=keys,
            tickets=keys.tickets,
            checks=checks,
            policy=Policy(self.uses, self.uses_a_day, self.pause, self.rest_days * 86_400),
            address_calls=self.address_calls,
            proxies=self.proxies,
            new_users=self.new_users,
        )
