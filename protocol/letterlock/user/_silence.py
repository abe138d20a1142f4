"""Silence: sessions in which nothing arrives any more, although the other device is there.

    waits for a bundle, or for lists      the application is asked again
    not acknowledged for a day, and       the session is replaced, and what was not acknowledged is sealed
    the device wrote since                again in the new one                                    [USR-54]
    first message not answered            the same; the pause doubles while the device stays silent
    not acknowledged, device silent       sealed again in the session that there is, after a pause that
                                          doubles                                         [USR-58]

A device that is off writes nothing, so its session stays.

Every function runs inside the caller's transaction. Not here: replacing a session (_renewal.py).
"""

from letterlock._records.sent import SentPlace, SentRecord
from letterlock._wire.address import Address
from letterlock._wire.content import ContentKind
from letterlock.limits import KEPT_LIFETIME, MAX_ATTEMPTS, RESEND_PAUSE, SILENCE
from letterlock.stores import EntryRow
from letterlock.user._desk import Desk, Findings
from letterlock.user._renewal import is_frozen, is_marked, is_unanswered, renew
from letterlock.user._waiting import seal_again


def break_silence(desk: Desk, findings: Findings) -> None:
    """Ask for what is needed, and replace sessions that deliver nothing."""
    for address, since in _unacknowledged(desk, findings).items():
        if is_marked(desk, address) or _is_silent(desk, address, since):
            renew(desk, address, findings)
    _send_again(desk, findings)


def _send_again(desk: Desk, findings: Findings) -> None:
    """Seal what may have been lost on the way, in sessions that are not about to be replaced. [USR-58]"""
    for row, sent in desk.outbox.all():
        for each in sent.places:
            if _seems_lost(desk, row, sent, each):
                seal_again(desk, row, desk.outbox.load(sent.content.id) or sent, each.device, findings)


def _seems_lost(desk: Desk, row: EntryRow, sent: SentRecord, place: SentPlace) -> bool:
    address, age = place.device, desk.now() - (row.due or 0) + KEPT_LIFETIME
    return (
        place.tag is not None
        and sent.content.kind != ContentKind.RETRY_REQUEST
        and age >= RESEND_PAUSE << place.attempts
        and not is_frozen(desk, address.name)
        and not is_marked(desk, address)
        and not is_unanswered(desk, address)
    )


def _unacknowledged(desk: Desk, findings: Findings) -> dict[Address, int]:
    """Return the devices that have not acknowledged a message, and since when; note needs."""
    oldest: dict[Address, int] = {}
    frozen: dict[str, bool] = {}
    for row, sent in desk.outbox.all():
        if sent.name != desk.name and not sent.places:
            findings.need_lists(sent.name, 0)
        for each in sent.places:
            name = each.device.name
            if name not in frozen:
                frozen[name] = is_frozen(desk, name)
            if frozen[name]:
                continue
            if each.tag is None:
                findings.need_bundle(name, each.device.device_id)
            elif each.attempts < MAX_ATTEMPTS:
                oldest.setdefault(each.device, (row.due or 0) - KEPT_LIFETIME)
    return oldest


def _is_silent(desk: Desk, address: Address, since: int) -> bool:
    now, noted = desk.now(), desk.notes.of(address)
    begun = max([since, *(time for time in noted.renewed if time <= now)])
    if is_unanswered(desk, address):
        return now - begun >= SILENCE << sum(time > noted.heard for time in noted.renewed)
    return now - begun >= SILENCE and noted.heard > begun
