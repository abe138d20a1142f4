"""What a recovery costs, against the Argon2id and the operations in the group that it needs, in one run.

    python bench/recovery/cost.py                 prints the fastest and the median of 15 rounds

    open        from the password to the recovery key: all calls as bytes, both servers on a store on disk
    floor       Argon2id once, and two each of blind, evaluate and finish, called directly
    lock        a new lock in force at both servers, for the same password
    device      a fresh device of the user: lists and box opened, a version of the list signed
    show, evaluate, succeed
                what one server does, by the time of the processor; `function` is the floor of a guess
    bytes       the file of a server with many users, divided by their number

Not here: HTTP, and the checks of identity.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from nacl import pwhash
from voprf import ristretto

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "protocol"), str(ROOT / "vectors")]

from letterlock import MemoryStore, SqliteStore  # noqa: E402
from letterlock._primitives import voprf  # noqa: E402
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed  # noqa: E402
from letterlock._primitives.entropy import system_entropy  # noqa: E402
from letterlock._primitives.voprf import Blinding, OprfSeed  # noqa: E402
from letterlock._records.recovery import RecoveryRecord  # noqa: E402
from letterlock._wire.recovery_lock import LockName  # noqa: E402
from letterlock.recovery import (  # noqa: E402
    EvaluateLock,
    LockOpened,
    RecoveryKey,
    Remains,
    ShowLocks,
    StoredLocks,
    enrol,
    recover_user,
    recovery_box,
)
from letterlock.user import ListChain  # noqa: E402
from support.recovery_town import PASSWORD, Town  # noqa: E402
from support.user_devices import Clock, Person  # noqa: E402

ROUNDS: Final = 15
GUESSES: Final = 400
REPETITIONS: Final = 7
USERS: Final = 5_000, 20_000
PATIENTS: Final = 60_000_000
INFO: Final = b"letterlock-v1 server key of a recovery"


def milliseconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return how long some work takes."""
    start = clock()
    work()
    return (clock() - start) * 1000


def row(name: str, times: list[float]) -> None:
    """Print the fastest and the median of some times."""
    print(f"{name:<34}{min(times):>10.2f}{statistics.median(times):>10.2f}  ms")


def floor(seeds: tuple[bytes, bytes]) -> None:
    """Do what nobody can do without."""
    stretched = pwhash.argon2id.kdf(32, PASSWORD.encode(), bytes(16), opslimit=3, memlimit=2**26)
    for seed in seeds:
        server = ristretto.Evaluator.from_seed(seed, INFO)
        client, blinded = ristretto.Client.blind(bytes(113) + stretched)
        answer = ristretto.VerifiableOutput.deserialize(server.evaluate(blinded).serialize())
        client.finalize(answer, server.public_key)


