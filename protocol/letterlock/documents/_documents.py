"""Documents: the one object that an application holds for what it seals, shares and reads.

It joins the rooms of documents and decides nothing itself. Each public method is one transaction of the
user's store, except while a body is read or written.

    seal, open, open_to              _bodies.py
    share, grants, versions          _granting.py, _targets.py, _values.py
    take, claim                      _taking.py, _claiming.py
    blob_name                        _blob_names.py
    withdraw, erase                  _giving_back.py
    items, begin_items               _item_session.py
    access_record                    _access_record.py

Not here: files and networks. The application hands in file objects, and delivers grants.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._wire.document_header import DocumentMetadata
from letterlock._wire.grant import Grant
from letterlock._wire.grant_limits import SUBJECT_ID_BYTES
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._access_record import access_record
from letterlock.documents._blob_names import blob_names
from letterlock.documents._bodies import Bodies, Sealed, SealOptions
from letterlock.documents._claiming import claimed
from letterlock.documents._errors import NoGrant
from letterlock.documents._file import DocumentFile, open_file
from letterlock.documents._giving_back import erase, withdraw
from letterlock.documents._grant_book import GrantBook
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._granting import Conditions
from letterlock.documents._item_session import (
    ItemKey,
    ItemSession,
    checked_session,
    session_commitment,
)
from letterlock.documents._key_finding import ReaderSecret, require_subject_id
from letterlock.documents._keyring import StoredCollections
from letterlock.documents._opening import Opened, open_to
from letterlock.documents._sealing import USUAL, Pace
from letterlock.documents._shelf import Shelf
from letterlock.documents._signing import ListsOnRecord, Standing
from letterlock.documents._streams import Readable, Seekable, Writable, is_seekable
from letterlock.documents._taking import Taking
from letterlock.documents._targets import Reader
from letterlock.documents._values import Granted, Shared, Taken, Version
from letterlock.user._user import User, desk_behind

NO_METADATA: Final = DocumentMetadata()
AS_USUAL: Final = SealOptions()


class Documents(Uncopyable):
    """What a user seals, shares and reads. Make one for a `User`; it keeps everything in the user's store.

    Every method may raise StoreError; one that raises has changed nothing.
    """

    __slots__ = ("_shelf", "_user")

    def __init__(self, user: User) -> None:
        self._user = user
        desk = desk_behind(user)
        grants = GrantBook(desk.book.store, user.user_id)
        self._shelf = Shelf(desk, grants, StoredCollections(desk, grants))

    # --- sealing and opening ----------------------------------------------------------------------

    def seal(
        self,
        source: Readable,
        target: Writable,
        readers: Sequence[Reader] | None = None,
        *,
        metadata: DocumentMetadata = NO_METADATA,
        options: SealOptions = AS_USUAL,
    ) -> Sealed:
        """Seal what a binary file object holds into another one, and grant it to this user and to readers.

        The target gets the sealed document in one pass, and need not be seekable; memory does not grow with
        the content. The grants travel with it, as far as they fit into 1 MiB; deliver them as well. Without
        readers, the next version of a document goes to the contacts and collections to whom this user granted
        the one before.
        If this raises, nothing was kept, and a seekable target is as it was; with `options.job` both stay,
        and the same call goes on. Raises UsageError, ContactFrozen, and what the file objects raise.
        """
        return Bodies(self._shelf).seal(source, target, readers, metadata, options)

    def open(self, source: Seekable, *, secret: ReaderSecret | None = None) -> DocumentFile[Standing]:
        """Return a sealed document as a binary file to read from at any place. The source stays open.

        The source holds the document and nothing else. Its author was verified, and no byte is given out
        that the author did not sign: `signed_by` and `standing` say who that is. `secret` is what opens it
        for a reader without an own grant. Raises NoGrant, DocumentDamaged, MalformedMessage,
        UnsupportedVersion, UnknownAuthor, InvalidSignature, ContactFrozen, and UsageError for a source that
        is not seekable.
        """
        bodies = Bodies(self._shelf)
        if is_seekable(source):
            source.seek(0)
        return open_file(bodies.front(source, secret), source, bodies.verify)

    def open_to(
        self, source: Readable, target: Writable, *, secret: ReaderSecret | None = None, pace: Pace = USUAL
    ) -> Opened[Standing]:
        """Write the content of a sealed document to another file object, in one pass, as from a pipe.

        The author is known only at the end. Use what was written after this has returned, and not before: if
        it raises, a seekable target is as it was. Raises as `open` does.
        """
        bodies = Bodies(self._shelf)
        return open_to(bodies.front(source, secret), source, target, bodies.verify, pace)

    def author(self, signed_by: SignedBy) -> str | None:
        """Return the name of the contact that sealed a document, or this user's; None for nobody known."""
        user_id = signed_by.signer.user_id
        with self._user.transaction():
            if user_id == self._user.user_id:
                return self._user.name
            contact = ListsOnRecord(self._shelf.desk.book).contact(user_id)
            return None if contact is None else contact.name

    # --- sharing ----------------------------------------------------------------------------------

    def share(
        self,
        document: bytes,
        readers: Iterable[Reader],
        *,
        version: int | None = None,
        conditions: Conditions | None = None,
    ) -> Shared:
        """Grant a document that this user can read to more readers. The sealed file is not touched.

        A reader is the name of a contact, a LinkSecret, a Password, ProvisionalKeys, or what
        `Collections.reader` returns. `version` is the newest one on record by default. Deliver the grants of
        the result. Raises NoGrant if this user cannot read it, UsageError for a name that is no contact,
        ContactFrozen.
        """
        with self._user.transaction():
            subject, key = self._shelf.first_key(SubjectKind.DOCUMENT, require_subject_id(document), version)
            return self._shelf.grant(subject, key, readers, conditions or Conditions())

    def take(self, items: Iterable[bytes], *, revoked: bool = False) -> Taken:
        """Take grants and notes about grants, encoded, from wherever they came. All are kept, or none.

        `revoked` is for grants that were made before their device was revoked: those that another device of
        this user hands over, for example. Raises MalformedMessage, UnsupportedVersion, InvalidSignature;
        UnknownAuthor if device lists of a granter have to be learned first; SignerRevoked, ContactFrozen.
        """
        with self._user.transaction():
            taking = Taking(self._shelf, revoked=revoked)
            taking.take(items)
            return Taken(self._shelf.shown(taking.grants), tuple(taking.withdrawn))

    def export(self) -> Iterator[bytes]:
        """Yield all grants and notes in the store, for another device of this user.

        Give them to `User.archive`, and what the other device reads from it to `take(..., revoked=True)`.
        """
        with self._user.transaction():
            items = tuple(self._shelf.book.all())
        yield from items

    def claim(self, grants: Iterable[bytes], secret: ReaderSecret) -> Shared:
        """Take grants to a link, a password or a provisional recipient, and make them this user's own.

        Each is verified, opened with the secret, and granted to this user, so that the secret is not needed
        again. The same claim again makes nothing more, and returns the own grants that it made. Raises as
        `take`, and NoGrant if the secret opens none of them.
        """
        with self._user.transaction():
            decoded = [Grant.decode(each) for each in grants]
            Taking(self._shelf).take(each.encode() for each in decoded)
            own = claimed(self._shelf, decoded, secret)
            if not own:
                raise NoGrant("the secret opens none of these grants: ask for the right one")
            return self._shelf.result(own)

    # --- what was granted -------------------------------------------------------------------------

    def grants(self, document: bytes, version: int | None = None) -> tuple[Granted, ...]:
        """Return the grants of a document that are on record, those of one version or of all."""
        id_ = require_subject_id(document)
        with self._user.transaction():
            found = (
                self._shelf.book.of_subject(SubjectKind.DOCUMENT, id_)
                if version is None
                else self._shelf.book.of_number(SubjectKind.DOCUMENT, id_, version)
            )
            return self._shelf.shown(found)

    def versions(self, document: bytes) -> tuple[Version, ...]:
        """Return the versions of a document that grants on record name, the oldest first."""
        id_ = require_subject_id(document)
        with self._user.transaction():
            found = self._shelf.book.of_subject(SubjectKind.DOCUMENT, id_)
            known = [each.grant.terms.subject for each in found]
        bodies = dict.fromkeys((each.number, each.commitment) for each in known)
        return tuple(Version(id_, number, commitment) for number, commitment in bodies)

    def blob_name(self, document: bytes, version: int | None = None) -> str:
        """Return the name under which a storage of blobs keeps a version, by default the newest one.

        It is a secret of its readers, and tells nothing of the document. Raises NoGrant, UsageError.
        """
        id_ = require_subject_id(document)
        with self._user.transaction():
            names = blob_names(self._shelf, id_, version)
        if not names:
            raise NoGrant("the granted key is none of a document: ask its granter for another one")
        return names[0]

    def access_record(self, document: bytes) -> bytes:
        """Return who was granted what, by whom, when and why, as signed JSON.

        `verify_access_record` checks it with device lists alone. Raises UsageError if nothing is on record.
        """
        id_ = require_subject_id(document)
        with self._user.transaction():
            return access_record(self._shelf.desk, self._shelf.book, SubjectKind.DOCUMENT, id_)

    # --- taking back ------------------------------------------------------------------------------

    def withdraw(self, grants: Iterable[bytes], *, reason: str = "") -> tuple[bytes, ...]:
        """Withdraw grants that this user made, by their hashes. Return notes to deliver to their readers.

        Servers and honest software open nothing with them any more, and the next version is not granted to
        these readers. What was read stays read. Raises UsageError for grants of others, or none.
        """
        with self._user.transaction():
            return tuple(
                each.encode() for each in withdraw(self._shelf.desk, self._shelf.book, grants, reason)
            )

    def erase(self, document: bytes, *, reason: str = "") -> tuple[bytes, ...]:
        """Destroy every key of a document that this store holds, and return the signed certificate.

        Deliver it to this user's other devices, which do the same, and to the readers, whose grants by this
        user are withdrawn. Copies that were exported, or read, are not reached. Raises UsageError if nothing
        of the document is on record.
        """
        id_ = require_subject_id(document)
        with self._user.transaction():
            notes = erase(self._shelf.desk, self._shelf.book, SubjectKind.DOCUMENT, id_, reason)
            return tuple(each.encode() for each in notes)

    # --- many small items -------------------------------------------------------------------------

    def begin_items(
        self, readers: Iterable[Reader] = (), *, conditions: Conditions | None = None
    ) -> tuple[ItemSession, Shared]:
        """Begin a session of small items, granted once to this user and these readers.

        Use the session to seal and open any number of items. Raises as `share` does.
        """
        with self._user.transaction():
            entropy = self._shelf.desk.environment.entropy
            id_, key = entropy(SUBJECT_ID_BYTES), ItemKey(entropy(KEY_BYTES))
            subject = Subject(SubjectKind.SESSION, id_, 0, session_commitment(key, id_))
            shared = self._shelf.begin(subject, GrantedKey(key.expose()), readers, conditions or Conditions())
            return ItemSession(id_, key, entropy), shared

    def items(self, session: bytes) -> ItemSession:
        """Return a session that was granted to this user, by its id. Raises NoGrant."""
        id_ = require_subject_id(session)
        with self._user.transaction():
            subject, key = self._shelf.first_key(SubjectKind.SESSION, id_, 0)
            return checked_session(subject, key, self._shelf.desk.environment.entropy)

    def share_items(
        self, session: bytes, readers: Iterable[Reader], *, conditions: Conditions | None = None
    ) -> Shared:
        """Grant a session of items to more readers. Raises as `share` does."""
        with self._user.transaction():
            subject, key = self._shelf.first_key(SubjectKind.SESSION, require_subject_id(session), 0)
            checked_session(subject, key, self._shelf.desk.environment.entropy)
            return self._shelf.grant(subject, key, readers, conditions or Conditions())

    def __repr__(self) -> str:
        return f"<Documents of {self._user.address}>"


def shelf_behind(documents: Documents) -> Shelf:
    """Return the shelf of a user's documents, for the rooms that stand on this one."""
    return documents._shelf  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
