"""padding.*, armor.* and address.*: padded plaintexts, armored messages, addresses."""

from collections.abc import Mapping
from typing import Final

from letterlock._session.sealing import pad, padded_length, unpad
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.armor import armor, dearmor
from letterlock.errors import PlaintextTooLong, UsageError
from letterlock.limits import MAX_PLAINTEXT
from letterlock_vectors.inputs import Input, Operation, Output


def _length(given: Input) -> Output:
    return {"padded": padded_length(_paddable(given.number("length")))}


def _pad(given: Input) -> Output:
    plaintext = given.hex("plaintext")
    _paddable(len(plaintext))
    return {"padded": pad(plaintext).hex()}


def _unpad(given: Input) -> Output:
    return {"plaintext": unpad(given.hex("padded")).hex()}


def _armor(given: Input) -> Output:
    return {"text": armor(given.hex("data")).decode("ascii")}


def _dearmor(given: Input) -> Output:
    # JSON can contain half of a surrogate pair. Here it is one more stray character.
    return {"data": dearmor(given.text("text").encode("utf-8", "surrogatepass")).hex()}


def _address(given: Input) -> Output:
    address = Address.from_fields(cbor.decode(given.hex("data")))
    return {"address": [address.name, address.device_id]}


def _paddable(length: int) -> int:
    if length < 0:
        raise UsageError("a length cannot be negative")
    if length > MAX_PLAINTEXT:
        raise PlaintextTooLong(length, MAX_PLAINTEXT)
    return length


OPERATIONS: Final[Mapping[str, Operation]] = {
    "padding.length": _length,
    "padding.pad": _pad,
    "padding.unpad": _unpad,
    "armor.encode": _armor,
    "armor.decode": _dearmor,
    "address.decode": _address,
}
