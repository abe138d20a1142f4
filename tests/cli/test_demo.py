"""The demonstration: it runs, cleans up however it ends, and fails when a result is wrong."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, cast

import pytest

from letterlock.cli import _demo_device as demo_device
from letterlock.cli._demo_device import Device, Text, deliver, expect_silence
from letterlock.cli._demo_play import _digits
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
        timeout=60,
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demonstration_leaves_nothing(tmp_path: Path, kind: signal.Signals) -> None:
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


def test_a_relay_that_is_gone_cannot_have_taken_a_text() -> None:
    from letterlock.cli._demo_play import Play

    play: Any = object.__new__(Play)
    process = cast("Process", Listening(['{"sent": true}']))
    with pytest.raises(DemoFailed, match="does not run"):
        play._sent(device(), "hello", process, kept=True)
