"""Mail: all devices or none, made for the newest list, in order, acknowledged by ids."""

import asyncio
import os
from dataclasses import replace

import pytest

from letterlock.relay import Delivered, RelayStore, Stock
from support.relay_rows import Person, first_head, letter, send, sent, waiting

BIG = 1 << 22


async def test_a_message_is_found_as_it_was_stored(store: RelayStore) -> None:
    person = await Person.registered(store, 1)
    mail = replace(letter(1, os.urandom(1000)), sender=("ärztin 👩‍⚕️", 2**32 - 1))
    await sent(store, person, mail)
    assert await waiting(store, person) == [mail]
    assert await store.stock(person.key, 1) == Stock(0, 0, 1, 1000)


async def test_a_large_message_is_found_as_it_was_stored(store: RelayStore) -> None:
    person = await Person.registered(store, 1)
    mail = letter(1, os.urandom(768 * 1024))
    await sent(store, person, mail)
    assert await store.fetch(person.key, 1, 1, 1, frozenset()) == [mail]


async def test_each_device_gets_its_own_message(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2, 3)
    one, two = letter(1, b"one"), letter(2, b"two")
    await sent(store, person, one, two)
    assert [await waiting(store, person, device) for device in (1, 2, 3)] == [[one], [two], []]


async def test_devices_of_the_same_number_have_mailboxes_of_their_own(store: RelayStore) -> None:
    person, other = await Person.registered(store), await Person.registered(store)
    mail = letter(1)
    await sent(store, person, mail)
    assert await waiting(store, other) == []
    await store.acknowledge(other.key, other.listed(1), [mail.id])
    assert await waiting(store, person) == [mail]


