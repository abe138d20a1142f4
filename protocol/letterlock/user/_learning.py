"""Learning: what device lists under a name do to what is stored.

    new name      the chain is verified and taken as it comes; a name that linking pinned must have that chain
    SAME          the directory was asked, and has nothing newer
    NEWER         the versions are saved; sessions with devices that are no longer listed are deleted
    OLDER, FORK, OTHER_USER      evidence is kept, and the contact is frozen                      [USR-16]

A list notice is learned in the same way, but only NEWER and FORK count in it. A notice may come late, and its
sender may put anybody's lists into it.                                                          [USR-35]

Not here: lists of our own (_own_learning.py); the rules of chains (_chain.py, _contact.py); where lists come
from.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from letterlock._records.contact import ContactRecord, ContactState
from letterlock._records.pin import PinnedList
from letterlock._records.sent import SentRecord
from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass, Snapshot
from letterlock.errors import PeerError, TrustError, UsageError
from letterlock.user._book import gets_messages, pinned, version_of
from letterlock.user._chain import ListChain
from letterlock.user._contact import Contact, ContactEvent, Learned
from letterlock.user._desk import Desk, Findings
from letterlock.user._errors import ContactFrozen, InvalidDeviceList
from letterlock.user._evidence import Evidence
from letterlock.user._outbox import place, without, without_name
from letterlock.user._values import EventKind
from letterlock.user._waiting import place_waiting

IN_NOTICES: Final = frozenset({ContactEvent.NEWER, ContactEvent.FORK})
"""What a list notice can tell."""


def learn_of_contact(
    desk: Desk, name: str, lists: Sequence[DeviceList], findings: Findings
) -> tuple[ContactEvent | None, Evidence | None]:
    """Take what the directory shows under a name. Return None for a new name, and evidence if there is some.

    Raises UsageError, ContactFrozen, InvalidDeviceList, InvalidSignature, InvalidKey.
    """
    own, now = desk.book.own(), desk.now()
    contact = desk.book.contact(name)
    if contact is None:
        _begin(desk, own, name, lists, findings)
        return None, None
    if contact.state is ContactState.CONFLICTING:
        raise ContactFrozen
    if contact.pin.snapshot is None:
        return _fetch(desk, contact, lists, findings), None
    learned = compared(desk, name, contact.pin, lists)
    _take(desk, contact, learned, now, findings)
    return learned.event, learned.contact.evidence


def notice(desk: Desk, name: str, lists: Sequence[DeviceList], findings: Findings) -> None:
    """Take what a device of a contact says about its own user's lists. [USR-35]"""
    contact = desk.book.contact(name)
    if contact is None or contact.pin.snapshot is None:
        return
    try:
        learned = compared(desk, name, contact.pin, lists)
    except (PeerError, TrustError):
        return
    if learned.event in IN_NOTICES:
        _take(desk, contact, learned, contact.pin.checked, findings)


def replaced(desk: Desk, contact: ContactRecord, chosen: Contact) -> None:
    """Save a contact with the other chain: everything that belongs to the chain before it is dropped."""
    forget_all(desk, contact.name)
    desk.outbox.change(lambda sent: without_name(sent, contact.name))
    desk.book.delete_lists(contact.name, contact.pin)
    pin = pinned(chosen.chain, desk.now())
    desk.book.save_lists(contact.name, chosen.chain.lists)
    desk.book.save_contact(ContactRecord(contact.name, pin, chosen.state))


def forget_all(desk: Desk, name: str) -> None:
    """Delete the sessions with all devices of a name."""
    for peer in desk.account.peers():
        if peer.address.name == name:
            desk.account.forget(peer.address)


# --- a contact --------------------------------------------------------------------------------------------


def compared(desk: Desk, name: str, pin: PinnedList, lists: Sequence[DeviceList]) -> Learned:
    """Return what lists turn out to be beside those on record. Raises as `Contact.learn` does."""
    contact = Contact(name, desk.book.chain(name, pin))
    # A directory that is asked for what comes after a version may answer with nothing.
    return contact.learn(lists) if lists else Learned(ContactEvent.SAME, contact)


def _begin(desk: Desk, own: UserRecord, name: str, lists: Sequence[DeviceList], findings: Findings) -> None:
    contact = Contact.begin(name, lists)
    if contact.user_id == own.pin.user_id:
        raise InvalidDeviceList("these are this user's own device lists under another name: discard them")
    pin = pinned(contact.chain, desk.now())
    desk.book.save_lists(name, contact.chain.lists)
    desk.book.save_contact(ContactRecord(name, pin))
    findings.event(EventKind.NEW_CONTACT, name)


