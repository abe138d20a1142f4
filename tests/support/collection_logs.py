"""Logs of collections and groups without keys, or signatures that verify: for tests of the rules alone.

user, sub      the name of a user, of a collection
Log            entries made one after another; `make` returns one without keeping it, `add` keeps it
opened         an opening with commitments of its own, and that of a group
"""

import hashlib
from dataclasses import replace
from itertools import count
from typing import Any, Final

from letterlock._records.collection import LogState
from letterlock._wire.collection_member import Member, MemberName, Renewed, Role
from letterlock._wire.log_entry import Action, Change, EntryTerms, LogEntry
from letterlock._wire.log_opening import (
    SEALED_NAME_BYTES,
    CollectionOpening,
    GroupOpening,
    Link,
    LogKind,
    Opening,
    SealedName,
)
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock.documents._log_rules import OPENS, follow
from support.pair import NOON

READER, WRITER, ADMIN = Role

_FRESH: Final = count()


def digest(label: object, length: int = 32) -> bytes:
    """Return bytes that are always the same for one label."""
    return hashlib.shake_256(f"collection logs: {label}".encode()).digest(length)


def user(name: str) -> MemberName:
    """Return a user by a name that only tells users apart."""
    return MemberName.user(digest(name))


def sub(name: str) -> MemberName:
    """Return a collection that is a member."""
    return MemberName.collection(digest(name, 16))


def member(name: MemberName | str, role: Role = READER, since: int = 0, generation: int = 1) -> Member:
    """Return a member."""
    return Member(user(name) if isinstance(name, str) else name, role, since, generation)


def in_order(*changes: Any) -> tuple[Any, ...]:
    """Return changes in the order of the members' names."""
    return tuple(sorted(changes, key=lambda each: _name(each).fields()))


def _name(change: Any) -> MemberName:
    return change if isinstance(change, MemberName) else change.name


def sealed_name(label: object = "name") -> SealedName:
    """Return bytes that are as long as a sealed name."""
    return SealedName(digest(label, SEALED_NAME_BYTES))


def opened(link: int | None = None, renewed: tuple[Renewed, ...] = ()) -> CollectionOpening:
    """Return an opening; no two have the same commitments."""
    return opening_at(next(_FRESH), link, renewed)


def opening_at(at: int, link: int | None = None, renewed: tuple[Renewed, ...] = ()) -> CollectionOpening:
    """Return the opening of a number."""
    known = None if link is None else Link(link, digest(at, 80))
    return CollectionOpening(digest(f"E {at}"), digest(f"H {at}"), known, sealed_name(at), renewed)


def opened_group(renewed: tuple[Renewed, ...] = (), *, history: bool = False) -> GroupOpening:
    """Return an opening of a group's epoch; no two have the same commitment."""
    at = next(_FRESH)
    return GroupOpening(digest(f"S {at}"), sealed_name(at), renewed, history)


def opened_for(kind: LogKind, link: int | None = None) -> Opening:
    """Return an opening in a log of this kind."""
    return opened(link) if kind is LogKind.COLLECTION else opened_group()


def signed(author: str, version: int = 1, device: int = 1) -> SignedBy:
    """Return who signed, with a signature that nobody made."""
    signer = Signer(digest(author), device, version, digest(f"{author} list {version}"))
    return SignedBy(signer, bytes(1952), bytes(3373))


def entry_of(terms: EntryTerms, signed_by: SignedBy) -> LogEntry:
    """Return the entry of terms, alone in its tree."""
    return LogEntry.of(terms.encode(), Place(0, 1, ()), signed_by)


class Log:
    """The log of one collection or group, made by "alice" as its admin."""

    def __init__(
        self, *members: Member, author: str = "alice", kind: LogKind = LogKind.COLLECTION,
        opening: Opening | None = None,
    ) -> None:  # fmt: skip
        """`opening` is a fresh one, unless the log has to be the same each time."""
        self.kind = kind
        changes = in_order(member(author, ADMIN), *members)
        opening = opening or opened_for(kind)
        terms = EntryTerms(1, None, None, NOON, Action.CREATE, changes, 1, opening, kind)
        first = entry_of(terms, signed(author))
        self.entries = [first]
        self.states = [follow(None, first)]

    @property
    def state(self) -> LogState:
        """The state after the newest entry."""
        return self.states[-1]

    def terms(self, action: Action, *changes: Change, **fields: Any) -> EntryTerms:
        """Return the terms that follow the newest entry, with some of them replaced."""
        state, opens = self.state, action in OPENS
        epoch = state.epoch + opens
        opening = opened_for(self.kind, state.epoch) if opens else None
        place = state.number + 1, state.log_id, state.head, NOON
        return replace(EntryTerms(*place, action, changes, epoch, opening, self.kind), **fields)

    def make(
        self, author: str, action: Action, *changes: Change, version: int = 1, **fields: Any
    ) -> LogEntry:
        """Return an entry after the newest one, without keeping it."""
        return entry_of(self.terms(action, *changes, **fields), signed(author, version))

    def add(self, author: str, action: Action, *changes: Change, **fields: Any) -> LogState:
        """Make and keep an entry; return the state after it. Raises InvalidEntry."""
        return self.keep(self.make(author, action, *changes, **fields))

    def keep(self, entry: LogEntry) -> LogState:
        """Keep an entry; return the state after it. Raises InvalidEntry."""
        self.states.append(follow(self.state, entry))
        self.entries.append(entry)
        return self.state
