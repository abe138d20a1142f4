"""S3Blobs: a storage in a bucket of Amazon S3, or of any server with the same API.

    put       up to 8 MiB in one request; more in parts, which a later call goes on with (_s3_upload.py)
    read      a request for a range; a connection that breaks in the answer is tried twice more
    delete    the object, and what was begun of it

What is put is never put in the place of another blob: the storage itself refuses that.            [BLB-2]

Not here: what answers mean (_s3_failures.py).
"""

import re
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

from letterlock.blobs._errors import BlobMissing, BlobsMisbehave, BlobsUnavailable, BlobTaken
from letterlock.blobs._interface import BlobRange, checked_name, checked_range, is_same
from letterlock.blobs._s3_failures import NO_RANGE, code_of, failures
from letterlock.blobs._s3_upload import MOST_IN_ONE, Upload, content_md5
from letterlock.documents._streams import Progress, Readable, read_up_to
from letterlock.errors import UsageError

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ModuleNotFoundError as error:
    raise UsageError(
        f"letterlock.blobs.S3Blobs needs {error.name}: python -m pip install 'letterlock[s3]'"
    ) from error

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3.client import S3Client

_RANGE: Final = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})")
_TRIES: Final = 3
_MAX_PREFIX: Final = 512


def s3_client(endpoint: str | None = None, region: str | None = None) -> "S3Client":
    """Return a client with the credentials that this machine or its environment has.

    Checksums are sent where S3 asks for them only, because other servers do not know them all.
    """
    config = Config(
        connect_timeout=10,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 4},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session: Any = boto3.session.Session()  # its own: the default one is not for several threads
    with failures():
        client: S3Client = session.client("s3", endpoint_url=endpoint, region_name=region, config=config)
    return client


class S3Blobs:
    """Blobs as objects of one bucket. `prefix` stands in front of the name of each object.

    `client` is a client of boto3 for S3; without one, `endpoint` and `region` make one. It may be used by
    several threads. The bucket must exist; keep it private, and do not make it keep old versions.
    """

    __slots__ = ("_bucket", "_client", "_prefix")

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        client: Any = None,  # noqa: ANN401 (a class that boto3 makes when it runs)
        endpoint: str | None = None,
        region: str | None = None,
    ) -> None:
        """Raises UsageError, BlobsRefused."""
        if len(prefix) > _MAX_PREFIX:
            raise UsageError(f"a prefix has at most {_MAX_PREFIX} characters: choose a shorter one")
        self._bucket = bucket
        self._prefix = prefix
        self._client: S3Client = s3_client(endpoint, region) if client is None else client

    def put(self, name: str, source: Readable, progress: Progress | None = None) -> int:
        """Keep what a source holds, as `Blobs.put` says.

        If the storage cannot answer any more, or the program is killed, the parts that were put stay, and the
        same call goes on from them. Any other error has them deleted.
        """
        key = self._key(name)
        size = self._size(name)
        if size is not None:
            if is_same(self, name, size, source, progress):
                return size
            raise BlobTaken
        first = read_up_to(source, MOST_IN_ONE + 1)
        if len(first) > MOST_IN_ONE:
            return Upload(self._client, self._bucket, key).put(first, source, progress)
        with failures():
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=first, ContentMD5=content_md5(first), IfNoneMatch="*"
            )
        if progress is not None:
            progress(len(first), None)
        return len(first)

    def read(self, name: str, start: int, length: int) -> BlobRange:
        """Return a range of a blob, as `Blobs.read` says."""
        checked_range(start, length)
        key = self._key(name)
        for tries in range(1, _TRIES + 1):
            try:
                return self._read(key, start, length)
            except BlobsUnavailable:
                if tries == _TRIES:
                    raise
        raise AssertionError("unreachable")

    def delete(self, name: str) -> None:
        """Delete a blob, as `Blobs.delete` says."""
        key = self._key(name)
        with suppress(BlobMissing), failures():
            self._client.delete_object(Bucket=self._bucket, Key=key)
        Upload(self._client, self._bucket, key).abort_all()

    def _key(self, name: str) -> str:
        return self._prefix + checked_name(name)

    def _size(self, name: str) -> int | None:
        """Return the size of a blob, or None if there is none."""
        try:
            return self.read(name, 0, 1).size
        except BlobMissing:
            return None

    def _read(self, key: str, start: int, length: int) -> BlobRange:
        wanted = f"bytes={start}" if start < 0 else f"bytes={start}-{start + length - 1}"
        with failures():
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key, Range=wanted)
            except ClientError as error:
                if code_of(error) != NO_RANGE:
                    raise
                size = self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]
                return BlobRange(size, b"", size)
            with closing(answer["Body"]) as body:
                data = _up_to(body, length + 1)
        told = answer.get("ContentRange", "")
        found = _range(told, data) if told else _whole(data, start, length)
        if found is None or len(data) > length or (start >= 0 and found.start != start):
            raise BlobsMisbehave("answers with another range than was asked for")
        return found


def _up_to(body: "StreamingBody", most: int) -> bytes:
    """Return what an answer holds, up to a length."""
    found = bytearray()
    while len(found) < most and (piece := body.read(most - len(found))):
        found += piece
    return bytes(found)


def _range(told: str, data: bytes) -> BlobRange | None:
    """Return the range that an answer names, or None if it does not hold that."""
    parts = _RANGE.fullmatch(told)
    if parts is None:
        return None
    first, last, size = (int(each) for each in parts.groups())
    return BlobRange(first, data, size) if last + 1 == first + len(data) <= size else None


def _whole(data: bytes, start: int, length: int) -> BlobRange | None:
    """Return the range of an answer without one: some servers answer so if all of a blob was asked for."""
    return BlobRange(0, data, len(data)) if start <= 0 and len(data) <= length else None
