"""How many users an application enrols in a second, and how much of that is Argon2id.

    python bench/recovery/enrolment.py            prints a table for 1, 2 and 4 at once

    enrolled     device list, registration, box, lock at both servers; the journal is a SQLite file on disk
    Argon2id     the same count of derivations alone, in as many threads

Users a second go by the clock. Beside them is the time of the processor for each user, which other programs
change little. Relay and both servers are in this process, without HTTP. Each figure is the best of 2 rounds.
"""

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nacl import pwhash

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "protocol"), str(ROOT / "vectors")]

from letterlock import SqliteStore  # noqa: E402
from letterlock.client import Enrolment, Hardness, NewUser  # noqa: E402
from letterlock.client._opening import World  # noqa: E402
from support.client_recovery import BOTH, Servers, Transport  # noqa: E402
from support.client_town import QUICK, Town, play  # noqa: E402

USERS: Final = 16
ROUNDS: Final = 2
AT_ONCE: Final = (1, 2, 4)
PASSWORD: Final = "of a letter, once"


@dataclass(frozen=True, slots=True)
class Taken:
    """What some users took, in seconds: by the clock, and of the processor."""

    clock: float
    processor: float

    @classmethod
    def since(cls, clock: float, processor: float) -> "Taken":
        """Return what was taken since then."""
        return cls(time.perf_counter() - clock, time.process_time() - processor)


def main() -> None:
    """Print the table."""
    print("| at once | users a second | Argon2id alone, a second | ms a user | Argon2id alone, ms |")
    print("|--:|--:|--:|--:|--:|")
    for at_once in AT_ONCE:
        rows = [[work(at_once) for _ in range(ROUNDS)] for work in (_enrolled, _alone)]
        figures = [USERS / min(each.clock for each in taken) for taken in rows]
        figures += [1000 * min(each.processor for each in taken) / USERS for taken in rows]
        print(f"| {at_once} | " + " | ".join(f"{each:.1f}" for each in figures) + " |")


def _enrolled(at_once: int) -> Taken:
    taken = list[Taken]()

    async def story(town: Town) -> None:
        servers = Servers(town)

        class TownEnrolment(Enrolment):
            __slots__ = ()
            _world = World(lambda url: Transport(servers, url, "enrolment"), QUICK, town.clock)

        with tempfile.TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder) / "enrolment.db", key=bytes(32))
            async with await TownEnrolment.open(store, servers=BOTH) as enrolment:
                begun = time.perf_counter(), time.process_time()
                users = (NewUser(f"user {each}", PASSWORD) for each in range(USERS))
                assert not await enrolment.enrol_all(users, at_once=at_once)
                taken.append(Taken.since(*begun))

    with tempfile.TemporaryDirectory() as folder:
        play(Path(folder), story)
    return taken[0]


def _alone(at_once: int) -> Taken:
    hardness = Hardness()

    def derive(_: int) -> None:
        pwhash.argon2id.kdf(
            32, PASSWORD.encode(), bytes(16), opslimit=hardness.passes, memlimit=hardness.memory
        )

    with ThreadPoolExecutor(at_once) as pool:
        begun = time.perf_counter(), time.process_time()
        list(pool.map(derive, range(USERS)))
        return Taken.since(*begun)


if __name__ == "__main__":
    main()
