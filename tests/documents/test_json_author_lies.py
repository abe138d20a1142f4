"""What an author can try with a JSON document, which signs what it likes: each is refused.

DOC-103, DOC-105 to DOC-109.
"""

from dataclasses import replace
from typing import Final

import pytest

from letterlock._wire import cbor
from letterlock._wire.json_document import JsonDocument, SealedSection, encode_content
from letterlock._wire.json_fields import Field
from letterlock._wire.json_scopes import Scopes
from letterlock.documents import (
    Documents,
    JsonDocuments,
    Section,
    Standing,
    UnknownAuthor,
)
from letterlock.documents._json_keys import pad, section_text
from letterlock.errors import MalformedMessage
from support.granting import met
from support.json_case import FORGED, PRACTICE, Case, refused
from support.json_forging import OTHER_KEY, Forger

LIES: Final[dict[str, tuple[int, list[Field]]]] = {
    "a field of another section": (0, [(("address", "city"), "Malmö")]),
    "a field of a section inside": (0, [(("telecom", 1), "x")]),
    "a field of the section outside": (1, [(("dose",), 1)]),
    "a field of a hidden section": (1, [(("hivStatus",), "positive")]),
    "a value instead of an object that another section has": (0, [(("notes",), "none")]),
    "null instead of an object": (0, [(("notes",), None)]),
    "an empty array instead of one with fields": (0, [(("notes",), [])]),
    "an object instead of an array": (0, [(("notes", "0"), "x")]),
    "a value instead of an array in an object": (0, [(("telecom",), "x")]),
    "an element before a scope": (0, [(("notes", 0), "x")]),
}


@pytest.mark.parametrize("name", LIES)
def test_one_field_has_one_section(case: Case, name: str) -> None:
    """DOC-106: two readers never see two values of one field."""
    number, fields = LIES[name]
    refused(case, case.alice.signed(case.alice.with_fields(number, fields)))


