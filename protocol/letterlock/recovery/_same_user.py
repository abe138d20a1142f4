"""Whether both servers have bound one identity to one user.                                        [REC-34]

Not here: what a client does then (_attempt.py).
"""

from letterlock._wire.identity_calls import Proven
from letterlock.recovery._errors import IdentityRefused, ServerAtFault


def same_user(one: Proven, other: Proven) -> bytes:
    """Return the user id that both servers name, 32 bytes. [REC-34]

    Raises IdentityRefused if a proof was wrong or an identity is bound to nobody, ServerAtFault if the
    servers name two users: one of them would lead this user to a lock of its own.
    """
    if one.user_id is None or other.user_id is None:
        raise IdentityRefused("a server knows nobody by this identity: bind it on a device first")
    if one.user_id != other.user_id:
        raise ServerAtFault(0, "the two servers name different users for the proven identities")
    return one.user_id
