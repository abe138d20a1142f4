"""The rules of a log, that of a collection or of a group: from entries to members, roles and epoch.

    before     CREATE  ADD     REMOVE  LEAVE   ROLE    RENAME  RENEW   CLOSE
    none       open    -       -       -       -       -       -       -
    open       -       open    open    spent   open    open    open    closed
    spent      -       spent   open    spent   spent   -       open    closed
    closed     -       -       -       -       -       -       -       -
    who may    anyone  admin   admin   reader  admin   admin   writer+ admin

    +          admin from entry 9,000 on, unless the phase is spent                               [DOC-114]

`TRANSITIONS` and `LEAST_ROLE` are this table, and the code looks every entry up in them. [DOC-63] An entry
begins an epoch if its action is among `OPENS`. [DOC-69]

The members of a group are users who read all epochs, its openings have one commitment, and its entries stand
in no collection's log, nor the reverse. [GRP-9] Whoever is added to a group gets the secret of its epoch, and
whoever went before has older keys. One person with both would read what was written in between, so nobody is
added in an epoch with which somebody went. `GROUP_TRANSITIONS` is the table of groups. [GRP-13]

    before     CREATE  ADD     REMOVE  LEAVE   ROLE    RENAME  RENEW   CLOSE
    none       open    -       -       -       -       -       -       -
    open       -       open    parted  spent   open    open    open*   closed
    parted     -       -       parted  spent   parted  parted  open*   closed
    spent      -       -       parted  spent   spent   -       parted  closed
    closed     -       -       -       -       -       -       -       -

    *          parted, if it names members one of whose devices was revoked

All of it is pure and costs no signature check. Not here: signatures (_log.py); keys (_epoch_keys.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias, assert_never, cast

from letterlock._records.collection import CollectionPhase, LogState
from letterlock._wire.collection_limits import MAX_COLLECTION_LOG, MAX_FREE_LOG, MAX_MEMBERS
from letterlock._wire.collection_member import Member, MemberKind, MemberName, Renewed, Role, RoleChange
from letterlock._wire.log_entry import Action, Change, EntryTerms, LogEntry
from letterlock._wire.log_opening import (
    CollectionOpening,
    GroupOpening,
    LogKind,
    Opening,
    SealedName,
)
from letterlock.documents._collection_errors import InvalidEntry

_OPEN, _SPENT, _CLOSED, _PARTED = CollectionPhase

TRANSITIONS: Final[dict[tuple[CollectionPhase | None, Action], CollectionPhase]] = {
    (None, Action.CREATE): _OPEN,
    (_OPEN, Action.ADD): _OPEN,
    (_OPEN, Action.REMOVE): _OPEN,
    (_OPEN, Action.LEAVE): _SPENT,
    (_OPEN, Action.ROLE): _OPEN,
    (_OPEN, Action.RENAME): _OPEN,
    (_OPEN, Action.RENEW): _OPEN,
    (_OPEN, Action.CLOSE): _CLOSED,
    (_SPENT, Action.ADD): _SPENT,
    (_SPENT, Action.REMOVE): _OPEN,
    (_SPENT, Action.LEAVE): _SPENT,
    (_SPENT, Action.ROLE): _SPENT,
    (_SPENT, Action.RENEW): _OPEN,
    (_SPENT, Action.CLOSE): _CLOSED,
}
"""The phase that follows a phase and an action. Where there is none, the entry is refused."""

GROUP_TRANSITIONS: Final[dict[tuple[CollectionPhase | None, Action], CollectionPhase]] = {
    (None, Action.CREATE): _OPEN,
    (_OPEN, Action.ADD): _OPEN,
    (_OPEN, Action.REMOVE): _PARTED,
    (_OPEN, Action.LEAVE): _SPENT,
    (_OPEN, Action.ROLE): _OPEN,
    (_OPEN, Action.RENAME): _OPEN,
    (_OPEN, Action.RENEW): _OPEN,
    (_OPEN, Action.CLOSE): _CLOSED,
    (_PARTED, Action.REMOVE): _PARTED,
    (_PARTED, Action.LEAVE): _SPENT,
    (_PARTED, Action.ROLE): _PARTED,
    (_PARTED, Action.RENAME): _PARTED,
    (_PARTED, Action.RENEW): _OPEN,
    (_PARTED, Action.CLOSE): _CLOSED,
    (_SPENT, Action.REMOVE): _PARTED,
    (_SPENT, Action.LEAVE): _SPENT,
    (_SPENT, Action.ROLE): _SPENT,
    (_SPENT, Action.RENEW): _PARTED,
    (_SPENT, Action.CLOSE): _CLOSED,
}
"""The same for groups. [GRP-13]"""

TABLES: Final = {LogKind.COLLECTION: TRANSITIONS, LogKind.GROUP: GROUP_TRANSITIONS}

LEAST_ROLE: Final = {
    Action.CREATE: Role.ADMIN,
    Action.ADD: Role.ADMIN,
    Action.REMOVE: Role.ADMIN,
    Action.LEAVE: Role.READER,
    Action.ROLE: Role.ADMIN,
    Action.RENAME: Role.ADMIN,
    Action.RENEW: Role.WRITER,
    Action.CLOSE: Role.ADMIN,
}
"""The least role of the user whose device signs; for CREATE, its role in the entry itself. See least_role."""

OPENS: Final = frozenset({Action.CREATE, Action.REMOVE, Action.RENEW})
"""The actions that begin an epoch."""

Members: TypeAlias = dict[MemberName, Member]


def least_role(action: Action, number: int, before: CollectionPhase | None) -> Role:
    """Return the least role that an author needs for an entry of this number in a phase. [DOC-63] [DOC-114]

    A writer could use a log up by beginning epochs, and then nobody could be removed any more. Where somebody
    left, a writer may: who leaves is out, so that ends.
    """
    if action is Action.RENEW and number > MAX_FREE_LOG and before is not _SPENT:
        return Role.ADMIN
    return LEAST_ROLE[action]


def follow(state: LogState | None, entry: LogEntry) -> LogState:
    """Return the state after an entry, or after entry 1 if there is none before. Raises InvalidEntry."""
    terms, author = entry.terms, entry.author
    _check_kind(state, terms)
    _check_place(state, terms)
    phase = _phase(state, terms)
    _check_order(terms)
    members = _CHANGES[terms.action](_before(state), terms, author)
    _check_author(state, members, terms, author)
    _check_members(terms.kind, members)
    opening = _check_opening(state, members, terms)
    members |= {
        each.name: replace(members[each.name], generation=each.generation)
        for each in (() if terms.opening is None else terms.opening.renewed)
    }
    return LogState(
        entry.log_id,
        terms.number,
        entry.hash,
        phase,
        terms.epoch,
        opening,
        _name(state, terms),
        members,
        _writers(state, members, terms),
        _nested(state, members, entry.hash),
        _seen(state, entry),
    )


def _phase(state: LogState | None, terms: EntryTerms) -> CollectionPhase:
    """Return the phase after an entry. Raises InvalidEntry. [DOC-63] [GRP-13]"""
    phase = TABLES[terms.kind].get((None if state is None else state.phase, terms.action))
    if phase is None:
        raise InvalidEntry("the log is in a phase that does not allow this action: discard the entry")
    is_shut_out = isinstance(terms.opening, GroupOpening) and bool(terms.opening.renewed)
    return _PARTED if phase is _OPEN and is_shut_out else phase


# --- place and author -------------------------------------------------------------------------------------


def _check_kind(state: LogState | None, terms: EntryTerms) -> None:
    """Check that a log keeps its kind. [GRP-9]"""
    _require(state is None or terms.kind is state.kind, "the log before is of another kind")


def _check_place(state: LogState | None, terms: EntryTerms) -> None:
    """Check that an entry stands where it says. [DOC-61]"""
    if state is None:
        first = terms.number == 1 and terms.log_id is None and terms.before is None and terms.epoch == 1
        _require(first, "entry 1 has no id of a log and no entry before, and begins epoch 1")
        return
    _require(terms.number == state.number + 1, f"entry {terms.number} does not follow {state.number}")
    _require(terms.number <= MAX_COLLECTION_LOG, f"a log has at most {MAX_COLLECTION_LOG} entries")
    _require(terms.log_id == state.log_id, "it is of another log")
    if terms.before != state.head:
        raise InvalidEntry("an entry follows another one than ours: ask for the log from its first entry on")


def _check_author(state: LogState | None, members: Members, terms: EntryTerms, author: bytes) -> None:
    """Check that the author may do this, judged by the members before. [DOC-63]"""
    judged, action = (members if state is None else state.members), terms.action
    member, before = judged.get(MemberName.user(author)), None if state is None else state.phase
    if member is None or member.role < least_role(action, terms.number, before):
        raise InvalidEntry("its author has no role that allows this action: discard the entry")
    # It must be able to pass on the keys of the epochs before. DOC-69
    _require(action not in OPENS or member.since == 0, "its author reads not all epochs, so it begins none")


def _seen(state: LogState | None, entry: LogEntry) -> dict[bytes, int]:
    """Return the versions of device lists that authors named, which never go back. [DOC-70]"""
    signer = entry.signed_by.signer
    seen = {} if state is None else dict(state.seen)
    _require(signer.list_version >= seen.get(signer.user_id, 0), "its author named a newer list before")
    return seen | {signer.user_id: signer.list_version}


# --- changes ----------------------------------------------------------------------------------------------


def _before(state: LogState | None) -> Members:
    return {} if state is None else dict(state.members)


def _check_order(terms: EntryTerms) -> None:
    """Check that changes are in the order of the members' names, and each member is named once. [DOC-62]"""
    names = [_order(name_of(each)) for each in terms.changes if not _is_name(each)]
    _require(names == sorted(set(names)), "members are not in their order, or named twice")


