"""Making grants: one call makes any number of them, with one signature.

    1. the terms of each, which name the one before                                                  [DOC-41]
    2. the key, sealed for each
    3. one tree over all, and one signature of its root                                              [DOC-32]

Every function runs inside the caller's transaction. Not here: for whom (_targets.py); where they are kept
(_grant_book.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from letterlock._wire.grant import MAX_TIME, Grant, GrantTerms, grant_hash, grant_leaf
from letterlock._wire.grant_limits import MAX_GRANTS_AT_ONCE, MAX_PURPOSE
from letterlock._wire.grant_subject import Subject
from letterlock._wire.place import Place
from letterlock._wire.signed_by import SignedBy
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._leaves import sign_leaves
from letterlock.documents._signing import signer_of
from letterlock.documents._targets import Target
from letterlock.errors import UsageError
from letterlock.user._desk import Desk


@dataclass(frozen=True, slots=True)
class Conditions:
    """Why a key is given, and until when.

    `purpose` is a text of up to 64 printable characters. After `valid_until`, in seconds since 1970 (UTC),
    the library opens nothing with the grant; a reader can have kept the key. The own grant has no
    end. Raises UsageError for others.
    """

    purpose: str = ""
    valid_until: int | None = None

    def __post_init__(self) -> None:
        text = self.purpose
        if type(text) is not str or len(text) > MAX_PURPOSE or not text.isprintable():
            raise UsageError(f"a purpose is a text of up to {MAX_PURPOSE} printable characters")
        end = self.valid_until
        if end is not None and (type(end) is not int or not 0 <= end <= MAX_TIME):
            raise UsageError("valid_until must be whole seconds since 1970, as an int")


class Unsigned(NamedTuple):
    """A grant before it has a place in a tree."""

    terms: GrantTerms
    encoded: bytes
    sealed: bytes
    leaf: bytes
    hash: bytes

    @classmethod
    def of(cls, terms: GrantTerms, sealed: bytes, encoded: bytes) -> "Unsigned":
        """Return the grant of terms, which `encoded` encodes, and a sealed key."""
        leaf = grant_leaf(encoded, sealed)
        return cls(terms, encoded, sealed, leaf, grant_hash(leaf))

    def signed(self, place: Place, signed_by: SignedBy) -> Grant:
        """Return the grant with its place under a signature."""
        return Grant(self.terms, self.sealed, place, signed_by, self.encoded, self.leaf, self.hash)


def unsigned_grants(
    desk: Desk,
    subject: Subject,
    key: GrantedKey,
    targets: Sequence[tuple[Target, Conditions]],
    before: bytes | None,
) -> list[Unsigned]:
    """Return grants of a key that are not signed yet, for a caller that signs other leaves beside them.

    `before` is the hash of the grant that this device made last for the subject. Raises UsageError.
    """
    if len(targets) > MAX_GRANTS_AT_ONCE:
        raise UsageError(f"one call makes {MAX_GRANTS_AT_ONCE} grants at most: use a collection")
    signer, issued = signer_of(desk), desk.now()
    made: list[Unsigned] = []
    for target, conditions in targets:
        terms = GrantTerms(
            subject, target.recipient, signer, issued, conditions.purpose, conditions.valid_until, before
        )
        encoded = terms.encode()
        made.append(Unsigned.of(terms, target.seal(encoded, key), encoded))
        before = made[-1].hash
    return made


def signed_grants(desk: Desk, made: Sequence[Unsigned]) -> list[Grant]:
    """Return grants with their places under one signature. [DOC-32]"""
    if not made:
        return []
    places, signed_by = sign_leaves(desk, [each.leaf for each in made])
    return [each.signed(place, signed_by) for each, place in zip(made, places, strict=True)]
