"""Commands about documents that end in the middle: interrupted, killed, on a full disk, without a reader.

Nothing that looks whole is left, and the same command then succeeds. Also: who sees a progress bar.
"""

import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from letterlock.cli import _progress as progress_module
from letterlock.cli import main
from support.cli_forks import KILLED, needs_fork
from support.cli_tools import Arguments, environment, temporary_outputs
from support.document_cli import Readers
from support.forks import Forked, start

LARGE = os.urandom(1 << 20) * 2


def begin(readers: Readers, home: str, *arguments: str | Path, stdin: int = subprocess.DEVNULL) -> Forked:
    """Begin a command in a process of its own."""
    command = ["-m", "letterlock", "--home", readers.path(home), *arguments]
    pipe = subprocess.PIPE
    return start(command, stdin=stdin, stdout=pipe, stderr=pipe, env=environment())


def begin_sealing(readers: Readers) -> Forked:
    """Begin to seal a pipe that does not end, and wait until the sealed file is being written."""
    arguments = ("seal", "-", "--for", "bob", "-o", readers.path("x.ll"))
    process = begin(readers, "alice", *arguments, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(LARGE)
    process.stdin.flush()
    while not any(each.stat().st_size for each in temporary_outputs(readers.root)):
        assert process.poll() is None
    return process


@needs_fork
def test_an_interrupted_command_leaves_nothing(readers: Readers) -> None:
    with closing(begin_sealing(readers)) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    assert temporary_outputs(readers.root) == []
    assert not readers.path("x.ll").exists()


@needs_fork
def test_a_killed_command_leaves_no_file_of_that_name(readers: Readers) -> None:
    with closing(begin_sealing(readers)) as process:
        process.kill()
        assert process.wait(60) == KILLED
    assert not readers.path("x.ll").exists()
    assert readers.opens("bob", readers.sealed("--for", "bob", name="x.ll"))


@needs_fork
@pytest.mark.parametrize("command", ["share", "revoke"])
def test_a_sealed_file_is_whole_when_its_grants_change(
    readers: Readers, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The process is killed just before the new file takes the place of the old one."""
    sealed = readers.sealed("--for", "bob")
    before = sealed.read_bytes()
    killed = os.fork()
    if killed == 0:
        monkeypatch.setattr("letterlock.cli._document_streams.move_into_place", lambda *_: os._exit(137))
        readers.run("alice", command, sealed, "--for", "bob")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(killed, 0)[1]) == 137
    assert sealed.read_bytes() == before
    assert readers.opens("bob", sealed)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file of this process become longer, as if the disk were full. Python ignores the signal."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_cannot_grow_is_no_file(readers: Readers) -> None:
    plain = readers.plain("large", LARGE)
    readers.run("alice", "seal", plain, "--for", "bob", "-o", readers.path("large.ll")).succeeded()
    before = readers.files()
    commands: list[tuple[str, tuple[str | Path, ...], str]] = [
        ("alice", ("seal", plain, "--for", "bob", "-o", readers.path("x.ll")), "x.ll"),
        ("bob", ("open", readers.path("large.ll"), "-o", readers.path("x")), "x"),
        ("alice", ("share", readers.path("large.ll"), "--for", "alice"), "large.ll"),
    ]
    for home, command, name in commands:
        with files_of_at_most(1 << 20):
            refused = readers.run(home, *command)
        assert refused.failed(6).startswith(f"{readers.path(name)}: file too large")
        assert (readers.files(), temporary_outputs(readers.root)) == (before, [])
    assert readers.run("bob", "open", readers.path("large.ll")).succeeded() == LARGE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_standard_output(readers: Readers) -> None:
    sealed = readers.sealed("--for", "bob")
    for home, command in (("alice", "seal"), ("bob", "open")):
        with Path("/dev/full").open("wb") as full:
            arguments: Arguments = ["-m", "letterlock", "--home", readers.path(home), command, sealed]
            out, env = full.fileno(), environment()
            with closing(start(arguments, stdout=out, stderr=subprocess.PIPE, env=env)) as process:
                assert process.wait(60) == 6
                assert process.stderr is not None
                assert b"standard output: no space left" in process.stderr.read()


@needs_fork
def test_a_reader_that_closes_the_pipe(readers: Readers) -> None:
    readers.run("alice", "seal", readers.plain("large", LARGE), "-o", readers.path("large.ll")).succeeded()
    with closing(begin(readers, "alice", "open", readers.path("large.ll"))) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1) == LARGE[:1]
        process.stdout.close()
        assert process.wait(60) == 6
        assert b"standard output: broken pipe: the reader closed the pipe" in process.stderr.read()


def test_a_closed_standard_input(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("seal", "open"):
        with (
            redirect_stdout(io.TextIOWrapper(io.BytesIO())),
            redirect_stderr(io.StringIO()) as errors,
            monkeypatch.context() as patch,
        ):
            patch.setattr(sys, "stdin", None)
            assert main(["--home", str(readers.path("alice")), command, "-"]) == 6
        assert "standard input" in errors.getvalue()


# --- the progress bar -------------------------------------------------------------------------------------


class Screen(io.StringIO):
    """Standard error in memory that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def shown(readers: Readers, screen: io.StringIO) -> str:
    """Seal and open a file, and return what was on the screen."""
    sealed = readers.path("shown.ll")
    with redirect_stdout(io.TextIOWrapper(io.BytesIO())), redirect_stderr(screen):
        for command in (["seal", str(readers.plain()), "-o", str(sealed)], ["open", str(sealed)]):
            assert main(["--home", str(readers.path("alice")), *command]) == 0
    return screen.getvalue()


def test_a_terminal_shows_progress(readers: Readers) -> None:
    text = shown(readers, Screen())
    assert "sealing: " in text
    assert "opening: " in text


@pytest.mark.parametrize("why", ["no terminal", "no tqdm"])
def test_nobody_else_sees_progress(readers: Readers, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    if why == "no tqdm":
        monkeypatch.setattr(progress_module, "import_module", missing)
    assert shown(readers, Screen() if why == "no tqdm" else io.StringIO()) == ""


def test_progress_counts_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress_module.progress("a\x1b[2Jb") as tell:
        assert tell is not None
        counts: Callable[[int, int | None], None] = tell
        counts(100, 200)
        counts(200, 200)
    assert "\x1b[2J" not in screen.getvalue()
