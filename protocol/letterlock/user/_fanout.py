"""Fan-out: one content, sealed for every device that is to get it.

    the contact's devices       the content
    our other devices           a sync copy of it, with the same id
    sent to our own name        the content, for our other devices

Only devices of the newest list on record get anything, and nothing is sent to a contact in conflict. A device
without a session, or whose session must be replaced first, gets a place that waits for `begin`.  [USR-31]

Every function runs inside the caller's transaction, and `send` in a call of the library.

Not here: contents that wait (_waiting.py).
"""

from collections.abc import Iterable
from dataclasses import field

from letterlock._primitives.dataclass import dataclass
from letterlock._records.contact import ContactRecord, ContactState
from letterlock._records.sent import SentPlace, SentRecord
from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.content import Attachment, Content, message_tag
from letterlock.errors import UsageError
from letterlock.limits import HEAD_BYTES, MESSAGE_ID_BYTES
from letterlock.user._book import device_of, shown_head
from letterlock.user._desk import Desk, Findings
from letterlock.user._errors import ContactFrozen, OwnDeviceRevoked
from letterlock.user._freshness import ask_for_contact, ask_for_own
from letterlock.user._outbox import place
from letterlock.user._receipts import due_receipts, send_receipts
from letterlock.user._renewal import is_discarded, session_began
from letterlock.user._rules import rights
from letterlock.user._values import Begun, Outgoing, Sent
from letterlock.user._waiting import own_others, sync_copy


@dataclass(frozen=True, slots=True)
class Sending:
    """What an application sends. `sent` and `id` are chosen here if they are None."""

    name: str
    kind: int
    body: bytes = field(repr=False)
    attachments: tuple[Attachment, ...] = field(repr=False)
    sent: int | None
    id: bytes | None


def send(desk: Desk, sending: Sending) -> Sent:
    """Seal a content for all devices of a contact, and a copy for our other ones.

    It runs in a call of `desk.run`. Raises UsageError, ContactFrozen, PlaintextTooLong.
    """
    own, now, findings, name = desk.book.own(), desk.now(), Findings(), sending.name
    require_listed(desk, own)
    ask_for_own(desk, own, now, findings)
    own_head = shown_head(own)
    contact = None if name == desk.name else require_open(desk.book.require_contact(name))
    their_head = own_head if contact is None else contact.pin.hash[:HEAD_BYTES]
    id_ = desk.environment.entropy(MESSAGE_ID_BYTES) if sending.id is None else sending.id
    sent = now if sending.sent is None else sending.sent
    content = Content(sending.kind, id_, sent, own_head, their_head, sending.body, sending.attachments)
    encoded = content.encode()
    others = own_others(desk, own)
    if contact is None:
        places = seal_all(desk, others, encoded, own.renew, findings)
    elif contact.pin.snapshot is None:  # pinned by linking
        findings.need_lists(name, 0)
        places = []
    else:
        ask_for_contact(desk, contact, now, findings)
        copy = sync_copy(content, name, contact.pin.user_id, encoded).encode() if others else b""
        theirs = desk.book.addresses(name, contact.pin)
        places = seal_all(desk, theirs, encoded, contact.renew, findings)
        if theirs:  # otherwise it waits for their first device: see place_waiting
            places += seal_all(desk, others, copy, own.renew, findings)
    if places or contact is not None:
        desk.outbox.add(SentRecord(name, content, tuple(places)), now)
    return Sent(id_, tuple(findings.outgoing), tuple(findings.needs))


def begin(desk: Desk, address: Address, bundle: PrekeyBundle) -> Begun:
    """Begin a session with a listed device, and seal what waited for it."""
    own, findings = desk.book.own(), Findings()
    require_listed(desk, own)
    contact = None
    if address.name != desk.name:
        contact = require_open(desk.book.require_contact(address.name))
    device = device_of(own.pin if contact is None else contact.pin, address.device_id)
    if device is None or not rights(device).gets_messages:
        raise UsageError("this device is not in the newest device list of its user: send nothing to it")
    suite, discards = max(desk.environment.suites), is_discarded(desk, address)
    desk.account.initiate(address, bundle, suite=suite, discard_earlier=discards)
    session_began(desk, address, findings)
    send_receipts(desk, due_receipts(desk), findings)
    return Begun(tuple(findings.outgoing))


def require_listed(desk: Desk, own: UserRecord) -> None:
    """Raise OwnDeviceRevoked if this device was revoked."""
    if device_of(own.pin, desk.device_id) is None:
        raise OwnDeviceRevoked


def require_open(contact: ContactRecord) -> ContactRecord:
    """Return the contact. Raises ContactFrozen in state CONFLICTING. [USR-16]"""
    if contact.state is ContactState.CONFLICTING:
        raise ContactFrozen
    return contact


def seal_all(
    desk: Desk, targets: Iterable[Address], plaintext: bytes, renew: tuple[int, ...], findings: Findings
) -> list[SentPlace]:
    """Seal for each device that has a session; note a need for each other one."""
    places: list[SentPlace] = []
    for address in targets:
        message = None if address.device_id in renew else desk.seal_inside(address, plaintext)
        if message is None:
            findings.need_bundle(address.name, address.device_id)
            places.append(place(address, None))
        else:
            findings.outgoing.append(Outgoing(address, message))
            places.append(place(address, message_tag(message)))
    return places
