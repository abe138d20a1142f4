"""Taking entries of a collection's log that a server showed, and what becomes of our change by them.

    new entries       verified and saved (_log_reading.py), told as events
    our change        it is in the log; or others are, and a new change is made of what remains     [DOC-79]

Every function runs inside the caller's transaction. Not here: the rules (_log_rules.py, _log.py).
"""

from collections.abc import Sequence
from dataclasses import replace

from letterlock._records.collection import LogState
from letterlock._records.collection_change import ChangeRecord, EpochRecord
from letterlock._wire.grant_subject import SubjectKind
from letterlock._wire.log_entry import LogEntry
from letterlock.documents._changes import CollectionChange, make_change
from letterlock.documents._collection_desk import CollectionDesk
from letterlock.documents._collection_errors import NoEpochKey
from letterlock.documents._collection_values import ChangeOutcome, CollectionTaken, MissingLists
from letterlock.documents._log import Step, Steps
from letterlock.documents._log_events import what_happened
from letterlock.documents._log_reading import take_entries
from letterlock.documents._wishes import rest_of
from letterlock.errors import Cause, UsageError

WAITING = 0
"""The number of a change whose entry cannot be made yet."""


def take(at: CollectionDesk, collection: bytes, entries: Sequence[LogEntry]) -> CollectionTaken:
    """Take consecutive entries of one log. Raises InvalidEntry, InvalidSignature, InvalidKey, UsageError.

    Entries that contradict the log on record are no error: the collection is then FORKED.
    """
    taken = take_entries(at.book, at.lists, collection, entries)
    missing = missing_lists(taken.steps)
    events = what_happened(taken, at.user_id)
    if taken.forked:
        return CollectionTaken(collection, taken.number, events)
    outcome, change = None, None
    if taken.after is not None:
        outcome, change = _own_change(at, taken.after, taken.steps.taken)
    return CollectionTaken(collection, taken.number, events, missing, outcome, change)


def missing_lists(steps: Steps) -> MissingLists | None:
    """Return the device lists that keep the next entry back, as an application sees it."""
    error = steps.missing
    if error is None:
        return None
    return MissingLists(error.user_id, error.version, error.cause is Cause.CONTRADICTION)


# --- our own change ---------------------------------------------------------------------------------------


def _own_change(
    at: CollectionDesk, state: LogState, steps: Sequence[Step]
) -> tuple[ChangeOutcome | None, CollectionChange | None]:
    """Return what becomes of the change that is under way, if these entries decide it. [DOC-79]"""
    taken = {each.entry.terms.number: each.entry for each in steps}
    for number, record in at.book.changes(state.log_id):
        if record.accepted:
            continue
        if number == WAITING:
            return _again(at, record, state)
        if number in taken:
            ours = LogEntry.decode(record.entry)
            if ours.hash == taken[number].hash:
                return _accepted(at, ours, record), None
            _discard(at, ours)
            return _again(at, record, state)
    return None, None


def _accepted(at: CollectionDesk, ours: LogEntry, record: ChangeRecord) -> ChangeOutcome:
    collection, terms = ours.log_id, ours.terms
    at.book.save_change(collection, terms.number, replace(record, accepted=True))
    epoch = at.book.epoch(collection, terms.epoch)
    if epoch is not None and record.owed:
        owed = epoch.owed | frozenset(record.owed)
        at.book.save_epoch(collection, terms.epoch, EpochRecord(epoch.opening, epoch.writers, owed))
    return ChangeOutcome.ACCEPTED


def _discard(at: CollectionDesk, ours: LogEntry) -> None:
    """Delete a change that lost, with the grant of its keys to this user."""
    at.book.delete_change(ours.log_id, ours.terms.number)
    if ours.terms.opening is None:
        return
    for record in list(at.grants.of_number(SubjectKind.COLLECTION, ours.log_id, ours.terms.epoch)):
        if record.grant.terms.subject.commitment == ours.terms.opening.commitment:
            at.grants.remove(record.grant)


def _again(
    at: CollectionDesk, record: ChangeRecord, state: LogState
) -> tuple[ChangeOutcome, CollectionChange | None]:
    """Make a change of what remains of a wish, or keep the wish until the keys of the epoch are here."""
    at.book.delete_change(state.log_id, WAITING)
    rest = rest_of(record.wish, state, at.user_id)
    if rest.is_met:
        return ChangeOutcome.MET, None
    if rest.refused is not None:
        return ChangeOutcome.REFUSED, None
    try:
        return ChangeOutcome.MADE_AGAIN, make_change(at, record.wish, state)
    except NoEpochKey:
        at.book.save_change(state.log_id, WAITING, ChangeRecord(record.wish, b""))
        return ChangeOutcome.WAITING, None
    except UsageError:  # another rule forbids it now
        return ChangeOutcome.REFUSED, None
