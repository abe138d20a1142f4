"""Accounts and their lists: created once, appended to in order, replaced whole."""

import asyncio
import os

import pytest

from letterlock.errors import StoreError
from letterlock.relay import RelayStore, Stock
from support.relay_rows import Person, first_head, letter, next_head, page, sent, waiting

BIG = 1 << 20


async def test_an_account_is_found_as_it_was_stored(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 7, 2**32 - 1)
    assert await store.head(person.key) == person.head
    assert await store.lists(person.key, 0, 20, BIG) == person.lists


async def test_an_account_that_nobody_made_is_not_found(store: RelayStore) -> None:
    assert await store.head(os.urandom(16)) is None
    assert await store.lists(os.urandom(16), 0, 20, BIG) == []


async def test_a_second_account_of_a_name_changes_nothing(store: RelayStore) -> None:
    person, other = await Person.registered(store), Person()
    assert await store.create(person.key, other.lists, other.head, replace=False) == person.head
    assert await store.head(person.key) == person.head
    assert await store.lists(person.key, 0, 20, BIG) == person.lists


async def test_the_same_account_again_is_answered_with_what_is_there(store: RelayStore) -> None:
    person = await Person.registered(store)
    for replace in (False, True):
        assert await store.create(person.key, person.lists, person.head, replace=replace) == person.head


async def test_a_replacement_by_the_same_user_deletes_nothing(store: RelayStore) -> None:
    person = await Person.registered(store)
    await sent(store, person, letter(1))
    assert await store.create(person.key, person.lists, person.head, replace=True) == person.head
    assert len(await waiting(store, person)) == 1


async def test_an_account_is_replaced_whole(store: RelayStore) -> None:
    person, other = await Person.registered(store, 1, 2), Person(1)
    await sent(store, person, letter(1), letter(2))
    await store.publish(person.key, person.listed(1), page(1), 100)
    await store.advance(person.key, person.listed(1), 9)
    assert await store.create(person.key, other.lists, other.head, replace=True) is None
    assert await store.head(person.key) == other.head
    assert await store.lists(person.key, 0, 20, BIG) == other.lists
    assert await store.stock(person.key, 1) == Stock(0, 0, 0, 0)
    assert await waiting(store, person, 1) == []
    assert await waiting(store, person, 2) == []
    assert await store.advance(person.key, other.listed(1), 1) == 0


async def test_one_of_many_creators_wins(store: RelayStore) -> None:
    people = [Person() for _ in range(16)]
    answers = await asyncio.gather(
        *(store.create(people[0].key, each.lists, each.head, replace=False) for each in people)
    )
    assert answers.count(None) == 1
    winner = people[answers.index(None)]
    assert {answer for answer in answers if answer is not None} == {winner.head}
    assert await store.lists(people[0].key, 0, 20, BIG) == winner.lists


async def test_a_chain_of_several_lists_is_stored_in_order(store: RelayStore) -> None:
    person = Person()
    head = next_head(next_head(person.head))
    lists = [b"one", b"two", b"three"]
    assert await store.create(person.key, lists, head, replace=False) is None
    assert await store.lists(person.key, 0, 20, BIG) == lists
    assert await store.lists(person.key, 1, 20, BIG) == lists[1:]
    assert await store.lists(person.key, 3, 20, BIG) == []
    assert await store.lists(person.key, 2**31, 20, BIG) == []


async def test_an_answer_of_lists_is_bounded_but_never_empty(store: RelayStore) -> None:
    person = Person()
    head = next_head(next_head(person.head))
    lists = [bytes(100), bytes(100), bytes(100)]
    await store.create(person.key, lists, head, replace=False)
    assert await store.lists(person.key, 0, 2, BIG) == lists[:2]
    assert await store.lists(person.key, 0, 20, 200) == lists[:2]
    assert await store.lists(person.key, 0, 20, 199) == lists[:1]
    assert await store.lists(person.key, 0, 20, 1) == lists[:1]


async def test_a_list_is_appended(store: RelayStore) -> None:
    person = await Person.registered(store, 1)
    await person.change(store, new=[2])
    assert await store.head(person.key) == person.head
    assert await store.lists(person.key, 0, 20, BIG) == person.lists


async def test_a_list_after_another_one_than_the_newest_is_refused(store: RelayStore) -> None:
    person = await Person.registered(store, 1)
    first = person.head
    await person.change(store, new=[2])
    assert await store.append(person.key, first, b"late", next_head(first, new=[3])) == person.head
    other = first_head([1])
    assert await store.append(person.key, other, b"fork", next_head(other)) == person.head
    early = next_head(person.head)
    assert await store.append(person.key, early, b"early", next_head(early)) == person.head
    assert await store.head(person.key) == person.head
    assert await store.lists(person.key, 0, 20, BIG) == person.lists


async def test_no_list_is_appended_to_an_account_that_nobody_made(store: RelayStore) -> None:
    person = Person()
    with pytest.raises(StoreError):
        await store.append(person.key, person.head, b"list", next_head(person.head))
    assert await store.head(person.key) is None
    assert await store.lists(person.key, 0, 20, BIG) == []


async def test_one_of_many_appends_wins(store: RelayStore) -> None:
    person = await Person.registered(store, 1)
    heads = [next_head(person.head, new=[device]) for device in range(2, 18)]
    answers = await asyncio.gather(
        *(store.append(person.key, person.head, b"%d" % head.devices[-1].device, head) for head in heads)
    )
    assert answers.count(None) == 1
    winner = heads[answers.index(None)]
    assert {answer for answer in answers if answer is not None} == {winner}
    assert await store.head(person.key) == winner
    assert await store.lists(person.key, 1, 20, BIG) == [b"%d" % winner.devices[-1].device]


async def test_what_belongs_to_a_revoked_device_ends_and_nothing_else(store: RelayStore) -> None:
    person, other = await Person.registered(store, 1, 2), await Person.registered(store, 2)
    await sent(store, person, letter(1), letter(2))
    await sent(store, other, letter(2))
    for whose, device in ((person, 1), (person, 2), (other, 2)):
        await store.publish(whose.key, whose.listed(device), page(1), 100)
    await person.change(store, without=[2])
    assert await waiting(store, person, 2) == []
    assert await store.stock(person.key, 2) == Stock(0, 0, 0, 0)
    assert (await store.stock(person.key, 1)).bundles == 3
    assert (await store.stock(other.key, 2)).bundles == 3
    assert len(await waiting(store, person, 1)) == len(await waiting(store, other, 2)) == 1


async def test_a_device_with_other_keys_inherits_nothing(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    await sent(store, person, letter(2))
    await store.publish(person.key, person.listed(2), page(1), 100)
    await person.change(store, without=[2], new=[2])
    assert await waiting(store, person, 2) == []
    assert await store.stock(person.key, 2) == Stock(0, 0, 0, 0)
    assert await store.head(person.key) == person.head


async def test_a_revoked_device_gets_nothing_and_gives_nothing(store: RelayStore) -> None:
    person = await Person.registered(store, 1, 2)
    await store.publish(person.key, person.listed(2), page(1), 100)
    await person.change(store, without=[2])
    await store.publish(person.key, person.listed(2), page(2), 100)
    await store.advance(person.key, person.listed(2), 5)
    assert await store.claim(person.key, [2], os.urandom(16), os.urandom(16), 0) == [None]
    assert await store.stock(person.key, 2) == Stock(0, 0, 0, 0)
    await store.acknowledge(person.key, person.listed(2), [os.urandom(16)])
