"""The fields of a JSON object: each value without parts, and the path to it.

    path      [member name (text) / index in an array (integer) ...], of 1 to 32; the first is a name
    field     [path, scalar]            scalar is canonical text (json_text.py)                     [DOC-103]
    pointer   RFC 6901: "" for everything, "/name/0/family" for a path

The fields of an object are in the order of its canonical text, and say everything that is in it.

Not here: which section has a field (json_scopes.py).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias, cast

from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.json_limits import MAX_JSON_DEPTH, MAX_JSON_FIELDS
from letterlock._wire.json_text import (
    JsonObject,
    JsonValue,
    check_name,
    decode_scalar,
    encode_scalar,
    member_key,
)
from letterlock.errors import MalformedMessage, UsageError

Path: TypeAlias = tuple[str | int, ...]
"""Where a value is: names of members, and indices in arrays."""

Field: TypeAlias = tuple[Path, "JsonValue"]
"""A path, and the scalar, empty object or empty array that is there."""

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,4}")
_Key: TypeAlias = tuple[tuple[int, int | bytes], ...]


def fields_of(value: JsonObject) -> list[Field]:
    """Return the fields of an object that `decode_json` would read, in order. Raises UsageError."""
    found = list(_walk((), value)) if value else []
    if len(found) > MAX_JSON_FIELDS:
        raise UsageError(f"a json document has at most {MAX_JSON_FIELDS} fields: seal it as a file")
    return found


def _walk(path: Path, value: JsonValue) -> Iterator[Field]:
    if type(value) is dict and value:
        for name in sorted(value, key=member_key):
            yield from _walk((*path, name), value[name])
    elif type(value) is list and value:
        for index, each in enumerate(value):
            yield from _walk((*path, index), each)
    else:
        yield path, value


def order(path: Path) -> _Key:
    """Return what fields are sorted by."""
    return tuple((1, member_key(each)) if isinstance(each, str) else (0, each) for each in path)


# --- encoding ---------------------------------------------------------------------------------------------


def encode_fields(fields: Iterable[Field]) -> list[cbor.Value]:
    """Return fields as they stand inside an encoding."""
    return [[list(path), encode_scalar(value)] for path, value in fields]


def decode_fields(items: Iterable[object]) -> list[Field]:
    """Read what `encode_fields` gives. Raises MalformedMessage. [DOC-103]"""
    found: list[Field] = []
    before: _Key | None = None
    for item in items:
        fields = Fields(item, 2, "a field")
        path = decode_path(fields.any())
        key = order(path)
        if before is not None and key <= before:
            raise MalformedMessage("the fields of a section are not in order: discard the document")
        before = key
        value = decode_scalar(fields.text("value"))
        if not path or (len(path) == MAX_JSON_DEPTH and type(value) in {dict, list}):
            raise MalformedMessage("a field is nested too deep, or has no name: discard the document")
        found.append((path, value))
    return found


def decode_path(value: object) -> Path:
    """Read a path, and check its names and indices. Raises MalformedMessage."""
    if type(value) is not list or len(items := cast("list[object]", value)) > MAX_JSON_DEPTH:
        raise MalformedMessage(f"a path is not an array of at most {MAX_JSON_DEPTH}")
    for at, each in enumerate(items):
        is_name = type(each) is str and check_name(each) is None
        if not is_name and not (at and type(each) is int and 0 <= each < MAX_JSON_FIELDS):
            raise MalformedMessage(
                "an element of a path is neither a name nor an index: discard the document"
            )
    return tuple(cast("list[str | int]", items))


# --- pointers ---------------------------------------------------------------------------------------------


def pointer_of(path: Path) -> str:
    """Return a path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(each).replace('~', '~0').replace('/', '~1')}" for each in path)


def resolve(pointer: str, value: JsonObject) -> Path:
    """Return the path that a JSON pointer means in an object, which may have nothing there.

    A number is an index, unless it is in an object or at the beginning. Raises UsageError.
    """
    path: list[str | int] = []
    here: JsonValue = value
    known = True
    for token in _tokens(pointer):
        if known and type(here) is not dict and type(here) is not list:
            raise UsageError("a pointer leads through a value without parts: name that value")
        is_index = bool(_INDEX.fullmatch(token)) and int(token) < MAX_JSON_FIELDS
        if type(here) is list and known and not is_index:
            raise UsageError("a pointer has a name where an array is: give an index, or name the array")
        as_index = is_index and bool(path) and not (known and type(here) is dict)
        path.append(int(token) if as_index else token)
        here, known = _step(here, path[-1]) if known else (None, False)
    return tuple(path)


def _tokens(pointer: str) -> list[str]:
    if type(pointer) is not str or (pointer and pointer[0] != "/"):
        raise UsageError('a json pointer is "" or begins with a slash, as in "/name/0"')
    raw = pointer.split("/")[1:]
    if len(raw) > MAX_JSON_DEPTH or any(re.search("~(?![01])", each) for each in raw):
        raise UsageError(f"a json pointer has at most {MAX_JSON_DEPTH} parts, and ~ only in ~0 and ~1")
    tokens = [each.replace("~1", "/").replace("~0", "~") for each in raw]
    for token in tokens:
        problem = check_name(token)
        if problem is not None:
            raise UsageError(f"{problem}: correct the json pointer")
    return tokens


def _step(here: JsonValue, element: str | int) -> tuple[JsonValue, bool]:
    """Return what is at an element, and whether anything is."""
    if isinstance(element, str):
        return (here[element], True) if type(here) is dict and element in here else (None, False)
    return (here[element], True) if type(here) is list and element < len(here) else (None, False)
