"""Prekeys: uploads that happen once, and bundles that no two claims get."""

import asyncio
import os
from dataclasses import replace
from typing import Any

import pytest

from letterlock.relay import Published, RateLimited, RelayStore, Stock
from support.relay_rows import NOW, Person, is_last_resort, page


async def claimed(store: RelayStore, person: Person, device: int = 1, *, now: int = NOW) -> bytes | None:
    """Claim a bundle by a claim and a requester of which nobody heard before."""
    (bundle,) = await store.claim(person.key, [device], os.urandom(16), os.urandom(16), now)
    return bundle


async def stocked(store: RelayStore, count: int = 3, devices: int = 1) -> Person:
    person = await Person.registered(store, *range(1, devices + 1))
    for device in range(1, devices + 1):
        assert await store.publish(person.key, person.listed(device), page(1, count), 100) is Published.STORED
    return person


# --- uploads --------------------------------------------------------------------------------------------


async def test_a_page_is_counted(store: RelayStore) -> None:
    person = await stocked(store, 3)
    assert await store.stock(person.key, 1) == Stock(1, 3, 0, 0)


async def test_the_same_page_again_changes_nothing(store: RelayStore) -> None:
    person = await Person.registered(store)
    first = page(5)
    assert await store.publish(person.key, person.listed(1), first, 100) is Published.STORED
    bundle = await claimed(store, person)
    assert await store.publish(person.key, person.listed(1), first, 100) is Published.SAME
    assert await store.stock(person.key, 1) == Stock(5, 2, 0, 0)
    assert bundle not in [await claimed(store, person) for _ in range(3)]


async def test_a_page_that_is_not_the_newest_changes_nothing(store: RelayStore) -> None:
    person = await Person.registered(store)
    assert await store.publish(person.key, person.listed(1), page(5), 100) is Published.STORED
    for number in (1, 4, 5):
        assert await store.publish(person.key, person.listed(1), page(number), 100) is Published.OLDER
    assert await store.stock(person.key, 1) == Stock(5, 3, 0, 0)
    assert [await claimed(store, person) for _ in range(4)][3] == b"last resort 5"


async def test_one_of_many_uploads_of_a_number_is_stored(store: RelayStore) -> None:
    person = await Person.registered(store)
    pages = [page(1) for _ in range(8)]
    answers = await asyncio.gather(
        *(store.publish(person.key, person.listed(1), each, 100) for each in pages)
    )
    assert sorted(answer.name for answer in answers) == ["OLDER"] * 7 + ["STORED"]
    assert await claimed(store, person) == pages[answers.index(Published.STORED)].bundles[0]


async def test_many_uploads_of_one_page_store_it_once(store: RelayStore) -> None:
    person, one = await Person.registered(store), page(1)
    answers = await asyncio.gather(*(store.publish(person.key, person.listed(1), one, 100) for _ in range(8)))
    assert sorted(answer.name for answer in answers) == ["SAME"] * 7 + ["STORED"]
    assert await store.stock(person.key, 1) == Stock(1, 3, 0, 0)


async def test_bundles_beyond_the_stock_are_left_out(store: RelayStore) -> None:
    person = await Person.registered(store)
    one, two, three = page(1, 3), page(2, 3), page(3, 3)
    for each in (one, two, three):
        assert await store.publish(person.key, person.listed(1), each, 5) is Published.STORED
    assert await store.stock(person.key, 1) == Stock(3, 5, 0, 0)
    got = [await claimed(store, person) for _ in range(6)]
    assert got == [*one.bundles, *two.bundles[:2], three.last_resort]


async def test_a_page_with_another_signed_prekey_replaces_all(store: RelayStore) -> None:
    person = await stocked(store, 3)
    new = page(2, 2, signed=9)
    assert await store.publish(person.key, person.listed(1), new, 100) is Published.STORED
    assert await store.stock(person.key, 1) == Stock(2, 2, 0, 0)
    assert [await claimed(store, person) for _ in range(3)] == [*new.bundles, new.last_resort]


async def test_a_page_without_bundles_brings_its_last_resort(store: RelayStore) -> None:
    person = await Person.registered(store)
    await store.publish(person.key, person.listed(1), page(1, 0), 100)
    assert await claimed(store, person) == b"last resort 1"
    await store.publish(person.key, person.listed(1), page(2, 0), 100)
    assert await claimed(store, person) == b"last resort 2"


