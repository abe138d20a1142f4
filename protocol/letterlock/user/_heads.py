"""Heads: what a device says of the newest device lists that it knows, against what is on record here.

    head of its own chain     newest or earlier here      nothing
                              unknown                     ask the directory, and await it     [USR-33]
    its view of our chain     newest                      nothing
                              earlier                     send the versions it misses         [USR-34]
                              not shown by us yet         it is known: tell our other devices [USR-64]
                              unknown                     ask the directory for our own lists

So two people notice a directory that shows them different lists.

Every function runs inside the caller's transaction. Not here: what the directory answers (_learning.py).
"""

from dataclasses import replace

from letterlock._records.pin import PinnedList
from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock._wire.content import Content
from letterlock.limits import HEAD_BYTES, LISTS_PAUSE
from letterlock.user._announcing import announce, begin_hour, send_notice
from letterlock.user._book import version_of
from letterlock.user._desk import Desk, Findings


def compare_heads(desk: Desk, address: Address, content: Content, findings: Findings) -> None:
    """Look at both heads of a content that a device sent."""
    if address.name != desk.name:
        expect_head(desk, address.name, content.own_head, findings)
    own = begin_hour(desk, desk.book.own())
    seen = content.own_head if address.name == desk.name else content.their_head
    version = own.pin.version if seen == own.pin.hash[:HEAD_BYTES] else version_of(own.pin, seen)
    if version is None:
        _await_own(desk, own, seen, findings)
    elif version > own.shown:  # USR-64: somebody has seen what this device signed
        announce(desk, own, version, findings)
    elif version < own.shown:
        send_notice(desk, own, address, version, findings)


def expect_head(desk: Desk, name: str, head: bytes, findings: Findings) -> None:
    """Ask for the lists of a contact if a device knows a version of them that is not on record."""
    contact = desk.book.contact(name)
    if contact is None or head == contact.pin.hash[:HEAD_BYTES] or version_of(contact.pin, head):
        return
    if contact.awaited != head:
        desk.book.save_contact(replace(contact, awaited=head))
    elif asked_within(desk, contact.pin, LISTS_PAUSE):
        return
    findings.need_lists(name, contact.pin.version)


def asked_within(desk: Desk, pin: PinnedList, seconds: int) -> bool:
    """Return whether the directory showed this chain less than so many seconds ago."""
    return 0 <= desk.now() - pin.checked < seconds


def _await_own(desk: Desk, own: UserRecord, head: bytes, findings: Findings) -> None:
    if own.awaited != head:
        desk.book.save_own(replace(own, awaited=head))
    elif asked_within(desk, own.pin, LISTS_PAUSE):
        return
    findings.need_lists(desk.name, own.shown)