def name_of(change: Change) -> MemberName:
    """Return the member that a change is about."""
    if isinstance(change, Member | RoleChange):
        return change.name
    return cast("MemberName", change)


def _is_name(change: Change) -> bool:
    return not isinstance(change, Member | RoleChange | MemberName)


def _order(name: MemberName) -> tuple[int, bytes]:
    return int(name.kind), name.id


def _add(members: Members, terms: EntryTerms, author: bytes) -> Members:
    """Add members. None is one already, and none reads epochs that are over, except all of them. [DOC-65]"""
    del author
    _require(bool(terms.changes), "it adds nobody")
    for each in terms.changes:
        member = cast("Member", each)
        _require(member.name not in members, "it adds a member that is one already")
        _require(member.since in {0, terms.epoch}, "a new member reads all epochs, or from this one on")
        members[member.name] = member
    return members


def _remove(members: Members, terms: EntryTerms, author: bytes) -> Members:
    """Remove members. Nobody removes itself, because the author knows the new key. [DOC-66]"""
    _require(bool(terms.changes), "it removes nobody")
    for each in terms.changes:
        name = name_of(each)
        _require(name in members, "it removes somebody who is no member")
        _require(name != MemberName.user(author), "its author removes itself: members leave instead")
        del members[name]
    return members


