"""Fields of JSON, the sections that have them, and the object that they make: DOC-103, DOC-105 to DOC-107."""

from typing import Any, Final

import pytest
from hypothesis import given, settings

from letterlock._wire.json_assembly import assemble
from letterlock._wire.json_fields import (
    Field,
    Path,
    decode_fields,
    encode_fields,
    fields_of,
    pointer_of,
    resolve,
)
from letterlock._wire.json_limits import MAX_JSON_DEPTH, MAX_JSON_FIELDS
from letterlock._wire.json_scopes import Scopes
from letterlock._wire.json_text import decode_json, encode_json
from letterlock.errors import MalformedMessage, UsageError
from support.fhir_samples import PATIENT
from support.json_values import OBJECTS, shared_out

ALL: Final = Scopes({(): 0})
"""One section has everything."""


def test_the_fields_of_an_object() -> None:
    value = {"b": [{"x": 1}, [], "t"], "a": {}, "c": {"/~": None}}
    found = fields_of(value)
    assert found == [
        (("a",), {}),
        (("b", 0, "x"), 1),
        (("b", 1), []),
        (("b", 2), "t"),
        (("c", "/~"), None),
    ]
    assert [pointer_of(path) for path, _ in found] == ["/a", "/b/0/x", "/b/1", "/b/2", "/c/~1~0"]
    assert fields_of({}) == []
    assert assemble(found, ALL, ()) == value


def test_too_many_fields() -> None:
    assert len(fields_of({"a": [1] * MAX_JSON_FIELDS})) == MAX_JSON_FIELDS
    with pytest.raises(UsageError):
        fields_of({"a": [1] * MAX_JSON_FIELDS, "b": 1})


@given(OBJECTS)
@settings(max_examples=60)
def test_fields_are_read_as_they_were(value: dict[str, Any]) -> None:
    canonical = decode_json(encode_json(value))
    assert decode_fields(encode_fields(fields_of(canonical))) == fields_of(canonical)
    assert assemble(fields_of(canonical), ALL, ()) == canonical


DEEP: Final = ["a"] * MAX_JSON_DEPTH

WRONG_FIELDS: Final[dict[str, list[object]]] = {
    "no array": [1],
    "one element": [[["a"]]],
    "three elements": [[["a"], "1", "2"]],
    "a path that is text": [["a", "1"]],
    "an empty path": [[[], "{}"]],
    "a path that begins with an index": [[[0], "1"]],
    "a path of 33": [[[*DEEP, "a"], "1"]],
    "an object in 32": [[DEEP, "{}"]],
    "an index that is negative": [[["a", -1], "1"]],
    "an index that is true": [[["a", True], "1"]],
    "an index of 10,000": [[["a", 10_000], "1"]],
    "bytes in a path": [[["a", b"b"], "1"]],
    "null in a path": [[["a", None], "1"]],
    "u+0000 in a path": [[["a\0"], "1"]],
    "__proto__ in a path": [[["a", "__proto__"], "1"]],
    "a name of 257 bytes": [[["n" * 257], "1"]],
    "a value that is no text": [[["a"], 1]],
    "a value that is not canonical": [[["a"], "1 "]],
    "a value with parts": [[["a"], "[1]"]],
    "the same path twice": [[["a"], "1"], [["a"], "1"]],
    "the wrong order": [[["b"], "1"], [["a"], "1"]],
    "the wrong order of indices": [[["a", 10], "1"], [["a", 9], "1"]],
    "the order of code points": [[["\ufb33"], "1"], [["\U0001f600"], "1"]],
    "longer before shorter": [[["a", "b"], "1"], [["a"], "1"]],
}


@pytest.mark.parametrize("name", WRONG_FIELDS)
def test_fields_that_are_refused(name: str) -> None:
    """DOC-103"""
    with pytest.raises(MalformedMessage):
        decode_fields(WRONG_FIELDS[name])


# --- scopes -----------------------------------------------------------------------------------------------


