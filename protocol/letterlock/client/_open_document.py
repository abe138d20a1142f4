"""OpenDocument: a document that is read, for asyncio. Another thread fetches and opens the bytes.

Not here: how it is opened (_client_documents.py).
"""

import asyncio
import io
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.document_header import DocumentMetadata
from letterlock._wire.document_trailer import DocumentStatement
from letterlock._wire.signed_by import SignedBy
from letterlock.client._body_thread import BodyThread
from letterlock.client._office import Office
from letterlock.documents import DocumentFile, Pace, Standing
from letterlock.documents._sealing import USUAL
from letterlock.documents._streams import Writable

T = TypeVar("T")

_PIECE: Final = 1 << 20


class OpenDocument(Uncopyable):
    """The content of a sealed document. Its author was verified, and so is every byte that is given out.

    Tasks may call it at once; the calls are made one after another.
    """

    __slots__ = ("_author", "_file", "_lock", "_office")

    def __init__(self, office: Office, file: DocumentFile[Standing], author: str | None) -> None:
        """Not for applications, which call `ClientDocuments.open`."""
        self._office = office
        self._file = file
        self._author = author
        self._lock = asyncio.Lock()

    @property
    def file(self) -> DocumentFile[Standing]:
        """The same as a binary file object, for code that runs in a thread of its own."""
        return self._file

    @property
    def metadata(self) -> DocumentMetadata:
        """The name, media type and times of the document, and what the application added."""
        return self._file.metadata

    @property
    def statement(self) -> DocumentStatement:
        """What the author signed: id, version, length, root and time."""
        return self._file.statement

    @property
    def signed_by(self) -> SignedBy:
        """The author's device, and its signature."""
        return self._file.signed_by

    @property
    def author(self) -> str | None:
        """The name of the contact that sealed it, or this user's; None for nobody known."""
        return self._author

    @property
    def standing(self) -> Standing:
        """What the newest device list on record says of the author's device."""
        return self._file.standing

    async def read(self, length: int = -1, *, at: int | None = None) -> bytes:
        """Return the next bytes: `length`, or all if it is negative; fewer only at the end.

        They are read from the place `at`, or from where the last read ended. Raises DocumentDamaged,
        BlobError.
        """
        return await self._do(partial(self._read, length, at))

    def _read(self, length: int, at: int | None) -> bytes:
        if at is not None:
            self._file.seek(at, io.SEEK_SET)
        found = bytearray()
        while (length < 0 or len(found) < length) and (
            piece := self._file.read(_PIECE if length < 0 else length - len(found))
        ):
            found += piece
        return bytes(found)

    async def copy_to(self, target: Writable, pace: Pace = USUAL) -> None:
        """Write the whole content to a binary file object, as `DocumentFile.copy_to` does."""
        body = BodyThread(self._office)
        async with self._lock:
            await body.run(lambda: self._file.copy_to(target, body.pace(pace)))

    async def _do(self, work: Callable[[], T]) -> T:
        async with self._lock:
            return await BodyThread(self._office).run(work)

    def __repr__(self) -> str:
        return "<OpenDocument>"
