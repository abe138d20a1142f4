"""What storage, readers and authors can try with a JSON document: each is refused, and nothing is given out.

    storage    has the bytes, and no key                                           DOC-104, DOC-110
    a reader   has the keys of its sections and of the trailer, and its own device: DOC-104, DOC-108, DOC-110
    an author  signs what it likes                                        DOC-103, DOC-105 to DOC-109

The document has three sections: Bob reads `practice` and `address`, and Alice alone `private`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from letterlock._primitives.labels import JSON_SECTION
from letterlock._wire import cbor
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.json_document import JsonDocument, JsonTrailer, SealedSection, encode_content
from letterlock._wire.json_fields import Field
from letterlock._wire.json_scopes import Scopes
from letterlock.documents import (
    DocumentDamaged,
    Documents,
    JsonDocuments,
    NoGrant,
    Section,
    Standing,
    UnknownAuthor,
)
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._granting import Conditions
from letterlock.documents._json_keys import commitment_of, pad, seal_text, section_text
from letterlock.errors import InvalidSignature, LetterlockError, MalformedMessage, PeerError
from support.granting import met
from support.json_forging import OTHER_KEY, Forger
from support.pair import flipped
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


@pytest.fixture(scope="module")
def case() -> Case:
    people = met()
    author = JsonDocuments(people.alice.first)
    made = author.seal(VALUE, SECTIONS)
    after = author.seal(VALUE | {"dose": 50}, SECTIONS, replaces=made.id)
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


def test_what_is_there(case: Case) -> None:
    assert case.reads(case.data) == PRACTICE
    assert case.reads(case.data, "alice") == VALUE
    assert set(case.bob.keys) == {0, 1}
    assert set(case.alice.keys) == {0, 1, 2}


# --- storage ----------------------------------------------------------------------------------------------


def test_every_byte_counts(case: Case) -> None:
    """A changed byte is refused wherever it is, but in the grants, which are passed over."""
    whole = case.document
    bare = replace(whole, grants=b"").encode()
    places = [*range(120), *range(120, len(bare), 61), *range(len(bare) - 40, len(bare))]
    for place in places:
        changed = bare[:place] + bytes([bare[place] ^ 1]) + bare[place + 1 :]
        with pytest.raises((PeerError, NoGrant)):
            case.reads(changed)


def test_every_length_counts(case: Case) -> None:
    bare = replace(case.document, grants=b"").encode()
    for length in (*range(60), *range(60, len(bare), 97), len(bare) - 1):
        with pytest.raises(MalformedMessage):
            case.reads(bare[:length])
    refused(case, bare + b"\0", MalformedMessage)


SECTIONS_OF: Final[dict[str, Callable[[Any, Any, Any], list[Any]]]] = {
    "one dropped": lambda mine, _, __: mine[:2],
    "the first dropped": lambda mine, _, __: mine[1:],
    "all but one dropped": lambda mine, _, __: mine[:1],
    "two swapped": lambda mine, _, __: [mine[1], mine[0], mine[2]],
    "the hidden one first": lambda mine, _, __: [mine[2], mine[0], mine[1]],
    "one of the next version": lambda mine, after, _: [mine[0], mine[1], after[2]],
    "one of the next version, that Bob reads": lambda mine, after, _: [mine[0], after[1], mine[2]],
    "one of another document": lambda mine, _, other: [mine[0], mine[1], other[2]],
    "one of another document, that Bob reads": lambda mine, _, other: [other[0], mine[1], mine[2]],
    "one added": lambda mine, _, other: [*mine, other[0]],
    "one added of the next version": lambda mine, after, _: [*mine, after[2]],
    "texts swapped": lambda mine, _, __: [
        replace(mine[0], sealed=mine[1].sealed),
        replace(mine[1], sealed=mine[0].sealed),
        mine[2],
    ],
    "the hidden text swapped": lambda mine, _, other: [
        mine[0],
        mine[1],
        replace(mine[2], sealed=other[2].sealed),
    ],
    "the hidden commitment swapped": lambda mine, _, other: [
        mine[0],
        mine[1],
        replace(mine[2], commitment=other[2].commitment),
    ],
    "zeros behind a text": lambda mine, _, __: [
        replace(mine[0], sealed=mine[0].sealed + b"\0"),
        *mine[1:],
    ],
    "a byte of the hidden text": lambda mine, _, __: [
        *mine[:2],
        replace(mine[2], sealed=flipped(mine[2].sealed, 500)),
    ],
}


@pytest.mark.parametrize("name", SECTIONS_OF)
def test_sections_are_neither_dropped_nor_added_nor_swapped(case: Case, name: str) -> None:
    """DOC-110: Bob notices it in sections that he cannot open, too."""
    known = [list(JsonDocument.decode(each).sections) for each in (case.data, case.next, case.other)]
    changed = replace(case.document, sections=tuple(SECTIONS_OF[name](*known)))
    refused(case, changed.encode())


def test_a_section_twice(case: Case) -> None:
    """DOC-108"""
    first = case.document.sections[0]
    for sections in ((first, first), (*case.document.sections, first)):
        refused(case, replace(case.document, sections=sections).encode(), MalformedMessage)
    refused(case, replace(case.document, sections=()).encode(), MalformedMessage)


def test_the_head_and_the_trailer_belong_to_the_sections(case: Case) -> None:
    after, other = JsonDocument.decode(case.next), JsonDocument.decode(case.other)
    mine = case.document
    for document in (
        replace(mine, trailer=after.trailer),
        replace(mine, trailer=after.trailer, commitment=after.commitment),
        replace(mine, trailer=other.trailer, commitment=other.commitment),
        replace(mine, commitment=after.commitment),
        replace(mine, trailer=mine.sections[0].sealed),
    ):
        refused(case, document.encode())
    for document in (
        replace(mine, version=2),
        replace(mine, version=3),
        replace(mine, id=other.id),
        replace(after, version=1),
    ):
        refused(case, document.encode(), NoGrant)


# --- a reader ---------------------------------------------------------------------------------------------

FORGED: Final[list[Field]] = [(("dose",), 5000), (("telecom", 0), "x"), (("telecom", 2), "z")]


def test_the_forgeries_are_good_ones(case: Case) -> None:
    """The tests below would show nothing if what a reader makes did not authenticate."""
    document = case.alice.with_fields(0, FORGED)
    assert case.reads(case.alice.signed(document)) == {
        "dose": 5000,
        "address": VALUE["address"],
        "telecom": ["x", "work", "z"],
    }


def test_a_reader_changes_a_section(case: Case) -> None:
    """DOC-104: the key of a section does not sign for its author."""
    document = case.bob.with_fields(0, FORGED)
    refused(case, document.encode())
    refused(case, case.bob.unsigned(document), InvalidSignature)


def test_a_reader_changes_what_the_author_said(case: Case) -> None:
    for changes in (
        {"issued": 5},
        {"scopes": Scopes({(): 0, ("address",): 1, ("hivStatus",): 2})},
        {"root": bytes(32)},
        {"id": bytes(16)},
        {"version": 7},
    ):
        said = replace(case.bob.trailer().statement, **changes)
        trailer = JsonTrailer(said, case.bob.trailer().signed_by).encode()
        with pytest.raises((InvalidSignature, DocumentDamaged)):
            case.reads(case.bob.with_trailer(case.document, pad(trailer)))


def test_a_reader_changes_the_key_of_the_trailer(case: Case) -> None:
    """DOC-108: the sections have the other key. With the sections changed too, the root is another one."""
    trailer = pad(case.bob.trailer().encode())
    refused(case, case.bob.with_trailer(case.document, trailer, OTHER_KEY))
    text = section_text(OTHER_KEY, encode_content("practice", FORGED))
    document = case.bob.with_section(0, case.bob.section(0, text))
    refused(case, case.bob.with_trailer(document, trailer, OTHER_KEY))


def test_a_reader_seals_a_section_under_a_key_of_its_own(case: Case) -> None:
    """Bob grants Alice the key of a section that he made. The root is another one than she expects."""
    text = section_text(case.bob.trailer_key, encode_content("practice", FORGED))
    section = case.bob.section(0, text, OTHER_KEY)
    document = case.bob.with_section(0, section)
    subject = Subject(SubjectKind.SECTION, *case.bob.place, section.commitment)
    documents = Documents(case.people.bob.first)
    with case.people.bob.first.transaction():
        made = documents._shelf.grant(subject, GrantedKey(OTHER_KEY.expose()), ["alice", "bob"], Conditions())
    Documents(case.people.alice.first).take(made)
    refused(case, document.encode())
    refused(case, case.bob.unsigned(document), InvalidSignature)


def test_a_reader_grants_a_wrong_key(case: Case) -> None:
    """DOC-108: it does not fit the commitment, so it opens nothing, and the author's own grant does."""
    carol = case.people.servers.people["carol"].first
    carol.learn("alice", case.people.alice.lists)
    carol.learn("bob", case.people.bob.lists)
    for user in (case.people.alice.first, case.people.bob.first):
        user.learn("carol", case.people.servers.people["carol"].lists)
    subject = Subject(SubjectKind.SECTION, *case.bob.place, case.document.sections[0].commitment)
    documents = Documents(case.people.bob.first)
    with case.people.bob.first.transaction():
        for key in (bytes(32), bytes(64)):
            made = documents._shelf.grant(subject, GrantedKey(key), ["carol"], Conditions())
            Documents(carol).take(made)
    with pytest.raises(NoGrant):
        JsonDocuments(carol).open(case.data)
    Documents(carol).take(JsonDocuments(case.people.alice.first).share(case.data, "practice", ["carol"]))
    assert JsonDocuments(carol).open(case.data).value["name"] == "Lindqvist"


