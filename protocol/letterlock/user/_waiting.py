"""Contents that wait: for a session with a device, or for the device lists of a contact.

What waits keeps its content, and gets the heads of the day when it is sealed: its recipient would otherwise
be told of lists that are on record no longer.

Not here: contents that are sent for the first time (_fanout.py).
"""

from dataclasses import replace

from letterlock._records.pin import PinnedList
from letterlock._records.sent import SentRecord
from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock._wire.content import Content, ContentKind, message_tag
from letterlock._wire.content_bodies import encode_sync_copy
from letterlock.limits import HEAD_BYTES
from letterlock.stores import EntryRow
from letterlock.user._book import device_of, shown_head
from letterlock.user._desk import Desk, Findings
from letterlock.user._outbox import place, sealed, unsealed, waiting_place
from letterlock.user._values import Outgoing


def seal_waiting(desk: Desk, address: Address, findings: Findings) -> None:
    """Seal everything that waits for a session with a device. There is one now."""
    for row, sent in desk.outbox.waiting_for(address):
        waiting = waiting_place(sent, address)
        if waiting is not None:
            message = desk.seal(address, plaintext_for(desk, sent, address, waiting.earlier))
            if message is not None:
                findings.outgoing.append(Outgoing(address, message))
                desk.outbox.replace(row, sent, sealed(sent, address, message_tag(message)))


def seal_again(desk: Desk, row: EntryRow, sent: SentRecord, address: Address, findings: Findings) -> None:
    """Seal a content again for a device that could not read it, in the session that there is."""
    again = unsealed(sent, address)
    waiting = waiting_place(again, address)
    if again is sent or waiting is None:
        return
    message = desk.seal(address, plaintext_for(desk, again, address, waiting.earlier))
    if message is not None:
        findings.outgoing.append(Outgoing(address, message))
        again = sealed(again, address, message_tag(message))
    desk.outbox.replace(row, sent, again)


def place_waiting(desk: Desk, name: str, pin: PinnedList, findings: Findings) -> None:
    """Give the contents that waited for the lists of a contact their places, and seal what can be sealed.

    Without a device that gets messages, all of it waits for the first one, also the copies for our own: what
    has lost its last place is deleted.
    """
    own, theirs = desk.book.own(), desk.book.addresses(name, pin)
    if not theirs or device_of(own.pin, desk.device_id) is None:  # USR-37: what was revoked sends nothing
        return
    others = own_others(desk, own)
    marked = {Address(desk.name, each) for each in own.renew}
    for row, sent in desk.outbox.all():
        if sent.name == name and not sent.places:
            targets = (*theirs, *others)
            after = replace(sent, places=tuple(place(each, None) for each in targets))
            for address in targets:
                plaintext = plaintext_for(desk, sent, address)
                message = None if address in marked else desk.seal(address, plaintext)
                if message is None:
                    findings.need_bundle(address.name, address.device_id)
                else:
                    findings.outgoing.append(Outgoing(address, message))
                    after = sealed(after, address, message_tag(message))
            desk.outbox.replace(row, sent, after)


def own_others(desk: Desk, own: UserRecord) -> tuple[Address, ...]:
    """Return the addresses of this user's other devices that get messages."""
    return desk.book.addresses(desk.name, own.pin, but=desk.device_id)


def plaintext_for(desk: Desk, sent: SentRecord, address: Address, earlier: tuple[bytes, ...] = ()) -> bytes:
    """Return what a device is to get of a content on record: the content, or a sync copy of it.

    `earlier` are the tags of messages that carried it to this device before.
    """
    own_head = shown_head(desk.book.own())
    if sent.name == desk.name:
        return replace(sent.content, own_head=own_head, their_head=own_head, earlier=earlier).encode()
    contact = desk.book.require_contact(sent.name)
    content = replace(sent.content, own_head=own_head, their_head=contact.pin.hash[:HEAD_BYTES])
    if address.name != desk.name:
        return replace(content, earlier=earlier).encode()
    return sync_copy(content, sent.name, contact.pin.user_id, content.encode(), earlier).encode()


def sync_copy(
    content: Content, name: str, user_id: bytes, encoded: bytes, earlier: tuple[bytes, ...] = ()
) -> Content:
    """Return the content that tells our other devices what `encoded` told a contact. It has the same id."""
    body, head = encode_sync_copy(name, user_id, encoded), content.own_head
    return Content(ContentKind.SYNC_COPY, content.id, content.sent, head, head, body, earlier=earlier)
