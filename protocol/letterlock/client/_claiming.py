"""A person who has become a user claims what was shared with an address of theirs.

    1. both servers check the address                                                        a pass each
    2. release at both, sealed to a fresh key                                                      [PRV-5]
    3. the grants of the invitations opened, and granted to this user: ONE transaction, with the parcels
       for this user's own shelf and for the granters
    4. the parcels are on this user's shelf
    5. claimed at both                                                                            [PRV-11]

What dies before 3 has changed nothing. What dies later goes on from the rows: seeds stay at a server until
it was told, and it is not told before the grants are where this user's other devices find them.

Not here: the granter (_client_addresses.py).
"""

import hashlib
from collections.abc import Container, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire import cbor
from letterlock._wire.grant import Grant
from letterlock._wire.grant_recipient import ProvisionalRecipient
from letterlock._wire.mail_address import one_form
from letterlock._wire.parcel import Introduction, ItemKind, ParcelItem, decode_contents
from letterlock._wire.provisional_calls import ClaimIdentities, SeedsReleased
from letterlock._wire.recovery_limits import MAX_PERSON_IDENTITIES, SERVERS
from letterlock._wire.relay_body import DoneAnswer
from letterlock.client._address_desk import AddressDesk, Asking
from letterlock.client._address_rows import BOTH, ClaimRow
from letterlock.client._address_values import Claimed, ServerChecks
from letterlock.client._errors import RelayMisbehaves, RelayRefused, RelayUnavailable
from letterlock.documents import Granted, NoGrant, ProvisionalSeeds, SubjectKind
from letterlock.errors import MalformedMessage, PeerError, UsageError
from letterlock.recovery import AskingKey, Claiming, RecoveryRefused, claim_grants

MAX_INVITATIONS = 64
"""Invitations in one claim: twice as many as a person has identities."""


_KINDS: Final = frozenset({SubjectKind.DOCUMENT, SubjectKind.SECTION})


async def claim(
    desk: AddressDesk, asking: Asking, invitations: Sequence[bytes], checks: ServerChecks
) -> Claimed:
    """Do all of it. Raises what `ClientAddresses.claim` does."""
    if {*checks.identities} != {*SERVERS}:
        raise UsageError("both servers check the address: give an answer for server 1 and for server 2")
    grants = await _met(desk, invitations)
    for server in SERVERS:
        await asking.prove(server)
    claiming = Claiming.begin(AskingKey(system_entropy(KEY_BYTES)))
    released = [await asking.at(each, claiming.request, SeedsReleased) for each in SERVERS]
    seeds = claiming.finish(released[0], released[1])
    whom = _whom(checks)
    found, done = await desk.office.run(_keep, desk, grants, seeds, whom)
    shown = None if _is_named(checks) else {id_ for each in released for id_, _ in each.seeds}
    told, disputed = 0, 0
    if await desk.office.run(_pending, desk, whom, shown):
        await _shelved(desk)
        told, disputed = await _tell(desk, asking, whom, shown)
    if grants and not (found or told or disputed) and not await _are_open(desk, grants):
        raise NoGrant(_why_nothing(grants, seeds))
    return Claimed(found, sum(each.id not in done for each in seeds), disputed)


def _why_nothing(grants: Iterable[Grant], seeds: Iterable[ProvisionalSeeds]) -> str:
    ids = {each.id for each in seeds}
    for each in grants:
        if isinstance(each.terms.recipient, ProvisionalRecipient) and each.terms.recipient.id in ids:
            return (
                "the keys of the servers do not fit these invitations: tell their operators, and the granter"
            )
    return "these invitations are for another address, were withdrawn, or have ended: ask whoever sent them"


# --- what was given ---------------------------------------------------------------------------------------


async def _met(desk: AddressDesk, invitations: Sequence[bytes]) -> list[Grant]:
    """Return the grants in invitations, after asking for the lists of granters who are unknown. [PRV-9]

    Raises MalformedMessage for what is no invitation, UsageError for too many.
    """
    if len(invitations) > MAX_INVITATIONS:
        raise UsageError(f"one claim takes {MAX_INVITATIONS} invitations: claim again with the others")
    items = [item for each in invitations for item in _contents(each)]
    known = await desk.office.run(lambda: {each.user_id for each in desk.office.queue.user.contacts()})
    for introduced in (
        Introduction.decode(each.data) for each in items if each.kind == ItemKind.INTRODUCTION
    ):
        if introduced.user_id not in known:
            with suppress(RelayUnavailable, RelayMisbehaves, RelayRefused, PeerError):
                await desk.learn(introduced.name)
    grants = [Grant.decode(each.data) for each in items if each.kind == ItemKind.GRANT]
    return [each for each in grants if _is_claimed(each)]


def _is_claimed(grant: Grant) -> bool:
    """Return whether a grant is one that a claim makes this user's own. [PRV-15]"""
    terms = grant.terms
    return isinstance(terms.recipient, ProvisionalRecipient) and terms.subject.kind in _KINDS


def _contents(invitation: bytes) -> tuple[ParcelItem, ...]:
    if type(invitation) is not bytes:
        raise UsageError("an invitation is bytes")
    items = decode_contents(invitation)
    if sum(each.kind == ItemKind.INTRODUCTION for each in items) != 1:
        raise MalformedMessage("an invitation names one granter")
    return items


