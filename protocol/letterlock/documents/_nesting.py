"""Collections inside collections: what may be added where, and which edges count.

    edge (P, C)      collection C is a member of P, so the members of C open what is sealed for P
    nesting          collections inside each other: at most 4, and none inside itself               [DOC-77]
    void edge        two admins who act at once can close a circle in two logs. The edge of a circle whose
                     entry has the greatest hash does not count, and is removed                     [DOC-78]

All of it is judged by the logs on record; others may know more. Nothing here bounds who can open a key: a
chain that became too long is followed to its end.

Not here: whether a new epoch is due (_dues.py).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from letterlock._records.collection import LogState
from letterlock._wire.collection_limits import MAX_NESTING
from letterlock._wire.collection_member import MemberKind, Role
from letterlock.errors import UsageError

States: TypeAlias = Mapping[bytes, LogState]
"""The collections on record, by their ids."""

Edge: TypeAlias = tuple[bytes, bytes]
"""The ids of a collection and of one that is its member."""


def reached(states: States, start: bytes, void: frozenset[Edge] = frozenset()) -> Iterator[bytes]:
    """Yield the ids of a collection and of all that are inside it, each once."""
    found, waiting = {start}, [start]
    while waiting:
        yield (at := waiting.pop())
        for each in _inside(states, at):
            if each not in found and (at, each) not in void:
                found.add(each)
                waiting.append(each)


def void_edges(states: States) -> frozenset[Edge]:
    """Return the edges that do not count because they close a circle. [DOC-78]"""
    void = frozenset[Edge]()
    while found := _in_circles(states, void):
        void |= {max(found, key=lambda edge: states[edge[0]].nested[edge[1]])}
    return void


def check_nesting(states: States, outer: bytes, inner: bytes) -> None:
    """Raise UsageError if a collection may not become a member of another one. [DOC-77]"""
    if inner == outer or outer in reached(states, inner):
        raise UsageError("a collection cannot be inside itself: look at the members of both")
    if _above(states, outer) + _below(states, inner) > MAX_NESTING:
        raise UsageError(f"at most {MAX_NESTING} collections inside each other: add its members instead")


def users_of(states: States, collection: bytes, void: frozenset[Edge]) -> dict[bytes, Role]:
    """Return every user inside a collection with the greatest role that it has on any way there."""
    found: dict[bytes, Role] = {}
    seen: dict[bytes, Role] = {}
    waiting = [(collection, Role.ADMIN)]
    while waiting:
        at, most = waiting.pop()
        if seen.get(at, 0) >= most or at not in states:
            continue
        seen[at] = most
        for member in states[at].members.values():
            role = min(member.role, most)
            if member.name.kind is MemberKind.USER:
                found[member.name.id] = max(role, found.get(member.name.id, role))
            elif (at, member.name.id) not in void:
                waiting.append((member.name.id, role))
    return found


def _inside(states: States, collection: bytes) -> tuple[bytes, ...]:
    return tuple(states[collection].nested) if collection in states else ()


def _in_circles(states: States, void: frozenset[Edge]) -> list[Edge]:
    edges = [(at, each) for at in states for each in _inside(states, at) if (at, each) not in void]
    return [(outer, inner) for outer, inner in edges if outer in set(reached(states, inner, void))]


def _below(states: States, collection: bytes) -> int:
    """Return how many collections are inside each other from this one inwards, counting it; 5 for more."""
    return _levels(collection, lambda at: _inside(states, at))


def _above(states: States, collection: bytes) -> int:
    """Return the same from this one outwards."""
    return _levels(collection, lambda at: [each for each in states if at in _inside(states, each)])


def _levels(start: bytes, neighbours: Callable[[bytes], Iterable[bytes]]) -> int:
    level, count = {start}, 0
    while level and count <= MAX_NESTING:
        level, count = {each for at in level for each in neighbours(at)}, count + 1
    return count
