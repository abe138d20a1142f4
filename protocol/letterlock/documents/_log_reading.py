"""Taking entries that a server showed: the log goes on, or it contradicts the one on record.

    known entries     the same as ours: nothing; others: evidence of a fork, and the log is frozen  [DOC-80]
    new entries       verified and saved as far as they hold

It is the same for collections and groups. Every function runs inside the caller's transaction.

Not here: the rules (_log_rules.py, _log.py); what becomes of a change that is under way (_log_taking.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from letterlock._records.collection import LogState
from letterlock._wire.collection_fork import ForkEntries
from letterlock._wire.log_entry import LogEntry
from letterlock.documents._collection_errors import InvalidEntry
from letterlock.documents._log import Steps, read_log
from letterlock.documents._log_book import LogBook
from letterlock.documents._log_rules import follow
from letterlock.documents._signing import KnownLists
from letterlock.errors import UsageError


@dataclass(frozen=True, slots=True)
class LogTaken:
    """What entries came to: the states before and after them, None where there is no entry, and the steps.

    `forked` says that they contradict the log on record: evidence is kept, and nothing else happened.
    """

    before: LogState | None
    after: LogState | None
    steps: Steps
    forked: bool = False

    @property
    def number(self) -> int:
        """The number of the newest entry on record, 0 for none."""
        return 0 if self.after is None else self.after.number


def take_entries(book: LogBook, lists: KnownLists, log_id: bytes, entries: Sequence[LogEntry]) -> LogTaken:
    """Take consecutive entries of one log. Raises InvalidEntry, InvalidSignature, InvalidKey, UsageError.

    Raises the error of `book` for a log that forked before. Entries that contradict it now are no error.
    """
    if any(each.terms.kind is not book.kind or each.log_id != log_id for each in entries):
        raise InvalidEntry("an entry is of another log: discard it")  # GRP-9
    state = book.state(log_id)
    if state is not None:
        book.require_sound(log_id)
    number = 0 if state is None else state.number
    start = entries[0].terms.number if entries else number + 1
    if start > number + 1:
        raise UsageError(f"entries from {start} on were given: ask for those after number {number}")
    if any(each.terms.number != start + place for place, each in enumerate(entries)):
        raise InvalidEntry("entries do not follow each other: discard them")  # DOC-116
    known = entries[: number + 1 - start]
    fork = _first_other(book, known)
    if state is not None and fork is not None:
        return _forked(book, lists, state, entries[fork:])
    steps = read_log(lists, state, entries[len(known) :])
    book.save_steps(steps.taken)
    return LogTaken(state, steps.taken[-1].after if steps.taken else state, steps)


def _first_other(book: LogBook, known: Sequence[LogEntry]) -> int | None:
    """Return the place of the first entry that is another one than ours of that number, or None."""
    for place, entry in enumerate(known):
        number = entry.terms.number
        (ours,) = book.entries(entry.log_id, number - 1, number)
        if ours.hash != entry.hash:
            return place
    return None


def _forked(book: LogBook, lists: KnownLists, state: LogState, theirs: Sequence[LogEntry]) -> LogTaken:
    """Keep evidence of a fork, and freeze the log. [DOC-80]

    Raises InvalidEntry or InvalidSignature if the other entries do not hold: then nothing happens.
    """
    number = theirs[0].terms.number
    ours = tuple(book.entries(state.log_id, 0, state.number))
    shared, rest = ours[: number - 1], ours[number - 1 :]
    before: LogState | None = None
    for entry in shared:
        before = follow(before, entry)
    steps = read_log(lists, before, theirs, vouch=False)
    if not steps.taken:
        return LogTaken(state, state, Steps((), steps.missing))
    evidence = ForkEntries(shared, rest, tuple(each.entry for each in steps.taken))
    book.save_fork(state, evidence.encode())
    return LogTaken(state, state, Steps(()), forked=True)
