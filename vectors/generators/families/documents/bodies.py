"""Bodies that were cut, reordered, mixed or changed, and bodies whose filling sealing does not make."""

from generators.support.family import Family, Group, Json
from generators.support.sealed_documents import (
    CONTENT,
    END,
    Document,
    Part,
    data,
    given,
    part,
    segment,
)


def both(
    group: Group,
    comment: str,
    docs: Document | list[Document],
    parts: list[Part],
    flags: list[str],
    rules: list[str],
) -> None:
    """Add a document that is refused as DocumentDamaged in both ways of reading."""
    group.invalid(comment, given(docs, parts, "both"), "DocumentDamaged", flags=flags, rules=rules)


def add(family: Family) -> None:
    """Add the groups."""
    cuts(family)
    orders(family)
    changes(family)
    finals(family)
    fillings(family)


def cuts(family: Family) -> None:
    """Add documents that end too early, or go on."""
    group = family.group("document.open", "documents that were cut, or go on")
    document = Document("to cut", 100_000)
    body, nodes = document.body, document.nodes
    first = document.segment(0)[1]
    for comment, size, in_pipe in (
        ("no byte", 0, "MalformedMessage"),
        ("half the first line", 12, "MalformedMessage"),
        ("a header without its last byte", len(document.front) - 1, "MalformedMessage"),
        ("the front alone", len(document.front), "MalformedMessage"),
        ("no segment", document.start, "DocumentDamaged"),
        ("half a segment", document.start + 30_000, "DocumentDamaged"),
        ("the first segment alone", first, "DocumentDamaged"),
        ("the last segment without its last byte", document.segment(1)[1] - 1, "DocumentDamaged"),
        ("no leaf hashes", document.leaves()[0], "DocumentDamaged"),
        ("one leaf hash of two", document.leaves()[0] + 32, "DocumentDamaged"),
        ("no node", nodes, "DocumentDamaged"),
        ("no trailer", len(body), "MalformedMessage"),
    ):
        ways = ["both"] if in_pipe == "MalformedMessage" else ["seekable", "pipe"]
        for way in ways:
            expect = in_pipe if way == "pipe" else "MalformedMessage"
            wrong = given(document, [part(0, size)], way)
            group.invalid(f"{comment}, {way}", wrong, expect, flags=["Cut"], rules=["DOC-1", "DOC-9"])
    trailer = document.trailer()
    whole = document.parts(trailer)
    ending = bytes.fromhex(whole[1]["data"])
    for comment, size in (("half a trailer", 2000), ("no footer", len(trailer)), ("half a footer", -12)):
        parts = [whole[0], data(ending[:size])]
        wrong = given(document, parts, "both")
        group.invalid(comment, wrong, "MalformedMessage", flags=["Cut"], rules=["DOC-9"])
    for what, more in (("a byte", data(b"\0")), ("the document again", whole[0])):
        parts = [*whole, more]
        wrong = given(document, parts, "both")
        comment = f"{what} after the end"
        group.invalid(comment, wrong, "MalformedMessage", flags=["GoesOn"], rules=["DOC-9"])


def orders(family: Family) -> None:
    """Add documents whose segments or hashes stand in another order, or come from another document."""
    group = family.group("document.open", "segments and hashes in another order, or of another document")
    doc = Document("in order", 200_000)
    other, later = Document("another one", 200_000), Document("in order", 200_000, version=2)
    cuts = [doc.segment(number) for number in range(doc.count)]
    leaf = doc.leaves()[0]
    head, tail = part(0, doc.start), part(cuts[-1][0], END)

    def nth(number: int, of: int = 0) -> Part:
        return part(*cuts[number], of)

    def hashes(*order: int) -> list[Part]:
        return [part(leaf + 32 * each, leaf + 32 * each + 32) for each in order]

    last = part(*cuts[-1])
    nodes = part(doc.nodes, END)
    for comment, body, flags in (
        ("two segments exchanged", [head, nth(1), nth(0), nth(2), tail], ["Reordered"]),
        ("two segments and their hashes exchanged",
         [head, nth(1), nth(0), nth(2), last, *hashes(1, 0, 2, 3), nodes], ["Reordered"]),
        ("two leaf hashes exchanged", [part(0, leaf), *hashes(1, 0, 2, 3), nodes], ["Reordered"]),
        ("a segment missing", [head, nth(0), nth(2), tail], ["Reordered"]),
        ("the first segment missing, and its hash", [head, nth(1), nth(2), last, *hashes(1, 2, 3), nodes],
         ["Reordered"]),
        ("a segment twice", [head, nth(0), nth(1), nth(1), nth(2), tail], ["Reordered"]),
        ("a segment in the place of another", [head, nth(0), nth(0), nth(2), tail], ["Reordered"]),
        ("the last segment alone", [head, last, *hashes(3), nodes], ["Reordered"]),
    ):  # fmt: skip
        both(group, comment, doc, doc.parts(body=body), flags, ["DOC-9", "DOC-10"])
    for comment, docs, body in (
        ("a segment of another document", [doc, other], [head, nth(0, 1), nth(1), nth(2), tail]),
        ("a segment of another version", [doc, later], [head, nth(0), nth(1, 1), nth(2), tail]),
        ("a leaf hash of another document", [doc, other],
         [part(0, leaf), part(leaf, leaf + 32, 1), part(leaf + 32, END)]),
        ("the node of another document", [doc, other], [part(0, doc.nodes), part(doc.nodes, END, 1)]),
        ("the body of another document", [doc, other], [head, part(doc.start, END, 1)]),
        ("the body of another version", [doc, later], [head, part(doc.start, END, 1)]),
    ):  # fmt: skip
        both(group, comment, docs, doc.parts(body=body), ["Mixed"], ["DOC-9", "DOC-10"])
    for whose_name, whose in (("another document", other), ("another version", later)):
        comment = f"the trailer of {whose_name}"
        both(group, comment, doc, doc.parts(whose.trailer()), ["Mixed"], ["DOC-9"])
    twin = Document("in order", 200_000, segments=[{**each, "fill": "00"} for each in doc.segments])
    comment = "another content under the same key, with the author's trailer"
    both(group, comment, twin, twin.parts(doc.trailer()), ["Made"], ["DOC-3", "DOC-9"])
    longer = Document("in order", 200_001)
    both(
        group, "a longer content under the same key", longer, longer.parts(doc.trailer()), ["Made"], ["DOC-3"]
    )


