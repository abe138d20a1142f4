"""One signature for many things: each leaf verifies with its place, and with no other."""

from dataclasses import replace

import pytest

from letterlock._wire.place import MAX_PATH, Place
from letterlock.documents import Standing
from letterlock.documents._leaves import sign_leaves, verify_leaf
from letterlock.documents._signing import ListsOnRecord
from letterlock.errors import InvalidSignature, MalformedMessage
from support.user_devices import Clock, Person

LEAVES = [f"leaf {at}".encode() for at in range(5)]


def test_each_leaf_verifies_with_its_place() -> None:  # DOC-32
    person = Person("alice", Clock())
    with person.first.transaction():
        places, signed_by = sign_leaves(person.first._desk, LEAVES)
        lists = ListsOnRecord(person.first._desk.book)
        for leaf, place in zip(LEAVES, places, strict=True):
            assert verify_leaf(lists, leaf, place, signed_by) is Standing.LISTED
        wrong = [
            (LEAVES[0], places[1]),
            (LEAVES[1], places[0]),
            (b"leaf 9", places[0]),
            (b"", places[0]),
            (LEAVES[0], replace(places[0], path=(bytes(32), *places[0].path[1:]))),
            (LEAVES[0], replace(places[0], size=6)),
        ]
        for leaf, place in wrong:
            with pytest.raises(InvalidSignature):
                verify_leaf(lists, leaf, place, signed_by)
        for place in (
            Place(0, 1, places[0].path),
            Place(5, 5, places[0].path),
            Place(0, 5, places[0].path[:-1]),
        ):
            with pytest.raises(MalformedMessage):
                verify_leaf(lists, LEAVES[0], place, signed_by)


def test_one_leaf_is_its_own_tree() -> None:
    person = Person("alice", Clock())
    with person.first.transaction():
        (place,), signed_by = sign_leaves(person.first._desk, [b"alone"])
        assert place == Place(0, 1, ())
        verify_leaf(ListsOnRecord(person.first._desk.book), b"alone", place, signed_by)


PLACE = [4, 5, [bytes(32)] * MAX_PATH]


def test_a_place_is_read_again() -> None:
    assert Place.from_fields(PLACE).fields() == PLACE


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [4, 5],
        [*PLACE, 1],
        [5, 5, []],
        [-1, 5, []],
        [4, 2**32, []],
        [2**32 - 1, 2**32 - 1, []],
        [0, 0, []],
        [4, 5, [bytes(31)]],
        [4, 5, [None]],
        [4, 5, ["x" * 32]],
        [4, 5, [bytes(32)] * (MAX_PATH + 1)],
        [4, 5, None],
        [True, 5, []],
        [4.0, 5, []],
    ],
)
def test_what_is_no_place(wrong: object) -> None:
    with pytest.raises(MalformedMessage):
        Place.from_fields(wrong)
