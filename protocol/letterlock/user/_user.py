"""User: the one object that an application holds for a person with several devices.

It joins the rooms of the user layer and decides nothing itself. Each public method is one transaction of the
store, as those of `Account` are, and a user's state is read from the store inside it. So a method that raises
has changed nothing, and two processes may share one store.

    learn       device lists that the directory shows           _learning.py, _own_learning.py
    send        a content, for all devices                      _fanout.py
    begin       a session with a device, and what waited        _fanout.py, _waiting.py
    receive     one message                                     _receiving.py, _kinds.py, _repair.py
    link        a new device                                    _link.py, _own_list.py
    revoke      a device                                        _revocation.py, _own_list.py
    archive     history for another device                      _history.py, _archive.py
    upkeep      what time asks for                              _upkeep.py
    check_witness    whether the store went back                _witness.py

Not here: files, sockets, event loops. The application fetches what a `Need` names, and delivers.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Self

from letterlock._device.device import Device
from letterlock._device.environment import is_time
from letterlock._primitives.entropy import Clock, system_clock, system_entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.content import APPLICATION_KINDS, Attachment, ContentKind
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass, ListedDevice
from letterlock._wire.linking import LinkingCode
from letterlock._wire.publication import Publication
from letterlock._wire.suite import Suite
from letterlock.account import DEFAULT_SUITES, Account
from letterlock.errors import UsageError
from letterlock.limits import MAX_COUNTER, MESSAGE_ID_BYTES
from letterlock.stores import Store
from letterlock.user._admission import Admission
from letterlock.user._book import Book
from letterlock.user._creation import FIRST_DEVICE, save_first
from letterlock.user._desk import Desk, Findings, desk_of, user_environment
from letterlock.user._fanout import Sending, begin, send
from letterlock.user._history import Archive, begin_archive, read_history
from letterlock.user._link import Link, begin_link, links
from letterlock.user._linking import DeviceKeys
from letterlock.user._lists_learned import ListsLearned
from letterlock.user._own_learning import learn
from letterlock.user._receiving import receive
from letterlock.user._revocation import Revoked, revoke
from letterlock.user._upkeep import upkeep
from letterlock.user._user_contact import UserContact
from letterlock.user._values import Begun, Incoming, Sent, Upkeep
from letterlock.user._witness import Witness, compare, count


class User(Uncopyable):
    """One person on this device: the device's account, the person's device lists, and the contacts.

    Make one with `create`, later open it with `open`. Names are those of addresses: `Address("bob", 7)` is
    device 7 of the user "bob". Every method may raise StoreError; one that raises has changed nothing.
    """

    __slots__ = ("_desk", "_user_id")

    def __init__(self, desk: Desk) -> None:
        """Not for applications, which call `create` and `open`."""
        self._desk = desk
        self._user_id = desk.book.own().pin.user_id

    @classmethod
    def create(
        cls,
        store: Store,
        name: str,
        *,
        suites: frozenset[Suite] = DEFAULT_SUITES,
        clock: Clock = system_clock,
    ) -> Self:
        """Make a new user with one device, in an empty store.

        `name` follows the rules of an address. `suites` and `clock` are as in `Account.create`. Give
        `device_lists()` to the directory and `publish()` to the prekey server. Raises AccountExists,
        UsageError.
        """
        address = Address(name, FIRST_DEVICE)
        book = Book(store)
        admission = Admission(book)
        environment = user_environment(admission, suites, clock, system_entropy)
        with store.transaction():
            keys = DeviceKeys.generate(environment.entropy)
            device = Device.create(store, address, environment, identity=keys.identity)
            save_first(book, keys, environment)
            return cls(desk_of(device, admission))

    @classmethod
    def open(
        cls, store: Store, *, suites: frozenset[Suite] = DEFAULT_SUITES, clock: Clock = system_clock
    ) -> Self:
        """Open the user that a store holds. Raises NoAccount."""
        admission = Admission(Book(store))
        device = Device.open_existing(store, user_environment(admission, suites, clock, system_entropy))
        with store.transaction():
            return cls(desk_of(device, admission))

    @property
    def name(self) -> str:
        """What contacts call this user."""
        return self._desk.name

    @property
    def address(self) -> Address:
        """The address of this device."""
        return self._desk.account.address

    @property
    def user_id(self) -> bytes:
        """The 32 bytes that name this user. They never change."""
        return self._user_id

    @property
    def account(self) -> Account:
        """The account of this device. What it encrypts itself is no content, and no user reads it."""
        return self._desk.account

    def transaction(self) -> AbstractContextManager[None]:
        """Group calls into one commit, as `Account.transaction` does."""
        return self._desk.account.transaction()

    # --- this user's devices ----------------------------------------------------------------------

    def devices(self) -> tuple[ListedDevice, ...]:
        """Return this user's devices, as the newest device list on record has them."""
        with self.transaction():
            snapshot = self._desk.book.own().pin.snapshot
            return () if snapshot is None else snapshot.devices

    def device_lists(self, after: int = 0) -> tuple[DeviceList, ...]:
        """Return the versions of this user's device list after one of them, for the directory."""
        with self.transaction():
            return self._desk.book.lists(self.name, self._desk.book.own().pin, after)

    def publish(self, one_time: int = 100, *, rotate: bool = False) -> Publication:
        """Return what a prekey server needs, as `Account.publish` does."""
        return self._desk.account.publish(one_time, rotate=rotate)

    def link(self, code: LinkingCode, bundle: bytes, device_class: DeviceClass = DeviceClass.FULL) -> Link:
        """Begin to add a new device, whose code the person scanned or typed. Give it the `offer`.

        Call this only when the person asked for it on this device, never because of a link or a message.
        `bundle` came from the new device over any channel. A device of class LIMITED gets messages, but no
        document seeds, and changes no device list. A code works once. Raises LinkingRefused for a code that
        has expired or was used and for a bundle that is not the code's; MalformedMessage, InvalidKey;
        InvalidDeviceList if a device of the user has one of these keys; UsageError if this device may not
        sign device lists, or if the user has 32 devices.
        """
        if type(code) is not LinkingCode or type(bundle) is not bytes:
            raise UsageError("link needs a LinkingCode, and the new device's bundle as bytes")
        if device_class not in {DeviceClass.FULL, DeviceClass.LIMITED}:
            raise UsageError("a new device is of class FULL or LIMITED")
        with self.transaction():
            return begin_link(self._desk, code, bundle, DeviceClass(device_class))

    def links(self) -> tuple[Link, ...]:
        """Return the linkings that this device began, after a restart: they are kept in the store."""
        with self.transaction():
            return links(self._desk)

    def revoke(self, device_id: int) -> Revoked:
        """Take a device out of this user's device list, for good. This device sends it nothing from now on.

        A device may revoke itself, and those that were listed after it. Give the list to the directory, and
        then what the directory shows to `learn`: contacts and this user's other devices are told from then
        on. The document key changes, and the other devices get its new seed. A device that revokes itself
        knows that seed, so revoke a lost device from another one. With the last device the user ends for
        good. Raises UsageError.
        """
        if type(device_id) is not int:
            raise UsageError(f"device_id must be int, not {type(device_id).__name__}")
        with self.transaction():
            return revoke(self._desk, device_id)

    def archive(self, device_id: int, items: Iterable[bytes]) -> Archive:
        """Make an archive of the application's history for another device of this user.

        Send the result's `outgoing`, and write its pieces to a file for the device. `items` may be any
        number, of up to 16,777,216 bytes each: they are asked for one by one, and memory holds one item and
        64 KiB. Raises UsageError, also while the pieces are made, for an item that is no such bytes.
        """
        if type(device_id) is not int:
            raise UsageError(f"device_id must be int, not {type(device_id).__name__}")
        with self.transaction():
            return begin_archive(self._desk, device_id, items)

    def read_archive(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the items of an archive that was made for this device, from the file's bytes in any pieces.

        Each item is authentic when it is yielded. That the archive is whole is known when the iterator ends:
        save the items in one transaction, so that an error undoes them. Its key is kept for 30 days. Raises
        UsageError if the key has not arrived, MalformedMessage for another archive or one that is cut short,
        AuthenticationFailed for one that was changed.
        """
        return read_history(self._desk, pieces)

    # --- contacts ---------------------------------------------------------------------------------

    def learn(self, name: str, lists: Sequence[DeviceList]) -> ListsLearned:
        """Take what the directory shows under a name: versions after a known one, or all from the first.

        A name that is new becomes a contact. Lists that were not confirmed for a day are a need in the
        results of `send` and `upkeep`, those of this user's own name too: a device learns so that it was
        revoked. Ask before you send something important: only then do new devices get it, and revoked ones no
        longer. Pass an empty answer on: it confirms that there is nothing newer. Lists that contradict those
        on record freeze the contact, and are in the result as an event and as `evidence`. Raises
        ContactFrozen in state CONFLICTING; UsageError if there are no lists of a new name; InvalidDeviceList,
        InvalidSignature, InvalidKey for lists that are wrong, which change nothing: discard them.
        """
        name, lists, findings = Address(name).name, tuple(lists), Findings()
        if any(type(each) is not DeviceList for each in lists):
            raise UsageError("lists must be DeviceList: decode what the directory sent")
        with self.transaction():
            event, evidence = learn(self._desk, name, lists, findings)
        found = (tuple(findings.events), tuple(findings.outgoing), tuple(findings.needs))
        return ListsLearned(event, evidence, *found)

    def contacts(self) -> list[UserContact]:
        """Return all contacts, in order of their names."""
        with self.transaction():
            return [UserContact(self._desk, each.name) for each in self._desk.book.contacts()]

    def contact(self, name: str) -> UserContact:
        """Return the contact of this name. Raises UsageError if there is none."""
        with self.transaction():
            return UserContact(self._desk, self._desk.book.require_contact(Address(name).name).name)

    # --- messages ---------------------------------------------------------------------------------

    def send(
        self,
        name: str,
        body: bytes,
        *,
        kind: int = ContentKind.TEXT,
        attachments: Iterable[Attachment] = (),
        sent: int | None = None,
        id: bytes | None = None,  # noqa: A002 (the word of Sent and Incoming)
    ) -> Sent:
        """Encrypt a content for every device of a contact, and a copy for this user's other devices.

        `kind` is TEXT, or one of the application's, 64 to 255. `sent` is in seconds since 1970, now by
        default. `id` names the content, and is 16 random bytes by default: one that was used before is lost
        at its readers. A device without a session is a need in the result, and gets its message from
        `begin`; so are device lists that the directory did not confirm for a day.
        `name` may be this user's own: then the other devices get the content. What was sent is kept until
        every device has acknowledged it, for 30 days at most. Raises UsageError for a name that is no
        contact, or if this device was revoked; ContactFrozen; PlaintextTooLong beyond 16 MiB.
        """
        attachments = tuple(attachments)
        if type(name) is not str:
            raise UsageError(f"send needs the name of a user as str, not {type(name).__name__}")
        if type(body) is not bytes:
            raise UsageError(f"body must be bytes, not {type(body).__name__}")
        if kind != ContentKind.TEXT and kind not in APPLICATION_KINDS:
            raise UsageError(f"kind {int(kind)}; an application sends TEXT, or its own: 64 to 255")
        if sent is not None and (type(sent) is not int or not 0 <= sent <= MAX_COUNTER):
            raise UsageError("sent must be whole seconds since 1970, as an int")
        if any(type(each) is not Attachment for each in attachments):
            raise UsageError("attachments must be Attachment")
        if id is not None and (type(id) is not bytes or len(id) != MESSAGE_ID_BYTES):
            raise UsageError(f"id must be {MESSAGE_ID_BYTES} random bytes")
        content = Sending(name, kind, body, attachments, sent, id)
        return self._desk.run(send, self._desk, content)

    def begin(self, address: Address, bundle: PrekeyBundle) -> Begun:
        """Begin a session with a device of a contact, or another one of ours; return what waited for it.

        Raises UsageError for a device that is not in the newest device list on record, and otherwise as
        `Account.initiate` does: UntrustedIdentity for a bundle of another identity key than the list has,
        AddressMismatch, InvalidSignature, StaleBundle. Discard such a bundle: nothing was sent.
        """
        if type(address) is not Address:
            raise UsageError(f"address must be Address, not {type(address).__name__}")
        with self.transaction():
            return begin(self._desk, address, bundle)

    def receive(self, address: Address, message: bytes) -> Incoming:
        """Take a message that came from a device, and return what it is.

        Whatever a peer or a server can cause is in the result. Send its `outgoing`, meet its `needs`, and
        give a message that was HELD again afterwards. The application's own save of the body can be part of
        the same commit: `with user.transaction():` around both.
        """
        if type(address) is not Address or type(message) is not bytes:
            raise UsageError("a message is received from an Address, as bytes")
        with self.transaction():
            return receive(self._desk, address, message)

    # --- time -------------------------------------------------------------------------------------

    def upkeep(self, now: int | None = None) -> Upkeep:
        """Do what time asks for: expire, acknowledge, ask again, and replace sessions that deliver nothing.

        `now` is in seconds since 1970 (UTC), the user's clock by default. Call this when the mailbox was
        emptied, and once a day at least. Raises UsageError for a time that cannot be.
        """
        if now is not None and not is_time(now):
            raise UsageError("now must be whole seconds since 1970, as an int")
        with self.transaction():
            return upkeep(self._desk.at(self._desk.now() if now is None else now))

    def check_witness(self, witness: Witness) -> Upkeep:
        """Show a witness how far this store has come; find out whether it was restored from a copy.

        If it was, the event RESTORED is in the result. Prekeys are then deleted: publish new ones. Sessions
        are replaced: meet the needs, and until then nothing is sent. Call this when the application
        starts, before it sends anything, and outside of `transaction`. Raises UsageError for an answer that
        cannot be, and what `witness.advance` raises.
        """
        shown = self.count_for_witness()
        return self.compare_with_witness(shown, witness.advance(shown))

    def count_for_witness(self) -> int:
        """Return the number to show to a witness: the first half of `check_witness`.

        The two halves are for an application that does not wait for its witness in one call.
        """
        with self.transaction():
            return count(self._desk)

    def compare_with_witness(self, shown: int, highest: int) -> Upkeep:
        """Take what a witness answered when it was `shown` a number: the second half of `check_witness`.

        `highest` is the greatest number that it had seen before. Raises UsageError for one that cannot be.
        """
        if type(shown) is not int:
            raise UsageError(f"shown must be int, not {type(shown).__name__}")
        with self.transaction():
            return compare(self._desk, shown, highest)

    def __repr__(self) -> str:
        return f"<User {self.address}>"


def desk_behind(user: User) -> Desk:
    """Return the desk of a user, for the rooms that stand on this one."""
    return user._desk  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