def changes(family: Family) -> None:
    """Add bodies of which one byte is another."""
    group = family.group("document.open", "bytes that were changed")
    document = Document("to change", 100_000)
    first, last = document.segment(0), document.segment(1)
    for comment, at in (
        ("the marker of the first segment", first[0]),
        ("the nonce of the first segment", first[0] + 4),
        ("the sealed text of the first segment", first[0] + 16),
        ("the tag of the first segment", first[1] - 1),
        ("the length in the last segment", last[0] + 3),
        ("the sealed text of the last segment", last[0] + 50),
        ("a leaf hash", document.leaves()[0]),
        ("the last leaf hash", document.nodes - 1),
        ("the node", document.nodes),
    ):
        body = document.changed(at)
        # A reader of any place need not open the last segment if it only pads, but here it has content.
        both(group, comment, document, document.parts(body=body), ["Changed"], ["DOC-9", "DOC-10"])


def finals(family: Family) -> None:
    """Add bodies whose last segment is none, or that have two. Whoever has the key can make them."""
    group = family.group("document.open", "last segments that are none")
    full = segment(CONTENT, CONTENT + 4)
    ending = Document("final", 100_000).segments[-1]
    for comment, segments in (
        ("the first of two segments calls itself the last", [{**full, "final": True}, ending]),
        ("no segment calls itself the last", [full, {**ending, "final": False}]),
        ("a short segment in the middle", [segment(1000, 1004, final=True), full]),
    ):
        document = Document("final", 100_000, segments=segments)
        both(group, comment, document, document.parts(), ["WrongFinal"], ["DOC-5", "DOC-9"])
    one = Document("one segment", 60_000)
    body = [part(0, one.start), data(b"\xff" * 4), part(one.start + 4, END)]
    comment = "the marker of a middle segment in the only one"
    both(group, comment, one, one.parts(body=body), ["WrongFinal", "Changed"], ["DOC-9"])


def fillings(family: Family) -> None:
    """Add documents whose author fills segments otherwise than sealing does, and signs them."""
    group = family.group("document.open", "fillings that sealing does not make")
    full = segment(CONTENT, CONTENT + 4)
    last = Document("filling", 100_000).segments[-1]
    short = {**full, "count": CONTENT - 1, "filled": CONTENT - 1}
    for comment, length, segments in (
        ("a count above the room", 100, [segment(100, 1028, final=True, count=1025)]),
        ("a count of 2^32 - 1", 100, [segment(100, 1028, final=True, count=2**32 - 1)]),
        ("a count below what is there", 99, [segment(100, 1028, final=True, count=99)]),
        ("a byte in the padding", 100, [segment(1024, 1028, final=True, count=100)]),
        ("a count above the content", 100, [segment(100, 1028, final=True, count=101)]),
        ("less room than the padding needs", 100, [segment(100, 1027, final=True)]),
        ("more room than the padding needs", 100, [segment(100, 1029, final=True)]),
        ("no padding", 100, [segment(100, 104, final=True)]),
        ("no room for a count", 0, [segment(0, 2, final=True)]),
        ("a first segment that is not full", 99_999, [short, last]),
        ("content behind a segment that only pads", 100, [{**full, "count": 0, "filled": 0}, last]),
        ("a segment of padding too many", 100, [segment(100, CONTENT + 4), segment(0, 1028, final=True)]),
        ("an empty segment at the end", 100_000, [full, {**last, "final": False, "size": CONTENT + 4},
                                                  segment(0, 4, final=True)]),
    ):  # fmt: skip
        document = Document("filling", length, segments=segments)
        both(group, comment, document, document.parts(), ["Padding"], ["DOC-5"])
    two: list[Json] = [
        full,
        {**full, "filled": CONTENT, "count": 0, "final": False},
        segment(0, 1000, final=True),
    ]
    document = Document("filling", CONTENT, segments=two)
    both(group, "content in a segment that only pads", document, document.parts(), ["Padding"], ["DOC-5"])
