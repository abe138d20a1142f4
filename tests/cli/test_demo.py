"""The demonstration: it runs, and it fails when a result is wrong."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from letterlock.cli import _demo_steps as demo_steps
from letterlock.cli import _demo_text as demo_text
from letterlock.cli._demo_processes import Finished, Process
from letterlock.cli._demo_steps import Message, Steps
from letterlock.cli._demo_users import UserConversation
from letterlock.limits import MAX_PLAINTEXT
from support.cli_tools import environment, run, run_process

# --- in processes ---------------------------------------------------------------------------------


def run_script(text: str, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a few lines in an interpreter, which has no threads and may fork."""
    return subprocess.run(
        [sys.executable, "-c", text, *arguments],
        capture_output=True,
        text=True,
        env=environment(**variables),
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_demonstration() -> None:
    shown = run_process("demo").succeeded().decode()
    for line in (
        "letterlock's own README",
        "alice -> bob   first message, no. 1 ",
        "bob            reads no. 1 ",
        "bob -> alice   answer, no. 2 ",
        "is lost, the others arrive in the order",
        "with one byte changed",
        "a second time",
        "is killed while reading no. 9",
        "starts again, has no. 9",
        "The conversation goes on",
        "They compare safety numbers",
        "carol's laptop is linked, in five steps",
        "dave's phone   writes to carol",
        "carol          learns, and Dave is frozen",
        "Everything was as expected: 75 processes",
    ):
        assert line in shown, line
    assert "on the wire" in shown
    assert " ms\n" in shown


def test_step_does_not_see_the_users_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LETTERLOCK_HOME", str(tmp_path / "alice"))
    run("init", "alice").succeeded()
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from letterlock.cli._demo_processes import DemoProcesses\n"
        "processes = DemoProcesses(Path(sys.argv[1]))\n"
        "processes.run(['peers'], expected_status=2)\n"
        "assert processes.started == 1\n"
    )
    done = run_script(script, tmp_path, LETTERLOCK_HOME=str(tmp_path / "alice"), LETTERLOCK_PASSPHRASE="x")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "--home" in (tmp_path / "1.err").read_text()


def test_step_that_hangs_is_killed() -> None:
    script = (
        "import sys\n"
        "from letterlock.cli import main, _demo_processes\n"
        "_demo_processes._STEP_TIMEOUT = 0.0001\n"
        "sys.exit(main(['demo']))\n"
    )
    done = run_script(script)
    assert done.returncode == 1
    assert "more than 0.0001 s" in done.stderr


def test_demonstration_ignores_the_users_profile(tmp_path: Path) -> None:
    profile = {"LETTERLOCK_HOME": str(tmp_path), "LETTERLOCK_PASSPHRASE": "x"}
    run_process("demo", "--text", tmp_path / "nothing", extra_environment=profile).failed(6)
    assert list(tmp_path.iterdir()) == []


# --- quickly, in this process ---------------------------------------------------------------------


class InThisProcess:
    """Stands in for multiprocessing's context, and for the processes that it makes."""

    Process: Callable[..., "InThisProcess"]

    def __init__(self, target: object = None, args: tuple[Any, ...] = (), *, daemon: bool = True) -> None:
        assert daemon
        self.arguments = args
        self.exitcode: int | None = None

    def start(self) -> None:
        argv, out, err = self.arguments
        result = run(*argv)
        out.write_bytes(result.out)
        err.write_bytes(result.err)
        self.exitcode = result.status

    def join(self, timeout: float | None = None) -> None:
        assert timeout is None or timeout > 1

    def is_alive(self) -> bool:
        return False

    def kill(self) -> None:
        pass


InThisProcess.Process = InThisProcess


@pytest.fixture
def steps_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each step in this process when it starts."""
    monkeypatch.setattr("multiprocessing.get_context", lambda _: InThisProcess())


@pytest.mark.usefixtures("steps_in_this_process")
@pytest.mark.parametrize(
    "content", [b"one line", b"\n\n a \n", bytes(range(256)) * 400, b"\xff\xfe", b"x" * 200_000, b"a\r\nb\rc"]
)
def test_any_text_can_be_sent(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for act in ("meet", "write", "meet_a_liar"):  # they send other texts
        monkeypatch.setattr(UserConversation, act, lambda _: None)
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
    original = Steps._start

    def run_then_damage(steps: Steps, participant: Any, arguments: Any) -> Process:
        process, words = original(steps, participant, arguments), list(arguments)
        if command in {words[0], " ".join(map(str, words[:2]))}:
            damage(steps)
        return process

    patch.setattr(Steps, "_start", run_then_damage)


def _lose_a_message(patch: pytest.MonkeyPatch) -> None:
    _after(patch, "user send", lambda steps: next(steps.directory.glob("folder/mail/*/*.message")).unlink())


def _keep_every_message(patch: pytest.MonkeyPatch) -> None:
    def leave(steps: Steps) -> None:
        next(steps.directory.glob("folder/mail/*")).joinpath("odd.message").touch()

    _after(patch, "user send", leave)


def _forge_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(UserConversation, "_forge", lambda _: None)


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
        (_lose_a_message, "did not read what was sent"),
        (_keep_every_message, "not taken out of the folder"),
        (_forge_nothing, "was not refused"),
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
