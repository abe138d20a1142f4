"""Mail that is too old, what is over, and counts."""

import os

from letterlock.relay import Counts, Expired, Opened, RelayStore, Stock
from support.relay_rows import NOW, Person, letter, page, sent, waiting


async def expired(store: RelayStore, now: int, mail_before: int = 0) -> Expired:
    """Expire until all is done, and return the sums."""
    messages = other = 0
    for _ in range(100):
        once = await store.expire(now, mail_before)
        messages, other = messages + once.messages, other + once.other
        if not once.more:
            return Expired(messages, other, more=False)
    raise AssertionError("it never ends")


async def test_old_mail_ends_and_no_other(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    old = [letter(1, b"old", NOW - 1), letter(2, b"old", NOW - 100)]
    new = [letter(1, b"new", NOW), letter(1, b"new", NOW + 100)]
    await sent(store, person, *old)
    for each in new:
        await sent(store, person, each)
    assert (await expired(store, NOW, NOW)).messages == 2
    assert await waiting(store, person, 1) == new
    assert await waiting(store, person, 2) == []
    assert await store.stock(person.key, 1) == Stock(0, 0, 2, 6)
    assert await store.stock(person.key, 2) == Stock(0, 0, 0, 0)


async def test_one_message_of_a_time_to_come_keeps_no_other(store: RelayStore) -> None:
    person = await Person.registered(store)
    ahead = letter(1, b"of a clock that was ahead", NOW + 10**6)
    await sent(store, person, ahead)
    for _ in range(3):
        await sent(store, person, letter(1, b"after it", NOW))
    await expired(store, NOW + 1, NOW + 1)
    assert await waiting(store, person) == [ahead]


async def test_much_that_is_old_ends_in_steps(store: RelayStore) -> None:
    person = await Person.registered(store, *range(1, 33))
    for _ in range(20):
        await sent(store, person, *(letter(device, b"old", NOW) for device in range(1, 33)))
    assert (await expired(store, NOW + 1, NOW + 1)).messages == 640
    assert (await store.counts()).messages == 0


async def test_places_and_spent_values_end(store: RelayStore) -> None:
    person, place, value = await Person.registered(store), os.urandom(16), os.urandom(16)
    await store.open_place(place, person.key, person.listed(1), NOW + 10)
    await store.put(place, 1, 0, 1, b"data", NOW)
    await store.spend(person.key, value, NOW + 10, NOW)
    await expired(store, NOW + 9)
    assert await store.get(place, 1, 0, NOW) == (1, b"data")
    assert not await store.spend(person.key, value, NOW + 10, NOW + 9)
    await expired(store, NOW + 11)
    assert await store.get(place, 1, 0, NOW) is None
    other = await Person.registered(store)
    assert await store.open_place(place, other.key, other.listed(1), NOW + 600) is Opened.OPEN
    assert await store.get(place, 1, 0, NOW) is None


async def test_nothing_ends_before_its_time(store: RelayStore) -> None:
    person = await Person.registered(store)
    await sent(store, person, letter(1))
    await store.publish(person.key, person.listed(1), page(1), 100)
    assert await expired(store, NOW, NOW) == Expired(0, 0, more=False)
    assert await store.stock(person.key, 1) == Stock(1, 3, 1, 5)


async def test_expiring_an_empty_store_does_nothing(store: RelayStore) -> None:
    assert await expired(store, NOW, NOW) == Expired(0, 0, more=False)


async def test_what_there_is_is_counted(store: RelayStore) -> None:
    assert await store.counts() == Counts(0, 0, 0, 0, 0)
    one, _ = await Person.registered(store, 1, 2), await Person.registered(store, 1)
    await sent(store, one, letter(1), letter(2))
    await store.publish(one.key, one.listed(1), page(1), 100)
    assert await store.counts() == Counts(2, 3, 3, 2, 10)