def _leave(members: Members, terms: EntryTerms, author: bytes) -> Members:
    """Take the author out. [DOC-68]"""
    del terms
    members.pop(MemberName.user(author), None)  # that it was a member is checked with its role
    return members


def _roles(members: Members, terms: EntryTerms, author: bytes) -> Members:
    """Give members other roles. [DOC-67]"""
    del author
    _require(bool(terms.changes), "it changes no role")
    for each in terms.changes:
        change = cast("RoleChange", each)
        _require(change.name in members, "it changes the role of somebody who is no member")
        before = members[change.name]
        _require(before.role is not change.role, "a member gets the role that it has")
        members[change.name] = replace(before, role=change.role)
    return members


def _same(members: Members, terms: EntryTerms, author: bytes) -> Members:
    del author
    expected = 1 if terms.action is Action.RENAME else 0
    _require(len(terms.changes) == expected, "it has changes that its action does not have")
    return members


_CHANGES: Final[dict[Action, Callable[[Members, EntryTerms, bytes], Members]]] = {
    Action.CREATE: _add,
    Action.ADD: _add,
    Action.REMOVE: _remove,
    Action.LEAVE: _leave,
    Action.ROLE: _roles,
    Action.RENAME: _same,
    Action.RENEW: _same,
    Action.CLOSE: _same,
}