def test_a_reader_signs_in_its_own_name(case: Case) -> None:
    """It can: a document shows who signed it, and the readers see that it was not Alice."""
    forged = case.bob.signed(case.bob.with_fields(0, FORGED))
    opened = JsonDocuments(case.people.alice.first).open(forged)
    assert opened.signed_by.signer.user_id == case.people.bob.first.user_id
    assert opened.signed_by != JsonDocuments(case.people.alice.first).open(case.data).signed_by


def test_a_reader_names_the_author_as_the_signer(case: Case) -> None:
    forged = case.bob.signed(case.bob.with_fields(0, FORGED))
    trailer = Forger(case.people.alice.first, forged).trailer()
    moved = replace(trailer.signed_by, signer=case.bob.trailer().signed_by.signer)
    text = pad(JsonTrailer(trailer.statement, moved).encode())
    refused(case, case.bob.with_trailer(JsonDocument.decode(forged), text), InvalidSignature)


def test_a_text_is_sealed_under_the_key_that_shows(case: Case) -> None:
    """DOC-108"""
    text = section_text(case.bob.trailer_key, encode_content("practice", FORGED))
    sealed = seal_text(OTHER_KEY, JSON_SECTION, *case.bob.place, text)
    section = SealedSection(commitment_of(case.bob.keys[0], JSON_SECTION, *case.bob.place), sealed)
    refused(case, case.bob.signed(case.bob.with_section(0, section)))


# --- an author who lies -----------------------------------------------------------------------------------

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


# --- who signed -------------------------------------------------------------------------------------------


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
