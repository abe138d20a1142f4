"""document.open: the content of a sealed document, and what its author signed.

A segment has 65,536 bytes that nothing compresses, so a vector says how its document is made: bodies with the
texts of their segments, and the parts of these bodies that are joined with other bytes.

Not here: sealing with nonces of our own, which is for vectors only (document_bodies.py); grants (grants.py).
"""

import hashlib
import io
from collections.abc import Mapping
from typing import Any, Final

from letterlock._primitives.labels import DOCUMENT_AUTHOR
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.document_header import DocumentMetadata
from letterlock._wire.document_trailer import DocumentStatement
from letterlock._wire.grant_bundle import decode_bundle
from letterlock._wire.signed_by import SignedBy
from letterlock.documents import Pace, Standing
from letterlock.documents._file import DocumentFile, open_file
from letterlock.documents._front import Front, OpenFront
from letterlock.documents._grants import read_grants
from letterlock.documents._opening import open_to
from letterlock.documents._signing import verify
from letterlock.documents._version_key import VersionKey
from letterlock.errors import LetterlockError, UsageError
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.document_bodies import joined
from letterlock_vectors.operations.known_lists import lists_of, shown_signer

_ALONE: Final = Pace(threads=1)


class _Pipe:
    """A source that is not seekable."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readinto(self, buffer: Any, /) -> int | None:
        return self._data.readinto(buffer)


def document_of(given: Input) -> bytes:
    """Return the document that an input describes."""
    document = joined(given)
    if hashlib.sha256(document).hexdigest() != given.text("sha256"):
        raise UsageError("the document that was made is not the recorded one")
    return document


def _open(given: Input) -> Output:
    """Open a document in one way, or in both ways, which must answer alike."""
    way = given.text("way")
    if way != "both":
        return _opened(given, way)
    answers = [_answered(given, each) for each in ("seekable", "pipe")]
    first, second = answers
    if isinstance(first, LetterlockError) and type(first) is type(second):
        raise first
    if isinstance(first, LetterlockError) or first != second:
        raise UsageError("the two ways of reading answer differently: ask for one of them")
    return first


def _answered(given: Input, way: str) -> Output | LetterlockError:
    try:
        return _opened(given, way)
    except LetterlockError as error:
        return error


def _opened(given: Input, way: str) -> Output:
    document, lists = document_of(given), lists_of(given)
    key = VersionKey(given.sized("key", KEY_BYTES))

    def sound(hash_: bytes, signed_by: SignedBy) -> Standing:
        return verify(lists, DOCUMENT_AUTHOR, hash_, signed_by)

    if way == "pipe":
        pipe, target = _Pipe(document), io.BytesIO()
        front = Front.read(pipe).open(key)
        opened = open_to(front, pipe, target, sound, _ALONE)
        shown = _shown(opened.statement, opened.metadata, opened.signed_by, opened.standing)
        return shown | _content(target.getvalue())
    if way != "seekable":
        raise UsageError("`way` is seekable, pipe or both")
    source = io.BytesIO(document)
    front = Front.read(source).open(key)
    with open_file(front, source, sound) as file:
        content = _read(file, given)
        return _shown(file.statement, front.metadata, file.signed_by, file.standing) | _content(content)


def _read(file: DocumentFile[Standing], given: Input) -> bytes:
    if given.is_null("from"):
        target = io.BytesIO()
        file.copy_to(target, _ALONE)
        return target.getvalue()
    file.seek(given.counter("from"))
    buffer = bytearray(given.counter("count"))
    return bytes(buffer[: file.readinto(buffer)])


def _content(content: bytes) -> Output:
    return {"content": {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()}}


def _shown(
    statement: DocumentStatement, metadata: DocumentMetadata, signed_by: SignedBy, standing: Standing
) -> Output:
    return {
        "id": statement.id.hex(),
        "version": statement.version,
        "commitment": statement.commitment.hex(),
        "metadata": {
            "name": metadata.name,
            "media_type": metadata.media_type,
            "created": metadata.created,
            "modified": metadata.modified,
            "application": metadata.application.hex(),
        },
        "length": statement.length,
        "issued": statement.issued,
        "signer": shown_signer(signed_by),
        "standing": standing.value,
    }


def _grants(given: Input) -> Output:
    return {"grants": [each.hex() for each in decode_bundle(read_grants(io.BytesIO(document_of(given))))]}


def opened_front(data: bytes, key: bytes) -> OpenFront:
    """Return a front, the first bytes of a document, opened with a key. Raises DocumentDamaged."""
    return Front.read(io.BytesIO(data)).open(VersionKey(key))


OPERATIONS: Final[Mapping[str, Operation]] = {
    "document.open": _open,
    "document.grants": _grants,
}
