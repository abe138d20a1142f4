"""safety_number.*: safety numbers of two addresses and identity keys."""

from collections.abc import Mapping
from typing import Final

from letterlock._handshake.safety_number import SafetyNumber, safety_number
from letterlock._primitives.curve25519 import IdentityKey
from letterlock_vectors.inputs import Input, Operation, Output


def _compute(given: Input) -> Output:
    number = _number(given)
    return {"digits": number.digits, "scannable": number.scannable.hex()}


def _verify(given: Input) -> Output:
    _number(given).verify_scan(given.hex("scanned"))
    return {}


def _number(given: Input) -> SafetyNumber:
    ours, theirs = given.nested("ours"), given.nested("theirs")
    return safety_number(
        ours.address("address").encode(),
        IdentityKey(ours.hex("identity")),
        theirs.address("address").encode(),
        IdentityKey(theirs.hex("identity")),
    )


OPERATIONS: Final[Mapping[str, Operation]] = {
    "safety_number.compute": _compute,
    "safety_number.verify": _verify,
}
