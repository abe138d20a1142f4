"""Jobs that seal a document: one at a time, and a name serves again once its job has ended."""

import asyncio
import io
import threading
from pathlib import Path
from typing import Final

import pytest

from letterlock.documents import SealOptions
from letterlock.errors import UsageError
from support.client_documents import CONTENT, reads
from support.client_shelves import three
from support.client_town import Town, play

JOB: Final = SealOptions(job=b"scan")
LARGE: Final = bytes(range(256)) * (4096 * 3)


class Held(io.BytesIO):
    """A source that stops half way until it is let go."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.half, self.go = threading.Event(), threading.Event()

    def _hold(self) -> None:
        if self.tell() >= len(self.getvalue()) // 2 and not self.half.is_set():
            self.half.set()
            assert self.go.wait(20)

    def read(self, *given: int | None) -> bytes:
        self._hold()
        return super().read(*given)

    def readinto(self, buffer: object, /) -> int:
        self._hold()
        return super().readinto(buffer)  # type: ignore[arg-type]


async def is_half(source: Held) -> None:
    assert await asyncio.to_thread(source.half.wait, 20)


def test_a_job_is_sealed_by_one_call_at_a_time(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        alice.documents.spool = tmp_path
        source = Held(LARGE)
        first = asyncio.create_task(alice.documents.seal(source, blobs, ["bob"], options=JOB))
        await is_half(source)
        with pytest.raises(UsageError, match="another call"):
            await alice.documents.seal(io.BytesIO(LARGE), blobs, ["bob"], options=JOB)
        source.go.set()
        made = await first
        for each in (alice, bob):
            assert await reads(each, made.id, blobs) == LARGE

    play(tmp_path, story)


def test_of_two_calls_with_one_job_and_two_directories_one_grants(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        alice, bob, blobs = await three(town)
        for each in ("one", "two"):
            (tmp_path / each).mkdir()
        source = Held(LARGE)
        alice.documents.spool = tmp_path / "one"
        first = asyncio.create_task(alice.documents.seal(source, blobs, ["bob"], options=JOB))
        await is_half(source)
        alice.documents.spool = tmp_path / "two"
        made = await alice.documents.seal(io.BytesIO(LARGE), blobs, ["bob"], options=JOB)
        source.go.set()
        with pytest.raises(UsageError, match="ended by another call"):
            await first
        assert len([each for each in await alice.documents.grants(made.id) if each.reader == "bob"]) == 1
        assert await reads(bob, made.id, blobs) == LARGE

    play(tmp_path, story)


def test_what_a_complete_job_left_behind_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program is killed when grants are kept, and the file is not deleted yet."""

    class Killed(BaseException):
        pass

    def kill(path: Path) -> None:
        del path
        raise Killed

    async def story(town: Town) -> None:
        alice, _, blobs = await three(town)
        alice.documents.spool = spool = tmp_path / "spool"
        spool.mkdir()
        with monkeypatch.context() as patched:
            patched.setattr("pathlib.Path.unlink", kill)
            with pytest.raises(Killed):
                await alice.documents.seal(io.BytesIO(CONTENT), blobs, options=JOB)
        assert len(list(spool.iterdir())) == 1
        for content in (CONTENT, b"another"):
            made = await alice.documents.seal(io.BytesIO(content), blobs, options=JOB)
            assert await reads(alice, made.id, blobs) == content
        assert list(spool.iterdir()) == []

    play(tmp_path, story)
