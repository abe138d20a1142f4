"""A JSON document that is forged in many ways.

It has three sections: Bob reads `practice` and `address`, and Alice alone `private`.
"""

from dataclasses import dataclass
from typing import Any, Final

import pytest

from letterlock._wire.json_document import JsonDocument
from letterlock._wire.json_fields import Field
from letterlock.documents import (
    DocumentDamaged,
    JsonDocuments,
    Section,
)
from letterlock.errors import LetterlockError
from support.granting import met
from support.json_forging import Forger
from support.user_devices import World

VALUE: Final[dict[str, Any]] = {
    "name": "Lindqvist",
    "dose": 500,
    "address": {"city": "Lund", "zip": "222 22"},
    "telecom": ["home", "work", "mail"],
    "hivStatus": "negative",
}
SECTIONS: Final = [
    Section("practice", ("",), ["bob"]),
    Section("address", ("/address", "/telecom/1"), ["bob"]),
    Section("private", ("/hivStatus", "/notes/0/text")),
]
PRACTICE: Final = {name: each for name, each in VALUE.items() if name != "hivStatus"}
FORGED: Final[list[Field]] = [(("dose",), 5000), (("telecom", 0), "x"), (("telecom", 2), "z")]


@dataclass
class Case:
    """One document, another version of it and another document; who reads them, and what they can forge."""

    people: World
    data: bytes
    next: bytes
    other: bytes
    alice: Forger
    bob: Forger

    @property
    def document(self) -> JsonDocument:
        return self.alice.document

    def reads(self, data: bytes, name: str = "bob") -> dict[str, Any]:
        user = getattr(self.people, name).first
        return dict(JsonDocuments(user).open(data).value)


@pytest.fixture(scope="session")
def case() -> Case:
    people = met()
    author = JsonDocuments(people.alice.first)
    made = author.seal(VALUE, SECTIONS)
    after = author.seal(VALUE | {"dose": 50}, SECTIONS, replaces=made.data)
    other = author.seal(VALUE | {"name": "Berg"}, SECTIONS)
    for each in (made, after, other):  # so that every test below fails for its own reason, and for no grant
        JsonDocuments(people.bob.first).open(each.data)
    forgers = (Forger(people.alice.first, made.data), Forger(people.bob.first, made.data))
    return Case(people, made.data, after.data, other.data, *forgers)


def refused(case: Case, data: bytes, error: type[LetterlockError] = DocumentDamaged) -> None:
    """Check that neither reader gets anything."""
    for name in ("bob", "alice"):
        with pytest.raises(error):
            case.reads(data, name)
