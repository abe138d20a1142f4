"""Fronts: the first line, the header, the FLOE header and the metadata."""

from generators.families.documents.bodies import both
from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.labels import draw
from generators.support.sealed_documents import END, MAGIC, Document, data, given, metadata, padded, part


def add(family: Family) -> None:
    """Add the groups."""
    lines(family)
    headers(family)
    keys(family)
    metadata_of(family)


def lines(family: Family) -> None:
    """Add documents that begin with something else. The rest is sealed for this beginning."""
    group = family.group("document.open", "beginnings")
    usual = Document("beginning")
    rest = usual.front[len(MAGIC) :]
    for comment, front, expect in (
        ("another name", MAGIC.replace(b"document", b"Document") + rest, "MalformedMessage"),
        ("a carriage return", MAGIC[:-1] + b"\r" + rest, "MalformedMessage"),
        ("another version of the format", MAGIC.replace(b"v1", b"v2") + rest, "MalformedMessage"),
        ("no length", MAGIC + usual.front[len(MAGIC) + 4 :], "MalformedMessage"),
        ("a length of 65,537", MAGIC + b"\x00\x01\x00\x01" + rest[4:], "MalformedMessage"),
        ("a length of 0", MAGIC + bytes(4) + rest[4:], "MalformedMessage"),
        ("a length that is one too small", MAGIC + len(rest[5:]).to_bytes(4, "big") + rest[4:-1],
         "MalformedMessage"),
    ):  # fmt: skip
        document = Document("beginning", front=front)
        wrong = given(document, document.parts(usual.trailer()))
        group.invalid(comment, wrong, expect, flags=["Shape"], rules=["DOC-1"])


def headers(family: Family) -> None:
    """Add headers of another form, for which everything else was made."""
    group = family.group("document.open", "headers")
    usual = Document("a header")
    sealed = usual.sealed(b"letterlock-v1 document metadata", metadata(None, None, None, None, b""))
    fields: list[Value] = [1, usual.id, 1, usual.salt, sealed]

    def front(*items: Value, raw: bytes | None = None) -> bytes:
        header = encode(list(items)) if raw is None else raw
        return MAGIC + len(header).to_bytes(4, "big") + header

    long_form = b"\x85\x18\x01" + encode(fields)[2:]
    for comment, made in (
        ("an id of 15 bytes", front(1, usual.id[:15], *fields[2:])),
        ("an id that is text", front(1, "0123456789abcdef", *fields[2:])),
        ("version 0", front(1, usual.id, 0, usual.salt, sealed)),
        ("version 2^32", front(1, usual.id, 2**32, usual.salt, sealed)),
        ("a salt of 31 bytes", front(1, usual.id, 1, usual.salt[:31], sealed)),
        ("no sealed metadata", front(1, usual.id, 1, usual.salt)),
        ("sealed metadata of 283 bytes", front(1, usual.id, 1, usual.salt, sealed[:-1])),
        ("null for the salt", front(1, usual.id, 1, None, sealed)),
        ("a sixth element", front(*fields, None)),
        ("a byte after the header", front(raw=encode(fields) + b"\0")),
        ("a number in a long form", front(raw=long_form)),
        ("a map", front(raw=b"\xa0")),
    ):
        document = Document("a header", front=made)
        wrong = given(document, document.parts(usual.trailer()))
        group.invalid(f"a header: {comment}", wrong, "MalformedMessage", flags=["Shape"], rules=["DOC-1"])
    document = Document("a header", front=front(2, *fields[1:]))
    wrong = given(document, document.parts(usual.trailer()))
    group.invalid("a later format", wrong, "UnsupportedVersion", flags=["Shape"], rules=["DOC-1"])


