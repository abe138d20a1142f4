"""The demonstration: it runs, and it fails when a result is wrong."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError
from itertools import islice
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Any, Self

import pytest

from letterlock.cli import _demo_conversation as demo_conversation
from letterlock.cli import _demo_processes as demo_processes
from letterlock.cli import _demo_steps as demo_steps
from letterlock.cli import _demo_text as demo_text
from letterlock.cli._demo_processes import DemoProcesses, Finished
from letterlock.cli._demo_steps import Message, Steps
from letterlock.limits import MAX_PLAINTEXT
from support.cli_forks import ForkServer, needs_fork
from support.cli_tools import Result, run, run_process


class StandIn:
    """Stands in for the Popen of a step that has ended when its output is asked for."""

    def __init__(self, finish: Callable[[], Result]) -> None:
        self._finish = finish
        self.returncode: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        pass

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        assert timeout is None or timeout > 1
        result = self._finish()
        self.returncode = result.status
        return result.out, result.err

    def poll(self) -> int | None:
        return self.returncode

    def kill(self) -> None:
        pass


# --- in processes ---------------------------------------------------------------------------------


@pytest.fixture
def forked_steps(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fork_server: ForkServer,
    second_fork_server: ForkServer,
) -> None:
    """Fork the process of each step, two at a time. The startup time and the kill start interpreters."""
    start_interpreter, kill_while_reading = DemoProcesses.start, Steps.kill_while_reading
    free: Queue[ForkServer] = Queue()
    free.put(fork_server)
    free.put(second_fork_server)

    def start(processes: DemoProcesses, arguments: list[str | Path]) -> Any:
        if arguments == ["--help"]:
            return start_interpreter(processes, arguments)
        processes.started = number = next(processes._numbers)
        server, out = free.get(), tmp_path / f"{number}"
        server.start(*arguments, out=out)

        def finish() -> Result:
            status = server.wait()
            free.put(server)
            return Result(status, out.read_bytes(), b"")

        return StandIn(finish)

    def kill(steps: Steps, message: Message) -> float:
        with monkeypatch.context() as patch:
            patch.setattr(DemoProcesses, "start", start_interpreter)
            return kill_while_reading(steps, message)

    monkeypatch.setattr(DemoProcesses, "start", start)
    monkeypatch.setattr(Steps, "kill_while_reading", kill)


@needs_fork
@pytest.mark.slow
@pytest.mark.usefixtures("forked_steps")
def test_demonstration() -> None:
    shown = run("demo").succeeded().decode()
    for line in (
        "letterlock's own README",
        "alice -> bob   first message, no. 1 ",
        "bob            reads no. 1 ",
        "bob -> alice   answer, no. 2 ",
        "is lost, the others arrive in the order",
        "with one byte changed",
        "a second time",
        "is killed while reading no. 13",
        "starts again, has no. 13",
        "The conversation goes on",
        "They compare safety numbers",
        "Everything was as expected: 62 processes",
    ):
        assert line in shown, line
    assert "on the wire" in shown
    assert " ms\n" in shown


def test_step_is_an_interpreter_without_the_users_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LETTERLOCK_HOME", str(tmp_path / "alice"))
    run("init", "alice").succeeded()
    monkeypatch.setenv("LETTERLOCK_PASSPHRASE", "x")
    processes = DemoProcesses()
    processes.run(["peers"], expected_status=2)  # it sees no profile, although there is one
    assert processes.started == 1
    assert "LETTERLOCK_PASSPHRASE" not in processes._environment


def test_step_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(_: DemoProcesses, __: list[str | Path]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(20)"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    monkeypatch.setattr(DemoProcesses, "start", start)
    monkeypatch.setattr(demo_processes, "_STEP_TIMEOUT", 0.001)
    assert "more than 0.001 s" in run("demo").failed(1)
    (process,) = started
    assert process.returncode not in {None, 0}


def test_demonstration_ignores_the_users_profile(tmp_path: Path) -> None:
    profile = {"LETTERLOCK_HOME": str(tmp_path), "LETTERLOCK_PASSPHRASE": "x"}
    run_process("demo", "--text", tmp_path / "nothing", extra_environment=profile).failed(6)
    assert list(tmp_path.iterdir()) == []


# --- quickly, in this process ---------------------------------------------------------------------


class OneByOne:
    """Stands in for a thread pool: `run` redirects the streams of the whole process."""

    def __init__(self, workers: int) -> None:
        assert workers == 2

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        pass

    def map(self, function: Callable[[Message], Finished], messages: list[Message]) -> Iterator[Finished]:
        return map(function, messages)


@pytest.fixture
def steps_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each step in this process when it starts."""

    def start(processes: DemoProcesses, arguments: list[str | Path]) -> StandIn:
        processes.started += 1
        result = run(*arguments)
        process = StandIn(lambda: result)
        process.returncode = result.status
        return process

    monkeypatch.setattr(DemoProcesses, "start", start)
    monkeypatch.setattr(demo_conversation, "ThreadPoolExecutor", OneByOne)


