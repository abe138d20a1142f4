"""Settings of a relay: what the command line, the environment and a file made together.

Not here: reading them (cli/_relay_settings.py).
"""

from dataclasses import dataclass, field
from typing import Final

from letterlock._wire.relay_limits import MAX_RELAY_NAME
from letterlock.errors import UsageError
from letterlock.relay._server._address import Listen, default_names
from letterlock.relay._server._service_settings import ServiceSettings

_OPEN: Final = "open"
_TICKET: Final = "ticket:"
_KEY_DIGITS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ServiceSettings):
    """What `letterlock relay serve` was told. See ServiceSettings."""

    name: str
    registration: str
    mail_days: int
    mailbox_messages: int
    mailbox_bytes: int
    shelf_parcels: int
    shelf_bytes: int
    sockets: int
    recovery_store: str = field(repr=False)
    recovery_keys: str
    recovery_tickets: str
    recovery_identity: str

    def __post_init__(self) -> None:
        """Check what concerns more than one value. Raises UsageError."""
        ServiceSettings.__post_init__(self)  # `super()` does not work in a class with slots
        if not self.name:
            default_names(Listen.parse("listen", self.listen))
        elif not all(_is_authority(name) for name in self.names):
            raise UsageError(
                "name must be the host of the clients' URL in lower case, as in relay.example:8443"
            )
        _ = self.ticket_key

    @property
    def names(self) -> tuple[str, ...]:
        """The names in `name`, which commas separate: the relay is shown under the first one."""
        return tuple(name.strip() for name in self.name.split(",")) if self.name else ()

    @property
    def ticket_key(self) -> bytes | None:
        """The Ed25519 public key (32 bytes) that verifies registration tickets; None if everybody may."""
        if self.registration == _OPEN:
            return None
        digits = self.registration.removeprefix(_TICKET)
        if digits == self.registration or len(digits) != _KEY_DIGITS or not _is_hexadecimal(digits):
            raise UsageError(
                "registration must be `open`, or `ticket:` and the 64 hexadecimal digits of a public key: "
                "`letterlock relay ticket key` makes one"
            )
        return bytes.fromhex(digits)


def _is_authority(name: str) -> bool:
    return (
        0 < len(name) <= MAX_RELAY_NAME
        and name.isascii()
        and name.isprintable()
        and name == name.lower()
        and not set(name) & set("/\\@?# \"'<>")
    )


def _is_hexadecimal(text: str) -> bool:
    return set(text) <= set("0123456789abcdefABCDEF")
