"""The account record at the limits of its fields, and the first prekey id of a new account."""

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

ACCOUNT = new_account(ALICE, entropy_of("profile"))
GREATEST: dict[str, Any] = {
    "next_id": MAX_ID + 1,
    "signed_id": MAX_ID,
    "last_resort_id": MAX_ID,
    "rotated": 2**63 - 1,
}
"""The greatest value of each field. When the last id is taken, `next_id` is one more than it."""


@pytest.mark.parametrize(("drawn", "first"), [(0x00, 1), (0xFF, 2**24)])
def test_the_first_id_comes_from_three_random_bytes_and_is_not_zero(drawn: int, first: int) -> None:
    """HAND-10: in an account record id 0 means that there is no prekey yet."""
    drawn_lengths: list[int] = []

    def entropy(length: int) -> bytes:
        drawn_lengths.append(length)
        return bytes([drawn]) * length

    assert new_account(ALICE, entropy).next_id == first
    assert drawn_lengths == [32, 3]


def test_a_record_decodes_to_the_account_it_was_made_of() -> None:
    for changes in ({}, *({name: greatest} for name, greatest in GREATEST.items()), GREATEST):
        account = replace(ACCOUNT, **changes)
        assert plain(decode_account(encode_account(account))) == plain(account)


def test_each_field_has_its_own_place_in_the_record() -> None:
    account = replace(ACCOUNT, next_id=1, signed_id=2, last_resort_id=3, rotated=4)
    assert cbor2.loads(encode_account(account).expose())[4:] == [1, 2, 3, 4]


@pytest.mark.parametrize("name", GREATEST)
@pytest.mark.parametrize("wrong", ["too great", "negative"])
def test_a_number_out_of_range_is_a_corrupt_store(name: str, wrong: str) -> None:
    fields = cbor2.loads(encode_account(ACCOUNT).expose())
    fields[4 + [*GREATEST].index(name)] = GREATEST[name] + 1 if wrong == "too great" else -1
    with pytest.raises(CorruptStore):
        decode_account(Record(cbor2.dumps(fields)))


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_every_id_up_to_the_last_can_be_taken(count: int) -> None:
    def account_at(next_id: int) -> AccountRecord:
        return replace(ACCOUNT, next_id=next_id)

    assert account_at(MAX_ID + 1 - count).take_ids(count) == range(MAX_ID + 1 - count, MAX_ID + 1)
    with pytest.raises(UsageError, match="used up"):
        account_at(MAX_ID + 2 - count).take_ids(count)