def recovering(folder: Path) -> None:
    """Print what a user waits for."""
    clock = Clock()
    alice, key = Person("alice", clock), RecoveryKey(system_entropy(32))
    enrolled = enrol(alice.first, key)
    lists = (*alice.lists, enrolled.device_list)
    alice.first.learn("alice", list(lists))
    remains = Remains(lists, recovery_box(alice.first, enrolled.card))
    stores = tuple(StoredLocks(SqliteStore(folder / f"server {at}.db", key=bytes(32))) for at in (1, 2))
    town = Town(stores=stores, tickets=True)
    town.key, town.chain = key, ListChain.verify(lists)
    town.set_up()
    seeds = system_entropy(32), system_entropy(32)
    works: dict[str, Callable[[], object]] = {
        "open": town.recover,
        "floor of open": lambda: floor(seeds),
        "lock": town.set_up,
        "device": lambda: recover_user(MemoryStore(), key, remains, clock=clock),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            times[name].append(milliseconds(work))
    for name, each in times.items():
        row(name, each)
    ratios = [mine / least for mine, least in zip(times["open"], times["floor of open"], strict=True)]
    fastest = min(times["open"]) / min(times["floor of open"])
    print(f"open against its floor: {fastest:.2f} fastest, {statistics.median(ratios):.2f} median of rounds")


class Guesses:
    """One server on disk, and a call of each kind for each of many users."""

    def __init__(self, folder: Path) -> None:
        self._store = StoredLocks(SqliteStore(folder / "guesses.db", key=bytes(32)))
        self._town = Town(stores=(self._store, StoredLocks(MemoryStore())))
        self._town.set_up()
        self._login = Ed25519KeyPair(Ed25519Seed(system_entropy(32)))
        self._names = [self._copied() for _ in range(GUESSES)]
        self.blinded = [Blinding(system_entropy(32)).blinded for _ in self._names]

    def _copied(self) -> LockName:
        """Give another user the same lock, with a login key of ours. Returns its name."""
        (held,), other = self._town.record(1).held, system_entropy(32)
        record = replace(self._town.record(1), held=(replace(held, login=self._login.public),))
        self._store.change(other, lambda _: (record, None))
        return LockName(other, held.lock.name.lock_id)

    def show(self) -> None:
        """Show all locks."""
        for name in self._names:
            self._town.servers[0].show(ShowLocks(name.user_id)).encode()

    def evaluate(self) -> None:
        """Count and evaluate a guess at each lock."""
        for name, blinded in zip(self._names, self.blinded, strict=True):
            self._town.servers[0].evaluate(EvaluateLock(name, blinded)).encode()

    def successes(self) -> list[LockOpened]:
        """Return a success for the last guess at each lock."""
        found = [(name, self._store.load(name.user_id)) for name in self._names]
        return [self._opened(name, record.meter.nonce or b"") for name, record in found if record is not None]

    def _opened(self, name: LockName, nonce: bytes) -> LockOpened:
        return LockOpened(name, nonce, self._login.sign(LockOpened.signed(1, name, nonce)))

    def succeed(self, successes: list[LockOpened]) -> None:
        """Take all successes."""
        for each in successes:
            self._town.servers[0].succeed(each).encode()


def guessing(folder: Path) -> None:
    """Print what one guess, and one recovery, take at a server."""
    guesses, seed = Guesses(folder), OprfSeed(system_entropy(32))

    def function() -> None:
        for each in guesses.blinded:
            voprf.evaluate(seed, each)

    times: dict[str, list[float]] = {"show": [], "evaluate": [], "succeed": [], "function": []}

    def measure(name: str, work: Callable[[], object]) -> None:
        times[name].append(milliseconds(work, time.process_time) / GUESSES)

    for _ in range(REPETITIONS):
        measure("show", guesses.show)
        measure("evaluate", guesses.evaluate)
        successes = guesses.successes()
        measure("succeed", lambda found=successes: guesses.succeed(found))  # type: ignore[misc]
        measure("function", function)
    for name, each in times.items():
        row(f"{name}, by the processor", each)
    whole = sum(min(times[name]) for name in ("show", "evaluate", "succeed"))
    guess = min(times["evaluate"])
    print(f"a second a core at the fastest: {1000 / guess:.0f} guesses, {1000 / whole:.0f} recoveries")


def sizes(folder: Path) -> None:
    """Print how much a server keeps of each user."""
    town = Town()
    town.set_up()
    record = _guessed(town.record(1))
    made = town.make()
    town.servers[0].settle(made.settle[0], town.chain)
    usual, changing = (len(each.encode().expose()) for each in (record, _guessed(town.record(1))))
    print(f"a record has {usual} bytes, and {changing} while a lock is being changed")
    for users in USERS:
        path = folder / f"{users}.db"
        with SqliteStore(path, key=bytes(32)) as store:
            locks = StoredLocks(store)
            with store.transaction():
                for _ in range(users):
                    locks.change(system_entropy(32), lambda _: (_guessed(record), None))
        each = path.stat().st_size / users
        print(
            f"{users} users: {each:.0f} bytes each; {PATIENTS} would take {each * PATIENTS / 2**30:.1f} GiB"
        )


def _guessed(record: RecoveryRecord) -> RecoveryRecord:
    """Return the record with a nonce and an input, as after a guess."""
    meter = replace(record.meter, asked=system_entropy(48), nonce=system_entropy(32), last=1, day=1, today=1)
    return replace(record, meter=meter)


def main() -> None:
    """Print everything."""
    with tempfile.TemporaryDirectory() as folder:
        recovering(Path(folder))
        guessing(Path(folder))
        sizes(Path(folder))


if __name__ == "__main__":
    main()
