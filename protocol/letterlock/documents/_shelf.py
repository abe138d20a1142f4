"""The shelf: what every part of documents works with. It finds keys and makes grants, over one user's store.

Every method runs inside the caller's transaction. Not here: the public object (_documents.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias

from letterlock._primitives.secret import Uncopyable
from letterlock._records.grant import GrantRecord
from letterlock._wire.grant import grant_hash
from letterlock._wire.grant_limits import MAX_GRANTS_AT_ONCE
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock.documents._grant_book import GrantBook
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._granting import Conditions, Unsigned, signed_grants, unsigned_grants
from letterlock.documents._key_finding import CollectionSecrets, KeyFinder
from letterlock.documents._signing import ListsOnRecord
from letterlock.documents._targets import Reader, Target, own_target, targets
from letterlock.documents._values import Granted, Shared, granted
from letterlock.errors import UsageError
from letterlock.user._desk import Desk
from letterlock.user._values import Need

Targets: TypeAlias = Sequence[tuple[Target, Conditions]]
"""Who gets a key, and under which conditions."""

NewSubject: TypeAlias = tuple[Subject, GrantedKey, Sequence[Reader], Conditions]
"""A new subject with its key, and who gets it."""


@dataclass(frozen=True, slots=True, repr=False)
class Shelf(Uncopyable):
    """One user's desk and grants, and what finds the keys of collections."""

    desk: Desk
    book: GrantBook
    collections: CollectionSecrets | None = None

    def finder(self) -> KeyFinder:
        """Return what opens grants."""
        return KeyFinder(self.desk, self.book, self.collections)

    def first_key(self, kind: SubjectKind, id_: bytes, number: int | None) -> tuple[Subject, GrantedKey]:
        """Return a subject that this user can open, and its key. Raises NoGrant.

        Without a number it is the newest whose key was in use, or the newest on record if none was: a granter
        can name any number [DOC-52]. Of two commitments, the one whose key was in use comes first.
        """
        number = self.book.newest(kind, id_) if number is None else number
        finder = self.finder()
        tried: dict[Subject, None] = {}
        for record in chain(self.book.mine(kind, id_, number), self.book.for_others(kind, id_, number)):
            subject = record.grant.terms.subject
            if subject not in tried:
                tried[subject] = None
                for _, key in finder.keys(subject):
                    return subject, key
        raise finder.refusal(next(iter(tried), Subject(kind, id_, number, bytes(32))))

    def begin(
        self, subject: Subject, key: GrantedKey, readers: Iterable[Reader], conditions: Conditions
    ) -> Shared:
        """Grant a new subject to this user and to readers. Raises as `targets` does."""
        found, needs = targets(self.desk, readers)
        records = self._made(subject, key, self._with_own(found, conditions), checked=True)
        return self.result(records, needs)

    def grant(
        self, subject: Subject, key: GrantedKey, readers: Iterable[Reader], conditions: Conditions
    ) -> Shared:
        """Grant a subject to more readers. Raises as `targets` does."""
        found, needs = targets(self.desk, readers)
        return self.result(self._made(subject, key, _each(found, conditions), checked=False), needs)

    def prepared(
        self, subject: Subject, key: GrantedKey, readers: Iterable[Reader], conditions: Conditions
    ) -> tuple[list[GrantRecord], list[Need]]:
        """Return grants of a new subject to this user and to readers, which are not on record yet."""
        found, needs = targets(self.desk, readers)
        unsigned = unsigned_grants(self.desk, subject, key, self._with_own(found, conditions), None)
        return [GrantRecord(each, checked=True) for each in signed_grants(self.desk, unsigned)], needs

    def prepared_all(self, subjects: Iterable[NewSubject]) -> tuple[list[GrantRecord], list[Need]]:
        """Return grants of new subjects of one id and number, which are not on record yet.

        They are under one signature. Raises as `targets` does.
        """
        unsigned: list[Unsigned] = []
        needs: list[Need] = []
        for subject, key, readers, conditions in subjects:
            found, more = targets(self.desk, readers)
            before = grant_hash(unsigned[-1].leaf) if unsigned else self.book.last_made(subject)
            unsigned += unsigned_grants(self.desk, subject, key, self._with_own(found, conditions), before)
            needs += more
        if len(unsigned) > MAX_GRANTS_AT_ONCE:
            raise UsageError(f"one call makes {MAX_GRANTS_AT_ONCE} grants at most: use a collection")
        records = [GrantRecord(each, checked=True) for each in signed_grants(self.desk, unsigned)]
        return records, list(dict.fromkeys(needs))

    def keep(self, subject: Subject, key: GrantedKey) -> list[GrantRecord]:
        """Grant a subject to this user alone: the key came in another way, and was not in use yet."""
        return self._made(subject, key, self._with_own((), Conditions()), checked=False)

    def _with_own(self, found: Sequence[Target], conditions: Conditions) -> Targets:
        """Return targets after this user, whose own grant does not end."""
        own = replace(conditions, valid_until=None)
        return [(own_target(self.desk), own), *_each(found, conditions)]

    def _made(
        self,
        subject: Subject,
        key: GrantedKey,
        found: Targets,
        *,
        checked: bool,
    ) -> list[GrantRecord]:
        before = self.book.last_made(subject)
        unsigned = unsigned_grants(self.desk, subject, key, found, before)
        records = [GrantRecord(each, checked=checked) for each in signed_grants(self.desk, unsigned)]
        self.book.add(records, ours=True)
        return records

    # --- as an application sees them --------------------------------------------------------------

    def shown(self, records: Iterable[GrantRecord]) -> tuple[Granted, ...]:
        """Return grants as an application sees them."""
        lists, own_id = ListsOnRecord(self.desk.book), self.desk.book.own().pin.user_id
        return tuple(granted(each, lists, self.desk.name, own_id) for each in records)

    def result(self, records: Sequence[GrantRecord], needs: Iterable[Need] = ()) -> Shared:
        """Return grants that were made."""
        wire = tuple(each.grant.encode() for each in records)
        return Shared(wire, self.shown(records), tuple(needs))


def _each(found: Iterable[Target], conditions: Conditions) -> Targets:
    return [(each, conditions) for each in found]
