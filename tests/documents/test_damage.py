"""Documents that were changed, cut, mixed or lengthened are refused, however they are read.

Not here: changes by a reader, who has the key (test_lying_readers.py).
"""

import io
from collections.abc import Callable

import pytest

from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._front import Front
from letterlock.documents._version_key import VersionKey
from letterlock.errors import LetterlockError, MalformedMessage, PeerError, UnsupportedVersion
from support.sealed import FULL, PARTS, Sealed, as_file, content, open_whole, seal_bytes, sealed

LENGTH = 2 * FULL + 5
"""Content of three segments. The last one is not full, and is the last of the document."""


def in_one_pass(document: Sealed) -> None:
    target = io.BytesIO()
    try:
        open_whole(document, target)
    finally:
        assert target.getvalue() == b""  # DOC-7: nothing is left of what was written


def as_a_file(document: Sealed) -> None:
    as_file(document).readall()


WAYS = pytest.mark.parametrize("read", [in_one_pass, as_a_file])
Read = Callable[[Sealed], None]


def refused(document: Sealed, read: Read) -> None:
    with pytest.raises(PeerError) as caught:
        read(document)
    assert isinstance(caught.value, DocumentDamaged | MalformedMessage | UnsupportedVersion)


def changed(document: Sealed, place: int, bit: int = 1) -> Sealed:
    data = bytearray(document.data)
    data[place] ^= bit
    return document.with_data(data)


@WAYS
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("where", [0, 3, 20, -1])
def test_a_changed_byte_is_noticed(read: Read, part: str, where: int) -> None:
    document = sealed(LENGTH)
    begin, end = document.place(part)
    refused(changed(document, (end if where < 0 else begin) + where), read)


@WAYS
def test_every_byte_of_the_front_counts(read: Read) -> None:
    """DOC-4: the header tag commits to everything in front of it."""
    document = sealed(1)
    for place in range(0, document.place("segment 0")[0], 3):
        refused(changed(document, place, 0x20), read)


@WAYS
def test_every_byte_of_the_footer_counts(read: Read) -> None:
    document = sealed(1)
    for place in range(*document.place("footer")):
        refused(changed(document, place), read)


@WAYS
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("beyond", [0, 1, 40])
def test_a_document_that_was_cut_is_refused(read: Read, part: str, beyond: int) -> None:
    document = sealed(LENGTH)
    end = min(document.place(part)[0] + beyond, len(document.data) - 1)
    refused(document.with_data(document.data[:end]), read)


@WAYS
@pytest.mark.parametrize("cut", [1, 8, 23, 24, 25, 100])
def test_a_document_without_its_last_bytes_is_refused(read: Read, cut: int) -> None:
    refused(sealed(LENGTH).with_data(sealed(LENGTH).data[:-cut]), read)


@WAYS
@pytest.mark.parametrize("more", [b"\0", bytes(24), bytes(100_000), b"llfooter"])
def test_bytes_behind_the_document_are_refused(read: Read, more: bytes) -> None:
    refused(sealed(LENGTH).with_data(sealed(LENGTH).data + more), read)


@WAYS
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("more", [b"\0", bytes(32), bytes(65_536)])
def test_bytes_between_the_parts_are_refused(read: Read, part: str, more: bytes) -> None:
    document = sealed(LENGTH)
    begin = document.place(part)[0]
    refused(document.with_data(document.data[:begin] + more + document.data[begin:]), read)


@WAYS
@pytest.mark.parametrize("part", [part for part in PARTS if part != "front"])
def test_a_part_of_another_document_is_refused(read: Read, part: str) -> None:
    document, other = sealed(LENGTH), seal_bytes(content(LENGTH), seed=b"other")
    mixed = document.with_part(part, other.part(part))
    if part == "footer":  # equal lengths have equal footers
        assert mixed == document
    else:
        refused(mixed, read)


@WAYS
@pytest.mark.parametrize("part", ["segment 0", "trailer", "floe header"])
def test_a_part_of_another_version_is_refused(read: Read, part: str) -> None:
    document, other = sealed(LENGTH), seal_bytes(content(LENGTH), seed=b"v2", version=2)
    refused(document.with_part(part, other.part(part)), read)


@WAYS
@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 0)])
def test_segments_that_changed_places_are_refused(read: Read, one: int, other: int) -> None:
    document = sealed(LENGTH)
    moved = document.with_part(f"segment {one}", document.part(f"segment {other}"))
    refused(moved, read)
    refused(moved.with_part(f"segment {other}", document.part(f"segment {one}")), read)


@WAYS
@pytest.mark.parametrize("number", [0, 1])
def test_a_segment_that_is_missing_is_noticed(read: Read, number: int) -> None:
    document = sealed(LENGTH)
    refused(document.with_part(f"segment {number}", b""), read)


@WAYS
@pytest.mark.parametrize("length", [0, 3, 31, 32, 35, 2**16 - 1, 2**16 + 1, 2**32 - 2])
def test_a_last_segment_of_another_length_is_refused(read: Read, length: int) -> None:
    document = sealed(LENGTH)
    begin = document.place("segment 2")[0]
    marker = length.to_bytes(4, "big")
    refused(document.with_data(document.data[:begin] + marker + document.data[begin + 4 :]), read)


@WAYS
def test_a_key_of_another_version_is_refused_before_anything_opens(read: Read) -> None:
    """DOC-8: the key is checked against the commitment first."""
    document = sealed(LENGTH)
    front = Front.read(io.BytesIO(document.data))
    for key in (VersionKey(bytes(32)), seal_bytes(b"", seed=b"other").state.key):
        with pytest.raises(DocumentDamaged, match="does not fit"):
            front.open(key)


@pytest.mark.parametrize(
    "data", [b"", b"letterlock-v1 document\n", b"age-encryption.org/v1\n" + bytes(99), bytes(99), b"%PDF-1.7"]
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    """DOC-1."""
    with pytest.raises(MalformedMessage):
        Front.read(io.BytesIO(data))


def test_a_header_that_claims_a_great_length_is_not_read() -> None:
    claimed = b"letterlock-v1 document\n" + (65_537).to_bytes(4, "big")
    source = io.BytesIO(claimed + bytes(70_000))
    with pytest.raises(MalformedMessage, match="at most 65536"):
        Front.read(source)
    assert source.tell() == len(claimed)


def test_all_of_these_are_errors_of_this_package() -> None:
    assert issubclass(DocumentDamaged, LetterlockError)
