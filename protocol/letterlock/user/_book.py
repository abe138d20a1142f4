"""The book of a user: the own record, the contacts and the device lists, in the entries of the store.

    USER       b""                     the own record
    CONTACT    name                    a contact: its newest snapshot, and the heads of all versions; due
                                       when its lists are to be confirmed again
    NAMES      user id                 the names under which a user is a contact
    LISTS_STAMP   b""                  how often the pinned lists of contacts changed
    LIST       version || name         a device list shown under a name, verified before it was saved

A contact is loaded without its device lists: the record has the newest snapshot. The lists are read only to
compare them with others. Every method runs inside the caller's transaction.

Not here: what lists do to a contact (_learning.py).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from letterlock._records.account import decode_account
from letterlock._records.contact import (
    ContactRecord,
    ContactState,
    NamesRecord,
    decode_contact,
    decode_names,
    encode_contact,
    encode_names,
)
from letterlock._records.entry import MAX_TIME
from letterlock._records.pin import PinnedList
from letterlock._records.user import UserRecord, decode_user, encode_user
from letterlock._wire.address import Address
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import ListedDevice, Snapshot
from letterlock.errors import CorruptStore, NoAccount, UsageError
from letterlock.limits import HEAD_BYTES, LISTS_AGE
from letterlock.stores import DeferredRecord, EntryKind, EntryRow, Record, Store
from letterlock.user._chain import ListChain
from letterlock.user._rules import rights

_VERSION_BYTES: Final = 4
_STAMP_BYTES: Final = 8
_KEPT_LISTS: Final = 256


class Book:
    """What a user knows of itself and of others."""

    __slots__ = ("_addresses", "_tables", "store")

    def __init__(self, store: Store) -> None:
        self.store = store
        self._tables = store.tables
        self._addresses: dict[tuple[str, bytes, int | None], tuple[Address, ...]] = {}

    # --- this user --------------------------------------------------------------------------------

    def own(self) -> UserRecord:
        """Return this user's own record. Raises NoAccount."""
        row = self._tables.entries.load(EntryKind.USER, b"")
        if row is None:
            raise NoAccount("this store holds no user: create one, or open the account alone")
        return row.record.decoded(decode_user)

    def own_name(self) -> str:
        """Return this user's name, which is that of the account's address. Raises NoAccount."""
        record = self._tables.account.load()
        if record is None:
            raise NoAccount("this store holds no account: create a user")
        return record.decoded(decode_account).party.address.name

    def save_own(self, own: UserRecord) -> None:
        """Replace this user's own record."""
        self._tables.entries.save(EntryRow(EntryKind.USER, b"", None, DeferredRecord(own, encode_user)))

    # --- contacts ---------------------------------------------------------------------------------

    def contact(self, name: str) -> ContactRecord | None:
        """Return what is on record under a name, or None."""
        row = self._tables.entries.load(EntryKind.CONTACT, name.encode("utf-8", "surrogatepass"))
        return None if row is None else row.record.decoded(decode_contact)

    def require_contact(self, name: str) -> ContactRecord:
        """Return the same. Raises UsageError for a name that is unknown."""
        contact = self.contact(name)
        if contact is None:
            raise UsageError("no contact has this name: give its device lists to learn first")
        return contact

    def contacts(self) -> list[ContactRecord]:
        """Return all contacts, in order of their names."""
        rows = self._tables.entries.all(EntryKind.CONTACT)
        return sorted((row.record.decoded(decode_contact) for row in rows), key=lambda each: each.name)

    def contact_of(self, user_id: bytes) -> ContactRecord | None:
        """Return the contact that is a user, or None. Of several names, the first in their order counts."""
        names = self._names(user_id)
        if not names:
            return None
        contact = self.contact(names[0])
        if contact is None or contact.pin.user_id != user_id:
            raise CorruptStore("a user is listed under a name of another: restore the store from a copy")
        return contact

    def save_contact(self, contact: ContactRecord) -> None:
        """Insert or replace a contact."""
        before, user_id = self.contact(contact.name), contact.pin.user_id
        if before is None or before.pin.user_id != user_id:
            if before is not None:
                rest = (each for each in self._names(before.pin.user_id) if each != contact.name)
                self._save_names(before.pin.user_id, rest)
            self._save_names(user_id, (*self._names(user_id), contact.name))
        if before is None or (before.pin.hash, before.state) != (contact.pin.hash, contact.state):
            stamp = Record((self.lists_stamp() + 1).to_bytes(_STAMP_BYTES, "big"))
            self._tables.entries.save(EntryRow(EntryKind.LISTS_STAMP, b"", None, stamp))
        record = DeferredRecord(contact, encode_contact)
        self._tables.entries.save(
            EntryRow(EntryKind.CONTACT, contact.name.encode(), _old_from(contact), record)
        )

    def lists_stamp(self) -> int:
        """Return a number that is another one after the lists of any contact changed.

        Whoever looked at many contacts need not look again while it is the same.
        """
        row = self._tables.entries.load(EntryKind.LISTS_STAMP, b"")
        return 0 if row is None else int.from_bytes(row.record.expose(), "big")

    def _names(self, user_id: bytes) -> tuple[str, ...]:
        row = self._tables.entries.load(EntryKind.NAMES, user_id)
        return () if row is None else row.record.decoded(decode_names).names

    def _save_names(self, user_id: bytes, names: Iterable[str]) -> None:
        ordered = tuple(sorted(names))
        if not ordered:
            self._tables.entries.delete(EntryKind.NAMES, user_id)
            return
        record = DeferredRecord(NamesRecord(ordered), encode_names)
        self._tables.entries.save(EntryRow(EntryKind.NAMES, user_id, None, record))

    def old_contacts(self, now: int, limit: int) -> list[ContactRecord]:
        """Return contacts whose lists were neither confirmed nor asked for lately, the oldest first."""
        rows = self._tables.entries.due(EntryKind.CONTACT, now, limit)
        return [row.record.decoded(decode_contact) for row in rows]

    def addresses(self, name: str, pin: PinnedList, but: int | None = None) -> tuple[Address, ...]:
        """Return the addresses of the devices that get messages, in order of their ids, without one of them.

        A pin's hash names its snapshot, so the addresses of lists that were asked for lately are kept.
        """
        if pin.snapshot is None:
            return ()
        found = self._addresses.get((name, pin.hash, but))
        if found is None:
            if len(self._addresses) >= _KEPT_LISTS:
                self._addresses.clear()
            ids = (each for each in gets_messages(pin.snapshot) if each != but)
            found = self._addresses[name, pin.hash, but] = tuple(Address(name, id_) for id_ in ids)
        return found

    # --- device lists -----------------------------------------------------------------------------

    def chain(self, name: str, pin: PinnedList) -> ListChain:
        """Return all versions that are on record. They were verified before they were saved."""
        return ListChain(self.lists(name, pin))

    def lists(self, name: str, pin: PinnedList, after: int = 0) -> tuple[DeviceList, ...]:
        """Return the versions on record after one of them. Raises CorruptStore."""
        if pin.snapshot is None:
            return ()
        return tuple(self.list_at(name, version) for version in range(after + 1, pin.version + 1))

    def save_lists(self, name: str, lists: Sequence[DeviceList]) -> None:
        """Save verified versions of the chain under a name. Another name may have a fork of it."""
        for each in lists:
            key = list_key(name, each.snapshot.version)
            self._tables.entries.save(EntryRow(EntryKind.LIST, key, None, Record(each.encode())))

    def delete_lists(self, name: str, pin: PinnedList, after: int = 0) -> None:
        """Delete every version on record under a name that comes after one of them."""
        for version in range(after + 1, pin.version + 1):
            self._tables.entries.delete(EntryKind.LIST, list_key(name, version))

    def list_at(self, name: str, version: int) -> DeviceList:
        """Return one version, which the pin under the name covers. Raises CorruptStore."""
        row = self._tables.entries.load(EntryKind.LIST, list_key(name, version))
        if row is None:
            raise CorruptStore("a device list is missing: restore the store from a copy")
        return DeviceList.decode(row.record.expose())


