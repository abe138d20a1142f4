"""The subjects of a relay: NAME.STREAM.ACCOUNT.REST, where NAME is the relay's and STREAM a number.

    h                     the account's head
    l.USER.VERSION        an encoded list
    v.VALUE               a value that was spent
    d.SCOPE.x             a mailbox: which messages are in it
    d.SCOPE.m.NUMBER      a message
    d.SCOPE.c             which bundles were given out
    d.SCOPE.r             the last-resort bundle
    d.SCOPE.b.PAGE.PART   some bundles of a page
    d.SCOPE.w             the counter that the device showed
    p, q.STEP.PART        a meeting place, and its parts: its 16 bytes stand in place of the account's
    s                     a shelf: its key stands in place of the account's, and so below
    s.c.CHUNK             which parcels are on it, 256 numbers together
    s.h.HASH              the number of a parcel
    s.n.NUMBER            a parcel
    s.t.NUMBER            when a parcel was put there that expires
    s.u.PUTTER            what one user has put there
    u                     the accounts of a user, in the place of the user's shelf
    g                     the newest entry of a log, in the place of its collection's shelf
    g.NUMBER              an entry

USER is the user id, and SCOPE a hash of the device, its keys and the user id. A user that replaces another
one, and a device that is revoked and added again, have other names.

Not here: what stands in them (records.py).
"""

import hashlib
from dataclasses import dataclass

from letterlock.relay._store import Head, ListedKey


@dataclass(frozen=True, slots=True)
class Names:
    """The names of streams and subjects of one relay."""

    relay: str
    streams: int

    def stream(self, number: int) -> str:
        """Return the name of a stream."""
        return f"{self.relay}_{number:02}"

    def all(self, number: int, rest: str) -> str:
        """Return the filter of a stream's subjects that end in `rest`, of any account."""
        return f"{self.relay}.{number:02}.*.{rest}"

    def of(self, key: bytes) -> "Place":
        """Return where an account or a meeting place is. `key` is a hash or random already."""
        number = int.from_bytes(key[:8], "big") % self.streams
        return Place(self.stream(number), f"{self.relay}.{number:02}.{key.hex()}")

    def version(self, number: int) -> str:
        """Return the subject of a stream's version, on which there is always a message."""
        return f"{self.relay}.{number:02}.version"

    def secret(self, name: str) -> "Place":
        """Return where a secret of the relay itself is."""
        return Place(self.stream(0), f"{self.relay}.00.secret.{name.encode().hex()}")

    def wake(self, account: bytes, device: int) -> str:
        """Return the subject that tells of new mail. No stream stores it."""
        return f"{self.relay}.wake.{account.hex()}.{device}"


@dataclass(frozen=True, slots=True)
class Place:
    """A stream, and how the subjects of an account in it begin."""

    stream: str
    prefix: str

    @property
    def head(self) -> str:
        """The subject of the account's head."""
        return f"{self.prefix}.h"

    def list(self, user_id: bytes, version: int) -> str:
        """Return the subject of an encoded list."""
        return f"{self.lists(user_id)}.{version}"

    def lists(self, user_id: bytes) -> str:
        """Return how the subjects of a user's lists begin."""
        return f"{self.prefix}.l.{user_id[:8].hex()}"

    @property
    def user(self) -> str:
        """The subject of the accounts of the user whose shelf this is."""
        return f"{self.prefix}.u"

    @property
    def shelf(self) -> str:
        """The subject of a shelf's record, with which all its other subjects begin."""
        return f"{self.prefix}.s"

    def chunk(self, chunk: int) -> str:
        """Return the subject of the record of 256 numbers."""
        return f"{self.shelf}.c.{chunk}"

    def parcel_number(self, hash_: bytes) -> str:
        """Return the subject of a parcel's number."""
        return f"{self.shelf}.h.{hash_.hex()}"

    def parcel(self, number: int) -> str:
        """Return the subject of a parcel."""
        return f"{self.shelf}.n.{number}"

    def ending(self, number: int) -> str:
        """Return the subject that says when a parcel was put there that expires."""
        return f"{self.shelf}.t.{number}"

    def putter(self, putter: bytes) -> str:
        """Return the subject of what one user has put on the shelf."""
        return f"{self.shelf}.u.{putter.hex()}"

    @property
    def log(self) -> str:
        """The subject of the newest entry of a log."""
        return f"{self.prefix}.g"

    def entry(self, number: int) -> str:
        """Return the subject of an entry."""
        return f"{self.log}.{number}"

    def device(self, head: Head, device: int) -> "DevicePlace | None":
        """Return where the things of a device are, or None if the head does not list it."""
        listed = head.device(device)
        return None if listed is None else DevicePlace(self.stream, f"{self.prefix}.d.{_scope(head, listed)}")


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """A stream, and how the subjects of a device in it begin."""

    stream: str
    prefix: str

    @property
    def mailbox(self) -> str:
        """The subject of the mailbox's record."""
        return f"{self.prefix}.x"

    @property
    def claims(self) -> str:
        """The subject of the record of claims."""
        return f"{self.prefix}.c"

    @property
    def last_resort(self) -> str:
        """The subject of the last-resort bundle."""
        return f"{self.prefix}.r"

    @property
    def counter(self) -> str:
        """The subject of the counter that the device showed."""
        return f"{self.prefix}.w"

    def mail(self, number: int) -> str:
        """Return the subject of a message."""
        return f"{self.prefix}.m.{number}"

    def bundles(self, page: int, part: int) -> str:
        """Return the subject of some bundles of a page."""
        return f"{self.prefix}.b.{page}.{part}"


def _scope(head: Head, listed: ListedKey) -> str:
    what = f"{listed.device}.{listed.added}.".encode() + head.user_id + listed.ed25519 + listed.identity
    return hashlib.sha256(what).hexdigest()[:16]
