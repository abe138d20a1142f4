"""Repair: messages that cannot be read are asked for again, and contents are sealed again on request.

    cannot be read      noted by its tag, and asked for: in the session that there is, unless it seems
                        to be lost on one side                                                    [USR-50]
    acknowledged        the other device has the request, so the session works: nothing is asked again
    not acknowledged    asked again in a new session, after a pause that doubles                  [USR-51]
    request arrives     the content of the message with that tag is sealed again for that device  [USR-53]

A message that cannot be read is not authentic: anybody on the way may have made it up. So every step has a
limit, one message alone does not replace a session, and a request for an unknown message is no sign of a
copy.

Every function runs inside the caller's transaction. Not here: which messages get this far (_receiving.py);
replacing sessions (_renewal.py).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from letterlock._primitives.aead import TAG_BYTES
from letterlock._records.retry import RetryRecord
from letterlock._records.sent import SentRecord
from letterlock._wire.address import Address
from letterlock._wire.content import Content, ContentKind, message_tag
from letterlock._wire.content_bodies import RetryCause, RetryRequest
from letterlock.errors import (
    AuthenticationFailed,
    BraidFailed,
    DuplicateMessage,
    LetterlockError,
    ReplayRecordFull,
    TooManySkipped,
    UnknownPrekey,
    UnknownSession,
)
from letterlock.limits import HOUR, MAX_ATTEMPTS, MAX_OPEN_REQUESTS, MAX_REQUESTS_AN_HOUR, RETRY_PAUSE
from letterlock.user._book import device_of
from letterlock.user._control import control
from letterlock.user._desk import Desk, Findings
from letterlock.user._outbox import place, place_of, waiting_place, without
from letterlock.user._renewal import devices_of, has_session, is_marked, is_unanswered, renew
from letterlock.user._values import EventKind, Outgoing
from letterlock.user._waiting import seal_again

_CAUSES: Final[tuple[tuple[type[LetterlockError], RetryCause], ...]] = (
    (AuthenticationFailed, RetryCause.UNREADABLE),
    (UnknownSession, RetryCause.NO_SESSION),
    (UnknownPrekey, RetryCause.UNKNOWN_PREKEY),
    (ReplayRecordFull, RetryCause.UNKNOWN_PREKEY),
    (DuplicateMessage, RetryCause.PLACE_USED),
    (TooManySkipped, RetryCause.TOO_MANY_SKIPPED),
    (BraidFailed, RetryCause.SESSION_ENDED),
)


_OTHER_STATE: Final = frozenset({RetryCause.PLACE_USED, RetryCause.UNKNOWN_PREKEY})
"""What a message cannot lead to, if it is authentic, while both devices are in the same session."""


def unreadable(
    desk: Desk, address: Address, tag: bytes, error: LetterlockError, findings: Findings
) -> RetryCause:
    """Note that a message of a listed device cannot be read, ask for it again, and return why.

    `tag` has 16 bytes and names the message. It was not read before, and it is not of another identity. What
    breaks the specification is not asked for: its sender would say the same again.
    """
    cause = cause_of(error)
    if cause is RetryCause.OTHER or len(tag) != TAG_BYTES or not _is_listed(desk):
        return cause
    if desk.unread.load(tag) is not None:
        return cause
    if not desk.unread.has_room(address.name):
        findings.event(EventKind.GIVEN_UP, address.name, address.device_id)
        return cause
    if not _session_serves(desk, address, cause):
        renew(desk, address, findings)
    _ask(desk, tag, RetryRecord(address, 0, cause), findings)
    return cause


def cause_of(error: LetterlockError) -> RetryCause:
    """Return the cause that a retry request names for an error."""
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), RetryCause.OTHER)


def retry_requested(desk: Desk, address: Address, content: Content, findings: Findings) -> None:
    """Seal a content again that a device could not read. Raises MalformedMessage.

    What is not on record is not answered. It was acknowledged, is too old, was no content of this layer's, or
    nobody sent it: anybody on the way can put a tag of their own choice before the device.
    """
    tag = RetryRequest.decode(content.body).tag
    for row, sent in desk.outbox.with_tag(tag):
        found = place_of(sent, address)
        if found is None or tag not in (found.tag, *found.earlier):
            continue
        if found.attempts >= MAX_ATTEMPTS:
            desk.outbox.replace(row, sent, without(sent, {address}))
            findings.event(EventKind.GIVEN_UP, address.name, address.device_id)
        elif is_marked(desk, address):
            findings.need_bundle(address.name, address.device_id)
        elif found.attempts and tag == found.tag:  # USR-62: what was sealed again cannot be read either
            renew(desk, address, findings)
        else:
            seal_again(desk, row, sent, address, findings)
        return


def resolved(desk: Desk, address: Address, tags: Sequence[bytes]) -> None:
    """Forget the requests for messages of a device whose content was read after all."""
    for tag in tags:
        retry = desk.unread.load(tag)
        if retry is not None and retry.address == address:
            _forget(desk, tag, retry)


def ask_again(desk: Desk, findings: Findings) -> None:
    """Ask for what is due: for the first time, or again in a new session."""
    for tag, retry in desk.unread.due(desk.now()):
        address = retry.address
        if not _is_listed(desk) or address not in devices_of(desk, address.name):
            _forget(desk, tag, retry)
        elif retry.request is None:
            _ask(desk, tag, retry, findings)
        else:
            _insist(desk, tag, retry, desk.outbox.load(retry.request), findings)


def _insist(
    desk: Desk, tag: bytes, retry: RetryRecord, request: SentRecord | None, findings: Findings
) -> None:
    """Replace the session if a request was not acknowledged in it. `begin` then seals the request again."""
    address, now = retry.address, desk.now()
    if request is None:  # acknowledged: the device has no other answer than those that are under way
        desk.unread.delete(tag)
    elif waiting_place(request, address) is not None:
        findings.need_bundle(address.name, address.device_id)
        desk.unread.save(tag, retry, now + RETRY_PAUSE)
    elif retry.attempts >= MAX_ATTEMPTS:
        _forget(desk, tag, retry)
        findings.event(EventKind.GIVEN_UP, address.name, address.device_id)
    elif is_unanswered(desk, address) or not _may_ask(desk, address):
        desk.unread.save(tag, retry, now + RETRY_PAUSE)
    elif renew(desk, address, findings):
        _note_asked(desk, tag, retry)
    else:
        desk.unread.save(tag, retry, now + RETRY_PAUSE)


def _ask(desk: Desk, tag: bytes, retry: RetryRecord, findings: Findings) -> None:
    """Send a request in the session that there is, or let it wait for the one to come."""
    address = retry.address
    if not _may_ask(desk, address):
        desk.unread.save(tag, retry, desk.now() + RETRY_PAUSE)
        return
    content = control(desk, address, ContentKind.RETRY_REQUEST, RetryRequest(tag, retry.cause).encode())
    message = None if is_marked(desk, address) else desk.seal(address, content.encode())
    if message is None:
        findings.need_bundle(address.name, address.device_id)
    else:
        findings.outgoing.append(Outgoing(address, message))
    places = (place(address, None if message is None else message_tag(message)),)
    desk.outbox.add(SentRecord(address.name, content, places), desk.now())
    _note_asked(desk, tag, replace(retry, request=content.id))


def _may_ask(desk: Desk, address: Address) -> bool:
    now = desk.now()
    times = [time for each in devices_of(desk, address.name) for time in desk.notes.of(each).asked]
    return sum(0 <= now - time < HOUR for time in times) < MAX_REQUESTS_AN_HOUR


def _note_asked(desk: Desk, tag: bytes, retry: RetryRecord) -> None:
    now = desk.now()
    noted = desk.notes.of(retry.address)
    recent = sorted(time for time in noted.asked if 0 <= now - time < HOUR)
    desk.notes.save(replace(noted, asked=(*recent, now)))
    pause = RETRY_PAUSE << retry.attempts
    desk.unread.save(tag, replace(retry, attempts=retry.attempts + 1, asked=now), now + pause)


def _session_serves(desk: Desk, address: Address, cause: RetryCause) -> bool:
    """Return whether a request may go out in the session that there is, as far as is known."""
    if not has_session(desk, address) or cause in _OTHER_STATE:
        return is_unanswered(desk, address)
    open_requests = sum(desk.outbox.load(each) is not None for each in desk.unread.requests(address))
    return open_requests < MAX_OPEN_REQUESTS or is_unanswered(desk, address)


def _forget(desk: Desk, tag: bytes, retry: RetryRecord) -> None:
    desk.unread.delete(tag)
    if retry.request is not None:
        desk.outbox.acknowledge(retry.address, (retry.request,))


def _is_listed(desk: Desk) -> bool:
    return device_of(desk.book.own().pin, desk.device_id) is not None
