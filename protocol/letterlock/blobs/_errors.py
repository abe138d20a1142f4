"""What goes wrong between a program and a storage of blobs.

    BlobError
    |-- BlobMissing          the storage has no blob of this name
    |-- BlobTaken            the storage has other bytes under this name
    |-- BlobsUnavailable     the storage, or the network, cannot answer now      try again
    |-- BlobsRefused         the storage does not let this program do it         change rights or credentials
    |-- BlobsFull            the storage has no room                             make room
    `-- BlobsMisbehave       the storage's answer contradicts the request or an earlier answer

A table in the specification of blobs says which failure becomes which of them. The texts name no blob:
a name is for its readers alone.

Not here: bytes that were changed. Opening the document finds them: `DocumentDamaged`.
"""

from letterlock.errors import Cause, LetterlockError, PeerError


class BlobError(LetterlockError):
    """The storage of blobs is wrong, or in the way. Whatever was there before is unchanged."""

    cause = Cause.STORAGE_FAILED


class BlobMissing(BlobError):
    """The storage has no blob of this name: it was not put yet, was deleted, or is in another storage."""

    TEXT = "the storage has no such blob: wait until it was put, or look in another storage"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class BlobTaken(BlobError):
    """The storage has other bytes under this name, and a blob is never replaced.

    If nobody else can write to the storage, an earlier call put these bytes. Delete the blob, or seal the
    document anew.
    """

    TEXT = "the storage has other bytes under this name: delete that blob, or seal the document anew"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class BlobsUnavailable(BlobError):
    """The storage, or the network, cannot answer now. Make the same call again: it goes on where it can."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text}: try again")


class BlobsRefused(BlobError):
    """The storage does not let this program do it: rights, credentials, or the bucket are wrong."""


class BlobsFull(BlobError):
    """The storage has no room. Make room, and make the same call again."""

    TEXT = "the storage is full: make room there, and try again"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class BlobsMisbehave(BlobError, PeerError):
    """The storage is wrong: its answer contradicts the request or an earlier answer. It was discarded."""

    cause = Cause.WRONG_BYTES

    def __init__(self, text: str) -> None:
        super().__init__(f"the storage {text}: its answer was discarded; tell whoever runs it")
