"""What one client may ask of a relay, and for how long things are kept. Each limit has its reason.

These are the relay's own choice, so clients do not rely on them: a relay says SLOW_DOWN, and for how long.

Not here: the limits of what travels (_wire/relay_limits.py), and of claims (_claims.py).
"""

from typing import Final

from letterlock.limits import DAY, LINKING_LIFETIME
from letterlock.relay._buckets import Bucket, Buckets, Seen

CHALLENGE_SECONDS: Final = 5 * 60
"""For how long a challenge may be signed: a slow phone on a bad line needs seconds."""

TOKEN_SECONDS: Final = 60 * 60
"""For how long a token is good. One that was stolen is worth little, and a login an hour costs little."""

CLOCK_SLACK: Final = 60
"""Seconds by which the clocks of a relay's machines may differ."""

HEAD_SECONDS: Final = 5
"""For how long a device list that was read counts as the newest one when a token is checked. A device that
was revoked through another process may go on for as long. [RLY-8]"""

MAX_HEADS: Final = 10_000
"""Device lists that are remembered for that: the devices that are busy at the same time."""

MAX_STOCK: Final = 200
"""Single-use bundles of one device in stock: two full publications. More would only fill the disk."""

MAILBOX_MESSAGES: Final = 1000
"""Messages in one mailbox, unless the operator chooses another number."""

MAILBOX_BYTES: Final = 64 * 1024 * 1024
"""Bytes of messages in one mailbox, unless the operator chooses another number."""

MAIL_DAYS: Final = 30
"""Days for which mail is kept, as long as clients remember what they have seen."""

SHELF_PARCELS: Final = 65_536
"""Parcels on one shelf, unless the operator chooses another number. They do not expire."""

SHELF_BYTES: Final = 1024 * 1024 * 1024
"""Bytes of parcels on one shelf, unless the operator chooses another number."""

PUTTER_SHARE: Final = 16
"""Which part of a shelf one user may fill, who is not its owner: a sixteenth."""

MEMBER_SHARE: Final = 4
"""Which part of the room for a group's texts one member may fill: a quarter."""

OWNERS_SHARE: Final = 8
"""Which part of a shelf others leave to its owner: an eighth. A flood of them keeps out their own parcels."""

PLACE_SECONDS: Final = LINKING_LIFETIME
"""For how long a meeting place is open: as long as a linking code is good."""

MAX_READS: Final = 8
"""Calls of one process that read lists, mail or parts of packages at the same time. Each may hold 4 MiB, and
nothing counts that yet; others wait, and hold nothing."""

PLACE_PAUSE: Final = 1.0
"""Seconds between two looks at a meeting place that another process may have filled."""

MAX_PLACE_WAITS: Final = 1000
"""Calls that wait at meeting places in one process: strangers may make them. More get an answer at once."""

ANSWER_SECONDS: Final = 15
"""Seconds that a call has, besides those for which its client asks to wait. [RLY-60] Clients give up after
20."""

BUSY_SECONDS: Final = 5
"""After how many seconds to ask a relay again that cannot answer now."""


class Limits:
    """The buckets of one process. They are in memory and end with it: its clients then have full ones."""

    __slots__ = (
        "_seen",
        "appends",
        "entries",
        "logins",
        "logs",
        "places",
        "publications",
        "registrations",
        "sends",
        "shelvings",
        "targets",
        "texts",
    )

    def __init__(self) -> None:
        self.logins = Buckets(Bucket(60, 6))
        """Logins of one device that succeeded. Others are not counted: anybody could lock a device out."""
        self.registrations = Buckets(Bucket(60, 1))
        """Registrations of everybody together where registration is open, and of one name with a ticket."""
        self.appends = Buckets(Bucket(20, 30))
        """New device lists of one account: verifying one costs a few milliseconds."""
        self.publications = Buckets(Bucket(20, 30))
        """Publications of one device: verifying one of 100 pairs costs some ten milliseconds."""
        self.targets = Buckets(Bucket(1000, DAY // 1000))
        """Names that one device asks for and has not asked for lately: a thousand a day."""
        self.sends = Buckets(Bucket(60, 1))
        """Sends of one device to one account."""
        self.places = Buckets(Bucket(5, 120))
        """Meeting places that one account opens: each may hold 17 MiB."""
        self.shelvings = Buckets(Bucket(60, 1))
        """Calls of one device that shelve parcels: each may hold 4 MiB."""
        self.entries = Buckets(Bucket(100, 5))
        """Entries of logs that one device appends: verifying one costs a few milliseconds."""
        self.logs = Buckets(Bucket(100, DAY // 100))
        """Logs that one device begins: each may grow, and is kept."""
        self.texts = Buckets(Bucket(60, 1))
        """Texts of one device for one group."""
        self._seen = Seen()

    def target(self, requester: bytes, account: bytes, now: int) -> None:
        """Count a name or user id that a device asks for, unless it asked for it lately. [RLY-10]

        Raises Refused.
        """
        key = requester + account
        if key not in self._seen:
            self.targets.take(requester, now)
        self._seen.add(key)
