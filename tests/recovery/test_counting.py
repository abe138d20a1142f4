"""REC-9 on files: uses are counted before they are answered, whoever asks at once, and whatever dies."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from letterlock import SqliteStore
from letterlock._primitives import voprf
from letterlock._primitives.voprf import Blinding
from letterlock.recovery import (
    EvaluateLock,
    LockName,
    Policy,
    RecoveryServer,
    ServerAtFault,
    ShowLocks,
    StoredLocks,
    WrongPassword,
)
from support.pair import NOON
from support.recovery_town import DECOYS, Town, cheap

__all__ = ["cheap"]
pytestmark = [pytest.mark.usefixtures("cheap"), pytest.mark.slow]

KEY = bytes(range(32))
TEN = Policy(pause=0, uses_a_day=1000)
TWENTY = Policy(uses=20, pause=0, uses_a_day=1000)


class Files:
    """Both servers on files. `opened` opens the file of server 1 once more, as another process would."""

    def __init__(self, folder: Path, policy: Policy) -> None:
        self.paths = folder / "relay.db", folder / "keyserver.db"
        self.policy = policy
        self.opened: list[SqliteStore] = []
        self.town = Town(policy, tuple(StoredLocks(self.open(path)) for path in self.paths))
        self.town.set_up()

    def open(self, path: Path) -> SqliteStore:
        store = SqliteStore(path, key=KEY)
        self.opened.append(store)
        return store

    def server(self) -> RecoveryServer:
        """Return server 1 on a connection of its own."""
        return RecoveryServer(
            1, StoredLocks(self.open(self.paths[0])), DECOYS, None, self.policy, lambda: NOON
        )

    @property
    def left(self) -> int:
        return self.town.servers[0].show(ShowLocks(self.town.user_id)).standing.uses_left

    def close(self) -> None:
        for store in self.opened:
            store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def ten(folder: Path, cheap: None) -> Iterator[Files]:
    del cheap
    files = Files(folder, TEN)
    yield files
    files.close()


@pytest.fixture
def twenty(folder: Path, cheap: None) -> Iterator[Files]:
    del cheap
    files = Files(folder, TWENTY)
    yield files
    files.close()


def requests(town: Town, count: int) -> list[EvaluateLock]:
    """Return guesses that differ, as an attacker makes them."""
    name = town.record(1).held[0].lock.name
    return [EvaluateLock(name, Blinding(bytes((at,))).blinded) for at in range(count)]


def test_twenty_threads_spend_twenty_uses(twenty: Files) -> None:
    server = twenty.town.servers[0]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(server.evaluate, requests(twenty.town, 20)))
    assert sorted(each.standing.uses_left for each in answers) == list(range(20))
    assert all(each.evaluation is not None for each in answers)
    assert twenty.left == 0


def test_twenty_threads_get_ten_answers_of_ten_uses(ten: Files) -> None:
    """Each thread has a connection of its own, as processes have."""
    servers = [ten.server() for _ in range(4)]
    asked = requests(ten.town, 20)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda at: servers[at % 4].evaluate(asked[at]), range(20)))
    assert sum(each.evaluation is not None for each in answers) == 10
    assert ten.left == 0
    assert {each.standing.uses_left for each in answers if each.evaluation is None} == {0}


PROGRAM = """
import sys
from letterlock import SqliteStore
from letterlock._wire import recovery_lock
recovery_lock.MIN_PASSES, recovery_lock.MIN_MEMORY = 1, 8192
from letterlock.recovery import *
from letterlock.recovery import _plans
path, action, *requests = sys.argv[1:]
store = StoredLocks(SqliteStore(path, key=bytes(range(32))))
server = RecoveryServer(1, store, DecoyKey(bytes(range(32))), None,
                        Policy(pause=0, uses_a_day=1000), lambda: NOON)
if action == "die":  # between the count, which is durable, and the answer
    def die(seed, blinded):
        print("counted", flush=True)
        sys.stdin.read()
    _plans.voprf.evaluate = die
print("ready", flush=True)
if action == "race":
    sys.stdin.readline()
for request in requests:
    answer = server.evaluate(EvaluateLock.decode(bytes.fromhex(request)))
    print(answer.evaluation is not None, flush=True)
