"""What the tests of a relay's stores keep in them: accounts, pages and messages, of random bytes."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from letterlock.errors import StoreError
from letterlock.relay import Deliver, Head, ListedKey, Mail, Page, Put, RelayStore

T = TypeVar("T")

NOW = 1_800_000_000
ROOM = (1000, 64 * 1024 * 1024)
SHELF_ROOM = {
    "most_parcels": 10**5,
    "most_bytes": 10**8,
    "putter_parcels": 10**5,
    "putter_bytes": 10**8,
}


def listed(device: int, added: int = 1) -> ListedKey:
    return ListedKey(device, os.urandom(32), os.urandom(32), 0, added)


def first_head(devices: Iterable[int]) -> Head:
    return Head(1, os.urandom(32), os.urandom(32), tuple(listed(each) for each in devices))


def next_head(head: Head, *, without: Sequence[int] = (), new: Sequence[int] = ()) -> Head:
    version = head.version + 1
    stay = tuple(each for each in head.devices if each.device not in without)
    devices = (*stay, *(listed(each, version) for each in new))
    return replace(head, version=version, hash=os.urandom(32), devices=devices)


class Person:
    """An account with some devices, and the newest head that it knows of itself."""

    def __init__(self, *devices: int) -> None:
        self.key = os.urandom(16)
        self.head = first_head(devices or (1,))
        self.lists = [b"list 1 " + os.urandom(8)]

    @classmethod
    async def registered(cls, store: RelayStore, *devices: int) -> "Person":
        person = cls(*devices)
        assert await store.create(person.key, person.lists, person.head, replace=False) is None
        return person

    def listed(self, device: int) -> ListedKey:
        """Return a device as the newest list has it, or one that no list has."""
        return self.head.device(device) or listed(device)

    async def change(
        self, store: RelayStore, *, without: Sequence[int] = (), new: Sequence[int] = ()
    ) -> None:
        head = next_head(self.head, without=without, new=new)
        encoded = f"list {head.version} ".encode() + os.urandom(8)
        assert await store.append(self.key, self.head, encoded, head) is None
        self.head = head
        self.lists.append(encoded)


def page(number: int, count: int = 3, signed: int = 1) -> Page:
    bundles = tuple(f"bundle {number}.{index} ".encode() + os.urandom(8) for index in range(count))
    return Page(number, os.urandom(32), signed, f"last resort {number}".encode(), bundles)


def is_last_resort(bundle: bytes | None) -> bool:
    return bundle is not None and bundle.startswith(b"last resort")


def letter(device: int, text: bytes = b"hello", time: int = NOW) -> Mail:
    return Mail(device, os.urandom(16), time, ("alice@example.org", 7), text)


def send(head: Head, *mail: Mail, room: tuple[int, int] = ROOM) -> Deliver:
    return Deliver(head.version, head.hash[:8], mail, *room)


def parcel(shelf: bytes, putter: bytes = bytes(16), text: bytes | None = None, **room: int) -> Put:
    """Return a parcel, of random bytes unless the test says which."""
    data = os.urandom(40) if text is None else text
    return Put(shelf, hashlib.sha256(data).digest(), putter, data, **(SHELF_ROOM | room))


def texts_of(log: bytes) -> bytes:
    """Return the key of the texts of a group whose log has this key: a database keeps both together."""
    return log[:8] + hashlib.sha256(log).digest()[:8]


async def sent(store: RelayStore, person: Person, *mail: Mail) -> None:
    """Deliver, and require that it was stored."""
    delivered = await store.deliver(person.key, send(person.head, *mail))
    assert (delivered.head, delivered.full, delivered.unknown) == (None, None, False)


async def until_settled(call: Callable[[], Awaitable[T]]) -> T:
    """Do something that may be repeated until it is answered."""
    for _ in range(200):
        try:
            return await call()
        except StoreError:
            await asyncio.sleep(0.05)
    raise AssertionError("the store never came back")


async def waiting(store: RelayStore, person: Person, device: int = 1) -> list[Mail]:
    """Return all mail of a device."""
    found: list[Mail] = []
    while True:
        skip = frozenset(mail.id for mail in found)
        more = await store.fetch(person.key, device, 100, 4 * 1024 * 1024, skip)
        if not more:
            return found
        found += more