def list_key(name: str, version: int) -> bytes:
    """Return the key of a device list in its table."""
    return version.to_bytes(_VERSION_BYTES, "big") + name.encode()


# --- what a pin says --------------------------------------------------------------------------------------


def pinned(chain: ListChain, checked: int) -> PinnedList:
    """Return what is pinned of a chain. `checked` is when the directory showed it."""
    heads = b"".join(each.hash[:HEAD_BYTES] for each in chain.lists)
    newest = chain.newest
    return PinnedList(chain.user_id, chain.version, newest.hash, heads, newest.snapshot, checked)


def _old_from(contact: ContactRecord) -> int | None:
    """Return from when on the lists of a contact are to be confirmed, or None while nobody asks for them."""
    if contact.pin.snapshot is None or contact.state is ContactState.CONFLICTING:
        return None
    return min(max(contact.pin.checked, contact.asked) + LISTS_AGE, MAX_TIME)


def version_of(pin: PinnedList, head: bytes) -> int | None:
    """Return which version a head stands for, or None."""
    starts = range(0, len(pin.heads), HEAD_BYTES)
    return next((at // HEAD_BYTES + 1 for at in starts if pin.heads[at : at + HEAD_BYTES] == head), None)


def shown_head(own: UserRecord) -> bytes:
    """Return the head of our own list that contents carry: of the newest version that others may know."""
    return own.pin.heads[(own.shown - 1) * HEAD_BYTES : own.shown * HEAD_BYTES]


def device_of(pin: PinnedList, device_id: int) -> ListedDevice | None:
    """Return a device that the newest version lists, or None."""
    return None if pin.snapshot is None else pin.snapshot.device(device_id)


def gets_messages(snapshot: Snapshot | None) -> tuple[int, ...]:
    """Return the ids of the devices that get messages."""
    return (
        () if snapshot is None else tuple(each.id for each in snapshot.devices if rights(each).gets_messages)
    )
