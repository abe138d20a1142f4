"""A group of many users for the bench: one admin on disk, one reader on disk, the others in memory.

    Crowd(n)      n users who know each other as far as they have to, in one group, with answered sessions
    text()        one text of the admin, which the reader opens
    add, remove   what they send: messages inside sessions, and the entry

Only the admin and the reader know everybody: the others stand for devices that answer.
"""

import gc
import tempfile
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from types import TracebackType
from typing import Self

from letterlock import SqliteStore
from letterlock.groups import GroupPost, Groups, GroupTaken
from letterlock.limits import RECEIPT_DELAY
from letterlock.stores import MemoryStore
from letterlock.user import Need, NeedKind, Outgoing, User

KEY = bytes(range(32))
NOON = 1_795_910_400


def memory_folder() -> str | None:
    """Return a folder in memory, so that the disk of the day is not measured, or None for the usual one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


class Crowd:
    """A group of `size` members with one device each, once `add` has added the last one."""

    def __init__(self, size: int) -> None:
        self.now = NOON
        self.folder = tempfile.TemporaryDirectory(dir=memory_folder())
        stores = [SqliteStore(Path(self.folder.name) / name, key=KEY) for name in ("admin", "reader")]
        self.stores = stores
        self.users: dict[str, User] = {}
        for at in range(size):
            store = stores[at] if at < len(stores) else MemoryStore()
            self.users[f"u{at}"] = User.create(store, f"u{at}", clock=lambda: self.now)
        self.admin, self.reader = self.users["u0"], self.users["u1"]
        self._learn()
        self.at, self.there = Groups(self.admin), Groups(self.reader)
        change = self.at.create("crowd", [f"u{at}" for at in range(1, size - 1)])
        self.group, self.entry = change.group, change.entry
        self.deliver(self.at.accepted(change))
        self.there.take(self.group, [change.entry])
        self._answer()
        self.there.process()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for store in self.stores:
            store.close()
        self.folder.cleanup()

    def _learn(self) -> None:
        lists = {name: user.device_lists() for name, user in self.users.items()}
        for name, user in self.users.items():
            for other in lists if name in {"u0", "u1"} else ("u0", "u1"):
                user.learn(other, lists[other])

    def deliver(self, sent: GroupTaken | GroupPost) -> tuple[Outgoing, ...]:
        """Deliver what the admin sends, meeting needs. Return all messages."""
        outgoing = (*sent.outgoing, *(each for need in sent.needs for each in self._begun(need)))
        for each in outgoing:
            self.users[each.address.name].receive(self.admin.address, each.message)
        self.there.process()
        return outgoing

    def _begun(self, need: Need) -> tuple[Outgoing, ...]:
        if need.kind is not NeedKind.BUNDLE:
            return ()
        return self.admin.begin(need.address, self.users[need.name].account.bundle()).outgoing

    def _answer(self) -> None:
        """Let everybody acknowledge what came, so that sessions are answered."""
        self.now += RECEIPT_DELAY
        for user in self.users.values():
            if user is not self.admin:
                for each in user.upkeep().outgoing:
                    if each.address == self.admin.address:
                        self.admin.receive(user.address, each.message)

    def seal(self, text: bytes) -> GroupPost:
        """Seal a text, and deliver the chain to who lacks it."""
        post = self.at.encrypt(self.group, text)
        self.deliver(post)
        return post

    def times(self, text: bytes, count: int) -> tuple[float, float]:
        """Return microseconds of processor for one text of `count`: sealed on disk, and opened on disk."""
        self.seal(text)
        gc.collect()
        gc.freeze()  # the others stand for devices elsewhere
        began = process_time_ns()
        posts = [self.at.encrypt(self.group, text) for _ in range(count)]
        between = process_time_ns()
        found = [self.there.decrypt(self.group, each.text).text for each in posts]
        ended = process_time_ns()
        if found != [text] * count:
            raise RuntimeError("what was opened is not what was sealed")
        return (between - began) / count / 1000, (ended - between) / count / 1000

    def change(self, *, removes: bool) -> tuple[int, int, int, float]:
        """Add the last member or remove it: messages, their bytes, those of the entry, milliseconds."""
        name = f"u{len(self.users) - 1}"
        began = perf_counter_ns()
        made = self.at.remove(self.group, [name]) if removes else self.at.add(self.group, [name])
        taken = self.at.accepted(made)
        spent = (perf_counter_ns() - began) / 1e6
        self.there.take(self.group, [made.entry])
        sent = self.deliver(taken)
        return len(sent), sum(len(each.message) for each in sent), len(made.entry), spent
