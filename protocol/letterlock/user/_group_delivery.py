"""Letters about groups on their way: sealed for the devices for which groups mean them, and for no other.

    deliver     each letter for devices of one user; kept until they acknowledged it, like any content
    withdraw    what waits for users who are no members any more

A device that the newest list on record does not have gets nothing [USR-30], and neither does a contact in
conflict, or one whose lists were not fetched.

Not here: what is in a letter, and who is to get one (groups/).
"""

from collections.abc import Container, Iterable
from dataclasses import field

from letterlock._primitives.dataclass import dataclass
from letterlock._records.contact import ContactRecord, ContactState
from letterlock._records.sent import SentPlace, SentRecord
from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock._wire.content import GROUP_KINDS, Content, ContentKind
from letterlock._wire.group_bodies import peek_group
from letterlock.limits import HEAD_BYTES, MESSAGE_ID_BYTES
from letterlock.user._book import shown_head
from letterlock.user._desk import Desk, Findings
from letterlock.user._fanout import require_listed, seal_all
from letterlock.user._freshness import ask_for_contact
from letterlock.user._outbox import without_name


@dataclass(frozen=True, slots=True)
class Letter:
    """A body, and the devices of one user, by their ids, that are to get it."""

    name: str
    devices: frozenset[int]
    kind: ContentKind
    body: bytes = field(repr=False)


def deliver(desk: Desk, letters: Iterable[Letter], findings: Findings) -> None:
    """Seal letters, and keep them until they are acknowledged. It runs in a call of `desk.run`.

    Raises OwnDeviceRevoked.
    """
    own = desk.book.own()
    require_listed(desk, own)
    for letter in letters:
        contact = None if letter.name == desk.name else desk.book.contact(letter.name)
        if contact is not None:
            ask_for_contact(desk, contact, desk.now(), findings)
        _deliver(desk, own, contact, letter, findings)


def withdraw(desk: Desk, group_id: bytes, staying: Container[str]) -> None:
    """Drop what waits about a group for users who are not among those that stay. They get no letter again."""
    for row, sent in desk.outbox.holding(group_id):
        if sent.name not in staying and _is_about(sent.content, group_id):
            desk.outbox.replace(row, sent, without_name(sent, sent.name))


def _deliver(
    desk: Desk, own: UserRecord, contact: ContactRecord | None, letter: Letter, findings: Findings
) -> None:
    if contact is not None and contact.state is ContactState.CONFLICTING:
        return
    pin, renew = (own.pin, own.renew) if contact is None else (contact.pin, contact.renew)
    if letter.name != desk.name and contact is None:
        return
    but = desk.device_id if contact is None else None
    listed = desk.book.addresses(letter.name, pin, but)
    targets = [each for each in listed if each.device_id in letter.devices]
    content = _content(desk, own, contact, letter)
    places: list[SentPlace] = seal_all(desk, targets, content.encode(), renew, findings)
    if places:
        desk.outbox.add(SentRecord(letter.name, content, tuple(places)), desk.now())


def _is_about(content: Content, group_id: bytes) -> bool:
    return content.kind in GROUP_KINDS and peek_group(content.kind, content.body)[0] == group_id


def _content(desk: Desk, own: UserRecord, contact: ContactRecord | None, letter: Letter) -> Content:
    own_head = shown_head(own)
    their_head = own_head if contact is None else contact.pin.hash[:HEAD_BYTES]
    id_ = desk.environment.entropy(MESSAGE_ID_BYTES)
    return Content(letter.kind, id_, desk.now(), own_head, their_head, letter.body)


def listed_devices(desk: Desk, contact: ContactRecord | None) -> frozenset[int]:
    """Return the ids of the devices of a contact, or of our other ones, that letters can be sent to now."""
    if contact is None:
        found: tuple[Address, ...] = desk.book.addresses(desk.name, desk.book.own().pin, desk.device_id)
    elif contact.state is ContactState.CONFLICTING:
        return frozenset()
    else:
        found = desk.book.addresses(contact.name, contact.pin)
    return frozenset(each.device_id for each in found)
