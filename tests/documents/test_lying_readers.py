"""What a reader can do, who has the version key: seal other segments, hashes, metadata or trailers under it.

A source that is seekable gives out no such byte. In one pass, the end raises, and nothing is left. [DOC-3]
"""

import io
from dataclasses import replace

import pytest

from letterlock._primitives import labels
from letterlock._wire.document_header import DocumentHeader, DocumentMetadata
from letterlock.documents import _layout
from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._file import open_file
from letterlock.documents._state import SealingState
from letterlock.errors import InvalidSignature, PeerError
from support.sealed import (
    FULL,
    Sealed,
    as_file,
    chosen,
    content,
    front_of,
    open_whole,
    seal_bytes,
    sealed,
    verify,
)

LENGTH = 5 * FULL
"""Content of five segments, and a sixth of padding."""
OTHER = FULL.to_bytes(4, "big") + bytes(FULL)


def forged(number: int = 1, text: bytes = OTHER, length: int = LENGTH) -> Sealed:
    """Return a document with one segment that a reader made. It is authentic under the version key."""
    document = sealed(length)
    return document.with_part(f"segment {number}", document.segment_of(number, text))


def refused_in_one_pass(document: Sealed, why: str | None) -> None:
    target = io.BytesIO()
    with pytest.raises(PeerError, match=why):
        open_whole(document, target)
    assert target.getvalue() == b""


def gives_nothing(document: Sealed, number: int, why: str) -> None:
    """Check that a file of this document gives out no byte of a segment."""
    file = as_file(document)
    for place in (number * FULL, number * FULL + 100, (number + 1) * FULL - 1):
        file.seek(place)
        buffer = bytearray(10)
        with pytest.raises(DocumentDamaged, match=why):
            file.readinto(buffer)
        assert buffer == bytes(10)


def test_the_forged_segment_is_authentic() -> None:
    """These tests would show nothing if the forgery were a bad one."""
    document = forged()
    out = memoryview(bytearray(len(OTHER)))
    assert document.state.stream().open(1, memoryview(document.part("segment 1")), out, last=False)
    assert bytes(out) == OTHER


def test_a_forged_segment_is_not_given_out() -> None:
    """DOC-10: its hash is not its leaf."""
    gives_nothing(forged(), 1, "not the one that the author signed")
    refused_in_one_pass(forged(), "block and its hashes differ")


def test_the_other_segments_are_given_out() -> None:
    file = as_file(forged())
    assert file.read(FULL) == content(LENGTH)[:FULL]
    file.seek(2 * FULL)
    assert file.read() == content(LENGTH)[2 * FULL :]


def test_a_forged_segment_with_its_leaf_is_not_given_out() -> None:
    """DOC-10: the leaves do not give the node."""
    document = forged()
    rebuilt = document.with_tree()
    mixed = document.with_part("leaves", rebuilt.part("leaves"))
    gives_nothing(mixed, 1, "hashes of a block")
    refused_in_one_pass(mixed, "nodes")


def test_a_forged_segment_with_its_tree_is_refused_at_once() -> None:
    """DOC-9: the nodes do not give the root that the author signed."""
    with pytest.raises(DocumentDamaged, match="not what the author signed"):
        as_file(forged().with_tree())
    refused_in_one_pass(forged().with_tree(), "not what the author signed")


def test_a_forged_trailer_has_no_signature() -> None:
    """DOC-3: a reader can seal a trailer for the new root, and cannot sign it."""
    document = forged().with_tree()
    document = document.with_statement(root=document.root())
    with pytest.raises(InvalidSignature):
        as_file(document)
    with pytest.raises(InvalidSignature):
        open_whole(document)


@pytest.mark.parametrize("part", ["segment 1", "leaves", "nodes", "trailer"])
def test_every_half_of_a_forgery_is_refused(part: str) -> None:
    whole = forged().with_tree()
    document = sealed(LENGTH).with_part(part, whole.part(part)) if part != "trailer" else whole
    with pytest.raises(PeerError):
        open_whole(document)
    with pytest.raises(PeerError):
        as_file(document).readall()


@pytest.mark.parametrize(
    "changes",
    [
        {"id": bytes(15) + b"\1"},
        {"version": 2},
        {"commitment": bytes(32)},
        {"length": LENGTH - 1},
        {"length": LENGTH + 1},
        {"length": 0},
        {"segments": 5},
        {"segments": 7},
        {"root": bytes(32)},
        {"issued": 1},
    ],
)
def test_a_statement_that_says_something_else_is_refused(changes: dict[str, object]) -> None:
    document = sealed(LENGTH).with_statement(**changes)
    with pytest.raises(PeerError):
        as_file(document)
    refused_in_one_pass(document, None)


def with_header(**changes: object) -> SealingState:
    """Return the state of the same version with another header."""
    state = sealed(LENGTH).state
    old = state.header
    fields = {
        "id": old.id,
        "version": old.version,
        "salt": old.salt,
        "metadata": old.sealed_metadata,
    } | changes
    return SealingState(state.key, DocumentHeader(*fields.values()), state.iv)  # type: ignore[arg-type]