async def test_the_same_send_again_changes_nothing(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    mail = [letter(1), letter(2)]
    for _ in range(3):
        await sent(store, person, *mail)
    assert await store.stock(person.key, 1) == Stock(0, 0, 1, 5)
    assert await waiting(store, person, 1) + await waiting(store, person, 2) == mail


async def test_a_second_message_with_an_id_is_dropped(store: RelayStore) -> None:
    person = await Person.registered(store)
    first = letter(1, b"first")
    await sent(store, person, first)
    await sent(store, person, replace(first, message=b"another, longer"))
    assert await waiting(store, person) == [first]
    assert await store.stock(person.key, 1) == Stock(0, 0, 1, 5)


async def test_one_id_in_two_mailboxes_is_two_messages(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    mail = letter(1)
    await sent(store, person, mail, replace(mail, device=2))
    await store.acknowledge(person.key, person.listed(1), [mail.id])
    assert await waiting(store, person, 1) == []
    assert await waiting(store, person, 2) == [replace(mail, device=2)]


async def test_nothing_is_sent_to_an_account_that_nobody_made(store: RelayStore) -> None:
    person = Person()
    assert await store.deliver(person.key, send(person.head, letter(1))) == Delivered(unknown=True)


async def test_a_send_of_nothing_is_answered_like_any_other(store: RelayStore) -> None:
    person = Person()
    assert await store.deliver(person.key, send(person.head)) == Delivered(unknown=True)
    await store.create(person.key, person.lists, person.head, replace=False)
    assert await store.deliver(person.key, send(person.head)) == Delivered()
    assert await store.deliver(person.key, send(first_head([1]))) == Delivered(head=person.head)


@pytest.mark.parametrize("what", ["older", "newer", "forked", "empty of devices"])
async def test_a_send_for_another_list_stores_nothing(store: RelayStore, what: str) -> None:
    person = await Person.registered(store, 1, 2)
    before = person.head
    await person.change(store, without=[2] if what == "empty of devices" else [], new=[3])
    wrong = {
        "older": before,
        "newer": replace(person.head, version=3),
        "forked": replace(person.head, hash=os.urandom(32)),
        "empty of devices": before,
    }[what]
    assert await store.deliver(person.key, send(wrong, letter(1), letter(2))) == Delivered(head=person.head)
    assert await waiting(store, person, 1) == []


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_send_to_a_device_that_is_not_listed_stores_nothing(store: RelayStore, place: int) -> None:
    person = await Person.registered(store, 1, 2)
    mail = [letter(1), letter(2)]
    mail.insert(place, letter(3))
    assert await store.deliver(person.key, send(person.head, *mail)) == Delivered(head=person.head)
    assert await waiting(store, person, 1) == await waiting(store, person, 2) == []


async def test_a_send_of_a_head_of_another_account_stores_nothing(store: RelayStore) -> None:
    person = await Person.registered(store, 1)
    assert await store.deliver(person.key, send(first_head([1]), letter(1))) == Delivered(head=person.head)


async def test_no_send_for_the_list_before_is_stored_once_the_next_one_is(store: RelayStore) -> None:
    """Sends race with a new list. Whatever was stored for the old one was stored before the new one was."""
    person = await Person.registered(store, 1, 2)
    old = person.head

    async def write() -> list[Delivered]:
        return [await store.deliver(person.key, send(old, letter(1), letter(2))) for _ in range(20)]

    answers, _ = await asyncio.gather(write(), person.change(store, without=[2]))
    stored = answers.count(Delivered())
    assert answers == [Delivered()] * stored + [Delivered(head=person.head)] * (20 - stored)
    assert len(await waiting(store, person, 1)) == stored
    assert await waiting(store, person, 2) == []


# --- room -----------------------------------------------------------------------------------------------


async def test_a_full_mailbox_takes_no_message_more(store: RelayStore) -> None:
    person = await Person.registered(store)
    mail = [letter(1) for _ in range(4)]
    for each in mail[:3]:
        assert await store.deliver(person.key, send(person.head, each, room=(3, 100))) == Delivered()
    assert await store.deliver(person.key, send(person.head, mail[3], room=(3, 100))) == Delivered(full=1)
    assert await waiting(store, person) == mail[:3]
    await store.acknowledge(person.key, person.listed(1), [mail[0].id])
    assert await store.deliver(person.key, send(person.head, mail[3], room=(3, 100))) == Delivered()


async def test_a_mailbox_takes_no_byte_more(store: RelayStore) -> None:
    person = await Person.registered(store)
    assert await store.deliver(person.key, send(person.head, letter(1), room=(9, 9))) == Delivered()
    assert await store.deliver(person.key, send(person.head, letter(1), room=(9, 9))) == Delivered(full=1)
    smaller = letter(1, b"four")
    assert await store.deliver(person.key, send(person.head, smaller, room=(9, 9))) == Delivered()
    assert await store.stock(person.key, 1) == Stock(0, 0, 2, 9)


@pytest.mark.parametrize("full", [1, 2, 3])
async def test_one_full_mailbox_stops_the_whole_send(store: RelayStore, full: int) -> None:
    person = await Person.registered(store, 1, 2, 3)
    await sent(store, person, letter(full, bytes(10)))
    answer = await store.deliver(
        person.key, send(person.head, *(letter(each, bytes(10)) for each in (1, 2, 3)), room=(9, 19))
    )
    assert answer == Delivered(full=full)
    for device in (1, 2, 3):
        assert len(await waiting(store, person, device)) == (device == full)


async def test_a_repeated_send_finds_room_in_a_full_mailbox(store: RelayStore) -> None:
    person = await Person.registered(store)
    mail = letter(1)
    for _ in range(2):
        assert await store.deliver(person.key, send(person.head, mail, room=(1, 5))) == Delivered()


async def test_senders_at_once_never_overfill_a_mailbox(store: RelayStore) -> None:
    person = await Person.registered(store)
    answers = await asyncio.gather(
        *(store.deliver(person.key, send(person.head, letter(1), room=(7, 1000))) for _ in range(16))
    )
    assert answers.count(Delivered()) == 7
    assert answers.count(Delivered(full=1)) == 9
    assert len(await waiting(store, person)) == 7


# --- fetching -------------------------------------------------------------------------------------------


async def filled(store: RelayStore, count: int, size: int = 10) -> tuple[Person, list[bytes]]:
    person = await Person.registered(store)
    mail = [letter(1, bytes(size), time=100 - place) for place in range(count)]
    for each in mail:
        await sent(store, person, each)
    return person, [each.id for each in mail]


async def test_the_oldest_come_first_whatever_their_times_say(store: RelayStore) -> None:
    person, ids = await filled(store, 5)
    assert [mail.id for mail in await waiting(store, person)] == ids


async def test_a_fetch_is_bounded(store: RelayStore) -> None:
    person, ids = await filled(store, 5)

    async def fetched(most: int, most_bytes: int, *skip: bytes) -> list[bytes]:
        return [mail.id for mail in await store.fetch(person.key, 1, most, most_bytes, frozenset(skip))]

    assert await fetched(3, BIG) == ids[:3]
    assert await fetched(5, 30) == ids[:3]
    assert await fetched(5, 29) == ids[:2]
    assert await fetched(5, 1) == ids[:1]
    assert await fetched(2, BIG, ids[0], ids[2]) == [ids[1], ids[3]]
    assert await fetched(5, 25, ids[0]) == ids[1:3]
    assert await fetched(5, BIG, *ids) == []
    assert await fetched(5, BIG, os.urandom(16)) == ids


async def test_a_fetch_deletes_nothing(store: RelayStore) -> None:
    person, ids = await filled(store, 3)
    for _ in range(3):
        assert [mail.id for mail in await waiting(store, person)] == ids


async def test_nobody_fetches_for_a_device_that_is_not_listed(store: RelayStore) -> None:
    person, _ = await filled(store, 1)
    assert await store.fetch(person.key, 2, 9, BIG, frozenset()) == []
    assert await store.fetch(os.urandom(16), 1, 9, BIG, frozenset()) == []


# --- acknowledging --------------------------------------------------------------------------------------


async def test_what_is_acknowledged_is_gone_and_nothing_else(store: RelayStore) -> None:
    person, ids = await filled(store, 5)
    await store.acknowledge(person.key, person.listed(1), [ids[3], ids[1]])
    assert [mail.id for mail in await waiting(store, person)] == [ids[0], ids[2], ids[4]]
    assert await store.stock(person.key, 1) == Stock(0, 0, 3, 30)


async def test_ids_that_are_not_there_are_no_error(store: RelayStore) -> None:
    person, ids = await filled(store, 2)
    await store.acknowledge(person.key, person.listed(1), [os.urandom(16), ids[0], ids[0], os.urandom(16)])
    for nothing in ([ids[0]], []):
        assert await store.acknowledge(person.key, person.listed(1), nothing)
    assert not await store.acknowledge(person.key, person.listed(9), [ids[1]])
    assert not await store.acknowledge(os.urandom(16), person.listed(1), [ids[1]])
    assert [mail.id for mail in await waiting(store, person)] == ids[1:]
    assert await store.stock(person.key, 1) == Stock(0, 0, 1, 10)


async def test_all_256_ids_of_one_call_are_deleted(store: RelayStore) -> None:
    person = await Person.registered(store)
    mail = [letter(1) for _ in range(256)]
    await asyncio.gather(*(sent(store, person, each) for each in mail))
    await store.acknowledge(person.key, person.listed(1), [each.id for each in mail])
    assert await store.stock(person.key, 1) == Stock(0, 0, 0, 0)


async def test_many_who_acknowledge_the_same_count_it_once(store: RelayStore) -> None:
    person, ids = await filled(store, 3)
    await asyncio.gather(*(store.acknowledge(person.key, person.listed(1), ids[:2]) for _ in range(8)))
    assert await store.stock(person.key, 1) == Stock(0, 0, 1, 10)
