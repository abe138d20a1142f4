"""How many users an application enrols in a second, and how much of that is Argon2id.

    python bench/recovery/enrolment.py            prints users a second for 1, 2 and 4 at once

    enrolled     device list, registration, box, lock at both servers; the journal is a SQLite file on disk
    Argon2id     the same count of derivations alone, in as many threads

Relay and both servers are in this process, without HTTP. Each count is the fastest of 2 rounds.
"""

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
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
PASSWORD: Final = "of a letter, once"


def main() -> None:
    """Print the table."""
    print("| at once | users a second | Argon2id alone, a second |")
    print("|--:|--:|--:|")
    for at_once in (1, 2, 4):
        enrolled = max(_enrolled(at_once) for _ in range(ROUNDS))
        alone = max(_alone(at_once) for _ in range(ROUNDS))
        print(f"| {at_once} | {enrolled:.1f} | {alone:.1f} |")


def _enrolled(at_once: int) -> float:
    seconds = list[float]()

    async def story(town: Town) -> None:
        servers = Servers(town)

        class TownEnrolment(Enrolment):
            __slots__ = ()
            _world = World(lambda url: Transport(servers, url, "enrolment"), QUICK, town.clock)

        with tempfile.TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder) / "enrolment.db", key=bytes(32))
            async with await TownEnrolment.open(store, servers=BOTH) as enrolment:
                begun = time.perf_counter()
                users = (NewUser(f"user {each}", PASSWORD) for each in range(USERS))
                assert not await enrolment.enrol_all(users, at_once=at_once)
                seconds.append(time.perf_counter() - begun)

    with tempfile.TemporaryDirectory() as folder:
        play(Path(folder), story)
    return USERS / seconds[0]


def _alone(at_once: int) -> float:
    hardness = Hardness()

    def derive(_: int) -> None:
        pwhash.argon2id.kdf(
            32, PASSWORD.encode(), bytes(16), opslimit=hardness.passes, memlimit=hardness.memory
        )

    with ThreadPoolExecutor(at_once) as pool:
        begun = time.perf_counter()
        list(pool.map(derive, range(USERS)))
        return USERS / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