@pytest.mark.usefixtures("steps_in_this_process")
@pytest.mark.parametrize(
    "content", [b"one line", b"\n\n a \n", bytes(range(256)) * 400, b"\xff\xfe", b"x" * 200_000, b"a\r\nb\rc"]
)
def test_any_text_can_be_sent(tmp_path: Path, content: bytes) -> None:
    text = tmp_path / "text"
    text.write_bytes(content)
    shown = run("demo", "--text", text).succeeded().decode()
    assert f"{text}, {len(content):,} bytes" in shown
    assert "Everything was as expected" in shown


@pytest.mark.parametrize("content", [b"", b"\n \n\t\n", b"x" * (MAX_PLAINTEXT + 1)])
def test_empty_or_too_long_text_is_refused(tmp_path: Path, content: bytes) -> None:
    text = tmp_path / "text"
    text.write_bytes(content)
    result = run("demo", "--text", text)
    assert str(text) in result.failed(2)
    assert result.out == b""


def test_missing_text_is_reported(tmp_path: Path) -> None:
    run("demo", "--text", tmp_path / "text").failed(6)


def test_excerpts_are_consecutive_lines_of_varying_size() -> None:
    text = b"".join(b"line %d\n" % number for number in range(100)) + b"\n" + b"y" * 100_000
    excerpts = list(islice(demo_text.excerpts(text), 60))
    assert b"".join(excerpts).startswith(text[: text.index(b"\n\n") + 1] + b"y" * 100_000 + b"line 0\n")
    assert len({len(excerpt) for excerpt in excerpts}) > 4
    assert all(excerpts)


def test_readme_comes_from_the_checkout_or_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = demo_text.load_text(None)
    assert text == (Path(__file__).parents[2] / "README.md").read_bytes()
    monkeypatch.setattr(demo_text, "__file__", "/site-packages/letterlock/cli/_demo_text.py")
    _, text = demo_text.load_text(None)
    assert text.startswith(b"# letterlock\n")
    monkeypatch.setattr(demo_text, "metadata", lambda _: {})
    assert "--text" in run("demo").failed(2)

    def raise_not_found(_: str) -> None:
        raise PackageNotFoundError

    monkeypatch.setattr(demo_text, "metadata", raise_not_found)
    assert "--text" in run("demo").failed(2)


# --- broken on purpose ----------------------------------------------------------------------------

Break = Callable[[pytest.MonkeyPatch], None]


def _change_text(patch: pytest.MonkeyPatch) -> None:
    _after(patch, "decrypt", lambda steps: _overwrite(steps, "*.copy"))


def _show_text(patch: pytest.MonkeyPatch) -> None:
    def show(steps: Steps) -> None:
        for draft in steps.directory.glob("*.draft"):
            draft.with_suffix(".message").write_bytes(b"a" + draft.read_bytes())

    _after(patch, "encrypt", show)


