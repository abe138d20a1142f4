"""A linking on the old device, which adds a new one to the user's device list. Its store keeps each step.

    begin_link      the offer                          saved, then handed out
    receive         the answer, and the digits         saved
    confirm         list and package                   saved in one transaction, then handed out      [USR-45]

A crash between two steps loses nothing: `User.links` returns what is under way. The entry is kept for ten
minutes, and after `confirm` for 30 days, so that a package that was lost can be sent again.

Not here: what each message must prove, and the new device's side (_linking.py, _new_device.py).
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from letterlock._primitives.secret import Uncopyable
from letterlock._records.contact import ContactRecord, ContactState
from letterlock._records.link import LinkRecord, decode_link, encode_link
from letterlock._records.user import UserRecord
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass, Snapshot
from letterlock._wire.linking import LinkingCode
from letterlock._wire.linking_payload import ContactPin, PayloadContents, PinState
from letterlock.errors import UsageError
from letterlock.limits import KEPT_LIFETIME, MAX_DEVICES
from letterlock.stores import DeferredRecord, EntryKind, EntryRow
from letterlock.user._desk import Findings
from letterlock.user._document_seeds import all_seeds, seal_seeds
from letterlock.user._errors import LinkingRefused
from letterlock.user._linking import Answered, Offered, offer_link
from letterlock.user._own_list import require_signer, signing_key, take_change
from letterlock.user._rules import check_successor
from letterlock.user._values import Need, Outgoing

if TYPE_CHECKING:
    from letterlock.user._desk import Desk


@dataclass(frozen=True, slots=True)
class LinkConfirmed:
    """What the old device made when its owner confirmed.

    `device_list` goes to the directory. If that takes it, `package` goes to the new device. Give what the
    directory shows to `User.learn`: that result has what the user's other devices are told. `needs` names the
    new device's prekey bundle, once that device has published one.
    """

    package: bytes = field(repr=False)
    device_list: DeviceList
    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()


class Link(Uncopyable):
    """A linking that this device began. `User.link` returns it, and after a restart `User.links`.

    Every method is one transaction of the store, reads what is stored, and may raise StoreError. Every one
    raises UsageError once nothing is kept of the linking.
    """

    __slots__ = ("_desk", "_key")

    def __init__(self, desk: "Desk", key: bytes) -> None:
        """Not for applications, which call `User.link` and `User.links`."""
        self._desk = desk
        self._key = key

    @property
    def bundle_hash(self) -> bytes:
        """The 32 bytes by which a linking code and this linking belong together."""
        return self._key

    @property
    def device_id(self) -> int:
        """The id that the new device gets."""
        return self._record().offer.device_id

    @property
    def offer(self) -> bytes:
        """The sealed offer, for the new device, over any channel. At most 17,516 bytes."""
        return self._record().sealed_offer

    def receive(self, answer: bytes) -> None:
        """Take the new device's answer to the offer.

        The same answer may come again, and no other one. Raises LinkingRefused, also after the code has
        expired; MalformedMessage, InvalidDeviceList, InvalidSignature.
        """
        with self._desk.book.store.transaction():
            link = self._load()
            if link.answer == answer:
                return
            if link.answer is not None:
                raise LinkingRefused("the offer was answered already: show a new code and begin again")
            self._offered(link).receive(answer, self._desk.now())
            save_link(self._desk, replace(link, answer=answer), link.code.expires)

    @property
    def digits(self) -> str:
        """The six digits that both screens show. Raises UsageError before the answer."""
        with self._desk.book.store.transaction():
            return self._answered(self._load()).digits

    def confirm(self) -> LinkConfirmed:
        """Add the new device, once the person saw the same digits on both screens. [USR-22]

        Called again, it returns the same package and device list. Raises LinkingRefused after the code has
        expired; UsageError before the answer, for a device that may not sign device lists, if the device
        list has changed since the offer, and if the package would exceed 16 MiB.
        """
        desk = self._desk
        with desk.book.store.transaction():
            link, own = self._load(), desk.book.own()
            if link.package is not None:
                return LinkConfirmed(link.package, self._signed(link, own))
            require_signer(desk, own)
            if link.offer.snapshot.previous != own.pin.hash:  # USR-45
                raise UsageError("the device list has changed since the offer: begin with a new code")
            answered, findings = self._answered(link), Findings()
            payload = payload_for(desk, own, link).encode()
            new, package = answered.confirm(desk.device_id, signing_key(own), payload, desk.now())
            take_change(desk, own, answered.offered.chain, new, findings)
            save_link(desk, replace(link, package=package), desk.now() + KEPT_LIFETIME)
            return LinkConfirmed(package, new, tuple(findings.outgoing), tuple(findings.needs))

    def forget(self) -> None:
        """Delete what is kept of the linking.

        Before `confirm` it is given up. Afterwards the new device stays listed, and the package is lost
        unless it was handed over.
        """
        with self._desk.book.store.transaction():
            self._desk.book.store.tables.entries.delete(EntryKind.LINKING, self._key)

    def __repr__(self) -> str:
        return "<Link>"

    def _record(self) -> LinkRecord:
        with self._desk.book.store.transaction():
            return self._load()

    def _load(self) -> LinkRecord:
        row = self._desk.book.store.tables.entries.load(EntryKind.LINKING, self._key)
        if row is None:
            raise UsageError("nothing is kept of this linking: begin with a new code")
        return row.record.decoded(decode_link)

    def _offered(self, link: LinkRecord) -> Offered:
        chain = self._desk.book.chain(self._desk.name, self._desk.book.own().pin)
        return Offered(chain, link.code, link.bundle, link.offer, link.sealed_offer)

    def _signed(self, link: LinkRecord, own: UserRecord) -> DeviceList:
        """Return the version that added the device. Raises UsageError if it was withdrawn. [USR-65]"""
        for each in self._desk.book.lists(self._desk.name, own.pin, link.offer.snapshot.version - 1)[:1]:
            if each.snapshot == link.offer.snapshot:
                return each
        raise UsageError("another device changed the device list first: begin with a new code")

    def _answered(self, link: LinkRecord) -> Answered:
        if link.answer is None:
            raise UsageError("the new device has not answered yet: give it the offer first")
        return self._offered(link).answered(link.answer)


# --- used by User -----------------------------------------------------------------------------------------


def begin_link(desk: "Desk", code: LinkingCode, bundle: bytes, device_class: DeviceClass) -> Link:
    """Make and save an offer.

    Raises LinkingRefused, UsageError, MalformedMessage, InvalidKey, InvalidDeviceList.
    """
    own, now, entries = desk.book.own(), desk.now(), desk.book.store.tables.entries
    require_signer(desk, own)
    if device_class == DeviceClass.FULL:
        all_seeds(own)
    entries.delete_due(EntryKind.LINKING, now)
    if entries.load(EntryKind.LINKING, code.bundle_hash) is not None:
        raise LinkingRefused("this code was used already: show a new code and begin again")
    chain = desk.book.chain(desk.name, own.pin)
    require_room(chain.newest.snapshot)
    offered = offer_link(chain, code, bundle, now, (chain.version + 1, device_class))
    # The same rules that everybody will check, before the new device and its owner are troubled.
    draft = DeviceList(offered.offer.snapshot, (), desk.device_id, b"", b"")
    check_successor(chain.newest, chain.user_id, draft)
    save_link(desk, LinkRecord(code, offered.bundle, offered.offer, offered.sealed), code.expires)
    return Link(desk, code.bundle_hash)


def require_room(newest: Snapshot) -> None:
    """Raise UsageError if the user has 32 devices."""
    if len(newest.devices) >= MAX_DEVICES:
        raise UsageError(f"a user has at most {MAX_DEVICES} devices: revoke one that is not used")


def links(desk: "Desk") -> tuple[Link, ...]:
    """Return the linkings of which something is kept, in order of their new devices' ids."""
    rows = desk.book.store.tables.entries.all(EntryKind.LINKING)
    found = [(row.record.decoded(decode_link).offer.device_id, row.key) for row in rows]
    return tuple(Link(desk, key) for _, key in sorted(found))


