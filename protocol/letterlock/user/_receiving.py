"""Receiving: what becomes of one message, before and after it is decrypted.

    unknown name, or lists not fetched        HELD, lists are needed
    contact in conflict                       HELD
    device not in the newest list             HELD, lists are needed; REFUSED if they were just asked for
    device named as revoked                   REFUSED
    cannot be decrypted                       REPEATED if it was read before, else REFUSED
    content that breaks the specification     REFUSED
    content that was read before              REPEATED
    everything else                           READ

What was decrypted is committed whatever its content is: its key is gone.                        [USR-32]

Not here: what each kind of content does (_kinds.py); messages that cannot be read (_repair.py).
"""

from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._records.contact import ContactState
from letterlock._records.pin import PinnedList
from letterlock._wire.address import Address
from letterlock._wire.content import Content, ContentKind, message_tag
from letterlock._wire.content_bodies import RetryCause
from letterlock._wire.message import continues_session
from letterlock.errors import AddressMismatch, Cause, DuplicateMessage, LetterlockError, PeerError, TrustError
from letterlock.limits import LISTS_ANSWER, MESSAGE_ID_BYTES
from letterlock.user._book import device_of
from letterlock.user._desk import Desk, Findings
from letterlock.user._errors import ContactFrozen, DeviceNotListed, DeviceRevoked
from letterlock.user._heads import asked_within, compare_heads
from letterlock.user._kinds import Delivered, take
from letterlock.user._receipts import UNACKNOWLEDGED
from letterlock.user._renewal import is_discarded, is_marked, is_unanswered, session_began
from letterlock.user._repair import resolved, unreadable
from letterlock.user._rules import rights
from letterlock.user._strays import strayed
from letterlock.user._values import EventKind, Incoming, Outcome

GIVEN: Final = frozenset({ContentKind.SYNC_COPY, ContentKind.HISTORY_KEY, ContentKind.DOCUMENT_SEED})
"""The kinds besides an application's that count once, and that their sender keeps until then."""

_NO_ID: Final = bytes(MESSAGE_ID_BYTES)
"""Stands for the id of a content that could not be read."""

_OWN_ADDRESS: Final = "this claims to come from this device itself: discard the message"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message on its way in: where it says it comes from, and the tag that names it."""

    address: Address
    tag: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a message that is not even decrypted, and why, if it is refused."""

    outcome: Outcome
    error: LetterlockError | None = None


def receive(desk: Desk, address: Address, message: bytes) -> Incoming:
    """Return what a message turned out to be. Everything that its sender or a server can cause is a value."""
    findings = Findings()
    desk.admission.strays.clear()
    judged = _judge(desk, address, findings)
    if judged is not None:
        return _incoming(judged.outcome, address, findings, error=judged.error)
    try:
        arrived = Arrived(address, message_tag(message), message)
        plaintext = _decrypt(desk, arrived, findings)
    except (PeerError, TrustError) as error:
        return _refused(desk, address, message, error, findings)
    try:
        content = Content.decode(plaintext)
    except PeerError as error:
        desk.inbox.add(address, arrived.tag, _NO_ID, desk.now(), owed=False)
        return _incoming(Outcome.REFUSED, address, findings, error=error)
    return _read(desk, arrived, content, findings)


# --- before it is decrypted -------------------------------------------------------------------------------


def _judge(desk: Desk, address: Address, findings: Findings) -> Judged | None:
    """Return what becomes of a message that is not even decrypted, or None if it is."""
    if address == desk.account.address:
        return Judged(Outcome.REFUSED, AddressMismatch(_OWN_ADDRESS))
    if address.name == desk.name:
        own = desk.book.own()
        return _judge_device(desk, own.pin, own.shown, address, findings)
    contact = desk.book.contact(address.name)
    if contact is None:
        findings.need_lists(address.name, 0)
        return Judged(Outcome.HELD)
    if contact.state is ContactState.CONFLICTING:
        return Judged(Outcome.HELD, ContactFrozen())
    if contact.pin.snapshot is None:
        findings.need_lists(address.name, 0)
        return Judged(Outcome.HELD)
    return _judge_device(desk, contact.pin, contact.pin.version, address, findings)


