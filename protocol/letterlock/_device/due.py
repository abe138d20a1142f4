"""Due: what an account asks of its application, because time has passed or a peer is silent.

Not here: doing it (device.py), and what the numbers mean (letterlock.limits).
"""

from letterlock._primitives.dataclass import dataclass
from letterlock._wire.address import Address


@dataclass(frozen=True, slots=True)
class Due:
    """What an account waits for, as `Account.due` tells it.

    `rotation`: the signed and the last-resort prekey are more than a week old, or newer than the clock.
    `publication`: call `Account.publish` and give the result to the server. Rotation is due, or the prekeys
    were retired when a message was decrypted, or no unused one-time prekeys are left.
    `one_time_prekeys`: how many unused pairs there are. Those that were replaced, or that expire within 30
    days, do not count. A server may hold fewer.
    `unanswered`: peers, in order of address, who never answered the session that `encrypt` uses for them.
    Their first messages may be lost; after some days, initiate again with a new bundle.
    `ended`: peers, in order of address, to whom nothing can be sent, because the session with them ended
    (SessionEnded). Initiate again with a new bundle.
    """

    rotation: bool
    publication: bool
    one_time_prekeys: int
    unanswered: tuple[Address, ...]
    ended: tuple[Address, ...] = ()