def test_other_metadata_are_refused() -> None:
    """DOC-4: the front is in the commitment, to which the author's signature refers."""
    document = sealed(LENGTH)
    padded = DocumentMetadata("invoice.exe").encode()
    sealed_metadata = document.state.key.seal(
        labels.DOCUMENT_METADATA, document.state.header, padded, chosen(b"m")
    )
    state = with_header(metadata=sealed_metadata)
    moved = document.with_part("front", state.header.front())
    for whole in (moved, moved.with_part("floe header", state.stream().header)):
        with pytest.raises(DocumentDamaged):
            as_file(whole)
        with pytest.raises(DocumentDamaged):
            open_whole(whole)


@pytest.mark.parametrize("changes", [{"id": b"another document"}, {"version": 2}, {"salt": bytes(32)}])
def test_another_id_or_version_in_front_is_refused(changes: dict[str, object]) -> None:
    document, state = sealed(LENGTH), with_header(**changes)
    moved = document.with_part("front", state.header.front())
    for whole in (moved, moved.with_part("floe header", state.stream().header)):
        with pytest.raises(DocumentDamaged):
            as_file(whole)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, (FULL - 1).to_bytes(4, "big") + bytes(FULL)),
        (1, bytes(4 + FULL)),
        (1, (FULL + 1).to_bytes(4, "big") + bytes(FULL)),
        (1, b"\xff" * (4 + FULL)),
        (0, (5).to_bytes(4, "big") + b"text." + bytes(FULL - 6) + b"\1"),
        (4, (FULL - 1).to_bytes(4, "big") + bytes(FULL)),
    ],
)
def test_a_filling_that_is_not_canonical_is_refused_even_if_it_was_signed(number: int, text: bytes) -> None:
    """DOC-5: an author cannot make a document that two readers read differently."""
    document = forged(number, text).with_tree()
    signed_anew = resigned(document, root=document.root())
    with pytest.raises(DocumentDamaged, match=r"filled|has not the content"):
        as_file(signed_anew).readall()
    refused_in_one_pass(signed_anew, "filled|padded|not what the author")


@pytest.mark.parametrize("number", [0, 7, 8, 15])
def test_a_segment_that_is_not_full_is_refused_wherever_content_follows(number: int) -> None:
    """DOC-5: segments are opened in batches of 8, and the rule holds across their ends."""
    text = (FULL - 1).to_bytes(4, "big") + bytes(FULL)
    document = forged(number, text, 17 * FULL).with_tree()
    signed_anew = resigned(document, root=document.root())
    with pytest.raises(DocumentDamaged, match=r"filled|has not the content"):
        as_file(signed_anew).readall()
    refused_in_one_pass(signed_anew, "filled")


def test_a_byte_that_moved_from_a_segment_to_the_padding_is_refused() -> None:
    """DOC-5: the length is right, and each segment is authentic and filled with zeros."""
    document, last = forged(0, (FULL - 1).to_bytes(4, "big") + bytes(FULL)), sealed(LENGTH).layout.last_text
    moved = document.segment_of(5, (1).to_bytes(4, "big") + bytes(last - 4))
    document = document.with_part("segment 5", moved).with_tree()
    signed_anew = resigned(document, root=document.root())
    with pytest.raises(DocumentDamaged, match="has not the content"):
        as_file(signed_anew).readall()
    refused_in_one_pass(signed_anew, "filled")


def test_padding_that_is_not_zeros_is_refused_in_one_pass() -> None:
    """DOC-5: padding is no hidden channel to whoever reads it."""
    last = sealed(LENGTH).layout.last_text
    document = forged(5, bytes(last - 1) + b"\1").with_tree()
    refused_in_one_pass(resigned(document, root=document.root()), "filled")


@pytest.mark.parametrize("padded", [1100, 1024 - 64, 2 * FULL, 3 * FULL + 7])
def test_other_padding_is_refused_even_if_it_was_signed(padded: int) -> None:
    """DOC-5: the length of the padding is no hidden channel either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_layout, "padded_length", lambda _: padded)
        document = seal_bytes(b"text")
    refused_in_one_pass(document, "padded")
    with pytest.raises(DocumentDamaged):
        as_file(document)


def test_a_signed_length_that_is_not_the_contents_is_refused() -> None:
    for length in (LENGTH - 1, LENGTH + 1):
        document = resigned(sealed(LENGTH), length=length)
        with pytest.raises(DocumentDamaged):
            as_file(document).readall()
        refused_in_one_pass(document, "not what the author signed")


def resigned(document: Sealed, **changes: object) -> Sealed:
    """Return a document whose author signs a lie."""
    statement = replace(document.statement, **changes)  # type: ignore[arg-type]
    return replace(document, statement=statement).with_statement()


def test_the_author_that_verifies_is_asked_before_any_content() -> None:
    document, read = sealed(LENGTH), []

    class Watched(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            read.append(self.tell())
            return super().readinto(buffer)  # type: ignore[arg-type]

    def asked(message: bytes, signed_by: object) -> str:
        assert not any(document.layout.start <= place < document.layout.nodes for place in read)
        return verify(message, signed_by)  # type: ignore[arg-type]

    source = Watched(document.data)
    file = open_file(front_of(document, source), source, asked)
    assert not any(document.layout.start <= place < document.layout.nodes for place in read)
    file.read(1)
    assert any(document.layout.start <= place < document.layout.nodes for place in read)
