"""An upload in parts: what a killed program has put stays, and the next call goes on with it.

    part n      8 MiB, twice as much after every 1,000 parts; the last one less
    kept        a part that the storage lists with the length and the MD5 of what the source holds     [BLB-4]
    put         every other part
    complete    all parts together, unless the blob is there by then                                   [BLB-2]

The MD5 tells which parts must be put again, and whether one was damaged on its way. It protects nothing: a
storage can lie about it, and the reader of the document finds that.

Not here: smaller blobs (_s3.py).
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from letterlock.blobs._errors import BlobError, BlobsMisbehave, BlobsRefused, BlobsUnavailable
from letterlock.blobs._s3_failures import failures
from letterlock.documents._streams import Progress, Readable, read_up_to
from letterlock.errors import UsageError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

MOST_IN_ONE: Final = 8 << 20
"""Bytes that are put in one request, and of a first part. S3 takes no part below 5 MiB but the last one."""
_STAGE: Final = 1000
_MAX_PARTS: Final = 10_000
_MAX_UPLOADS: Final = 100

Held = dict[int, tuple[str, int]]
"""The ETag and the length of each part that a storage lists, by its number."""


class Upload:
    """One object that is put in parts."""

    __slots__ = ("_client", "_where")

    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        self._client = client
        self._where: Any = {"Bucket": bucket, "Key": key}

    def put(self, first: bytes, source: Readable, progress: Progress | None) -> int:
        """Put `first` and the rest of a source. Raises as `S3Blobs.put` does."""
        upload, held = self._begun()
        try:
            parts, done = self._send(upload, held, _Joined(first, source), progress)
            with failures():
                self._client.complete_multipart_upload(
                    **self._where, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
                )
                size = self._client.head_object(**self._where)["ContentLength"]
        except BlobsUnavailable:  # the next call goes on
            raise
        except BaseException:
            self._abort(upload)
            raise
        if size != done:
            raise BlobsMisbehave("has not kept all that was put")
        return done

    def abort_all(self) -> None:
        """Delete the parts of every upload of this object. Raises BlobsUnavailable."""
        with suppress(BlobsRefused):
            for each in self._uploads():
                self._abort(each)

    def _send(
        self, upload: str, held: Held, source: Readable, progress: Progress | None
    ) -> "tuple[list[CompletedPartTypeDef], int]":
        """Put the parts that are not held; return all of them, and how many bytes they are."""
        parts: list[CompletedPartTypeDef] = []
        done = 0
        while piece := read_up_to(source, part_length(len(parts) + 1)):
            number = len(parts) + 1
            if number > _MAX_PARTS:
                raise UsageError("the blob is too long for S3: use another storage")
            etag, size = held.get(number, ("", -1))
            if size != len(piece) or etag.strip('"') != _md5(piece).hex():  # BLB-4
                with failures():
                    answer = self._client.upload_part(
                        **self._where,
                        UploadId=upload,
                        PartNumber=number,
                        Body=piece,
                        ContentMD5=content_md5(piece),
                    )
                etag = answer["ETag"]
            parts.append({"PartNumber": number, "ETag": etag})
            done += len(piece)
            if progress is not None:
                progress(done, None)
        return parts, done

    def _begun(self) -> tuple[str, Held]:
        """Return the upload that was begun last, with its parts, or a new one."""
        with suppress(BlobsRefused), failures():  # without the right to list, nothing is gone on with
            for upload in self._uploads():
                return upload, dict(islice(self._parts(upload), _MAX_PARTS))
        with failures():
            return self._client.create_multipart_upload(**self._where)["UploadId"], {}

    def _uploads(self) -> list[str]:
        """Return the uploads of this object that were begun, the newest first."""
        with failures():
            bucket, key = self._where["Bucket"], self._where["Key"]
            answer = self._client.list_multipart_uploads(Bucket=bucket, Prefix=key, MaxUploads=_MAX_UPLOADS)
        found = [each for each in answer.get("Uploads", []) if each.get("Key") == key and "UploadId" in each]
        found.sort(key=lambda each: each["Initiated"].timestamp() if "Initiated" in each else 0, reverse=True)
        return [each.get("UploadId", "") for each in found]

    def _parts(self, upload: str) -> Iterator[tuple[int, tuple[str, int]]]:
        pages = self._client.get_paginator("list_parts").paginate(**self._where, UploadId=upload)
        for page in islice(pages, _MAX_PARTS):
            for each in page.get("Parts", []):
                yield each.get("PartNumber", 0), (each.get("ETag", ""), each.get("Size", -1))

    def _abort(self, upload: str) -> None:
        with suppress(BlobError), failures():
            self._client.abort_multipart_upload(**self._where, UploadId=upload)


class _Joined:
    """Bytes, and then a source."""

    __slots__ = ("_first", "_source")

    def __init__(self, first: bytes, source: Readable) -> None:
        self._first = memoryview(first)
        self._source = source

    def readinto(self, buffer: Any, /) -> int | None:  # noqa: ANN401 - anything with a buffer
        if not self._first:
            return self._source.readinto(buffer)
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._first))
        view[:count], self._first = self._first[:count], self._first[count:]
        return count


def part_length(number: int) -> int:
    """Return how long a part is, counted from 1, if it is not the last one. [BLB-4]"""
    return MOST_IN_ONE << (number - 1) // _STAGE


def content_md5(data: bytes) -> str:
    """Return the value of the header Content-MD5."""
    return b64encode(_md5(data)).decode()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
