"""What sharing and small items cost, against the primitives that they need, in one run.

    python bench/documents/sharing.py                 prints the fastest and the median of 15 rounds

    share      Documents.share with 100 contacts, in memory
    floor      100 HPKE operations from the bytes of the keys, called directly
    items      1,000 items of 20 bytes under one session, sealed and opened in one call each

The floor reads each key anew, as a first share does. A share to the same people again finds the keys read.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "protocol"), str(ROOT / "vectors")]

from letterlock._primitives import hpke  # noqa: E402
from letterlock._primitives.xwing import XWingPublicKey  # noqa: E402
from letterlock.documents import Documents  # noqa: E402
from letterlock.documents._targets import _public_key  # noqa: E402
from support.granting import SUBJECT, begin  # noqa: E402
from support.user_devices import Clock, Person  # noqa: E402

READERS: Final = 100
ITEMS: Final = 1000
ROUNDS: Final = 15


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def sharing() -> None:
    """Print the cost of a share beside its floor."""
    clock = Clock()
    alice = Person("alice", clock).first
    people = [Person(f"reader {at}", clock) for at in range(READERS)]
    for each in people:
        alice.learn(each.name, each.lists)
    names = [each.name for each in people]
    found = [each.lists[-1].snapshot.document_key for each in people]
    keys = [each.public for each in found if each is not None]
    begin(alice)
    documents = Documents(alice)

    def floor() -> None:
        for key in keys:
            hpke.seal(XWingPublicKey(key), bytes(58), bytes(32))

    def share() -> None:
        documents.share(SUBJECT.id, names)

    rounds: list[tuple[float, float, float]] = []
    for _ in range(ROUNDS):
        _public_key.cache_clear()
        rounds.append((milliseconds(floor), milliseconds(share), milliseconds(share)))
    columns = list(zip(*rounds, strict=True))
    best, middle = [min(each) for each in columns], [statistics.median(each) for each in columns]
    names = (f"floor of {READERS} HPKE operations", "share for the first time", "share with the same people")
    for at, name in enumerate(names):
        ratios = f"{best[at] / best[0]:.2f}; {middle[at] / middle[0]:.2f} x the floor"
        print(f"{name:28} {best[at]:7.1f}; {middle[at]:7.1f} ms   {ratios}")


def items() -> None:
    """Print how many items a second one session seals and opens."""
    session, _ = Documents(Person("alice", Clock()).first).begin_items()
    contents = [bytes(20)] * ITEMS
    sealed = session.seal(contents)
    for name, work in (("sealed", lambda: session.seal(contents)), ("opened", lambda: session.open(sealed))):
        took = [milliseconds(work) for _ in range(ROUNDS)]
        rates = f"{ITEMS / min(took) * 1000:9,.0f}; {ITEMS / statistics.median(took) * 1000:9,.0f}"
        print(f"{f'items {name} in a second':28} {rates}")


if __name__ == "__main__":
    sharing()
    items()
