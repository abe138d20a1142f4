"""Finding the key of a subject: keys are not stored, so a grant is opened each time.

    user          the seed of the document key that the grant names
    collection    the epoch key, which collections find
    link, password, provisional      a secret that the caller has
    unknown kind  skipped, and kept                                                                  [DOC-34]

A grant that was withdrawn or has expired opens nothing. [DOC-44]

Not here: whether a key opens the document itself, which its header tells.
"""

import hashlib
from collections.abc import Container, Iterator, Sequence
from itertools import chain
from typing import Protocol, TypeAlias

from letterlock._primitives.xwing import XWingKeyPair
from letterlock._records.grant import GrantRecord
from letterlock._wire.grant import Grant
from letterlock._wire.grant_limits import SUBJECT_ID_BYTES
from letterlock._wire.grant_recipient import (
    CollectionRecipient,
    LinkRecipient,
    PasswordRecipient,
    ProvisionalRecipient,
    UserRecipient,
)
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock.documents._errors import NoGrant
from letterlock.documents._grant_book import GrantBook
from letterlock.documents._granted_key import (
    GrantedKey,
    WrapSecret,
    open_halves,
    open_under,
    open_with_key,
)
from letterlock.documents._item_session import fits_session
from letterlock.documents._json_keys import fits_section
from letterlock.documents._secrets import (
    LinkSecret,
    Password,
    ProvisionalSeeds,
    link_recipient,
    password_secret,
    provisional_recipient,
)
from letterlock.errors import PeerError, UsageError
from letterlock.user._book import device_of
from letterlock.user._desk import Desk
from letterlock.user._document_seeds import document_key_pair
from letterlock.user._rules import rights

ReaderSecret: TypeAlias = LinkSecret | Password | ProvisionalSeeds
"""What opens grants that are for nobody with an account."""


class CollectionSecrets(Protocol):
    """What collections offer: the secret under which a key is sealed for an epoch."""

    def secret(self, collection: bytes, epoch: int) -> WrapSecret | None:
        """Return the secret of an epoch, or None if this user does not have it."""
        ...

    def may_have_written(self, collection: bytes, epoch: int, user_id: bytes) -> bool:
        """Return whether a user could write in an epoch."""
        ...


