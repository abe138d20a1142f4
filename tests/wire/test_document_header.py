"""The front of a document: one encoding, and limits that hold before anything is read."""

import cbor2
import pytest

from letterlock._wire.document_header import DocumentHeader, DocumentMetadata, header_length
from letterlock.errors import MalformedMessage, UnsupportedVersion, UsageError

HEADER = DocumentHeader(bytes(range(16)), 7, bytes(range(32)), bytes(284))
METADATA = DocumentMetadata("Arztbrief März.pdf", "application/pdf", 1, 2**53 - 1, bytes(4096))


def test_a_front_reads_back() -> None:
    """DOC-1."""
    front = HEADER.front()
    assert front.startswith(b"letterlock-v1 document\n")
    assert header_length(front[:27]) == len(front) - 27
    assert DocumentHeader.decode(front[27:]) == HEADER


@pytest.mark.parametrize("metadata", [METADATA, DocumentMetadata(), DocumentMetadata("n" * 1024, "t" * 127)])
def test_metadata_read_back(metadata: DocumentMetadata) -> None:
    padded = metadata.encode()
    assert len(padded) % 256 == 0
    assert DocumentMetadata.decode(padded) == metadata


def test_names_of_usual_length_look_alike() -> None:
    """DOC-2."""
    assert {len(DocumentMetadata("n" * length).encode()) for length in range(1, 200)} == {256}


ELEMENTS = [1, bytes(16), 1, bytes(32), bytes(284)]


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (0, 0),
        (0, "1"),
        (0, None),
        (1, bytes(15)),
        (1, bytes(17)),
        (1, "x" * 16),
        (2, 0),
        (2, 2**32),
        (2, -1),
        (3, bytes(31)),
        (3, bytes(33)),
        (4, b""),
        (4, bytes(283)),
        (4, bytes(65_537)),
        (4, None),
    ],
)
def test_a_header_with_another_element_is_refused(at: int, wrong: object) -> None:
    data = cbor2.dumps([*ELEMENTS[:at], wrong, *ELEMENTS[at + 1 :]])
    with pytest.raises(MalformedMessage):
        DocumentHeader.decode(data)


def test_the_header_of_these_tests_is_sound() -> None:
    assert DocumentHeader.decode(cbor2.dumps(ELEMENTS)).version == 1


@pytest.mark.parametrize("value", [[], [1], [*ELEMENTS, 1], ELEMENTS[:-1], {}, 1, b"", None])
def test_another_shape_is_refused(value: object) -> None:
    with pytest.raises(MalformedMessage):
        DocumentHeader.decode(cbor2.dumps(value))


def test_another_version_of_the_format_is_named() -> None:
    with pytest.raises(UnsupportedVersion):
        DocumentHeader.decode(cbor2.dumps([2, "anything"]))


@pytest.mark.parametrize("more", [b"\0", b"\x80"])
def test_bytes_behind_a_header_are_refused(more: bytes) -> None:
    with pytest.raises(MalformedMessage):
        DocumentHeader.decode(cbor2.dumps(ELEMENTS) + more)


@pytest.mark.parametrize(
    "prefix",
    [
        b"",
        b"letterlock-v1 document\n",
        b"letterlock-v1 document\r\0\0\0\1",
        b"letterlock-v2 document\n\0\0\0\1",
        b"letterlock-v1 document\n\0\1\0\1",
        b"letterlock-v1 document\n\xff\xff\xff\xff",
    ],
)
def test_another_prefix_is_refused(prefix: bytes) -> None:
    with pytest.raises(MalformedMessage):
        header_length(prefix)


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (0, ""),
        (0, "n" * 1025),
        (0, "ü" * 513),
        (0, b"n"),
        (1, ""),
        (1, "t" * 128),
        (1, 5),
        (2, -1),
        (2, 2**53),
        (2, "now"),
        (3, 1.5),
        (4, bytes(4097)),
        (4, None),
        (4, "text"),
    ],
)
def test_metadata_with_another_element_are_refused(at: int, wrong: object) -> None:
    elements: list[object] = ["name", "type", 1, 2, b""]
    data = cbor2.dumps([*elements[:at], wrong, *elements[at + 1 :]])
    padded = len(data).to_bytes(4, "big") + data
    with pytest.raises(MalformedMessage):
        DocumentMetadata.decode(padded + bytes(-len(padded) % 256))


def test_other_padding_of_metadata_is_refused() -> None:
    """DOC-2: padding is zeros, and no longer than it must be."""
    padded = DocumentMetadata("name").encode()
    for wrong in (padded[:-1], padded + bytes(256), padded[:-1] + b"\1", b"", padded[:3], b"\xff" * 256):
        with pytest.raises(MalformedMessage):
            DocumentMetadata.decode(wrong)


@pytest.mark.parametrize("metadata", [DocumentMetadata("n" * 1025), DocumentMetadata(created=-1)])
def test_what_no_reader_would_take_is_not_made(metadata: DocumentMetadata) -> None:
    with pytest.raises(UsageError):
        metadata.encode()
