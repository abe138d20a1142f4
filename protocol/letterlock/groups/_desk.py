"""The desk of groups: what every part of them works with, inside one transaction.

    require     where a group stands
    places      the user ids of the members after an entry, in ascending order
    devices     the devices of a user to which something about a group may go now

Not here: the calls themselves (_groups.py).
"""

from bisect import bisect_left
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import Uncopyable
from letterlock._records.collection import LogState
from letterlock._records.group import StandRecord
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES
from letterlock._wire.device_snapshot import Snapshot
from letterlock._wire.group_text import SenderName
from letterlock._wire.log_opening import LogKind
from letterlock.documents._log_book import LogBook, LogRows
from letterlock.documents._signing import ListsOnRecord
from letterlock.errors import UsageError
from letterlock.groups._book import GroupBook
from letterlock.groups._delivery_book import DeliveryBook
from letterlock.groups._errors import GroupForked
from letterlock.groups._history_book import HistoryBook
from letterlock.groups._roles import RoleHistory
from letterlock.groups._wants import Wants
from letterlock.stores import EntryKind
from letterlock.user._desk import Desk
from letterlock.user._fanout import require_open
from letterlock.user._group_delivery import listed_devices

GROUP_ROWS: Final = LogRows(
    LogKind.GROUP, EntryKind.GROUP, EntryKind.GROUP_ENTRY, EntryKind.GROUP_FORK, "group", GroupForked
)
"""Where a store keeps the logs of groups."""

_KEPT_PLACES: Final = 16


class Places:
    """The members after some entries, which the hash of an entry fixes, and roles: kept between calls."""

    __slots__ = ("_found", "_roles")

    def __init__(self) -> None:
        self._found: dict[bytes, tuple[bytes, ...]] = {}
        self._roles: dict[bytes, RoleHistory] = {}

    def of(self, head: bytes, state: LogState) -> tuple[bytes, ...]:
        """Return the user ids of the members after the entry with this hash, in ascending order."""
        found = self._found.get(head)
        if found is None:
            if len(self._found) >= _KEPT_PLACES:
                self._found.clear()
            found = self._found[head] = tuple(sorted(each.name.id for each in state.users))
        return found

    def roles(self, group: bytes) -> RoleHistory:
        """Return the roles in a group, as far as its log was read."""
        return self._roles.get(group) or self.begin_roles(group)

    def begin_roles(self, group: bytes) -> RoleHistory:
        """Return the roles in a group of which nothing was read."""
        if len(self._roles) >= _KEPT_PLACES:
            self._roles.clear()
        found = self._roles[group] = RoleHistory()
        return found

    def known(self, head: bytes) -> tuple[bytes, ...] | None:
        """Return the same if it was asked for lately, without a state."""
        return self._found.get(head)


@dataclass(frozen=True, slots=True, repr=False)
class GroupDesk(Uncopyable):
    """One user's groups, and the device lists on record."""

    desk: Desk
    book: GroupBook
    log: LogBook
    lists: ListsOnRecord
    wants: Wants
    deliveries: DeliveryBook
    histories: HistoryBook
    user_id: bytes
    kept: Places

    @property
    def sender(self) -> SenderName:
        """This device, as the sender of texts."""
        return SenderName(self.user_id, self.desk.device_id)

    def require(self, group: object) -> StandRecord:
        """Return where a group stands. Raises UsageError for an id that is unknown, or that is none."""
        if type(group) is not bytes or len(group) != COLLECTION_ID_BYTES:
            raise UsageError(f"a group id is {COLLECTION_ID_BYTES} bytes")
        stand = self.book.stand(group)
        if stand is None:
            raise UsageError("no group has this id: take its log first")
        return stand

    def places(self, group: bytes, stand: StandRecord) -> tuple[bytes, ...]:
        """Return the user ids of the members after the newest entry, in ascending order."""
        known = self.kept.known(stand.head)
        return self.kept.of(stand.head, self.log.require(group)) if known is None else known

    def place_of(self, group: bytes, stand: StandRecord, user_id: bytes) -> int | None:
        """Return the place of a user among the members after the newest entry, or None."""
        places = self.places(group, stand)
        at = bisect_left(places, user_id)
        return at if at < len(places) and places[at] == user_id else None

    def name(self, user_id: bytes) -> str | None:
        """Return the name of a user as a contact, or of this user; None for a stranger."""
        if user_id == self.user_id:
            return self.desk.name
        contact = self.lists.contact(user_id)
        return None if contact is None else contact.name

    def snapshot(self, user_id: bytes) -> Snapshot | None:
        """Return the newest device list of a user, or None for a stranger. Raises ContactFrozen."""
        if user_id == self.user_id:
            return self.desk.book.own().pin.snapshot
        contact = self.lists.contact(user_id)
        return None if contact is None else require_open(contact).pin.snapshot

    def is_stranger(self, user_id: bytes) -> bool:
        """Return whether no device lists of a user are on record."""
        if user_id == self.user_id:
            return False
        contact = self.lists.contact(user_id)
        return contact is None or contact.pin.snapshot is None

    def devices(self, user_id: bytes) -> frozenset[int]:
        """Return the devices of a user that get letters now, without this one."""
        if user_id == self.user_id:
            return listed_devices(self.desk, None)
        contact = self.lists.contact(user_id)
        return frozenset() if contact is None else listed_devices(self.desk, contact)


def group_desk(desk: Desk, user_id: bytes, kept: Places) -> GroupDesk:
    """Return the desk of groups of the user with this id."""
    store = desk.book.store
    book, log = GroupBook(store, user_id), LogBook(store, GROUP_ROWS)
    lists, wants, deliveries = ListsOnRecord(desk.book), Wants(store), DeliveryBook(store)
    return GroupDesk(desk, book, log, lists, wants, deliveries, HistoryBook(store), user_id, kept)
