"""Where sealed documents are kept: any storage that keeps bytes under a name and gives back a range of them.

    Blobs               the three methods of a storage: put, read, delete
    BlobRange           what `read` returns
    DirectoryBlobs      a storage in a directory
    S3Blobs             a storage in a bucket, with the S3 API; needs `pip install letterlock[s3]`
    BlobFile            a blob as a binary file to read from at any place
    fetch               a blob into a file, and what is missing of it if that was begun before
    BlobError           what goes wrong: BlobMissing, BlobTaken, BlobsUnavailable, BlobsRefused, BlobsFull and
                        BlobsMisbehave

    blobs = DirectoryBlobs("sealed")
    blobs.put(documents.blob_name(sealed.id), open("report.ll", "rb"))
    with documents.open(BlobFile(blobs, documents.blob_name(sealed.id))) as report:
        ...

A storage is not trusted: it sees random names and sealed bytes, and what it gives back is verified when the
document is opened. It can delete, withhold, and tell lengths apart. A storage of your own needs no base
class. Every method blocks, so programs for asyncio call it in another thread, as `letterlock.client` does.

Not here: sealing and opening (documents/), who may read (grants), and the relay, which keeps no blobs.
"""

import typing

from letterlock.blobs._directory import DirectoryBlobs
from letterlock.blobs._errors import (
    BlobError,
    BlobMissing,
    BlobsFull,
    BlobsMisbehave,
    BlobsRefused,
    BlobsUnavailable,
    BlobTaken,
)
from letterlock.blobs._fetching import fetch
from letterlock.blobs._file import BlobFile
from letterlock.blobs._interface import BlobRange, Blobs

if typing.TYPE_CHECKING:
    from letterlock.blobs._s3 import S3Blobs

__all__ = [
    "BlobError",
    "BlobFile",
    "BlobMissing",
    "BlobRange",
    "BlobTaken",
    "Blobs",
    "BlobsFull",
    "BlobsMisbehave",
    "BlobsRefused",
    "BlobsUnavailable",
    "DirectoryBlobs",
    "S3Blobs",
    "fetch",
]


def __getattr__(name: str) -> object:
    """Import `S3Blobs` when it is asked for: nothing else here needs its libraries."""
    if name != "S3Blobs":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from letterlock.blobs._s3 import S3Blobs  # noqa: PLC0415

    globals()[name] = S3Blobs
    return S3Blobs


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
