"""The demonstration: it runs, and it fails when anything is not as it should be."""

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from letterlock.cli import _demo_play as demo_play
from letterlock.cli import _demo_stage as demo_stage
from letterlock.cli import _demo_text as demo_text
from letterlock.cli._demo_stage import Letter, Ran, Stage
from letterlock.limits import MAX_PLAINTEXT
from support.cli_tools import process, run


@pytest.mark.slow
def test_the_demonstration() -> None:
    shown = run("demo").succeeded().decode()
    for said in (
        "letterlock's own README",
        "alice -> bob   first message, no. 1 ",
        "bob            reads no. 1 ",
        "bob -> alice   answer, no. 2 ",
        "is lost, the others arrive in the order",
        "with one byte changed",
        "a second time",
        "is killed while he reads no. 13",
        "starts again, has no. 13",
        "And the same again",
        "They compare safety numbers",
        "Everything was as it should be: 62 processes",
    ):
        assert said in shown, said
    assert "on the wire" in shown
    assert " ms\n" in shown


# --- quickly, in this process ---------------------------------------------------------------------


class Quick:
    """Stands in for a process: the command has run when it is made."""

    def __init__(self, stage: Stage, arguments: list[str | Path]) -> None:
        stage.processes += 1
        done = run(*arguments)
        self.returncode, self._printed = done.status, (done.out, done.err)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        pass

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        assert timeout is None or timeout > 1
        return self._printed

    def poll(self) -> int:
        return self.returncode

    def kill(self) -> None:
        pass


class OneByOne:
    """Stands in for a pool: `run` redirects the streams of the whole process."""

    def __init__(self, workers: int) -> None:
        assert workers == 2

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        pass

    def map(self, function: Callable[[Letter], Ran], letters: list[Letter]) -> Iterator[Ran]:
        return map(function, letters)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(stage: Stage, arguments: list[str | Path]) -> Quick:
        return Quick(stage, arguments)

    monkeypatch.setattr(Stage, "_start", start)
    monkeypatch.setattr(demo_play, "ThreadPoolExecutor", OneByOne)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "content", [b"one line", b"\n\n a \n", bytes(range(256)) * 400, b"\xff\xfe", b"x" * 200_000, b"a\r\nb\rc"]
)
def test_any_text_will_do(tmp_path: Path, content: bytes) -> None:
    text = tmp_path / "text"
    text.write_bytes(content)
    shown = run("demo", "--text", text).succeeded().decode()
    assert f"{text}, {len(content):,} bytes" in shown
    assert "Everything was as it should be" in shown


@pytest.mark.parametrize("content", [b"", b"\n \n\t\n", b"x" * (MAX_PLAINTEXT + 1)])
def test_a_text_that_will_not_do(tmp_path: Path, content: bytes) -> None:
    text = tmp_path / "text"
    text.write_bytes(content)
    done = run("demo", "--text", text)
    assert str(text) in done.failed(2)
    assert done.out == b""


def test_a_text_that_is_not_there(tmp_path: Path) -> None:
    run("demo", "--text", tmp_path / "text").failed(6)


def test_pieces_are_consecutive_lines_of_varying_size() -> None:
    text = b"".join(b"line %d\n" % number for number in range(100)) + b"\n" + b"y" * 100_000
    pieces = list(islice(demo_text.pieces(text), 60))
    assert b"".join(pieces).startswith(text[: text.index(b"\n\n") + 1] + b"y" * 100_000 + b"line 0\n")
    assert len({len(piece) for piece in pieces}) > 4
    assert all(pieces)


def test_the_readme_of_a_checkout_or_of_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = demo_text.load(None)
    assert text == (Path(__file__).parents[2] / "README.md").read_bytes()
    monkeypatch.setattr(demo_text, "__file__", "/site-packages/letterlock/cli/demo_text.py")
    _, text = demo_text.load(None)
    assert text.startswith(b"# letterlock\n")
    monkeypatch.setattr(demo_text, "metadata", lambda _: {})
    assert "--text" in run("demo").failed(2)

    def missing(_: str) -> None:
        raise PackageNotFoundError

    monkeypatch.setattr(demo_text, "metadata", missing)
    assert "--text" in run("demo").failed(2)


# --- broken on purpose ----------------------------------------------------------------------------

Break = Callable[[pytest.MonkeyPatch], None]


