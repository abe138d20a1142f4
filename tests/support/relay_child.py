"""Processes that work on a relay's store until they are killed, and say what was answered.

    python relay_child.py URL ACCOUNT     reads commands, one a line:

    fork burst NOW    a process that sends, claims, publishes, shelves, appends and posts, for ever
    fork claims N     a process that claims N bundles of device 1 by four tasks, and ends
    kill PID          kill -9; says "ended" once the process is dead
    wait PID          the same after the process ended by itself

All processes write into one pipe. Each line is one write of a few hundred bytes, so a kill cuts none in half.
`relay_ledger.py` reads them. The processes are forks, so that the package is imported once.
"""

import asyncio
import hashlib
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from letterlock.relay import Deliver, Head, ListedKey, LogHead, RelayStore, open_store
from support.relay_rows import NOW, letter, page, parcel, send, texts_of


def say(*words: object) -> None:
    """Write a line, at once."""
    os.write(
        1, (" ".join(each.hex() if isinstance(each, bytes) else str(each) for each in words) + "\n").encode()
    )


class Burst:
    """Endless work on one account: mail of devices 1 and 2, prekeys of device 1, a shelf, a log and texts."""

    def __init__(self, store: RelayStore, account: bytes, head: Head, now: int) -> None:
        self.store, self.account, self.head, self.now = store, account, head, now

    def tasks(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            self.sends,
            self.sends,
            self.acknowledges,
            self.claims,
            self.claims,
            self.publishes,
            self.spends,
            self.shelves,
            self.shelves,
            self.takes_away,
            self.appends,
            self.appends,
            self.posts,
            self.posts,
        ]

    async def sends(self) -> None:
        mail = letter(1, os.urandom(random.randrange(1, 2000)))
        say("sending", mail.id)
        both = send(self.head, mail, replace(mail, device=2), room=(10**6, 10**9))
        await self._deliver(both)
        say("sent", mail.id)

    async def _deliver(self, both: Deliver) -> None:
        answer = await self.store.deliver(self.account, both)
        if (answer.head, answer.full, answer.unknown) != (None, None, False):
            say("wrong", answer.full, answer.unknown)

    async def acknowledges(self) -> None:
        mail = await self.store.fetch(self.account, 1, 10, 10**6, frozenset())
        ids = [each.id for each in mail][: random.randrange(11)]
        for each in ids:
            say("acking", each)
        await self.store.acknowledge(self.account, await self._listed(), ids)
        for each in ids:
            say("acked", each)

    async def claims(self) -> None:
        claim, requester = os.urandom(16), os.urandom(16)
        say("claiming", claim, requester)
        for _ in range(random.choice([1, 1, 2])):
            (bundle,) = await self.store.claim(self.account, [1], claim, requester, self.now)
            say("claimed", claim, bundle)

    async def publishes(self) -> None:
        number = (await self.store.stock(self.account, 1)).number + 1
        await self.store.publish(self.account, await self._listed(), page(number, 20), 100)
        say("published", (await self.store.stock(self.account, 1)).number)

    async def _listed(self) -> ListedKey:
        head = await self.store.head(self.account)
        listed = None if head is None else head.device(1)
        assert listed is not None
        return listed

    async def spends(self) -> None:
        value = os.urandom(16)
        if not await self.store.spend(self.account, value, NOW, NOW - 1):
            say("wrong", "spent")
        say("spent", value)
        counter = random.randrange(10**9)
        await self.store.advance(self.account, await self._listed(), counter)
        say("advanced", counter)

    async def shelves(self) -> None:
        puts = [parcel(self.account, os.urandom(16)) for _ in range(random.randrange(1, 4))]
        for each in puts:
            say("shelving", each.hash)
        if not all(await self.store.shelve(puts)):
            say("wrong", "full")
        for each in puts:
            say("shelved", each.hash)

    async def takes_away(self) -> None:
        page_ = await self.store.shelf(self.account, 0, random.randrange(1, 4), 10**6)
        hashes = [hashlib.sha256(each).digest() for _, each in page_.parcels]
        for each in hashes:
            say("taking", each)
        await self.store.unshelve(self.account, hashes, None)
        for each in hashes:
            say("taken", each)

    async def appends(self) -> None:
        before, entry = await self.store.log_head(self.account), os.urandom(40)
        number = 1 if before is None else before.number + 1
        say("appending", entry)
        if await self.store.log_append(self.account, before, entry, LogHead(number, entry[:32], entry)):
            say("appended", entry)

    async def posts(self) -> None:
        before = await self.store.log_head(self.account)
        if before is None:
            return await asyncio.sleep(0)
        put = replace(parcel(texts_of(self.account)), time=NOW)
        say("posting", put.hash)
        for _ in range(random.choice([1, 1, 2])):
            posted = await self.store.post(put, self.account, before)
            if posted.is_full:
                say("wrong", "full")
            if posted.number is not None:
                say("posted", put.hash)
        return None


async def forever(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()


async def claims(store: RelayStore, account: bytes, count: int) -> None:
    left = iter(range(count))

    async def race() -> None:
        for _ in left:
            claim, requester = os.urandom(16), os.urandom(16)
            say("claiming", claim, requester)
            (bundle,) = await store.claim(account, [1], claim, requester, NOW)
            say("claimed", claim, bundle)

    await asyncio.gather(*(race() for _ in range(4)))


async def work(url: str, account: bytes, what: list[str]) -> None:
    """What a fork does."""
    store = await open_store(url).open()
    if what[0] == "claims":
        await claims(store, account, int(what[1]))
        await store.close()
        return
    head = await store.head(account)
    assert head is not None
    await asyncio.gather(*map(forever, Burst(store, account, head, int(what[1])).tasks()))


def main(url: str, account: bytes) -> None:
    for line in sys.stdin:
        match line.split():
            case ["fork", *what]:
                child = os.fork()
                if not child:
                    try:
                        asyncio.run(work(url, account, what))
                    except BaseException:
                        say("broken")  # or whoever reads would wait for ever
                        raise
                    os._exit(0)
                say("forked", child)
            case ["kill", child]:
                os.kill(int(child), signal.SIGKILL)
                os.waitpid(int(child), 0)
                say("ended", child)
            case ["wait", child]:
                _, status = os.waitpid(int(child), 0)
                say("ended" if status == 0 else "failed", child)
            case words:
                raise ValueError(words)


if __name__ == "__main__":
    main(sys.argv[1], bytes.fromhex(sys.argv[2]))
