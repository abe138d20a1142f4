"""What a device has seen of a second lock at each server: a row for each, and what is new in an answer.

view    [1, when it answered, when it was asked, answer / null, whether its silence was told]

Not here: asking (_second_lock_watch.py).
"""

from collections.abc import Iterable
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._records.entry import MAX_TIME, decode_entry, encode_entry, read_bool
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_limits import SERVERS, SMALL_RECOVERY_BODY
from letterlock._wire.second_lock_calls import Deposit, SecondLockShown, WaitShown
from letterlock.client._rows import Notice
from letterlock.client._second_lock_values import SecondLockNews, SecondLockNewsKind, SecondLockWait
from letterlock.client._table import Table
from letterlock.stores import EntryKind, Record, Store

_KINDS: Final = {each.value: each for each in SecondLockNewsKind}


@dataclass(frozen=True, slots=True)
class SecondLockView:
    """What one server showed last. `answered` and `asked` are times of this machine's clock, 0 for never."""

    answered: int = 0
    asked: int = 0
    shown: SecondLockShown | None = None
    is_silence_told: bool = False


class SecondLockViews:
    """The views of one client."""

    __slots__ = ("_table",)

    def __init__(self, store: Store) -> None:
        self._table: Table[SecondLockView] = Table(
            store, EntryKind.SECOND_LOCK_VIEW, encode_view, decode_view
        )

    def load(self, server: int) -> SecondLockView | None:
        """Return what server 1 or 2 showed last, or None."""
        return self._table.load(bytes((server,)))

    def save(self, server: int, view: SecondLockView) -> None:
        """Replace what a server showed."""
        self._table.save(bytes((server,)), view, None)

    def deposits(self) -> tuple[Deposit, ...]:
        """Return the deposits that either server showed last, each of them once."""
        shown = [
            view.shown for view in map(self.load, SERVERS) if view is not None and view.shown is not None
        ]
        return tuple(dict.fromkeys(deposit for each in shown for deposit in each.deposits))

    def news(self, notice: Notice, now: int) -> SecondLockNews | None:
        """Return the news of a notice, with who waits now; None if it is of something else."""
        kind, server = _KINDS.get(notice.kind), notice.device
        if kind is None or server is None:
            return None
        view = self.load(server)
        shown = None if view is None else view.shown
        waits = None if shown is None else shown.wait
        wait = None if view is None or waits is None else wait_of(waits, view.answered, now)
        return SecondLockNews(kind, server, wait)


def notice_of(kind: SecondLockNewsKind, server: int, name: str) -> Notice:
    """Return what is saved of news from a server about the user of this name."""
    return Notice(kind.value, name, server)


def wait_of(shown: WaitShown, at: int, now: int) -> SecondLockWait:
    """Return what an application is told of a wait that was shown at some time."""
    until = at + shown.left if shown.told else None
    left = shown.left if until is None else min(max(until - now, 0), shown.left)
    return SecondLockWait(shown.asked, shown.told, left, until)


def changes(before: SecondLockShown | None, after: SecondLockShown) -> Iterable[SecondLockNewsKind]:
    """Yield what is new in an answer. Whatever a device sees first counts as new if somebody waits."""
    old, new = None if before is None else before.wait, after.wait
    if before is not None and bool(before.deposits) != bool(after.deposits):
        yield SecondLockNewsKind.TURNED_ON if after.deposits else SecondLockNewsKind.TURNED_OFF
    if after.quiet > (0 if before is None else before.quiet):  # what is left of a week gets only less
        yield SecondLockNewsKind.STOPPED
    elif old is not None and new is None:
        yield SecondLockNewsKind.ENDED
    if new is None:
        return
    is_same = old is not None and old.id == new.id
    if not is_same:
        yield SecondLockNewsKind.ASKED
    if _is_open(new) and not (is_same and _is_open(old)):
        yield SecondLockNewsKind.OPEN


def _is_open(wait: WaitShown | None) -> bool:
    return wait is not None and wait.told and not wait.left


# --- codecs -----------------------------------------------------------------------------------------------


def encode_view(view: SecondLockView) -> Record:
    """Return the record of a view."""
    shown = None if view.shown is None else view.shown.encode()
    return encode_entry(view.answered, view.asked, shown, int(view.is_silence_told))


def decode_view(record: Record) -> SecondLockView:
    """Read what `encode_view` gives. Raises CorruptStore."""
    return decode_entry(record, 4, "a record of a second lock that was seen", _view)


def _view(fields: Fields) -> SecondLockView:
    answered, asked = fields.uint("time of the answer", MAX_TIME), fields.uint("time", MAX_TIME)
    encoded = fields.optional_blob_between("answer", 1, SMALL_RECOVERY_BODY)
    shown = None if encoded is None else SecondLockShown.decode(encoded)
    return SecondLockView(answered, asked, shown, read_bool(fields, "told"))
