"""Making entries of logs: a wish becomes an entry, the keys of an epoch, and the grants that go with it.

    1. the terms, and what the rules make of them, before anything is sealed            [DOC-61] to [DOC-70]
    2. for an opening: new keys, the link to the epoch before, the name under the new key           [DOC-73]
    3. a grant for each member that is to have keys, this user's own last
    4. one signature over entry and grants                                                          [DOC-71]

The entry is not in the log yet: a server has to take it. Until then the wish is kept, so that another entry
can be made of it if somebody was faster. [DOC-79]

Not here: what remains of a wish (_wishes.py); taking entries (_log_taking.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from letterlock._records.collection import LogState
from letterlock._records.collection_change import Asked, ChangeRecord, Wish
from letterlock._records.grant import GrantRecord
from letterlock._wire.collection_member import Member, MemberName, Renewed, Role, RoleChange
from letterlock._wire.grant import Grant, grant_hash
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.log_entry import Action, EntryTerms, LogEntry, entry_leaf
from letterlock._wire.log_entry import Change as EntryChange
from letterlock._wire.log_opening import CollectionOpening, LogKind, SealedName
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._collection_desk import CollectionDesk
from letterlock.documents._collection_errors import InvalidEntry, NoEpochKey
from letterlock.documents._epoch_keys import (
    EpochKeys,
    commitment,
    history_commitment,
    open_name,
    seal_link,
    seal_name,
)
from letterlock.documents._granting import Conditions, Unsigned, unsigned_grants
from letterlock.documents._leaves import sign_leaves
from letterlock.documents._log_rules import OPENS, follow
from letterlock.documents._signing import signer_of
from letterlock.documents._targets import Target
from letterlock.documents._wishes import rest_of
from letterlock.errors import UsageError


@dataclass(frozen=True, slots=True)
class CollectionChange:
    """An entry that this device made, for a server to take by compare-and-swap.

    The server takes `entry` if the log ends with number `number` - 1 and hash `before`; both are 0 and None
    for a new collection. Then deliver `grants`, and call `Collections.delivered`. If it answers with newer
    entries, give them to `Collections.take`, which makes another change if one is still needed. `owed` are
    the ids of members whose keys could not be sealed: learn their device lists, and upkeep gives them theirs.
    """

    collection: bytes
    number: int
    before: bytes | None = field(repr=False)
    entry: bytes = field(repr=False)
    grants: tuple[bytes, ...] = field(repr=False)
    owed: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class _Draft:
    """Terms that follow the rules, the state after them, and who is given keys."""

    terms: EntryTerms
    after: LogState
    receivers: tuple[Member, ...]


def make_change(
    at: CollectionDesk, wish: Wish, state: LogState | None, *, force: bool = False
) -> CollectionChange:
    """Make and keep a change. Raises UsageError if it is not allowed or not needed, NoEpochKey.

    `force` begins an epoch without the keys of the one before.
    """
    if state is not None and wish.action in OPENS and not force:
        # Otherwise members who come later could never read what was sealed in this epoch.
        at.keyring.keys(state.log_id, state.epoch, history=True)
    draft, keys = _draft(at, wish, state)
    unsigned, owed = _unsigned(at, draft, keys)
    encoded = draft.terms.encode()
    places, signed_by = sign_leaves(
        at.desk, [*(each.leaf for each in unsigned), entry_leaf(LogKind.COLLECTION, encoded)]
    )
    grants = [each.signed(place, signed_by) for each, place in zip(unsigned, places[:-1], strict=True)]
    entry = LogEntry.of(encoded, places[-1], signed_by)
    own = [each for each in grants if at.grants.is_mine(each)]
    at.grants.add([GrantRecord(each, checked=True) for each in own], ours=True)
    record = ChangeRecord(wish, entry.encode(), tuple(sorted(owed, key=_order)))
    at.book.save_change(entry.log_id, entry.terms.number, record)
    return shown(entry, record, grants)


def shown(entry: LogEntry, record: ChangeRecord, grants: Iterable[Grant]) -> CollectionChange:
    """Return a change as an application sees it."""
    wire = tuple(each.encode() for each in grants)
    owed = tuple(each.id for each in record.owed)
    return CollectionChange(entry.log_id, entry.terms.number, entry.terms.before, record.entry, wire, owed)


def grants_of(
    at: CollectionDesk, collection: bytes, members: Sequence[Member], keys: EpochKeys
) -> list[Grant]:
    """Return grants of an epoch's keys to members, with one signature, for whom it can be done."""
    unsigned, _ = _granted(at, collection, members, keys)
    if not unsigned:
        return []
    places, signed_by = sign_leaves(at.desk, [each.leaf for each in unsigned])
    return [each.signed(place, signed_by) for each, place in zip(unsigned, places, strict=True)]


# --- terms ------------------------------------------------------------------------------------------------


def _draft(at: CollectionDesk, wish: Wish, state: LogState | None) -> tuple[_Draft, EpochKeys | None]:
    """Return terms that the rules allow, and the keys of the epoch that they begin. Raises UsageError."""
    asked = wish.asked
    if state is not None:
        rest = rest_of(wish, state, at.user_id)
        if rest.is_met or rest.refused is not None:
            raise UsageError(f"nothing to change: {rest.refused or 'it is so already'}")
        asked = rest.asked
    opens = wish.action in OPENS
    epoch = 1 if state is None else state.epoch + opens
    keys = EpochKeys.generate(epoch, at.desk.environment.entropy) if opens else None
    changes = _changes(at, wish, asked, state, epoch)
    terms = EntryTerms(
        1 if state is None else state.number + 1,
        None if state is None else state.log_id,
        None if state is None else state.head,
        at.desk.now(),
        wish.action,
        changes,
        epoch,
        None if keys is None else _opening(at, wish, state, keys, changes),
    )
    after = _allowed(at, state, terms)
    return _Draft(terms, after, _receivers(terms, after)), keys


