"""Freshness: device lists that the directory has not confirmed for a day are asked for.        [USR-63]

    to a contact, or to our own devices, something is sent      their lists, and our own
    upkeep                                                      our own, and the oldest of contacts

A need is all that comes of it, once a day for each name. What is sent meanwhile goes to the devices on
record.

    due of a contact's entry      a day after its lists were confirmed or asked for

Every function runs inside the caller's transaction. Not here: what the directory answers (_learning.py).
"""

from dataclasses import replace

from letterlock._records.contact import ContactRecord
from letterlock._records.user import UserRecord
from letterlock.limits import LISTS_AGE, MAX_LISTS_ASKED
from letterlock.user._desk import Desk, Findings


def ask_for_own(desk: Desk, own: UserRecord, now: int, findings: Findings) -> None:
    """Ask for this user's own lists if they are old: another device may have revoked this one."""
    if _is_old(own, now):
        desk.book.save_own(replace(own, asked=now))
        findings.need_lists(desk.name, own.shown)


def ask_for_contact(desk: Desk, contact: ContactRecord, now: int, findings: Findings) -> None:
    """Ask for the lists of a contact if they are old. Those that are missing are needed anyway."""
    if contact.pin.snapshot is not None and _is_old(contact, now):
        desk.book.save_contact(replace(contact, asked=now))
        findings.need_lists(contact.name, contact.pin.version)


def ask_for_oldest(desk: Desk, findings: Findings) -> None:
    """Ask for the lists of contacts that are old, the oldest first."""
    now = desk.now()
    for contact in desk.book.old_contacts(now, MAX_LISTS_ASKED):
        ask_for_contact(desk, contact, now, findings)


def _is_old(record: ContactRecord | UserRecord, now: int) -> bool:
    return not any(0 <= now - time < LISTS_AGE for time in (record.pin.checked, record.asked))
