"""Several relay processes on one database: a store of its own stands for each of them."""

import asyncio
import random
from typing import Final

from letterlock.relay import Delivered, RelayStore, open_store
from support.relay_rows import Person, letter, send, sent, waiting

PROCESSES: Final = 3
ROOM: Final = 10


async def opened(url: str) -> list[RelayStore]:
    return [await open_store(url).open() for _ in range(PROCESSES)]


async def close(stores: list[RelayStore]) -> None:
    for each in stores:
        await each.close()


async def test_a_quota_is_exact_when_processes_race(store: RelayStore, url: str) -> None:
    person = await Person.registered(store)
    others = await opened(url)
    answers = await asyncio.gather(
        *(
            random.choice(others).deliver(person.key, send(person.head, letter(1), room=(ROOM, 1000)))
            for _ in range(3 * ROOM)
        )
    )
    assert answers.count(Delivered()) == ROOM
    assert answers.count(Delivered(full=1)) == 2 * ROOM
    assert len(await waiting(store, person)) == ROOM
    await close(others)


async def test_one_message_that_all_processes_store_is_there_once(store: RelayStore, url: str) -> None:
    person, mail = await Person.registered(store), letter(1)
    others = await opened(url)
    answers = await asyncio.gather(
        *(each.deliver(person.key, send(person.head, mail)) for each in (*others, *others))
    )
    assert set(answers) == {Delivered()}
    assert await waiting(store, person) == [mail]
    await close(others)


async def test_a_send_that_races_with_a_new_list_is_stored_before_it_or_refused(
    store: RelayStore, url: str
) -> None:
    """No process may know a list that is older than the newest, and store a message that was made for it."""
    others = await opened(url)
    for _ in range(4):
        person = await Person.registered(store, 1, 2)
        before = person.head
        for each in others:  # so that it remembers the list
            await sent(each, person, letter(1))
        sends = [each.deliver(person.key, send(before, letter(1), letter(2))) for each in others]
        *answers, _ = await asyncio.gather(*sends, person.change(store, without=[2]))
        assert set(answers) <= {Delivered(), Delivered(head=person.head)}
        stored = answers.count(Delivered())
        assert len(await waiting(store, person, 1)) == PROCESSES + stored
        assert await waiting(store, person, 2) == []
        for each in others:
            late = await each.deliver(person.key, send(before, letter(1), letter(2)))
            assert late == Delivered(head=person.head)
    await close(others)


async def test_what_one_process_deleted_another_one_does_not_count(store: RelayStore, url: str) -> None:
    person = await Person.registered(store)
    others = await opened(url)
    for each in (*others, *others):
        mail = [letter(1), letter(1)]
        for one in mail:
            await sent(random.choice(others), person, one)
        await each.acknowledge(person.key, person.listed(1), [one.id for one in mail])
        assert (await store.stock(person.key, 1)).messages == 0
    await close(others)
