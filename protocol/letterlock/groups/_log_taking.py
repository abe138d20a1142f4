"""Taking entries of a group's log: where the group stands then, and what they do to secrets and letters.

    an epoch begins       it is on record, and the one before has ended
    somebody is gone      what waits for them is dropped                                          [GRP-32]
    our change is in      the secret of its epoch goes out, or the newcomers get that of ours     [GRP-30]
    others were faster    a new change is made of what remains                                    [DOC-79]

Every function runs inside the caller's transaction. Not here: the rules (documents/_log_rules.py).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from letterlock._records.collection import WRITABLE, LogState
from letterlock._records.collection_change import ChangeRecord
from letterlock._records.group import GroupChangeRecord, GroupEpochRecord, StandRecord
from letterlock._records.group_chain import AudienceRecord
from letterlock._wire.collection_member import Member, Role
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.log_entry import LogEntry
from letterlock._wire.log_opening import GroupOpening
from letterlock.documents._collection_values import ChangeOutcome
from letterlock.documents._log import Step
from letterlock.documents._log_events import what_happened
from letterlock.documents._log_reading import take_entries
from letterlock.documents._log_taking import missing_lists
from letterlock.documents._wishes import rest_of
from letterlock.errors import UsageError
from letterlock.groups._changes import make_change
from letterlock.groups._desk import GroupDesk
from letterlock.groups._errors import GroupKeyMissing
from letterlock.groups._letters import give_secret
from letterlock.groups._values import GroupChange, GroupEvent, GroupEventKind, GroupTaken
from letterlock.user._desk import Findings
from letterlock.user._group_delivery import withdraw

WAITING: Final = 0
"""The number of a change whose entry cannot be made yet."""


def take(at: GroupDesk, group: bytes, entries: Sequence[LogEntry]) -> GroupTaken:
    """Take consecutive entries of one log. Raises InvalidEntry, InvalidSignature, InvalidKey, UsageError.

    Entries that contradict the log on record are no error: the group is then FORKED.
    """
    taken = take_entries(at.log, at.lists, group, entries)
    kinds = [GroupEventKind(each.value) for each in what_happened(taken, at.user_id)]
    events = tuple(GroupEvent(each, group) for each in kinds)
    if taken.forked:
        set_forked(at, group, forked=True)
        return GroupTaken(group, taken.number, events)
    missing, after = missing_lists(taken.steps), taken.after
    if after is None:
        return GroupTaken(group, 0, events, missing)
    for step in taken.steps.taken:
        _note_epoch(at, step)
    if taken.steps.taken:
        _note_stand(at, after)
        _withdraw(at, taken.steps.taken, after)
    findings = Findings()
    outcome, change, strangers = _own_change(at, after, taken.steps.taken, findings)
    found = (tuple(findings.outgoing), tuple(findings.needs), tuple(sorted(strangers)))
    return GroupTaken(group, after.number, events, missing, outcome, change, *found)


def set_forked(at: GroupDesk, group: bytes, *, forked: bool) -> None:
    """Note whether the log of a group was shown in two versions."""
    at.book.save_stand(group, replace(at.require(group), forked=forked))


# --- where the group stands -------------------------------------------------------------------------------


def _note_epoch(at: GroupDesk, step: Step) -> None:
    opening, state = step.entry.terms.opening, step.after
    if not isinstance(opening, GroupOpening):
        return
    before = at.book.epoch(state.log_id, state.epoch - 1)
    if before is not None:
        at.book.save_epoch(state.log_id, state.epoch - 1, replace(before, ended=at.desk.now()))
    epoch = GroupEpochRecord(state.number, state.head, opening.commitment, None)
    at.book.save_epoch(state.log_id, state.epoch, epoch)


def _note_stand(at: GroupDesk, state: LogState) -> None:
    epoch = at.book.epoch(state.log_id, state.epoch)
    opening = b"" if epoch is None else epoch.opening
    may_send = state.has_role(at.user_id, Role.WRITER)
    place = (state.number, state.head, state.epoch, opening, state.phase)
    at.book.save_stand(state.log_id, StandRecord(*place, may_send, forked=False))


def _withdraw(at: GroupDesk, steps: Sequence[Step], after: LogState) -> None:
    """Drop what waits for users who are no members any more. [GRP-32]

    Whoever went lacks the secret of an epoch through which this device's chain goes on. If it comes back, it
    needs the chain again, so it is none of those any more that have it.
    """
    gone: set[bytes] = set()
    for step in steps:
        if step.before is not None:
            gone |= {each.id for each in step.before.members.keys() - step.after.members.keys()}
    if not gone:
        return
    at.deliveries.forget_readers(after.log_id, frozenset(gone))  # GRP-47
    names = (at.name(each.name.id) for each in after.users)
    withdraw(at.desk, after.log_id, {each for each in names if each is not None})
    audience = at.book.audience(after.log_id).devices
    if gone & audience.keys():
        left = {user_id: ids for user_id, ids in audience.items() if user_id not in gone}
        at.book.save_audience(after.log_id, AudienceRecord(left))


# --- our own change ---------------------------------------------------------------------------------------


def _own_change(
    at: GroupDesk, state: LogState, steps: Sequence[Step], findings: Findings
) -> tuple[ChangeOutcome | None, GroupChange | None, frozenset[bytes]]:
    """Return what becomes of the change that is under way, if these entries decide it. [DOC-79]"""
    taken = {each.entry.terms.number: each for each in steps}
    for _, number, record in at.book.changes(state.log_id):
        if number == WAITING:
            return *_again(at, record, state), frozenset[bytes]()
        if number in taken:
            at.book.delete_change(state.log_id, number)
            step = taken[number]
            if LogEntry.decode(record.change.entry).hash != step.entry.hash:
                return *_again(at, record, state), frozenset[bytes]()
            return ChangeOutcome.ACCEPTED, None, _accepted(at, step, record.secret, state, findings)
    return None, None, frozenset()


def _accepted(
    at: GroupDesk, step: Step, secret: EpochSecret | None, state: LogState, findings: Findings
) -> frozenset[bytes]:
    """Send the secret that our entry leads to, and return who is owed it. [GRP-30] [GRP-31]"""
    group, epoch = state.log_id, step.after.epoch
    if secret is not None:
        keep_secret(at, group, epoch, secret)
    if epoch != state.epoch or at.user_id not in {each.name.id for each in state.users}:
        return frozenset()  # others began an epoch since: its secret is theirs to give
    if secret is not None:
        receivers = {each.name.id for each in state.users}
    else:
        added = (each.name.id for each in step.entry.terms.changes if isinstance(each, Member))
        receivers = {each for each in added if state.role_of(each) is not None}
    owed = give_secret(at, group, epoch, sorted(receivers), findings)
    record = at.book.epoch(group, epoch)
    if owed and record is not None:
        at.book.save_epoch(group, epoch, replace(record, owed=record.owed | owed))
    return owed


def keep_secret(at: GroupDesk, group: bytes, epoch: int, secret: EpochSecret) -> None:
    """Keep the secret of an epoch on record, which was compared with the log. One that is there stays.

    Whoever gave it to this device gave it to the others of this user that were listed then.
    """
    record = at.book.epoch(group, epoch)
    if record is not None and record.secret is None:
        at.book.save_epoch(group, epoch, replace(record, secret=secret, given=at.devices(at.user_id)))


def _again(
    at: GroupDesk, record: GroupChangeRecord, state: LogState
) -> tuple[ChangeOutcome, GroupChange | None]:
    """Make a change of what remains of a wish, or keep the wish until the secret of the epoch is here."""
    at.book.delete_change(state.log_id, WAITING)
    wish = record.change.wish
    rest = rest_of(wish, state, at.user_id)
    if rest.is_met:
        return ChangeOutcome.MET, None
    if rest.refused is not None:
        return ChangeOutcome.REFUSED, None
    try:
        return ChangeOutcome.MADE_AGAIN, make_change(at, wish, state)
    except GroupKeyMissing:
        at.book.save_change(state.log_id, WAITING, GroupChangeRecord(ChangeRecord(wish, b""), None))
        return ChangeOutcome.WAITING, None
    except UsageError:  # another rule forbids it now
        return ChangeOutcome.REFUSED, None


def may_send_now(stand: StandRecord) -> bool:
    """Return whether this user may send, as far as the log says."""
    return stand.may_send and stand.phase in WRITABLE and not stand.forked
