"""Storages of sealed documents on the command line: a directory, or a bucket.

    DIR                      a directory, which is made if it is not there
    s3://BUCKET, s3://BUCKET/PREFIX      a bucket, with the credentials and the endpoint of the environment

Not here: storages themselves (blobs/).
"""

import io
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, cast

from letterlock.blobs import BlobFile, BlobMissing, Blobs, DirectoryBlobs
from letterlock.cli._document_desk import DocumentDesk
from letterlock.documents import NoGrant
from letterlock.documents._blob_names import blob_names
from letterlock.documents._documents import shelf_behind
from letterlock.errors import UsageError

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ID: Final = re.compile(r"[0-9a-f]{32}")


def storage_in(typed: str) -> Blobs:
    """Return the storage that was typed. Raises UsageError, BlobError."""
    if _SCHEME.match(typed) is None:
        return DirectoryBlobs(typed)
    bucket, _, prefix = typed.removeprefix("s3://").partition("/")
    if not typed.startswith("s3://") or not bucket:
        raise UsageError(f"{typed} is no storage: give a directory, or s3://BUCKET/PREFIX")
    from letterlock.blobs import S3Blobs  # noqa: PLC0415 - a directory does without boto3

    return S3Blobs(bucket, f"{prefix.rstrip('/')}/" if prefix else "")


def id_in(typed: str) -> bytes:
    """Return the id of a document in a storage. Raises UsageError."""
    if _ID.fullmatch(typed) is None:
        raise UsageError(
            "a document in a storage is named by the 32 digits of its id: leave --store out for a file"
        )
    return bytes.fromhex(typed)


@contextmanager
def stored(
    desk: DocumentDesk, typed: str, blobs: Blobs, again: Callable[[], bool] = bool
) -> Generator[io.BufferedReader]:
    """Yield a document from its storage, to read it at any place.

    Without a grant on record, `again` asks the relay, and returns whether it is worth another try.

    Raises UsageError, NoGrant, BlobError.
    """
    id_ = id_in(typed)
    try:
        names = _names(desk, id_)
    except NoGrant:
        if not again():
            raise
        names = _names(desk, id_)
    for name in names:
        file = BlobFile(blobs, name)
        try:
            file.seek(0, io.SEEK_END)
        except BlobMissing:
            continue
        file.seek(0)
        with cast("io.BufferedReader", io.BufferedReader(file)) as source:
            yield source
            return
    raise BlobMissing


def all_names(desk: DocumentDesk, document: bytes) -> list[str]:
    """Return the names of all versions of a document that this user can open."""
    found: list[str] = []
    for number in sorted({each.version for each in desk.documents.versions(document)}):
        try:
            with desk.user.transaction():
                found += blob_names(shelf_behind(desk.documents), document, number)
        except UsageError:  # a version that this user cannot open
            continue
    return found


def _names(desk: DocumentDesk, document: bytes) -> tuple[str, ...]:
    with desk.user.transaction():
        return blob_names(shelf_behind(desk.documents), document, None)
