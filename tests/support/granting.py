"""People who grant things to each other, without bodies: a document is an id, a version and a key.

    begin       a version with a random key, granted to its author and to readers
    key_of      the key that a user's grants open, or NoGrant
    changed     a grant with other terms, signed by whoever made them

Not here: sealed files.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.grant import Grant, GrantTerms
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock.documents import Conditions, Documents, Shared
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._granting import Unsigned, signed_grants
from letterlock.documents._targets import Reader
from letterlock.user import User
from support.user_devices import Person, World, world

KEY: Final = GrantedKey(bytes(range(32)))


def subject(version: int = 1, id_: bytes = b"document id 16 B", commitment: bytes = bytes(32)) -> Subject:
    """Return a version of a document."""
    return Subject(SubjectKind.DOCUMENT, id_, version, commitment)


SUBJECT: Final = subject()


def begin(
    user: User,
    readers: Iterable[Reader] = (),
    what: Subject = SUBJECT,
    conditions: Conditions | None = None,
    key: GrantedKey = KEY,
) -> Shared:
    """Grant a new version to a user and to readers."""
    documents = Documents(user)
    with user.transaction():
        return documents._shelf.begin(what, key, readers, conditions or Conditions())


def key_of(user: User, what: Subject = SUBJECT) -> GrantedKey:
    """Return the key of a version. Raises NoGrant."""
    documents = Documents(user)
    with user.transaction():
        return documents._shelf.finder().key(what)


def changed(user: User, wire: bytes, sealed: bytes | None = None, **terms: Any) -> bytes:
    """Return a grant with other terms around the same sealed key, properly signed by `user`'s device."""
    grant = Grant.decode(wire)
    return signed(user, replace(grant.terms, **terms), grant.sealed if sealed is None else sealed)


def signed(user: User, terms: GrantTerms, sealed: bytes) -> bytes:
    """Return a grant of these terms and this sealed key, signed by `user`'s device."""
    made = Unsigned.of(terms, sealed, terms.encode())
    with user.transaction():
        return signed_grants(user._desk, [made])[0].encode()


def met(alices: int = 1, bobs: int = 1) -> World:
    """Return Alice, Bob, and Carol, who is nobody's contact yet."""
    made = world(alices, bobs)
    carol = Person("carol", made.clock)
    made.servers.join(carol)
    return made


def random_id() -> bytes:
    """Return an id that nobody has used."""
    return system_entropy(16)
