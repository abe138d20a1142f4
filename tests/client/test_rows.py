"""The records of a client: they come back as they were, and nothing else is read."""

from dataclasses import fields
from types import ModuleType
from typing import Any

import pytest

from letterlock import Address, MemoryStore
from letterlock._wire import cbor
from letterlock._wire.relay_group import StoredText
from letterlock._wire.relay_shelf import ShelfName
from letterlock.client import _group_rows as group_rows
from letterlock.client import _rows as rows
from letterlock.client import _shelf_rows as shelf_rows
from letterlock.client._group_rows import GroupPlace, GroupPost, HeldText
from letterlock.client._posts import bundled
from letterlock.client._rows import Arrived, Draft, FromGroup, Held, NeedRecord, Notice, OwnRecord, Post
from letterlock.client._shelf_rows import HeldParcel, ParcelRecord, ShelfRecord
from letterlock.client._supply import Supply
from letterlock.client._table import MICROSECONDS, Tables, need_key
from letterlock.errors import CorruptStore
from letterlock.stores import Record
from letterlock.user import Attachment, Need, NeedKind, Outgoing

BOB = Address("bob", 7)
FILE = Attachment("a.txt", "text/plain", b"data")

SAMPLES: list[Any] = [
    OwnRecord("https://relay.example"),
    OwnRecord("https://relay.example", registered=True, number=7, publication=b"bytes"),
    OwnRecord("https://relay.example", supply=Supply(100, 130, 1_000, 255)),
    Post("bob", ((1, b"one"), (7, b"seven"))),
    Post("bob", ((1, b"one"),), (3, bytes(8))),
    Post("bob", ((1, b"one"),), content=bytes(16)),
    NeedRecord(Need(NeedKind.LISTS, "bob", after=4)),
    NeedRecord(Need(NeedKind.BUNDLE, "bob", 7), failures=255),
    Draft("bob", 64, b"body", (FILE,), 1_000),
    Held(BOB, b"message"),
    Arrived(BOB, 1, bytes(16), 1_000, b"body", (FILE,), "carol"),
    Arrived(BOB, 255, bytes(16), 0, b""),
    Arrived(BOB, 1, bytes(16), 0, b"", group=FromGroup(bytes(16), bytes(32), 7)),
    Arrived(None, 1, bytes(16), 0, b"", group=FromGroup(bytes(16), bytes(32), 7, is_late=True)),
    Notice("joined", None, None, (bytes(16), None)),
    Notice("disagrees", None, 7, (bytes(16), bytes(32))),
    Notice("disagrees", None, 7, (bytes(16), bytes(32)), (bytes(32), 3)),
    GroupPlace(7),
    GroupPost(bytes(16), b"body"),
    GroupPost(bytes(16), b"", b"text", 1_000_000, 720, 6, offered=True),
    HeldText(bytes(16), StoredText(7, 1_000, b"text")),
    Notice("conflict", "bob"),
    Notice("of a later release", "bob", 7),
    ParcelRecord(ShelfName.of_user(bytes(32)), b"parcel"),
    ParcelRecord(ShelfName.of_collection(bytes(16)), b"parcel", 720),
    ShelfRecord(),
    ShelfRecord(7, 5, 2, 3),
    HeldParcel(ShelfName.of_user(bytes(32)), b"parcel", bytes(range(32)), 3),
]
CODECS: dict[type, str] = {
    OwnRecord: "own",
    Post: "post",
    NeedRecord: "need",
    Draft: "draft",
    Held: "held",
    Arrived: "arrived",
    Notice: "notice",
    ParcelRecord: "parcel",
    ShelfRecord: "shelf",
    HeldParcel: "held_parcel",
    GroupPlace: "place",
    GroupPost: "group_post",
    HeldText: "held_text",
}
MODULES: dict[str, ModuleType] = {each.__name__: each for each in (rows, shelf_rows, group_rows)}


def encode(value: Any) -> Record:
    record: Record = getattr(codecs_of(type(value)), f"encode_{CODECS[type(value)]}")(value)
    return record


