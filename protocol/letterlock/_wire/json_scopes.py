"""Scopes: which section of a JSON document has which fields.

    scope     [section, path]           the section has what is at the path and below it
    scopes    [scope ...]               in order of their paths, no path twice                     [DOC-105]

A field belongs to the section with the longest scope that its path begins with. What stands at the beginning
of a longer scope is an object or an array, and for every reader the same.                         [DOC-106]

Every reader has all scopes, so no field can be in two sections, where two readers would see two values.

Not here: what pointers mean (json_fields.py).
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.json_fields import Path, decode_path, order
from letterlock._wire.json_limits import MAX_SCOPES, MAX_SECTIONS
from letterlock.errors import MalformedMessage

_PAIR: Final = 2


class Scopes:
    """The scopes of a document. `sections` is how many sections there are, each with at least one scope."""

    __slots__ = ("_inner", "paths", "sections")

    def __init__(self, paths: Mapping[Path, int]) -> None:
        """Take the section of each path. Raises MalformedMessage if they do not fit together."""
        self.paths: dict[Path, int] = dict(sorted(paths.items(), key=lambda each: order(each[0])))
        self.sections = len(set(self.paths.values()))
        if not 1 <= len(self.paths) <= MAX_SCOPES or set(self.paths.values()) != set(range(self.sections)):
            raise MalformedMessage(f"there are no scopes, more than {MAX_SCOPES}, or none of a section")
        self._inner: dict[Path, type] = {(): str}
        for path in self.paths:
            for at, element in enumerate(path):
                if self._inner.setdefault(path[:at], type(element)) is not type(element):
                    raise MalformedMessage("two scopes want an object and an array in one place")

    def fields(self) -> list[cbor.Value]:
        """Return the scopes as they stand inside an encoding."""
        return [[section, list(path)] for path, section in self.paths.items()]

    @classmethod
    def from_fields(cls, items: Iterable[object]) -> "Scopes":
        """Read what `fields` gives. Raises MalformedMessage. [DOC-105]"""
        found: list[tuple[Path, int]] = []
        for item in items:
            fields = Fields(item, _PAIR, "a scope")
            section = fields.uint("section", MAX_SECTIONS - 1)
            found.append((decode_path(fields.any()), section))
        if any(order(after) <= order(before) for (before, _), (after, _) in pairwise(found)):
            raise MalformedMessage("the scopes of a document are not in order: discard the document")
        return cls(dict(found))

    def section_of(self, path: Path) -> int | None:
        """Return the section of a field, or None if it can be in none. [DOC-106]"""
        section: int | None = None
        for at in range(len(path) + 1):
            start = path[:at]
            found = self.paths.get(start)
            section = section if found is None else found
            inner = self._inner.get(start)
            if inner is None:
                return section
            if at == len(path):
                # A value here would tell one reader that a scope is empty in which another reader has fields.
                return None
            if type(path[at]) is not inner:
                return None
        return section

    def owner(self, path: Path) -> int | None:
        """Return the section with the longest scope that a path begins with, or None."""
        starts = (path[:at] for at in range(len(path), -1, -1))
        return next((self.paths[each] for each in starts if each in self.paths), None)

    def of_section(self, section: int) -> tuple[Path, ...]:
        """Return the scopes of a section."""
        return tuple(path for path, each in self.paths.items() if each == section)