def _text_changed(patch: pytest.MonkeyPatch) -> None:
    _after(patch, "decrypt", lambda stage: _overwrite(stage, "*.copy"))


def _text_shows(patch: pytest.MonkeyPatch) -> None:
    def shows(stage: Stage) -> None:
        for draft in stage.directory.glob("*.draft"):
            draft.with_suffix(".letter").write_bytes(b"a" + draft.read_bytes())

    _after(patch, "encrypt", shows)


def _too_short(patch: pytest.MonkeyPatch) -> None:
    _after(patch, "encrypt", lambda stage: _overwrite(stage, "*.letter"))


def _forgery_accepted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Stage, "forge", lambda _, letter: letter.path)


def _refused_and_changed(patch: pytest.MonkeyPatch) -> None:
    states = iter(range(1000))
    patch.setattr(demo_stage, "_contents", lambda _: next(states))


def _refused_and_written(patch: pytest.MonkeyPatch) -> None:
    _after(patch, "decrypt", lambda stage: (stage.directory / "refused.copy").touch())


def _numbers_differ(patch: pytest.MonkeyPatch) -> None:
    _prints(patch, iter([b"00000 " * 12, b"00001 " * 12]))


def _numbers_look_wrong(patch: pytest.MonkeyPatch) -> None:
    _prints(patch, iter([b"0000 " * 12] * 2))


def _lost_after_a_kill(patch: pytest.MonkeyPatch) -> None:
    original = Stage.kill

    def kill(stage: Stage, letter: Letter) -> Ran:
        ran = original(stage, letter)
        letter.copy.write_bytes(b"torn")
        return ran

    patch.setattr(Stage, "kill", kill)


def _crashes(patch: pytest.MonkeyPatch) -> None:
    original = Stage.run

    def crash(stage: Stage, person: Any, command: str, *more: Any, **named: Any) -> Ran:
        return original(stage, person, "nonsense" if command == "bundle" else command, *more, **named)

    patch.setattr(Stage, "run", crash)


def _after(patch: pytest.MonkeyPatch, command: str, then: Callable[[Stage], None]) -> None:
    original = Stage.run

    def run_and(stage: Stage, person: Any, *arguments: Any, expected: int = 0) -> Ran:
        ran = original(stage, person, *arguments, expected=expected)
        if arguments[0] == command:
            then(stage)
        return ran

    patch.setattr(Stage, "run", run_and)


def _overwrite(stage: Stage, pattern: str) -> None:
    for path in stage.directory.glob(pattern):
        path.write_bytes(b"x")


def _prints(patch: pytest.MonkeyPatch, printed: Iterator[bytes]) -> None:
    original = Stage.run

    def run_and_print(stage: Stage, person: Any, *arguments: Any, expected: int = 0) -> Ran:
        ran = original(stage, person, *arguments, expected=expected)
        return Ran(ran.time, next(printed)) if arguments[0] == "safety-number" else ran

    patch.setattr(Stage, "run", run_and_print)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (_text_changed, "not what was sent"),
        (_text_shows, "shows its text"),
        (_too_short, "shorter than its text"),
        (_forgery_accepted, "status 0, not 3"),
        (_refused_and_changed, "changed the profile"),
        (_refused_and_written, "left a text"),
        (_numbers_differ, "safety numbers differ"),
        (_numbers_look_wrong, "twelve groups of five"),
        (_lost_after_a_kill, "after a kill"),
    ],
)
def test_it_fails(monkeypatch: pytest.MonkeyPatch, break_it: Break, said: str) -> None:
    break_it(monkeypatch)
    done = run("demo")
    assert done.failed(1).endswith(said)
    assert b"Everything" not in done.out


@pytest.mark.usefixtures("quick")
def test_a_step_that_fails_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    _crashes(monkeypatch)
    done = run("demo")
    assert done.status == 1
    heard, complaint = done.err.decode().splitlines()
    assert "nonsense" in heard
    assert "status 2, not 0" in complaint


def test_a_step_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_stage, "_PATIENCE", 0.001)
    assert "0.001 s" in run("demo").failed(1)


def test_it_does_not_use_the_profile_of_whoever_runs_it(tmp_path: Path) -> None:
    more = {"LETTERLOCK_HOME": str(tmp_path), "LETTERLOCK_PASSPHRASE": "x"}
    process("demo", "--text", tmp_path / "nothing", more=more).failed(6)
    assert list(tmp_path.iterdir()) == []
