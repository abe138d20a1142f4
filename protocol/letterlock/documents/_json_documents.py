"""JSON documents: sealed section by section for different readers, and signed as a whole.

    seal                 _json_sealing.py
    open                 _json_opening.py
    share, grants        the keys of sections are granted as those of other documents are (_shelf.py)

A grant of a section is taken, claimed and withdrawn by `Documents`, as every other one.

Not here: JSON itself (_wire/json_text.py).
"""

from collections.abc import Iterable, Mapping, Sequence

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.grant import Grant
from letterlock._wire.grant_bundle import decode_bundle, encode_bundle
from letterlock._wire.grant_limits import SUBJECT_ID_BYTES
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.json_document import JsonDocument
from letterlock._wire.json_text import JsonObject
from letterlock.documents._access_record import access_record
from letterlock.documents._giving_back import erase
from letterlock.documents._grant_book import GrantBook
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._granting import Conditions
from letterlock.documents._json_opening import OpenedJson, open_json, replaced_by
from letterlock.documents._json_sealing import (
    NewJson,
    Replaced,
    SealedJson,
    Section,
    keep_json,
    seal_json,
    section_subject,
)
from letterlock.documents._key_finding import ReaderSecret, require_subject_id
from letterlock.documents._keyring import StoredCollections
from letterlock.documents._shelf import Shelf
from letterlock.documents._taking import Taking
from letterlock.documents._targets import Reader
from letterlock.documents._values import Granted, Shared, Version
from letterlock.errors import MalformedMessage, PeerError, TrustError, UsageError
from letterlock.user._user import User, desk_behind


