"""RelayEvent: what happened between a client and its relay, for the application to tell or to log.

Not here: what happened to contacts and devices, which is an `Event` of the user layer.
"""

from dataclasses import dataclass
from enum import Enum


class RelayEventKind(Enum):
    """What happened. `name` and `device` of the event say to whom, where it was somebody."""

    UP = "relay up"
    """The relay answers, for the first time or again."""
    DOWN = "relay down"
    """The relay cannot be reached. What is sent meanwhile is kept, and goes when it is back."""
    MISBEHAVES = "relay misbehaves"
    """The relay's answer breaks the specification, or is a lie. It was discarded. Tell whoever
    runs the relay."""
    MAILBOX_FULL = "mailbox full"
    """The device's mailbox takes no more. What it was sent is kept here, and tried again."""
    UNKNOWN_USER = "unknown user"
    """The relay knows nobody of this name. What was sent there is kept for 30 days."""
    SLOWED = "slowed down"
    """The relay takes no more calls about this name for a while. They are made later."""
    NOT_TAKEN = "not taken"
    """The relay refused a message of ours for good."""
    DISPLACED = "displaced"
    """Another program with the same store took this one's place at the relay. Both get all messages, but this
    one later: one program for a store is enough."""
    NOT_ADMITTED = "not admitted"
    """The relay does not know this device any more, and shows no list that revokes it: perhaps somebody else
    has the name now. It is asked again, less and less often."""
    TICKET_NEEDED = "ticket needed"
    """The relay knows nobody of this user's name, and registers nobody without a ticket. Get a new one from
    the application's server, and give it to `use_ticket`."""
    REGISTERED_AGAIN = "registered again"
    """The relay knew nobody of this user's name, as after the loss of its database. It was given the device
    lists, and gets new prekeys. What had waited in its mailboxes comes from the senders again, after two
    days."""
    SHARED = "shared"
    """Grants came through the relay: `name` has shared something, or taken it back."""
    CLAIMED = "claimed"
    """Both servers say who has claimed what was shared with an address: `name`, or nobody who is a contact.
    What was granted to the address is granted to this contact from now on."""
    FORKED = "forked"
    """The relay showed the log of a collection in two versions. Nothing is sealed for it until the
    application calls `keep` or `forget`."""
    NO_ROOM = "no room"
    """A shelf at the relay is full, so what was shared waits here, and is tried again."""
    GROUP_GIVEN_UP = "group text given up"
    """A text for `group` was given up, because this user may not write there any more; or one from there,
    whose keys did not come in 30 days or of which too many waited."""
    FAILED = "failed"
    """Something failed that cannot be a peer's doing: a bug. It is tried again; the log names its kind."""


@dataclass(frozen=True, slots=True)
class RelayEvent:
    """Something that happened. It is kept in memory only, and the same one is not told twice in a row."""

    kind: RelayEventKind
    name: str | None = None
    device: int | None = None
    group: bytes | None = None
