"""Documents that open, whole and in part."""

import hashlib
from typing import Final

from generators.support.document_signers import ALICE
from generators.support.family import Family, Json
from generators.support.sealed_documents import (
    CONTENT,
    FILL,
    Document,
    given,
    metadata,
    part,
)

TWO_BLOCKS: Final = Document("two blocks", 16_800_000)


def content_of(length: int) -> bytes:
    """Return the content of a document of this length, if it has segments like those of `segments_of`."""
    whole = bytearray()
    while len(whole) < length:
        held = min(length - len(whole), CONTENT)
        whole += (FILL * (held // len(FILL) + 1))[:held]
    return bytes(whole)


def shown(content: bytes) -> Json:
    """Return a content as an operation answers it."""
    return {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def add(family: Family) -> None:
    """Add the groups."""
    lengths(family)
    metadata_of(family)
    ranges(family)


def lengths(family: Family) -> None:
    """Add documents of several lengths, read in both ways."""
    group = family.group("document.open", "whole documents")
    for comment, document, flags in (
        ("no content", Document("empty", 0), []),
        ("one byte", Document("one", 1), []),
        ("1,024 bytes, without padding", Document("exact", 1024), []),
        ("one segment of padded content", Document("one segment", 60_000), []),
        ("65,500 bytes: a second segment that only pads", Document("one full", CONTENT), ["Padding"]),
        ("65,501 bytes: one byte in the second segment", Document("one more", CONTENT + 1), []),
        ("a full last segment", Document("full last", 130_000), []),
        ("265 segments, of which 8 only pad", TWO_BLOCKS, ["TwoBlocks"]),
    ):
        answer = group.valid(
            comment,
            given(document, document.parts(), "both"),
            flags=flags,
            rules=["DOC-5", "DOC-9", "DOC-10"],
        )
        assert answer["content"] == shown(content_of(document.length))
    later = Document("a later version", version=7)
    group.valid("version 7", given(later, later.parts()), rules=["DOC-6"])
    with_grants = Document("with grants")
    parts = with_grants.parts(grants=b"\x81\x43abc")
    group.valid("grants beside it, which nothing covers", given(with_grants, parts, "both"), rules=["DOC-3"])
    revoked = Document("of a revoked device")
    parts = revoked.parts(revoked.trailer(ALICE.at(3, 2)))
    group.valid(
        "the author's device was revoked later",
        given(revoked, parts, lists=[ALICE.snapshots[:3]]),
        flags=["Revoked"],
        rules=["DOC-31"],
    )
    group.valid(
        "the same before it was revoked",
        given(revoked, parts, lists=[ALICE.snapshots[:2]]),
        rules=["DOC-31"],
    )


def metadata_of(family: Family) -> None:
    """Add documents with other metadata."""
    group = family.group("document.open", "metadata")
    for comment, fields in (
        ("nothing", (None, None, None, None, b"")),
        ("a name of 1,024 bytes", ("n" * 1022 + "\u00e9", None, None, None, b"")),
        ("a media type of 127 bytes", (None, "m" * 127, None, None, b"")),
        ("the greatest times", (None, None, 2**53 - 1, 2**53 - 1, b"")),
        ("4,096 bytes of an application", ("a", "b", 0, 1, bytes(range(256)) * 16)),
        ("a length that needs no padding", ("n" * 240, None, None, None, b"abc")),
    ):
        document = Document(f"metadata {comment}", text=metadata(*fields))
        group.valid(comment, given(document, document.parts()), rules=["DOC-2"])


def ranges(family: Family) -> None:
    """Add reads of a part, also of documents with damage that such a read need not notice."""
    group = family.group("document.open", "parts of the content")
    document = Document("a part is read", 200_000)
    content = content_of(200_000)
    for comment, start, count in (
        ("the first byte", 0, 1),
        ("over the end of a segment", CONTENT - 5, 10),
        ("a whole segment", CONTENT, CONTENT),
        ("the last byte", 199_999, 1),
        ("over the end of the content", 199_990, 100),
        ("behind the content", 200_000, 10),
        ("no byte", 7, 0),
    ):
        wanted = given(document, document.parts(), **{"from": start, "count": count})
        answer = group.valid(comment, wanted, flags=["Range"], rules=["DOC-10"])
        assert answer["content"] == shown(content[start : start + count])
    parts = TWO_BLOCKS.parts()
    wanted = given(TWO_BLOCKS, parts, **{"from": 256 * CONTENT - 3, "count": 6})
    group.valid("over the end of a block", wanted, flags=["Range", "TwoBlocks"], rules=["DOC-10"])
    damaged = document.parts(body=document.changed(document.segment(2)[0] + 100))
    wanted = given(document, damaged, **{"from": 0, "count": 1000})
    group.valid("the first segment, where the third is damaged", wanted, flags=["Range"], rules=["DOC-10"])
    for comment, start, count, flags in (
        ("a byte of a damaged segment", 2 * CONTENT, 1, ["Range", "Changed"]),
        ("two segments, of which the second is damaged", 2 * CONTENT - 1, 2, ["Range", "Changed"]),
    ):
        wanted = given(document, damaged, **{"from": start, "count": count})
        group.invalid(comment, wanted, "DocumentDamaged", flags=flags, rules=["DOC-10"])
    other = Document("a part is read", 200_000, segments=[
        {**each, "fill": b"other".hex()} for each in document.segments
    ])  # fmt: skip
    start, end = document.segment(1)
    mixed = document.parts(body=[part(0, start), part(start, end, 1), part(end, 1 << 31)])
    wanted = given([document, other], mixed, **{"from": CONTENT, "count": 10})
    comment = "a segment that another reader made in its place"
    group.invalid(comment, wanted, "DocumentDamaged", flags=["Range", "Made"], rules=["DOC-3", "DOC-10"])
    leaves = document.leaves()
    leaf = part(leaves[0] + 32, leaves[0] + 64, 1)
    with_leaf = [
        part(0, start), part(start, end, 1), part(end, leaves[0] + 32), leaf, part(leaves[0] + 64, 1 << 31)
    ]  # fmt: skip
    wanted = given([document, other], document.parts(body=with_leaf), **{"from": CONTENT, "count": 10})
    comment = "a segment that another reader made, with its leaf hash"
    group.invalid(comment, wanted, "DocumentDamaged", flags=["Range", "Made"], rules=["DOC-3", "DOC-10"])
    padding = Document("damaged padding", CONTENT)
    parts = padding.parts(body=padding.changed(padding.segment(1)[1] - 20))
    wanted = given(padding, parts, **{"from": 0, "count": 10})
    group.valid("damage in a segment that only pads", wanted, flags=["Range", "Padding"], rules=["DOC-10"])
    group.invalid(
        "damage in a segment that only pads, in one pass",
        given(padding, parts, "pipe"),
        "DocumentDamaged",
        flags=["Changed", "Padding"],
        rules=["DOC-5"],
    )
