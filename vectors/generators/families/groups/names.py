"""Names of members, in parcels for the shelf of a group."""

from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.group_logs import epoch_secret
from generators.support.group_texts import GROUP
from generators.support.labels import draw
from generators.support.padding import pad

LABEL: Final = b"letterlock-v1 parcel for a group"
INTRODUCTION: Final = 3
ANNA: Final = draw("the user id of anna", 32)
BEN: Final = draw("the user id of ben", 32)
FOREIGN: Final = (1, 2, 9)
"""Kinds of things in a parcel that are no introductions."""


def key(epoch: int = 3, group: bytes = GROUP, secret: bytes | None = None, label: bytes = LABEL) -> bytes:
    """Return the key of the names in an epoch."""
    info = label + group + epoch.to_bytes(4, "big")
    return HKDF(SHA256(), 32, b"", info).derive(secret or epoch_secret(epoch))


def introduced(user_id: Value, name: Value) -> list[Value]:
    """Return a name as it stands in a parcel."""
    return [INTRODUCTION, encode([user_id, name])]


def sealed(text: bytes, with_key: bytes, associated: bytes = b"") -> bytes:
    """Return a padded text under a key."""
    nonce = draw(f"the nonce of names {len(text)}", 12)
    return nonce + ChaCha20Poly1305(with_key).encrypt(nonce, text, associated)


def parcel(contents: Value, epoch: int = 3, with_key: bytes | None = None, kind: int = 2) -> bytes:
    """Return a parcel of these contents."""
    return encode([1, 22, kind, epoch, sealed(pad(encode(contents)), with_key or key(epoch))])


def given(data: bytes, epoch: int = 3, group: bytes = GROUP) -> Json:
    """Return the input of group.read_names."""
    return {"group_id": group.hex(), "secret": epoch_secret(epoch).hex(), "parcel": data.hex()}


def add(family: Family) -> None:
    """Add the groups."""
    right: list[Value] = [introduced(ANNA, "anna"), introduced(BEN, "ben")]
    opens(family, right)
    another_key(family, right)
    another_form(family, right)


def opens(family: Family, right: list[Value]) -> None:
    """Add lists that are read."""
    group = family.group("group.read_names", "names of members that are read")
    for comment, contents, epoch in (
        ("two names", right, 3),
        ("one name", right[:1], 3),
        ("in the first epoch", right, 1),
        ("in the last epoch", right, 2**32 - 1),
        ("64 names", [introduced(draw(f"member {at}", 32), f"member {at}") for at in range(64)], 3),
        ("a name of other letters", [introduced(ANNA, "\u0395\u03bb\u03ad\u03bd\u03b7")], 3),
        ("a user twice, with two names", [introduced(ANNA, "anna"), introduced(ANNA, "eve")], 3),
        ("kinds that are passed over", [[each, b"something"] for each in FOREIGN], 3),
        ("names behind such a kind", [[9, b"something"], *right], 3),
    ):
        group.valid(comment, given(parcel(contents, epoch), epoch), rules=["GRP-49", "GRP-50"])


def another_key(family: Family, right: list[Value]) -> None:
    """Add lists that do not open."""
    group = family.group("group.read_names", "names that do not open")
    whole = parcel(right)
    text = pad(encode(right))
    collection = b"letterlock-v1 parcel for a collection"
    for comment, data in (
        ("under the secret of another epoch", parcel(right, 3, key(2))),
        ("moved to another epoch", parcel(right, 4, key(3))),
        ("for another group", parcel(right, 3, key(3, draw("another group", 16)))),
        ("under another secret", parcel(right, 3, key(3, secret=draw("a stranger", 32)))),
        ("as a parcel for a collection", parcel(right, 3, key(3, label=collection))),
        ("under the secret itself", parcel(right, 3, epoch_secret(3))),
        ("with associated data", encode([1, 22, 2, 3, sealed(text, key(), GROUP)])),
        ("for a user", parcel(right, kind=1)),
        ("a bit of the tag is another", whole[:-1] + bytes([whole[-1] ^ 1])),
        ("a bit of the text is another", whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:]),
        ("nothing but a nonce", encode([1, 22, 2, 3, bytes(12)])),
        ("shorter than a nonce", encode([1, 22, 2, 3, bytes(11)])),
    ):
        rules = ["GRP-49"]
        group.invalid(comment, given(data), "AuthenticationFailed", flags=["OtherKey"], rules=rules)


def another_form(family: Family, right: list[Value]) -> None:
    """Add lists of another form, under the right key."""
    group = family.group("group.read_names", "names of another form")
    first = right[0]
    for comment, data in (
        ("nothing in it", parcel([])),
        ("65 names", parcel([first] * 65)),
        ("no array", parcel(encode(right))),
        ("a user id of 31 bytes", parcel([introduced(ANNA[1:], "anna")])),
        ("a user id of 33 bytes", parcel([introduced(ANNA + b"a", "anna")])),
        ("a user id of characters", parcel([introduced("a" * 32, "anna")])),
        ("an empty name", parcel([introduced(ANNA, "")])),
        ("a name of 256 bytes", parcel([introduced(ANNA, "a" * 256)])),
        ("a name of bytes", parcel([introduced(ANNA, b"anna")])),
        ("a name with a line feed", parcel([introduced(ANNA, "an\nna")])),
        ("a name that ends in a space", parcel([introduced(ANNA, "anna ")])),
        ("a name that is not in normal form C", parcel([introduced(ANNA, "e\u0301ve")])),
        ("a right name, and a wrong one", parcel([first, introduced(BEN, "")])),
        ("three elements in an introduction", parcel([[INTRODUCTION, encode([ANNA, "anna", 1])]])),
        ("an introduction that is no array", parcel([[INTRODUCTION, ANNA]])),
        ("a thing of kind 0", parcel([[0, b"something"]])),
        ("a thing of kind 256", parcel([[256, b"something"]])),
        ("an empty thing", parcel([[9, b""]])),
        ("a thing without a kind", parcel([[b"something"]])),
        ("no padding", encode([1, 22, 2, 3, sealed(encode(right), key())])),
        ("a parcel of epoch 0", parcel(right, 0, key(3))),
        ("a parcel of epoch 2^32", encode([1, 22, 2, 2**32, bytes(40)])),
        ("a parcel of kind 3", parcel(right, kind=3)),
        ("a byte behind it", parcel(right) + b"\0"),
        ("a byte is missing", parcel(right)[:-1]),
        ("a parcel without contents", encode([1, 22, 2, 3, b""])),
    ):
        rules = ["GRP-49", "GRP-50"]
        group.invalid(comment, given(data), "MalformedMessage", flags=["Shape"], rules=rules)
