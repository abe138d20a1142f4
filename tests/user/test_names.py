"""A contact is found by its user id: which name counts, and what a store may say of names."""

import pytest

from letterlock._records.contact import NamesRecord, decode_names, encode_names
from letterlock._wire import cbor
from letterlock.documents._signing import ListsOnRecord
from letterlock.errors import CorruptStore
from letterlock.stores import EntryKind, EntryRow, Record
from letterlock.user import ContactState, User
from letterlock.user._book import Book
from support.user_devices import Clock, Person


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def bob(clock: Clock) -> Person:
    return Person("bob", clock)


@pytest.fixture(scope="module")
def carol(clock: Clock) -> Person:
    return Person("carol", clock)


@pytest.fixture
def alice(clock: Clock) -> User:
    return Person("alice", clock).first


def name_of(user: User, person: Person) -> str | None:
    """Return under which name a user finds somebody by the user id."""
    with user.transaction():
        found = user._desk.book.contact_of(person.first.user_id)
        return None if found is None else found.name


def test_a_contact_is_found_by_its_user_id(alice: User, bob: Person, carol: Person) -> None:
    alice.learn("bob", bob.lists)
    assert (name_of(alice, bob), name_of(alice, carol)) == ("bob", None)


def test_of_two_names_for_one_user_the_first_counts(alice: User, bob: Person) -> None:
    for name in ("robert", "bob", "uncle bob"):
        alice.learn(name, bob.lists)
    assert name_of(alice, bob) == "bob"


def test_a_name_that_goes_to_another_user_leaves_the_one_before(
    alice: User, bob: Person, carol: Person
) -> None:
    alice.learn("robert", bob.lists)
    alice.learn("bob", bob.lists)
    alice.learn("bob", carol.lists)
    assert alice.contact("bob").state is ContactState.CONFLICTING
    assert (name_of(alice, bob), name_of(alice, carol)) == ("bob", None)
    alice.contact("bob").replace()
    assert (name_of(alice, bob), name_of(alice, carol)) == ("robert", "bob")


def test_nothing_is_left_of_a_user_without_a_name(alice: User, bob: Person, carol: Person) -> None:
    alice.learn("bob", bob.lists)
    alice.learn("bob", carol.lists)
    alice.contact("bob").replace()
    with alice.transaction():
        rows = alice._desk.book.store.tables.entries.all(EntryKind.NAMES)
        assert [each.key for each in rows] == [carol.first.user_id]


def test_finding_an_author_reads_no_other_contact(
    alice: User, bob: Person, carol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.learn("bob", bob.lists)
    monkeypatch.delattr(Book, "contacts")
    with alice.transaction():
        lists = ListsOnRecord(alice._desk.book)
        assert lists.newest(bob.first.user_id) == bob.lists[-1].snapshot
        assert lists.newest(carol.first.user_id) is None


@pytest.mark.parametrize("other", [("carol",), ("nobody",)])
def test_a_row_that_names_another_user_is_refused(
    alice: User, bob: Person, carol: Person, other: tuple[str, ...]
) -> None:
    alice.learn("bob", bob.lists)
    alice.learn("carol", carol.lists)
    with alice.transaction():
        row = EntryRow(EntryKind.NAMES, bob.first.user_id, None, encode_names(NamesRecord(other)))
        alice._desk.book.store.tables.entries.save(row)
    with pytest.raises(CorruptStore):
        name_of(alice, bob)


@pytest.mark.parametrize(
    "fields",
    [
        [1, []],
        [1, ["b", "a"]],
        [1, ["a", "a"]],
        [1, [b"a"]],
        [1, ["a", 1]],
        [1, [""]],
        [1, ["a\n"]],
        [1, "a"],
        [1],
        [2, ["a"]],
        [1, ["a"], None],
    ],
)
def test_a_record_that_holds_no_names_in_order_is_refused(fields: cbor.Value) -> None:
    whole = NamesRecord(("a", "b"))
    assert decode_names(encode_names(whole)) == whole
    with pytest.raises(CorruptStore):
        decode_names(Record(cbor.encode(fields)))
