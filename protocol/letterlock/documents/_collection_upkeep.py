"""What is due for collections: epochs, void members, owed keys, and changes whose grants were not delivered.

    given again     keys of an epoch, for a relay that lost them
    owed keys       of members whose device lists were missing when an epoch began
    epochs          where one is due and this user is an admin; writers renew before they seal       [DOC-76]
    void members    closed collections, and those that close a circle                               [DOC-78]
    sweep           documents whose newest version is granted to an older epoch

Every function runs inside the caller's transaction. Not here: making entries (_changes.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from letterlock._records.collection import CollectionPhase, LogState
from letterlock._records.collection_change import Asked, EpochRecord, Wish
from letterlock._records.grant import decode_grant
from letterlock._wire.collection_member import Member, MemberName, Role
from letterlock._wire.grant import Grant
from letterlock._wire.grant_recipient import CollectionRecipient
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.log_entry import Action, LogEntry
from letterlock._wire.signed_by import Signer
from letterlock.documents._changes import CollectionChange, grants_of, make_change, shown
from letterlock.documents._collection_book import of_collection
from letterlock.documents._collection_desk import CollectionDesk
from letterlock.documents._collection_errors import NoEpochKey
from letterlock.documents._collection_values import CollectionUpkeep
from letterlock.documents._dues import DueReason, void_members
from letterlock.documents._epoch_keys import EpochKeys
from letterlock.errors import UsageError
from letterlock.stores import EntryKind

_SWEPT: Final = frozenset({SubjectKind.DOCUMENT, SubjectKind.SECTION})


def upkeep(at: CollectionDesk) -> CollectionUpkeep:
    """Do what is due for every collection on record."""
    changes: list[CollectionChange] = []
    grants: list[Grant] = []
    waiting: list[bytes] = []
    for collection, state in sorted(at.book.states().items()):
        if state.forked or MemberName.user(at.user_id) not in state.members:
            continue
        grants += _owed(at, state)
        due = frozenset[DueReason]() if state.phase is CollectionPhase.CLOSED else at.due(state)
        change = _renewed(at, state, due) if due else None
        if change is not None:
            changes.append(change)
        elif due:
            waiting.append(collection)
    return CollectionUpkeep(tuple(changes), tuple(each.encode() for each in grants), tuple(waiting))


def regrant(at: CollectionDesk, state: LogState, names: Sequence[MemberName]) -> tuple[bytes, ...]:
    """Return grants of the current epoch for members. Raises UsageError, NoEpochKey."""
    if not state.has_role(at.user_id, Role.WRITER):
        raise UsageError("only a writer gives members their keys: ask one")
    members = [state.members[each] for each in names if each in state.members]
    if len(members) != len(names) or any(at.target(each.name) is None for each in members):
        raise UsageError("one of these is no member, or its device lists are missing: learn them first")
    history = any(each.since == 0 for each in members)
    keys = at.keyring.keys(state.log_id, state.epoch, history=history)
    return tuple(each.encode() for each in grants_of(at, state.log_id, members, keys))


def given_again(at: CollectionDesk, state: LogState, is_ours: Callable[[Signer], bool]) -> list[Grant]:
    """Return grants of the current epoch, made again for the members to whom our entries gave its keys."""
    members: dict[MemberName, Member] = {}
    for number in range(state.number, 0, -1):
        (entry,) = at.book.entries(state.log_id, number - 1, number)
        if entry.terms.epoch < state.epoch:
            break
        if is_ours(entry.signed_by.signer):
            names = (each.name for each in _receivers(at, entry))
            members |= {each: state.members[each] for each in names if each in state.members}
    is_member = MemberName.user(at.user_id) in state.members
    keys = at.keyring.find(state.log_id, state.epoch, history=True) if members and is_member else None
    return [] if keys is None else grants_of(at, state.log_id, list(members.values()), keys)


def _owed(at: CollectionDesk, state: LogState) -> list[Grant]:
    """Return grants for members who could not be given the keys of this epoch when it began."""
    record = at.book.epoch(state.log_id, state.epoch)
    if record is None or not record.owed:
        return []
    still = {each for each in record.owed if each in state.members}
    ready = [state.members[each] for each in still if at.target(each) is not None]
    keys = at.keyring.find(state.log_id, state.epoch, history=True)
    if keys is None or not ready:
        return []
    left = still - {each.name for each in ready}
    kept = EpochRecord(record.opening, record.writers, frozenset(left))
    at.book.save_epoch(state.log_id, state.epoch, kept)
    return grants_of(at, state.log_id, ready, keys)


def _renewed(at: CollectionDesk, state: LogState, due: frozenset[DueReason]) -> CollectionChange | None:
    """Return the change that is due, or None if this user cannot make it now."""
    collection = state.log_id
    busy = any(not record.accepted for _, record in at.book.changes(collection))
    if busy or not state.has_role(at.user_id, Role.ADMIN):
        return None
    void = void_members(state, at.book.inside(collection)) if DueReason.VOID in due else ()
    wish = Wish(Action.REMOVE, tuple(map(Asked, void)), None, state.epoch)
    try:
        if void:
            return make_change(at, wish, state)
        if DueReason.INNER in due:  # the collection inside comes first
            return None
        return make_change(at, replace(wish, action=Action.RENEW, asked=()), state)
    except (NoEpochKey, UsageError):
        return None


# --- changes under way ------------------------------------------------------------------------------------


def delivered(at: CollectionDesk, change: CollectionChange) -> None:
    """Forget an accepted change. Raises UsageError if it is not in the log on record."""
    for number, record in at.book.changes(change.collection):
        if number == change.number and record.entry == change.entry:
            if not record.accepted:
                raise UsageError("the change is not in the log yet: give the server's answer to take")
            at.book.delete_change(change.collection, number)


def pending(at: CollectionDesk) -> tuple[CollectionChange, ...]:
    """Return changes under way with their grants, which are made again. Those that wait are left out."""
    found: list[CollectionChange] = []
    for _, record in at.book.changes():
        if record.entry:
            entry = LogEntry.decode(record.entry)
            found.append(shown(entry, record, _made_again(at, entry, record.owed)))
    return tuple(found)


def _made_again(at: CollectionDesk, entry: LogEntry, owed: Sequence[MemberName]) -> list[Grant]:
    members = [each for each in _receivers(at, entry) if each.name not in owed]
    keys = _keys_of(at, entry) if members else None
    return [] if keys is None else grants_of(at, entry.log_id, members, keys)


def _receivers(at: CollectionDesk, entry: LogEntry) -> list[Member]:
    """Return who gets keys with an entry; after an opening, the members on record that the entry leaves."""
    terms, state = entry.terms, at.book.state(entry.log_id)
    if terms.opening is None or state is None:
        return [each for each in terms.changes if isinstance(each, Member)]
    gone = {each for each in terms.changes if isinstance(each, MemberName)}
    return [each for name, each in state.members.items() if name not in gone]


def _keys_of(at: CollectionDesk, entry: LogEntry) -> EpochKeys | None:
    terms = entry.terms
    if terms.opening is None:
        return at.keyring.find(entry.log_id, terms.epoch, history=True)
    record = EpochRecord(of_collection(terms.opening), frozenset())
    return at.keyring.of_opening(entry.log_id, terms.epoch, record)


# --- documents --------------------------------------------------------------------------------------------


def old_documents(at: CollectionDesk, collection: bytes, limit: int) -> tuple[bytes, ...]:
    """Return ids of documents whose newest version, or a section of it, is granted to an older epoch only."""
    state = at.book.require(collection)
    newest: dict[tuple[int, bytes], int] = {}
    epochs: dict[Subject, int] = {}
    for row in at.desk.book.store.tables.entries.all(EntryKind.GRANT):
        record = row.record.decoded(decode_grant)
        subject, recipient = record.grant.terms.subject, record.grant.terms.recipient
        if subject.kind not in _SWEPT or record.withdrawn is not None:
            continue
        if isinstance(recipient, CollectionRecipient) and recipient.id == collection:
            place = (subject.kind, subject.id)
            newest[place] = max(newest.get(place, 0), subject.number)
            epochs[subject] = max(epochs.get(subject, 0), recipient.epoch)
    old = {each for each, epoch in epochs.items() if epoch < state.epoch}
    found = {each.id for each in old if each.number == newest[each.kind, each.id]}
    return tuple(sorted(found)[:limit])
