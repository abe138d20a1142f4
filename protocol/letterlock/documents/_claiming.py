"""Claiming: keys that a link, a password or provisional seeds open, granted to this user.

A key is taken from the grants that were given to claim, and from no other: anybody can send this user a grant
of the same subject with a key that opens nothing, and the right one would be lost with its secret. Where the
given grants hold several keys, each is kept, because only the body tells which is right.           [DOC-115]

Every function runs inside the caller's transaction. Not here: taking the grants (_taking.py).
"""

from collections.abc import Sequence

from letterlock._records.grant import GrantRecord
from letterlock._wire.grant import Grant
from letterlock._wire.grant_subject import Subject
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._key_finding import ReaderSecret
from letterlock.documents._shelf import Shelf


def claimed(shelf: Shelf, grants: Sequence[Grant], secret: ReaderSecret) -> list[GrantRecord]:
    """Return this user's own grants of what these grants hold, those that are new and those on record."""
    hashes, found = {each.hash for each in grants}, list[GrantRecord]()
    for subject in dict.fromkeys(each.terms.subject for each in grants):
        keys = list[GrantedKey]()
        for _, key in shelf.finder().keys(subject, secret, hashes):
            if key not in keys:
                keys.append(key)
        known = _own(shelf, subject) if keys else []
        for key in keys:
            there = [record for record, each in known if each == key]
            found += there[:1] or shelf.keep(subject, key)
    return found


def _own(shelf: Shelf, subject: Subject) -> list[tuple[GrantRecord, GrantedKey]]:
    """Return the standing grants of a subject by this user to this user, with their keys."""
    own = shelf.desk.book.own().pin.user_id
    return [
        (record, key)
        for record, key in shelf.finder().keys(subject)
        if record.grant.terms.signer.user_id == own and shelf.book.is_mine(record.grant)
    ]