def _keep(
    desk: AddressDesk, grants: Sequence[Grant], seeds: Sequence[ProvisionalSeeds], whom: bytes
) -> tuple[tuple[Granted, ...], set[bytes]]:
    """Make the grants this user's own, in one transaction; return them, and the ids that are done.

    Raises UnknownAuthor and other TrustError if nothing could be made for such a reason.
    """
    queue, now = desk.office.documents, desk.office.queue.tables
    made, done = claim_grants(queue.documents, [each.encode() for each in grants], seeds)
    ids = {each.id for each in done}
    for shared in made:
        queue.claimed(shared)
        subjects = {(each.id, each.version) for each in shared.grants}
        queue.parcels_out.show(_granters(grants, ids, subjects), shared.wire)
    for each in ids:
        desk.tables.claimed.save(each, ClaimRow(whom), now.order())
    return tuple(each for shared in made for each in shared.grants), ids


def _granters(grants: Iterable[Grant], ids: set[bytes], subjects: set[tuple[bytes, int]]) -> set[bytes]:
    """Return who granted these subjects to identities that are done."""
    return {
        each.terms.signer.user_id
        for each in grants
        if isinstance(each.terms.recipient, ProvisionalRecipient)
        and each.terms.recipient.id in ids
        and (each.terms.subject.id, each.terms.subject.number) in subjects
    }


async def _are_open(desk: AddressDesk, grants: Sequence[Grant]) -> bool:
    """Return whether this user can open all of it already: another device has claimed it."""
    await desk.librarian.refresh()

    def open_() -> bool:
        shelf = desk.office.documents.shelf
        for each in grants:
            subject = each.terms.subject
            try:
                shelf.first_key(subject.kind, subject.id, subject.number)  # type: ignore[arg-type]
            except (NoGrant, UsageError):
                return False
        return True

    return await desk.office.run(open_)


# --- the last word ------------------------------------------------------------------------------------


def _whom(checks: ServerChecks) -> bytes:
    """Return a digest of who was proven at both servers. [PRV-13]"""
    answers = [checks.identities[each] for each in SERVERS]
    forms = [None if each.claim is None else one_form(each.kind, each.claim) for each in answers]
    people: list[cbor.Value] = [[each.kind, form] for each, form in zip(answers, forms, strict=True)]
    return hashlib.sha256(cbor.encode(people)).digest()


def _is_named(checks: ServerChecks) -> bool:
    """Return whether this client knows who is proven. What a ticket says, only the servers see."""
    return all(each.claim is not None for each in checks.identities.values())


def _pending(desk: AddressDesk, whom: bytes, shown: Container[bytes] | None) -> list[tuple[bytes, ClaimRow]]:
    """Return what both servers are to be told of whoever is proven.

    `shown` has the ids that a server has shown to whoever is proven, where this client does not know who
    that is: the others may be somebody else's. [PRV-11]
    """
    return [
        (key, row)
        for key, row in desk.tables.claimed_rows(desk.office.queue.tables.clock())
        if row.whom == whom and (shown is None or key in shown)
    ]


async def _shelved(desk: AddressDesk) -> None:
    """Have everything on this user's own shelf that waits for it. Raises RelayUnavailable."""
    office = desk.office
    try:
        await desk.librarian.send()
    except RelayRefused as refused:
        raise RelayUnavailable(f"the relay refused it ({refused.code.name})", refused.number) from None

    def waits() -> bool:
        own = office.documents.own
        return any(each.shelf == own for _, each in office.documents.rows.parcels.due())

    if await office.run(waits):
        raise RelayUnavailable("the relay has not taken what was claimed: claim again, nothing is lost")


async def _tell(
    desk: AddressDesk, asking: Asking, whom: bytes, shown: Container[bytes] | None
) -> tuple[int, int]:
    """Tell both servers what is this user's. Return for how many that is done, and how many are disputed."""
    office, user_id, disputed = desk.office, desk.office.queue.user.user_id, set[bytes]()
    rows = dict(await office.run(_pending, desk, whom, shown))
    for server in SERVERS:
        ids = [each for each, row in rows.items() if not row.told & server and each not in disputed]  # PRV-12
        for at in range(0, len(ids), MAX_PERSON_IDENTITIES):
            some = ids[at : at + MAX_PERSON_IDENTITIES]
            disputed |= await _claimed_at(asking, server, user_id, some)
            await office.run(_note, desk, server, set(some) - disputed, disputed)
    return len(rows) - len(disputed), len(disputed)


async def _claimed_at(asking: Asking, server: int, user_id: bytes, ids: Sequence[bytes]) -> set[bytes]:
    """Claim identities at one server; return those that it refuses, because another user has claimed them."""
    try:
        await asking.at(server, ClaimIdentities(user_id, tuple(ids)), DoneAnswer)
    except RecoveryRefused:
        if len(ids) == 1:
            return {*ids}
        alone = [await _claimed_at(asking, server, user_id, [each]) for each in ids]
        return {each for found in alone for each in found}
    return set()


def _note(desk: AddressDesk, server: int, told: set[bytes], disputed: set[bytes]) -> None:
    rows = desk.tables.claimed
    for each in disputed:
        rows.delete(each)
    for each in told:
        row = rows.load(each)
        if row is not None and row.told | server == BOTH:
            rows.delete(each)
        elif row is not None:
            rows.save(each, replace(row, told=row.told | server), desk.office.queue.tables.order())
