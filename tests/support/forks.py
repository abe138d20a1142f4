"""Programs that begin as forks of a process that has imported everything, so that each begins quickly.

    start(arguments)     begins `python ARGUMENTS...`, and returns a Forked
    complete(arguments)  does the same, and returns a CompletedProcess once the program has ended
    shell_command        what a shell script calls instead of Python
    Forked               a part of subprocess.Popen's interface

A program has a session, an environment and three standard streams of its own, and its interpreter ends in the
usual way. Only what it imports is there already, and flags and variables of the interpreter have no effect.

Not here: the command line that is killed at a step (cli_forks.py); processes that work on a relay's store
(relay_child.py).
"""

import atexit
import functools
import gc
import json
import os
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Final, NoReturn

from letterlock.cli._main import COMMANDS

_PRELOADED: Final = (
    "httpx",
    "starlette.routing",
    "uvicorn",
    "websockets.asyncio.client",
    "websockets.asyncio.server",
)
"""Not prometheus_client: it decides when it is imported whether processes share their numbers."""
_MOST: Final = 2**20
"""Bytes of a request."""


class Forked:
    """A program that has begun. It is not a child of this process."""

    def __init__(self, told: int, streams: dict[str, IO[Any]]) -> None:
        self._told = os.fdopen(told, "rb", buffering=0)
        self.stdin, self.stdout, self.stderr = map(streams.get, ("stdin", "stdout", "stderr"))
        self.returncode: int | None = None
        self.pid = int(self._line())

    def poll(self) -> int | None:
        """Return the exit status, or None while the program runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit status."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("a forked program", timeout or 0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the program has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the program without a warning."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[Any, Any]:
        """Wait for the end, and return what came on both streams. There must be little on standard error."""
        assert self.stdout is not None
        assert self.stderr is not None
        if self.stdin is not None and not self.stdin.closed:
            self.stdin.close()
        found = self.stdout.read(), self.stderr.read()
        self.wait(timeout)
        self.close()
        return found

    def close(self) -> None:
        """Close the streams."""
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()

    def _end(self) -> None:
        self.returncode = int(self._line())
        self._told.close()

    def _line(self) -> bytes:
        line = self._told.readline()
        assert line, "the process that forks has ended"
        return line


def start(
    arguments: Sequence[str | Path],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
    stderr: int | None = None,
    text: bool = False,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Forked:
    """Begin `-c CODE`, `-m MODULE` or a file, with arguments. The streams are as in subprocess.Popen."""
    control = _control()
    ours: dict[str, IO[Any]] = {}
    with ExitStack() as passed:
        files = []
        for number, (name, given) in enumerate((("stdin", stdin), ("stdout", stdout), ("stderr", stderr))):
            if given == subprocess.PIPE:
                ends = os.pipe()
                theirs, mode = ends[bool(number)], "r" if number else "w"
                ours[name] = os.fdopen(ends[not number], mode if text else f"{mode}b")
                passed.callback(os.close, theirs)
            elif given == subprocess.DEVNULL:
                theirs = os.open(os.devnull, os.O_RDWR)
                passed.callback(os.close, theirs)
            else:
                theirs = number if given is None else given
            files.append(theirs)
        told, tells = os.pipe()
        passed.callback(os.close, tells)
        request = {
            "arguments": [str(each) for each in arguments],
            "cwd": str(cwd or Path.cwd()),
            "environment": dict(os.environ if env is None else env),
        }
        control.ask(request, [*files, tells])
    return Forked(told, ours)


def complete(
    arguments: Sequence[str | Path], data: bytes = b"", env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run a program to its end with this standard input, and return what it printed."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(data)
        given.seek(0)
        program = start(arguments, stdin=given.fileno(), stdout=out.fileno(), stderr=err.fileno(), env=env)
        status = program.wait(300)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, status, out.read(), err.read())


class _Control:
    """The process that forks, from the outside."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="letterlock-forks-")
        self.path = f"{self._folder.name}/socket"
        self._life, theirs = socket.socketpair()
        with theirs, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen()
            files = [theirs.fileno(), listener.fileno()]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "support.forks", *map(str, files)],
                cwd=Path(__file__).parents[1],
                pass_fds=files,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        atexit.register(self.close)

    def ask(self, request: dict[str, Any], files: list[int]) -> None:
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(self.path)
            socket.send_fds(control, [json.dumps(request).encode() + b"\n"], files)
            assert control.recv(1), "the process that forks has ended"

    def close(self) -> None:
        self._life.close()
        self._process.wait(60)
        self._folder.cleanup()


@functools.cache
def _control() -> _Control:
    return _Control()


def shell_command(arguments: Sequence[str | Path]) -> str:
    """Return what begins a program with these arguments, and more after them, in a shell script."""
    client = Path(__file__).with_name("fork_client.py")
    return shlex.join(map(str, [sys.executable, "-IS", client, _control().path, *arguments]))


# --- inside the process that forks ------------------------------------------------------------------------


def _requests(life: socket.socket, listener: socket.socket) -> "tuple[dict[str, Any], list[int]]":
    """Fork a process for each request, and return the request in that process alone."""
    while True:
        if life in select.select([life, listener], [], [])[0]:
            os._exit(0)
        control, _ = listener.accept()
        with control:
            data, files, _, _ = socket.recv_fds(control, _MOST, 4)
            more = data
            while more and not data.endswith(b"\n"):
                more = control.recv(_MOST)
                data += more
            if more:  # otherwise whoever asked was killed in the middle
                if os.fork() == 0:
                    life.close()
                    listener.close()
                    return json.loads(data), files
                control.send(b".")
        for each in files:
            os.close(each)


def _become_program(request: dict[str, Any], files: list[int]) -> None:
    """Fork once more: the child returns as the program, and its parent tells its id and its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    tells = files[3]
    program = os.fork()
    if program:
        for each in (*files[:3], 0, 1, 2):
            os.close(each)
        os.write(tells, b"%d\n" % program)
        os.write(tells, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(program, 0)[1]))
        os._exit(0)
    os.close(tells)
    # A shell that started the tests in the background had them ignore it, which all their children would.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    for number, each in enumerate(files[:3]):
        os.dup2(each, number)
        os.close(each)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the old one remembers what kind of file it was
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])


def _run(arguments: list[str]) -> None:
    if arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(arguments[1], "<string>", "exec"), vars(sys.modules["__main__"]))
    elif arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[0] = str(Path(arguments[0]).parent)
        runpy.run_path(arguments[0], run_name="__main__")


def _serve(life: socket.socket, listener: socket.socket) -> NoReturn:
    for module in {*_PRELOADED, *(module for module, _ in COMMANDS.values())}:
        import_module(module)
    gc.collect()
    gc.freeze()  # a collection in a program would copy every page
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that tell
    request, files = _requests(life, listener)
    _become_program(request, files)
    _run(request["arguments"])
    sys.exit(0)


if __name__ == "__main__":
    _serve(*(socket.socket(fileno=int(each)) for each in sys.argv[1:]))