def test_the_longest_scope_counts() -> None:
    scopes = Scopes({(): 0, ("a",): 1, ("a", "b"): 0, ("c", 1): 2})
    assert scopes.sections == 3
    found: dict[Path, int | None] = {
        ("x",): 0,
        ("a", "x"): 1,
        ("a", "b"): 0,
        ("a", "b", "x"): 0,
        ("c", 0): 0,
        ("c", 1): 2,
        ("c", 1, "x", 7): 2,
        ("a",): None,  # an object has to be there
        ("c",): None,
        ("a", 0): None,
        ("c", "1"): None,
        (): None,
    }
    assert {path: scopes.section_of(path) for path in found} == found
    assert Scopes({("a",): 0}).section_of(("b",)) is None
    again = Scopes.from_fields([[section, list(path)] for path, section in scopes.paths.items()])
    assert (again.paths, again.fields()) == (scopes.paths, scopes.fields())
    assert scopes.of_section(0) == ((), ("a", "b"))


WRONG_SCOPES: Final[dict[str, list[object]]] = {
    "none": [],
    "no array": [1],
    "no path": [[0]],
    "a section without a scope": [[1, []]],
    "a gap in the sections": [[0, []], [2, ["a"]]],
    "a section that is negative": [[-1, []]],
    "a section that is true": [[True, []]],
    "section 64": [[64, []]],
    "a path twice": [[0, []], [1, []]],
    "a scope twice": [[0, []], [0, []]],
    "the wrong order": [[0, ["b"]], [1, ["a"]]],
    "an index first": [[0, [0]]],
    "an object and an array": [[0, ["a", 0]], [1, ["a", "b"]]],
    "257 of them": [[0, ["a", at]] for at in range(257)],
    "a path of 33": [[0, ["a"] * 33]],
    "a name that is no text": [[0, [b"a"]]],
}


@pytest.mark.parametrize("name", WRONG_SCOPES)
def test_scopes_that_are_refused(name: str) -> None:
    """DOC-105"""
    with pytest.raises(MalformedMessage):
        Scopes.from_fields(WRONG_SCOPES[name])


# --- pointers ---------------------------------------------------------------------------------------------


def test_what_pointers_mean() -> None:
    value = {"a": [{"0": 1}], "0": {"1": 2}, "/~": 3}
    meant: dict[str, Path] = {
        "": (),
        "/a": ("a",),
        "/a/0": ("a", 0),
        "/a/0/0": ("a", 0, "0"),
        "/a/7": ("a", 7),
        "/a/7/x/0": ("a", 7, "x", 0),
        "/0": ("0",),
        "/0/1": ("0", "1"),
        "/0/7": ("0", "7"),
        "/~1~0": ("/~",),
        "/new/0/01": ("new", 0, "01"),
        "/new/99999": ("new", "99999"),
        "/": ("",),
    }
    assert {pointer: resolve(pointer, value) for pointer in meant} == meant


@pytest.mark.parametrize(
    "pointer",
    [
        "a", "#/a", " /a", "/~", "/~2", "/a~", "/a/x", "/a/-", "/a/01", "/a/-1",
        "/s/x", "/n/x", "/n/0", "/s/0",
        "/__proto__", "/x\0", "/\ud800", "/a" * 33, "/" + "n" * 257, None, 5, b"/a", ("a",),
    ],
)  # fmt: skip
def test_pointers_that_are_refused(pointer: Any) -> None:
    with pytest.raises(UsageError):
        resolve(pointer, {"a": [1], "s": "text", "n": None})


# --- putting together -------------------------------------------------------------------------------------