def _judge_device(
    desk: Desk, pin: PinnedList, known: int, address: Address, findings: Findings
) -> Judged | None:
    device = device_of(pin, address.device_id)
    if device is not None:
        return None if rights(device).gets_messages else Judged(Outcome.REFUSED, DeviceNotListed())
    revoked = () if pin.snapshot is None else pin.snapshot.revoked
    if any(each.id == address.device_id for each in revoked):
        return Judged(Outcome.REFUSED, DeviceRevoked())
    if asked_within(desk, pin, LISTS_ANSWER):
        return Judged(Outcome.REFUSED, DeviceNotListed())
    findings.need_lists(address.name, known)
    return Judged(Outcome.HELD)


def _decrypt(desk: Desk, arrived: Arrived, findings: Findings) -> bytes:
    """Return the plaintext, noting whether its session is a new one. Raises PeerError, TrustError."""
    address = arrived.address
    continues = continues_session(arrived.message)
    before = None if continues else desk.account.session(address)
    plaintext = desk.account.decrypt(address, arrived.message)
    after = None if continues else desk.account.session(address)
    if after is not None and (before is None or before.ended or after.archived > before.archived):
        if before is not None and before.answered:
            findings.event(EventKind.SESSION_REPLACED, address.name, address.device_id)
        if not is_discarded(desk, address):  # an old session may begin again in an old store
            session_began(desk, address, findings)
    return plaintext


def _refused(
    desk: Desk, address: Address, message: bytes, error: LetterlockError, findings: Findings
) -> Incoming:
    """Tell a repeat from a message that cannot be read."""
    tag = message[-len(_NO_ID) :]
    if desk.inbox.has(address, tag):
        return _incoming(Outcome.REPEATED, address, findings)
    if isinstance(error, TrustError):
        return _incoming(Outcome.REFUSED, address, findings, error=error)
    if _is_suspect(desk, address, error):
        findings.event(EventKind.KEY_REUSED, address.name, address.device_id)
    cause = unreadable(desk, address, tag, error, findings)
    return _incoming(Outcome.REFUSED, address, findings, error=error, cause=cause)


def _is_suspect(desk: Desk, address: Address, error: LetterlockError) -> bool:
    """Return whether a message does not fit into a session that is used on both sides. [USR-60]"""
    if isinstance(error, DuplicateMessage):
        return True
    went_back = error.cause is Cause.OUR_STATE_WENT_BACK_PERHAPS
    return went_back and not is_unanswered(desk, address) and not is_marked(desk, address)


# --- after it was decrypted -------------------------------------------------------------------------------


def _read(desk: Desk, arrived: Arrived, content: Content, findings: Findings) -> Incoming:
    address = arrived.address
    given = content.is_for_application or content.kind in GIVEN
    repeated = any(desk.inbox.has(address, tag) for tag in content.earlier)
    repeated = repeated or (given and desk.inbox.gave(address, content.id))
    desk.inbox.add(address, arrived.tag, content.id, desk.now(), owed=content.kind not in UNACKNOWLEDGED)
    resolved(desk, address, content.earlier)
    strayed(desk, address, content, findings)
    _note_end(desk, address, findings)
    compare_heads(desk, address, content, findings)
    if repeated:
        return _incoming(Outcome.REPEATED, address, findings)
    try:
        delivered = take(desk, address, content, findings)
    except PeerError as error:
        return _incoming(Outcome.REFUSED, address, findings, error=error)
    if given:
        desk.inbox.give(address, content.id, desk.now())
    return _incoming(Outcome.READ, address, findings, delivered=delivered)


def _note_end(desk: Desk, address: Address, findings: Findings) -> None:
    """Report a session whose post-quantum keys contradicted each other with this very message."""
    if desk.sessions.has_ended(address):
        findings.event(EventKind.SESSION_ENDED, address.name, address.device_id)
        findings.need_bundle(address.name, address.device_id)


def _incoming(
    outcome: Outcome,
    address: Address,
    findings: Findings,
    *,
    delivered: Delivered | None = None,
    error: LetterlockError | None = None,
    cause: RetryCause | None = None,
) -> Incoming:
    what = delivered or Delivered()
    return Incoming(
        outcome,
        address.name,
        address.device_id,
        what.kind,
        what.id,
        what.time,
        what.body,
        what.attachments,
        what.to,
        cause,
        error,
        tuple(findings.events),
        tuple(findings.outgoing),
        tuple(findings.needs),
    )
