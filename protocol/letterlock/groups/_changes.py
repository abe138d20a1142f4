"""Making entries of groups' logs: a wish becomes an entry, and the secret of the epoch that it begins.

    1. the terms, and what the rules make of them, before anything is signed           [DOC-61] to [DOC-70]
    2. for an opening: a new secret, a commitment to it, the name under it                          [GRP-5]
    3. a signature

The entry is not in the log yet: a server has to take it. Until then wish and secret are kept, and nobody is
told of the secret.                                                                               [GRP-30]

Not here: what remains of a wish (documents/_wishes.py); taking entries (_log_taking.py).
"""

from collections.abc import Sequence

from letterlock._groups._epoch import commitment, name_key
from letterlock._primitives.secret import KEY_BYTES
from letterlock._records.collection import LogState
from letterlock._records.collection_change import Asked, ChangeRecord, Wish
from letterlock._records.group import GroupChangeRecord
from letterlock._wire.collection_member import Member, MemberName, Renewed, Role, RoleChange
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.log_entry import Action, Change, EntryTerms, LogEntry, entry_leaf
from letterlock._wire.log_opening import GroupOpening, LogKind, SealedName
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._collection_errors import InvalidEntry
from letterlock.documents._leaves import sign_leaves
from letterlock.documents._log_rules import OPENS, TABLES, follow
from letterlock.documents._sealed_name import open_under_key, seal_under_key
from letterlock.documents._signing import signer_of
from letterlock.documents._wishes import rest_of
from letterlock.errors import UsageError
from letterlock.groups._desk import GroupDesk
from letterlock.groups._errors import GroupEpochDue, GroupKeyMissing
from letterlock.groups._values import GroupChange
from letterlock.user import ContactFrozen


def make_change(at: GroupDesk, wish: Wish, state: LogState | None, *, history: bool = False) -> GroupChange:
    """Make and keep a change. Raises GroupEpochDue, GroupKeyMissing; UsageError for one that is not allowed.

    `history` is for a new group; others keep what they have.
    """
    asked = wish.asked
    if state is not None:
        rest = rest_of(wish, state, at.user_id)
        if _is_allowed(state, Action.RENEW) and not _is_allowed(state, wish.action):
            raise GroupEpochDue  # GRP-13
        if rest.is_met or rest.refused is not None:
            raise UsageError(f"nothing to change: {rest.refused or 'it is so already'}")
        asked = rest.asked
        history = isinstance(state.opening, GroupOpening) and state.opening.history
    secret = EpochSecret(at.desk.environment.entropy(KEY_BYTES)) if wish.action in OPENS else None
    epoch = 1 if state is None else state.epoch + (secret is not None)
    changes = _changes(at, wish, asked, state)
    terms = EntryTerms(
        1 if state is None else state.number + 1,
        None if state is None else state.log_id,
        None if state is None else state.head,
        at.desk.now(),
        wish.action,
        changes,
        epoch,
        None if secret is None else _opening(at, wish, state, secret, changes, history=history),
        LogKind.GROUP,
    )
    _require_allowed(at, state, terms)
    entry = _signed(at, terms)
    change = GroupChangeRecord(ChangeRecord(wish, entry.encode()), secret)
    at.book.save_change(entry.log_id, entry.terms.number, change)
    return shown(entry)


def _is_allowed(state: LogState, action: Action) -> bool:
    return (state.phase, action) in TABLES[LogKind.GROUP]


def shown(entry: LogEntry) -> GroupChange:
    """Return a change as an application sees it."""
    return GroupChange(entry.log_id, entry.terms.number, entry.terms.before, entry.encode())


def _signed(at: GroupDesk, terms: EntryTerms) -> LogEntry:
    encoded = terms.encode()
    places, signed_by = sign_leaves(at.desk, [entry_leaf(LogKind.GROUP, encoded)])
    return LogEntry.of(encoded, places[0], signed_by)


def _require_allowed(at: GroupDesk, state: LogState | None, terms: EntryTerms) -> None:
    """Raise UsageError unless the rules allow these terms: before anything is signed."""
    unsigned = SignedBy(signer_of(at.desk), b"", b"")
    try:
        follow(state, LogEntry.of(terms.encode(), Place(0, 1, ()), unsigned))
    except InvalidEntry as error:
        raise UsageError(f"the rules of the log forbid this change ({error})") from None


