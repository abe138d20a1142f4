"""A sealed document as a file: what it shows without a key, and other grants in place of those beside it.

Not here: opening it (letterlock.documents).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Final

from letterlock._wire.document_header import MAGIC
from letterlock._wire.document_limits import MAX_DOCUMENT_GRANTS
from letterlock._wire.document_trailer import FOOTER_BYTES, DocumentFooter
from letterlock._wire.grant import Grant
from letterlock._wire.grant_bundle import decode_bundle, encode_bundle
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock.documents import DocumentDamaged, Writable
from letterlock.documents._file import read_footer
from letterlock.documents._front import Front
from letterlock.documents._grants import read_grants
from letterlock.documents._streams import write_all
from letterlock.errors import MalformedMessage, PeerError

_CHUNK: Final = 1 << 20


def is_document(begin: bytes) -> bool:
    """Return whether these are the first bytes of a sealed document."""
    return begin.startswith(MAGIC)


@dataclass(frozen=True, slots=True)
class SealedFile:
    """What a sealed document shows. Nothing of it was verified. `grants` are those that can be read."""

    front: Front
    footer: DocumentFooter
    size: int
    grants: tuple[Grant, ...] = field(repr=False)

    @property
    def subject(self) -> Subject:
        """What a grant for this file names."""
        header = self.front.header
        return Subject(SubjectKind.DOCUMENT, header.id, header.version, self.front.commitment)


def read_sealed(source: BufferedReader) -> SealedFile:
    """Read front, footer and grants of a document. Raises MalformedMessage, UnsupportedVersion."""
    source.seek(0)
    front = Front.read(source)
    footer, size = read_footer(source)
    try:
        items = decode_bundle(read_grants(source))
    except MalformedMessage:  # whoever stores the file can rewrite them
        items = []
    source.seek(0)
    return SealedFile(front, footer, size, tuple(each for each in map(_grant, items) if each is not None))


def _grant(item: bytes) -> Grant | None:
    try:
        return Grant.decode(item)
    except PeerError:
        return None


def copy_with(source: BufferedReader, sealed: SealedFile, items: Iterable[bytes], target: Writable) -> int:
    """Write a document with other grants beside it, and return how many of them found room in 1 MiB.

    Raises DocumentDamaged if the source has become shorter meanwhile.
    """
    beside = encode_bundle(items)
    left = sealed.size - FOOTER_BYTES - sealed.footer.grants
    source.seek(0)
    while left > 0:
        chunk = source.read(min(left, _CHUNK))
        if not chunk:
            raise DocumentDamaged("the document ends before its footer says: fetch it again")
        write_all(target, chunk)
        left -= len(chunk)
    footer = DocumentFooter(sealed.footer.trailer, len(beside), sealed.footer.segments)
    write_all(target, beside + footer.encode())
    return len(decode_bundle(beside))


def grants_in(data: bytes) -> list[bytes]:
    """Return the grants and notes in a file of them. Raises MalformedMessage."""
    if not data or len(data) > MAX_DOCUMENT_GRANTS:
        raise MalformedMessage("neither a sealed document nor a file of grants: check the file")
    return decode_bundle(data)