def decode(kind: type, record: Record) -> Any:
    return getattr(codecs_of(kind), f"decode_{CODECS[kind]}")(record)


def codecs_of(kind: type) -> ModuleType:
    return MODULES[kind.__module__]


@pytest.mark.parametrize("value", SAMPLES, ids=lambda value: type(value).__name__)
def test_a_record_comes_back(value: Any) -> None:
    assert decode(type(value), encode(value)) == value


@pytest.mark.parametrize("value", SAMPLES, ids=lambda value: type(value).__name__)
def test_a_record_that_is_changed_is_another_value_or_refused(value: Any) -> None:
    """STO-28: no field may be missing, be more than it should, or be of another type."""
    items: Any = cbor.decode(encode(value).expose())
    for wrong in ([2, *items[1:]], items[:-1], [*items, 0], "text", []):
        with pytest.raises(CorruptStore):
            decode(type(value), Record(cbor.encode(wrong)))
    for at in range(1, len(items)):
        changed = [*items[:at], -1, *items[at + 1 :]]
        with pytest.raises(CorruptStore):
            decode(type(value), Record(cbor.encode(changed)))


@pytest.mark.parametrize("value", SAMPLES, ids=lambda value: type(value).__name__)
def test_a_record_shows_no_text(value: Any) -> None:
    for each in fields(value):
        if each.name in {
            "body",
            "message",
            "messages",
            "publication",
            "attachments",
            "parcel",
            "text",
            "stored",
        }:
            assert f"{each.name}=" not in repr(value)


# --- posts ------------------------------------------------------------------------------------------------


def outgoing(*pairs: tuple[str, int], size: int = 10) -> list[Outgoing]:
    return [Outgoing(Address(name, device), bytes([at]) * size) for at, (name, device) in enumerate(pairs)]


def test_a_post_is_of_one_name_and_has_one_message_for_a_device() -> None:
    posts = bundled(outgoing(("bob", 1), ("bob", 2), ("alice", 2), ("bob", 1), ("bob", 1)))
    assert sorted((each.name, [device for device, _ in each.messages]) for each in posts) == [
        ("alice", [2]),
        ("bob", [1]),
        ("bob", [1]),
        ("bob", [1, 2]),
    ]
    of_bob = [dict(each.messages)[1][0] for each in posts if each.name == "bob"]
    assert of_bob == [0, 3, 4]  # in the order in which they were sealed


def test_a_post_fits_into_a_send() -> None:
    posts = bundled(outgoing(*(("bob", device) for device in range(1, 33)), size=700 * 1024))
    assert sum(len(each.messages) for each in posts) == 32
    assert max(sum(len(message) for _, message in each.messages) for each in posts) <= 4 * 1024 * 1024 - 2048
    many = bundled(outgoing(*(("bob", device) for device in range(1, 101))))
    assert [len(each.messages) for each in many] == [32, 32, 32, 4]


# --- rows -------------------------------------------------------------------------------------------------


def test_rows_come_in_the_order_in_which_they_were_saved() -> None:
    store, time = MemoryStore(), [1_000]
    tables = Tables(store, lambda: time[0], bytes)
    with store.transaction():
        for number in range(5):
            time[0] -= 1  # a clock that runs backwards
            tables.append(tables.arrived, Arrived(BOB, 1, bytes(16), number, b""))
        assert [each.time for _, each in tables.arrived.due()] == [0, 1, 2, 3, 4]
        assert tables.arrived.next_due() == 999 * MICROSECONDS


def test_each_need_has_a_key_of_its_own() -> None:
    needs = [
        Need(NeedKind.LISTS, "bob", after=1),
        Need(NeedKind.LISTS, "bobby", after=1),
        Need(NeedKind.BUNDLE, "bob", 1),
        Need(NeedKind.BUNDLE, "bob", 2),
    ]
    assert len({need_key(each) for each in needs}) == len(needs)
    assert need_key(Need(NeedKind.LISTS, "bob", after=9)) == need_key(needs[0])