def _shorten_message(patch: pytest.MonkeyPatch) -> None:
    _after(patch, "encrypt", lambda steps: _overwrite(steps, "*.message"))


def _accept_forgery(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Steps, "forge", lambda _, message: message.path)


def _change_profile_on_refusal(patch: pytest.MonkeyPatch) -> None:
    states = iter(range(1000))
    patch.setattr(demo_steps, "_contents", lambda _: next(states))


def _write_text_on_refusal(patch: pytest.MonkeyPatch) -> None:
    _after(patch, "decrypt", lambda steps: (steps.directory / "refused.copy").touch())


def _print_different_numbers(patch: pytest.MonkeyPatch) -> None:
    _print_numbers(patch, iter([b"00000 " * 12, b"00001 " * 12]))


def _print_short_numbers(patch: pytest.MonkeyPatch) -> None:
    _print_numbers(patch, iter([b"0000 " * 12] * 2))


def _tear_text_on_kill(patch: pytest.MonkeyPatch) -> None:
    original = Steps.kill_while_reading

    def kill(steps: Steps, message: Message) -> float:
        milliseconds = original(steps, message)
        message.copy.write_bytes(b"torn")
        return milliseconds

    patch.setattr(Steps, "kill_while_reading", kill)


def _after(patch: pytest.MonkeyPatch, command: str, damage: Callable[[Steps], None]) -> None:
    """Do damage after each run of a command."""
    original = Steps.run

    def run_then_damage(
        steps: Steps, participant: Any, *arguments: Any, expected_status: int = 0
    ) -> Finished:
        finished = original(steps, participant, *arguments, expected_status=expected_status)
        if arguments[0] == command:
            damage(steps)
        return finished

    patch.setattr(Steps, "run", run_then_damage)


def _overwrite(steps: Steps, pattern: str) -> None:
    for path in steps.directory.glob(pattern):
        path.write_bytes(b"x")


def _print_numbers(patch: pytest.MonkeyPatch, printed: Iterator[bytes]) -> None:
    original = Steps.run

    def run_and_replace(
        steps: Steps, participant: Any, *arguments: Any, expected_status: int = 0
    ) -> Finished:
        finished = original(steps, participant, *arguments, expected_status=expected_status)
        if arguments[0] == "safety-number":
            return Finished(finished.milliseconds, next(printed))
        return finished

    patch.setattr(Steps, "run", run_and_replace)


@pytest.mark.usefixtures("steps_in_this_process")
@pytest.mark.parametrize(
    ("break_step", "failure"),
    [
        (_change_text, "not what was sent"),
        (_show_text, "shows its text"),
        (_shorten_message, "shorter than its text"),
        (_accept_forgery, "status 0, not 3"),
        (_change_profile_on_refusal, "changed the profile"),
        (_write_text_on_refusal, "left a text"),
        (_print_different_numbers, "safety numbers differ"),
        (_print_short_numbers, "twelve groups of five"),
        (_tear_text_on_kill, "after a kill"),
    ],
)
def test_wrong_result_fails(monkeypatch: pytest.MonkeyPatch, break_step: Break, failure: str) -> None:
    break_step(monkeypatch)
    result = run("demo")
    assert result.failed(1).endswith(failure)
    assert b"Everything" not in result.out


@pytest.mark.usefixtures("steps_in_this_process")
def test_error_of_a_failed_step_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Steps.run

    def run_nonsense(steps: Steps, participant: Any, command: str, *rest: Any, **named: Any) -> Finished:
        return original(steps, participant, "nonsense" if command == "bundle" else command, *rest, **named)

    monkeypatch.setattr(Steps, "run", run_nonsense)
    result = run("demo")
    assert result.status == 1
    step_error, demo_error = result.err.decode().splitlines()
    assert "nonsense" in step_error
    assert "status 2, not 0" in demo_error
