"""Order: a reader beside many writers never passes over a message that is stored before another one."""

import asyncio
from typing import Final

from letterlock.relay import Mail, RelayStore, open_store
from support.relay_rows import Person, letter, sent, waiting

WRITERS: Final = 8
EACH: Final = 12


async def test_what_is_read_is_a_prefix_of_what_there_will_be(store: RelayStore, url: str) -> None:
    """Whoever reads [a, b] finds a and b first for ever: nothing older turns up between them later."""
    person = await Person.registered(store, 1, 2)
    others = [await open_store(url).open() for _ in range(2)]
    seen: list[list[Mail]] = []

    async def write(through: RelayStore) -> None:
        for _ in range(EACH):
            await sent(through, person, letter(1), letter(2))
            seen.append(await waiting(store, person))

    try:
        stores = [store, *others]
        await asyncio.gather(*(write(stores[each % len(stores)]) for each in range(WRITERS)))
    finally:
        for each in others:
            await each.close()
    last = await waiting(store, person)
    assert len(last) == WRITERS * EACH
    assert [mail for mail in seen if mail != last[: len(mail)]] == []
    assert len({len(mail) for mail in seen}) >= EACH


async def test_each_writer_reads_its_own_messages_in_its_order(store: RelayStore) -> None:
    person = await Person.registered(store)

    async def write(writer: int) -> None:
        for number in range(EACH):
            await sent(store, person, letter(1, bytes([writer, number])))

    await asyncio.gather(*map(write, range(WRITERS)))
    texts = [mail.message for mail in await waiting(store, person)]
    for writer in range(WRITERS):
        assert [text[1] for text in texts if text[0] == writer] == list(range(EACH))


async def test_a_reader_that_acknowledges_as_it_goes_misses_nothing(store: RelayStore) -> None:
    person = await Person.registered(store)
    read: list[Mail] = []

    async def write() -> None:
        for _ in range(EACH):
            await sent(store, person, letter(1))

    async def reads() -> None:
        async with store.watch(person.key, 1) as watch:
            while len(read) < WRITERS * EACH:
                mail = await store.fetch(person.key, 1, 5, 10**6, frozenset())
                read.extend(mail)
                await store.acknowledge(person.key, person.listed(1), [each.id for each in mail])
                if not mail:
                    assert await watch.wait(30)

    await asyncio.gather(reads(), *(write() for _ in range(WRITERS)))
    assert len({mail.id for mail in read}) == len(read) == WRITERS * EACH
    assert await waiting(store, person) == []
