"""spec/documents.cddl describes what the code makes."""

from pathlib import Path

import cbor2
import pytest

from letterlock._wire import cbor
from letterlock._wire.document_header import DocumentHeader
from letterlock._wire.document_trailer import DocumentStatement, DocumentTrailer
from letterlock._wire.grant import Grant
from letterlock._wire.grant_note import GrantNote, NoteAction
from letterlock._wire.json_document import (
    JsonDocument,
    JsonStatement,
    JsonTrailer,
    SealedSection,
    encode_content,
)
from letterlock._wire.json_scopes import Scopes
from letterlock._wire.parcel import Introduction, Parcel, ParcelItem, encode_contents
from letterlock._wire.place import Place
from letterlock._wire.relay_shelf import ShelfKind
from letterlock._wire.signed_by import SignedBy, Signer
from support.cddl_check import Mismatch, Schema
from support.grant_samples import RECIPIENTS, grant_sample, note_sample

CDDL = (Path(__file__).parents[2] / "spec" / "documents.cddl").read_text(encoding="utf-8")
SIGNER = Signer(bytes(32), 2**32 - 1, 1, bytes(32))
HEADER = DocumentHeader(bytes(16), 1, bytes(32), bytes(284))
JSON_STATEMENT = JsonStatement(bytes(16), 1, 7, bytes(32), Scopes({(): 0, ("a", 3): 1}))
JSON_SECTION = SealedSection(bytes(32), bytes(1040))
STATEMENT = DocumentStatement(bytes(16), 1, bytes(32), 5, 1, bytes(32), 7)
PARTS = {
    "signer": cbor.encode(SIGNER.fields()),
    "document-header": HEADER.front()[27:],
    "document-metadata": cbor.encode(["name", "text/plain", 1, 2, b"bytes"]),
    "document-trailer": DocumentTrailer(STATEMENT, SignedBy(SIGNER, bytes(1952), bytes(3373))).encode(),
    "place": cbor.encode(Place(3, 5, (bytes(32), bytes(32))).fields()),
    "grant": grant_sample().encode(),
    "note": note_sample().encode(),
    "parcel": Parcel(ShelfKind.USER, 3, b"sealed").encode(),
    "introduction": Introduction(bytes(32), "alice").encode(),
    "json-document": JsonDocument(bytes(16), 1, bytes(32), (JSON_SECTION,), bytes(1040)).encode(),
    "json-trailer": JsonTrailer(JSON_STATEMENT, SignedBy(SIGNER, bytes(1952), bytes(3373))).encode(),
    "json-content": encode_content("name", [(("a", 0), "x"), (("a", 1, "b"), {})]),
    "signed-by": cbor.encode(SignedBy(SIGNER, bytes(1952), bytes(3373)).fields()),
}
"""One of each, by its rule."""


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema(CDDL)


@pytest.mark.parametrize("rule", PARTS)
def test_what_is_made_validates(schema: Schema, rule: str) -> None:
    schema.validate(PARTS[rule], rule)
    schema.validate(PARTS[rule])


@pytest.mark.parametrize("rule", PARTS)
def test_every_element_has_one_type(schema: Schema, rule: str) -> None:
    elements = cbor2.loads(PARTS[rule])
    for index in range(len(elements)):
        before, after = elements[:index], elements[index + 1 :]
        replacements: list[list[object]] = [[], [elements[index]] * 2, [1.5], [{}], [True], [-1], [2**64 - 1]]
        for wrong in replacements:
            with pytest.raises(Mismatch):
                schema.validate(cbor2.dumps([*before, *wrong, *after]), rule)


@pytest.mark.parametrize("recipient", RECIPIENTS)
@pytest.mark.parametrize("valid_until", [None, 0])
def test_every_kind_of_grant_validates(schema: Schema, recipient: str, valid_until: int | None) -> None:
    grant = grant_sample(recipient, valid_until)
    schema.validate(grant.encode(), "grant")
    elements = cbor2.loads(grant.encoded_terms)
    for index in range(len(elements)):
        for wrong in ([], [1.5], [True], [-1]):
            changed = cbor2.dumps([*elements[:index], *wrong, *elements[index + 1 :]])
            with pytest.raises(Mismatch):
                schema.validate(changed, "terms")
    assert Grant.decode(grant.encode()) == grant


def test_what_is_in_a_parcel_validates(schema: Schema) -> None:
    items = [ParcelItem(kind, b"x" * kind) for kind in (1, 2, 3, 255)]
    schema.validate(encode_contents(items), "parcel-contents")
    for wrong in ([], [[1]], [[0, b"x"]], [[1, b""]], [[1, "x"]], [[256, b"x"]], [[1, b"x"]] * 65):
        with pytest.raises(Mismatch):
            schema.validate(cbor2.dumps(wrong), "parcel-contents")


def test_every_kind_of_note_validates(schema: Schema) -> None:
    for action in NoteAction:
        note = note_sample(action)
        schema.validate(note.encode(), "note")
        assert GrantNote.decode(note.encode()) == note


def test_every_rule_is_reachable_from_the_first(schema: Schema) -> None:
    reached, names = set[str](), [next(iter(schema.references))]
    while names:
        reached.add(name := names.pop())
        names.extend(schema.references[name] - reached)
    assert reached == set(schema.references)
