"""Learning: what device lists under a name do to what is stored.

    new name      the chain is verified and taken as it comes; a name that linking pinned must have that chain
    SAME          the directory was asked, and has nothing newer
    NEWER         the versions are saved; sessions with devices that are listed no longer are deleted
    OLDER, FORK, OTHER_USER      evidence is kept, and the contact is frozen                      [USR-16]

A list notice is learned in the same way, but only NEWER and FORK count in it. A notice may come late, and its
sender may put anybody's lists into it.                                                          [USR-35]

Not here: the rules of chains (_chain.py, _contact.py); where lists come from.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from letterlock._records.contact import ContactRecord, ContactState
from letterlock._records.pin import PinnedList
from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import Snapshot
from letterlock.errors import PeerError, TrustError, UsageError
from letterlock.user._book import device_of, gets_messages, pinned, version_of
from letterlock.user._chain import ListChain
from letterlock.user._contact import Contact, ContactEvent, Learned
from letterlock.user._desk import Desk, Findings
from letterlock.user._errors import ContactFrozen, InvalidDeviceList
from letterlock.user._evidence import Evidence
from letterlock.user._outbox import without, without_name
from letterlock.user._seed_delivery import settled
from letterlock.user._values import EventKind
from letterlock.user._waiting import place_waiting

IN_NOTICES: Final = frozenset({ContactEvent.NEWER, ContactEvent.FORK})
"""What a list notice can tell."""


def learn(
    desk: Desk, name: str, lists: Sequence[DeviceList], findings: Findings
) -> tuple[ContactEvent | None, Evidence | None]:
    """Take what the directory shows under a name. Return None for a new name, and evidence if there is some.

    Raises UsageError, ContactFrozen, InvalidDeviceList, InvalidSignature, InvalidKey.
    """
    own, now = desk.book.own(), desk.now()
    if name == desk.name:
        learned = _compare(desk, name, own.pin, lists)
        if learned.event in {ContactEvent.SAME, ContactEvent.NEWER}:
            take_own(desk, own, learned.contact.chain, now, findings)
        else:
            findings.event(EventKind.CONFLICT, name)
        return learned.event, learned.contact.evidence
    contact = desk.book.contact(name)
    if contact is None:
        _begin(desk, own, name, lists, findings)
        return None, None
    if contact.state is ContactState.CONFLICTING:
        raise ContactFrozen
    if contact.pin.snapshot is None:
        return _fetch(desk, contact, lists, findings), None
    learned = _compare(desk, name, contact.pin, lists)
    _take(desk, contact, learned, now, findings)
    return learned.event, learned.contact.evidence


def notice(desk: Desk, name: str, lists: Sequence[DeviceList], findings: Findings) -> None:
    """Take what a device of this user, or of a contact, says about its own user's lists. [USR-35]"""
    own = desk.book.own()
    contact = None if name == desk.name else desk.book.contact(name)
    pin = own.pin if contact is None else contact.pin
    if pin.snapshot is None:
        return
    try:
        learned = _compare(desk, name, pin, lists)
    except (PeerError, TrustError):
        return
    if learned.event not in IN_NOTICES:
        return
    if contact is not None:
        _take(desk, contact, learned, pin.checked, findings)
    elif learned.event is ContactEvent.NEWER:
        take_own(desk, own, learned.contact.chain, pin.checked, findings)
    else:
        findings.event(EventKind.CONFLICT, name)


def take_own(desk: Desk, own: UserRecord, chain: ListChain, checked: int, findings: Findings) -> UserRecord:
    """Save a chain that is ours, or goes on from ours, and return our record after it."""
    before, pin = own.pin, pinned(chain, checked)
    awaited = _still_awaited(desk.name, pin, own.awaited, findings)
    listed = gets_messages(pin.snapshot)
    renew = tuple(each for each in own.renew if each in listed)
    discard = tuple(each for each in own.discard if each in listed)
    seeds = settled(own.seeds, chain.lists[before.version :])
    after = replace(own, pin=pin, awaited=awaited, renew=renew, discard=discard, seeds=seeds)
    desk.book.save_own(after)
    if pin.version > before.version:
        desk.book.save_lists(desk.name, chain.lists[before.version :])
        _devices_changed(desk, desk.name, before, pin, EventKind.OWN_DEVICES_CHANGED, findings)
        if device_of(pin, desk.device_id) is None:
            findings.event(EventKind.REVOKED, desk.name, desk.device_id)
    return after


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


def _compare(desk: Desk, name: str, pin: PinnedList, lists: Sequence[DeviceList]) -> Learned:
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
    awaited = _still_awaited(contact.name, after, contact.awaited, findings)
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
    awaited = _still_awaited(name, pin, contact.awaited, findings)
    listed = gets_messages(pin.snapshot)
    renew = tuple(each for each in contact.renew if each in listed)
    discard = tuple(each for each in contact.discard if each in listed)
    desk.book.save_contact(replace(contact, pin=pin, awaited=awaited, renew=renew, discard=discard))
    if learned.event is ContactEvent.NEWER:
        desk.book.save_lists(name, learned.contact.chain.lists[before.version :])
        _devices_changed(desk, name, before, pin, EventKind.DEVICES_CHANGED, findings)


def _encoded(evidence: Evidence | None) -> bytes:
    try:
        return b"" if evidence is None else evidence.encode()
    except UsageError:  # too long to be kept; the contact is frozen all the same
        return b""


def _still_awaited(name: str, pin: PinnedList, head: bytes | None, findings: Findings) -> bytes | None:
    """Report a head that a device named and that no version has, now that the lists were seen. [USR-33]"""
    if head is not None and version_of(pin, head) is None:
        findings.event(EventKind.UNKNOWN_HEAD, name)
    return None


def _devices_changed(
    desk: Desk, name: str, before: PinnedList, after: PinnedList, kind: EventKind, findings: Findings
) -> None:
    """Delete the sessions with devices that are listed no longer, and ask for bundles of new ones."""
    old, new = _devices(before.snapshot), _devices(after.snapshot)
    gone = {Address(name, id_) for id_ in old if old[id_] != new.get(id_)}
    for address in sorted(gone):
        if address != desk.account.address:
            desk.account.forget(address)
        findings.event(kind, name, address.device_id)
    if gone:
        desk.outbox.change(lambda sent: without(sent, gone))
    for id_ in new:
        if new[id_] != old.get(id_):
            findings.event(kind, name, id_)
            if Address(name, id_) != desk.account.address:
                findings.need_bundle(name, id_)


def _devices(snapshot: Snapshot | None) -> dict[int, bytes]:
    """Return the identity keys of the devices that get messages, by their ids."""
    if snapshot is None:
        return {}
    ids = gets_messages(snapshot)
    return {each.id: each.identity.data for each in snapshot.devices if each.id in ids}
