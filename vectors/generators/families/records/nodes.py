"""Records of accounts, peers and prekeys as nodes of CBOR, and the places of an account's numbers."""

from typing import Final

from generators.support.cbor_nodes import Node, array_node, blob_node, null_node, number_node
from generators.support.labels import draw
from generators.support.people import ALICE, BOB
from generators.support.wire_nodes import address_node
from letterlock import hazmat
from letterlock._wire.prekey import KEM, PrekeyKind

NOTES: Final = {
    "OtherFormat": "a record of another format, which must not be misread",
    "WrongCount": "another number of elements",
    "WrongType": "an element of another type, even if a language takes it for the same",
    "WrongLength": "a byte string of another length",
    "OutOfRange": "a number outside its range, or without a meaning",
    "LongForm": "a head that is longer than necessary",
    "IndefiniteLength": "an array or string of indefinite length",
    "Tag": "a tag before an item",
    "Truncated": "a truncated encoding",
    "TrailingBytes": "bytes after the end",
    "InvalidKey": "32 bytes that are not a public key",
    "Name": "an invalid name or device id",
    "Mixture": "fields of different kinds of session, or of none",
    "UnusedField": "a field that is not zero in a state that does not have it",
    "OtherRow": "a value in the wrong row or table",
    "WrongKey": "sealed under another key",
    "Damaged": "inverted or missing bits",
    "OtherParameters": "not the kind, salt or parameters that the data key was wrapped with",
    "BeyondLimits": "parameters that must be refused before any work",
    "Normalised": "another encoding of the passphrase that is equal in NFKC",
}


def account_node(
    *, next_id: int = 1000, signed_id: int = 100, last_resort_id: int = 400, rotated: int = 1_700_000_000
) -> Node:
    """Return an account's record."""
    return array_node(
        "the record",
        number_node("format", 1),
        address_node(BOB),
        blob_node("private key", BOB.identity.private.expose()),
        blob_node("public key", BOB.identity.public.data),
        number_node("next prekey id", next_id),
        number_node("signed prekey id", signed_id),
        number_node("last-resort id", last_resort_id),
        number_node("rotated", rotated),
    )


ACCOUNT: Final = account_node()
PEER: Final = array_node(
    "the record",
    number_node("format", 1),
    address_node(ALICE),
    blob_node("identity key", ALICE.identity.public.data),
)
_PREKEYS: Final = (
    (PrekeyKind.SIGNED, 100),
    (PrekeyKind.ONE_TIME, 200),
    (PrekeyKind.KEM_ONE_TIME, 300),
    (PrekeyKind.KEM_LAST_RESORT, 400),
)
PREKEY_NODES: Final = {
    int(kind): array_node(
        "the record",
        number_node("format", 2),
        blob_node("private key or seed", BOB.secret(kind, id_)),
        null_node("public key")
        if kind in KEM
        else blob_node("public key", hazmat.public_key(BOB.secret(kind, id_))),
    )
    for kind, id_ in _PREKEYS
}
OLD_PREKEY_NODES: Final = {
    int(kind): array_node(
        "the record",
        blob_node("private key or seed", BOB.secret(kind, id_)),
        blob_node("signature", draw(f"records signature {id_}", 64)),
    )
    for kind, id_ in _PREKEYS
}
"""Records of format 1, of release 0.1.0: with a signature, and without the public key."""


_LAST: Final = 2**32 - 1

NUMBERS_AT: Final[dict[tuple[int, ...], tuple[str, int]]] = {
    (4,): ("next prekey id", 2**32),
    (5,): ("signed prekey id", _LAST),
    (6,): ("last-resort id", _LAST),
    (7,): ("rotated", 2**63 - 1),
}
"""The place, name and largest value of each number of an account."""
