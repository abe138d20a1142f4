"""RelaySettings: what an operator decides about a relay.

Not here: where settings come from (the server).
"""

from dataclasses import dataclass
from typing import Final

from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._wire.relay_limits import MAX_RELAY_NAME
from letterlock.errors import UsageError
from letterlock.relay._limits import (
    MAIL_DAYS,
    MAILBOX_BYTES,
    MAILBOX_MESSAGES,
    SHELF_BYTES,
    SHELF_PARCELS,
)

_LEAST_BYTES: Final = 1024 * 1024
"""A mailbox takes the longest message at least."""

_LEAST_SHELF: Final = (64, 16 * 1024 * 1024)
"""Parcels and bytes for which a shelf has room at least: then a sixteenth of it takes the longest parcel."""


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """What an operator decides. Raises UsageError, or InvalidKey for a `ticket_key` that is none.

    `name` is the authority of the URL by which clients know the relay, such as `relay.example:8443`;
    `other_names` are further ones. A login for another name is refused. `ticket_key` is the Ed25519 public
    key, 32 bytes, that signs tickets; None opens registration to everybody. The others bound one mailbox, and
    one shelf.
    """

    name: str
    ticket_key: bytes | None = None
    mailbox_messages: int = MAILBOX_MESSAGES
    mailbox_bytes: int = MAILBOX_BYTES
    mail_days: int = MAIL_DAYS
    other_names: tuple[str, ...] = ()
    shelf_parcels: int = SHELF_PARCELS
    shelf_bytes: int = SHELF_BYTES

    def __post_init__(self) -> None:
        for name in self.names:
            if not 1 <= len(name) <= MAX_RELAY_NAME or name != name.lower():
                raise UsageError("a relay's name is the host of its URL in lower case, with the port if any")
        if self.ticket_key is not None:
            Ed25519PublicKey(self.ticket_key)
        if self.mailbox_messages < 1 or self.mailbox_bytes < _LEAST_BYTES or self.mail_days < 1:
            raise UsageError("a mailbox needs room for 1 message, 1 MiB and 1 day at least: raise the limits")
        if (self.shelf_parcels, self.shelf_bytes) != tuple(
            map(max, (self.shelf_parcels, self.shelf_bytes), _LEAST_SHELF)
        ):
            raise UsageError("a shelf needs room for 64 parcels and 16 MiB at least: raise the limits")

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the relay."""
        return (self.name, *self.other_names)
