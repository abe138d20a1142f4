"""Strangers: how much one process of a server keeps for people of whom it knows nothing.            [REC-56]

    users     new ones without a pass, all together; with one, each identity has a few of its own
    boxes     each 64 KiB of one count as a user does
    decoys    counts of guesses at made-up users: further ones are kept for an hour instead of weeks
    people    for whom one identity has provisional identities made                                   [PRV-3]

The bound of an address stops nobody who has many of them. These buckets do not look at addresses. They are in
memory, so their time tells nothing of what is stored.

Not here: what an address may call (_limits.py); whose rows stay (_newcomers.py).
"""

from typing import Final

from letterlock.limits import DAY
from letterlock.relay._buckets import Bucket, Buckets
from letterlock.relay._reply import Refused

NEW_USERS: Final = 10_000
"""Users without a pass who may come at once, and in a day, unless the operator says otherwise."""

_USERS_OF_ONE: Final = 4
"""New users by one identity in a day. A person is one user, and perhaps begins anew."""

_PEOPLE_OF_ONE: Final = 1000
"""People to whom one identity gives something in a day, before they have an account."""

_BOX_UNIT: Final = 64 * 1024

_USERS, _DECOYS = "users", "decoys"


class Strangers:
    """The buckets of one process: `most` users and decoys at once, and about as many in a day."""

    __slots__ = ("_all", "_people", "_users")

    def __init__(self, most: int = NEW_USERS) -> None:
        self._all = Buckets(_daily(most))
        self._users = Buckets(_daily(_USERS_OF_ONE))
        self._people = Buckets(_daily(_PEOPLE_OF_ONE))

    def user(self, proven: bytes | None, now: int) -> None:
        """Count a new user, who may have proven an identity of this tag. Raises Refused, SLOW_DOWN."""
        if proven is None:
            self._all.take(_USERS, now)
        else:
            self._users.take(proven, now)

    def box(self, size: int, now: int) -> None:
        """Count a box of so many bytes. Raises Refused, SLOW_DOWN."""
        for _ in range(-(-size // _BOX_UNIT)):
            self._all.take(_USERS, now)

    def decoy(self, now: int) -> bool:
        """Count a decoy, and return whether there is room to keep it for long."""
        try:
            self._all.take(_DECOYS, now)
        except Refused:
            return False
        return True

    def person(self, maker: bytes, now: int) -> None:
        """Count a provisional identity that somebody has made. Raises Refused, SLOW_DOWN."""
        self._people.take(maker, now)

    def __repr__(self) -> str:
        return "<Strangers>"


def _daily(most: int) -> Bucket:
    return Bucket(most, max(1, DAY // most))
