"""Operations of safety numbers, for addresses as accounts have them."""

from letterlock._handshake.safety_number import SafetyNumber, safety_number
from letterlock._primitives.curve25519 import IdentityKey
from letterlock.vectors.operation import Input, Output, operation


@operation("safety_number.compute")
def _compute(given: Input) -> Output:
    number = _number(given)
    return {"digits": number.digits, "scannable": number.scannable.hex()}


@operation("safety_number.verify")
def _verify(given: Input) -> Output:
    _number(given).verify_scan(given.hex("scanned"))
    return {}


def _number(given: Input) -> SafetyNumber:
    ours, theirs = given.part("ours"), given.part("theirs")
    return safety_number(
        ours.address("address").encode(),
        IdentityKey(ours.hex("identity")),
        theirs.address("address").encode(),
        IdentityKey(theirs.hex("identity")),
    )
