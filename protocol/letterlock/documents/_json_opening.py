"""Opening a JSON document: what this user's grants open, once all of it was checked.

    1. a key for each section that grants on record open                                           [DOC-108]
    2. the trailer's key, the same in all of them; the trailer
    3. id, version, sections and root against the statement; the author's signature                [DOC-110]
    4. the fields of each section, each in a scope of its section                                  [DOC-106]
    5. one object from all fields                                                                  [DOC-107]

Nothing is given out before all five are done.

Not here: grants beside a document (_json_documents.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from letterlock._primitives.labels import JSON_AUTHOR, JSON_SECTION, JSON_TRAILER
from letterlock._primitives.secret import Uncopyable
from letterlock._records.grant import GrantRecord
from letterlock._wire.grant_subject import SubjectKind
from letterlock._wire.json_assembly import assemble
from letterlock._wire.json_document import JsonDocument, JsonTrailer, decode_content
from letterlock._wire.json_fields import Field, pointer_of
from letterlock._wire.json_limits import MAX_JSON_FIELDS
from letterlock._wire.json_scopes import Scopes
from letterlock._wire.json_text import JsonObject, encode_json
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._json_keys import JsonKey, content_of, open_text, trailer_key_of, unpad
from letterlock.documents._json_sealing import Replaced, section_subject
from letterlock.documents._key_finding import ReaderSecret
from letterlock.documents._shelf import Shelf
from letterlock.documents._signing import KnownLists, ListsOnRecord, Standing, verify
from letterlock.documents._values import Granted
from letterlock.errors import UsageError


@dataclass(frozen=True, slots=True)
class OpenedJson:
    """What this user may read of a JSON document. Its author signed all of it, with what is hidden here.

    `value` is the object without hidden fields, and `text` the same as canonical JSON in UTF-8; numbers with
    a fraction are `Decimal`. `sections` has the JSON pointers of all fields that are open, by the name of
    their section. `hidden` has one tuple for each section that is not open: the pointers that it may have
    fields at, whether it does or not. `issued` is in seconds since 1970 (UTC), as the author's device gave
    it. `rivals` are grants on record for sections that this document does not have, of the same version:
    whoever made them sealed another document as this version, or had it from somebody who did.
    """

    id: bytes
    version: int
    value: JsonObject = field(repr=False)
    text: bytes = field(repr=False)
    sections: Mapping[str, tuple[str, ...]] = field(repr=False)
    hidden: tuple[tuple[str, ...], ...] = field(repr=False)
    issued: int
    signed_by: SignedBy = field(repr=False)
    standing: Standing
    rivals: tuple[Granted, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class OpenSection(Uncopyable):
    """A section whose key was found, its number, and its text, 32 bytes of which are a key."""

    number: int
    key: JsonKey
    text: bytes


def open_json(
    shelf: Shelf, document: JsonDocument, secret: ReaderSecret | None
) -> tuple[OpenedJson, dict[str, OpenSection]]:
    """Open a JSON document; return its open sections by name too. Runs inside a transaction.

    Raises as `JsonDocuments.open` does.
    """
    found = _found_sections(shelf, document, secret)
    opened, named = read_sections(document, [section for _, section in found], ListsOnRecord(shelf.desk.book))
    for record, _ in found:
        shelf.book.mark_checked(record)
    return replace(opened, rivals=shelf.shown(_rivals(shelf, document))), named


def read_sections(
    document: JsonDocument, found: Sequence[OpenSection], lists: KnownLists
) -> tuple[OpenedJson, dict[str, OpenSection]]:
    """Return what at least one open section says, once all of it was checked, and the sections by name.

    Raises as `JsonDocuments.open` does.
    """
    trailer = read_trailer(document, found)
    statement = trailer.statement
    _check_statement(document, trailer)
    standing = verify(lists, JSON_AUTHOR, statement.signed_hash(), trailer.signed_by)
    named, fields = _contents(found, statement.scopes)
    numbers = {each.number for each in found}
    hidden = [each for each in range(len(document.sections)) if each not in numbers]
    scopes = [statement.scopes.of_section(each) for each in hidden]
    value = assemble(chain.from_iterable(fields.values()), statement.scopes, hidden)
    opened = OpenedJson(
        document.id,
        document.version,
        value,
        _text_of(value),
        {name: tuple(pointer_of(path) for path, _ in each) for name, each in fields.items()},
        tuple(tuple(pointer_of(path) for path in each) for each in scopes),
        statement.issued,
        trailer.signed_by,
        standing,
    )
    return opened, named


def replaced_by(shelf: Shelf, document: JsonDocument) -> Replaced:
    """Return what the next version after a document follows. Raises as `open_json` does."""
    _, named = open_json(shelf, document, None)
    commitments = {name: document.sections[each.number].commitment for name, each in named.items()}
    return Replaced(document.id, document.version, commitments)


def _rivals(shelf: Shelf, document: JsonDocument) -> list[GrantRecord]:
    ours = {each.commitment for each in document.sections}
    known = shelf.book.of_number(SubjectKind.SECTION, document.id, document.version)
    return [each for each in known if each.grant.terms.subject.commitment not in ours]


def _text_of(value: JsonObject) -> bytes:
    try:
        return encode_json(value)
    except UsageError:
        raise DocumentDamaged("the content is longer than json documents are: ask its author") from None


def _found_sections(
    shelf: Shelf, document: JsonDocument, secret: ReaderSecret | None
) -> list[tuple[GrantRecord, OpenSection]]:
    """Return the sections that grants on record open. Their texts are authentic under their keys, no more.

    Raises NoGrant if there is none, and DocumentDamaged.
    """
    finder = shelf.finder()
    found: list[tuple[GrantRecord, OpenSection]] = []
    for number, section in enumerate(document.sections):
        subject = section_subject(document.id, document.version, section)
        for record, granted in finder.keys(subject, secret):
            key = JsonKey(granted.expose())  # `keys` has compared it with the commitment
            found.append((record, open_section(document, number, key)))
            break
    if not found:
        raise finder.refusal(section_subject(document.id, document.version, document.sections[0]))
    return found


def open_section(document: JsonDocument, number: int, key: JsonKey) -> OpenSection:
    """Return a section, opened with its key. Raises DocumentDamaged."""
    section, place = document.sections[number], (document.id, document.version)
    text = open_text(key, JSON_SECTION, *place, section.commitment, section.sealed)
    if text is None:
        raise DocumentDamaged("a section does not authenticate: fetch the document again")
    return OpenSection(number, key, text)


def read_trailer(document: JsonDocument, found: Sequence[OpenSection]) -> JsonTrailer:
    """Return the trailer, opened with the key that every section has. Nothing in it was verified yet."""
    keys = [trailer_key_of(each.text) for each in found]
    if any(each != keys[0] for each in keys):
        raise DocumentDamaged("two sections have different keys of the trailer: ask the author")
    place = (document.id, document.version)
    text = open_text(keys[0], JSON_TRAILER, *place, document.commitment, document.trailer)
    if text is None:
        raise DocumentDamaged("the trailer does not authenticate: fetch the document again")
    return JsonTrailer.decode(unpad(text))


def _check_statement(document: JsonDocument, trailer: JsonTrailer) -> None:
    """Compare the document with what its author signed. [DOC-110]"""
    said = trailer.statement
    if (said.id, said.version) != (document.id, document.version):
        raise DocumentDamaged("the author signed another document: ask the author for this one")
    if said.scopes.sections != len(document.sections) or said.root != document.root():
        raise DocumentDamaged("the sections are not those that the author signed: fetch the document again")


def _contents(
    found: Sequence[OpenSection], scopes: Scopes
) -> tuple[dict[str, OpenSection], dict[str, list[Field]]]:
    """Return the open sections and their fields, by the names of sections. [DOC-106]"""
    named: dict[str, OpenSection] = {}
    fields: dict[str, list[Field]] = {}
    for each in found:
        name, inside = decode_content(content_of(each.text))
        if any(scopes.section_of(path) != each.number for path, _ in inside):
            raise DocumentDamaged("a section has a field of another one: ask the author")
        if name in named:
            raise DocumentDamaged("two sections have one name: ask the author")
        named[name], fields[name] = each, inside
    if sum(len(each) for each in fields.values()) > MAX_JSON_FIELDS:
        raise DocumentDamaged(f"there are more than {MAX_JSON_FIELDS} fields: ask the author")
    return named, fields
