"""Contents that devices send each other without their applications: receipts, retry requests, list notices.

Not here: when they are sent (_heads.py, _repair.py, _receipts.py).
"""

from letterlock._wire.address import Address
from letterlock._wire.content import Content, ContentKind
from letterlock.limits import HEAD_BYTES, MESSAGE_ID_BYTES
from letterlock.user._book import shown_head
from letterlock.user._desk import Desk


def control(desk: Desk, address: Address, kind: ContentKind, body: bytes) -> Content:
    """Return a content for one device, with the heads of the day. Draws 16 bytes."""
    own_head = shown_head(desk.book.own())
    contact = None if address.name == desk.name else desk.book.contact(address.name)
    their_head = own_head if contact is None else contact.pin.hash[:HEAD_BYTES]
    id_ = desk.environment.entropy(MESSAGE_ID_BYTES)
    return Content(kind, id_, desk.now(), own_head, their_head, body)
