"""What `Documents` returns: grants as an application sees them, and what was made or taken.

    Granted     one grant: what, for whom, by whom, when, why, until when
    Version     one version of a document, as grants name it
    Shared      grants that were made, for the application to deliver
    Taken       what came in

Not here: encodings (_wire/grant.py).
"""

from collections.abc import Iterator
from dataclasses import field

from letterlock._primitives.dataclass import dataclass
from letterlock._records.grant import GrantRecord
from letterlock._wire.grant_recipient import (
    CollectionRecipient,
    LinkRecipient,
    ProvisionalRecipient,
    RecipientKind,
    UserRecipient,
)
from letterlock._wire.grant_subject import SUBJECT_KINDS, SubjectKind
from letterlock.documents._signing import ListsOnRecord
from letterlock.user._values import Need


@dataclass(frozen=True, slots=True)
class Granted:
    """One grant. `hash` names it, 32 bytes; `id`, 16 bytes, is that of the document, collection or session.

    `kind` and `recipient` say what was granted and to whom, as numbers if this release does not know them.
    `reader` is the name of a contact or of this user, None for others; `reader_id` is the user id, or the id
    of a collection, a link or a provisional recipient; None for a password. `granter` is a name, or None for
    a user who is no contact, and `granter_id` the user id. Times are in seconds since 1970 (UTC), as the
    granter's device gave them. `signer_revoked` says that the device was revoked when the grant was taken.
    """

    hash: bytes
    kind: SubjectKind | int
    id: bytes
    version: int
    recipient: RecipientKind | int
    reader: str | None
    reader_id: bytes | None = field(repr=False)
    granter: str | None
    granter_id: bytes = field(repr=False)
    device: int
    issued: int
    purpose: str
    valid_until: int | None
    withdrawn: int | None
    signer_revoked: bool


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a document. `commitment`, 32 bytes, is the header tag of its body.

    A version that was granted with two commitments is listed twice: somebody sealed a second body for it.
    """

    document: bytes
    version: int
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Shared:
    """Grants that were made. Each is about 7 KiB; deliver it to its reader, and to this user's other devices.

    Iterating yields the encoded grants. `needs` are device lists that the directory did not confirm for a
    day: a device that was revoked since could read. `wire` has the grants in the order of the readers.
    """

    wire: tuple[bytes, ...] = field(repr=False)
    grants: tuple[Granted, ...]
    needs: tuple[Need, ...] = ()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.wire)

    def __len__(self) -> int:
        return len(self.wire)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was new among grants and notes that came in. `withdrawn` names grants by their hashes."""

    grants: tuple[Granted, ...]
    withdrawn: tuple[bytes, ...] = ()


def granted(record: GrantRecord, lists: ListsOnRecord, own_name: str, own_id: bytes) -> Granted:
    """Return a grant on record as an application sees it."""
    terms = record.grant.terms

    def name(user_id: bytes) -> str | None:
        if user_id == own_id:
            return own_name
        contact = lists.contact(user_id)
        return None if contact is None else contact.name

    kind, reader, reader_id = _reader(record)
    subject, signer = terms.subject, terms.signer
    return Granted(
        record.grant.hash,
        SUBJECT_KINDS.get(subject.kind, subject.kind),
        subject.id,
        subject.number,
        kind,
        None if reader is None else name(reader),
        reader_id,
        name(signer.user_id),
        signer.user_id,
        signer.device_id,
        terms.issued,
        terms.purpose,
        terms.valid_until,
        record.withdrawn,
        record.revoked,
    )


def _reader(record: GrantRecord) -> tuple[RecipientKind | int, bytes | None, bytes | None]:
    """Return the kind of the recipient, its user id, and the id that names it."""
    match record.grant.terms.recipient:
        case UserRecipient(user_id=user_id):
            return RecipientKind.USER, user_id, user_id
        case CollectionRecipient(id=id_):
            return RecipientKind.COLLECTION, None, id_
        case LinkRecipient(id=id_):
            return RecipientKind.LINK, None, id_
        case ProvisionalRecipient(id=id_):
            return RecipientKind.PROVISIONAL, None, id_
        case other:
            return getattr(other, "kind", RecipientKind.PASSWORD), None, None
