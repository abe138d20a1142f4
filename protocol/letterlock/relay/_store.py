"""RelayStore: what a relay asks of a database.

    Head         the newest device list of an account, as far as the relay needs it
    Page         one publication of a device's prekeys, as the bundles to hand out
    Mail         one message in a mailbox
    Deliver      all the messages of one send
    Put          one parcel for a shelf
    LogHead      the newest entry of a log

Each method is one atomic step that changes rows of one account, and is durable when it returns: after the
process or the database was killed, it has happened whole or not at all. Many processes may call at once.
An account is named by 16 bytes, a hash of its name. So is a shelf, by a hash of the id of a user or of a
collection, and a log by the key of its collection's shelf. A group's texts are on a shelf of their own; its
key begins with 8 bytes of its log's, by which a database may keep both together. Times are in seconds since
1970, from the caller.

What a device changes of its own takes `listed`, the device as the relay found it in the newest list. The
change and the look whether the list has that device still are one step, because a device may be revoked, and
an account replaced, after the relay found it.

Not here: what a call may do; the databases.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A device of the newest list: the key that it authenticates with (Ed25519, 32 bytes), and its class."""

    device: int
    ed25519: bytes
    identity: bytes
    device_class: int
    added: int

    def is_same(self, other: "ListedKey | None") -> bool:
        """Return whether this is one device in two lists. Only its class may change."""
        return other is not None and replace(self, device_class=other.device_class) == other


@dataclass(frozen=True, slots=True)
class Head:
    """The newest version of an account's device list. `hash` and `user_id` have 32 bytes."""

    version: int
    hash: bytes
    user_id: bytes
    devices: tuple[ListedKey, ...]

    def device(self, device: int) -> ListedKey | None:
        """Return the listed device with this id, or None."""
        return next((each for each in self.devices if each.device == device), None)


@dataclass(frozen=True, slots=True)
class Page:
    """What a device published: single-use bundles, encoded, and one to give out again and again.

    `number` grows with each publication of the device. `signed` is the id of the signed prekey: a page with
    another one replaces all earlier pages. `digest` is the SHA-256 of what was uploaded.
    """

    number: int
    digest: bytes
    signed: int
    last_resort: bytes
    bundles: tuple[bytes, ...]


class Published(Enum):
    """What became of a page."""

    STORED = "stored"
    SAME = "the same page was stored before"
    OLDER = "a page of this number or a later one was stored before"
    UNLISTED = "the newest list does not have the device, or has it with other keys"


class Opened(Enum):
    """What became of a meeting place that a device opens."""

    OPEN = "it is open, perhaps since earlier"
    TAKEN = "another account has it"
    UNLISTED = "the newest list does not have the device, or has it with other keys"


