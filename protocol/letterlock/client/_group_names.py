"""GroupNames: how the members of a group learn under which names they are known at the relay.

    up to 64 members    whoever changes the group tells each member, on that member's own shelf
    more                whoever begins an epoch, or adds members, puts ONE list on the group's shelf, sealed
                        in its epoch, and whoever needs a name reads it                             [GRP-49]

The log names users by their ids alone, and letters go to names. A name counts once the relay has shown device
lists of the user id under it, so whoever lies about names costs others a question.                 [GRP-50]

Needed are the names of all members by whoever writes or begins an epoch, those of writers whose keys have to
be asked for, and those of users who signed entries. Who only reads asks for nobody else.

Every method runs inside a transaction of the store, which the caller began. Not here: the relay
(_convener.py), parcels for shelves of users (_parcels_out.py).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.collection_member import Member
from letterlock._wire.group_text import GroupText
from letterlock._wire.log_entry import Action, LogEntry
from letterlock._wire.relay_shelf import ShelfName, parcel_hash
from letterlock.client._document_queue import DocumentQueue
from letterlock.client._group_rows import MAX_NAMED_PARCELS, NamedRecord
from letterlock.client._group_tables import GroupTables
from letterlock.client._queue import Queue
from letterlock.client._shelf_rows import ParcelRecord, ShelvedParcel
from letterlock.client._table import MICROSECONDS
from letterlock.groups import Group, Groups
from letterlock.groups._groups import group_desk_behind
from letterlock.groups._names import open_names, seal_names
from letterlock.limits import HOUR

TOLD_APART: Final = 64
"""Members up to which each is told the names of the others on its own shelf."""
_ADDING: Final = frozenset({Action.CREATE, Action.ADD})
_LISTING: Final = _ADDING | {Action.REMOVE, Action.RENEW}
_MOST_SIGNERS: Final = 63
"""Users who signed entries of a log, and whose names a newcomer is told on its own shelf."""
_MOST_GUESSES: Final = 4
"""Names that are tried for one user each time a list is read: a member may have put lies there."""
_PAUSE: Final = 5
"""Seconds until a list is read again that did not have all names. It doubles each time, up to an hour."""
_DOUBLINGS: Final = 10
_PATIENCE: Final = 60
"""Seconds for which a text is held before its writer's name is asked for: a letter may bring it."""
_MAX_SIGNERS: Final = 1000
"""Unknown users who signed entries, of which this process knows."""
_MAX_NEEDS: Final = 4096
"""Fetches that are under way, beyond which no names are tried."""


