"""What a reader can try with a JSON document: each is refused, and nothing is given out. DOC-104, DOC-108.

It has the keys of its sections and of the trailer, and its own device. DOC-110.
"""

from dataclasses import replace

import pytest

from letterlock._primitives.labels import JSON_SECTION
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.json_document import JsonDocument, JsonTrailer, SealedSection, encode_content
from letterlock._wire.json_scopes import Scopes
from letterlock.documents import (
    DocumentDamaged,
    Documents,
    JsonDocuments,
    NoGrant,
)
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._granting import Conditions
from letterlock.documents._json_keys import commitment_of, pad, seal_text, section_text
from letterlock.errors import InvalidSignature
from support.json_case import FORGED, VALUE, Case, refused
from support.json_forging import OTHER_KEY, Forger


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