class JsonDocuments(Uncopyable):
    """What a user seals, shares and reads of JSON. Make one for a `User`, beside `Documents`.

    Every method is one transaction of the user's store, and may raise StoreError. One that raises has changed
    nothing.
    """

    __slots__ = ("_shelf", "_user")

    def __init__(self, user: User) -> None:
        self._user = user
        desk = desk_behind(user)
        grants = GrantBook(desk.book.store, user.user_id)
        self._shelf = Shelf(desk, grants, StoredCollections(desk, grants))

    def seal(
        self, content: bytes | JsonObject, sections: Sequence[Section], *, replaces: bytes | None = None
    ) -> SealedJson:
        """Seal a JSON object, and grant each section to this user and to its readers.

        `content` is a JSON text in UTF-8, or a value as the `json` module makes it; every field of it must be
        in one of the sections. `replaces` is the sealed document of which this is the next version: a section
        without readers then goes to those to whom this user granted the section of that name. Its id, 16
        bytes, does as well if every section has readers. The grants travel with the document, as far as they
        fit into 1 MiB; deliver them as well. Raises MalformedMessage for a text, and UsageError for a value,
        that programs read differently; UsageError, NoGrant, ContactFrozen, and what `open` raises for the
        version before.
        """
        with self._user.transaction():
            return keep_json(self._shelf, self._new(content, sections, replaces))

    def open(self, data: bytes, *, secret: ReaderSecret | None = None) -> OpenedJson:
        """Return what this user may read of a sealed JSON document.

        Nothing is given out that the author did not sign: `signed_by` and `standing` of the result say who
        that is. `secret` is what opens it for a reader without an own grant. Raises NoGrant, DocumentDamaged,
        MalformedMessage, UnsupportedVersion, UnknownAuthor, InvalidSignature, ContactFrozen.
        """
        document = JsonDocument.decode(data)
        self._take_beside(document)
        with self._user.transaction():
            opened, _ = open_json(self._shelf, document, secret)
            return opened

    def share(
        self, data: bytes, section: str, readers: Iterable[Reader], *, conditions: Conditions | None = None
    ) -> Shared:
        """Grant a section, by its name, to more readers. The sealed document is not touched.

        Deliver the grants of the result, or put them beside the document by `with_grants`. Raises UsageError
        for a section that this user cannot read, and as `open` and `Documents.share` do.
        """
        with self._user.transaction():
            subject, key = self._section(data, section)
            return self._shelf.grant(subject, key, readers, conditions or Conditions())

    def _section(self, data: bytes, section: str) -> tuple[Subject, GrantedKey]:
        """Return a section that this user can read, with its key. Raises UsageError, and as `open` does."""
        document = JsonDocument.decode(data)
        self._take_beside(document)
        _, sections = open_json(self._shelf, document, None)
        if section not in sections:
            raise UsageError("no section of this name is open to this user: see `open(...).sections`")
        found = sections[section]
        subject = section_subject(document.id, document.version, document.sections[found.number])
        return subject, GrantedKey(found.key.expose())

    def grants(self, data: bytes) -> Mapping[str, tuple[Granted, ...]]:
        """Return the grants on record of each section that this user can read, by its name.

        Raises as `open` does. `Documents.withdraw` takes their hashes.
        """
        document = JsonDocument.decode(data)
        with self._user.transaction():
            _, sections = open_json(self._shelf, document, None)
            known = list(self._shelf.book.of_number(SubjectKind.SECTION, document.id, document.version))
            commitments = {name: document.sections[each.number].commitment for name, each in sections.items()}
            return {
                name: self._shelf.shown(each for each in known if each.grant.terms.subject.commitment == ours)
                for name, ours in commitments.items()
            }

    def with_grants(self, data: bytes, grants: Iterable[bytes]) -> bytes:
        """Return a sealed document with these grants beside it, in place of those that are there.

        Raises MalformedMessage, UnsupportedVersion, and UsageError for more than 1 MiB or 1,000.
        """
        document, given = JsonDocument.decode(data), list(grants)
        bundle = encode_bundle(given)
        if len(decode_bundle(bundle)) != len(given):
            raise UsageError("grants beside a document have at most 1 MiB: deliver the others")
        kept = (document.id, document.version, document.commitment, document.sections, document.trailer)
        return JsonDocument(*kept, bundle).encode()

    def versions(self, document: bytes) -> tuple[Version, ...]:
        """Return a `Version` for each section of each version that grants name, the oldest first.

        Grants alone do not tell which sections were sealed together: if two authors sealed one version,
        `rivals` of what is opened has the grants of the other one's.
        """
        id_ = require_subject_id(document)
        with self._user.transaction():
            known = [
                each.grant.terms.subject for each in self._shelf.book.of_subject(SubjectKind.SECTION, id_)
            ]
        found = dict.fromkeys((each.number, each.commitment) for each in known)
        return tuple(Version(id_, number, commitment) for number, commitment in found)

    def access_record(self, document: bytes) -> bytes:
        """Return who was granted which sections, by whom, when and why, as signed JSON.

        `verify_access_record` checks it with device lists alone. Raises UsageError if nothing is on record.
        """
        id_ = require_subject_id(document)
        with self._user.transaction():
            return access_record(self._shelf.desk, self._shelf.book, SubjectKind.SECTION, id_)

    def erase(self, document: bytes, *, reason: str = "") -> tuple[bytes, ...]:
        """Destroy every key of a JSON document that this store holds, and return the signed certificate.

        It reaches as far as that of `Documents.erase`. Raises UsageError if nothing is on record.
        """
        id_ = require_subject_id(document)
        with self._user.transaction():
            notes = erase(self._shelf.desk, self._shelf.book, SubjectKind.SECTION, id_, reason)
            return tuple(each.encode() for each in notes)

    def _new(
        self, content: bytes | JsonObject, sections: Sequence[Section], replaces: bytes | None
    ) -> NewJson:
        before = None if replaces is None else self._replaced(replaces)
        with self._user.transaction():
            return seal_json(self._shelf, content, sections, before)

    def _replaced(self, replaces: bytes) -> Replaced:
        """Return what an id, or a sealed document, says of the version before."""
        if type(replaces) is not bytes or len(replaces) <= SUBJECT_ID_BYTES:
            return Replaced(require_subject_id(replaces))
        document = JsonDocument.decode(replaces)
        self._take_beside(document)
        with self._user.transaction():
            return replaced_by(self._shelf, document)

    def _take_beside(self, document: JsonDocument) -> None:
        """Take the grants beside a document that are about it. What is wrong with one of them is its own."""
        subjects = {section_subject(document.id, document.version, each) for each in document.sections}
        try:
            items = decode_bundle(document.grants)
        except MalformedMessage:
            return
        for item in items:
            try:
                if Grant.decode(item).terms.subject in subjects:
                    with self._user.transaction():
                        Taking(self._shelf).take([item])
            except (PeerError, TrustError):  # DOC-50
                continue

    def __repr__(self) -> str:
        return f"<JsonDocuments of {self._user.address}>"


def new_json(
    documents: JsonDocuments,
    content: bytes | JsonObject,
    sections: Sequence[Section],
    replaces: bytes | None,
) -> NewJson:
    """Seal a JSON document without keeping its grants, for the rooms that stand on this one."""
    return documents._new(content, sections, replaces)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def section_key(documents: JsonDocuments, data: bytes, section: str) -> tuple[Subject, GrantedKey]:
    """Return a section with its key, inside a transaction, for the rooms that stand on this one."""
    return documents._section(data, section)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
