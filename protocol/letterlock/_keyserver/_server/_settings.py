"""Settings of a key server: what the command line, the environment and a file made together.

Not here: reading them (cli/_settings_reader.py).
"""

from dataclasses import dataclass
from pathlib import Path

from letterlock._keyserver._keys import ServerKeys
from letterlock._keyserver._serving import Checks, RecoverySettings
from letterlock.errors import UsageError
from letterlock.recovery import Policy
from letterlock.relay._server._service_settings import ServiceSettings

NO_IDENTITY = "none"
"""Says that nobody's identity is checked. It has to be said: anybody may use up guesses. [REC-18]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyServerSettings(ServiceSettings):
    """What `letterlock keyserver serve` was told. See ServiceSettings."""

    keys: str
    identity: str
    uses: int
    uses_a_day: int
    pause: int
    rest_days: int
    new_users: int

    def __post_init__(self) -> None:
        """Check what concerns more than one value. Raises UsageError."""
        ServiceSettings.__post_init__(self)  # `super()` does not work in a class with slots
        if not self.keys:
            raise UsageError("name the key file with --keys: `letterlock keyserver keys FILE` makes one")
        if not self.identity:
            raise UsageError("say how identities are checked with --identity, or `--identity none`")

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called in logs: no client calls it by a name."""
        return ("keyserver",)

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
