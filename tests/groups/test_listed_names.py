"""Names for a group's shelf: the secret of the epoch opens them, and nothing else does. GRP-49 GRP-50"""

import os
from dataclasses import replace
from typing import Any

import pytest

from letterlock._primitives.secret import Secret
from letterlock._wire import cbor
from letterlock._wire.parcel import Introduction, ItemKind, Parcel, ParcelItem
from letterlock._wire.relay_shelf import ShelfKind
from letterlock.documents._granted_key import WrapSecret
from letterlock.documents._parcels import open_for_group, parcel_for_collection, parcel_for_group
from letterlock.errors import AuthenticationFailed
from letterlock.groups._groups import group_desk_behind
from letterlock.groups._names import open_names, seal_names
from support.group_town import GroupTown
from support.pair import flipped

NAMES = {bytes([each]) * 32: f"member {each}" for each in range(1, 200)}


def sealed(town: GroupTown, group: bytes, name: str = "alice") -> list[bytes]:
    with town.user(name).transaction():
        found = seal_names(group_desk_behind(town.at(name)), group, NAMES)
    assert found is not None
    return found


def opened(town: GroupTown, group: bytes, data: bytes, name: str = "bob") -> list[tuple[bytes, str]]:
    with town.user(name).transaction():
        return open_names(group_desk_behind(town.at(name)), group, data)


def secret(town: GroupTown, group: bytes) -> Any:
    with town.user("alice").transaction():
        record = group_desk_behind(town.at("alice")).book.epoch(group, 1)
    assert record is not None
    return record.secret


def test_a_member_opens_all_names() -> None:
    town = GroupTown("alice", "bob")
    group = town.new("alice", "bob")
    parcels = sealed(town, group)
    assert len(parcels) == 4
    assert dict(pair for each in parcels for pair in opened(town, group, each)) == NAMES


def test_whoever_was_removed_opens_no_later_names_and_a_newcomer_no_earlier_ones() -> None:
    town = GroupTown("alice", "bob", "carol")
    group = town.new("alice", "bob")
    before = sealed(town, group)[0]
    town.give("alice", town.at("alice").remove(group, ["bob"]))
    town.give("alice", town.at("alice").renew(group))
    town.give("alice", town.at("alice").add(group, ["carol"]))
    town.sync(group)
    after = sealed(town, group)[0]
    assert opened(town, group, before, "bob")
    assert not opened(town, group, after, "bob")
    assert opened(town, group, after, "carol")
    assert not opened(town, group, before, "carol")


def test_names_are_of_one_group_and_one_epoch() -> None:
    town = GroupTown("alice", "bob")
    group, other = town.new("alice", "bob"), town.new("alice", "bob")
    (parcel, *_) = sealed(town, group)
    assert not opened(town, other, parcel)
    moved = replace(Parcel.decode(parcel), number=2)
    with pytest.raises(AuthenticationFailed):
        open_for_group(secret(town, group), group, moved)
    for wrong in (replace(Parcel.decode(parcel), kind=ShelfKind.USER), replace(moved, sealed=b"short")):
        with pytest.raises(AuthenticationFailed):
            open_for_group(secret(town, group), group, wrong)
    item = ParcelItem(ItemKind.INTRODUCTION, Introduction(bytes(32), "bob").encode())
    key = WrapSecret(secret(town, group).expose())
    assert not opened(town, group, parcel_for_collection(key, group, 1, [item], os.urandom))


def test_what_is_no_list_says_nothing() -> None:
    town = GroupTown("alice", "bob")
    group = town.new("alice", "bob")
    (parcel, *_) = sealed(town, group)
    for wrong in (b"", b"\x00", os.urandom(300), flipped(parcel, -1), flipped(parcel, 60), parcel[:-1]):
        assert not opened(town, group, wrong)


@pytest.mark.parametrize("data", [b"\x00", cbor.encode([bytes(31), "bob"]), cbor.encode([bytes(32), ""])])
def test_a_list_with_a_malformed_name_says_nothing(data: bytes) -> None:
    town = GroupTown("alice", "bob")
    group = town.new("alice", "bob")
    good = ParcelItem(ItemKind.INTRODUCTION, Introduction(bytes(32), "bob").encode())
    of_later = ParcelItem(200, b"of a later release")
    key: Secret = secret(town, group)
    assert opened(town, group, parcel_for_group(key, group, 1, [of_later, good], os.urandom)) == [
        (bytes(32), "bob")
    ]
    bad = ParcelItem(ItemKind.INTRODUCTION, data)
    assert not opened(town, group, parcel_for_group(key, group, 1, [good, bad], os.urandom))


def test_without_the_secret_nothing_is_sealed() -> None:
    town = GroupTown("alice", "bob")
    town.letters.lost.add(town.user("bob").address)
    change = town.at("alice").create("team", ["bob"])
    town.give("alice", change)
    town.sync(change.group)
    with town.user("bob").transaction():
        assert seal_names(group_desk_behind(town.at("bob")), change.group, NAMES) is None
