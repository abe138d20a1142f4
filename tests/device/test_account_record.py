"""The account's own record at its limits, and where the ids of a new account begin."""

from dataclasses import replace
from typing import Any

import cbor2
import pytest

from letterlock._device.account_record import AccountRecord, new_account
from letterlock._records.account import decode_account, encode_account
from letterlock.errors import CorruptStore, UsageError
from letterlock.limits import MAX_ID
from letterlock.stores._interface import Record
from support.pair import ALICE, entropy_of, plain

PROFILE = new_account(ALICE, entropy_of("profile"))
LAST: dict[str, Any] = {
    "next_id": MAX_ID + 1,
    "signed_id": MAX_ID,
    "last_resort_id": MAX_ID,
    "rotated": 2**63 - 1,
}
"""The greatest of each. After the last id the next one is one more: there is none to take then."""


@pytest.mark.parametrize(("drawn", "first"), [(0x00, 1), (0xFF, 2**24)])
def test_ids_begin_where_three_random_bytes_say_and_never_at_zero(drawn: int, first: int) -> None:
    """HAND-10: id 0 is what a profile has that has no prekey yet."""
    drawings: list[int] = []

    def entropy(length: int) -> bytes:
        drawings.append(length)
        return bytes([drawn]) * length

    assert new_account(ALICE, entropy).next_id == first
    assert drawings == [32, 3]


def test_a_profile_comes_back_as_it_was() -> None:
    for changes in ({}, *({name: most} for name, most in LAST.items()), LAST):
        profile = replace(PROFILE, **changes)
        assert plain(decode_account(encode_account(profile))) == plain(profile)


def test_no_field_of_a_profile_stands_in_the_place_of_another() -> None:
    profile = replace(PROFILE, next_id=1, signed_id=2, last_resort_id=3, rotated=4)
    assert cbor2.loads(encode_account(profile).expose())[4:] == [1, 2, 3, 4]


@pytest.mark.parametrize("name", LAST)
@pytest.mark.parametrize("wrong", ["one more", "less than nothing"])
def test_a_number_out_of_range_does_not_read(name: str, wrong: str) -> None:
    fields = cbor2.loads(encode_account(PROFILE).expose())
    fields[4 + [*LAST].index(name)] = LAST[name] + 1 if wrong == "one more" else -1
    with pytest.raises(CorruptStore):
        decode_account(Record(cbor2.dumps(fields)))


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_ids_are_taken_to_the_last(count: int) -> None:
    def beginning(next_id: int) -> AccountRecord:
        return replace(PROFILE, next_id=next_id)

    assert beginning(MAX_ID + 1 - count).take_ids(count) == range(MAX_ID + 1 - count, MAX_ID + 1)
    with pytest.raises(UsageError, match="used up"):
        beginning(MAX_ID + 2 - count).take_ids(count)
