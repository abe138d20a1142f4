"""What a large collection costs when a member comes or goes: operations counted, and a floor beside them.

    python bench/documents/membership.py [MEMBERS] [ROUNDS]       1,000 members and 5 rounds by default

    add        one member more, who reads all epochs
    remove     one member less: the others get the keys of a new epoch
    floor      as many HPKE operations as the removal makes, from the bytes of the keys, called directly

Every member has a document key of its own. Each change is made and taken as accepted, in memory. The numbers
of operations are counted around the library's primitives, and a document that is granted to the collection
tells whether anything was granted anew.
"""

import hashlib
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "protocol"), str(ROOT / "vectors")]

from letterlock._primitives import hpke  # noqa: E402
from letterlock._primitives.composite import CompositeKeyPair  # noqa: E402
from letterlock._primitives.xwing import XWingKeyPair, XWingPublicKey, XWingSeed  # noqa: E402
from letterlock._records.contact import ContactRecord  # noqa: E402
from letterlock._records.pin import PinnedList  # noqa: E402
from letterlock._wire.device_snapshot import DocumentKey, Snapshot, snapshot_hash  # noqa: E402
from letterlock.documents import Collections, Documents  # noqa: E402
from letterlock.documents._changes import CollectionChange  # noqa: E402
from letterlock.user import User  # noqa: E402
from letterlock.user._user import desk_behind  # noqa: E402
from support.granting import SUBJECT, begin  # noqa: E402
from support.user_devices import Clock, Person  # noqa: E402

MEMBERS: Final = 1000
ROUNDS: Final = 5


@dataclass
class Cost:
    """What one change took: milliseconds, HPKE operations, signatures, grants and their bytes."""

    milliseconds: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def row(self, what: str) -> str:
        """Return a line for people."""
        times = f"{min(self.milliseconds):9.1f}; {statistics.median(self.milliseconds):9.1f} ms"
        return f"{what:8} {times}   " + "   ".join(f"{name} {self.counts[name]:,}" for name in COUNTED)


COUNTED: Final = ("hpke", "signatures", "grants", "bytes", "grants of documents")


def counting(count: Counter[str]) -> None:
    """Count HPKE operations and signatures from now on."""
    for place, names, what in (
        (hpke, ("seal", "open_sealed"), "hpke"),
        (CompositeKeyPair, ("sign",), "signatures"),
    ):
        for name in names:
            setattr(place, name, _counted(getattr(place, name), count, what))


def _counted(call: Callable[..., Any], count: Counter[str], what: str) -> Callable[..., Any]:
    def counted(*arguments: Any) -> Any:
        count[what] += 1
        return call(*arguments)

    return counted


def know(alice: User, names: list[str], now: int) -> list[bytes]:
    """Give alice contacts with document keys of their own. Return these keys."""
    book, keys = desk_behind(alice).book, []
    with alice.transaction():
        own = book.own().pin.snapshot
        assert own is not None
        for name in names:
            key = XWingKeyPair(XWingSeed(os.urandom(32))).public.data
            listed: Snapshot = replace(own, document_key=DocumentKey(1, key))
            hash_ = snapshot_hash(listed.encode())
            book.save_contact(ContactRecord(name, PinnedList(hash_, 1, hash_, hash_[:8], listed, now)))
            keys.append(key)
    return keys


def floor(keys: list[bytes]) -> float:
    """Return how long the HPKE operations of a removal take alone."""
    info, text = hashlib.sha512(b"info").digest()[:58], bytes(64)
    start = time.perf_counter()
    for key in keys:
        hpke.seal(XWingPublicKey(key), info, text)
    return (time.perf_counter() - start) * 1000


def measured(cost: Cost, count: Counter[str], alice: User, make: Callable[[], CollectionChange]) -> None:
    """Make a change and have it accepted, and note what that took."""
    collections, before = Collections(alice), granted(alice)
    count.clear()
    start = time.perf_counter()
    change = make()
    cost.milliseconds.append((time.perf_counter() - start) * 1000)
    count["grants"], count["bytes"] = len(change.grants), sum(map(len, change.grants)) + len(change.entry)
    cost.counts = Counter(count)
    cost.counts["grants of documents"] = granted(alice) - before
    collections.accepted(change)
    collections.delivered(change)


def granted(alice: User) -> int:
    """Return how many grants of the document are on record."""
    return len(Documents(alice).grants(SUBJECT.id))


def main(members: int = MEMBERS, rounds: int = ROUNDS) -> None:
    clock = Clock()
    alice = Person("alice", clock).first
    names = [f"member {at}" for at in range(members)]
    keys = know(alice, names, clock())
    collections, count = Collections(alice), Counter[str]()
    made = collections.create("everybody")
    collections.accepted(made)
    team = made.collection
    change = collections.add(team, names[: members - 1])  # alice is one of them
    collections.accepted(change)
    collections.delivered(change)
    begin(alice, [collections.reader(team)])
    base = [floor(keys[: members - 1]) for _ in range(rounds)]
    counting(count)
    added, removed = Cost(), Cost()
    for at in range(rounds):
        gone = names[at % (members - 1)]
        measured(removed, count, alice, lambda gone=gone: collections.remove(team, [gone]))
        measured(added, count, alice, lambda gone=gone: collections.add(team, [gone]))
    print(f"{members} members, {rounds} rounds: fastest; median")
    print(removed.row("remove"))
    print(added.row("add"))
    print(f"floor    {min(base):9.1f}; {statistics.median(base):9.1f} ms   hpke {members - 1:,}")
    ratio = min(removed.milliseconds) / min(base)
    middle = statistics.median(removed.milliseconds) / statistics.median(base)
    print(f"remove / floor {ratio:.2f}; {middle:.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
