"""The event loop stays free while 1,000 messages are sealed: work on its thread is counted, not timed.

A profile function sees every function call on that thread, of Python and of C. None is of letterlock but
those of `letterlock.aio`. Their number is small, and does not grow with the message.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import pytest

import letterlock
from letterlock import aio
from support.aio_tools import ALICE, BOB, conversation, run
from support.store_tools import STORES

PACKAGE: Final = str(Path(letterlock.__file__).parent)
FACADE: Final = str(Path(aio.__file__).parent)
MESSAGES: Final = 1000
AT_MOST: Final = 200
"""Function calls on the loop's thread for each awaited call, with those of the event loop itself."""

OURS: Final = 25
"""Those among them that call a Python function of `letterlock.aio`."""


class Seen:
    """What ran on a thread."""

    def __init__(self) -> None:
        self.calls = 0
        self.files: Counter[str] = Counter()

    def ours(self) -> int:
        """Return how many functions of the façade were called."""
        return sum(number for name, number in self.files.items() if name.startswith(FACADE))

    def core(self) -> list[str]:
        """Return the files of letterlock that ran, besides the façade's."""
        return [name for name in self.files if name.startswith(PACKAGE) and not name.startswith(FACADE)]


@contextmanager
def watched() -> Generator[Seen]:
    """Count the function calls of this thread."""
    seen = Seen()

    def profile(frame: FrameType, event: str, argument: object) -> None:
        del argument
        if event in {"call", "c_call"}:
            seen.calls += 1
        if event == "call":
            seen.files[frame.f_code.co_filename] += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield seen
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize("size", [10, 100_000])
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("kind", STORES)
def test_sealing_runs_elsewhere(kind: str, size: int, tmp_path: Path, *, together: bool) -> None:
    number = MESSAGES if size < 100 else MESSAGES // 20

    async def main() -> None:
        async with conversation(kind, tmp_path) as talk:
            text = bytes(size)
            with watched() as seen:
                if together:
                    await asyncio.gather(*(talk.bob.encrypt(ALICE, text) for _ in range(number)))
                else:
                    for _ in range(number):
                        await talk.bob.encrypt(ALICE, text)
            assert seen.core() == []
            assert number < seen.ours() <= OURS * number
            assert number < seen.calls <= AT_MOST * number

    run(main())


def test_every_other_call_runs_elsewhere(tmp_path: Path) -> None:
    async def main() -> None:
        async with conversation("memory", tmp_path) as talk:
            messages, bundle = [talk.write(b"text") for _ in range(50)], talk.alice.bundle()
            forged = messages[0][:-1] + bytes([messages[0][-1] ^ 1])
            with watched() as seen:
                async with talk.bob.transaction():
                    for message in messages:
                        await talk.read(message)
                for refused in (messages[0], forged, b"junk"):
                    with pytest.raises(letterlock.PeerError):
                        await talk.read(refused)
                await talk.bob.bundle()
                await talk.bob.publish(200)
                await talk.bob.initiate(ALICE, bundle)
                await talk.bob.peers()
                await talk.bob.safety_number(ALICE)
                await talk.bob.undelivered()
            assert [name for name in seen.core() if not name.endswith("errors.py")] == []
            assert seen.calls <= AT_MOST * 70

    run(main())


def test_work_on_the_loop_s_thread_is_seen(tmp_path: Path) -> None:
    """The check itself: the same calls without the façade."""

    async def main() -> None:
        async with conversation("memory", tmp_path) as talk:
            with watched() as seen:
                talk.alice.encrypt(BOB, b"text")
            assert any(name.endswith("sealing.py") for name in seen.core())

    run(main())
