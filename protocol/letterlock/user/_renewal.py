"""Renewal: sessions that are to be replaced, and what waits for their successors.

A device that is marked gets nothing until `begin` is given its bundle, or until it begins a session itself.
Then everything that it has not acknowledged is sealed again.                                   [USR-52]
Sessions of a restored store are marked to be discarded too, and only `begin` ends that.          [USR-59]

Every function runs inside the caller's transaction. Not here: why a session is replaced (_repair.py,
_silence.py, _witness.py).
"""

from collections.abc import Iterable
from dataclasses import replace

from letterlock._records.contact import ContactRecord, ContactState
from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock.limits import HOUR, MAX_RENEWALS_AN_HOUR
from letterlock.user._desk import Desk, Findings
from letterlock.user._waiting import seal_waiting


def renew(desk: Desk, address: Address, findings: Findings) -> bool:
    """Mark the session with a listed device for replacement, and ask for a bundle, within the limits.

    Return whether a new session is on its way.                                                   [USR-51]
    """
    if not has_session(desk, address) or is_marked(desk, address):
        findings.need_bundle(address.name, address.device_id)
        return True
    now = desk.now()
    others = devices_of(desk, address.name)
    times = [time for each in others for time in desk.notes.of(each).renewed if 0 <= now - time < HOUR]
    if len(times) >= MAX_RENEWALS_AN_HOUR:
        return False
    noted = desk.notes.of(address)
    past = sorted(time for time in noted.renewed if time <= now)[1 - MAX_RENEWALS_AN_HOUR :]
    desk.notes.save(replace(noted, renewed=(*past, now)))
    mark(desk, (address,))
    findings.need_bundle(address.name, address.device_id)
    return True


def has_session(desk: Desk, address: Address) -> bool:
    """Return whether there is a session in which something can be sent."""
    status = desk.account.session(address)
    return status is not None and not status.ended


def is_unanswered(desk: Desk, address: Address) -> bool:
    """Return whether we began the session with a device, and it has not answered yet."""
    status = desk.account.session(address)
    return status is not None and not status.ended and not status.answered


def is_marked(desk: Desk, address: Address) -> bool:
    """Return whether the session with a device is to be replaced."""
    return address.device_id in _holder(desk, address.name).renew


def is_discarded(desk: Desk, address: Address) -> bool:
    """Return whether the sessions with a device are to be deleted, because the store went back. [USR-59]"""
    return address.device_id in _holder(desk, address.name).discard


def is_frozen(desk: Desk, name: str) -> bool:
    """Return whether nothing may be sent to a contact, because its device lists contradict each other."""
    contact = None if name == desk.name else desk.book.contact(name)
    return contact is not None and contact.state is ContactState.CONFLICTING


def mark(desk: Desk, marked: Iterable[Address], *, discard: bool = False) -> None:
    """Mark sessions for replacement; with `discard`, to be deleted when they are replaced."""
    for address in marked:
        holder, id_ = _holder(desk, address.name), address.device_id
        discarded = {*holder.discard, id_} if discard else holder.discard
        _save(desk, holder, {*holder.renew, id_}, discarded)


def session_began(desk: Desk, address: Address, findings: Findings) -> None:
    """Seal what waited for a session with a device, and what the session before it did not deliver."""
    holder, id_ = _holder(desk, address.name), address.device_id
    if id_ in holder.renew:
        _save(desk, holder, {*holder.renew} - {id_}, {*holder.discard} - {id_})
        desk.outbox.unseal(address)
    seal_waiting(desk, address, findings)


def devices_of(desk: Desk, name: str) -> tuple[Address, ...]:
    """Return the addresses of all devices of a user that get messages."""
    contact = None if name == desk.name else desk.book.contact(name)
    pin = desk.book.own().pin if contact is None else contact.pin
    return desk.book.addresses(name, pin)


def _holder(desk: Desk, name: str) -> ContactRecord | UserRecord:
    """Return the record that has the marks of a name: our own, or that of a contact. Raises UsageError."""
    return desk.book.own() if name == desk.name else desk.book.require_contact(name)


def _save(
    desk: Desk, holder: ContactRecord | UserRecord, renew: Iterable[int], discard: Iterable[int]
) -> None:
    renewed, discarded = tuple(sorted(renew)), tuple(sorted(discard))
    if isinstance(holder, UserRecord):
        desk.book.save_own(replace(holder, renew=renewed, discard=discarded))
    else:
        desk.book.save_contact(replace(holder, renew=renewed, discard=discarded))