async def test_nothing_is_uploaded_for_a_device_that_is_not_listed(store: RelayStore) -> None:
    person = await Person.registered(store)
    assert await store.publish(person.key, person.listed(2), page(1), 100) is Published.UNLISTED
    assert await store.publish(os.urandom(16), person.listed(1), page(1), 100) is Published.UNLISTED
    assert await store.stock(person.key, 2) == Stock(0, 0, 0, 0)


async def test_nothing_is_uploaded_for_a_device_of_the_same_number_with_other_keys(store: RelayStore) -> None:
    """RLY-12: the list changed after the page was verified under the keys of the earlier device."""
    person, taker = await Person.registered(store, 1, 2), Person(1)
    earlier = person.listed(2)
    await person.change(store, without=[2], new=[2])
    assert await store.publish(person.key, earlier, page(1), 100) is Published.UNLISTED
    assert await store.publish(person.key, person.listed(2), page(1), 100) is Published.STORED
    assert await store.create(person.key, taker.lists, taker.head, replace=True) is None
    for each in (1, 2):
        assert await store.publish(person.key, person.listed(each), page(2), 100) is Published.UNLISTED
    assert await store.stock(person.key, 1) == Stock(0, 0, 0, 0)
    assert await store.publish(person.key, taker.listed(1), page(1), 100) is Published.STORED


@pytest.mark.parametrize(
    "change",
    [{"device": 2}, {"ed25519": bytes(32)}, {"identity": bytes(32)}, {"added": 2}],
    ids=lambda change: next(iter(change)),
)
async def test_a_page_is_of_the_device_as_it_is_listed(store: RelayStore, change: dict[str, Any]) -> None:
    person = await Person.registered(store, 1)
    there = person.listed(1)
    other = replace(there, **change)
    assert await store.publish(person.key, other, page(1), 100) is Published.UNLISTED
    assert await store.publish(person.key, replace(there, device_class=1), page(1), 100) is Published.STORED


@pytest.mark.parametrize("size", [1, 1800, 9000])
async def test_bundles_of_any_length_come_back_as_they_were(store: RelayStore, size: int) -> None:
    person = await Person.registered(store)
    bundles = tuple(os.urandom(size + place) for place in range(20))
    await store.publish(person.key, person.listed(1), replace(page(1), bundles=bundles), 100)
    assert [await claimed(store, person) for _ in range(20)] == list(bundles)


# --- claims ---------------------------------------------------------------------------------------------


async def test_each_bundle_is_given_once_and_then_the_last_resort(store: RelayStore) -> None:
    person = await stocked(store, 3)
    got = [await claimed(store, person) for _ in range(5)]
    assert len(set(got[:3])) == 3
    assert got[3:] == [b"last resort 1"] * 2
    assert await store.stock(person.key, 1) == Stock(1, 0, 0, 0)


