"""Receipts: what was read is acknowledged to the device that sent it, many contents in one message.

A receipt that is due goes out with the next upkeep or in the next session that we begin, and never in one
that is about to be replaced, where nobody may read it any more. It is worth no new session
of its own: the sender asks by sending again.                                                         [USR-56]

Every function runs inside the caller's transaction. Not here: what a receipt does where it arrives
(_kinds.py).
"""

from typing import Final, TypeAlias

from letterlock._records.received import ReceivedRecord
from letterlock._wire.address import Address
from letterlock._wire.content import ContentKind
from letterlock._wire.content_bodies import Receipt
from letterlock.limits import KEPT_LIFETIME, MAX_RECEIPT_IDS
from letterlock.user._control import control
from letterlock.user._desk import Desk, Findings
from letterlock.user._renewal import devices_of, is_frozen, is_marked
from letterlock.user._values import Outgoing

UNACKNOWLEDGED: Final = frozenset({ContentKind.RECEIPT, ContentKind.LIST_NOTICE})
"""The kinds that their sender does not keep. All others are acknowledged, also those of later releases."""

DueReceipts: TypeAlias = list[tuple[bytes, ReceivedRecord, int]]
"""Tags of messages, what is on record of them, and when they arrived."""


def due_receipts(desk: Desk) -> DueReceipts:
    """Return the messages whose receipt is due, and those kept no longer, and note who wrote when.

    Silence is told by it. Give them to `send_receipts`, so that they are read once.
    """
    heard: dict[Address, int] = {}
    due = desk.inbox.due(desk.now())
    for _, received, arrived in due:
        if desk.now() - arrived < KEPT_LIFETIME:
            heard[received.address] = max(arrived, heard.get(received.address, 0))
    for address, time in heard.items():
        desk.notes.hear(address, time)
    return due


def send_receipts(desk: Desk, due: DueReceipts, findings: Findings) -> int:
    """Send the receipts that are due, and forget messages that were read long ago; return how many."""
    owed: dict[Address, list[bytes]] = {}
    now, expired = desk.now(), 0
    for tag, received, arrived in due:
        address = received.address
        if now - arrived >= KEPT_LIFETIME:
            desk.inbox.delete(tag)
            expired += 1
            continue
        if not _is_postponed(desk, address):
            owed.setdefault(address, []).append(received.id)
            desk.inbox.settle(tag, received, arrived)
    for address, ids in owed.items():
        _acknowledge(desk, address, tuple(dict.fromkeys(ids)), findings)
    return expired


def _is_postponed(desk: Desk, address: Address) -> bool:
    """Return whether nothing may be sent to a device now, but perhaps later."""
    return is_frozen(desk, address.name) or is_marked(desk, address)


def _acknowledge(desk: Desk, address: Address, ids: tuple[bytes, ...], findings: Findings) -> None:
    if address not in devices_of(desk, address.name):
        return
    for at in range(0, len(ids), MAX_RECEIPT_IDS):
        body = Receipt(ids[at : at + MAX_RECEIPT_IDS]).encode()
        content = control(desk, address, ContentKind.RECEIPT, body)
        message = desk.seal(address, content.encode())
        if message is not None:
            findings.outgoing.append(Outgoing(address, message))
