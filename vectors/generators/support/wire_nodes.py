"""The five kinds of encoding as nodes of CBOR, each field with its name.

Not here: what is done to them (families/wire/).
"""

from collections.abc import Sequence
from typing import Final

from generators.support.cbor_nodes import Node, array_node, blob_node, null_node, number_node, text_node
from generators.support.labels import draw
from generators.support.people import BOB, Person, ratchet_public
from letterlock._wire.prekey import PrekeyKind


def ratchet_node(*, key: bytes | None = None, previous: int = 0, number: int = 0, sealed: int = 56) -> Node:
    """Return a ratchet message. Its sealed text is made up."""
    return array_node(
        "the message",
        number_node("version", 1),
        number_node("kind", 2),
        blob_node("ratchet key", key or ratchet_public("wire ratchet key")),
        number_node("PN", previous),
        number_node("N", number),
        blob_node("sealed", draw("wire sealed", sealed)),
    )


def triple_node(
    *,
    key: bytes | None = None,
    previous: int = 0,
    number: int = 0,
    place: tuple[int, int, int] = (1, 1, 0),
    type_: int = 1,
    first: int = 0,
    codewords: int | None = 3,
    sealed: int = 56,
) -> Node:
    """Return a triple message with so many codewords; None is a type without. `place` is epoch, n and PN."""
    epoch, n, before = place
    bare = codewords is None
    return array_node(
        "the message",
        number_node("version", 1),
        number_node("kind", 5),
        blob_node("ratchet key", key or ratchet_public("wire ratchet key")),
        number_node("PN", previous),
        number_node("N", number),
        number_node("epoch", epoch),
        number_node("n", n),
        number_node("PN of n", before),
        number_node("type", type_),
        null_node("index") if bare else number_node("index", first),
        null_node("codewords") if bare else blob_node("codewords", draw("wire codewords", 32 * codewords)),
        blob_node("sealed", draw("wire sealed", sealed)),
    )


def initial_node(
    *, signed: int = 11, one_time: int | None = 22, kem: int | None = None, message: bytes | None = None
) -> Node:
    """Return an initial message. With a KEM prekey id it has suite 2 and contains a triple message."""
    return array_node(
        "the message",
        number_node("version", 1),
        number_node("kind", 1),
        number_node("suite", 1 if kem is None else 2),
        blob_node("identity key", ratchet_public("wire identity")),
        blob_node("ephemeral key", ratchet_public("wire ephemeral")),
        number_node("signed prekey id", signed),
        optional_number("one-time prekey id", one_time),
        optional_number("KEM prekey id", kem),
        null_node("CT") if kem is None else blob_node("CT", draw("wire kem ciphertext", 1568)),
        blob_node("ratchet message", message or (ratchet_node() if kem is None else triple_node()).encode()),
    )


def optional_number(name: str, number: int | None) -> Node:
    """Return a number or null."""
    return null_node(name) if number is None else number_node(name, number)


def address_node(person: Person) -> Node:
    """Return an address."""
    name, device_id = text_node("name", person.name), number_node("device id", person.device_id)
    return array_node("address", name, device_id)


def prekey_node(person: Person, kind: PrekeyKind, id_: int) -> Node:
    """Return a prekey with its signature."""
    match kind:
        case PrekeyKind.SIGNED:
            name, key, signature = "signed prekey", *_parts(person.signed(id_))
        case PrekeyKind.ONE_TIME:
            name, key, signature = "one-time prekey", *_parts(person.one_time(id_))
        case _:
            name, key, signature = "KEM prekey", *_parts(person.kem(id_))
    return array_node(
        name,
        number_node(f"kind of the {name}", int(kind)),
        number_node(f"id of the {name}", id_),
        blob_node(f"key of the {name}", key),
        blob_node(f"signature of the {name}", signature),
    )


def _parts(prekey) -> tuple[bytes, bytes]:
    return prekey.key.data, prekey.signature


def bundle_node(
    person: Person = BOB, *, signed: int = 100, one_time: int | None = 200, kem: int | None = None
) -> Node:
    """Return a bundle."""
    return array_node(
        "the bundle",
        number_node("version", 1),
        number_node("kind", 3),
        address_node(person),
        blob_node("identity key", person.identity.public.data),
        prekey_node(person, PrekeyKind.SIGNED, signed),
        null_node("one-time prekey")
        if one_time is None
        else prekey_node(person, PrekeyKind.ONE_TIME, one_time),
        null_node("KEM prekey") if kem is None else kem_node(person, kem),
    )


def kem_node(person: Person, id_: int) -> Node:
    """Return a KEM prekey, the last resort from id 400 on."""
    return prekey_node(person, PrekeyKind.KEM_LAST_RESORT if id_ >= 400 else PrekeyKind.KEM_ONE_TIME, id_)


def publication_node(
    person: Person = BOB, *, one_time: Sequence[int] = (), kem_one_time: Sequence[int] = ()
) -> Node:
    """Return a publication."""
    return array_node(
        "the publication",
        number_node("version", 1),
        number_node("kind", 4),
        address_node(person),
        blob_node("identity key", person.identity.public.data),
        prekey_node(person, PrekeyKind.SIGNED, 100),
        kem_node(person, 400),
        array_node(
            "list of one-time prekeys", *(prekey_node(person, PrekeyKind.ONE_TIME, each) for each in one_time)
        ),
        array_node("list of KEM prekeys", *(kem_node(person, each) for each in kem_one_time)),
    )


RATCHET: Final = ratchet_node()
TRIPLE: Final = triple_node()
BARE: Final = triple_node(type_=0, codewords=None)
INITIAL: Final = initial_node()
INITIAL_KEM: Final = initial_node(kem=33)
BUNDLE: Final = bundle_node()
PUBLICATION: Final = publication_node()