def _changes(at: GroupDesk, wish: Wish, asked: Sequence[Asked], state: LogState | None) -> tuple[Change, ...]:
    ordered = sorted(asked, key=lambda each: each.name.id)
    match wish.action:
        case Action.CREATE | Action.ADD:
            if state is not None:
                secret_of(at, state)  # whoever adds hands it to the newcomers  GRP-31
            return tuple(_member(at, each) for each in ordered)
        case Action.REMOVE:
            return tuple(each.name for each in ordered)
        case Action.ROLE:
            return tuple(RoleChange(each.name, each.role or Role.READER) for each in ordered)
        case Action.RENAME if state is not None:
            key = name_key(secret_of(at, state))
            return (seal_under_key(key, state.epoch, wish.name or "", at.desk.environment.entropy),)
        case _:
            return ()


def secret_of(at: GroupDesk, state: LogState) -> EpochSecret:
    """Return the secret of the newest epoch. Raises GroupKeyMissing."""
    record = at.book.epoch(state.log_id, state.epoch)
    if record is None or record.secret is None:
        raise GroupKeyMissing
    return record.secret


def name_of(at: GroupDesk, state: LogState) -> str | None:
    """Return the name of a group, or None if it does not open."""
    record = at.book.epoch(state.log_id, state.epoch)
    if record is None or record.secret is None:
        return None
    return open_under_key(name_key(record.secret), state.epoch, state.name)


def _last_name(at: GroupDesk, state: LogState) -> str | None:
    """Return the newest name of a group that opens, of an earlier epoch if need be, or None. [GRP-12]

    Whoever began the epoch may have sent its secret to nobody, so that others go on without its name.
    """
    name = name_of(at, state)
    if name is not None:
        return name
    group, end = state.log_id, state.number
    for epoch in range(state.epoch, 0, -1):
        record = at.book.epoch(group, epoch)
        if record is None:
            return None
        if record.secret is not None:
            sealed = [_sealed_name(each) for each in at.log.entries(group, record.number - 1, end)]
            newest = next(each for each in reversed(sealed) if each is not None)  # its opening has one
            name = open_under_key(name_key(record.secret), epoch, newest)
            if name is not None:
                return name
        end = record.number - 1
    return None


def _sealed_name(entry: LogEntry) -> bytes | None:
    """Return the name that an entry gives a group, or None."""
    opening = entry.terms.opening
    if isinstance(opening, GroupOpening):
        return opening.name.sealed
    return next((each.sealed for each in entry.terms.changes if isinstance(each, SealedName)), None)


def generation(at: GroupDesk, user_id: bytes) -> int | None:
    """Return the generation of a user's document key on record, 1 without one; None for a stranger."""
    try:
        snapshot = at.snapshot(user_id)
    except ContactFrozen:
        return None
    if snapshot is None:
        return None
    return 1 if snapshot.document_key is None else snapshot.document_key.generation


def _member(at: GroupDesk, asked: Asked) -> Member:
    found = generation(at, asked.name.id)
    if found is None:
        raise UsageError("the device lists of a new member are missing, or in conflict: learn them first")
    return Member(asked.name, asked.role or Role.READER, 0, found)


def _opening(
    at: GroupDesk,
    wish: Wish,
    state: LogState | None,
    secret: EpochSecret,
    changes: Sequence[Change],
    *,
    history: bool,
) -> GroupOpening:
    """Return the opening of an epoch: the commitment, the name, and generations."""
    epoch = 1 if state is None else state.epoch + 1
    name = wish.name if state is None else _last_name(at, state)
    sealed = seal_under_key(name_key(secret), epoch, name or "", at.desk.environment.entropy)
    renewed = () if state is None else _renewed(at, state, changes)
    return GroupOpening(commitment(secret, epoch), sealed, renewed, history)


def _renewed(at: GroupDesk, state: LogState, changes: Sequence[Change]) -> tuple[Renewed, ...]:
    """Return the members that stay and whose generation on record grew: a device of theirs was revoked."""
    gone = {each for each in changes if isinstance(each, MemberName)}
    found: list[Renewed] = []
    for name, member in state.members.items():
        grown = None if name in gone else generation(at, name.id)
        if grown is not None and grown > member.generation:
            found.append(Renewed(name, grown))
    return tuple(sorted(found, key=lambda each: each.name.id))