class KeyFinder:
    """Opens the grants of one store. For use inside one transaction."""

    __slots__ = ("_book", "_collections", "_desk", "_now", "_pairs", "_seeds", "_user_id")

    def __init__(self, desk: Desk, book: GrantBook, collections: CollectionSecrets | None = None) -> None:
        own = desk.book.own()
        self._desk = desk
        self._book = book
        self._collections = collections
        self._now = desk.now()
        self._user_id = own.pin.user_id
        self._seeds = dict(own.seeds)
        self._pairs: dict[int, XWingKeyPair] = {}

    def key(self, subject: Subject, secret: ReaderSecret | None = None) -> GrantedKey:
        """Return the key of a subject from the first grant that opens. Raises NoGrant."""
        for _, key in self.keys(subject, secret):
            return key
        raise self.refusal(subject)

    def keys(
        self, subject: Subject, secret: ReaderSecret | None = None, among: Container[bytes] | None = None
    ) -> Iterator[tuple[GrantRecord, GrantedKey]]:
        """Yield each grant that opens, with its key. Grants whose key was in use already come first.

        With `among`, only grants with these hashes are opened.
        """
        place = (subject.kind, subject.id, subject.number)
        for record in chain(self._book.mine(*place), self._book.for_others(*place)):
            open_to_us = record.withdrawn is None and not self._expired(record.grant)
            is_wanted = among is None or record.grant.hash in among
            if open_to_us and is_wanted and record.grant.terms.subject == subject:
                key = self.opened(record.grant, secret)
                if key is not None and is_committed(subject, key):
                    yield record, key

    def opened(self, grant: Grant, secret: ReaderSecret | None = None) -> GrantedKey | None:
        """Return the key in a grant, or None if this device cannot open it."""
        try:
            return self._opened(grant, secret)
        except PeerError:
            return None

    def refusal(self, subject: Subject) -> NoGrant:
        """Return why there is no key."""
        if self._book.subject(subject.kind, subject.id).erased:
            return NoGrant("its keys were destroyed in this store: it cannot be read here any more")
        own = device_of(self._desk.book.own().pin, self._desk.device_id)
        if own is not None and not rights(own).reads_documents:
            return NoGrant("a device of class limited has no document seeds: use a full device")
        return NoGrant(self._reason(subject))

    def _reason(self, subject: Subject) -> str:
        known = list(self._book.of_number(subject.kind, subject.id, subject.number))
        records = [each for each in known if each.grant.terms.subject == subject]
        notes = self._book.subject(subject.kind, subject.id).notes
        if any(each.withdrawn is not None for each in records) or (notes and not records):
            return "the grant was withdrawn: ask its granter for another one"
        if any(self._expired(each.grant) for each in records):
            return "the grant has expired: ask its granter for another one"
        if any(self._book.is_mine(each.grant) for each in records):
            return "the seed of the granted document key is not here: receive messages first"
        if known and not records:
            return "the grants on record are for another body of this version: ask for a new one"
        return "nothing on record grants this to this user: take the grants that were sent"

    def _expired(self, grant: Grant) -> bool:
        end = grant.terms.valid_until
        return end is not None and end < self._now

    def _opened(self, grant: Grant, secret: ReaderSecret | None) -> GrantedKey | None:
        terms, sealed = grant.encoded_terms, grant.sealed
        recipient = grant.terms.recipient
        match recipient:
            case UserRecipient():
                pair = self._pair(recipient)
                return None if pair is None else open_with_key(pair, terms, sealed)
            case CollectionRecipient(id=id_, epoch=epoch):
                found = self._epoch_secret(grant, id_, epoch)
                return None if found is None else open_under(found, terms, sealed)
            case _:
                return None if secret is None else open_by_secret(grant, secret)

    def _epoch_secret(self, grant: Grant, collection: bytes, epoch: int) -> WrapSecret | None:
        """Return the secret of an epoch, unless the granter could not write in it. [DOC-81]

        The keys of an epoch are compared with its log, so whoever granted them does not matter.
        """
        known = self._collections
        if known is None:
            return None
        is_epoch = grant.terms.subject.kind == SubjectKind.COLLECTION
        if is_epoch or known.may_have_written(collection, epoch, grant.terms.signer.user_id):
            return known.secret(collection, epoch)
        return None

    def _pair(self, recipient: UserRecipient) -> XWingKeyPair | None:
        """Return the key pair of the document key that a grant names, or None. [DOC-40]"""
        seed = self._seeds.get(recipient.generation)
        if recipient.user_id != self._user_id or seed is None:
            return None
        pair = self._pairs.get(recipient.generation)
        if pair is None:
            pair = self._pairs[recipient.generation] = document_key_pair(seed)
        return pair if hashlib.sha256(pair.public.data).digest() == recipient.key_hash else None


def open_by_secret(grant: Grant, secret: ReaderSecret) -> GrantedKey | None:
    """Return the key in a grant for a link, a password or a provisional recipient; None if it is another's.

    This needs no account. Raises MalformedMessage, AuthenticationFailed for a wrong password, and StoreError
    if Argon2id does not get its memory.
    """
    match grant.terms.recipient, secret:
        case LinkRecipient() as link, LinkSecret():
            mine = link == link_recipient(secret)
            return open_under(WrapSecret(secret.expose()), *_parts(grant)) if mine else None
        case PasswordRecipient(parameters=parameters), Password():
            return open_under(password_secret(secret, parameters), *_parts(grant))
        case ProvisionalRecipient() as recipient, ProvisionalSeeds():
            pairs = secret.pairs
            keys = [each.public.data for each in pairs]
            mine = recipient == provisional_recipient(secret.id, *keys)
            return open_halves(pairs, *_parts(grant)) if mine else None
        case _:
            return None


def is_committed(subject: Subject, key: GrantedKey) -> bool:
    """Return False for a key that cannot be the one of its subject.

    What a document commits to is known when its header is read, and an epoch's commitment is in its log.
    """
    if subject.kind == SubjectKind.SECTION:
        return fits_section(subject, key)
    return subject.kind != SubjectKind.SESSION or fits_session(subject, key)


def require_subject_id(id_: bytes) -> bytes:
    """Return an id that an application gave. Raises UsageError for what is none."""
    if type(id_) is not bytes or len(id_) != SUBJECT_ID_BYTES:
        raise UsageError(f"the id of a document or session is {SUBJECT_ID_BYTES} bytes")
    return id_


def _parts(grant: Grant) -> Sequence[bytes]:
    return grant.encoded_terms, grant.sealed
