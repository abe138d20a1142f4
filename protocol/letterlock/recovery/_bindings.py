"""Which identity belongs to which user, at one server.                                    [REC-31] [REC-32]

    owner       of an identity: a user
    binding     of a user and a kind of check: an identity

Both rows have to name each other. So an identity that a user gave up belongs to nobody at once, without its
row being looked for.

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


def owner_of(row: GateRow | None) -> bytes | None:
    """Return the user whom the owner's row of an identity names, or None."""
    return None if row is None else decode_owner(row.record)


def names(row: GateRow | None, tag: bytes) -> bool:
    """Return whether the binding of a user names an identity."""
    return row is not None and decode_binding(row.record).tag == tag


def bind(claim: Claim, other: bytes | None, rows: GateRows) -> tuple[GateRows, bool]:
    """Return the rows after a binding, and True; or False if the identity's owner is not `other` any more.

    The rows are those of the owner, the binding and the pass, and the binding of the other user, if there is
    one. Raises RecoveryRefused.
    """
    owner, binding, spent, *others = rows
    owned_by = owner_of(owner)
    if owned_by not in {other, claim.user_id, None}:
        return rows, False
    if spent is not None:
        if owned_by == claim.user_id and names(binding, claim.tag):
            return rows, True  # it came again
        raise RecoveryRefused("this pass has bound an identity before: prove the identity again")
    if binding is not None and claim.list_version < decode_binding(binding.record).list_version:
        raise RecoveryRefused("this server knows a newer device list: fetch it first")
    if owned_by not in {claim.user_id, None} and any(names(each, claim.tag) for each in others):
        raise RecoveryRefused("this identity is another user's: that user has to give it up first")
    after = (
        GateRow(encode_owner(claim.user_id), None),
        GateRow(BindingRow(claim.tag, claim.list_version).encode(), None),
        GateRow(SPENT, claim.pass_ends),
    )
    return (*after, *others), True
