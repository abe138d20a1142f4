"""Upkeep: what time asks of a user, all of it as values.

    ended by time      skipped keys, archived sessions, prekeys, first messages that nobody answered, and
                       what is on record of messages                                              [USR-57]
    due                receipts, retry requests, new sessions, lists to confirm, prekeys to publish

Every function runs inside the caller's transaction, at a desk whose time stands still. Not here: each of
these (_receipts.py, _repair.py, _silence.py, _freshness.py).
"""

from dataclasses import replace

from letterlock._wire.content import ContentKind
from letterlock.stores import EntryKind
from letterlock.user._announcing import await_directory
from letterlock.user._book import device_of
from letterlock.user._desk import Desk, Findings
from letterlock.user._freshness import ask_for_oldest, ask_for_own
from letterlock.user._outbox import place
from letterlock.user._receipts import due_receipts, send_receipts
from letterlock.user._repair import ask_again
from letterlock.user._silence import break_silence
from letterlock.user._values import EventKind, Upkeep
from letterlock.user._witness import restored_needs


def upkeep(desk: Desk) -> Upkeep:
    """Do what is due, and return what the application has to do."""
    findings = Findings()
    desk.account.expire()
    _forget(desk)
    expired = _give_up(desk, findings)
    await_directory(desk, desk.book.own(), findings)
    own = desk.book.own()
    if device_of(own.pin, desk.device_id) is None:  # revoked: it sends no more
        needs, events = tuple(findings.needs), tuple(findings.events)
        return Upkeep(publish=False, needs=needs, events=events, expired=expired)
    ask_for_own(desk, own, desk.now(), findings)
    ask_for_oldest(desk, findings)
    receipts = due_receipts(desk)
    ask_again(desk, findings)
    break_silence(desk, findings)
    # After both: a receipt in a session that is about to be replaced may never be read.
    expired += send_receipts(desk, receipts, findings)
    restored_needs(desk, findings)
    publish = desk.account.due(desk.now()).publication
    found = (tuple(findings.outgoing), tuple(findings.needs), tuple(findings.events))
    return Upkeep(publish, *found, expired)


def _forget(desk: Desk) -> None:
    """Delete linkings that have expired, packages, keys of archives and letters about groups that are old."""
    for kind in (EntryKind.LINKING, EntryKind.HISTORY, EntryKind.GROUP_MAIL):
        desk.book.store.tables.entries.delete_due(kind, desk.now())


def _give_up(desk: Desk, findings: Findings) -> int:
    """Forget contents that were kept long enough, and report the devices that never acknowledged them.

    A document seed is not forgotten: this device has it anyway, and nothing else brings it to them.  [USR-66]
    """
    expired = 0
    for sent in desk.outbox.expired(desk.now()):
        if sent.content.kind == ContentKind.DOCUMENT_SEED:
            again = tuple(place(each.device, each.tag) for each in sent.places)
            desk.outbox.add(replace(sent, places=again), desk.now())
            continue
        expired += 1
        if sent.content.kind != ContentKind.RETRY_REQUEST:
            for each in sent.places:
                findings.event(EventKind.GIVEN_UP, each.device.name, each.device.device_id)
    return expired
