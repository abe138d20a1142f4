"""nesting.*: which collections may be inside each other, and which edges between them do not count.

An edge is `outer`, `inner`, two names of collections, and `entry`, the hash that admitted `inner`.

Not here: logs (collections.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.secret import KEY_BYTES
from letterlock._records.collection import CollectionPhase, LogState
from letterlock._wire.log_opening import CollectionOpening, SealedName
from letterlock.documents._dues import void_members
from letterlock.documents._nesting import check_nesting
from letterlock_vectors.inputs import Input, Operation, Output


def _states(given: Input, closed: frozenset[object] = frozenset()) -> dict[bytes, LogState]:
    """Return states of collections of which only what is inside them and the phase matter."""
    inside: dict[str, dict[bytes, bytes]] = {}
    for each in given.nested_list("edges"):
        outer, inner = each.text("outer"), each.text("inner")
        inside.setdefault(outer, {})[inner.encode()] = each.sized("entry", KEY_BYTES)
        inside.setdefault(inner, {})
    return {name.encode(): _state(name.encode(), each, name in closed) for name, each in inside.items()}


def _state(name: bytes, nested: Mapping[bytes, bytes], closed: bool) -> LogState:
    phase = CollectionPhase.CLOSED if closed else CollectionPhase.OPEN
    opening = CollectionOpening(b"", b"", None, SealedName(b""))
    return LogState(name, 1, b"", phase, 1, opening, b"", {}, frozenset(), nested, {})


def _void(given: Input) -> Output:
    states = _states(given, frozenset(given.items("closed")))
    void = {(at, name.id) for at, state in states.items() for name in void_members(state, states)}
    edges = [(each.text("outer"), each.text("inner")) for each in given.nested_list("edges")]
    found = [[outer, inner] for outer, inner in edges if (outer.encode(), inner.encode()) in void]
    return {"void": found}


def _check(given: Input) -> Output:
    check_nesting(_states(given), given.text("outer").encode(), given.text("inner").encode())
    return {}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "nesting.check": _check,
    "nesting.void": _void,
}
