"""Meeting places, what is spent, what a device showed, and the relay's own secrets."""

import asyncio
import os

from letterlock.relay import Opened, RelayStore
from support.relay_rows import NOW, Person

# --- meeting places -------------------------------------------------------------------------------------


async def opened(store: RelayStore, until: int = NOW + 600) -> tuple[bytes, Person]:
    place, person = os.urandom(16), await Person.registered(store)
    assert await store.open_place(place, person.key, person.listed(1), until) is Opened.OPEN
    return place, person


async def test_what_is_put_is_there(store: RelayStore) -> None:
    place, _ = await opened(store)
    parts = [os.urandom(512 * 1024), b"", b"short"]
    for part, data in enumerate(parts):
        assert await store.put(place, 4, part, 3, data, NOW)
    assert [await store.get(place, 4, part, NOW) for part in range(4)] == [
        *((3, each) for each in parts),
        None,
    ]
    assert await store.get(place, 3, 0, NOW) is None


async def test_the_first_to_put_wins(store: RelayStore) -> None:
    place, _ = await opened(store)
    assert await store.put(place, 1, 0, 1, b"first", NOW)
    assert await store.put(place, 1, 0, 1, b"second", NOW)
    assert await store.get(place, 1, 0, NOW) == (1, b"first")


async def test_one_of_many_who_put_wins(store: RelayStore) -> None:
    place, _ = await opened(store)
    await asyncio.gather(*(store.put(place, 1, 0, 1, b"%d" % each, NOW) for each in range(16)))
    first = await store.get(place, 1, 0, NOW)
    assert first is not None
    assert first[1] in {b"%d" % each for each in range(16)}
    assert await store.get(place, 1, 0, NOW) == first


async def test_nothing_is_put_where_nobody_opened(store: RelayStore) -> None:
    place = os.urandom(16)
    assert not await store.put(place, 1, 0, 1, b"data", NOW)
    assert await store.get(place, 1, 0, NOW) is None
    assert await store.place_owner(place, NOW) is None
    person = await Person.registered(store)
    assert await store.open_place(place, person.key, person.listed(1), NOW + 600) is Opened.OPEN
    assert await store.get(place, 1, 0, NOW) is None


async def test_a_place_ends_by_time(store: RelayStore) -> None:
    place, person = await opened(store, NOW + 600)
    assert await store.put(place, 1, 0, 1, b"data", NOW + 599)
    assert await store.place_owner(place, NOW + 599) == person.key
    for now in (NOW + 600, NOW + 10_000):
        assert await store.place_owner(place, now) is None
        assert await store.get(place, 1, 0, now) is None
        assert not await store.put(place, 2, 0, 1, b"late", now)
    assert await store.get(place, 2, 0, NOW) is None


async def test_a_place_belongs_to_one_account(store: RelayStore) -> None:
    place, person = await opened(store)
    other = await Person.registered(store)
    assert await store.open_place(place, other.key, other.listed(1), NOW + 900) is Opened.TAKEN
    assert await store.place_owner(place, NOW) == person.key


async def test_opening_a_place_again_keeps_it_open_no_longer(store: RelayStore) -> None:
    place, person = await opened(store, NOW + 600)
    await store.put(place, 1, 0, 1, b"data", NOW)
    assert await store.open_place(place, person.key, person.listed(1), NOW + 9000) is Opened.OPEN
    assert await store.get(place, 1, 0, NOW) == (1, b"data")
    assert await store.place_owner(place, NOW + 600) is None


async def test_one_of_many_accounts_opens_a_place(store: RelayStore) -> None:
    place = os.urandom(16)
    people = [await Person.registered(store) for _ in range(8)]
    answers = await asyncio.gather(
        *(store.open_place(place, each.key, each.listed(1), NOW + 600) for each in people)
    )
    assert answers.count(Opened.OPEN) == 1
    assert answers.count(Opened.TAKEN) == 7
    assert await store.place_owner(place, NOW) == people[answers.index(Opened.OPEN)].key


async def test_places_do_not_mix(store: RelayStore) -> None:
    (one, _), (two, _) = await opened(store), await opened(store)
    await store.put(one, 1, 0, 1, b"one", NOW)
    assert await store.get(two, 1, 0, NOW) is None


# --- spent values ---------------------------------------------------------------------------------------


async def test_a_value_is_spent_once(store: RelayStore) -> None:
    account, value = os.urandom(16), os.urandom(32)
    assert await store.spend(account, value, NOW + 300, NOW)
    for now in (NOW, NOW + 299):
        assert not await store.spend(account, value, NOW + 300, now)
        assert not await store.spend(account, value, NOW + 9000, now)


async def test_values_and_accounts_do_not_mix(store: RelayStore) -> None:
    account, value = os.urandom(16), os.urandom(16)
    assert await store.spend(account, value, NOW + 300, NOW)
    assert await store.spend(account, os.urandom(16), NOW + 300, NOW)
    assert await store.spend(account, value + bytes(16), NOW + 300, NOW)
    assert await store.spend(os.urandom(16), value, NOW + 300, NOW)


async def test_one_of_many_who_spend_a_value_may(store: RelayStore) -> None:
    account, value = os.urandom(16), os.urandom(16)
    answers = await asyncio.gather(*(store.spend(account, value, NOW + 300, NOW) for _ in range(16)))
    assert answers.count(True) == 1


async def test_what_was_spent_stays_spent_when_the_account_is_replaced(store: RelayStore) -> None:
    person, other, value = await Person.registered(store), Person(), os.urandom(16)
    assert await store.spend(person.key, value, NOW + 300, NOW)
    await store.create(person.key, other.lists, other.head, replace=True)
    assert not await store.spend(person.key, value, NOW + 300, NOW)


# --- counters -------------------------------------------------------------------------------------------


async def test_a_counter_that_went_back_is_told(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    shown = (5, 7, 6, 0, 7, 2**63 - 1, 1)
    answers = [await store.advance(person.key, person.listed(1), counter) for counter in shown]
    assert answers == [0, 5, 7, 7, 7, 7, 2**63 - 1]
    assert await store.advance(person.key, person.listed(2), 1) == 0


async def test_many_counters_at_once_keep_the_greatest(store: RelayStore) -> None:
    person = await Person.registered(store)
    answers = await asyncio.gather(
        *(store.advance(person.key, person.listed(1), counter) for counter in range(1, 17))
    )
    assert await store.advance(person.key, person.listed(1), 0) == 16
    assert all(before is not None and 0 <= before <= 16 for before in answers)


async def test_a_counter_outlives_a_list_that_keeps_its_device(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    for device in (1, 2):
        await store.advance(person.key, person.listed(device), 5)
    await person.change(store, without=[2], new=[2, 3])
    assert [await store.advance(person.key, person.listed(device), 1) for device in (1, 2, 3)] == [5, 0, 0]


async def test_nobody_advances_the_counter_of_a_device_that_is_not_listed(store: RelayStore) -> None:
    person = await Person.registered(store)
    assert await store.advance(person.key, person.listed(9), 5) is None
    assert await store.advance(os.urandom(16), person.listed(1), 5) is None


# --- secrets --------------------------------------------------------------------------------------------


async def test_the_first_secret_of_a_name_stays(store: RelayStore) -> None:
    assert await store.secret("token", b"first") == b"first"
    assert await store.secret("token", b"second") == b"first"
    assert await store.secret("other", b"third") == b"third"


async def test_many_who_start_at_once_have_one_secret(store: RelayStore) -> None:
    secrets = await asyncio.gather(*(store.secret("token", b"%d" % each) for each in range(16)))
    assert len(set(secrets)) == 1
