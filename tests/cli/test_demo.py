"""The demonstration: it runs, cleans up however it ends, and fails when a result is wrong."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, cast

import pytest

from letterlock.cli import _demo_device as demo_device
from letterlock.cli._demo_device import Device, Text, deliver, expect_silence
from letterlock.cli._demo_play import Play, _digits
from letterlock.cli._demo_processes import DemoFailed, DemoProcesses, Finished, Process
from support.cli_tools import environment, run_process

LISTENS: Final = re.compile(r"listens on 127\.0\.0\.1:(\d+)")


def relay_port(shown: str) -> int:
    found = LISTENS.search(shown)
    assert found, shown
    return int(found[1])


def assert_nothing_is_left(folder: Path, port: int) -> None:
    assert list(folder.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()


# --- in processes ---------------------------------------------------------------------------------


def run_script(text: str, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a few lines in an interpreter, which has no threads and may fork."""
    return subprocess.run(
        [sys.executable, "-c", text, *arguments],
        capture_output=True,
        text=True,
        env=environment(**variables),
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_demonstration(tmp_path: Path) -> None:
    shown = run_process("demo", extra_environment={"TMPDIR": str(tmp_path)}).succeeded().decode()
    for line in (
        "alice's phone  registers alice ",
        "bob's laptop   is device 2 of bob ",
        "alice's laptop shows 'Shall we meet tomorrow?' ",
        "bob's laptop   sends 'Gladly. At noon, by the river?' ",
        "relay          is killed (kill -9) ",
        "alice's laptop keeps 'And a cake, if you like.' ",
        "bob's phone    keeps 'I will bring lemonade.' ",
        "alice's phone  shows 'I will bring lemonade.' ",
        "alice's laptop shows 'I am bringing my sister.' ",
        "bob's laptop   shows 'And a cake, if you like.' ",
        "nothing comes twice",
        "none of the texts is in them",
        "no contradictions found",
        "Everything was as expected: ",
    ):
        assert line in shown, line
    port = relay_port(shown)
    assert f"relay          listens again on 127.0.0.1:{port} " in shown
    assert shown.count(" shows '") == 3 * 5  # each text, on every device but the writer's
    assert_nothing_is_left(tmp_path, port)


@pytest.fixture
def hears_signals() -> Iterator[None]:
    """Let processes hear SIGINT. A shell without job control has what runs in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demonstration_leaves_nothing(
    tmp_path: Path, kind: signal.Signals, hears_signals: None
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "letterlock", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TMPDIR=str(tmp_path)),
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        shown = ""
        while "registers bob" not in shown:
            line = running.stdout.readline()
            assert line, shown
            shown += line
        running.send_signal(kind)
        running.stdout.read()
        assert running.stderr.read() == ""
        assert running.wait(30) == 130
    assert_nothing_is_left(tmp_path, relay_port(shown))


@pytest.mark.slow
def test_a_failed_demonstration_leaves_nothing(tmp_path: Path) -> None:
    script = (
        "import itertools, sys\n"
        "from letterlock.cli import main, _demo_play\n"
        "digits = itertools.count(100_000)\n"
        "_demo_play._digits = lambda _: str(next(digits))\n"
        "sys.exit(main(['demo']))\n"
    )
    done = run_script(script, TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert "different digits" in done.stderr
    assert "Everything" not in done.stdout
    assert_nothing_is_left(tmp_path, relay_port(done.stdout))


def test_step_does_not_see_the_users_profile(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from letterlock.cli._demo_processes import DemoFailed, DemoProcesses\n"
        "with DemoProcesses(Path(sys.argv[1])) as processes:\n"
        "    try:\n"
        "        processes.run('peers')\n"
        "    except DemoFailed as error:\n"
        "        print(error)\n"
    )
    done = run_script(script, tmp_path, LETTERLOCK_HOME=str(tmp_path / "alice"), LETTERLOCK_RELAY_NAME="x")
    assert (done.returncode, done.stdout.count("status 2")) == (0, 1), done.stderr
    assert "--home" in done.stderr  # what the step complained of is passed on
    assert not (tmp_path / "alice").exists()


def test_step_that_hangs_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from letterlock.cli import main, _demo_processes\n"
        "_demo_processes._STEP_TIMEOUT = 0.0001\n"
        "sys.exit(main(['demo']))\n"
    )
    done = run_script(script, TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert "more than 0.0001 s" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("library", ["httpx", "starlette"])
def test_what_is_missing_is_named(tmp_path: Path, library: str) -> None:
    script = (
        "import sys\n"
        "sys.modules[sys.argv[1]] = None\n"
        "from letterlock.cli import main\n"
        "sys.exit(main(['demo']))\n"
    )
    done = run_script(script, library, TMPDIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"letterlock: the demonstration needs {library}: python -m pip install 'letterlock[client,relay]'\n"
    )
    assert list(tmp_path.iterdir()) == []


# --- broken on purpose ----------------------------------------------------------------------------

HELLO: Final = Text("alice", 1, "hello")
SHOWN: Final = '{"sender": "alice", "device": 1, "to": null, "text": "hello"}'


class Listening:
    """Stands in for processes that run `receive`: each prints the next lines."""

    def __init__(self, *printed: list[str]) -> None:
        self._printed = iter(printed)

    def start(self, *_: str | Path) -> Process:
        return cast("Process", self)

    def finish(self) -> Finished:
        return Finished(1.0, next(self._printed, []))


def device(*printed: list[str], awaited: tuple[Text, ...] = (HELLO,)) -> Device:
    made = Device(cast("DemoProcesses", Listening(*printed)), Path("nowhere"), "bob", 2)
    for each in awaited:
        made.awaits(each)
    return made


def test_a_text_may_come_late(capsys: pytest.CaptureFixture[str]) -> None:
    deliver([device([], [SHOWN]), device(awaited=())])
    assert "bob's laptop   shows 'hello' " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("printed", "failure"),
    [
        ([], "did not get a text"),
        ([SHOWN, SHOWN], "shows a text twice"),
        ([SHOWN.replace("hello", "hullo")], "nobody sent"),
        ([SHOWN.replace("alice", "carol")], "nobody sent"),
        ([SHOWN.replace("1", "2")], "nobody sent"),
        ([SHOWN.replace('"text"', '"base64"')], "nobody sent"),
    ],
)
def test_wrong_texts_fail(printed: list[str], failure: str) -> None:
    with pytest.raises(DemoFailed, match=failure):
        deliver([device(printed)])


def test_a_text_that_comes_twice_later_fails() -> None:
    bob = device([SHOWN], [], [SHOWN])
    deliver([bob])
    assert expect_silence([bob]) == 1.0
    with pytest.raises(DemoFailed, match="twice"):
        expect_silence([bob])


def test_a_device_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_device, "_MOST_ROUNDS", 2)
    with pytest.raises(DemoFailed, match="did not get a text"):
        deliver([device([], [], [SHOWN])])


@pytest.mark.parametrize("line", ["", "12345", "the other device must show 1234567"])
def test_digits_are_six(line: str) -> None:
    with pytest.raises(DemoFailed, match="six digits"):
        _digits(line)


# --- the conversation, with processes that only pretend --------------------------------------------


class Pretence:
    """Stands in for DemoProcesses: knows what each command would print. `spoil` may change that."""

    def __init__(self, folder: Path, spoil: Callable[[str, list[str]], list[str]]) -> None:
        self.started = 0
        self.killed = False
        self._folder = folder
        self._spoil = spoil
        self._mail: dict[str, list[str]] = {}
        self._kept: dict[str, list[str]] = {}

    def run(self, *arguments: str | Path) -> Finished:
        return self.start(*arguments).finish()

    def start(self, *arguments: str | Path) -> "PretendedProcess":
        self.started += 1
        words = [str(each) for each in arguments]
        home = Path(words[1]) if words[0] == "--home" else self._folder
        command = words[2] if words[0] == "--home" else " ".join(words[:2])
        printed = self._spoil(command, getattr(self, f"_{command.replace(' ', '_')}")(home, words))
        return PretendedProcess(self, printed, is_relay=command == "relay serve")

    def _relay_serve(self, home: Path, _: list[str]) -> list[str]:
        self.killed = False
        (home / "relay.db").write_bytes(b"sealed")
        for name, lines in self._kept.items():
            self._mail.setdefault(name, []).extend(lines)
        self._kept.clear()
        return ['{"listening": "127.0.0.1:1", "name": "127.0.0.1:1"}']

    def _relay_check(self, *_: object) -> list[str]:
        return ["no contradictions found"]

    def _register(self, home: Path, _: list[str]) -> list[str]:
        home.mkdir()
        return [f"{home.name}, device 1"]

    def _join(self, home: Path, _: list[str]) -> list[str]:
        home.mkdir()
        return ["CODE", "the other device must show 123456", f"device 2 of {home.name.partition('-')[0]}"]

    def _link(self, *_: object) -> list[str]:
        return ["type yes if the new device shows 123456:", "device 2 is added"]

    def _send(self, home: Path, words: list[str]) -> list[str]:
        sender, _, device = home.name.partition("-")
        shown = {"sender": sender, "device": int(device), "text": Path(words[4]).read_text("utf-8")}
        for person in ("alice", "bob"):
            for number in (1, 2):
                if (name := f"{person}-{number}") != home.name:
                    where = self._kept if self.killed else self._mail
                    where.setdefault(name, []).append(json.dumps(shown))
        return ["{", f'"sent": {json.dumps(not self.killed)}', "}"]

    def _receive(self, home: Path, _: list[str]) -> list[str]:
        return self._mail.pop(home.name, [])


class PretendedProcess:
    """A process that has printed everything at once."""

    milliseconds = 1.0

    def __init__(self, pretence: Pretence, lines: list[str], *, is_relay: bool) -> None:
        self._pretence = pretence
        self._lines = lines
        self._is_relay = is_relay

    def line(self, number: int) -> str:
        return self._lines[number - 1]

    def type(self, line: str) -> None:
        assert line == "yes\n"

    def kill(self) -> None:
        assert self._is_relay
        self._pretence.killed = True

    def finish(self) -> Finished:
        return Finished(1.0, self._lines)


def play(folder: Path, command: str = "", change: Callable[[list[str]], list[str]] = list) -> int:
    """Play with pretended processes, and return how many there were. `change` changes a command's lines."""
    pretence = Pretence(folder, lambda name, lines: change(lines) if name == command else lines)
    Play(folder, cast("DemoProcesses", pretence)).run()
    return pretence.started


def test_the_conversation_takes_this_many_processes(tmp_path: Path) -> None:
    assert play(tmp_path) == 3 + 2 + 2 * 2 + 5 + 2 * 3 + 2 * 4


def _replaced(old: str, new: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [each.replace(old, new) for each in lines]


@pytest.mark.parametrize(
    ("command", "change", "failure"),
    [
        ("join", _replaced("123456", "123457"), "different digits"),
        ("link", _replaced("123456", "12345"), "six digits"),
        ("join", _replaced("device 2", "device 3"), "not linked"),
        ("send", _replaced("false", "true"), "does not run"),
        ("receive", lambda lines: lines[1:], "did not get a text"),
        ("receive", lambda lines: lines * 2, "twice"),
        ("receive", _replaced("noon", "night"), "nobody sent"),
    ],
)
def test_a_wrong_result_ends_the_conversation(
    tmp_path: Path, command: str, change: Callable[[list[str]], list[str]], failure: str
) -> None:
    with pytest.raises(DemoFailed, match=failure):
        play(tmp_path, command, change)


@pytest.mark.parametrize("stored", [b"", b"... Shall we meet tomorrow? ..."])
def test_what_a_relay_must_not_store(tmp_path: Path, stored: bytes) -> None:
    def store(lines: list[str]) -> list[str]:
        (tmp_path / "relay.db").write_bytes(stored)
        return lines

    with pytest.raises(DemoFailed, match="the relay"):
        play(tmp_path, "receive", store)