def _allowed(at: CollectionDesk, state: LogState | None, terms: EntryTerms) -> LogState:
    """Return the state after terms, before anything is sealed or signed. Raises UsageError."""
    unsigned = SignedBy(signer_of(at.desk), b"", b"")
    try:
        return follow(state, LogEntry.of(terms.encode(), Place(0, 1, ()), unsigned))
    except InvalidEntry as error:
        raise UsageError(f"the rules of the log forbid this change ({error})") from None


def _changes(
    at: CollectionDesk, wish: Wish, asked: Sequence[Asked], state: LogState | None, epoch: int
) -> tuple[EntryChange, ...]:
    ordered = sorted(asked, key=lambda each: _order(each.name))
    match wish.action:
        case Action.CREATE | Action.ADD:
            return tuple(_member(at, each, epoch) for each in ordered)
        case Action.REMOVE:
            return tuple(each.name for each in ordered)
        case Action.ROLE:
            return tuple(RoleChange(each.name, each.role or Role.READER) for each in ordered)
        case Action.RENAME if state is not None:
            keys = at.keyring.keys(state.log_id, state.epoch)
            return (seal_name(keys, wish.name or "", at.desk.environment.entropy),)
        case _:
            return ()


def _member(at: CollectionDesk, asked: Asked, epoch: int) -> Member:
    generation = at.generation(asked.name)
    if generation is None or at.target(asked.name) is None:
        raise UsageError("a new member has no key on record: learn its lists, or take its log and grants")
    return Member(asked.name, asked.role or Role.READER, 0 if asked.history else epoch, generation)


def _opening(
    at: CollectionDesk,
    wish: Wish,
    state: LogState | None,
    keys: EpochKeys,
    changes: Sequence[EntryChange],
) -> CollectionOpening:
    """Return the opening of an epoch: commitments, link, name and generations. [DOC-69]"""
    if keys.history is None:
        raise NoEpochKey
    committed = commitment(keys.epoch, keys.key), history_commitment(keys.epoch, keys.history)
    entropy = at.desk.environment.entropy
    if state is None:
        return CollectionOpening(*committed, None, seal_name(keys, wish.name or "", entropy))
    before = at.keyring.newest_before(state.log_id, keys.epoch)
    current = at.keyring.find(state.log_id, state.epoch)
    name = None if current is None else open_name(current, state.name)
    link = None if before is None else seal_link(keys, before)
    sealed: SealedName = seal_name(keys, name or "", entropy)
    return CollectionOpening(*committed, link, sealed, _renewed(at, state, changes))


def _renewed(at: CollectionDesk, state: LogState, changes: Sequence[EntryChange]) -> tuple[Renewed, ...]:
    """Return the members that stay and whose generation on record grew, if they can be given keys."""
    gone = {each for each in changes if isinstance(each, MemberName)}
    found: list[Renewed] = []
    for name, member in state.members.items():
        generation = None if name in gone else at.generation(name)
        if generation is not None and generation > member.generation and at.target(name) is not None:
            found.append(Renewed(name, generation))
    return tuple(sorted(found, key=lambda each: _order(each.name)))


def _receivers(terms: EntryTerms, after: LogState) -> tuple[Member, ...]:
    """Return the members that are given keys with an entry."""
    if terms.opening is not None:
        return tuple(after.members.values())
    return tuple(each for each in terms.changes if isinstance(each, Member))


# --- grants -----------------------------------------------------------------------------------------------


def _unsigned(
    at: CollectionDesk, draft: _Draft, keys: EpochKeys | None
) -> tuple[list[Unsigned], set[MemberName]]:
    if not draft.receivers:
        return [], set()
    state = draft.after
    if keys is None:
        history = any(each.since == 0 for each in draft.receivers)
        keys = at.keyring.keys(state.log_id, state.epoch, history=history)
    collection = state.log_id
    return _granted(at, collection, draft.receivers, keys)


def _granted(
    at: CollectionDesk, collection: bytes, members: Sequence[Member], keys: EpochKeys
) -> tuple[list[Unsigned], set[MemberName]]:
    """Return unsigned grants, this user's own last, and who cannot be given keys yet."""
    subject = Subject(SubjectKind.COLLECTION, collection, keys.epoch, commitment(keys.epoch, keys.key))
    own = MemberName.user(at.user_id)
    before, owed, made = at.grants.last_made(subject), set[MemberName](), list[Unsigned]()
    for history in (False, True):
        # An opener reads all epochs, so its own grant is among the second ones.
        chosen = [each for each in members if (each.since == 0) is history]
        chosen.sort(key=lambda each: each.name == own)
        found = [(each, at.target(each.name)) for each in chosen]
        owed |= {each.name for each, target in found if target is None}
        targets: list[Target] = [target for _, target in found if target is not None]
        text = keys.text(history=history)
        some = unsigned_grants(at.desk, subject, text, [(each, Conditions()) for each in targets], before)
        before = grant_hash(some[-1].leaf) if some else before
        made += some
    return made, owed


def _order(name: MemberName) -> tuple[int, bytes]:
    return int(name.kind), name.id
