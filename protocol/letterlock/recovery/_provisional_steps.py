"""What each call does to a server's record of a person: functions of a record, without a store.

    make        a seed for an identity; the same call again finds it                                  [PRV-3]
    known       the identity that a granter made before, without a check                             [PRV-14]
    released    the seeds that have not ended                                                         [PRV-5]
    claim       the person has become a user: the seeds are gone                                      [PRV-7]
    withdraw    the identity is gone                                                                  [PRV-6]

`counted` is time as the server counts it (_hours.py). By its clock an identity opens nothing any more, and by
its count it is deleted: a clock that is set ahead destroys no seed.

Not here: the order of storing and answering (_provisional_server.py).
"""

from dataclasses import replace

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import KEY_BYTES
from letterlock._primitives.xwing import XWingSeed
from letterlock._records.provisional import HeldIdentity, PersonRecord
from letterlock._wire.provisional_calls import ClaimIdentities, MakeIdentity, WithdrawIdentity
from letterlock._wire.recovery_limits import MAX_PERSON_IDENTITIES, PROVISIONAL_LIFE
from letterlock.errors import InvalidSignature
from letterlock.recovery._errors import IdentityRefused, RecoveryRefused


def make(
    record: PersonRecord, request: MakeIdentity, now: int, counted: int, entropy: Entropy
) -> tuple[PersonRecord, HeldIdentity]:
    """Return the record with this identity. Whatever has ended long enough is deleted.

    Raises RecoveryRefused for an id that somebody else has, an end that is over or too far, and if the person
    has too many. [PRV-3]
    """
    kept = expire(record, now, counted)
    known = kept.find(request.id)
    if known is not None:
        if (known.owner, known.end) != (request.owner, request.end):
            raise RecoveryRefused("somebody else has an identity of this id: choose another id")
        return kept, known
    if not now < request.end <= now + PROVISIONAL_LIFE:
        raise RecoveryRefused(f"an identity ends within {PROVISIONAL_LIFE} seconds: choose another end")
    if len(kept.identities) >= MAX_PERSON_IDENTITIES:
        raise RecoveryRefused("this person has as many identities as a server keeps: withdraw one first")
    ends = counted + request.end - now
    new = HeldIdentity(request.id, request.owner, request.end, ends, XWingSeed(entropy(KEY_BYTES)))
    return PersonRecord((*kept.identities, new)), new


def known(record: PersonRecord, request: MakeIdentity) -> HeldIdentity:
    """Return the identity that its granter names. Raises IdentityRefused for everything else. [PRV-14]"""
    held = record.find(request.id)
    if held is None or (held.owner, held.end) != (request.owner, request.end):
        raise IdentityRefused("no pass, and no identity of this granter: prove an identity here first")
    return held


def expire(record: PersonRecord, now: int, counted: int) -> PersonRecord:
    """Return the record without the identities that are over by the clock and by the count. [PRV-3]"""
    left = tuple(each for each in record.identities if not is_over(each, now) or counted < each.ends)
    return record if left == record.identities else PersonRecord(left)


def released(record: PersonRecord, now: int) -> tuple[tuple[bytes, XWingSeed], ...]:
    """Return the seeds that are there and have not ended, each with the id of its identity. [PRV-5]"""
    return tuple(
        (each.id, each.seed) for each in record.identities if each.seed is not None and not is_over(each, now)
    )


def claim(record: PersonRecord, request: ClaimIdentities) -> PersonRecord:
    """Return the record in which these identities are a user's, without their seeds. [PRV-7]

    Those that are gone are passed over. Raises RecoveryRefused for one that another user has claimed.
    """
    after = list[HeldIdentity]()
    for each in record.identities:
        if each.id in request.ids:
            if each.user_id not in (None, request.user_id):
                raise RecoveryRefused("another user has claimed this identity: nothing is left to claim")
            after.append(replace(each, seed=None, user_id=request.user_id))
        else:
            after.append(each)
    made = PersonRecord(tuple(after))
    return record if made.encode() == record.encode() else made


def withdraw(record: PersonRecord, request: WithdrawIdentity, server: int) -> PersonRecord:
    """Return the record without this identity. The same call again changes nothing.

    Raises RecoveryRefused unless its owner signed. [PRV-6]
    """
    known = record.find(request.id)
    if known is None:
        return record
    try:
        known.owner.verify(WithdrawIdentity.signed(server, request.id), request.signature)
    except InvalidSignature:
        raise RecoveryRefused("whoever asked for this identity did not sign this: discard it") from None
    return PersonRecord(tuple(each for each in record.identities if each is not known))


def is_over(identity: HeldIdentity, now: int) -> bool:
    """Return whether an identity has ended by the server's clock."""
    return now > identity.end
