"""Which identity belongs to which user, at one server.                                    [REC-31] [REC-32]

    owner       of an identity: a user
    binding     of a user and a kind of check: an identity

Both rows have to name each other, so an identity that a user gave up belongs to nobody. Its owner's row goes
with it: whoever binds one address after the other leaves no rows behind.

Not here: the transaction (_gate.py); what is signed (_signing.py).
"""

from typing import NamedTuple

from letterlock._records.gate import (
    SPENT,
    BindingRow,
    decode_binding,
    decode_owner,
    encode_owner,
)
from letterlock.recovery._errors import RecoveryRefused
from letterlock.recovery._gate_store import GateRow, GateRows


class Claim(NamedTuple):
    """What is to be bound: an identity's tag to a user, by a list of this version, with a pass that ends."""

    tag: bytes
    user_id: bytes
    list_version: int
    pass_ends: int


class Seen(NamedTuple):
    """What the rows of a binding said when they were read, which decides which other rows it needs.

    `other` is another user who is named as the owner; `given_up` is the tag that the user had until now.
    """

    other: bytes | None
    given_up: bytes | None


def seen(claim: Claim, owner: GateRow | None, binding: GateRow | None) -> Seen:
    """Return what the rows of owner and binding say, beside what is claimed."""
    owned_by = owner_of(owner)
    tag = None if binding is None else decode_binding(binding.record).tag
    return Seen(None if owned_by == claim.user_id else owned_by, None if tag == claim.tag else tag)


def owner_of(row: GateRow | None) -> bytes | None:
    """Return the user whom the owner's row of an identity names, or None."""
    return None if row is None else decode_owner(row.record)


def names(row: GateRow | None, tag: bytes) -> bool:
    """Return whether the binding of a user names an identity."""
    return row is not None and decode_binding(row.record).tag == tag


def list_version_of(row: GateRow | None) -> int:
    """Return the version of the device list by which a binding was made, 0 without a binding."""
    return 0 if row is None else decode_binding(row.record).list_version


def bind(claim: Claim, expected: Seen, rows: GateRows) -> tuple[GateRows, bool]:
    """Return the rows after a binding, and True; or False if they say another thing than what was seen.

    The rows are those of the owner, the binding and the pass; then, as far as they were seen, the owner's row
    of the identity that is given up, and the binding of the other user. Raises RecoveryRefused.
    """
    owner, binding, spent, *more = rows
    now = seen(claim, owner, binding)
    if now.other not in {expected.other, None} or now.given_up != expected.given_up:
        return rows, False
    if spent is not None:
        if owner_of(owner) == claim.user_id and names(binding, claim.tag):
            return rows, True  # it came again
        raise RecoveryRefused("this pass has bound an identity before: prove the identity again")
    if claim.list_version < list_version_of(binding):
        raise RecoveryRefused("this server knows a newer device list: fetch it first")
    given_up = more[: expected.given_up is not None]
    others = more[len(given_up) :]
    if now.other is not None and any(names(each, claim.tag) for each in others):
        raise RecoveryRefused("this identity is another user's: that user has to give it up first")
    after = (
        GateRow(encode_owner(claim.user_id), None),
        GateRow(BindingRow(claim.tag, claim.list_version).encode(), None),
        GateRow(SPENT, claim.pass_ends),
    )
    left = (None if owner_of(each) == claim.user_id else each for each in given_up)
    return (*after, *left, *others), True
