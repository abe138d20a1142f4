"""Real servers, with one process and several: each letter is in the inbox once, whoever takes it.

Each test listens on a free port of the loopback interface and hands the socket to the server. So it knows the
port, and its requests wait in the socket until the server is ready. A server is ended by its own process id.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

import letterlock
from letterlock import Account, MemoryStore, SqliteStore
from support.aio_tools import ALICE, BOB, LONG
from support.store_tools import KEY

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="a socket cannot be handed to these servers there"
)

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = ROOT / "docs" / "examples"
SUPPORT: Final = ROOT / "tests" / "support"
NEEDS: Final = {
    "uvicorn": ("uvicorn",),
    "gunicorn": ("gunicorn",),
    "uvicorn_worker": ("gunicorn", "uvicorn", "uvicorn_worker"),
}
LETTERS: Final = 12


def needs(name: str) -> pytest.MarkDecorator:
    """Skip a test whose server is not installed."""
    missing = [module for module in NEEDS[name] if find_spec(module) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@dataclass(frozen=True)
class Server:
    """A server that listens on a port, and the account whose letters it takes."""

    port: int
    alice: Account

    def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def post(self, letter: bytes) -> int:
        return self.request("POST", "/alice", letter)[0]

    def texts(self) -> list[bytes]:
        status, body = self.request("GET", "/")
        assert status == 200, body
        return sorted(line.removeprefix(b"alice: ") for line in body.split(b"\n"))


@contextmanager
def serving(folder: Path, *command: str) -> Generator[Server]:
    """Start a server with a socket that listens as `{fd}` in its command; end it afterwards."""
    alice = Account.create(MemoryStore(), ALICE)
    with SqliteStore(folder / "bob.db", key=KEY) as store:
        alice.initiate(BOB, Account.create(store, BOB).bundle())
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(
            [str(Path(letterlock.__file__).parents[1]), str(EXAMPLES), str(SUPPORT)]
        ),
        "INBOX_STORE": str(folder / "bob.db"),
        "INBOX_KEY": KEY.hex(),
    }
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener, (folder / "log").open("wb") as log:
        arguments = [each.format(fd=listener.fileno()) for each in command]
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            pass_fds=[listener.fileno()],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            yield Server(listener.getsockname()[1], alice)
        except BaseException as error:
            error.add_note((folder / "log").read_text(encoding="utf-8"))
            raise
        finally:
            process.terminate()
            try:
                process.wait(LONG)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def check(server: Server) -> None:
    """Deliver letters over several connections at once, all of them twice."""
    letters = [server.alice.encrypt(BOB, b"letter %02d" % number) for number in range(LETTERS)]
    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(server.post, letters * 2))
    assert sorted(statuses) == [200] * LETTERS + [201] * LETTERS
    assert server.texts() == [b"letter %02d" % number for number in range(LETTERS)]


UVICORN: Final = ("uvicorn", "web_inbox:app", "--fd", "{fd}", "--lifespan", "on")
GUNICORN: Final = ("gunicorn", "--bind", "fd://{fd}", "--timeout", str(LONG), "--graceful-timeout", str(LONG))


@needs("uvicorn")
@pytest.mark.parametrize("workers", [1, 2])
def test_uvicorn(workers: int, tmp_path: Path) -> None:
    with serving(tmp_path, *UVICORN, "--workers", str(workers)) as server:
        check(server)


@needs("uvicorn_worker")
@pytest.mark.parametrize("preload", [False, True])
@pytest.mark.parametrize("worker", ["uvicorn_worker.UvicornWorker", "asgi"])
def test_gunicorn_with_asynchronous_workers(worker: str, tmp_path: Path, *, preload: bool) -> None:
    options = ["--worker-class", worker, "--workers", "2", *["--preload"] * preload]
    with serving(tmp_path, *GUNICORN, *options, "web_inbox:app") as server:
        check(server)


@needs("gunicorn")
@pytest.mark.parametrize("preload", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_gunicorn_with_sync_workers(threads: int, tmp_path: Path, *, preload: bool) -> None:
    options = ["--threads", str(threads), "--workers", "2", *["--preload"] * preload]
    with serving(tmp_path, *GUNICORN, *options, "web_apps:lazily") as server:
        check(server)


@needs("gunicorn")
def test_an_account_that_is_opened_after_the_fork(tmp_path: Path) -> None:
    """Without `--preload`, each worker imports the application for itself."""
    with serving(tmp_path, *GUNICORN, "--workers", "2", "web_apps:at_import") as server:
        check(server)


@needs("gunicorn")
def test_an_account_that_is_opened_before_the_fork(tmp_path: Path) -> None:
    """It says what is wrong, and no request waits for ever."""
    with serving(tmp_path, *GUNICORN, "--workers", "2", "--preload", "web_apps:at_import") as server:
        letter = server.alice.encrypt(BOB, b"text")
        for _ in range(4):
            status, body = server.request("POST", "/alice", letter)
            assert status == 500
            assert b"before a fork: open it again in the child process" in body
    # The letter was not lost: a worker that opens the account itself takes it.
    with SqliteStore(tmp_path / "bob.db", key=KEY) as store:
        assert Account.open(store).decrypt(ALICE, letter) == b"text"
