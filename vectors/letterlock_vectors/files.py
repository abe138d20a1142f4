"""Files of test vectors: finding them, reading them, and checking the form that vectors/README.md defines.

    family     one file: name, groups of one operation each
    test       an input, and the recorded answer

Not here: asking (responder.py), comparing (check.py). The JSON schema beside the vectors has the same form.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from letterlock.errors import UsageError

_RESULTS: Final = frozenset({"valid", "invalid"})
_SUFFIX: Final = ".json"
SCHEMA: Final = "schema.json"


@dataclass(frozen=True, slots=True)
class Test:
    """One vector: `expected` is the recorded answer, `{"out": ...}` or `{"error": name}`."""

    number: int
    comment: str
    operation: str
    given: Mapping[str, Any]
    valid: bool
    expected: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    """One file of vectors."""

    name: str
    tests: tuple[Test, ...]


def shipped() -> Traversable:
    """Return the folder of the vectors that ship with this package; in a checkout, the one beside it."""
    package = files("letterlock_vectors")
    installed = package / "data"
    return installed if installed.is_dir() else package / ".." / "data"


def load(place: Traversable) -> list[Family]:
    """Return the families of a folder, in order of name, or the one in a file.

    Raises UsageError for a file that does not contain vectors, and OSError.
    """
    if not place.is_dir():
        return [_family(place.name, place.read_bytes())]
    named = {
        each.name: each for each in place.iterdir() if each.name.endswith(_SUFFIX) and each.name != SCHEMA
    }
    if not named:
        raise UsageError("no files of vectors there: name a folder of *.json files, or one of them")
    return [_family(name, named[name].read_bytes()) for name in sorted(named)]


def _family(name: str, data: bytes) -> Family:
    try:
        document = json.loads(data)
        tests = tuple(_tests(document))
        if len(tests) != document["numberOfTests"] or not tests:
            raise UsageError(f"{name}: numberOfTests is not how many tests there are")
        return Family(str(document["family"]), tests)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{name}: not a file of vectors; schema.json beside them has the form") from None


def _tests(document: Mapping[str, Any]) -> Iterator[Test]:
    number = 0
    for group in document["testGroups"]:
        for test in group["tests"]:
            number += 1
            if test["tcId"] != number or test["result"] not in _RESULTS:
                raise ValueError(number)
            yield Test(
                number,
                str(test["comment"]),
                str(group["type"]),
                dict(test["input"]),
                test["result"] == "valid",
                _expected(test),
            )


def _expected(test: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the recorded answer: an output, or the name of a refusal. A refused play has both."""
    if test["result"] == "valid":
        return {"out": test["output"]}
    name = test["expect"]
    if "output" not in test:
        return {"error": name}
    if {"error": name} not in test["output"]["steps"]:
        raise ValueError(name)
    return {"out": test["output"]}