async def test_nothing_is_claimed_where_nothing_is(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    assert await store.claim(person.key, [1, 9], os.urandom(16), os.urandom(16), NOW) == [None, None]
    assert await store.claim(os.urandom(16), [1], os.urandom(16), os.urandom(16), NOW) == [None]
    assert await store.claim(person.key, [], os.urandom(16), os.urandom(16), NOW) == []


async def test_one_claim_gets_a_bundle_of_each_device_in_order(store: RelayStore) -> None:
    person = await stocked(store, 3, devices=3)
    for device in (1, 2, 3):
        new = replace(page(2, signed=2), bundles=(b"of %d" % device,))
        await store.publish(person.key, person.listed(device), new, 9)
    got = await store.claim(person.key, [3, 9, 1, 2], os.urandom(16), os.urandom(16), NOW)
    assert got == [b"of 3", None, b"of 1", b"of 2"]


async def test_a_repeated_claim_gets_the_same_bundles(store: RelayStore) -> None:
    person = await stocked(store, 3, devices=2)
    claim, requester = os.urandom(16), os.urandom(16)
    first = await store.claim(person.key, [1, 2], claim, requester, NOW)
    between = await claimed(store, person)
    for later in (0, 1, 299):
        assert await store.claim(person.key, [1, 2], claim, requester, NOW + later) == first
    assert between not in first
    assert (await store.stock(person.key, 1)).bundles == 1


async def test_repeated_claims_at_once_get_one_bundle(store: RelayStore) -> None:
    person = await stocked(store, 9)
    claim, requester = os.urandom(16), os.urandom(16)
    got = await asyncio.gather(*(store.claim(person.key, [1], claim, requester, NOW) for _ in range(16)))
    assert len({bundle for (bundle,) in got}) == 1
    assert (await store.stock(person.key, 1)).bundles == 8


async def test_a_claim_of_another_requester_is_another_claim(store: RelayStore) -> None:
    person, claim = await stocked(store), os.urandom(16)
    got = [await store.claim(person.key, [1], claim, os.urandom(16), NOW) for _ in range(2)]
    assert got[0] != got[1]


async def test_a_repeated_claim_after_all_is_used_up_gets_its_bundle(store: RelayStore) -> None:
    person = await stocked(store, 1)
    claim, requester = os.urandom(16), os.urandom(16)
    first = await store.claim(person.key, [1], claim, requester, NOW)
    assert is_last_resort(await claimed(store, person))
    await store.publish(person.key, person.listed(1), page(2), 100)
    assert await store.claim(person.key, [1], claim, requester, NOW) == first


@pytest.mark.parametrize("racers", [2, 16])
async def test_racers_get_each_bundle_once(store: RelayStore, racers: int) -> None:
    person = await stocked(store, 40)

    async def race() -> list[bytes | None]:
        return [await claimed(store, person) for _ in range(50 // racers)]

    got = [bundle for its in await asyncio.gather(*(race() for _ in range(racers))) for bundle in its]
    single = [bundle for bundle in got if not is_last_resort(bundle)]
    assert len(single) == len(set(single)) == min(40, len(got))
    assert None not in got


async def test_racers_and_uploads_at_once(store: RelayStore) -> None:
    """Pages come while bundles are claimed, some with a new signed prekey. No bundle goes out twice."""
    person = await stocked(store, 9)
    pages = [page(number, 5, signed=1 + number // 3) for number in range(2, 6)]

    async def upload() -> None:
        for each in pages:
            assert await store.publish(person.key, person.listed(1), each, 100) is Published.STORED

    got, _ = await asyncio.gather(asyncio.gather(*(claimed(store, person) for _ in range(30))), upload())
    got += [await claimed(store, person) for _ in range(20)]
    single = [bundle for bundle in got if not is_last_resort(bundle)]
    assert len(single) == len(set(single))
    assert await store.stock(person.key, 1) == Stock(5, 0, 0, 0)


async def test_who_claims_too_often_has_to_wait(store: RelayStore) -> None:
    person, requester = await stocked(store, 20), os.urandom(16)
    for _ in range(6):
        await store.claim(person.key, [1], os.urandom(16), requester, NOW)
    with pytest.raises(RateLimited):
        await store.claim(person.key, [1], os.urandom(16), requester, NOW)
    assert (await store.stock(person.key, 1)).bundles == 14
    assert not is_last_resort(await claimed(store, person))
    await store.claim(person.key, [1], os.urandom(16), requester, NOW + 600)


@pytest.mark.parametrize("order", [[1, 2], [2, 1]])
async def test_a_claim_that_is_refused_for_one_device_takes_of_none(
    store: RelayStore, order: list[int]
) -> None:
    person, requester = await stocked(store, 20, devices=2), os.urandom(16)
    for _ in range(6):
        await store.claim(person.key, [2], os.urandom(16), requester, NOW)
    with pytest.raises(RateLimited):
        await store.claim(person.key, order, os.urandom(16), requester, NOW)
    assert (await store.stock(person.key, 1)).bundles == 20
    assert (await store.stock(person.key, 2)).bundles == 14


async def test_a_device_that_all_claim_from_keeps_the_rest_of_its_stock(store: RelayStore) -> None:
    person = await stocked(store, 90)
    got = await asyncio.gather(*(claimed(store, person) for _ in range(80)))
    assert sum(not is_last_resort(bundle) for bundle in got) == 60
    assert (await store.stock(person.key, 1)).bundles == 30