CONFLICTS: Final[dict[str, list[Field]]] = {
    "one field twice": [(("a",), 1), (("a",), 1)],
    "a value and an object": [(("a",), 1), (("a", "b"), 1)],
    "an empty object and a member": [(("a",), {}), (("a", "b"), 1)],
    "an object and an array": [(("a", "b"), 1), (("a", 0), 1)],
    "an object and an array, deeper": [(("a", 0, "x", "y"), 1), (("a", 0, "x", 0, "z"), 1)],
    "a hole": [(("a", 1), 1)],
    "a hole in the middle": [(("a", 0), 1), (("a", 2), 1)],
    "a large hole": [(("a", 0), 1), (("a", 9_999), 1)],
    "a hole in an array of arrays": [(("a", 0, 1), 1)],
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_fields_that_make_no_object(name: str) -> None:
    """DOC-107"""
    with pytest.raises(MalformedMessage):
        assemble(CONFLICTS[name], ALL, ())
    with pytest.raises(MalformedMessage):
        assemble(list(reversed(CONFLICTS[name])), Scopes({(): 0, ("b", 0): 1, ("c", 1): 1}), {1})


def test_holes_where_a_hidden_section_has_a_scope() -> None:
    fields: list[Field] = [(("a", 0), "x"), (("a", 2), "z")]
    possible: list[tuple[dict[Path, int], set[int]]] = [
        ({(): 0, ("a", 1): 1}, {1}),
        ({(): 0, ("a", 1, "deep"): 1, ("a", 5): 1, ("a", 2, "b"): 1}, {1}),
        ({(): 1, ("a", 0): 0, ("a", 2): 0}, {1}),
        ({(): 1, ("a", 0): 0, ("a", 2): 0, ("a", 1): 0, ("a", 1, "x"): 1}, {1}),
        ({(): 1, ("a", 0): 0, ("a", 2): 0, ("a", 1, "x"): 0}, {1}),
    ]
    for scopes, hidden in possible:
        assert assemble(fields, Scopes(scopes), hidden) == {"a": ["x", "z"]}
    impossible: list[tuple[dict[Path, int], set[int]]] = [
        ({(): 0, ("a", 1): 1}, set()),
        ({(): 0, ("a", 1, "x"): 1}, set()),
        ({(): 0, ("a", 0): 1}, {1}),
        ({(): 0, ("a", 3): 1}, {1}),
        ({(): 0, ("b", 1): 1}, {1}),
        ({(): 0, ("a", "1"): 1}, {1}),
        ({(): 1, ("a",): 0}, {1}),
        ({(): 1, ("a", 0): 0, ("a", 1): 0, ("a", 2): 0}, {1}),
        ({(): 1, ("a",): 0, ("a", 1): 2, ("a", 1, "x"): 2}, {1}),
    ]
    for scopes, hidden in impossible:
        with pytest.raises(MalformedMessage, match="hole"):
            assemble(fields, Scopes(scopes), hidden)


def without(value: Any, path: Path, scopes: Scopes, visible: set[int]) -> Any:
    """Return a value without the fields of other sections, in another way than the code: from the whole.

    Returns `without` itself for nothing.
    """
    if type(value) is dict and value:
        parts = {name: without(each, (*path, name), scopes, visible) for name, each in value.items()}
        kept = {name: each for name, each in parts.items() if each is not without}
        return kept or without
    if type(value) is list and value:
        items = [without(each, (*path, at), scopes, visible) for at, each in enumerate(value)]
        return [each for each in items if each is not without] or without
    return value if section_by_hand(path, scopes) in visible else without


def section_by_hand(path: Path, scopes: Scopes) -> int:
    found = {scope: each for scope, each in scopes.paths.items() if path[: len(scope)] == scope}
    return found[max(found, key=len)]


@given(shared_out())
@settings(max_examples=80)
def test_every_reader_gets_the_rest_of_the_object(given_: tuple[dict[str, Any], Scopes]) -> None:
    value, scopes = given_
    divided: dict[int, list[Field]] = {each: [] for each in range(scopes.sections)}
    for path, each in fields_of(value):
        section = scopes.section_of(path)
        assert section == section_by_hand(path, scopes)
        assert section is not None
        divided[section].append((path, each))
    for visible in ({0}, {1}, {0, 2}, set(divided)):
        fields = [each for number in visible & set(divided) for each in divided[number]]
        hidden = set(divided) - visible
        expected = without(value, (), scopes, visible)
        assert assemble(fields, scopes, hidden) == ({} if expected is without else expected)


def test_a_patient_without_name_and_second_number() -> None:
    scopes = Scopes({(): 0, ("name",): 1, ("telecom", 1): 1})
    fields = [each for each in fields_of(PATIENT) if scopes.section_of(each[0]) == 0]
    found = assemble(fields, scopes, {1})
    telecom = PATIENT["telecom"]
    expected = {name: each for name, each in PATIENT.items() if name != "name"}
    assert found == expected | {"telecom": [telecom[0], telecom[2]]}
