"""DOC-11: sealing goes on where it was interrupted, and keeps nothing that it should not."""

import io
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from letterlock.documents._layout import BLOCK_BYTES
from letterlock.documents._resuming import resume
from letterlock.documents._sealing import Pace, seal
from letterlock.documents._state import SealingState
from letterlock.errors import MalformedMessage, UsageError
from support import sealing_child
from support.sealed import AUTHOR, FULL, METADATA, Sealed, as_file, chosen, content, open_whole

BLOCK = 256 * FULL
LENGTH = 2 * BLOCK + 3 * FULL
KILLS = int(os.environ.get("LETTERLOCK_KILLS", "2"))
START = len(SealingState.begin(bytes(16), 1, METADATA, chosen()).header.front()) + 74


@cache
def whole() -> Sealed:
    entropy, target = chosen(), io.BytesIO()
    state = SealingState.begin(bytes(16), 1, METADATA, entropy)
    statement = seal(state, io.BytesIO(content(LENGTH)), target, AUTHOR, entropy, Pace())
    return Sealed(state, target.getvalue(), statement)


def gone_on(begun: bytes, data: bytes | None = None) -> Sealed:
    """Return the document that is made from a beginning."""
    target = io.BytesIO(begun)
    source = io.BytesIO(content(LENGTH) if data is None else data)
    statement = resume(whole().state, source, target, AUTHOR, chosen(b"again"), Pace())
    return Sealed(whole().state, target.getvalue(), statement)


def kept(document: Sealed) -> int:
    """Return how many blocks are those of the first sealing. New ones have other nonces."""
    places = range(START, START + 3 * BLOCK_BYTES, BLOCK_BYTES)
    same = [document.data[at : at + BLOCK_BYTES] == whole().data[at : at + BLOCK_BYTES] for at in places]
    assert sorted(same, reverse=True) == same
    return sum(same)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("length", "blocks"),
    [
        (START - 1, 0),
        (START + BLOCK_BYTES - 1, 0),
        (START + BLOCK_BYTES, 1),
        (10**9, 2),
    ],
)
def test_whole_blocks_are_kept(length: int, blocks: int) -> None:
    document = gone_on(whole().data[:length])
    assert kept(document) == blocks
    target = io.BytesIO()
    open_whole(document, target, Pace())
    assert target.getvalue() == content(LENGTH)


@pytest.mark.slow
@pytest.mark.parametrize("place", [START + 5, START + 300_000, START + BLOCK_BYTES - 1])
def test_a_block_that_was_not_written_whole_is_sealed_again(place: int) -> None:
    begun = bytearray(whole().data[: START + 2 * BLOCK_BYTES])
    begun[place] ^= 1
    document = gone_on(bytes(begun))
    assert kept(document) == 0
    assert as_file(document).read(10) == content(LENGTH)[:10]


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, BLOCK - 1])
def test_a_source_that_has_changed_is_refused(place: int) -> None:
    """Otherwise old content and new would be mixed."""
    begun, data = whole().data[: START + BLOCK_BYTES + 5], bytearray(content(LENGTH))
    data[place] ^= 1
    target = io.BytesIO(begun)
    with pytest.raises(UsageError, match="has changed"):
        resume(whole().state, io.BytesIO(data), target, AUTHOR, chosen(b"again"), Pace())
    assert target.getvalue() == begun


@pytest.mark.slow
def test_a_source_that_has_become_shorter_gives_what_it_holds_now() -> None:
    document = gone_on(whole().data[: START + 2 * BLOCK_BYTES], content(LENGTH)[: BLOCK + 5])
    assert kept(document) == 1
    assert as_file(document).readall() == content(LENGTH)[: BLOCK + 5]


@pytest.mark.slow
def test_a_source_of_zeros_that_has_become_shorter_is_refused() -> None:
    """Where content ends is told by the counts alone, if the padding looks like it."""
    state, target = whole().state, io.BytesIO()
    seal(state, io.BytesIO(bytes(BLOCK + FULL)), target, AUTHOR, chosen(b"zeros"), Pace())
    target.truncate(START + BLOCK_BYTES + 5)
    with pytest.raises(UsageError, match="has changed"):
        resume(state, io.BytesIO(bytes(BLOCK - FULL)), target, AUTHOR, chosen(b"again"), Pace())


@pytest.mark.parametrize("begun", [b"something else", bytes(10), bytes(500)])
def test_a_target_that_holds_something_else_is_left_alone(begun: bytes) -> None:
    target = io.BytesIO(begun)
    with pytest.raises(UsageError, match="something else"):
        resume(whole().state, io.BytesIO(b"text"), target, AUTHOR, chosen(), Pace())
    assert target.getvalue() == begun


def test_source_and_target_must_be_seekable() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    for source, target in ((Pipe(), io.BytesIO()), (io.BytesIO(), Pipe())):
        with pytest.raises(UsageError, match="seekable"):
            resume(whole().state, source, target, AUTHOR, chosen(), Pace())


def test_the_record_of_a_state_reads_back() -> None:
    state = whole().state
    again = SealingState.decode(state.encode())
    assert (again.key, again.header, again.iv) == (state.key, state.header, state.iv)
    assert again.stream().header == state.stream().header


@pytest.mark.parametrize(
    "record", [b"", b"\x80", whole().state.encode()[:-1], whole().state.encode() + b"\0"]
)
def test_another_record_is_refused(record: bytes) -> None:
    with pytest.raises(MalformedMessage):
        SealingState.decode(record)


@pytest.mark.slow
def test_a_program_that_is_killed_while_it_seals_goes_on(tmp_path: Path) -> None:
    """It is killed without warning, after some progress, several times."""
    source, target, record = tmp_path / "source", tmp_path / "target.ll", tmp_path / "record"
    source.write_bytes(content(LENGTH))
    record.write_bytes(whole().state.encode())
    command = [sys.executable, sealing_child.__file__, "resume", *map(str, (record, source, target))]
    for turn in range(KILLS):
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=child_environment()) as child:
            assert child.stdout is not None
            for _ in range(5 + 7 * turn % 60):
                if not child.stdout.readline():
                    break
            child.send_signal(signal.SIGKILL)
    assert target.stat().st_size > 0
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=child_environment())
    with target.open("rb") as file:
        document = Sealed(whole().state, target.read_bytes(), whole().statement)
        assert as_file(document, file).readall() == content(LENGTH)


def child_environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
