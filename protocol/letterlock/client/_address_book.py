"""The address book: what this device has shared with people who have no account yet, in the store.

    begun         the identity to grant to: the same one as long as it is open, else a new row     [PRV-10]
    granted       a grant to both keys, its row and its parcel, in ONE transaction
    given_on      what was granted to an identity, granted to the user who has claimed it           [PRV-8]
    withdrawn     notes about the grants, and the row that withdraws the identity                   [PRV-6]
    invitation    what the person needs beside the document                                         [PRV-9]

Every method runs inside a transaction of the store. Not here: the servers (_client_addresses.py).
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.grant import GrantRecord
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.grant import GrantTerms
from letterlock._wire.grant_recipient import UserRecipient
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.mail_address import one_form
from letterlock._wire.parcel import Introduction, ItemKind, ParcelItem, encode_contents
from letterlock._wire.recovery_limits import PROVISIONAL_LIFE
from letterlock.client._address_rows import MAX_INVITED_GRANTS, AddressTables, Invited, InvitedState
from letterlock.client._address_values import PersonAddress, SharedAddress
from letterlock.client._office import Office
from letterlock.documents import Conditions, NoGrant, ProvisionalKeys, Shared
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._targets import Reader
from letterlock.errors import UsageError
from letterlock.limits import DAY
from letterlock.recovery import NewIdentity, OwnerSecret, ServerAtFault
from letterlock.user._user import desk_behind

USUAL_LIFE = 30 * DAY
"""Seconds in which a person can claim what was shared, unless the application says otherwise."""


Opened = Callable[[], tuple[Subject, GrantedKey]]
"""Returns what is to be shared, with its key, inside a transaction. Raises NoGrant, UsageError."""


class AddressBook(Uncopyable):
    """What one client has shared with addresses."""

    __slots__ = ("_desk", "_documents", "_office", "_rows")

    def __init__(self, office: Office, rows: AddressTables) -> None:
        self._office = office
        self._documents = office.documents
        self._desk = desk_behind(office.queue.user)
        self._rows = rows

    # --- identities -----------------------------------------------------------------------------------

    def begun(self, address: PersonAddress, until: int | None, opened: Opened, key_server: str) -> bytes:
        """Return the id of the identity to grant to, with its row in the store. [PRV-10]

        Raises UsageError for what is no address or no end, and what `opened` raises.
        """
        now = self._desk.now()
        opened()
        if until is not None and not now < until <= now + PROVISIONAL_LIFE:
            raise UsageError("`until` is within 366 days from now, in seconds since 1970")
        for id_, row in self._of(address):
            is_open = row.state is InvitedState.OPEN and (row.user_id is not None or self._has_room(row, now))
            if is_open and until in (None, row.end) and row.key_server == key_server:
                return id_
        owner, end = OwnerSecret(self._desk.environment.entropy(KEY_BYTES)), until or now + USUAL_LIFE
        new = NewIdentity.begin(address.text, end, owner, self._desk.environment.entropy, kind=address.kind)
        row = Invited(address.kind, address.text, end, owner, key_server=key_server)
        self._rows.save_invited(new.request.id, row)
        return new.request.id

    def row(self, id_: bytes) -> Invited:
        """Return the row of an identity. Raises UsageError if another program has deleted it."""
        row = self._rows.invited.load(id_)
        if row is None:
            raise UsageError("the identity is over, or was withdrawn: share again")
        return row

    def rows(self) -> list[tuple[bytes, Invited]]:
        """Return all rows, those that end first. What has long ended is forgotten."""
        self._rows.invited.delete_due(self._desk.now())
        return self._rows.invited.due()

    def asked(self, id_: bytes) -> NewIdentity:
        """Return the identity of a row, as both servers are asked for it."""
        row = self.row(id_)
        return NewIdentity.again(row.address, id_, row.end, row.owner, kind=row.kind)

    def half_claimed(self, id_: bytes) -> None:
        """Note that only one server names a user: nothing more is granted to this identity. [PRV-8]"""
        self._rows.save_invited(id_, replace(self.row(id_), state=InvitedState.HALF))

    def claimed(self, id_: bytes, user_id: bytes) -> bool:
        """Note who has claimed an identity; return whether that is new. Raises ServerAtFault. [PRV-8]"""
        row = self.row(id_)
        if row.user_id not in (None, user_id):
            raise ServerAtFault(0, "the two name another user for this identity than before")
        self._rows.save_invited(id_, replace(row, user_id=user_id))
        return row.user_id is None

    def document(self, id_: bytes, version: int | None) -> tuple[Subject, GrantedKey]:
        """Return a document with its key. Raises NoGrant, and UsageError for what is no document. [PRV-15]"""
        documents = self._documents
        try:
            return documents.shelf.first_key(SubjectKind.DOCUMENT, id_, version)
        except NoGrant:
            if any(each.id == id_ for each in documents.collections.all()):
                raise UsageError(
                    "a collection has users as members: share its documents, and add whoever claims them"
                ) from None
            if documents.json.versions(id_):
                raise UsageError("a JSON document is shared by sections: use `share_section`") from None
            raise

    def reader(self, user_id: bytes) -> str | None:
        """Return the contact that is a user, or None."""
        contacts = self._office.queue.user.contacts()
        return next((each.name for each in contacts if each.user_id == user_id), None)

    # --- grants ---------------------------------------------------------------------------------------

    def granted(self, id_: bytes, keys: ProvisionalKeys, opened: Opened, purpose: str) -> Shared:
        """Grant something to an identity. Raises ServerAtFault for other keys than before."""
        row, digest = self.row(id_), _digest(keys)
        if row.state is not InvitedState.OPEN:
            raise UsageError("the identity was withdrawn meanwhile: share again")
        if row.keys is not None and row.keys != digest:
            server = 1 if row.keys[:HASH_BYTES] != digest[:HASH_BYTES] else 2
            raise ServerAtFault(server, "it gives another key for this identity than before")
        conditions = Conditions(purpose, row.end)
        made = self.shared(opened, keys, conditions)
        hashes = tuple(each.hash for each in made.grants)
        self._rows.save_invited(id_, replace(row, keys=digest, grants=(*row.grants, *hashes)))
        return made

    def given_on(self, id_: bytes, reader: str) -> Shared:
        """Grant to a contact what was granted to the identity that is this contact's by now. [PRV-8]

        What this user cannot open any more waits in the row: somebody may have taken it back.
        """
        row, made, left = self.row(id_), list[Shared](), list[bytes]()
        for each in self._standing(row):
            try:
                made.append(self._given(each.grant.terms, reader))
            except NoGrant:
                left.append(each.grant.hash)
        self._rows.save_invited(id_, replace(row, grants=tuple(left)))
        return Shared(
            tuple(wire for each in made for wire in each.wire),
            tuple(grant for each in made for grant in each.grants),
            tuple(dict.fromkeys(need for each in made for need in each.needs)),
        )

    def shared(self, opened: Opened, reader: Reader, conditions: Conditions) -> Shared:
        """Grant something that is open here to a reader. Raises what `Documents.share` does."""
        shelf = self._documents.shelf
        return self._documents.shared(lambda: shelf.grant(*opened(), [reader], conditions))

    def _given(self, terms: GrantTerms, reader: str) -> Shared:
        subject, conditions = terms.subject, Conditions(terms.purpose)
        shelf = self._documents.shelf
        return self.shared(lambda: (subject, shelf.finder().key(subject)), reader, conditions)

    def invitation(self, id_: bytes) -> bytes:
        """Return all that was granted to an identity, and by whom, for the person. [PRV-9]"""
        own = Introduction(self._office.queue.user.user_id, self._office.queue.user.name)
        grants = [ParcelItem(ItemKind.GRANT, each.grant.encode()) for each in self._standing(self.row(id_))]
        return encode_contents([ParcelItem(ItemKind.INTRODUCTION, own.encode()), *grants])

    def shown(self) -> tuple[SharedAddress, ...]:
        """Return what stands in the rows, as an application sees it."""
        return tuple(
            SharedAddress(
                id_,
                PersonAddress(row.address, row.kind),
                row.end,
                tuple(each.grant.hash for each in self._standing(row)),
                row.user_id,
                row.state is InvitedState.WITHDRAWN,
            )
            for id_, row in self.rows()
        )

    def claims_shown(self) -> dict[bytes, frozenset[bytes]]:
        """Return identities that somebody may have claimed, each with the grants that suggest it.

        Whoever claims shows the granter a grant of the same that they made to themselves. It proves nothing.
        """
        now, found = self._desk.now(), dict[bytes, frozenset[bytes]]()
        for id_, row in self.rows():
            if row.user_id is None and row.state is not InvitedState.WITHDRAWN and row.end >= now:
                subjects = {each.grant.terms.subject for each in self._standing(row)}
                shown = frozenset(chain.from_iterable(map(self._kept_by_others, subjects)))
                if shown:
                    found[id_] = shown
        return found

    def _kept_by_others(self, subject: Subject) -> Iterator[bytes]:
        """Yield the hashes of grants of a subject that other users made to themselves."""
        own = self._office.queue.user.user_id
        for each in self._documents.shelf.book.of_number(subject.kind, subject.id, subject.number):
            terms = each.grant.terms
            by = terms.signer.user_id
            is_kept = isinstance(terms.recipient, UserRecipient) and terms.recipient.user_id == by != own
            if is_kept and terms.subject == subject:
                yield each.grant.hash

    def key_servers(self) -> list[str]:
        """Return the URLs of the key servers that hold identities of this device."""
        return list(dict.fromkeys(row.key_server for _, row in self.rows()))

    # --- taking back ----------------------------------------------------------------------------------

    def withdrawn(self, address: PersonAddress, document: bytes | None, reason: str) -> list[bytes]:
        """Withdraw what nobody has claimed, as far as is known; return the identities that it was granted to.

        An identity ends when no grant to it is left. Raises UsageError if nothing is shared with the address.
        [PRV-6]
        """
        found = list[bytes]()
        for id_, row in self._of(address):
            if row.user_id is not None:
                continue
            standing = list(self._standing(row))
            gone = [each for each in standing if document in (None, each.grant.terms.subject.id)]
            if row.state is not InvitedState.WITHDRAWN and not gone and (document is not None or standing):
                continue
            found.append(id_)
            if gone:
                self._documents.withdraw([each.grant.hash for each in gone], reason)
            if len(gone) == len(standing):
                self._rows.save_invited(id_, replace(row, state=InvitedState.WITHDRAWN, grants=()))
        if not found:
            raise UsageError("nothing that waits to be claimed is shared with this address")
        return found

    def ending(self, key_server: str) -> list[bytes]:
        """Return identities that a server has not ended yet, of those at this key server."""
        rows = [each for each in self.rows() if each[1].key_server == key_server]
        return [id_ for id_, row in rows if row.state is InvitedState.WITHDRAWN]

    def ended(self, id_: bytes, server: int) -> None:
        """Note that a server has ended an identity; when both have, forget it."""
        row = self.row(id_).after_server(server)
        if row.told == 3:
            self._rows.invited.delete(id_)
        else:
            self._rows.save_invited(id_, row)

    # --- inside ---------------------------------------------------------------------------------------

    def _of(self, address: PersonAddress) -> list[tuple[bytes, Invited]]:
        """Return the rows of an address, the one that ends last first. [PRV-13]"""
        rows, form = self.rows(), _form(address.kind, address.text)
        return [(id_, row) for id_, row in reversed(rows) if _form(row.kind, row.address) == form]

    @staticmethod
    def _has_room(row: Invited, now: int) -> bool:
        return now < row.end and len(row.grants) < MAX_INVITED_GRANTS

    def _standing(self, row: Invited) -> Iterator[GrantRecord]:
        """Yield the grants to an identity that are on record and were not withdrawn."""
        for each in row.grants:
            record = self._documents.shelf.book.load(each)
            if record is not None and record.withdrawn is None:
                yield record


def _form(kind: str, address: str) -> tuple[str, str]:
    return kind, one_form(kind, address)  # PRV-13


def _digest(keys: ProvisionalKeys) -> bytes:
    return hashlib.sha256(keys.first).digest() + hashlib.sha256(keys.second).digest()
