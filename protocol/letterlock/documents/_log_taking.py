"""Taking entries that a server showed: the log goes on, or it contradicts the one on record.

    known entries     the same as ours: nothing; others: evidence of a fork, and the collection is frozen
    new entries       verified, saved, and compared with the change that is under way
    our change        it is in the log; or others are, and a new change is made of what remains     [DOC-79]

Every function runs inside the caller's transaction. Not here: the rules (_log_rules.py, _log.py).
"""

from collections.abc import Sequence
from dataclasses import replace

from letterlock._records.collection import LogState
from letterlock._records.collection_change import ChangeRecord, EpochRecord
from letterlock._wire.collection_fork import ForkEntries
from letterlock._wire.collection_member import MemberName
from letterlock._wire.grant_subject import SubjectKind
from letterlock._wire.log_entry import Action, LogEntry
from letterlock.documents._changes import CollectionChange, make_change
from letterlock.documents._collection_desk import CollectionDesk
from letterlock.documents._collection_errors import InvalidEntry, NoEpochKey
from letterlock.documents._collection_values import (
    ChangeOutcome,
    CollectionEvent,
    CollectionTaken,
    MissingLists,
)
from letterlock.documents._log import Step, Steps, read_log
from letterlock.documents._log_rules import follow
from letterlock.documents._wishes import rest_of
from letterlock.errors import Cause, UsageError

_EVENTS = {
    Action.CREATE: CollectionEvent.EPOCH,
    Action.ADD: CollectionEvent.MEMBERS,
    Action.REMOVE: CollectionEvent.MEMBERS,
    Action.LEAVE: CollectionEvent.MEMBERS,
    Action.ROLE: CollectionEvent.MEMBERS,
    Action.RENAME: CollectionEvent.RENAMED,
    Action.RENEW: CollectionEvent.EPOCH,
    Action.CLOSE: CollectionEvent.CLOSED,
}


WAITING = 0
"""The number of a change whose entry cannot be made yet."""


def take(at: CollectionDesk, collection: bytes, entries: Sequence[LogEntry]) -> CollectionTaken:
    """Take consecutive entries of one log. Raises InvalidEntry, InvalidSignature, InvalidKey, UsageError.

    Entries that contradict the log on record are no error: the collection is then FORKED.
    """
    if any(each.log_id != collection for each in entries):
        raise InvalidEntry("an entry is of another collection: discard it")
    state = at.book.state(collection)
    if state is not None:
        at.book.require_sound(collection)
    number = 0 if state is None else state.number
    start = entries[0].terms.number if entries else number + 1
    if start > number + 1:
        raise UsageError(f"entries from {start} on were given: ask for those after number {number}")
    known = entries[: number + 1 - start]
    fork = _first_other(at, known)
    if state is not None and fork is not None:
        return _forked(at, state, entries[fork:])
    steps = read_log(at.lists, state, entries[len(known) :])
    at.book.save_steps(steps.taken)
    after = steps.taken[-1].after if steps.taken else state
    if after is None:
        return CollectionTaken(collection, 0, _kept_back(steps), _missing(steps))
    events = [*_events(at, state, steps.taken), *_kept_back(steps)]
    outcome, change = _own_change(at, after, steps.taken)
    return CollectionTaken(
        collection, after.number, tuple(dict.fromkeys(events)), _missing(steps), outcome, change
    )


# --- forks ------------------------------------------------------------------------------------------------


def _first_other(at: CollectionDesk, known: Sequence[LogEntry]) -> int | None:
    """Return the place of the first entry that is another one than ours of that number, or None."""
    for place, entry in enumerate(known):
        number = entry.terms.number
        (ours,) = at.book.entries(entry.log_id, number - 1, number)
        if ours.hash != entry.hash:
            return place
    return None


def _forked(at: CollectionDesk, state: LogState, theirs: Sequence[LogEntry]) -> CollectionTaken:
    """Keep evidence of a fork, and freeze the collection. [DOC-80]

    Raises InvalidEntry or InvalidSignature if the other entries do not hold: then nothing happens.
    """
    number = theirs[0].terms.number
    ours = tuple(at.book.entries(state.log_id, 0, state.number))
    shared, rest = ours[: number - 1], ours[number - 1 :]
    before: LogState | None = None
    for entry in shared:
        before = follow(before, entry)
    steps = read_log(at.lists, before, theirs, vouch=False)
    if not steps.taken:
        return CollectionTaken(state.log_id, state.number, (), _missing(steps))
    evidence = ForkEntries(shared, rest, tuple(each.entry for each in steps.taken))
    at.book.save_evidence(state.log_id, evidence.encode())
    at.book.save_state(replace(state, forked=True))
    return CollectionTaken(state.log_id, state.number, (CollectionEvent.FORKED,))


# --- what happened ----------------------------------------------------------------------------------------


def _events(at: CollectionDesk, before: LogState | None, steps: Sequence[Step]) -> list[CollectionEvent]:
    events = [_EVENTS[each.entry.terms.action] for each in steps]
    if steps:
        own, after = MemberName.user(at.user_id), steps[-1].after
        was, is_now = before is not None and own in before.members, own in after.members
        if was != is_now:
            events.append(CollectionEvent.JOINED if is_now else CollectionEvent.LEFT)
        if before is not None and after.epoch > before.epoch:
            events.append(CollectionEvent.EPOCH)
    return events


def _kept_back(steps: Steps) -> tuple[CollectionEvent, ...]:
    return () if steps.unvouched is None else (CollectionEvent.UNVOUCHED,)


def _missing(steps: Steps) -> MissingLists | None:
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