CONTRADICTIONS: Final[dict[str, tuple[list[Field], str]]] = {
    "a value and an object": ([*FORGED, (("x",), 1), (("x", "y"), 1)], "one object"),
    "an object and an array": ([*FORGED, (("x", 0), 1), (("x", "y"), 1)], "one object"),
    "a hole": ([*FORGED, (("x", 1), 1)], "hole"),
    "a hole in front of an open section's": ([(("dose",), 5000)], "hole"),
    "a hole behind it": ([*FORGED[:2], (("telecom", 3), "z")], "hole"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_fields_make_an_object(case: Case, name: str) -> None:
    """DOC-107"""
    fields, why = CONTRADICTIONS[name]
    data = case.alice.signed(case.alice.with_fields(0, fields))
    refused(case, data, MalformedMessage)
    with pytest.raises(MalformedMessage, match=why):
        case.reads(data)


def test_a_section_says_what_cannot_be_sealed(case: Case) -> None:
    """DOC-103, DOC-109"""
    key = case.alice.trailer_key
    fine = encode_content("practice", FORGED)
    contents: list[cbor.Value] = [
        [],
        ["practice"],
        ["practice", "x"],
        ["", []],
        ["a\n", []],
        ["n" * 65, []],
        [None, []],
        ["practice", [[["b"], "1"], [["a"], "1"]]],
        ["practice", [[["a"], "01"]]],
        ["practice", [[["__proto__"], "1"]]],
        ["practice", [[["a"], "1"]], None],
    ]
    texts = [section_text(key, cbor.encode(each)) for each in contents]
    texts += [
        section_text(key, fine)[:-1],
        section_text(key, fine)[:-1] + b"\1",
        section_text(key, fine) + bytes(32),
        section_text(key, fine + b"\0"),
        section_text(key, b""),
        key.expose() + (2**32 - 1).to_bytes(4, "big") + bytes(1024),
        key.expose() + bytes(1024),
        section_text(key, b"\x82\x68practice\x9f\xff".ljust(30, b"\0")),
    ]
    for text in texts:
        document = case.alice.with_section(0, case.alice.section(0, text))
        refused(case, case.alice.signed(document), MalformedMessage)


def test_two_sections_have_one_name_or_two_trailer_keys(case: Case) -> None:
    named = case.alice.with_fields(1, [], "practice")
    refused(case, case.alice.signed(named))
    text = section_text(OTHER_KEY, encode_content("address", []))
    refused(case, case.alice.signed(case.alice.with_section(1, case.alice.section(1, text))))


def test_scopes_and_sections_differ(case: Case) -> None:
    """DOC-105: a section without a scope, or a scope without a section."""
    whole = case.alice.trailer().statement.scopes.paths
    without = {path: section for path, section in whole.items() if section != 2}
    for scopes in (Scopes(without), Scopes({**whole, ("x",): 3})):
        refused(case, case.alice.signed(case.document, scopes=scopes))


def test_the_statement_is_of_another_document(case: Case) -> None:
    """DOC-110: an author signed something else, and wrapped it in this one."""
    for changes in ({"id": bytes(16)}, {"version": 7}):
        refused(case, case.alice.signed(case.document, **changes))
    assert case.reads(case.alice.signed(case.document, issued=5)) == PRACTICE


def test_the_padding_of_the_trailer(case: Case) -> None:
    trailer = case.alice.trailer().encode()
    for text in (pad(trailer)[:-1], pad(trailer)[:-1] + b"\1", pad(trailer) + bytes(8), bytes(1100)):
        refused(case, case.alice.with_trailer(case.document, text), MalformedMessage)
    refused(case, case.alice.with_trailer(case.document, pad(trailer[:-1])), MalformedMessage)


def test_more_than_a_document_can_hold(case: Case) -> None:
    """Ten thousand fields each in two sections, and a text that is longer than any that could be sealed."""
    fields: list[Field] = [*FORGED, *((("x", at), 1) for at in range(9_000))]
    document = case.alice.with_fields(0, fields)
    forger = Forger(case.people.alice.first, case.alice.signed(document))
    more: list[Field] = [(("address", "x", at), 1) for at in range(9_000)]
    both = forger.with_fields(1, [*more, (("telecom", 1), "y")], "address")
    refused(case, case.alice.signed(both))
    longest: list[Field] = [*FORGED, (("x",), "x" * (1024 * 1024))]
    refused(case, case.alice.signed(case.alice.with_fields(0, longest)))


def test_more_bytes_than_all_sections_have_together(case: Case) -> None:
    half = bytes(2 * 1024 * 1024)
    most = (SealedSection(bytes(32), half), SealedSection(b"\1" * 32, half))
    assert JsonDocument.decode(replace(case.document, sections=most).encode()).sections == most
    more = (most[0], SealedSection(b"\1" * 32, half + b"\0"))
    refused(case, replace(case.document, sections=more).encode(), MalformedMessage)


def test_an_author_whom_the_reader_does_not_know(case: Case) -> None:
    people = met()
    carol = people.servers.people["carol"].first
    bob = people.bob.first
    carol.learn("bob", people.bob.lists)
    bob.learn("carol", people.servers.people["carol"].lists)
    made = JsonDocuments(carol).seal({"a": 1}, [Section("all", [""], ["bob"])])
    assert JsonDocuments(bob).open(made.data).value == {"a": 1}
    shared = JsonDocuments(bob).share(made.data, "all", ["alice"])
    people.alice.first.learn("bob", people.bob.lists)
    Documents(people.alice.first).take(shared)
    with pytest.raises(UnknownAuthor):
        JsonDocuments(people.alice.first).open(made.data)


def test_an_author_whose_device_was_revoked_since() -> None:
    people = met(alices=2)
    second = people.alice.devices[2]
    made = JsonDocuments(second).seal({"a": 1}, [Section("all", [""], ["bob"])])
    bob = people.bob.first
    assert JsonDocuments(bob).open(made.data).standing is Standing.LISTED
    people.alice.revoke(2)
    bob.learn("alice", people.alice.lists)
    assert JsonDocuments(bob).open(made.data).standing is Standing.REVOKED_SINCE
