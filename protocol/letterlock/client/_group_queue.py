"""GroupQueue: a user's groups, and what of them is on its way, in one store.

    changed, take_log, process, upkeep    a call of `Groups`, and what it returned, saved in ONE transaction
    take_texts, judge_held                texts from the relay: arrived, held, or done
    receipts                              what tells others that their texts were read

Every method runs inside a transaction of the store, which the caller began.

Not here: what the application sends (_group_outbox.py), the relay (_convener.py), the rules (groups/).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.address import Address
from letterlock._wire.collection_member import Member
from letterlock._wire.content import ContentKind
from letterlock._wire.group_text import GroupText, SenderName
from letterlock._wire.log_entry import Action, LogEntry
from letterlock._wire.relay_group import StoredText
from letterlock.client._document_queue import DocumentQueue
from letterlock.client._group_names import GroupNames
from letterlock.client._group_outbox import GroupOutbox, GroupResult, take_letters
from letterlock.client._group_rows import HeldText
from letterlock.client._group_tables import GroupTables, held_key
from letterlock.client._queue import Queue
from letterlock.client._rows import Arrived, FromGroup, Notice, notice_of
from letterlock.client._table import MICROSECONDS
from letterlock.errors import PeerError
from letterlock.groups import (
    ChangeOutcome,
    GroupChange,
    GroupEntryMissing,
    GroupEvent,
    GroupEventKind,
    GroupIncoming,
    GroupProcessed,
    Groups,
    GroupTaken,
)
from letterlock.limits import KEPT_LIFETIME, MESSAGE_ID_BYTES
from letterlock.user import EventKind, Need, NeedKind, Outcome
from letterlock.user._user import desk_behind

_ADDING: Final = frozenset({Action.CREATE, Action.ADD})
MAX_HELD_TEXTS: Final = 1000
"""Texts that cannot be judged yet. Beyond them, the next one is given up and reported."""
_STRANGERS: Final = 5
"""Seconds for which a text waits for members who are not known, each time."""
_MAX_SUSPECTED: Final = 1000
"""Reports of other logs in one process. A member can make up any number of texts that lead to one."""
MAX_HELD_OF_MEMBER: Final = 100
"""The same for one member of one group, so that whoever withholds keys leaves room for everybody else."""


class GroupQueue(Uncopyable):
    """The groups of one client."""

    __slots__ = (
        "_joins",
        "_queue",
        "_renew_at",
        "_suspected",
        "_suspects",
        "groups",
        "names",
        "outbox",
        "rows",
    )

    def __init__(self, queue: Queue, documents: DocumentQueue) -> None:
        self._queue = queue
        self._joins: dict[bytes, int] = {}
        self._renew_at: int | None = None
        self._suspects: set[bytes] = set()
        self._suspected: set[tuple[GroupEvent, int]] = set()
        self.groups = Groups(queue.user)
        self.rows = GroupTables(desk_behind(queue.user).book.store)
        self.outbox = GroupOutbox(queue, self.groups, self.rows)
        self.names = GroupNames(queue, documents, self.groups, self.rows)

    def _take(self, result: GroupResult, events: Iterable[GroupEvent] = ()) -> None:
        """Save letters on their way, needs and events."""
        take_letters(self._queue, result)
        for event in events:
            self._tell(event)

    def _tell(self, event: GroupEvent) -> None:
        """Report an event. That somebody seems to have another log is told once for each state of ours."""
        if event.kind is GroupEventKind.OTHER_LOG:
            self._suspects.add(event.group)
            found = event, self.number(event.group)
            if found in self._suspected or len(self._suspected) >= _MAX_SUSPECTED:
                return
            self._suspected.add(found)
        self._queue.tell(notice_of(event))

    def pop_suspects(self) -> set[bytes]:
        """Return the groups of which somebody seems to have another log, and forget them. [GRP-48]"""
        found, self._suspects = self._suspects, set()
        return found

    # --- the log ------------------------------------------------------------------------------------------

    def changed(self, make: Callable[[], GroupChange]) -> GroupChange:
        """Make a change, and have its group read from now on."""
        change = make()
        self.rows.read(change.group)
        return change

    def known(self) -> list[bytes]:
        """Return the ids of the groups whose logs and texts are asked for."""
        return self.rows.groups()

    def on_record(self) -> list[bytes]:
        """Return the ids of the groups whose logs are on record."""
        return [each for each in self.rows.groups() if self.number(each)]

    def number(self, group: bytes) -> int:
        """Return the number of the newest entry of a log on record, 0 if there is none."""
        return self.groups.number(group)

    def take_log(self, group: bytes, entries: Sequence[bytes]) -> GroupTaken:
        """Take entries of a log. Raises as `Groups.take` does."""
        self._joins.pop(group, None)
        taken = self.groups.take(group, entries)
        self._take(taken, taken.events)
        if taken.number:
            self.rows.read(group)
            self.names.meet(group)
        for each in entries if taken.outcome is ChangeOutcome.ACCEPTED else ():
            self.names.tell(group, LogEntry.decode(each))
        if taken.missing is not None and not self._learn([taken.missing.user_id]):
            self.names.need_signer(taken.missing.user_id)
        self._learn(taken.strangers)
        return taken

    def _learn(self, user_ids: Iterable[bytes]) -> bool:
        """Have the newer lists of users fetched who are contacts; return whether there are some."""
        wanted = frozenset(user_ids)
        contacts = [each for each in self._queue.user.contacts() if each.user_id in wanted] if wanted else []
        for each in contacts:
            self._queue.needs.add(Need(NeedKind.LISTS, each.name, after=each.version))
        return bool(contacts)

    def accepted(self, change: GroupChange) -> GroupTaken:
        """Note that the relay took a change. Raises as `Groups.take` does."""
        return self.take_log(change.group, (change.entry,))

    def pending(self) -> tuple[GroupChange, ...]:
        """Return changes that are not in a log yet."""
        return self.groups.pending()

    def process(self) -> GroupProcessed:
        """Take letters about groups that arrived, and answer those that ask."""
        done = self.groups.process()
        self._take(done, done.events)
        return done

    def upkeep(self) -> tuple[GroupChange, ...]:
        """Do what time asks for; return changes to offer."""
        kept = (self._queue.tables.clock() - KEPT_LIFETIME) * MICROSECONDS
        for _, held in self.rows.held.due(kept):
            self._given_up(held.group, held.stored.text)
        self.rows.held.delete_due(kept)
        self.rows.sent.delete_due(kept)
        self.names.upkeep()
        done = self.groups.upkeep()
        self._take(done)
        self._learn(done.strangers)
        self._renew_at = done.later
        return done.changes

    def is_upkeep_due(self) -> bool:
        """Return whether this device is to begin an epoch by now that nobody else has begun. [GRP-51]"""
        return self._renew_at is not None and self._renew_at <= self._queue.tables.clock()

    def receipts(self) -> bool:
        """Tell others that their texts were read, where that is due; return whether it was."""
        made = self.groups.receipts()
        self._take(made)
        return bool(made.outgoing or made.needs)

    def name_history(self, group: bytes, member: str, document: bytes) -> None:
        """Tell a member which document is its history. Raises UsageError, GroupForked."""
        self._take(self.groups.histories.letter(group, member, document))

    def next_due(self) -> int | None:
        """Return in how many seconds there is something to do without news, or None."""
        receipt = self.groups.next_receipt()
        now = self._queue.tables.clock()
        times = [max(each - now, 0) for each in (receipt, self._renew_at) if each is not None]
        waits = (*times, self.outbox.next_due(), self.names.next_due())
        return min((each for each in waits if each is not None), default=None)

    def rest_of_log(self, group: bytes, after: int) -> tuple[bytes, ...]:
        """Return the entries on record that a relay lacks which has lost them."""
        return self.groups.log(group, after) if self.number(group) > after else ()

    def forget(self, group: bytes) -> None:
        """Delete a group, and no longer read it. Raises UsageError."""
        if self.number(group) or group not in self.rows.groups():
            self.groups.forget(group)
        self.rows.forget(group)

    # --- names --------------------------------------------------------------------------------------------

    def strangers_among(self, names: Iterable[str]) -> list[str]:
        """Return the names whose device lists are not on record."""
        queue, own = self._queue, self._queue.user.name
        return [each for each in dict.fromkeys(names) if each != own and not queue.known_version(each)]

    # --- texts from the relay -----------------------------------------------------------------------------

    def take_texts(self, group: bytes, texts: Iterable[StoredText]) -> set[int]:
        """Take what a relay showed of a group; return numbers of entries that have to come first. [CLN-23]"""
        number, lacking = self.rows.place(group), set[int]()
        for each in texts:
            if each.number > number:
                number = each.number
                incoming = self._open(group, each)
                if incoming is not None and incoming.outcome is Outcome.HELD:
                    self._hold(group, each)
                    lacking |= _entries(incoming)
        self.rows.save_place(group, number)
        return lacking

    def begin_again(self, group: bytes, newest: int) -> bool:
        """Read a group from the beginning if the relay has given out fewer numbers: it lost its database."""
        if newest >= self.rows.place(group):
            return False
        self.rows.save_place(group, 0)
        self.names.tell_again(group)
        return newest > 0

    def _open(self, group: bytes, stored: StoredText) -> GroupIncoming | None:
        """Open a text; None for one of this device, or from before this user was a member."""
        user = self._queue.user
        try:
            place = GroupText.decode(stored.text).place
        except PeerError:  # nothing that is a text, or one of a later version
            return None
        if place.sender == SenderName(user.user_id, user.address.device_id):
            return None
        if place.entry < self._joined(group):
            return None  # GRP-3: there is no key for it
        incoming = self.groups.decrypt(group, stored.text)
        self._arrive(incoming, stored)
        return incoming

    def _joined(self, group: bytes) -> int:
        """Return the number of the first entry that made this user a member, 0 if that is not known."""
        known = self._joins.get(group)
        if known is None:
            own, known = self._queue.user.user_id, 0
            entries = self.groups.log(group) if self.number(group) else ()
            for each in map(LogEntry.decode, entries):
                changes = (change for change in each.terms.changes if isinstance(change, Member))
                if each.terms.action in _ADDING and own in {change.name.id for change in changes}:
                    known = each.terms.number
                    break
            self._joins[group] = known
        return known

    def _arrive(self, incoming: GroupIncoming, stored: StoredText) -> None:
        for event in incoming.events:
            self._tell(event)
        if incoming.outcome is not Outcome.READ or incoming.text is None:
            return
        device = incoming.device
        name = self._queue.user.name if incoming.user_id == self._queue.user.user_id else incoming.name
        sender = None if name is None else Address(name, device)
        group = FromGroup(incoming.group, incoming.user_id, device, incoming.late)
        id_ = sha256(stored.text).digest()[:MESSAGE_ID_BYTES]
        tables = self._queue.tables
        arrived = Arrived(sender, int(ContentKind.TEXT), id_, stored.time, incoming.text, group=group)
        tables.append(tables.arrived, arrived)

    def _hold(self, group: bytes, stored: StoredText) -> None:
        held = self.rows.held
        count = held.count()
        of_one = self._held_of(group)[_sender(stored.text)] if count >= MAX_HELD_OF_MEMBER else 0
        if count >= MAX_HELD_TEXTS or of_one >= MAX_HELD_OF_MEMBER:
            self._given_up(group, stored.text)
        else:
            held.save(held_key(group, stored.number), HeldText(group, stored), self._queue.tables.order())

    def _held_of(self, group: bytes) -> Counter[bytes]:
        return Counter(_sender(each.stored.text) for _, each in self.rows.held.due() if each.group == group)

    def _given_up(self, group: bytes, text: bytes) -> None:
        self._queue.tell(Notice(EventKind.GIVEN_UP.value, None, None, (group, _sender(text))))

    def judge_held(self, groups: Iterable[bytes] | None = None) -> set[bytes]:
        """Try what is held of some groups, or of all; return the groups of which a log has to come first."""
        wanted, lacking = None if groups is None else frozenset(groups), set[bytes]()
        for key, held in self.rows.held.due():
            if wanted is None or held.group in wanted:
                incoming = self._open(held.group, held.stored)
                if incoming is None or incoming.outcome is not Outcome.HELD:
                    self.rows.held.delete(key)
                elif _entries(incoming):
                    lacking.add(held.group)
        return lacking


def _entries(incoming: GroupIncoming) -> set[int]:
    """Return the number of the entry that has to come before a text, if one has to."""
    return {incoming.entry} if isinstance(incoming.error, GroupEntryMissing) else set()


def _sender(text: bytes) -> bytes:
    return GroupText.decode(text).place.sender.user_id
