"""grant.*, note.*, link.*, item.*, access_record.*: who may open what, and small items under one key.

grant.open decodes and verifies a grant, opens it for one reader, and compares the key with its subject.

Not here: what is kept in a store between two questions.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from letterlock._primitives.secret import KEY_BYTES
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._records.collection_change import EpochKey
from letterlock._wire.grant import Grant
from letterlock._wire.grant_limits import SUBJECT_ID_BYTES
from letterlock._wire.grant_note import GrantNote, NoteAction
from letterlock._wire.grant_recipient import CollectionRecipient, UserRecipient, recipient_fields
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy
from letterlock.documents import (
    AccessEntry,
    ItemSession,
    LinkSecret,
    NoGrant,
    Password,
    ProvisionalSeeds,
    SignerRevoked,
    Standing,
    WrongGrantedKey,
    verify_access_record,
)
from letterlock.documents._epoch_keys import commitment
from letterlock.documents._granted_key import GrantedKey, WrapSecret, open_under, open_with_key
from letterlock.documents._item_session import ItemKey, checked_session, fits_session
from letterlock.documents._json_keys import fits_section
from letterlock.documents._key_finding import ReaderSecret, open_by_secret
from letterlock.documents._leaves import verify_leaf
from letterlock.documents._signing import KnownLists
from letterlock.errors import UsageError
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations.documents import opened_front
from letterlock_vectors.operations.known_lists import chains_of, lists_of, shown_signer


def _open(given: Input) -> Output:
    grant, lists = Grant.decode(given.hex("grant")), lists_of(given)
    standing = _standing(lists, grant.leaf, grant.place, grant.signed_by, revoked=given.flag("revoked"))
    _check_open(grant, lists, given)
    if grant.terms.subject.kind not in set(SubjectKind):
        raise NoGrant("the subject is of an unknown kind")  # DOC-34
    key = _key(grant, given.nested("reader"))
    if key is None:
        raise NoGrant("the grant is for somebody else")
    _check_key(grant.terms.subject, key, given.optional_hex("front"))
    return {"key": key.expose().hex(), "standing": standing.value} | _terms(grant)


def _standing(
    lists: KnownLists, leaf: bytes, place: Place, signed_by: SignedBy, *, revoked: bool
) -> Standing:
    standing = verify_leaf(lists, leaf, place, signed_by)
    if standing is Standing.REVOKED_SINCE and not revoked:
        raise SignerRevoked
    return standing


def _check_open(grant: Grant, lists: KnownLists, given: Input) -> None:
    """Raise NoGrant if the grant has ended or was withdrawn. [DOC-43] [DOC-44]"""
    terms = grant.terms
    for each in given.items("notes"):
        note = GrantNote.decode(unhex(each, "notes"))
        _standing(lists, note.leaf, note.place, note.signed_by, revoked=given.flag("revoked"))
        said = note.terms
        about = (said.subject_kind, said.subject_id) == (terms.subject.kind, terms.subject.id)
        named = said.action is NoteAction.ERASE or grant.hash in said.hashes
        if about and named and said.signer.user_id == terms.signer.user_id:
            raise NoGrant("the grant was withdrawn")
    if terms.valid_until is not None and terms.valid_until < given.number("now"):
        raise NoGrant("the grant has expired")


def _key(grant: Grant, reader: Input) -> GrantedKey | None:
    """Return the key in a grant, or None if it is not for this reader."""
    kind, recipient, parts = reader.text("kind"), grant.terms.recipient, (grant.encoded_terms, grant.sealed)
    if kind == "user":
        pair = XWingKeyPair(XWingSeed(reader.sized("seed", KEY_BYTES)))
        key_hash = hashlib.sha256(pair.public.data).digest()
        ours = UserRecipient(reader.sized("user_id", KEY_BYTES), reader.number("generation"), key_hash)
        return open_with_key(pair, *parts) if recipient == ours else None
    if kind == "collection":
        epoch = CollectionRecipient(reader.sized("id", SUBJECT_ID_BYTES), reader.number("epoch"))
        secret = WrapSecret(reader.sized("key", KEY_BYTES))
        return open_under(secret, *parts) if recipient == epoch else None
    return open_by_secret(grant, _secret(kind, reader))


def _secret(kind: str, reader: Input) -> ReaderSecret:
    match kind:
        case "link":
            return LinkSecret.from_fragment(reader.text("fragment"))
        case "password":
            return Password(reader.text("password"))
        case "provisional":
            seeds = (reader.sized(name, KEY_BYTES) for name in ("id", "first", "second"))
            return ProvisionalSeeds(*seeds)
        case _:
            raise UsageError("there is no reader of this kind")


def _check_key(subject: Subject, key: GrantedKey, front: bytes | None) -> None:
    """Check that a key is the one of its subject. [DOC-42]"""
    sound = len(key.expose()) == KEY_BYTES
    if subject.kind == SubjectKind.SESSION:
        sound = fits_session(subject, key)
    elif subject.kind == SubjectKind.SECTION:
        sound = fits_section(subject, key)
    elif subject.kind == SubjectKind.COLLECTION:
        sound = commitment(subject.number, EpochKey(key.expose()[:KEY_BYTES])) == subject.commitment
    if not sound:
        raise WrongGrantedKey
    if front is not None:
        found = opened_front(front, key.expose()).front
        if Subject(1, found.header.id, found.header.version, found.commitment) != subject:
            raise NoGrant("the grant is about something else")


def _terms(grant: Grant) -> Output:
    terms = grant.terms
    subject, (kind, data) = terms.subject, _pair(recipient_fields(terms.recipient))
    return {
        "hash": grant.hash.hex(),
        "subject": {
            "kind": int(subject.kind),
            "id": subject.id.hex(),
            "number": subject.number,
            "commitment": subject.commitment.hex(),
        },
        "recipient": {"kind": kind, "data": data.hex()},
        "signer": shown_signer(grant.signed_by),
        "issued": terms.issued,
        "purpose": terms.purpose,
        "valid_until": terms.valid_until,
        "before": _hex_or_null(terms.before),
    }


def _pair(value: object) -> tuple[int, bytes]:
    match value:
        case [int(kind), bytes(data)]:
            return kind, data
        case _:
            raise TypeError


def _hex_or_null(data: bytes | None) -> str | None:
    return None if data is None else data.hex()


def _read_note(given: Input) -> Output:
    note, lists = GrantNote.decode(given.hex("note")), lists_of(given)
    standing = _standing(lists, note.leaf, note.place, note.signed_by, revoked=given.flag("revoked"))
    terms = note.terms
    return {
        "hash": note.hash.hex(),
        "action": int(terms.action),
        "subject_kind": terms.subject_kind,
        "subject_id": terms.subject_id.hex(),
        "hashes": [each.hex() for each in terms.hashes],
        "count": terms.count,
        "signer": shown_signer(note.signed_by),
        "issued": terms.issued,
        "reason": terms.reason,
        "standing": standing.value,
    }


def _link(given: Input) -> Output:
    secret = LinkSecret.from_fragment(given.text("fragment"))
    return {"secret": secret.expose().hex(), "id": secret.id.hex()}


def _seal_item(given: Input) -> Output:
    def drawn(count: int) -> bytes:
        return given.sized("item_id", count)

    session = ItemSession(given.sized("session", SUBJECT_ID_BYTES), ItemKey(given.sized("key", 32)), drawn)
    return {"item": session.seal([given.hex("content")])[0].hex()}


def _open_item(given: Input) -> Output:
    subject = Subject(
        SubjectKind.SESSION, given.sized("session", SUBJECT_ID_BYTES), 0, given.sized("commitment", KEY_BYTES)
    )
    session = checked_session(subject, GrantedKey(given.hex("key")), lambda _: b"")
    return {"content": session.open([given.hex("item")])[0].hex()}


def _check_record(given: Input) -> Output:
    record = verify_access_record(given.text("record").encode(), chains_of(given))
    return {
        "kind": int(record.kind),
        "id": record.id.hex(),
        "made": record.made,
        "author": record.author_id.hex(),
        "device": record.device,
        "standing": record.standing.value,
        "grants": [_entry(each) for each in record.entries],
        "missing": [each.hex() for each in record.missing],
    }


def _entry(entry: AccessEntry) -> Output:
    return {
        "hash": entry.hash.hex(),
        "standing": entry.standing.value,
        "withdrawn": entry.withdrawn,
    }


OPERATIONS: Final[Mapping[str, Operation]] = {
    "access_record.check": _check_record,
    "grant.open": _open,
    "item.open": _open_item,
    "item.seal": _seal_item,
    "link.read": _link,
    "note.read": _read_note,
}
