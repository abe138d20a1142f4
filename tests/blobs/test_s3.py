"""Uploads in parts to a real server: gone on with after a killed program, and ended by every other failure.

BLB-2 and BLB-4.
"""

import io
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock.blobs import (
    BlobMissing,
    BlobsMisbehave,
    BlobsUnavailable,
    BlobTaken,
    S3Blobs,
    _s3,
    _s3_upload,
)
from letterlock.blobs._s3 import s3_client as usual_client
from letterlock.blobs._s3_upload import MOST_IN_ONE, part_length
from support.blob_stores import NAME
from support.s3_server import BUCKET

PART: Final = 64 << 10
"""Bytes of a part here; the server takes parts that are so small."""
CONTENT: Final = b"".join(bytes([each]) * PART for each in range(3)) + b"the end"
KILLED: Final = """
import io, sys
from letterlock.blobs import S3Blobs, _s3, _s3_upload
from support.s3_server import BUCKET, client_of
_s3.MOST_IN_ONE = _s3_upload.MOST_IN_ONE = int(sys.argv[5])
blobs = S3Blobs(BUCKET, sys.argv[2], client=client_of(sys.argv[1]))
with open(sys.argv[4], "rb") as source:
    blobs.put(sys.argv[3], source, lambda done, _: print(done, flush=True) or sys.stdin.readline())
"""


class Counted:
    """A storage whose calls are counted."""

    def __init__(self, client: Any, prefix: str) -> None:
        self.client, self.prefix = client, prefix
        self.calls: Counter[str] = Counter()
        self.blobs = S3Blobs(BUCKET, prefix, client=client)
        client.meta.events.register("before-call.s3", self._count)

    def _count(self, model: Any, **_: object) -> None:
        self.calls[model.name] += 1

    def close(self) -> None:
        self.client.meta.events.unregister("before-call.s3", self._count)

    def begun(self) -> list[str]:
        """Return the uploads of the blob that were begun."""
        found = self.client.list_multipart_uploads(Bucket=BUCKET, Prefix=self.prefix)
        return [each["UploadId"] for each in found.get("Uploads", ())]

    def begin(self, *parts: bytes) -> str:
        """Begin an upload, as a program did that was killed then."""
        key = {"Bucket": BUCKET, "Key": self.prefix + NAME}
        upload: str = self.client.create_multipart_upload(**key)["UploadId"]
        for number, each in enumerate(parts, 1):
            self.client.upload_part(**key, UploadId=upload, PartNumber=number, Body=each)
        self.calls.clear()
        return upload

    def put(self, content: bytes = CONTENT) -> int:
        return self.blobs.put(NAME, io.BytesIO(content))


@pytest.fixture
def counted(s3_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Counted]:
    for module in (_s3, _s3_upload):
        monkeypatch.setattr(module, "MOST_IN_ONE", PART)
    made = Counted(s3_client, f"{tmp_path.name}/")
    yield made
    made.close()


def parts(content: bytes = CONTENT) -> list[bytes]:
    return [content[each : each + PART] for each in range(0, len(content), PART)]


def ends_with(blobs: S3Blobs, end: bytes) -> bool:
    return blobs.read(NAME, -len(end), len(end)).data == end


def test_an_upload_in_parts(counted: Counted) -> None:
    assert counted.put() == len(CONTENT)
    assert counted.calls["UploadPart"] == 4
    assert counted.begun() == []
    middle = counted.blobs.read(NAME, PART - 2, 4)
    assert (middle.data, middle.size) == (b"\x00\x00\x01\x01", len(CONTENT))


@pytest.mark.parametrize(("more", "calls"), [(0, "PutObject"), (1, "UploadPart")])
def test_what_goes_in_one_request(
    counted: Counted, monkeypatch: pytest.MonkeyPatch, more: int, calls: str
) -> None:
    monkeypatch.undo()
    counted.put(bytes(MOST_IN_ONE + more))
    assert counted.calls[calls] >= 1
    assert (counted.calls["PutObject"] == 0) is (calls == "UploadPart")


def test_a_killed_program_s_parts_are_not_put_again(
    counted: Counted, s3_endpoint: str, tmp_path: Path
) -> None:
    path = tmp_path / "sealed"
    path.write_bytes(CONTENT)
    command = [sys.executable, "-c", KILLED, s3_endpoint, counted.prefix, NAME, str(path), str(PART)]
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    child: Any
    with subprocess.Popen(command, text=True, env=os.environ | {"PYTHONPATH": paths}, **pipes) as child:
        assert int(child.stdout.readline()) == PART
        child.stdin.write("\n")
        child.stdin.flush()
        assert int(child.stdout.readline()) == 2 * PART
        child.send_signal(signal.SIGKILL)
    with pytest.raises(BlobMissing):  # BLB-2
        counted.blobs.read(NAME, 0, 1)
    assert len(counted.begun()) == 1
    counted.calls.clear()
    assert counted.put() == len(CONTENT)
    assert (counted.calls["UploadPart"], counted.calls["CreateMultipartUpload"]) == (2, 0)
    assert counted.begun() == []
    assert ends_with(counted.blobs, b"\x02the end")


