"""Who is there before a play of the model of clients. Making people is slow, so each play copies their files.

    strangers     nobody has another person's lists
    friends       everybody has written to everybody, and everything was read

A thief copied Bob's first phone before Bob linked the third one. So what the thief signs is a fork of the
truth from its beginning.

Not here: what the plays do (clients_play.py).
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from letterlock import SqliteStore
from letterlock.client import Client
from letterlock.relay._relay import Relay
from letterlock.relay._settings import RelaySettings
from letterlock.relay._sqlite import SqliteRelayStore
from letterlock.user import LinkingCode, User
from support.client_town import RELAY
from support.clients_lies import Chain
from support.clients_phones import KEY, Country, Phone
from support.pair import NOON

SHAPES: Final = {"alice": 2, "bob": 3, "carol": 1}
_PAUSE: Final = 0.02


@dataclass(frozen=True)
class Cast:
    """Files of a relay and of phones, and what is true. `now` is the time at which a play begins."""

    folder: Path
    stores: dict[str, str]
    """Whose each phone is, by its label."""
    truth: dict[str, Chain]
    forks: dict[str, Chain]
    now: int

    def copied(self, folder: Path) -> Path:
        """Copy the files into a folder, and return it."""
        return shutil.copytree(self.folder, folder)


@asynccontextmanager
async def country(folder: Path, now: int) -> AsyncIterator[Country]:
    """Return a country whose files are in a folder."""
    store = await SqliteRelayStore(str(folder / "relay.db")).open()
    relay = Relay(store, RelaySettings("relay.example"))
    await relay.start()
    try:
        yield Country(relay, now)
    finally:
        relay.drain()
        await store.close()


def make_cast(folder: Path, *, friends: bool) -> Cast:
    """Make people, in a folder."""
    return asyncio.run(_make_cast(folder, friends=friends))


async def _make_cast(folder: Path, *, friends: bool) -> Cast:
    async with country(folder, NOON) as made:
        phones: list[Phone] = []
        forks: dict[str, Chain] = {}
        for name, count in SHAPES.items():
            for number in range(1, count + 1):
                if (name, number) == ("bob", 3):
                    forks[name] = await _fork(phones[-2], made)
                phones.append(await _phone(made, folder, name, number, phones[-1:]))
        if friends:
            await _talk(made, phones)
        chains = {each.name: await _lists(each) for each in phones}
        for each in phones:
            await each.stop()
        return Cast(folder, {each.label: each.name for each in phones}, chains, forks, made.clock())


async def _phone(country: Country, folder: Path, name: str, number: int, before: list[Phone]) -> Phone:
    label = f"{name}{number}"
    phone = Phone(country, name, label, folder / f"{label}.db")
    kind = country.kind(label)
    if number == 1:
        await phone.run(await kind.create(phone.path, key=KEY, name=name, relay=RELAY))
    else:
        await phone.run(await linked(kind, phone.path, before[0]))
    return phone


async def linked(kind: type[Client], path: Path, old: Phone) -> Client:
    """Return the client of a new phone that an old one has linked. Raises what linking raises."""
    shown: asyncio.Future[LinkingCode] = asyncio.get_running_loop().create_future()
    digits: list[str] = []

    async def show(code: LinkingCode) -> None:
        shown.set_result(code)

    async def tell(number: str) -> None:
        digits.append(number)

    async def compare(number: str) -> bool:
        return digits == [number]

    assert old.client is not None
    joining = asyncio.create_task(kind.join(path, key=KEY, relay=RELAY, show=show, digits=tell))
    linking: asyncio.Task[int] | None = None
    try:
        first: list[asyncio.Future[Any]] = [shown, joining]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if shown.done():
            linking = asyncio.create_task(old.client.link(shown.result(), compare))
            both: list[asyncio.Future[Any]] = [linking, joining]
            await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
            if not joining.done():
                await linking  # it has failed
        return await joining
    finally:
        tasks = [each for each in (joining, linking) if each is not None]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _fork(stolen: Phone, country: Country) -> Chain:
    """Copy a phone, and let the thief sign a version that revokes the next one."""
    copied = stolen.path.with_name("stolen.db")
    await stolen.copy_to(copied)
    with SqliteStore(copied, key=KEY) as store:
        thief = User.open(store, clock=country.clock)
        thief.revoke(2)
        return thief.device_lists()


async def _talk(country: Country, phones: list[Phone]) -> None:
    """Let everybody write to everybody, and read it."""
    for phone in phones:
        for name in SHAPES:
            assert phone.client is not None
            await phone.client.send(name, b"hello")
    for phone in phones:
        own = SHAPES[phone.name]
        expected = (own - 1) * len(SHAPES) + len(phones) - own
        while await phone.count() < expected:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(_PAUSE)
    country.now += 60


async def _lists(phone: Phone) -> Chain:
    assert phone.client is not None
    user = phone.client._office.queue.user
    return await phone.client.run(user.device_lists)