@dataclass(frozen=True, slots=True)
class Stock:
    """What is there for a device: the newest page's number (0 for none), single-use bundles, and its mail."""

    number: int
    bundles: int
    messages: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in a mailbox. `id`, 16 bytes, tells nothing of its order, and a second one changes nothing.

    `sender` is the sender's name and device, as the sender authenticated.
    """

    device: int
    id: bytes
    time: int
    sender: tuple[str, int]
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Deliver:
    """The messages of one send, at most one for a device, made for one version of the account's list."""

    version: int
    hash: bytes
    mail: tuple[Mail, ...]
    most_messages: int
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a send: stored (all None), or nothing was stored and one of these says why.

    `head` is the newest list if the send was made for another one, or names a device that it does not have.
    `full` is a device whose mailbox has no room.
    """

    head: Head | None = None
    full: int | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Put:
    """A parcel for a shelf (16 bytes). `hash` has 32 bytes, and `putter`, whoever puts it there, 16.

    The `most_` fields bound how many parcels and bytes the shelf has with it, and the others how many of them
    are this putter's. A parcel with a `time`, when it was put there, expires.
    """

    shelf: bytes
    hash: bytes
    putter: bytes
    parcel: bytes = field(repr=False)
    most_parcels: int
    most_bytes: int
    putter_parcels: int
    putter_bytes: int
    time: int | None = None


@dataclass(frozen=True, slots=True)
class ShelfPage:
    """Parcels of a shelf with their numbers, in order, and the number that was given last, 0 for none."""

    newest: int
    parcels: tuple[tuple[int, bytes], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest entry of a log: its number, its hash of 32 bytes, and what the log comes to, as bytes."""

    number: int
    hash: bytes
    state: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a text: its number, or it was not stored, because the log has another newest entry."""

    number: int | None = None
    is_full: bool = False
    """It was not stored because it has no room."""


@dataclass(frozen=True, slots=True)
class Expired:
    """How much `expire` deleted, and whether it stopped before all was done: then call it again."""

    messages: int
    other: int
    more: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """What a store holds, about: a store may count now and then only."""

    accounts: int
    devices: int
    bundles: int
    messages: int
    bytes: int


class RelayStore(Protocol):
    """One database. `open` and `close` are the ends; every other method may be called from many tasks."""

    async def open(self) -> Self:
        """Connect, and check that the tables are of this release. Raises StoreError."""
        ...

    async def close(self) -> None:
        """End all connections. Methods that run are waited for."""
        ...

    async def secret(self, name: str, candidate: bytes) -> bytes:
        """Return the secret of this name; `candidate` becomes it if there is none yet."""
        ...

    # --- accounts and their lists -------------------------------------------------------------------

    async def head(self, account: bytes) -> Head | None:
        """Return the newest list's head, or None for an account that does not exist."""
        ...

    async def lists(self, account: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
        """Return encoded lists after a version, in order: at most so many and so many bytes, but one."""
        ...

    async def create(
        self, account: bytes, lists: Sequence[bytes], head: Head, *, replace: bool
    ) -> Head | None:
        """Store an account with its lists. Return None, or the head of the account that is there.

        With `replace`, an account of another user id is deleted whole, in the same step.
        """
        ...

    async def append(self, account: bytes, before: Head, encoded: bytes, head: Head) -> Head | None:
        """Store the list after `before`. Return None, or the newest head if that is not `before`.

        Everything of devices that `head` no longer lists is deleted in the same step.
        """
        ...

    # --- prekeys ------------------------------------------------------------------------------------

    async def publish(self, account: bytes, listed: ListedKey, page: Page, most: int) -> Published:
        """Store a page if its number is the greatest; bundles beyond `most` in stock are left out.

        `listed` is the device under whose keys the page was verified. Nothing is stored if the newest list
        does not have that device any more.
        """
        ...

    async def claim(
        self, account: bytes, devices: Sequence[int], claim: bytes, requester: bytes, now: int
    ) -> list[bytes | None]:
        """Return a bundle for each device, or None. `claim` and `requester` have 16 bytes each.

        A single-use bundle is returned for one claim at most, and the same again for the same claim within
        five minutes. Raises RateLimited.
        """
        ...

    async def stock(self, account: bytes, device: int) -> Stock:
        """Return what is there for a device."""
        ...

    # --- mail ---------------------------------------------------------------------------------------

    async def deliver(self, account: bytes, send: Deliver) -> Delivered:
        """Store all messages of a send, or none. A message whose id is there already is left as it is."""
        ...

    async def fetch(
        self, account: bytes, device: int, most: int, most_bytes: int, skip: frozenset[bytes]
    ) -> list[Mail]:
        """Return the oldest messages in the order in which they were stored, without those in `skip`.

        No message that was stored before is passed over, whatever else is being stored. At least one message
        is returned if there is any, however large.
        """
        ...

    async def acknowledge(self, account: bytes, listed: ListedKey, ids: Sequence[bytes]) -> bool:
        """Delete messages. Ids that are not there are no error.

        Return False, and delete nothing, if the newest list does not have the device that calls any more.
        """
        ...

    def watch(self, account: bytes, device: int) -> "AbstractAsyncContextManager[Watch]":
        """Watch a mailbox: messages that any process stores while the block runs wake `Watch.wait`."""
        ...

    # --- what a device showed -----------------------------------------------------------------------

    async def advance(self, account: bytes, listed: ListedKey, counter: int) -> int | None:
        """Keep the greatest counter of a device. Return the greatest before, 0 at first.

        Return None, and keep nothing, if the newest list does not have the device that calls any more.
        """
        ...

    async def spend(self, account: bytes, value: bytes, until: int, now: int) -> bool:
        """Return whether a value (16 to 32 bytes) was never spent before; it is remembered until a time."""
        ...

    # --- meeting places -----------------------------------------------------------------------------

    async def open_place(self, place: bytes, account: bytes, listed: ListedKey, until: int) -> Opened:
        """Open a place (16 bytes) for an account, unless the newest list does not have the device."""
        ...

    async def place_owner(self, place: bytes, now: int) -> bytes | None:
        """Return the account that opened a place, or None if it is not open."""
        ...

    async def put(self, place: bytes, step: int, part: int, parts: int, data: bytes, now: int) -> bool:
        """Store a part unless there is one already. Return False if the place is not open."""
        ...

    async def get(self, place: bytes, step: int, part: int, now: int) -> tuple[int, bytes] | None:
        """Return how many parts a step has, and one of them; None if it is not there yet."""
        ...

    # --- users, shelves and logs --------------------------------------------------------------------

    async def user(self, user_id: bytes) -> tuple[bytes, Head] | None:
        """Return the account of a user id, with its head: that with the newest version if there are several.

        Anybody may register the beginning of somebody's chain under another name.
        """
        ...

    async def shelve(self, puts: Sequence[Put]) -> list[bool]:
        """Store each parcel, whole or not at all, unless it is there. Return for each whether it is there.

        A parcel is left out if it has no room.
        """
        ...

    async def shelf(self, shelf: bytes, after: int, most: int, most_bytes: int) -> ShelfPage:
        """Return parcels after a number, in order: at most so many and so many bytes, but one.

        No parcel that was stored before is passed over, whatever else is being stored. [RLY-40]
        """
        ...

    async def unshelve(self, shelf: bytes, hashes: Sequence[bytes], putter: bytes | None) -> None:
        """Delete parcels by their hashes: those that `putter` put there, or of anybody if it is None."""
        ...

    async def shelved(self, shelf: bytes, hash_: bytes) -> int | None:
        """Return the number of a parcel, or None if it is not there."""
        ...

    async def post(self, put: Put, log: bytes, before: LogHead) -> Posted:
        """Store a parcel, unless it is there, if the newest entry of a log is `before`."""
        ...

    async def log_head(self, log: bytes) -> LogHead | None:
        """Return the newest entry of a log, or None if there is no such log."""
        ...

    async def log_entries(self, log: bytes, after: int, most: int, most_bytes: int) -> list[bytes]:
        """Return entries after a number, in order: at most so many and so many bytes, but one."""
        ...

    async def log_append(self, log: bytes, before: LogHead | None, entry: bytes, head: LogHead) -> bool:
        """Store the entry after `before`, or the first one. Return False if the newest is another one."""
        ...

    # --- operations ---------------------------------------------------------------------------------

    async def expire(self, now: int, mail_before: int) -> Expired:
        """Delete mail and parcels that expire, stored before a time, and what `until` ended.

        It deletes a bounded number of rows at a time.
        """
        ...

    async def counts(self) -> Counts:
        """Return how much there is."""
        ...

    async def check(self) -> list[str]:
        """Return what contradicts itself in the database, each as a sentence without identities."""
        ...


class Watch(Protocol):
    """Tells of new mail."""

    async def wait(self, seconds: float) -> bool:
        """Return True as soon as something was stored since the last call, False after so many seconds."""
        ...
