"""Valid records as nodes of CBOR, and the places of their keys and numbers."""

from typing import Final

from generators.support.cbor_nodes import Node, array_node, blob_node, number_node
from generators.support.labels import draw
from generators.support.people import ALICE, BOB, ratchet_pair, ratchet_public
from generators.support.wire_nodes import address_node, initial_node
from letterlock._wire.message import InitialMessage
from letterlock._wire.prekey import PrekeyKind

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
PREKEY_NODES: Final = {
    int(kind): array_node(
        "the record",
        blob_node("private key or seed", BOB.secret(kind, id_)),
        blob_node("signature", draw(f"records signature {id_}", 64)),
    )
    for kind, id_ in (
        (PrekeyKind.SIGNED, 100),
        (PrekeyKind.ONE_TIME, 200),
        (PrekeyKind.KEM_ONE_TIME, 300),
        (PrekeyKind.KEM_LAST_RESORT, 400),
    )
}


def secret_node(name: str) -> Node:
    """Return 32 bytes of a label."""
    return blob_node(name, draw(f"records {name}", 32))


def _pair() -> list[Node]:
    pair = ratchet_pair("records ours")
    return [
        blob_node("our private key", pair.private.expose()),
        blob_node("our public key", pair.public.data),
    ]


def _theirs() -> Node:
    return blob_node("their key", ratchet_public("records theirs"))


def opening_node(sent: int = 3) -> Node:
    """Return a double ratchet before the first answer."""
    items = [
        number_node("state", 0),
        secret_node("RK"),
        *_pair(),
        _theirs(),
        secret_node("CKs"),
        number_node("Ns", sent),
    ]
    return array_node("ratchet", *items)


def hearing_node(received: int = 4, previous: int = 5) -> Node:
    """Return a double ratchet that answers with its next message."""
    items = [_theirs(), secret_node("CKr"), number_node("Nr", received), number_node("PN", previous)]
    return array_node("ratchet", number_node("state", 1), secret_node("RK"), *items)


def speaking_node(sent: int = 3, received: int = 4, previous: int = 5) -> Node:
    """Return a double ratchet that has answered."""
    sending = [secret_node("CKs"), number_node("Ns", sent)]
    items = [
        *sending,
        _theirs(),
        secret_node("CKr"),
        number_node("Nr", received),
        number_node("PN", previous),
    ]
    return array_node("ratchet", number_node("state", 2), secret_node("RK"), *_pair(), *items)


def initiated_node(header: bytes, ratchet: Node, suite: int = 1) -> Node:
    """Return the record of a session that was not answered."""
    return array_node(
        "the record",
        number_node("format", 1),
        number_node("kind", 0),
        number_node("suite", suite),
        secret_node("AD"),
        blob_node("header to repeat", header),
        number_node("promote_next", 0),
        ratchet,
    )


def established_node(ratchet: Node, *, handshake: bytes = b"", promote_next: int = 0, suite: int = 1) -> Node:
    """Return the record of a session that both sides hold."""
    return array_node(
        "the record",
        number_node("format", 1),
        number_node("kind", 1),
        number_node("suite", suite),
        secret_node("AD"),
        blob_node("handshake id", handshake),
        number_node("promote_next", promote_next),
        ratchet,
    )


def of_format_2(session: Node, born: int, yields: int) -> Node:
    """Return the record of a session as it is written today; format 1 is only read."""
    numbers = number_node("born", born), number_node("yields", yields)
    return array_node("the record", number_node("format", 2), *session.items[1:], *numbers)


def header_of(kem: int | None = None) -> bytes:
    """Return an initial message up to its last element."""
    data = initial_node(kem=kem).encode()
    header = InitialMessage.decode(data).header.encode_header()
    assert data.startswith(header)
    return header


_ID: Final = draw("records handshake id", 32)
_LAST: Final = 2**32 - 1

INITIATED: Final = initiated_node(header_of(), opening_node())
HEARING: Final = established_node(hearing_node(), handshake=_ID)
SPEAKING: Final = established_node(speaking_node())
SESSIONS: Final = {
    "initiated, suite 1": INITIATED,
    "initiated, nothing sent": initiated_node(header_of(), opening_node(0)),
    "initiated, the chain is full": initiated_node(header_of(), opening_node(_LAST)),
    "established by the peer, hearing": HEARING,
    "established by the peer, promote_next": established_node(hearing_node(), handshake=_ID, promote_next=1),
    "established by us, hearing": established_node(hearing_node(1, 0)),
    "established by us, speaking": SPEAKING,
    "established by the peer, speaking": established_node(speaking_node(), handshake=_ID),
    "speaking, all counters at their end": established_node(speaking_node(_LAST, _LAST, _LAST)),
}

CROSSED: Final = of_format_2(HEARING, 3, 16)
FORMAT_2: Final = {
    "format 2, initiated": of_format_2(INITIATED, 1, 0),
    "format 2, not recorded": of_format_2(SPEAKING, 0, 0),
    "format 2, yields to a session that it crossed": CROSSED,
    "format 2, all numbers at their end": of_format_2(HEARING, 2**63 - 1, 16),
}

NUMBERS_AT: Final[dict[str, dict[tuple[int, ...], tuple[str, int]]]] = {
    "account": {
        (4,): ("next prekey id", 2**32),
        (5,): ("signed prekey id", _LAST),
        (6,): ("last-resort id", _LAST),
        (7,): ("rotated", 2**63 - 1),
    },
    "initiated": {(6, 6): ("Ns", _LAST)},
    "hearing": {(6, 4): ("Nr", _LAST), (6, 5): ("PN", _LAST)},
    "format 2": {(7,): ("born", 2**63 - 1), (8,): ("yields", 16)},
    "speaking": {(6, 5): ("Ns", _LAST), (6, 8): ("Nr", _LAST), (6, 9): ("PN", _LAST)},
}
"""The place, name and largest value of each number."""

KEYS_AT: Final[dict[str, dict[tuple[int, ...], str]]] = {
    "initiated": {(6, 3): "our public key", (6, 4): "their key"},
    "hearing": {(6, 2): "their key"},
    "speaking": {(6, 3): "our public key", (6, 6): "their key"},
}