@pytest.mark.parametrize(
    ("begun", "again"),
    [
        ([parts()[1], parts()[0], parts()[2]], 3),
        ([b"x" * PART, *parts()[1:3]], 2),
        ([parts()[0][:-1], parts()[1]], 3),
        ([bytes(48 << 10)] * 5, 4),
        ([], 4),
    ],
    ids=["another order", "another part", "a shorter part", "another sealing with more parts", "no part"],
)
def test_parts_of_something_else_are_put_again(counted: Counted, begun: list[bytes], again: int) -> None:
    """BLB-4: what is complete in the end is what the source holds."""
    counted.begin(*begun)
    assert counted.put() == len(CONTENT)
    assert counted.calls["UploadPart"] == again
    assert counted.calls["CreateMultipartUpload"] == 0
    for each in range(4):
        place = each * PART
        assert counted.blobs.read(NAME, place, 7).data == CONTENT[place : place + 7]
    assert counted.blobs.read(NAME, 0, 1).size == len(CONTENT)


def test_parts_whose_tags_tell_nothing_are_put_again(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from a storage that encrypts with keys of its own."""
    counted.begin(*parts()[:2])
    monkeypatch.setattr("letterlock.blobs._s3_upload._md5", lambda _: b"nothing that S3 knows")
    monkeypatch.setattr("letterlock.blobs._s3_upload.content_md5", lambda _: "AAAAAAAAAAAAAAAAAAAAAA==")
    counted.put()
    assert counted.calls["UploadPart"] == 4


def test_a_source_that_fails_ends_the_upload(counted: Counted) -> None:
    class Broken(io.BytesIO):
        def readinto(self, buffer: Any, /) -> int:
            if self.tell() > 2 * PART:
                raise ZeroDivisionError
            return super().readinto(buffer)

    with pytest.raises(ZeroDivisionError):
        counted.blobs.put(NAME, Broken(CONTENT))
    assert counted.calls["UploadPart"] >= 1
    assert counted.begun() == []


def test_cancelling_ends_the_upload(counted: Counted) -> None:
    def cancel(done: int, _: int | None) -> None:
        if done > PART:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        counted.blobs.put(NAME, io.BytesIO(CONTENT), cancel)
    assert counted.calls["UploadPart"] == 2
    assert counted.begun() == []


def test_a_storage_that_is_away_keeps_the_parts(counted: Counted) -> None:
    def fail(model: Any, **_: object) -> None:
        if model.name == "UploadPart" and counted.calls["UploadPart"] == 3:
            raise TimeoutError

    counted.client.meta.events.register_last("before-call.s3", fail)
    with pytest.raises(BlobsUnavailable, match="try again"):
        counted.put()
    counted.client.meta.events.unregister("before-call.s3", fail)
    assert len(counted.begun()) == 1
    counted.calls.clear()
    counted.put()
    assert counted.calls["UploadPart"] == 2


def test_somebody_who_puts_something_else_meanwhile_is_seen(counted: Counted) -> None:
    """BLB-2: completing does not replace, and the parts are deleted."""

    def other(done: int, _: int | None) -> None:
        if done == len(CONTENT):
            counted.client.put_object(Bucket=BUCKET, Key=counted.prefix + NAME, Body=b"other")

    with pytest.raises(BlobTaken, match="try again"):
        counted.blobs.put(NAME, io.BytesIO(CONTENT), other)
    assert counted.blobs.read(NAME, 0, 10).data == b"other"
    assert counted.begun() == []
    with pytest.raises(BlobTaken, match="delete that blob"):
        counted.put()


def test_somebody_who_ended_the_upload_is_seen(counted: Counted) -> None:
    def end(done: int, _: int | None) -> None:
        if done == len(CONTENT):
            (upload,) = counted.begun()
            counted.client.abort_multipart_upload(Bucket=BUCKET, Key=counted.prefix + NAME, UploadId=upload)

    with pytest.raises(BlobsUnavailable, match="try again"):
        counted.blobs.put(NAME, io.BytesIO(CONTENT), end)
    assert counted.put() == len(CONTENT)


def test_a_storage_that_keeps_less_is_seen(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted.client, "head_object", lambda **_: {"ContentLength": len(CONTENT) - 1})
    with pytest.raises(BlobsMisbehave, match="has not kept all"):
        counted.put()


def test_deleting_ends_what_was_begun(counted: Counted) -> None:
    counted.begin(parts()[0])
    counted.begin(parts()[1])
    assert len(counted.begun()) == 2
    counted.blobs.delete(NAME)
    assert counted.begun() == []


def test_an_upload_of_another_name_is_left_alone(counted: Counted) -> None:
    key = counted.prefix + NAME + "0"
    counted.client.create_multipart_upload(Bucket=BUCKET, Key=key)
    counted.blobs.delete(NAME)
    counted.put()
    assert len(counted.begun()) == 1


def test_the_lengths_of_parts() -> None:
    assert [part_length(each) >> 20 for each in (1, 1000, 1001, 2001, 9001, 10_000)] == [
        8,
        8,
        16,
        32,
        4096,
        4096,
    ]
    assert sum(map(part_length, range(1, 10_001))) > 5 << 40  # more than S3 takes


def test_the_usual_client(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    blobs = S3Blobs(BUCKET, f"{tmp_path.name}/", endpoint=s3_endpoint, region="us-east-1")
    blobs.put(NAME, io.BytesIO(b"content"))
    assert blobs.read(NAME, 0, 10).data == b"content"
    assert "secret" not in repr(blobs)
    config: Any = usual_client(s3_endpoint, "us-east-1").meta.config
    assert config.request_checksum_calculation == "when_required"