def _fetch(
    desk: Desk, contact: ContactRecord, lists: Sequence[DeviceList], findings: Findings
) -> ContactEvent:
    """Take the lists of a contact that linking pinned, if they lead to the pinned version or past it."""
    if not lists:
        raise UsageError("no device list was shown: ask the directory for all versions")
    chain, pin = ListChain.verify(lists), contact.pin
    event = _against(pin, chain)
    if event is not ContactEvent.NEWER:
        # Without lists of ours there is no evidence, only a pin.
        desk.book.save_contact(replace(contact, state=ContactState.CONFLICTING, evidence=b""))
        findings.event(EventKind.CONFLICT, contact.name)
        return event
    desk.book.save_lists(contact.name, chain.lists)
    after = pinned(chain, desk.now())
    awaited = still_awaited(contact.name, after, contact.awaited, findings)
    desk.book.save_contact(replace(contact, pin=after, awaited=awaited))
    place_waiting(desk, contact.name, after, findings)
    return event


def _against(pin: PinnedList, chain: ListChain) -> ContactEvent:
    if chain.user_id != pin.user_id:
        return ContactEvent.OTHER_USER
    if chain.version < pin.version:
        return ContactEvent.OLDER
    return ContactEvent.NEWER if chain.lists[pin.version - 1].hash == pin.hash else ContactEvent.FORK


def _take(desk: Desk, contact: ContactRecord, learned: Learned, checked: int, findings: Findings) -> None:
    name, before = contact.name, contact.pin
    if learned.contact.state is ContactState.CONFLICTING:
        evidence = _encoded(learned.contact.evidence)
        desk.book.save_contact(replace(contact, state=ContactState.CONFLICTING, evidence=evidence))
        findings.event(EventKind.CONFLICT, name)
        return
    pin = pinned(learned.contact.chain, checked)
    awaited = still_awaited(name, pin, contact.awaited, findings)
    listed = gets_messages(pin.snapshot)
    renew = tuple(each for each in contact.renew if each in listed)
    discard = tuple(each for each in contact.discard if each in listed)
    desk.book.save_contact(replace(contact, pin=pin, awaited=awaited, renew=renew, discard=discard))
    if learned.event is ContactEvent.NEWER:
        desk.book.save_lists(name, learned.contact.chain.lists[before.version :])
        devices_changed(desk, name, before, pin, EventKind.DEVICES_CHANGED, findings)
        came_back(name, learned.contact.chain.lists[before.version - 1 :], findings)


def _encoded(evidence: Evidence | None) -> bytes:
    try:
        return b"" if evidence is None else evidence.encode()
    except UsageError:  # too long to be kept; the contact is frozen all the same
        return b""


def still_awaited(name: str, pin: PinnedList, head: bytes | None, findings: Findings) -> bytes | None:
    """Report a head that a device named and that no version has, now that the lists were seen. [USR-33]"""
    if head is not None and version_of(pin, head) is None:
        findings.event(EventKind.UNKNOWN_HEAD, name)
    return None


def devices_changed(
    desk: Desk, name: str, before: PinnedList, after: PinnedList, kind: EventKind, findings: Findings
) -> None:
    """Delete the sessions with devices that are no longer listed, and ask for bundles of new ones."""
    old, new = _devices(before.snapshot), _devices(after.snapshot)
    gone = {Address(name, id_) for id_ in old if old[id_] != new.get(id_)}
    for address in sorted(gone):
        if address != desk.account.address:
            desk.account.forget(address)
        findings.event(kind, name, address.device_id)
    heirs = (
        tuple(Address(name, id_) for id_ in new) if name != desk.name and not old.keys() & new.keys() else ()
    )
    if gone:
        desk.outbox.change(lambda sent: _inherited(sent, gone, heirs))
    elif not old and before.snapshot is not None:
        place_waiting(desk, name, after, findings)  # what waited for the first device
    for id_ in new:
        if new[id_] != old.get(id_):
            findings.event(kind, name, id_)
            if Address(name, id_) != desk.account.address:
                findings.need_bundle(name, id_)


def _inherited(sent: SentRecord, gone: set[Address], heirs: tuple[Address, ...]) -> SentRecord:
    """Return a record without the places of devices that are gone.

    If no device of before is left, the new ones get what somebody wrote and those had not acknowledged:
    nobody has it. What was for a device of before alone, such as a chain of a group, is dropped.
    """
    after = without(sent, gone)
    if after is sent or not sent.content.is_for_application:
        return after
    there = {each.device for each in after.places}
    places = tuple(place(each, None) for each in heirs if each not in there)
    return replace(after, places=(*after.places, *places))


def came_back(name: str, lists: Sequence[DeviceList], findings: Findings) -> None:
    """Report the devices that a recovery device added in versions after the first of these. [CLN-28]"""
    for before, after in pairwise(lists):
        signer = before.snapshot.device(after.signer)
        if signer is not None and signer.device_class == DeviceClass.RECOVERY:
            for each in after.snapshot.devices:
                if before.snapshot.device(each.id) is None:
                    findings.event(EventKind.RECOVERED, name, each.id)


def _devices(snapshot: Snapshot | None) -> dict[int, bytes]:
    """Return the identity keys of the devices that get messages, by their ids."""
    if snapshot is None:
        return {}
    ids = gets_messages(snapshot)
    return {each.id: each.identity.data for each in snapshot.devices if each.id in ids}
