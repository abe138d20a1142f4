"""Fields of objects, and the sections that they belong to."""

from typing import Final

from generators.support.encoding import Value
from generators.support.family import Family

PATIENT: Final = (
    b'{"name":[{"family":"Lind","given":["Ann","Eva"]}],"birthDate":"1970-01-01",'
    b'"address":{},"dose":1.50,"hiv":null,"notes":[]}'
)


def add(family: Family) -> None:
    """Add the group."""
    group = family.group("json.fields", "which section has which field")
    for comment, text, scopes in _cases():
        given = {"text": text.hex(), "scopes": scopes}
        group.valid(comment, given, rules=["DOC-103", "DOC-105", "DOC-106"])


def _cases() -> list[tuple[str, bytes, list[Value]]]:
    tens = b'{"a":[' + b",".join(b"%d" % at for at in range(12)) + b"]}"
    return [
        ("one section has all", PATIENT, [[0, []]]),
        ("a member of its own", PATIENT, [[0, []], [1, ["birthDate"]]]),
        ("a scope inside a scope", PATIENT, [[0, []], [1, ["name"]], [2, ["name", 0, "given", 1]]]),
        ("a scope back in the first section", PATIENT, [[0, []], [1, ["name"]], [0, ["name", 0, "family"]]]),
        ("a section without fields", PATIENT, [[0, []], [1, ["deceased"]]]),
        ("an object without members", b"{}", [[0, []], [1, ["a", 0, "b"]]]),
        ("indices as numbers", tens, [[0, []], [1, ["a", 2]], [1, ["a", 10]]]),
        (
            "names in UTF-16",
            '{"\ufb01":1,"\U0001f600":2,"z":3}'.encode(),
            [[0, []], [1, ["\U0001f600"]], [1, ["\ufb01"]]],
        ),
        ("the path of an empty name", b'{"":{"":1},"a":2}', [[0, ["", ""]], [1, ["a"]]]),
        ("names that are digits", b'{"0":{"1":1}}', [[0, []], [1, ["0", "1"]]]),
    ]
