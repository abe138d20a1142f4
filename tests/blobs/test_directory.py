"""A directory of blobs: full disks, missing rights, killed programs. BLB-2."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from letterlock.blobs import (
    BlobError,
    BlobMissing,
    BlobsFull,
    BlobsRefused,
    BlobsUnavailable,
    BlobTaken,
    DirectoryBlobs,
)
from letterlock.blobs import _directory as module
from support.blob_stores import NAME

CONTENT: Final = bytes(range(256)) * 40
KILLED: Final = """
import sys
from letterlock.blobs import DirectoryBlobs
class Slow:
    def readinto(self, buffer):
        print("reading", flush=True)
        buffer[:] = bytes(len(buffer))
        return len(buffer)
DirectoryBlobs(sys.argv[1]).put(sys.argv[2], Slow())
"""


@pytest.fixture
def blobs(tmp_path: Path) -> DirectoryBlobs:
    return DirectoryBlobs(tmp_path / "blobs")


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise OSError(number, "as a file system would")

    return fail


def files(tmp_path: Path) -> list[str]:
    return sorted(each.name for each in (tmp_path / "blobs").rglob("*") if each.is_file())


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, BlobsFull),
        (errno.EDQUOT, BlobsFull),
        (errno.EFBIG, BlobsFull),
        (errno.EACCES, BlobsRefused),
        (errno.EROFS, BlobsRefused),
        (errno.EIO, BlobsUnavailable),
        (errno.ESTALE, BlobsUnavailable),
    ],
)
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_disk_that_fails_leaves_nothing(
    blobs: DirectoryBlobs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    expected: type[BlobError],
    call: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(number))
        with pytest.raises(expected, match=r"try again|change its rights"):
            blobs.put(NAME, io.BytesIO(CONTENT))
    assert files(tmp_path) == []
    assert blobs.put(NAME, io.BytesIO(CONTENT)) == len(CONTENT)


def test_a_write_of_a_part_goes_on(blobs: DirectoryBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, view: write(file, view[:100]))
    blobs.put(NAME, io.BytesIO(CONTENT))
    assert blobs.read(NAME, 0, 1 << 20).data == CONTENT


def test_the_bytes_are_on_the_disk_before_the_name_is(
    blobs: DirectoryBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync, link = os.fsync, Path.hardlink_to

    def note_sync(file: int) -> None:
        seen.append("sync")
        fsync(file)

    def note_name(place: Path, part: Path) -> None:
        seen.append("name")
        link(place, part)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "hardlink_to", note_name)
    blobs.put(NAME, io.BytesIO(CONTENT))
    assert seen == ["sync", "sync", "name", "sync"]


def test_a_program_that_was_killed_leaves_a_part_that_goes(blobs: DirectoryBlobs, tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "blobs"), NAME]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(3):
            assert child.stdout.readline() == "reading\n"
        child.send_signal(signal.SIGKILL)
    (part,) = files(tmp_path)
    assert part.endswith(".part")
    with pytest.raises(BlobMissing):
        blobs.read(NAME, 0, 1)
    path = tmp_path / "blobs" / NAME[:2] / part
    os.utime(path, (time.time() - 90_000,) * 2)
    blobs.put(NAME, io.BytesIO(CONTENT))
    assert files(tmp_path) == [NAME]


def test_a_part_that_somebody_writes_stays(blobs: DirectoryBlobs, tmp_path: Path) -> None:
    part = tmp_path / "blobs" / NAME[:2] / f"{NAME}.0123.part"
    part.parent.mkdir()
    part.write_bytes(b"being written")
    blobs.put(NAME, io.BytesIO(CONTENT))
    assert files(tmp_path) == [NAME, part.name]
    blobs.delete(NAME)
    assert files(tmp_path) == []


def test_a_name_that_was_given_meanwhile_is_not_taken(
    blobs: DirectoryBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = module._write

    def late(*each: Any) -> int:
        (tmp_path / "blobs" / NAME[:2] / NAME).write_bytes(b"other")
        return write(*each)

    monkeypatch.setattr(module, "_write", late)
    with pytest.raises(BlobTaken, match="try again"):
        blobs.put(NAME, io.BytesIO(CONTENT))
    assert blobs.read(NAME, 0, 10).data == b"other"
    assert files(tmp_path) == [NAME]


def test_a_file_system_without_links(
    blobs: DirectoryBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", failing(errno.EPERM))
    blobs.put(NAME, io.BytesIO(CONTENT))
    assert files(tmp_path) == [NAME]
    assert blobs.read(NAME, 0, 1 << 20).data == CONTENT


def test_a_link_that_fails_leaves_nothing(
    blobs: DirectoryBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", failing(errno.ENOSPC))
    with pytest.raises(BlobsFull):
        blobs.put(NAME, io.BytesIO(CONTENT))
    assert files(tmp_path) == []


def test_a_directory_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BlobsUnavailable):
        DirectoryBlobs(tmp_path / "file" / "blobs")


def test_others_cannot_look_into_a_new_directory(blobs: DirectoryBlobs, tmp_path: Path) -> None:
    blobs.put(NAME, io.BytesIO(CONTENT))
    assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "blobs" / NAME[:2]).stat().st_mode & 0o777 == 0o700
