"""UserContact: a contact as the application sees it, and what it decides about it.

What is asked is read from the store each time, and what is decided is saved in one transaction.

Not here: the rules (_contact.py); device lists that are shown (_learning.py).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from letterlock._handshake.safety_number import SafetyNumber
from letterlock._primitives.secret import Uncopyable
from letterlock._records.contact import ContactRecord, ContactState
from letterlock._wire.device_snapshot import ListedDevice
from letterlock.errors import UsageError
from letterlock.user._book import gets_messages
from letterlock.user._contact import Contact, ContactEvent, compare_number, state_after
from letterlock.user._errors import ContactFrozen
from letterlock.user._evidence import Evidence
from letterlock.user._learning import replaced
from letterlock.user._safety_number import user_safety_number

if TYPE_CHECKING:
    from letterlock.user._desk import Desk


class UserContact(Uncopyable):
    """A contact of a user. `User.contact` and `User.contacts` return it."""

    __slots__ = ("_desk", "_name")

    def __init__(self, desk: "Desk", name: str) -> None:
        """Not for applications, which call `User.contact`."""
        self._desk = desk
        self._name = name

    @property
    def name(self) -> str:
        """The name of the contact."""
        return self._name

    @property
    def user_id(self) -> bytes:
        """The 32 bytes that name the user."""
        return self._record().pin.user_id

    @property
    def version(self) -> int:
        """The newest version of the contact's device list that is on record."""
        return self._record().pin.version

    @property
    def state(self) -> ContactState:
        """What is known of the contact."""
        return self._record().state

    @property
    def devices(self) -> tuple[ListedDevice, ...]:
        """The devices that get messages, in order of their ids; none until the device lists were learned.

        Raises ContactFrozen in state CONFLICTING. [USR-16]
        """
        record = self._record()
        if record.state is ContactState.CONFLICTING:
            raise ContactFrozen
        snapshot = record.pin.snapshot
        ids = gets_messages(snapshot)
        return () if snapshot is None else tuple(each for each in snapshot.devices if each.id in ids)

    @property
    def evidence(self) -> Evidence | None:
        """What contradicts the device lists on record, in state CONFLICTING.

        None also if there is too much of it to keep, or nothing to contradict but a hash from linking.
        """
        encoded = self._record().evidence
        return Evidence.check(encoded) if encoded else None

    def safety_number(self) -> SafetyNumber:
        """Return the number that both people see. New devices do not change it. [USR-18]"""
        with self._desk.book.store.transaction():
            ours = self._desk.book.own().pin.user_id
            return user_safety_number(ours, self._load().pin.user_id)

    def verify(self, code: str | bytes) -> None:
        """Note that `code` is the number that the contact's own screen shows: the state becomes VERIFIED.

        `code` is 60 digits, with or without spaces, or the bytes of the scanned form. Raises
        SafetyNumberMismatch, and ContactFrozen in state CONFLICTING.
        """
        with self._desk.book.store.transaction():
            record, ours = self._load(), self._desk.book.own().pin.user_id
            compare_number(user_safety_number(ours, record.pin.user_id), code)
            state = state_after(record.state, ContactEvent.VERIFY)
            self._desk.book.save_contact(replace(record, state=state))

    def keep(self) -> None:
        """End a conflict with the device lists on record. Raises UsageError if there is none."""
        with self._desk.book.store.transaction():
            record = self._load()
            state = state_after(record.state, ContactEvent.KEEP)
            self._desk.book.save_contact(replace(record, state=state, evidence=None))

    def replace(self) -> None:
        """End a conflict with the other device lists. What waits for the contact is not sent to them.

        Sessions with all devices of the name are deleted. Raises UsageError if there is no conflict, or if
        the other device lists are only older, or were not kept.
        """
        with self._desk.book.store.transaction():
            record, evidence = self._load(), self.evidence
            if record.state is ContactState.CONFLICTING and evidence is None:
                raise UsageError("the other device lists were not kept: keep those on record")
            chain = self._desk.book.chain(record.name, record.pin)
            chosen = Contact(record.name, chain, record.state, evidence).replace()
            replaced(self._desk, record, chosen)

    def _record(self) -> ContactRecord:
        with self._desk.book.store.transaction():
            return self._load()

    def _load(self) -> ContactRecord:
        return self._desk.book.require_contact(self._name)

    def __repr__(self) -> str:
        return f"<UserContact {self._name}>"
