"""An object put together again from fields of some of its sections.

    all sections     the object that was sealed
    some of them     the same without the fields that are in others; arrays close up                [DOC-107]

An index may be missing only where a section that is not open can have fields.

Not here: which fields are whose (json_scopes.py).
"""

from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import Final, TypeAlias

from letterlock._wire.json_fields import Field, Path, order
from letterlock._wire.json_scopes import Scopes
from letterlock._wire.json_text import JsonObject, JsonValue
from letterlock.errors import MalformedMessage

_HOLE: Final = "an array has a hole: ask the author of the document"
_Node: TypeAlias = "dict[str | int, _Node | _Leaf]"


class _Leaf:
    __slots__ = ("value",)

    def __init__(self, value: JsonValue) -> None:
        self.value = value


def assemble(fields: Iterable[Field], scopes: Scopes, hidden: Collection[int]) -> JsonObject:
    """Return the object that has these fields. `hidden` are the sections that are not open.

    Members are in the order of canonical JSON. Raises MalformedMessage for fields that cannot be in one
    object, and for an array with a hole.
    """
    root: _Node = {}
    for path, value in sorted(fields, key=lambda each: order(each[0])):
        _put(root, path, value)
    holes = _Holes(scopes, hidden)
    return {str(name): _value((name,), each, holes) for name, each in root.items()}


def _put(root: _Node, path: Path, value: JsonValue) -> None:
    node = root
    for element, after in pairwise(path):
        child = node.setdefault(element, {})
        if isinstance(child, _Leaf) or (child and type(next(iter(child))) is not type(after)):
            raise MalformedMessage("two fields cannot be in one object: ask the author of the document")
        node = child
    if path[-1] in node:
        raise MalformedMessage("two fields cannot be in one object: ask the author of the document")
    node[path[-1]] = _Leaf(value)


def _value(path: Path, node: "_Node | _Leaf", holes: "_Holes") -> JsonValue:
    if isinstance(node, _Leaf):
        return node.value
    if type(next(iter(node))) is str:
        return {str(name): _value((*path, name), each, holes) for name, each in node.items()}
    indices = [each for each in node if isinstance(each, int)]
    holes.check(path, indices)
    return [_value((*path, index), node[index], holes) for index in indices]


class _Holes:
    """Where an index may be missing: hidden sections have a scope for it, around it or inside."""

    __slots__ = ("_hidden", "_named", "_scopes")

    def __init__(self, scopes: Scopes, hidden: Collection[int]) -> None:
        self._scopes = scopes
        self._hidden = frozenset(hidden)
        self._named: dict[Path, dict[int, bool]] = {}
        for path, section in scopes.paths.items():
            for at, element in enumerate(path):
                if isinstance(element, int):
                    named = self._named.setdefault(path[:at], {})
                    named[element] = named.get(element, False) or section in self._hidden

    def check(self, path: Path, indices: list[int]) -> None:
        """Raise MalformedMessage for an index that is missing, and that no hidden section can have.

        `indices` ascend. Only those are looked at that a scope names, because there may be many.
        """
        last, known = indices[-1], set(indices)
        around = self._scopes.owner(path) in self._hidden
        missing = last + 1 - len(indices)
        for index, is_hidden in self._named.get(path, {}).items():
            if index < last and index not in known:
                if not is_hidden and (not around or (*path, index) in self._scopes.paths):
                    raise MalformedMessage(_HOLE)
                missing -= 1
        if missing and not around:
            raise MalformedMessage(_HOLE)