def keys(family: Family) -> None:
    """Add keys and FLOE headers that do not fit the document."""
    group = family.group("document.open", "keys, and what commits to them")
    document, other = Document("a key", 100), Document("another key", 100)
    for comment, key in (
        ("another key", other.key),
        ("a key with one other bit", bytes([document.key[0] ^ 1, *document.key[1:]])),
        ("a key of zeros", bytes(32)),
    ):
        wrong = given(document, document.parts(), key=key.hex())
        group.invalid(comment, wrong, "DocumentDamaged", flags=["AnotherKey"], rules=["DOC-8", "PRIM-17"])
    at = len(document.front)
    for comment, place in (
        ("the header's id", 60), ("the salt", 100), ("the sealed metadata", at - 100),
        ("the last byte of the front", at - 1), ("the AEAD of FLOE", at), ("the KDF of FLOE", at + 1),
        ("the segment length", at + 4), ("the length of the iv", at + 9), ("the iv", at + 10),
        ("the last byte of the iv", at + 41), ("the header tag", at + 42),
        ("the last byte of the tag", at + 73),
    ):  # fmt: skip
        wrong = given(document, document.parts(body=document.changed(place)))
        group.invalid(
            f"{comment} changed", wrong, "DocumentDamaged", flags=["Changed"], rules=["DOC-4", "DOC-8"]
        )
    version = MAGIC + document.front[len(MAGIC) :].replace(b"\x01\x58\x20", b"\x02\x58\x20", 1)
    body = [data(version), part(len(version), END)]
    wrong = given(document, document.parts(body=body))
    group.invalid(
        "another version in the header", wrong, "DocumentDamaged", flags=["Changed"], rules=["DOC-4"]
    )
    # Two keys, one body: the header tag of one document over segments that another key seals.
    twin = Document("a key", 100, iv=draw("the iv of both", 32))
    foreign = Document("another key", 100, front=twin.front, iv=draw("the iv of both", 32))
    start = twin.start
    for comment, body in (
        ("segments under another key", [part(0, start), part(start, END, 1)]),
        (
            "the header tag of another key",
            [part(0, start - 32), part(start - 32, start, 1), part(start, END)],
        ),
    ):
        parts = twin.parts(twin.trailer(), body=body)
        both(group, comment, [twin, foreign], parts, ["AnotherKey", "Mixed"], ["DOC-8", "PRIM-17"])
    longer = Document("a key", 100, front=twin.front[:-1] + bytes([twin.front[-1] ^ 1]))
    wrong = given(longer, longer.parts())
    comment = "metadata that do not authenticate, under a tag that commits to them"
    group.invalid(comment, wrong, "DocumentDamaged", flags=["Made"], rules=["DOC-6"])


def metadata_of(family: Family) -> None:
    """Add metadata of another form, sealed under the right key."""
    group = family.group("document.open", "metadata of another form")
    usual: list[Value] = ["a", "b", 0, 1, b""]
    encoded = encode(usual)

    def bare(data: bytes, size: int, length: int | None = None) -> bytes:
        return (len(data) if length is None else length).to_bytes(4, "big") + data.ljust(size - 4, b"\0")

    for comment, text in (
        ("512 bytes where 256 suffice", bare(encoded, 512)),
        ("260 bytes", bare(encoded, 260)),
        ("a byte in the padding", bare(encoded, 255) + b"\1"),
        ("a length above what is there", bare(encoded, 256, 253)),
        ("a length of 2^32 - 1", bare(encoded, 256, 2**32 - 1)),
        ("a length of 0", bare(b"", 256)),
        ("a length that ends early", bare(encoded, 256, len(encoded) - 1)),
        ("four elements", metadata(*usual[:4])),
        ("six elements", metadata(*usual, None)),
        ("an empty name", metadata("", *usual[1:])),
        ("a name of 1,025 bytes", metadata("n" * 1025, *usual[1:])),
        ("a name that is bytes", metadata(b"a", *usual[1:])),
        ("a media type of 128 bytes", metadata("a", "m" * 128, *usual[2:])),
        ("a time of 2^53", metadata("a", "b", 2**53, 1, b"")),
        ("a time that is text", metadata("a", "b", "0", 1, b"")),
        ("4,097 bytes of an application", metadata("a", "b", 0, 1, bytes(4097))),
        ("null for the application's bytes", metadata("a", "b", 0, 1, None)),
        ("text that is no UTF-8", padded(b"\x85\x61\xff" + encode(usual)[3:])),
        ("no array", padded(b"\xf6")),
    ):
        document = Document(f"metadata {comment}", text=text)
        wrong = given(document, document.parts())
        group.invalid(f"metadata: {comment}", wrong, "MalformedMessage", flags=["Metadata"], rules=["DOC-2"])
