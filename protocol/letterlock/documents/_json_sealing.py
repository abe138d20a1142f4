"""Sealing a JSON document: each section under a key of its own, and one signature over all.

    1. the fields, and which section has each                                                      [DOC-105]
    2. a key for each section, and one for the trailer, which is in every section                   [DOC-108]
    3. the root over all sections, signed in a trailer that only readers can open                   [DOC-104]
    4. grants of the sections' keys, under one signature

Every function runs inside the caller's transaction.

Not here: reading (_json_opening.py); grants (_shelf.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from letterlock._primitives.labels import JSON_AUTHOR, JSON_SECTION, JSON_TRAILER
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.grant import GrantRecord
from letterlock._wire.grant_bundle import encode_bundle
from letterlock._wire.grant_limits import SUBJECT_ID_BYTES
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.json_document import (
    JsonDocument,
    JsonStatement,
    JsonTrailer,
    SealedSection,
    encode_content,
    is_section_name,
)
from letterlock._wire.json_fields import Field, Path, fields_of, resolve
from letterlock._wire.json_limits import (
    MAX_JSON_TRAILER,
    MAX_SECTION_ITEMS,
    MAX_SECTION_NAME,
    MAX_SECTIONS,
    MAX_SECTIONS_BYTES,
)
from letterlock._wire.json_scopes import Scopes
from letterlock._wire.json_text import JsonObject, decode_json, encode_json
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._granting import Conditions
from letterlock.documents._json_keys import JsonKey, commitment_of, pad, seal_text, section_text
from letterlock.documents._json_places import json_name
from letterlock.documents._kept_readers import kept_readers, keyed_readers
from letterlock.documents._shelf import Shelf
from letterlock.documents._signing import sign
from letterlock.documents._targets import Reader
from letterlock.documents._values import Shared
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_COUNTER
from letterlock.user._values import Need


@dataclass(frozen=True, slots=True)
class Section(Uncopyable):
    """Fields of a JSON document that have the same readers.

    `name` is a text of 1 to 64 printable characters, which readers of the section see. `fields` are JSON
    pointers (RFC 6901): "/name" is that member with everything below it, and "" is what no other section has.
    Of several pointers, the longest counts. Readers of every section see all pointers. A reader is whatever
    `Documents.share` takes, or the id of a collection, 16 bytes; without `readers`, the next version of a
    document goes to the readers that the section of this name had. Raises UsageError.
    """

    name: str
    fields: Sequence[str]
    readers: Sequence[Reader | bytes] | None = None
    conditions: Conditions = field(default_factory=Conditions)

    def __post_init__(self) -> None:
        if not is_section_name(self.name):
            raise UsageError(
                f"the name of a section is a text of 1 to {MAX_SECTION_NAME} printable characters"
            )
        if isinstance(self.fields, str) or isinstance(self.readers, str) or not self.fields:
            raise UsageError("a section has a sequence of json pointers, at least one, and one of readers")


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a next version follows: an id of 16 bytes, or the version before, which was opened.

    `sections` then has the commitments of its open sections, by their names.
    """

    id: bytes
    version: int | None = None
    sections: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(frozen=True, slots=True)
class NewJson:
    """A JSON document that was sealed, and its grants, which are not on record yet.

    `names` are the names under which a storage keeps it, one for each section.
    """

    data: bytes = field(repr=False)
    id: bytes
    version: int
    made: list[GrantRecord] = field(repr=False)
    needs: list[Need]
    names: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedJson:
    """A JSON document that was sealed: its bytes, id (16 bytes) and version, and grants to deliver."""

    data: bytes = field(repr=False)
    id: bytes
    version: int
    shared: Shared


def seal_json(
    shelf: Shelf, content: bytes | JsonObject, sections: Sequence[Section], replaces: Replaced | None
) -> NewJson:
    """Seal a JSON document, and make grants of its sections. Raises as `JsonDocuments.seal` does."""
    value = decode_json(content if isinstance(content, bytes) else encode_json(content))
    scopes = _scopes(sections, value)
    divided = divide(fields_of(value), scopes)
    id_, version = _place(shelf, replaces)
    readers = [_readers(shelf, each, replaces) for each in sections]
    entropy = shelf.desk.environment.entropy
    trailer_key = JsonKey(entropy(KEY_BYTES))
    keys = [JsonKey(entropy(KEY_BYTES)) for _ in sections]
    sealed = tuple(
        _sealed_section(key, (id_, version), section_text(trailer_key, encode_content(each.name, fields)))
        for key, each, fields in zip(keys, sections, divided, strict=True)
    )
    if sum(len(each.sealed) for each in sealed) > MAX_SECTIONS_BYTES:
        raise UsageError(f"the sections have more than {MAX_SECTIONS_BYTES} bytes: seal it as a file")
    parts = [
        (section_subject(id_, version, each), GrantedKey(key.expose()), named, section.conditions)
        for each, key, named, section in zip(sealed, keys, readers, sections, strict=True)
    ]
    made, needs = shelf.prepared_all(parts)
    document = JsonDocument(
        id_,
        version,
        commitment_of(trailer_key, JSON_TRAILER, id_, version),
        sealed,
        b"",
        encode_bundle(each.grant.encode() for each in made),
    )
    trailer = _signed(shelf, document, scopes)
    text = seal_text(trailer_key, JSON_TRAILER, id_, version, pad(trailer.encode()))
    if len(text) > MAX_JSON_TRAILER:
        raise UsageError("the json pointers of all sections are too long: seal it as a file")
    names = tuple(json_name(each, id_, version) for each in keys)
    return NewJson(_with_trailer(document, text).encode(), id_, version, made, needs, names)


