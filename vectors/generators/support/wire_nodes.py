"""The five kinds of encoding as nodes of CBOR, each field with its name.

Not here: what is done to them (families/wire/).
"""

from collections.abc import Sequence
from typing import Final

from generators.support.cbor_nodes import Node, array_node, blob_node, null_node, number_node, text_node
from generators.support.labels import draw
from generators.support.people import BOB, MADE_ON, Person, ratchet_public
from letterlock._primitives import xeddsa
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
    """Return a prekey."""
    match kind:
        case PrekeyKind.SIGNED:
            name, key = "signed prekey", person.signed(id_).key.data
        case PrekeyKind.ONE_TIME:
            name, key = "one-time prekey", person.one_time(id_).key.data
        case _:
            name, key = "KEM prekey", person.kem(id_).key.data
    return array_node(
        name,
        number_node(f"kind of the {name}", int(kind)),
        number_node(f"id of the {name}", id_),
        blob_node(f"key of the {name}", key),
    )


def bundle_node(
    person: Person = BOB,
    *,
    signed: int = 100,
    one_time: int | None = 200,
    kem: int | None = None,
    made_on: int = MADE_ON,
) -> Node:
    """Return a bundle."""
    whole = person.bundle(signed=signed, one_time=one_time, kem=kem, made_on=made_on)
    return array_node(
        "the bundle",
        number_node("version", 2),
        number_node("kind", 3),
        address_node(person),
        blob_node("identity key", person.identity.public.data),
        number_node("day", made_on),
        prekey_node(person, PrekeyKind.SIGNED, signed),
        null_node("one-time prekey")
        if one_time is None
        else prekey_node(person, PrekeyKind.ONE_TIME, one_time),
        null_node("KEM prekey") if kem is None else kem_node(person, kem),
        blob_node("signature", whole.signature),
    )


def kem_node(person: Person, id_: int) -> Node:
    """Return a KEM prekey, the last resort from id 400 on."""
    return prekey_node(person, PrekeyKind.KEM_LAST_RESORT if id_ >= 400 else PrekeyKind.KEM_ONE_TIME, id_)


def publication_node(person: Person = BOB, *, pairs: Sequence[tuple[int, int]] = ()) -> Node:
    """Return a publication with pairs of one-time prekeys of these ids."""
    return array_node(
        "the publication",
        number_node("version", 2),
        number_node("kind", 4),
        address_node(person),
        blob_node("identity key", person.identity.public.data),
        number_node("day", MADE_ON),
        prekey_node(person, PrekeyKind.SIGNED, 100),
        kem_node(person, 400),
        blob_node("signature of the last-resort bundle", person.bundle(one_time=None, kem=400).signature),
        array_node("list of pairs", *(pair_node(person, *each) for each in pairs)),
    )


def pair_node(person: Person, one_time: int, kem: int) -> Node:
    """Return a pair of one-time prekeys with the signature of their bundle."""
    return array_node(
        "pair",
        prekey_node(person, PrekeyKind.ONE_TIME, one_time),
        kem_node(person, kem),
        blob_node("signature of the pair", person.bundle(one_time=one_time, kem=kem).signature),
    )


def old_bundle(person: Person = BOB) -> bytes:
    """Return a bundle of version 1."""
    prekeys = [_old_prekey(person, PrekeyKind.SIGNED, 100), _old_prekey(person, PrekeyKind.ONE_TIME, 200)]
    begin = (number_node("version", 1), number_node("kind", 3), *_owner(person))
    return array_node("the bundle", *begin, *prekeys, null_node("KEM prekey")).encode()


def old_publication(person: Person = BOB) -> bytes:
    """Return a publication of version 1, without one-time prekeys."""
    prekeys = [
        _old_prekey(person, PrekeyKind.SIGNED, 100),
        _old_prekey(person, PrekeyKind.KEM_LAST_RESORT, 400),
    ]
    begin = (number_node("version", 1), number_node("kind", 4), *_owner(person))
    return array_node("the publication", *begin, *prekeys, array_node(""), array_node("")).encode()


def _owner(person: Person) -> tuple[Node, Node]:
    return address_node(person), blob_node("identity key", person.identity.public.data)


def _old_prekey(person: Person, kind: PrekeyKind, id_: int) -> Node:
    items = prekey_node(person, kind, id_).items
    assert items is not None
    key = items[2].content or b""
    covers = b"letterlock-v1 prekey signature" + bytes([kind]) + id_.to_bytes(4, "big") + key
    signature = xeddsa.sign(person.identity, covers, draw(f"old signature {int(kind)} {id_}", 64))
    return array_node("prekey", *items, blob_node("signature", signature))


RATCHET: Final = ratchet_node()
TRIPLE: Final = triple_node()
BARE: Final = triple_node(type_=0, codewords=None)
INITIAL: Final = initial_node()
INITIAL_KEM: Final = initial_node(kem=33)
BUNDLE: Final = bundle_node()
PUBLICATION: Final = publication_node()
