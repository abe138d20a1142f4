"""The rows of a client about addresses: read as they were written, and nothing else is read."""

from dataclasses import replace
from typing import Any, Final

import pytest

from letterlock._records.entry import encode_entry
from letterlock.client._address_rows import (
    ClaimRow,
    Invited,
    InvitedState,
    decode_claimed,
    decode_invited,
    encode_claimed,
    encode_invited,
)
from letterlock.errors import CorruptStore
from letterlock.recovery import OwnerSecret

FIELDS: Final[list[Any]] = ["mail", "a@b.c", 7, bytes(32), 0, 0, None, None, [], ""]


def test_a_row_is_read_as_it_was_written() -> None:
    plain = Invited("mail", "a@b.c", 7, OwnerSecret(bytes(range(32))))
    full = replace(
        plain,
        state=InvitedState.WITHDRAWN,
        told=2,
        keys=bytes(64),
        user_id=bytes(32),
        grants=(bytes(32), bytes([1]) * 32),
        key_server="https://keys.example",
    )
    for each in (plain, full):
        assert encode_invited(decode_invited(encode_invited(each))).expose() == encode_invited(each).expose()
    row = ClaimRow(bytes(32), 1)
    assert decode_claimed(encode_claimed(row)) == row


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (0, "NO"), (0, 1), (1, ""), (1, "x" * 321), (2, -1), (2, 2**63), (3, bytes(31)), (4, 3), (5, 4),
        (6, bytes(32)), (7, bytes(31)), (8, [bytes(31)]), (8, [bytes(32)] * 25), (8, None), (8, ["x" * 32]),
        (9, None), (9, "x" * 513),
    ],
)  # fmt: skip
def test_what_is_no_row_of_an_invitation(at: int, wrong: Any) -> None:
    with pytest.raises(CorruptStore):
        decode_invited(encode_entry(*FIELDS[:at], wrong, *FIELDS[at + 1 :]))


@pytest.mark.parametrize("wrong", [(bytes(31), 0), (bytes(32), 4), (None, 0), (bytes(32),)])
def test_what_is_no_row_of_a_claim(wrong: Any) -> None:
    with pytest.raises(CorruptStore):
        decode_claimed(encode_entry(*wrong))