def keep_json(shelf: Shelf, new: NewJson) -> SealedJson:
    """Keep the grants of a JSON document that was sealed. Raises UsageError if it was erased meanwhile."""
    shelf.book.add(new.made, ours=True)
    return SealedJson(new.data, new.id, new.version, shelf.result(new.made, new.needs))


def section_subject(id_: bytes, version: int, section: SealedSection) -> Subject:
    """Return what grants of a section name."""
    return Subject(SubjectKind.SECTION, id_, version, section.commitment)


def divide(fields: Sequence[Field], scopes: Scopes) -> list[list[Field]]:
    """Return the fields of each section. Raises UsageError for a field that is in none. [DOC-105]"""
    found: list[list[Field]] = [[] for _ in range(scopes.sections)]
    for path, value in fields:
        section = scopes.section_of(path)
        if section is None:
            raise UsageError(
                'a field is in no section, or a pointer leads through it: give one section the pointer ""'
            )
        found[section].append((path, value))
    if any(3 + sum(3 + len(path) for path, _ in each) > MAX_SECTION_ITEMS for each in found):
        raise UsageError("the paths of a section are too long: seal the document as a file")
    return found


def _scopes(sections: Sequence[Section], value: JsonObject) -> Scopes:
    """Return what the pointers of all sections mean in a value. Raises UsageError."""
    if not 1 <= len(sections) <= MAX_SECTIONS or len({each.name for each in sections}) != len(sections):
        raise UsageError(f"a json document has 1 to {MAX_SECTIONS} sections, each with a name of its own")
    paths: dict[Path, int] = {}
    for number, section in enumerate(sections):
        for pointer in section.fields:
            path = resolve(pointer, value)
            if path in paths:
                raise UsageError("two sections, or one section twice, name the same field")
            paths[path] = number
    try:
        return Scopes(paths)
    except MalformedMessage as wrong:
        raise UsageError(f"{wrong}: correct the json pointers") from None


def _place(shelf: Shelf, replaces: Replaced | None) -> tuple[bytes, int]:
    """Return the id and the version of what is sealed. Raises NoGrant. [DOC-52]"""
    if replaces is None:
        return shelf.desk.environment.entropy(SUBJECT_ID_BYTES), 1
    before, _ = shelf.first_key(SubjectKind.SECTION, replaces.id, None)
    if before.number == MAX_COUNTER:
        raise UsageError("the document has no number left for a version: seal a new one")
    if replaces.version not in {None, before.number}:
        raise UsageError("grants on record name a later version: give that one as the version before")
    return replaces.id, before.number + 1


def _readers(shelf: Shelf, section: Section, replaces: Replaced | None) -> Sequence[Reader]:
    """Return who gets a section: those who are named, or those of the version before. [DOC-113]"""
    if section.readers is not None:
        return keyed_readers(shelf, section.readers)
    if replaces is None:
        return ()
    if replaces.version is None:
        raise UsageError("whom do its sections keep? give the sealed version before, or name their readers")
    commitment = replaces.sections.get(section.name)
    before = shelf.book.of_number(SubjectKind.SECTION, replaces.id, replaces.version)
    return kept_readers(shelf, (each for each in before if each.grant.terms.subject.commitment == commitment))


def _sealed_section(key: JsonKey, place: tuple[bytes, int], text: bytes) -> SealedSection:
    commitment = commitment_of(key, JSON_SECTION, *place)
    return SealedSection(commitment, seal_text(key, JSON_SECTION, *place, text))


def _signed(shelf: Shelf, document: JsonDocument, scopes: Scopes) -> JsonTrailer:
    now = shelf.desk.now()
    statement = JsonStatement(document.id, document.version, now, document.root(), scopes)
    return JsonTrailer(statement, sign(shelf.desk, JSON_AUTHOR, statement.signed_hash()))


def _with_trailer(document: JsonDocument, trailer: bytes) -> JsonDocument:
    made = (document.id, document.version, document.commitment, document.sections)
    return JsonDocument(*made, trailer, document.grants)
