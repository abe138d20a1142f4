"""City: a relay on some database, homes of people who write to each other, and what is counted at the end.

    lost            texts in a `sent` table without their row in the recipient's `seen` table
    seen twice      rows of a `seen` table that are there more than once
    issued twice    single-use prekey bundles that two claims got

Not here: what the people do (fault_home.py), when something is killed (tests/faults).
"""

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from letterlock import SqliteStore
from letterlock.relay import open_store
from support import fault_child
from support.fault_home import KEY
from support.ports import free_port
from support.relay_processes import accepts

_MEMORY: Final = Path("/dev/shm")
_LOOKS: Final = 3000
_PATIENCE: Final = 200


@dataclass
class Tally:
    """What the tables of all people say."""

    sent: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    seen: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    @property
    def lost(self) -> list[tuple[str, str, int]]:
        return sorted(self.sent.keys() - self.seen.keys())

    @property
    def twice(self) -> list[tuple[str, str, int]]:
        return sorted(each for each, count in self.seen.items() if count > 1)


class City:
    """Everybody, until the block ends. `chance` decides who is killed."""

    def __init__(self, store: str, *, workers: int = 2, pause: float = 0.1) -> None:
        self.store = store
        self.workers = workers
        self.pause = pause
        self.names: list[str] = []
        self.homes: dict[str, int] = {}
        """The process of each home, by the names of those who live there."""
        self.relay = 0
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
        self._folder = tempfile.TemporaryDirectory(dir=memory, prefix="letterlock-city-")
        self.folder = Path(self._folder.name)
        self._nursery = subprocess.Popen(
            [sys.executable, str(Path(fault_child.__file__)), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for home in list(self.homes):
            self.end_home(home)
        self.end_relay()
        self._nursery.kill()
        self._nursery.communicate()
        self._folder.cleanup()

    # --- what runs --------------------------------------------------------------------------------------

    def begin_relay(self) -> None:
        self.relay = int(self._order("relay", self.store, self.port, self.workers))

    def end_relay(self) -> None:
        """Kill the relay with all its workers."""
        if self.relay:
            self._order("kill", self.relay)
            self.relay = 0

    def wait_for_relay(self) -> None:
        self._until(lambda: accepts(self.port))

    def kill_worker(self, chance: random.Random) -> None:
        """Kill one worker. The supervisor starts another one."""
        path = Path(f"/proc/{self.relay}/task/{self.relay}/children")
        workers = path.read_text(encoding="ascii").split()
        if workers:
            os.kill(int(chance.choice(workers)), signal.SIGKILL)

    def settle(self, *names: str) -> None:
        """Let people move in together."""
        self.names += names
        new = self.folder / "names.new"
        new.write_text("\n".join(self.names), encoding="ascii")
        new.replace(self.folder / "names")
        self.begin_home(",".join(names))

    def begin_home(self, home: str) -> None:
        self.homes[home] = int(self._order("home", self.url, home, self.pause))

    def end_home(self, home: str) -> None:
        self._order("kill", self.homes.pop(home))

    def be_quiet(self) -> None:
        """Let nobody write any more, and wait until nobody does. What was written still arrives."""
        (self.folder / "quiet").touch()
        for name in self.names:
            self._until((self.folder / f"{name}.quiet").exists)

    def speak(self) -> None:
        """Let people write again."""
        (self.folder / "quiet").unlink()
        for name in self.names:
            (self.folder / f"{name}.quiet").unlink()

    def wait_for_progress(self) -> None:
        """Wait until somebody has seen a text, but not for long: it may be that nobody can."""
        before = self.seen
        for _ in range(_PATIENCE):
            if self.seen > before:
                break
            time.sleep(0.02)

    @property
    def seen(self) -> int:
        """How many texts were seen, or a few fewer."""
        path = self.folder / "seen"
        return path.stat().st_size if path.exists() else 0

    def _until(self, happened: Callable[[], bool]) -> None:
        """Look again and again, until something happens or goes wrong."""
        for _ in range(_LOOKS):
            if happened():
                return
            assert self.log("wrong") == "", self.log("wrong")
            time.sleep(0.1)
        raise AssertionError(self.log("home") + self.log("relay"))

    def _order(self, *words: object) -> str:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(" ".join(map(str, words)) + "\n")
        self._nursery.stdin.flush()
        line = self._nursery.stdout.readline()
        assert line, "the processes ended before they were killed"
        return line

    def set_clock(self, of: str, ahead: int) -> None:
        """Let the clocks of relays (`relay`) or people (`home`) be so many seconds ahead from now on."""
        new = self.folder / f"{of}.clock.new"
        new.write_text(str(ahead), encoding="ascii")
        new.replace(self.folder / f"{of}.clock")

    # --- what came of it --------------------------------------------------------------------------------

    def log(self, name: str) -> str:
        path = (
            self.folder / name if "." in name or name in {"wrong", "claims"} else self.folder / f"{name}.log"
        )
        return path.read_text(errors="replace") if path.exists() else ""

    def tally(self) -> Tally:
        """Read the tables of everybody."""
        tally = Tally()
        for name in self.names:
            path = self.folder / f"{name}.db"
            if not path.exists():
                continue
            # A client that waits for its share of a busy machine keeps the store locked meanwhile.
            with SqliteStore(path, key=KEY, busy_timeout=600) as store, store.transaction():
                tables = {
                    each for (each,) in store.connection.execute("SELECT name FROM sqlite_master").fetchall()
                }
                if "seen" not in tables:
                    continue
                rows = store.connection.execute("SELECT name, number FROM sent").fetchall()
                tally.sent.update((name, other, number) for other, number in rows)
                rows = store.connection.execute("SELECT name, number FROM seen").fetchall()
                tally.seen.update((other, name, number) for other, number in rows)
        return tally

    def wait_until_seen(self, texts: int) -> None:
        """Wait until so many texts were seen."""
        self._until(lambda: self.seen >= texts)

    def wait_until_refused(self, code: str) -> None:
        """Wait until the relay has answered a call with this code."""
        before = self.refused(code)
        self._until(lambda: self.refused(code) > before)

    def refused(self, code: str) -> int:
        """Return how many calls the relay answered with a code."""
        page = httpx.get(f"{self.url}/metrics", timeout=30, trust_env=False).text
        lines = [line for line in page.splitlines() if "_count{" in line and f'code="{code}"' in line]
        return round(sum(float(line.rpartition(" ")[2]) for line in lines))

    def wait_until_heard(self, name: str) -> None:
        """Wait until somebody has seen a text of this person, and the person one of somebody."""

        def is_heard() -> bool:
            seen = self.tally().seen
            return name in {each[0] for each in seen} and name in {each[1] for each in seen}

        self._until(is_heard)

    def wait_until_met(self, *names: str) -> None:
        """Wait until each of some people has seen a text of each other one."""
        pairs = set(itertools.permutations(names, 2))
        self._until(lambda: pairs <= {each[:2] for each in self.tally().seen})

    def wait_until_all_is_seen(self) -> Tally:
        """Return the tally when nothing is missing, or after a long time."""
        tally = self.tally()
        for _ in range(_LOOKS):
            if not tally.lost or self.log("wrong"):
                break
            time.sleep(0.2)
            tally = self.tally()
        return tally

    def require(self) -> Tally:
        """Require that nothing was lost, seen twice, issued twice or wrong; return what there was."""
        tally = self.wait_until_all_is_seen()
        assert self.log("wrong") == "", self.log("wrong")
        assert tally.lost == [], (tally.lost, len(tally.sent))
        self.require_sound(tally)
        assert asyncio.run(self._check()) == []
        return tally

    def require_sound(self, tally: Tally) -> None:
        """Require that nothing was seen twice, or unsent, or issued twice, and that nothing failed."""
        assert self.log("wrong") == "", self.log("wrong")
        assert tally.twice == []
        assert set(tally.seen) <= set(tally.sent)
        single, _ = self.claims()
        assert [digest for digest, claims in single.items() if len(claims) > 1] == []
        for home in ("relay", "home"):
            assert "Traceback" not in self.log(home), self.log(home)[-5000:]

    def claims(self) -> tuple[dict[str, set[str]], int]:
        """Return which claims got each single-use bundle, and how often the last-resort one was given."""
        single: dict[str, set[str]] = {}
        last = 0
        for line in self.log("claims").splitlines():
            claim, _, digest, kind = line.split()
            if kind == "single":
                single.setdefault(digest, set()).add(claim)
            else:
                last += 1
        return single, last

    async def _check(self) -> list[str]:
        store = await open_store(self.store).open()
        try:
            return await store.check()
        finally:
            await store.close()
