"""Whether a collection needs a new epoch before anything is sealed for it, judged by what is on record.

    spent         a member left, and knows the key of the epoch                                     [DOC-68]
    member        a member's generation is greater than the one under which it was given keys: a device of
                  that user was revoked, or that collection began a new epoch
    inner         a collection inside needs a new epoch itself
    void          a collection inside is closed, or closes a circle: an admin removes it            [DOC-78]

Otherwise a version would be open to somebody who is outside the membership that its author knows. [DOC-76]

Not here: who begins the epoch (_changes.py).
"""

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from letterlock._records.collection import CollectionPhase, LogState
from letterlock._wire.collection_member import MemberName
from letterlock.documents._nesting import States, void_edges

Generations: TypeAlias = Callable[[MemberName], int | None]
"""The generation of a member that is on record, or None."""


class DueReason(Enum):
    """Why a collection needs a new epoch."""

    SPENT = "spent"
    """A member left."""
    MEMBER = "member"
    """A device of a member was revoked, or a collection inside began a new epoch."""
    INNER = "inner"
    """A collection inside needs a new epoch first."""
    VOID = "void"
    """A collection inside is closed, or is inside itself: an admin has to remove it."""


def dues(states: States, generations: Generations) -> dict[bytes, frozenset[DueReason]]:
    """Return for each collection why it needs a new epoch. `states` has all that are inside them. [DOC-76]"""
    void = void_edges(states)
    found: dict[bytes, set[DueReason]] = {
        at: {*_own(state, generations)} | {*_void(state, states, void)} for at, state in states.items()
    }
    changed = True
    while changed:  # what is due inside is due outside
        changed = False
        for at, state in states.items():
            inner = any(found.get(each) for each in state.nested if (at, each) not in void)
            if inner and DueReason.INNER not in found[at]:
                found[at].add(DueReason.INNER)
                changed = True
    return {at: frozenset(each) for at, each in found.items()}


def void_members(state: LogState, states: States) -> tuple[MemberName, ...]:
    """Return the collections among the members that an admin has to remove, in their order. [DOC-78]"""
    void = void_edges(states)
    found = (each for each in sorted(state.nested) if _is_void(state, each, states, void))
    return tuple(map(MemberName.collection, found))


def _own(state: LogState, generations: Generations) -> set[DueReason]:
    due = {DueReason.SPENT} if state.phase is CollectionPhase.SPENT else set[DueReason]()
    grown = ((generations(name) or 0) > member.generation for name, member in state.members.items())
    return due | {DueReason.MEMBER} if any(grown) else due


def _void(state: LogState, states: States, void: frozenset[tuple[bytes, bytes]]) -> set[DueReason]:
    return {DueReason.VOID} if any(_is_void(state, each, states, void) for each in state.nested) else set()


def _is_void(state: LogState, inner: bytes, states: States, void: frozenset[tuple[bytes, bytes]]) -> bool:
    closed = inner in states and states[inner].phase is CollectionPhase.CLOSED
    return closed or (state.log_id, inner) in void
