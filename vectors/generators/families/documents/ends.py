"""Ends of documents: trailers, statements, footers, and the grants that travel beside."""

from generators.families.documents.bodies import both
from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.labels import draw, flipped
from generators.support.sealed_documents import END, Document, data, footer_of, given, part


def add(family: Family) -> None:
    """Add the groups."""
    statements(family)
    trailers(family)
    footers(family)
    beside(family)


def statements(family: Family) -> None:
    """Add statements that the author signed, and that the document is not."""
    group = family.group("document.open", "statements about something else")
    document = Document("a statement", 100_000)
    changes: dict[str, dict[str, Value]] = {
        "another id": {"id": draw("no id", 16)},
        "another version": {"version": 2},
        "another commitment": {"commitment": draw("no commitment", 32)},
        "one byte less": {"length": 99_999},
        "one byte more": {"length": 100_001},
        "no content": {"length": 0},
        "one segment more": {"segments": 3},
        "one segment less": {"segments": 1},
        "another root": {"root": draw("no root", 32)},
    }
    for comment, changed in changes.items():
        parts = document.parts(document.trailer(**changed))
        both(group, f"a statement: {comment}", document, parts, ["Statement"], ["DOC-9"])
    small = Document("a small statement", 100)
    for comment, length in (
        ("one byte less, in the same room", 99),
        ("one byte more, in the same room", 101),
    ):
        parts = small.parts(small.trailer(length=length))
        both(group, comment, small, parts, ["Statement"], ["DOC-9"])


def trailers(family: Family) -> None:
    """Add trailers that do not open, or are of another form."""
    group = family.group("document.open", "trailers")
    document, other = Document("a trailer"), Document("another trailer")
    trailer = document.trailer()
    for comment, sealed in (
        ("its nonce changed", flipped(trailer, 0)),
        ("its text changed", flipped(trailer, 100)),
        ("its tag changed", flipped(trailer, -1)),
        ("no trailer", b""),
        ("27 bytes", trailer[:27]),
        ("under another label", document.sealed(b"letterlock-v1 document metadata", b"")),
        ("under another key", other.trailer()),
    ):
        both(
            group, f"a trailer: {comment}", document, document.parts(sealed), ["Changed"], ["DOC-3", "DOC-6"]
        )
    statement = document.statement()
    signed: list[Value] = [bytes(32), 1, 1, bytes(32), bytes(1952), bytes(3373)]
    fields: list[Value] = [*statement, signed]

    def with_(at: int, value: Value) -> list[Value]:
        return [*fields[:at], value, *fields[at + 1 :]]

    cases: dict[str, list[Value] | bytes] = {
        "no ninth element": statement,
        "a tenth element": [*fields, None],
        "another format": with_(0, 2),
        "an id of 17 bytes": with_(1, bytes(17)),
        "version 0": with_(2, 0),
        "a commitment of 31 bytes": with_(3, bytes(31)),
        "a length above the limit": with_(4, 268_435_456 * 65_500 + 1),
        "no segment": with_(5, 0),
        "2^28 + 1 segments": with_(5, 2**28 + 1),
        "a root of 33 bytes": with_(6, bytes(33)),
        "a time of 2^53": with_(7, 2**53),
        "null for who signed": with_(8, None),
        "a signature of 3,372 bytes": with_(8, [*signed[:5], bytes(3372)]),
        "an ML-DSA key of 1,953 bytes": with_(8, [*signed[:4], bytes(1953), signed[5]]),
        "a byte after it": encode(fields) + b"\0",
        "a number in a long form": b"\x89\x18\x01" + encode(fields)[2:],
    }
    for comment, made in cases.items():
        wrong = given(document, document.parts(document.trailer_of(made)))
        group.invalid(f"a trailer: {comment}", wrong, "MalformedMessage", flags=["Shape"], rules=["DOC-3"])


def footers(family: Family) -> None:
    """Add footers that say something else than the document is."""
    group = family.group("document.open", "footers")
    document = Document("a footer")
    trailer = document.trailer()
    size = len(trailer)
    for comment, footer, expect in (
        ("another mark", footer_of(size, 0, 1, b"llFooter"), "MalformedMessage"),
        ("a trailer of 16,385 bytes", footer_of(16_385, 0, 1), "MalformedMessage"),
        ("grants of 1,048,577 bytes", footer_of(size, 1_048_577, 1), "MalformedMessage"),
        ("no segment", footer_of(size, 0, 0), "MalformedMessage"),
        ("2^28 + 1 segments", footer_of(size, 0, 2**28 + 1), "MalformedMessage"),
        ("a trailer that is one byte longer", footer_of(size + 1, 0, 1), "DocumentDamaged"),
        ("a trailer that is one byte shorter", footer_of(size - 1, 0, 1), "DocumentDamaged"),
        ("grants that are not there", footer_of(size, 1, 1), "DocumentDamaged"),
        ("a part of the trailer as grants", footer_of(size - 5, 5, 1), "DocumentDamaged"),
        ("one segment more", footer_of(size, 0, 2), "DocumentDamaged"),
        ("more than there is", footer_of(size, 1_000_000, 1), "DocumentDamaged"),
    ):
        parts = [part(0, END), data(trailer + footer)]
        wrong = given(document, parts, "both")
        group.invalid(f"a footer: {comment}", wrong, expect, flags=["Shape"], rules=["DOC-9"])


def beside(family: Family) -> None:
    """Add the grants that travel with a document, without a look into them."""
    group = family.group("document.grants", "grants beside a document")
    document = Document("beside")
    trailer = document.trailer()

    def with_(grants: bytes, footer: bytes | None = None) -> dict[str, object]:
        end = footer or footer_of(len(trailer), len(grants), 1)
        made = given(document, [part(0, END), data(trailer + grants + end)])
        return {name: made[name] for name in ("bodies", "parts", "sha256")}

    for comment, grants in (
        ("none", b""),
        ("an empty array", b"\x80"),
        ("one", encode([b"one"])),
        ("three", encode([b"one", b"", b"three"])),
    ):
        group.valid(comment, with_(grants), rules=["DOC-50"])
    for comment, made in (
        ("no array", with_(encode(b"one"))),
        ("a text among them", with_(encode([b"one", "two"]))),
        ("an array among them", with_(encode([[b"one"]]))),
        ("null", with_(encode(None))),
        ("a byte after the array", with_(encode([b"one"]) + b"\0")),
        ("a number in a long form", with_(b"\x98\x01\x40")),
        ("one of 20,481 bytes", with_(encode([bytes(20_481)]))),
        ("1,001 grants", with_(encode([b""] * 1001))),
        ("no footer", with_(b"", b"no footer of a document.")),
        ("lengths above the limits", with_(b"", footer_of(len(trailer), 1_048_577, 1))),
    ):
        group.invalid(comment, made, "MalformedMessage", flags=["Shape"], rules=["DOC-50"])