""".replace("NOON", str(NOON))


def start(files: Files, action: str, asked: list[EvaluateLock]) -> "subprocess.Popen[str]":
    hexed = (each.encode().hex() for each in asked)
    command = [sys.executable, "-c", PROGRAM, str(files.paths[0]), action, *hexed]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)


def test_four_processes_spend_no_use_twice(ten: Files) -> None:
    asked = requests(ten.town, 20)
    processes = [start(ten, "race", asked[at::4]) for at in range(4)]
    for each in processes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    outputs = [each.communicate("go\n", timeout=60)[0].split() for each in processes]
    assert [each.returncode for each in processes] == [0] * 4
    assert sum(output.count("True") for output in outputs) == 10
    assert ten.left == 0


def test_a_server_that_is_killed_before_it_answers_has_counted(ten: Files) -> None:
    """Killing a server after each count gives nobody a guess that was not counted."""
    first, second = requests(ten.town, 2)
    for at, request in enumerate((first, second), 1):
        process = start(ten, "die", [request])
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "counted\n"]
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert ten.left == 10 - at


def test_the_answer_that_was_lost_is_given_without_another_use(ten: Files) -> None:
    """The request that was counted last comes again: it shows nothing new, and costs nothing."""
    (request, other) = requests(ten.town, 2)
    server = ten.town.servers[0]
    first = server.evaluate(request)
    again = server.evaluate(request)
    assert (first.evaluation or b"")[:32] == (again.evaluation or b"")[:32]
    assert (first.nonce, first.standing) == (again.nonce, again.standing)
    server.evaluate(other)
    assert ten.left == 8
    server.evaluate(request)  # it is not the last one any more
    assert ten.left == 7


def test_the_last_use_is_answered_again_too(ten: Files) -> None:
    asked = requests(ten.town, 11)
    server = ten.town.servers[0]
    for request in asked[:10]:
        assert server.evaluate(request).evaluation is not None
    assert server.evaluate(asked[9]).evaluation is not None
    assert server.evaluate(asked[10]).evaluation is None
    assert server.evaluate(asked[0]).evaluation is None


def test_a_retry_for_another_lock_is_a_use() -> None:
    """The same blinded input under another lock's key is another guess."""
    town = Town(TEN)
    town.set_up()
    made = town.make("battery staple")
    for at, server in enumerate(town.servers):
        server.settle(made.settle[at], town.chain)
    request = town.attempt().requests[0]
    old = LockName(town.user_id, town.record(1).held[0].lock.name.lock_id)
    assert old != request.name
    town.servers[0].evaluate(request)
    town.servers[0].evaluate(replace(request, name=old))
    assert town.record(1).meter.uses_left == 8


def test_both_locks_of_a_change_share_their_uses() -> None:
    town = Town(TEN)
    town.set_up()
    made = town.make("battery staple")
    for at, server in enumerate(town.servers):
        server.settle(made.settle[at], town.chain)
    ids = [each.lock.name for each in town.record(1).held]
    for at in range(12):
        town.servers[0].evaluate(EvaluateLock(ids[at % 2], Blinding(bytes((at,))).blinded))
    assert town.record(1).meter.uses_left == 0


def test_an_evaluation_is_made_after_the_count_is_stored(ten: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the moment of the evaluation another connection sees the count already."""
    other, seen = ten.server(), []

    def spying(seed: voprf.OprfSeed, blinded: bytes) -> bytes:
        seen.append(other.show(ShowLocks(ten.town.user_id)).standing.uses_left)
        return evaluate(seed, blinded)

    evaluate = voprf.evaluate
    monkeypatch.setattr(voprf, "evaluate", spying)
    ten.town.servers[0].evaluate(requests(ten.town, 1)[0])
    assert seen == [9]


# --- a server that is restored from a backup --------------------------------------------------------------


def restored(files: Files, backup: Path) -> RecoveryServer:
    """Put the copy of server 1's file back, and return the server on it."""
    for store in files.opened:
        store.close()
    for path in files.paths[0].parent.glob("relay.db*"):
        path.unlink()
    shutil.copy(backup, files.paths[0])
    files.opened.clear()
    other = RecoveryServer(
        2, StoredLocks(files.open(files.paths[1])), DECOYS, None, files.policy, lambda: NOON
    )
    files.town.servers = (files.server(), other)
    files.town.stores = tuple(each.store for each in files.town.servers)
    return files.town.servers[0]


def test_a_restore_gives_uses_back_at_one_server_only(ten: Files, folder: Path) -> None:
    """What the limitations say: the restored server counts again, and the other one's ten stay the bound."""
    ten.opened[0].backup(folder / "backup.db")
    for _ in range(10):
        ten.town.ask(ten.town.attempt("wrong"))
    restored(ten, folder / "backup.db")
    assert ten.left == 10
    first, second = ten.town.ask(ten.town.attempt("wrong"))
    assert (first.evaluation is None, second.evaluation is None) == (False, True)


def test_a_restore_from_before_a_change_opens_nothing(ten: Files, folder: Path) -> None:
    """The old lock lost its seed at the other server. Nobody can guess at it, and nobody recovers by it."""
    ten.opened[0].backup(folder / "backup.db")
    ten.town.set_up("battery staple")
    restored(ten, folder / "backup.db")
    with pytest.raises(ServerAtFault, match="no lock in common"):
        ten.town.attempt()
    ten.town.set_up("battery staple")
    assert ten.town.recover("battery staple").key == ten.town.key


def test_a_file_shows_no_secret(ten: Files) -> None:
    """A copy of the file without its key has neither seeds nor user ids nor locks."""
    with pytest.raises(WrongPassword):
        ten.town.recover("wrong")
    held = ten.town.record(1).held[0]
    ten.close()
    data = b"".join(path.read_bytes() for path in ten.paths[0].parent.glob("relay.db*"))
    assert len(data) > 4096
    for secret in (held.seed.expose(), held.lock.sealed, ten.town.user_id, held.lock.name.lock_id):
        assert secret not in data
