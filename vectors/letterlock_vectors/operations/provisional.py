"""provisional.*: identities of somebody without an account, as the granter and the person have them.

Not here: encodings (recovery_bodies.py); grants (grants.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.provisional_calls import IdentityMade, SeedsReleased, WithdrawIdentity
from letterlock.recovery import AskingKey, OwnerSecret
from letterlock.recovery._provisional import Claiming, NewIdentity
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.bodies import shown_bytes
from letterlock_vectors.operations.recovery import given_server

_ADDRESS: Final = "somebody@example.org"
_NO_ID: Final = bytes(HASH_BYTES)


def _owner(given: Input) -> Output:
    secret = OwnerSecret(given.sized("secret", KEY_BYTES))
    made = NewIdentity.again(_ADDRESS, given.sized("id", HASH_BYTES), 0, secret)
    return {"key": made.request.owner.data.hex()}


def _verify_withdrawal(given: Input) -> Output:
    call = WithdrawIdentity.decode(given.hex("request"))
    key = Ed25519PublicKey(given.hex("key"))
    key.verify(WithdrawIdentity.signed(given_server(given), call.id), call.signature)
    return {}


def _judge(given: Input) -> Output:
    identity = NewIdentity.again(_ADDRESS, _NO_ID, 0, OwnerSecret(bytes(KEY_BYTES)))
    first, second = (IdentityMade.decode(given.hex(each)) for each in ("first", "second"))
    found = identity.finish(first, second)
    if isinstance(found, bytes):
        return {"keys": None, "user_id": found.hex()}
    return {"keys": [shown_bytes(found.first), shown_bytes(found.second)], "user_id": None}


def _seeds(given: Input) -> Output:
    """Answer the public keys of the seeds: this library shows no seed again."""
    claiming = Claiming.begin(AskingKey(given.sized("asking", KEY_BYTES)))
    first, second = (SeedsReleased.decode(given.hex(each)) for each in ("first", "second"))
    found = claiming.finish(first, second)
    return {
        "keys": [[each.id.hex(), *(shown_bytes(pair.public.data) for pair in each.pairs)] for each in found]
    }


OPERATIONS: Final[Mapping[str, Operation]] = {
    "provisional.judge": _judge,
    "provisional.owner": _owner,
    "provisional.seeds": _seeds,
    "provisional.verify_withdrawal": _verify_withdrawal,
}
