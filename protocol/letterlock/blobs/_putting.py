"""Putting sealed documents into a storage, and finding JSON documents there.

    spooled       the file in which a document lies, sealed, until it is in its storage
    put_sealed    a document that was sealed into such a file
    put_json      a JSON document, under the names of all its sections                               [BLB-5]
    find_json     the same, from the first name that a storage has

Grants are kept when this has returned, so nobody is granted what is not there.                    [CLN-17]

Not here: sealing (documents/); deleting, which is `Blobs.delete` for each name.
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from letterlock.blobs._errors import BlobMissing, BlobTaken
from letterlock.blobs._file import BlobFile
from letterlock.blobs._interface import Blobs
from letterlock.documents._blob_names import blob_name
from letterlock.documents._bodies import Begun
from letterlock.documents._errors import DocumentDamaged
from letterlock.documents._json_places import MOST_BYTES, is_document, placed, pointed_at
from letterlock.documents._json_sealing import NewJson
from letterlock.documents._streams import Progress
from letterlock.errors import UsageError

try:
    import fcntl
except ModuleNotFoundError:  # Windows

    def _lock(file: io.BufferedRandom) -> None:
        del file

else:

    def _lock(file: io.BufferedRandom) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def spooled(spool: Path | None, job: bytes | None) -> Generator[io.BufferedRandom]:
    """Yield the file into which a document is sealed, which is deleted when its sealing has succeeded.

    Raises UsageError while another call or process seals the same job.
    """
    if job is None:
        with tempfile.TemporaryFile(dir=spool) as file:
            yield file
        return
    if spool is None:
        raise UsageError("a job needs a directory to go on from: set `client.documents.spool`")
    path = spool / f"{hashlib.sha256(job).hexdigest()[:32]}.ll.part"
    path.touch(mode=0o600)
    with path.open("r+b") as file:
        if not _is_ours_alone(file, path):
            raise UsageError("the job is being sealed by another call: wait until that has ended")
        yield file
        path.unlink()  # while it is locked, so that nobody has locked a file that is gone


def _is_ours_alone(file: io.BufferedRandom, path: Path) -> bool:
    """Return whether nobody else writes into a file, as far as the system can say, and it is there still."""
    try:
        _lock(file)
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def put_sealed(
    begun: Begun,
    target: io.BufferedRandom,
    blobs: Blobs,
    progress: Progress | None = None,
    *,
    goes_on: bool,
) -> None:
    """Put a sealed document into its storage. Raises what `Blobs.put` raises. [CLN-17]"""
    name = blob_name(begun.state.key, begun.subject.id, begun.subject.number)
    target.seek(0)
    try:
        blobs.put(name, target, progress)
    except BlobTaken:
        if not goes_on:
            raise
        # Nobody has this version's key yet, so what is there is ours, from before the program was killed.
        blobs.delete(name)
        target.seek(0)
        blobs.put(name, target, progress)


def put_json(new: NewJson, blobs: Blobs, progress: Progress | None = None) -> None:
    """Put a sealed JSON document into its storage. Raises what `Blobs.put` raises. [CLN-17, BLB-5]"""
    for name, data in placed(new.names, new.data):
        blobs.put(name, io.BytesIO(data), progress)


def find_json(blobs: Blobs, names: Iterable[str], place: tuple[bytes, int]) -> bytes:
    """Return a JSON document, by its id and version, from the first name that a storage has.

    Raises BlobError, DocumentDamaged.
    """
    for name in names:
        with suppress(BlobMissing):
            data = _read(blobs, name)
            pointed = pointed_at(data)
            if pointed is not None:
                data = _read(blobs, pointed)  # one pointer and no more, so a circle leads nowhere
            if not is_document(data, place):
                raise DocumentDamaged("the storage has something else in this place: ask its author")
            return data
    raise BlobMissing


def _read(blobs: Blobs, name: str) -> bytes:
    file = BlobFile(blobs, name)
    if file.seek(0, io.SEEK_END) > MOST_BYTES:  # BLB-5: before anything of it is read
        raise DocumentDamaged("the storage has more than a json document in this place: ask its author")
    file.seek(0)
    return file.read()
