"""Notices of a second lock, from what happened until each is on its way: functions of records.

    happened    what a change of a record is to be told
    queued      notices that wait, with those
    begun       the next mail: it is counted before anybody sends it                                 [REC-46]
    ended       what became of it; the delay of a wait runs from a mail that was accepted            [REC-42]

Whatever is interrupted between `begun` and `ended` is sent again some minutes later, and was counted.

Not here: mail (identity/); rows, and when they are looked through (_keyserver/).
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from typing import Final, NamedTuple

from letterlock._primitives.dataclass import dataclass
from letterlock._records.second_lock import SecondLockRecord
from letterlock._records.second_lock_notices import NoticesRecord, Waiting
from letterlock._wire.recovery_limits import NOTICES_A_DAY
from letterlock._wire.second_lock_notices import NoticePlace
from letterlock.limits import DAY
from letterlock.recovery._half_steps import told


class SecondLockEvent(Enum):
    """What a user's devices are told."""

    ASKED = "somebody waits for a half of the recovery key"
    GIVEN = "a half of the recovery key was given out"
    STOPPED = "a device of the user ended the wait"


class Outcome(Enum):
    """What became of a mail. `LOST`: it may have been sent, and nobody knows."""

    ACCEPTED = 0
    UNSENT = 1
    LOST = 2


class Happened(NamedTuple):
    """What a user is to be told of a wait."""

    event: SecondLockEvent
    wait_id: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """What is to be sent now, and where. `counted` is when the server counted it."""

    happened: Happened
    place: NoticePlace
    counted: int


_EVENTS: Final = tuple(SecondLockEvent)

_PAUSE: Final = 600
"""Seconds after which a mail is tried again: longer than one try takes."""

_LONGEST_PAUSE: Final = 3600

_TRIES: Final = 200
"""Tries of a notice, for a week and a day. Whoever asks again has it tried again."""


def happened(before: SecondLockRecord, after: SecondLockRecord) -> tuple[Happened, ...]:
    """Return what is to be told. A wait of which nobody was told yet always is. [REC-42]"""
    old, new, found = before.wait, after.wait, list[Happened]()
    if after.place is None:
        return ()
    if new is not None and new.told_at is None:
        found.append(Happened(SecondLockEvent.ASKED, new.id))
    if new is not None and new.given and not (old is not None and old.id == new.id and old.given):
        found.append(Happened(SecondLockEvent.GIVEN, new.id))
    if old is not None and new is None and after.quiet_until != before.quiet_until:
        found.append(Happened(SecondLockEvent.STOPPED, old.id))
    return tuple(found)


def queued(notices: NoticesRecord, news: Iterable[Happened], counted: int) -> NoticesRecord:
    """Return the notices that wait, with news. Of each event the newest is told; one that waits stays."""
    for each in news:
        if any(_of(waiting) == each for waiting in notices.waiting):
            continue
        others = tuple(waiting for waiting in notices.waiting if _of(waiting).event != each.event)
        new = Waiting(_EVENTS.index(each.event), each.wait_id, counted)
        notices = replace(notices, waiting=(*others, new))
    return notices


def begun(notices: NoticesRecord, lock: SecondLockRecord, counted: int) -> tuple[NoticesRecord, Mail | None]:
    """Return the mail that is to be sent now, counted as sent already; None if none is. [REC-46]

    It is tried again after some minutes, unless `ended` says otherwise.
    """
    waiting = tuple(each for each in notices.waiting if _is_current(each, lock))
    sent = tuple(each for each in notices.sent if each > counted - DAY)
    kept = (
        notices
        if (waiting, sent) == (notices.waiting, notices.sent)
        else replace(notices, waiting=waiting, sent=sent)
    )
    due = next((each for each in waiting if each.not_before <= counted), None)
    if due is None or lock.place is None or len(sent) >= NOTICES_A_DAY:
        return kept, None
    pause = min(_PAUSE << min(due.tries, 8), _LONGEST_PAUSE)
    later = replace(due, tries=due.tries + 1, not_before=counted + pause)
    tried = tuple(later if each is due else each for each in waiting)
    return replace(kept, sent=(*sent, counted), waiting=tried), Mail(_of(due), lock.place, counted)


def ended(
    notices: NoticesRecord, lock: SecondLockRecord, mail: Mail, outcome: Outcome, counted: int
) -> tuple[NoticesRecord, SecondLockRecord]:
    """Return both records after a mail. Once it was accepted, the delay of its wait runs. [REC-42]"""
    if outcome is Outcome.UNSENT:
        at = notices.sent.index(mail.counted) if mail.counted in notices.sent else len(notices.sent)
        notices = replace(notices, sent=notices.sent[:at] + notices.sent[at + 1 :])
    if outcome is not Outcome.ACCEPTED:
        return replace(notices, waiting=tuple(each for each in notices.waiting if each.tries < _TRIES)), lock
    left = tuple(each for each in notices.waiting if _of(each) != mail.happened)
    wait = lock.wait
    if mail.happened.event is SecondLockEvent.ASKED and wait is not None and wait.id == mail.happened.wait_id:
        lock, _ = told(lock, wait, counted)
    return replace(notices, waiting=left), lock


def _is_current(waiting: Waiting, lock: SecondLockRecord) -> bool:
    """Return whether a notice is still to be told: of a wait that another one replaced, it is not."""
    if lock.place is None:
        return False
    if _EVENTS[waiting.event] is not SecondLockEvent.ASKED:
        return True
    return lock.wait is not None and lock.wait.id == waiting.wait_id and lock.wait.told_at is None


def _of(waiting: Waiting) -> Happened:
    return Happened(_EVENTS[waiting.event], waiting.wait_id)
