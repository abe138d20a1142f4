"""LogReader: the logs of collections, or of groups, at the relay: read, restored, and gone on with.

    read        entries after those on record, until there are no more
    read_newest the newest entry on record once more, for somebody seems to have another one
    restore     entries on record, for a relay that has lost them
    offer       a change of this user, made anew as often as others are faster                    [DOC-79]

Not here: what entries mean, and when to ask (_librarian.py, _convener.py).
"""

from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_log import LogAnswer, LogAppendAnswer, LogAppendRequest, LogRequest
from letterlock.client._errors import RelayMisbehaves, RelayRefused
from letterlock.client._events import RelayEventKind
from letterlock.client._office import Office
from letterlock.documents import ChangeOutcome, InvalidEntry
from letterlock.errors import PeerError, TrustError, UsageError

_ROUNDS: Final = 50
"""How often a change is made anew at once because others were faster."""


class Change(Protocol):
    """A change that is under way: an entry that follows the one before its number."""

    @property
    def number(self) -> int:
        """The number of the entry."""
        ...

    @property
    def entry(self) -> bytes:
        """The entry."""
        ...


C = TypeVar("C", bound=Change)
C_co = TypeVar("C_co", bound=Change, covariant=True)


class Taken(Protocol[C_co]):
    """What became of entries."""

    @property
    def number(self) -> int:
        """The number of the newest entry on record."""
        ...

    @property
    def missing(self) -> object | None:
        """Device lists that have to come first, or None."""
        ...

    @property
    def outcome(self) -> ChangeOutcome | None:
        """What became of a change that was under way, or None."""
        ...

    @property
    def change(self) -> C_co | None:
        """The change, made again."""
        ...


class LogDesk(Protocol[C]):
    """The logs of one kind on record. Each method is a transaction."""

    def number(self, log: bytes, /) -> int:
        """Return the number of the newest entry on record, 0 if there is none."""
        ...

    def take_log(self, log: bytes, entries: Sequence[bytes], /) -> Taken[C]:
        """Take entries. Raises TrustError for a log in two versions; InvalidEntry, PeerError, UsageError."""
        ...

    def rest_of_log(self, log: bytes, after: int, /) -> tuple[bytes, ...]:
        """Return the entries on record after a number."""
        ...

    def accepted(self, change: C, /) -> object:
        """Note that the relay took a change."""
        ...


class LogReader(Generic[C]):
    """The logs of one kind of one client."""

    __slots__ = ("_desk", "_noted", "_office")

    def __init__(self, office: Office, desk: LogDesk[C], noted: Callable[[Taken[C] | None], None]) -> None:
        """`noted` is told what became of entries, and None when the relay took a change."""
        self._office = office
        self._desk = desk
        self._noted = noted

    async def read(self, log: bytes) -> bool:
        """Read a log; return whether the relay has all of it. Raises what calls raise."""
        after = await self._office.run(self._desk.number, log)
        while True:
            try:
                answer = await self._office.call(LogRequest(log, after), LogAnswer)
            except RelayRefused as refused:
                if refused.code is not RelayCode.UNKNOWN:
                    raise
                await self.restore(log, 0)
                return False
            if answer.newest < after:
                await self.restore(log, answer.newest)
                return False
            taken = await self.take(log, answer.entries)
            if taken is None and after:
                await self._compare(log, after)
                return True
            number = after if taken is None else taken.number
            if number >= answer.newest or number <= after:  # all of it, or lists have to come first
                return True
            after = number

    async def read_newest(self, log: bytes) -> None:
        """Read the newest entry on record again: if it was shown in two versions, that is evidence. [GRP-48]

        Raises what calls raise.
        """
        number = await self._office.run(self._desk.number, log)
        if not number:
            return
        try:
            answer = await self._office.call(LogRequest(log, number - 1), LogAnswer)
        except RelayRefused as refused:
            if refused.code is not RelayCode.UNKNOWN:
                raise
            return
        if answer.entries:
            await self.take(log, answer.entries)

    async def _compare(self, log: bytes, until: int) -> None:
        """Read a log from its first entry on, after entries that do not follow ours.

        If it was shown in two versions, the first entry that is another one than ours is found, and with it
        evidence. Raises what calls raise.
        """
        after = 0
        while after < until:
            answer = await self._office.call(LogRequest(log, after), LogAnswer)
            if not answer.entries or await self.take(log, answer.entries) is None:
                return
            after += len(answer.entries)

    async def take(self, log: bytes, entries: Sequence[bytes]) -> Taken[C] | None:
        """Take entries; return None for those that were wrong."""
        office = self._office
        try:
            taken = await office.run(self._desk.take_log, log, entries)
        except TrustError:  # the log is forked: evidence is kept
            return None
        except (InvalidEntry, PeerError, UsageError):
            office.tell(RelayEventKind.MISBEHAVES)
            return None
        self._noted(taken)
        office.wake_all()
        return taken

    async def restore(self, log: bytes, after: int) -> None:
        """Give a relay that has lost entries those that this user signed; others give theirs."""
        for entry in await self._office.run(self._desk.rest_of_log, log, after):
            try:
                answer = await self._office.call(LogAppendRequest(entry), LogAppendAnswer)
            except RelayRefused:
                return
            if not answer.is_taken:
                return
            self._noted(None)

    async def offer(self, log: bytes, change: C) -> ChangeOutcome:
        """Have a change taken into its log, made anew as often as others are faster.                [DOC-79]

        Returns ACCEPTED, MET, REFUSED or WAITING. Raises what calls raise, and TrustError for a log in two
        versions.
        """
        is_restored = False
        for _ in range(_ROUNDS):
            answer = await self._office.call(LogAppendRequest(change.entry), LogAppendAnswer)
            if answer.is_taken:
                await self._office.run(self._desk.accepted, change)
                self._noted(None)
                return ChangeOutcome.ACCEPTED
            if answer.newest < change.number - 1 and not is_restored:
                await self.restore(log, answer.newest)
                is_restored = True
                continue
            taken = await self.take(log, answer.entries)
            if taken is None:
                raise RelayMisbehaves("answers with a log that is wrong")
            if taken.missing is not None:
                return ChangeOutcome.WAITING
            if taken.outcome is None:
                raise RelayMisbehaves("takes no entry, and shows none that stands in its way")
            if taken.outcome is not ChangeOutcome.MADE_AGAIN or taken.change is None:
                return taken.outcome
            change = taken.change
        raise RelayMisbehaves("lets others be faster each time")