def _check_members(kind: LogKind, members: Members) -> None:
    """Check what holds for the members after every entry. [DOC-64] [GRP-10]"""
    _require(len(members) <= MAX_MEMBERS, f"a log has at most {MAX_MEMBERS} members")
    if kind is LogKind.GROUP:
        sound = all(map(_reads_all, members.values()))
        _require(sound, "a member of a group is a user, and is promised no earlier epoch")
    admins = [each for each in members.values() if each.role is Role.ADMIN]
    _require(bool(admins), "no admin is left")
    _require(all(map(_reads_all, admins)), "an admin is a user, and reads all epochs")


def _reads_all(member: Member) -> bool:
    return member.name.kind is MemberKind.USER and member.since == 0


def _nested(state: LogState | None, members: Members, hash_: bytes) -> dict[bytes, bytes]:
    known = dict[bytes, bytes]() if state is None else state.nested
    inside = (name.id for name in members if name.kind is MemberKind.COLLECTION)
    return {each: known.get(each, hash_) for each in inside}


# --- epochs -----------------------------------------------------------------------------------------------


def _check_opening(state: LogState | None, members: Members, terms: EntryTerms) -> Opening:
    """Return the opening of the epoch in which the entry leaves the log. [DOC-69]"""
    opening, opens = terms.opening, terms.action in OPENS
    if (opening is not None) != opens:
        raise InvalidEntry("an entry has an opening exactly if its action begins an epoch: discard it")
    if opening is None:
        if state is None:
            raise InvalidEntry("entry 1 begins no epoch: discard the entry")
        _require(terms.epoch == state.epoch, "it names another epoch than the one on record")
        return state.opening
    _require(state is None or terms.epoch == state.epoch + 1, "it begins another epoch than the next")
    if state is None:
        _require(not opening.renewed, "epoch 1 follows no other")
    else:
        _check_renewed(members, opening.renewed)
    match opening:
        case CollectionOpening():
            _check_keys(state, opening)
        case GroupOpening():
            _check_secret(state, opening)
        case _:
            assert_never(opening)
    return opening


def _check_keys(state: LogState | None, opening: CollectionOpening) -> None:
    """Check what an opening of a collection commits to. [DOC-69]"""
    _require(opening.commitment != opening.history, "both keys of an epoch have one commitment")
    before = None if state is None else state.opening
    if state is None or not isinstance(before, CollectionOpening):
        _require(opening.link is None, "epoch 1 follows no other")
        return
    used = {before.commitment, before.history}
    _require(not used & {opening.commitment, opening.history}, "a key of the epoch before is used again")
    _require(opening.link is None or opening.link.epoch <= state.epoch, "a link leads to no earlier epoch")


def _check_secret(state: LogState | None, opening: GroupOpening) -> None:
    """Check what an opening of a group commits to, and that its policy is that of entry 1. [GRP-11]"""
    before = None if state is None else state.opening
    if isinstance(before, GroupOpening):
        _require(opening.commitment != before.commitment, "the secret of the epoch before is used again")
        _require(opening.history is before.history, "it changes whether members are given what came before")


def _check_renewed(members: Members, renewed: Sequence[Renewed]) -> None:
    """Check that generations are those of members, and only grow. [DOC-69]"""
    names = [_order(each.name) for each in renewed]
    _require(names == sorted(set(names)), "renewed members are not in their order, or named twice")
    for each in renewed:
        before = members.get(each.name)
        _require(before is not None and each.generation > before.generation, "a generation did not grow")


def _writers(state: LogState | None, members: Members, terms: EntryTerms) -> frozenset[MemberName]:
    now = frozenset(each.name for each in members.values() if each.role >= Role.WRITER)
    return now if state is None or terms.opening is not None else state.writers | now


def _name(state: LogState | None, terms: EntryTerms) -> bytes:
    if terms.opening is not None:
        return terms.opening.name.sealed
    if terms.action is Action.RENAME:
        return cast("SealedName", terms.changes[0]).sealed
    return b"" if state is None else state.name  # entry 1 has an opening


def _require(holds: bool, problem: str) -> None:  # noqa: FBT001 - a condition, written where it is computed
    if not holds:
        raise InvalidEntry(f"{problem}: discard the entry")
