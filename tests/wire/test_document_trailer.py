"""The end of a document: statement, trailer and footer have one encoding each."""

import cbor2
import pytest

from letterlock._wire.document_trailer import DocumentFooter, DocumentStatement, DocumentTrailer
from letterlock._wire.signed_by import SignedBy, Signer
from letterlock.errors import MalformedMessage

STATEMENT = DocumentStatement(bytes(16), 1, bytes(32), 65_500, 2, bytes(range(32)), 5)
TRAILER = DocumentTrailer(STATEMENT, SignedBy(Signer(bytes(32), 1, 1, bytes(32)), bytes(1952), bytes(3373)))
FOOTER = DocumentFooter(5000, 70_000, 3)


def test_a_trailer_reads_back() -> None:
    assert DocumentTrailer.decode(TRAILER.encode()) == TRAILER


def test_every_field_is_signed() -> None:
    """DOC-3."""
    other = DocumentStatement(bytes(15) + b"\1", 2, bytes(31) + b"\1", 65_501, 3, bytes(32), 6)
    hashes = {STATEMENT.signed_hash()}
    for name in DocumentStatement.__slots__:
        values = [getattr(other if each == name else STATEMENT, each) for each in DocumentStatement.__slots__]
        hashes.add(DocumentStatement(*values).signed_hash())
    assert len(hashes) == 8


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (0, 2),
        (0, 0),
        (1, bytes(15)),
        (1, None),
        (2, 0),
        (2, 2**32),
        (3, bytes(31)),
        (3, bytes(33)),
        (4, -1),
        (4, 2**28 * 65_500 + 1),
        (4, "5"),
        (5, 0),
        (5, 2**28 + 1),
        (6, bytes(31)),
        (6, None),
        (7, -1),
        (7, 2**53),
        (7, None),
        (8, None),
        (8, []),
        (8, [bytes(32), 1, 1, bytes(32), bytes(1952), bytes(3372)]),
    ],
)
def test_a_trailer_with_another_element_is_refused(at: int, wrong: object) -> None:
    elements = cbor2.loads(TRAILER.encode())
    elements[at] = wrong
    with pytest.raises(MalformedMessage):
        DocumentTrailer.decode(cbor2.dumps(elements))


@pytest.mark.parametrize("data", [b"", b"\x80", TRAILER.encode()[:-1], TRAILER.encode() + b"\0"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        DocumentTrailer.decode(data)


def test_a_footer_reads_back() -> None:
    assert len(FOOTER.encode()) == 24
    assert DocumentFooter.decode(FOOTER.encode()) == FOOTER


@pytest.mark.parametrize(
    "footer",
    [
        DocumentFooter(16_385, 0, 1),
        DocumentFooter(1, 2**20 + 1, 1),
        DocumentFooter(1, 0, 0),
        DocumentFooter(1, 0, 2**28 + 1),
        DocumentFooter(2**32 - 1, 2**32 - 1, 2**64 - 1),
    ],
)
def test_a_footer_beyond_the_limits_is_refused(footer: DocumentFooter) -> None:
    with pytest.raises(MalformedMessage, match="limits"):
        DocumentFooter.decode(footer.encode())


@pytest.mark.parametrize(
    "data", [b"", bytes(24), FOOTER.encode()[1:], FOOTER.encode() + b"\0", FOOTER.encode()[:-1] + b"R"]
)
def test_another_end_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage, match="footer"):
        DocumentFooter.decode(data)
