"""Ledger: what was answered to processes that were killed, to compare with what a store still has.

What was answered has happened. What was begun without an answer has happened or not, whole.
"""

import hashlib
from dataclasses import dataclass, field

from letterlock.relay import Counts, RelayStore
from support.relay_rows import NOW, Person, is_last_resort, texts_of, waiting

_SETS = {
    "sending", "sent", "acking", "acked", "spent", "shelving", "shelved", "taking", "taken", "appending",
    "appended", "posting", "posted",
}  # fmt: skip


@dataclass
class Ledger:
    """The lines of all processes that worked on one account."""

    sending: set[bytes] = field(default_factory=set)
    sent: set[bytes] = field(default_factory=set)
    acking: set[bytes] = field(default_factory=set)
    acked: set[bytes] = field(default_factory=set)
    claiming: dict[bytes, bytes] = field(default_factory=dict)
    claimed: dict[bytes, set[bytes]] = field(default_factory=dict)
    spent: set[bytes] = field(default_factory=set)
    shelving: set[bytes] = field(default_factory=set)
    shelved: set[bytes] = field(default_factory=set)
    taking: set[bytes] = field(default_factory=set)
    taken: set[bytes] = field(default_factory=set)
    appending: set[bytes] = field(default_factory=set)
    appended: set[bytes] = field(default_factory=set)
    posting: set[bytes] = field(default_factory=set)
    posted: set[bytes] = field(default_factory=set)
    published: int = 0
    advanced: int = 0
    wrong: list[str] = field(default_factory=list)
    lines: int = 0
    now: int = NOW
    """The time at which claims are made and repeated: all of a round at once."""

    def read(self, line: str) -> None:
        """Take one line of a process."""
        self.lines += 1
        match line.split():
            case [what, value] if what in _SETS:
                getattr(self, what).add(bytes.fromhex(value))
            case ["claiming", claim, requester]:
                self.claiming[bytes.fromhex(claim)] = bytes.fromhex(requester)
            case ["claimed", claim, bundle]:
                self.claimed.setdefault(bytes.fromhex(claim), set()).add(bytes.fromhex(bundle))
            case ["published", number]:
                self.published = max(self.published, int(number))
            case ["advanced", counter]:
                self.advanced = max(self.advanced, int(counter))
            case _:
                self.wrong.append(line)

    async def require(self, store: RelayStore, person: Person) -> None:
        """Compare the lines with the store."""
        assert self.wrong == []
        await self._require_mail(store, person)
        await self._require_bundles(store, person)
        assert (await store.stock(person.key, 1)).number >= self.published
        assert (await store.advance(person.key, person.listed(1), 0) or 0) >= self.advanced
        for value in self.spent:
            assert not await store.spend(person.key, value, NOW, NOW - 1)
        await self._require_shelf(store, person)
        await self._require_log(store, person)
        await self._require_texts(store, person)
        assert await store.check() == []

    async def _require_mail(self, store: RelayStore, person: Person) -> None:
        two = [mail.id for mail in await waiting(store, person, 2)]
        while True:
            # A server may still end a call of a process that was killed, between one look and the next.
            one = [mail.id for mail in await waiting(store, person, 1)]
            again = [mail.id for mail in await waiting(store, person, 2)]
            if again == two:
                break
            two = again
        assert len(set(one)) == len(one)
        assert len(set(two)) == len(two)
        assert self.sent <= set(two) <= self.sending, "lost, or never sent"
        assert set(two) - set(one) <= self.acking, "lost at the device that acknowledges"
        assert not set(one) & self.acked, "acknowledged, and still there"
        assert set(one) <= set(two), "not all devices"
        assert one == [each for each in two if each in set(one)], "in another order"
        counts = await store.counts()
        assert isinstance(counts, Counts)
        for device, ids in ((1, one), (2, two)):
            assert (await store.stock(person.key, device)).messages == len(ids)

    async def _require_bundles(self, store: RelayStore, person: Person) -> None:
        """No bundle went to two claims, and no claim got two, even one that is repeated for a lost answer."""
        for claim in self.claiming.keys() - self.claimed.keys():
            (bundle,) = await store.claim(person.key, [1], claim, self.claiming[claim], self.now)
            self.claimed[claim] = {bundle or b""}
        # A repeat may get another last-resort bundle, or a single-use one after it.
        singles = [{each for each in got if not is_last_resort(each)} for got in self.claimed.values()]
        assert [got for got in singles if len(got) > 1] == [], "two bundles for one claim"
        assert len(set().union(*singles)) == sum(map(len, singles)), "one bundle for two claims"

    async def _require_shelf(self, store: RelayStore, person: Person) -> None:
        """Each parcel is there once, under a number of its own, until it was taken away."""
        found = await _hashes(store, person.key)
        there = set(found.values())
        assert len(there) == len(found)
        assert self.shelved - self.taking <= there <= self.shelving, "lost, or never shelved"
        assert not there & self.taken, "taken away, and still there"

    async def _require_texts(self, store: RelayStore, person: Person) -> None:
        """Each text is there once, and no number was given in vain."""
        found = await _hashes(store, texts_of(person.key))
        assert list(found) == list(range(1, len(found) + 1))
        assert len(set(found.values())) == len(found)
        assert self.posted <= set(found.values()) <= self.posting, "lost, or never posted"

    async def _require_log(self, store: RelayStore, person: Person) -> None:
        """What was appended follows each other without a gap."""
        head = await store.log_head(person.key)
        entries: list[bytes] = []
        while more := await store.log_entries(person.key, len(entries), 256, 10**6):
            entries += more
        assert len(entries) == (0 if head is None else head.number)
        assert head is None or head.hash == entries[-1][:32]
        assert len(set(entries)) == len(entries)
        assert self.appended <= set(entries) <= self.appending, "lost, or never appended"


async def _hashes(store: RelayStore, shelf: bytes) -> dict[int, bytes]:
    """Return the hashes of all parcels on a shelf, by their numbers."""
    found: dict[int, bytes] = {}
    while True:
        page = await store.shelf(shelf, max(found, default=0), 100, 10**6)
        if not page.parcels:
            return found
        found |= {number: hashlib.sha256(each).digest() for number, each in page.parcels}