def save_link(desk: "Desk", link: LinkRecord, due: int) -> None:
    """Insert or replace what is kept of a linking until `due`."""
    record = DeferredRecord(link, encode_link)
    desk.book.store.tables.entries.save(EntryRow(EntryKind.LINKING, link.code.bundle_hash, due, record))


def payload_for(desk: "Desk", own: UserRecord, link: LinkRecord) -> PayloadContents:
    """Return what the new device is given: document seeds unless it is limited, and contacts. [USR-43]"""
    device = link.offer.snapshot.device(link.offer.device_id)
    if device is None or device.device_class != DeviceClass.FULL:
        return PayloadContents(desk.name, None, (), _pins(desk))
    return whole_payload(desk, own)


def whole_payload(desk: "Desk", own: UserRecord) -> PayloadContents:
    """Return what a device that reads documents is given. Raises UsageError if a seed has not arrived."""
    seeds = all_seeds(own)
    return PayloadContents(desk.name, seeds[-1][1], seal_seeds(seeds, own.pin.user_id), _pins(desk))


def _pins(desk: "Desk") -> tuple[ContactPin, ...]:
    return tuple(map(_pin, desk.book.contacts()))


def _pin(contact: ContactRecord) -> ContactPin:
    verified = contact.state is ContactState.VERIFIED
    state = PinState.VERIFIED if verified else PinState.UNVERIFIED
    return ContactPin(contact.name, contact.pin.user_id, contact.pin.version, contact.pin.hash, state)
