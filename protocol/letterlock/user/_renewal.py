"""Renewal: sessions that are to be replaced, and what waits for their successors.

A device that is marked gets nothing until `begin` is given its bundle, or until it begins a session itself.
Then everything that it has not acknowledged is sealed again.                                   [USR-52]

Every function runs inside the caller's transaction. Not here: why a session is replaced (_repair.py,
_silence.py, _witness.py).
"""

from collections.abc import Iterable
from dataclasses import replace

from letterlock._records.contact import ContactState
from letterlock._wire.address import Address
from letterlock.limits import HOUR, MAX_RENEWALS_AN_HOUR
from letterlock.user._desk import Desk, Findings
from letterlock.user._waiting import seal_waiting, wait_again


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
    return address.device_id in _marks(desk, address.name)


def is_frozen(desk: Desk, name: str) -> bool:
    """Return whether nothing may be sent to a contact, because its device lists contradict each other."""
    contact = None if name == desk.name else desk.book.contact(name)
    return contact is not None and contact.state is ContactState.CONFLICTING


def mark(desk: Desk, marked: Iterable[Address]) -> None:
    """Mark sessions for replacement."""
    for address in marked:
        ids = {*_marks(desk, address.name), address.device_id}
        _save(desk, address.name, tuple(sorted(ids)))


def session_began(desk: Desk, address: Address, findings: Findings) -> None:
    """Seal what waited for a session with a device, and what the session before it did not deliver."""
    ids = _marks(desk, address.name)
    if address.device_id in ids:
        _save(desk, address.name, tuple(each for each in ids if each != address.device_id))
        wait_again(desk, address)
    seal_waiting(desk, address, findings)


def devices_of(desk: Desk, name: str) -> tuple[Address, ...]:
    """Return the addresses of all devices of a user that get messages."""
    contact = None if name == desk.name else desk.book.contact(name)
    pin = desk.book.own().pin if contact is None else contact.pin
    return desk.book.addresses(name, pin)


def _marks(desk: Desk, name: str) -> tuple[int, ...]:
    if name == desk.name:
        return desk.book.own().renew
    contact = desk.book.contact(name)
    return () if contact is None else contact.renew


def _save(desk: Desk, name: str, ids: tuple[int, ...]) -> None:
    if name == desk.name:
        desk.book.save_own(replace(desk.book.own(), renew=ids))
    else:
        desk.book.save_contact(replace(desk.book.require_contact(name), renew=ids))