class GroupNames(Uncopyable):
    """The names in the groups of one client."""

    __slots__ = (
        "_documents",
        "_groups",
        "_guesses",
        "_has_told",
        "_looked_up",
        "_places",
        "_queue",
        "_read",
        "_rows",
        "_signers",
        "_writers",
    )

    def __init__(self, queue: Queue, documents: DocumentQueue, groups: Groups, rows: GroupTables) -> None:
        self._queue = queue
        self._documents = documents
        self._groups = groups
        self._rows = rows
        self._signers: set[bytes] = set()
        self._read: dict[bytes, tuple[int, int, int]] = {}
        self._guesses: Counter[bytes] = Counter()
        self._places: dict[bytes, int] = {}
        self._looked_up: dict[bytes, tuple[tuple[bytes, int], set[bytes]]] = {}
        self._writers: set[bytes] = set()
        self._has_told = False
        documents.parcels_in.awaited = self._awaited

    # --- telling ------------------------------------------------------------------------------------------

    def tell(self, group: bytes, entry: LogEntry) -> None:
        """Tell the names that this user's own entry makes necessary: once it is in the log."""
        own, terms, shown = self._queue.user.user_id, entry.terms, self._groups.get(group)
        if entry.author != own or terms.epoch != shown.epoch or terms.action not in _LISTING:
            return
        new = {each.name.id for each in terms.changes if isinstance(each, Member)}
        if len(shown.members) > TOLD_APART:
            self._tell_signers(group, new)
            self._list(shown, new)
        elif terms.action in _ADDING:
            self._tell_apart(shown, new)
        elif terms.action is Action.REMOVE and len(shown.members) + len(terms.changes) > TOLD_APART:
            self._tell_apart(shown, {each.user_id for each in shown.members})

    def _tell_apart(self, group: Group, new: set[bytes]) -> None:
        """Tell newcomers the names of the others, and the others those of the newcomers."""
        known = {each: name for each, name in _known(group).items() if each != self._queue.user.user_id}
        newcomers = {user_id: name for user_id, name in known.items() if user_id in new}
        for user_id in known:
            others = known if user_id in new else newcomers
            self._introduce(user_id, others)
        self._tell_signers(group.id, new)

    def _tell_signers(self, group: bytes, new: set[bytes]) -> None:
        """Tell newcomers who signed the log: they have no secret yet, and cannot read it without."""
        authors = {LogEntry.decode(each).author for each in self._groups.log(group)}
        contacts = {each.user_id: each.name for each in self._queue.user.contacts()}
        signers = {each: contacts[each] for each in sorted(authors & contacts.keys())[:_MOST_SIGNERS]}
        for user_id in sorted(new & contacts.keys()) if signers else ():
            self._introduce(user_id, signers)

    def _introduce(self, user_id: bytes, names: Mapping[bytes, str]) -> None:
        others = {each: name for each, name in names.items() if each != user_id}
        self._documents.parcels_out.introduce(user_id, others)

    def _list(self, group: Group, new: set[bytes]) -> None:
        """Put names on the group's shelf: all of them, if this device has not done so in this epoch."""
        record = self._rows.named.load(group.id)
        if record is not None and record.epoch == group.epoch:
            self._put(group, record, new)
            return
        if record is not None:
            self._take_back(record, group.id)
        self._put(group, NamedRecord(group.epoch), {each.user_id for each in group.members})

    def _put(self, group: Group, record: NamedRecord, told: set[bytes]) -> None:
        known = _known(group)
        names = {each: known[each] for each in told & known.keys()}
        parcels = seal_names(group_desk_behind(self._groups), group.id, names)
        if parcels is None:
            names, parcels = {}, []
        shelf, tables = ShelfName.of_collection(group.id), self._queue.tables
        for each in parcels:
            self._documents.rows.parcels.save(parcel_hash(each), ParcelRecord(shelf, each), tables.order())
            self._has_told = True
        lacking = ({*record.lacking, *told} & {each.user_id for each in group.members}) - names.keys()
        hashes = (*record.parcels, *map(parcel_hash, parcels))[:MAX_NAMED_PARCELS]
        self._rows.named.save(group.id, NamedRecord(record.epoch, tuple(sorted(lacking)), hashes), 0)

    def _take_back(self, record: NamedRecord, group: bytes) -> None:
        """Have the list of an earlier epoch taken from the shelf: another one says it all."""
        rows, shelf = self._documents.rows, ShelfName.of_collection(group)
        for each in record.parcels:
            rows.parcels.delete(each)
            rows.shelved.save(each, ShelvedParcel(shelf, ()), self._queue.tables.order())

    def tell_again(self, group: bytes) -> None:
        """Have the names told once more at the next upkeep: the relay has lost its database."""
        record = self._rows.named.load(group)
        if record is not None:
            everybody = tuple(each.user_id for each in self._groups.get(group).members)
            self._rows.named.save(group, replace(record, lacking=everybody), 0)

    def upkeep(self) -> None:
        """Tell names that became known since, and forget what was told in epochs that are deleted.

        Of writers who became known, keys are asked for at once.
        """
        desk = group_desk_behind(self._groups)
        met = self._writers & {each.user_id for each in self._queue.user.contacts()}
        if met:
            desk.wants.hurry(met, self._queue.tables.clock())
            self._writers -= met
        for group, record in self._rows.named.due():
            if desk.book.epoch(group, record.epoch) is None:
                self._take_back(record, group)
                self._rows.named.delete(group)
            elif record.lacking:
                shown = self._groups.get(group)
                found = set(record.lacking) & _known(shown).keys()
                if found and shown.epoch == record.epoch:
                    self._put(shown, record, found)

    def pop_told(self) -> bool:
        """Return whether parcels wait that the librarian does not know of, once."""
        told, self._has_told = self._has_told, False
        return told

    # --- asking -------------------------------------------------------------------------------------------

    def need_signer(self, user_id: bytes) -> None:
        """Note that the device lists of a user who signed an entry are needed."""
        introduced = self._documents.parcels_in.introduced.names()
        if user_id in introduced:
            self._documents.parcels_in.want(introduced[user_id])
        if len(self._signers) < _MAX_SIGNERS:
            self._signers.add(user_id)

    def _awaited(self) -> frozenset[bytes]:
        """Return the ids of users whose names would be of use: members of groups, and who signed entries."""
        strangers = (each for group in self._groups.all() for each in self._strangers(group))
        return frozenset(strangers) | self._signers

    def _strangers(self, group: Group) -> set[bytes]:
        own = self._queue.user.user_id
        return {each.user_id for each in group.members if each.name is None and each.user_id != own}

    def _strangers_now(self, group: bytes, head: bytes) -> set[bytes]:
        """Return the same for a group whose newest entry has this hash; looked up when lists were learned."""
        place = head, group_desk_behind(self._groups).desk.book.lists_stamp()
        known = self._looked_up.get(group)
        if known is None or known[0] != place:
            known = self._looked_up[group] = place, self._strangers(self._groups.get(group))
        return known[1]

    def meet(self, group: bytes) -> None:
        """Have the lists of members fetched who were introduced before their group was known."""
        introduced = self._documents.parcels_in.introduced.names()
        for user_id in sorted(self._strangers(self._groups.get(group)) & introduced.keys()):
            self._documents.parcels_in.want(introduced[user_id])

    def due(self) -> list[bytes]:
        """Return the groups whose lists are to be read now, because names are needed. [GRP-50]"""
        now = self._queue.tables.clock()
        return [group for group, until in self._pending().items() if until <= now]

    def next_due(self) -> int | None:
        """Return in how many seconds a list is to be read, or None if no name is needed."""
        until = min(self._pending().values(), default=None)
        return None if until is None else max(until - self._queue.tables.clock(), 0)

    def _pending(self) -> dict[bytes, int]:
        """Return the groups in which names are needed, and when their lists are to be read."""
        found = {group: number for group, (number, _) in self._sought().items()}
        read = {group: self._read.get(group, (0, 0, 0)) for group in found}
        self._read = {group: each for group, each in read.items() if each[0]}
        return {group: until if number == found[group] else 0 for group, (number, until, _) in read.items()}

    def begin(self, group: bytes) -> int:
        """Note that a list is read now. Return the number on the shelf after which it is read."""
        number = self._groups.number(group)
        known, _, tries = self._read.get(group, (0, 0, 0))
        tries = tries + 1 if known == number else 0
        pause = min(_PAUSE * 2 ** min(tries, _DOUBLINGS), HOUR)
        self._read[group] = number, self._queue.tables.clock() + pause, tries
        self._guesses = Counter()
        return self._places.pop(group, 0)

    def go_on_after(self, group: bytes, number: int) -> None:
        """Have a list read on from a number next time: there is more on the shelf than is read at once."""
        self._places[group] = number

    def take(self, group: bytes, parcels: Iterable[bytes]) -> None:
        """Have the lists of names fetched that are needed and stand in parcels from the group's shelf."""
        needed = self._sought().get(group, (0, set[bytes]()))[1]
        if not needed:
            return
        desk, needs = group_desk_behind(self._groups), self._queue.needs
        taken = {each.name for each in self._queue.user.contacts()} | {self._queue.user.name}
        for data in parcels:
            for user_id, name in open_names(desk, group, data):
                # A name that is a contact is that of somebody else.
                may_try = user_id in needed and name not in taken and self._guesses[user_id] < _MOST_GUESSES
                if may_try and self._queue.tables.needs.count() < _MAX_NEEDS:
                    taken.add(name)
                    self._guesses[user_id] += not needs.has_lists(name)
                    needs.lists(name)

    def _sought(self) -> dict[bytes, tuple[int, set[bytes]]]:
        """Return the members whose names are needed, and the number of the newest entry, by groups."""
        desk, found = group_desk_behind(self._groups), dict[bytes, tuple[int, set[bytes]]]()
        writing = {post.group for _, post in self._rows.posts.due()}
        writers: dict[bytes, set[bytes]] = {}
        long_held = (self._queue.tables.clock() - _PATIENCE) * MICROSECONDS
        for _, held in self._rows.held.due(long_held):
            writers.setdefault(held.group, set()).add(GroupText.decode(held.stored.text).place.sender.user_id)
        for group in self._rows.groups():
            stand = desk.book.stand(group)
            epoch = None if stand is None else desk.book.epoch(group, stand.epoch)
            if stand is None or epoch is None or stand.forked:
                continue
            some = writers.get(group, set()) | epoch.owed
            if group in writing or some:
                strangers = self._strangers_now(group, stand.head)
                needed = strangers if group in writing else strangers & some
                if needed:
                    found[group] = stand.number, needed
                    self._writers |= needed & writers.get(group, set())
        return found

    def __repr__(self) -> str:
        return "<GroupNames>"


def _known(group: Group) -> dict[bytes, str]:
    """Return the names of the members that are known."""
    return {each.user_id: each.name for each in group.members if each.name is not None}
