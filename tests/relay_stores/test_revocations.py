"""A device that was revoked after the relay found it in the list, or whose account was replaced."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest

from letterlock.relay import ListedKey, Opened, Published, RelayStore, Stock
from support.relay_rows import NOW, Person, letter, next_head, page, sent, waiting

Change = Callable[[RelayStore, Person], Awaitable[None]]


async def revoked(store: RelayStore, person: Person) -> None:
    """Revoke device 2."""
    await person.change(store, without=[2])


async def added_again(store: RelayStore, person: Person) -> None:
    """Give the number 2 to another device."""
    await person.change(store, without=[2], new=[2])


async def replaced(store: RelayStore, person: Person) -> None:
    """Give the account to another user, who has a device 2 as well."""
    other = Person(1, 2)
    assert await store.create(person.key, other.lists, other.head, replace=True) is None
    person.head = other.head


CHANGES = pytest.mark.parametrize("change", [revoked, added_again, replaced])
REPLACEMENTS = pytest.mark.parametrize("change", [added_again, replaced])


async def changed(store: RelayStore, change: Change) -> tuple[Person, ListedKey]:
    """Return an account after a change, and its device 2 as it was found before."""
    person = await Person.registered(store, 1, 2)
    before = person.listed(2)
    await change(store, person)
    return person, before


@REPLACEMENTS
async def test_no_mail_of_the_device_that_has_the_number_now_is_deleted(
    store: RelayStore, change: Change
) -> None:
    person, before = await changed(store, change)
    mail = letter(2)
    await sent(store, person, mail)
    assert not await store.acknowledge(person.key, before, [mail.id])
    assert await waiting(store, person, 2) == [mail]
    assert await store.acknowledge(person.key, person.listed(2), [mail.id])
    assert await waiting(store, person, 2) == []


@REPLACEMENTS
async def test_no_counter_of_the_device_that_has_the_number_now_is_advanced(
    store: RelayStore, change: Change
) -> None:
    person, before = await changed(store, change)
    assert await store.advance(person.key, before, 2**63 - 1) is None
    assert await store.advance(person.key, person.listed(2), 1) == 0


@CHANGES
async def test_nothing_is_written_for_it(store: RelayStore, change: Change) -> None:
    person, before = await changed(store, change)
    place = os.urandom(16)
    assert await store.advance(person.key, before, 5) is None
    assert not await store.acknowledge(person.key, before, [os.urandom(16)])
    assert await store.open_place(place, person.key, before, NOW + 600) is Opened.UNLISTED
    assert await store.publish(person.key, before, page(1), 100) is Published.UNLISTED
    assert await store.place_owner(place, NOW) is None
    assert not await store.put(place, 1, 0, 1, b"data", NOW)
    assert await store.stock(person.key, 2) == Stock(0, 0, 0, 0)


async def test_a_place_of_somebody_else_is_not_shown_to_it(store: RelayStore) -> None:
    person, before = await changed(store, revoked)
    other, place = await Person.registered(store), os.urandom(16)
    await store.open_place(place, other.key, other.listed(1), NOW + 600)
    assert await store.open_place(place, person.key, before, NOW + 600) is Opened.UNLISTED
    assert await store.place_owner(place, NOW) == other.key


async def test_another_class_makes_no_other_device(store: RelayStore) -> None:
    person = await Person.registered(store)
    mail, before = letter(1), person.listed(1)
    await sent(store, person, mail)
    other_class = ListedKey(1, before.ed25519, before.identity, 1, before.added)
    assert await store.acknowledge(person.key, other_class, [mail.id])
    assert await store.advance(person.key, other_class, 5) == 0
    assert await store.open_place(os.urandom(16), person.key, other_class, NOW + 600) is Opened.OPEN


@pytest.mark.parametrize("field", ["ed25519", "identity", "added"])
async def test_other_keys_make_another_device(store: RelayStore, field: str) -> None:
    person = await Person.registered(store)
    listed = person.listed(1)
    fields = {"ed25519": listed.ed25519, "identity": listed.identity, "added": 1}
    fields[field] = 2 if field == "added" else os.urandom(32)
    other = ListedKey(1, device_class=0, **fields)  # type: ignore[arg-type]
    assert not await store.acknowledge(person.key, other, [])
    assert await store.advance(person.key, other, 5) is None
    assert await store.open_place(os.urandom(16), person.key, other, NOW + 600) is Opened.UNLISTED


async def test_what_comes_at_the_same_time_as_a_revocation_is_done_before_it_or_not_at_all(
    store: RelayStore,
) -> None:
    person = await Person.registered(store, 1, 2)
    before = person.listed(2)
    places = [os.urandom(16) for _ in range(4)]
    head = next_head(person.head, without=[2], new=[2])
    mail = letter(2)
    await sent(store, person, mail)

    async def revoke() -> None:
        assert await store.append(person.key, person.head, b"list", head) is None

    calls: list[Awaitable[object]] = [
        *(store.advance(person.key, before, counter) for counter in (5, 6)),
        *(store.open_place(place, person.key, before, NOW + 600) for place in places[:2]),
        revoke(),
        *(store.open_place(place, person.key, before, NOW + 600) for place in places[2:]),
        *(store.acknowledge(person.key, before, [mail.id]) for _ in range(2)),
        store.advance(person.key, before, 7),
    ]
    answers = await asyncio.gather(*calls)
    for place, answer in zip(places, [*answers[2:4], *answers[5:7]], strict=True):
        owner = await store.place_owner(place, NOW)
        assert (answer, owner) in {(Opened.OPEN, person.key), (Opened.UNLISTED, None)}
    person.head = head
    assert await store.advance(person.key, person.listed(2), 1) == 0
    assert await store.stock(person.key, 2) == Stock(0, 0, 0, 0)
    assert await store.advance(person.key, before, 9) is None
