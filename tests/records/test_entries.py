"""The records of entries: what is written is read, and everything else is damage."""

from dataclasses import replace
from typing import Any, Final

import cbor2
import pytest

from letterlock import Address
from letterlock._records.collection import LogState
from letterlock._records.contact import ContactRecord
from letterlock._records.device import DeviceRecord
from letterlock._records.received import ReceivedRecord
from letterlock._records.retry import RetryRecord
from letterlock._records.sent import SentPlace, SentRecord
from letterlock._records.user import UserRecord
from letterlock._wire.content_bodies import RetryCause
from letterlock._wire.device_snapshot import snapshot_hash
from letterlock.errors import CorruptStore
from letterlock.limits import MAX_DEVICES, MAX_EVIDENCE, MAX_SEEDS_AHEAD, MAX_SNAPSHOT
from letterlock.stores import DeferredRecord, Record
from support.content_samples import ID, OWNER, TAG, TEXT
from support.entry_samples import (
    BARE_PIN,
    CODECS,
    CONTACT,
    DEVICE,
    ENTRIES,
    FROZEN,
    HEAD,
    PIN,
    RECEIVED,
    RETRY,
    SENT,
    USER,
    decoded,
    encoded,
    pin,
)
from support.pair import flipped, plain

EVERY: Final = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
Wrong = tuple[object, int, object]

# --- what is read ---------------------------------------------------------------------------------------


@EVERY
def test_an_entry_survives_its_record(entry: object) -> None:
    found = decoded(type(entry), encoded(entry))
    assert plain(found) == plain(entry)
    assert type(found) is type(entry)
    assert encoded(found) == encoded(entry)


@EVERY
def test_a_store_in_memory_gives_what_the_bytes_give(entry: object) -> None:
    encode, decode = CODECS[type(entry)]
    deferred = DeferredRecord(entry, encode)
    assert plain(deferred.decoded(decode)) == plain(decode(Record(deferred.expose())))


@pytest.mark.parametrize("cause", RetryCause)
def test_each_cause_is_read(cause: RetryCause) -> None:
    assert decoded(RetryRecord, encoded(replace(RETRY, cause=cause))).cause is cause


def test_the_limits_are_reached() -> None:
    places = tuple(SentPlace(Address("bob", id_ + 1)) for id_ in range(2 * MAX_DEVICES))
    entries = (
        replace(SENT, places=places),
        replace(CONTACT, renew=tuple(range(1, MAX_DEVICES + 1))),
        replace(DEVICE, renewed=(1,) * 1000),
        replace(FROZEN, evidence=bytes(MAX_EVIDENCE)),
    )
    for entry in entries:
        assert decoded(type(entry), encoded(entry)) == entry


def test_printing_shows_neither_text_nor_key() -> None:
    shown = "".join(map(repr, ENTRIES.values()))
    assert "hello" not in shown
    assert str(USER.signing.expose()[:8])[2:-1] not in shown
    assert "evidence" not in repr(FROZEN)


# --- what is refused --------------------------------------------------------------------------------------

PIN_FIELDS: Final[Any] = PIN.fields()
OTHER: Final = OWNER.lists[0]


def pinned(at: int, value: object) -> object:
    """Return the fields of the pin with another element."""
    return [*PIN_FIELDS[:at], value, *PIN_FIELDS[at + 1 :]]


WRONG_PINS: Final[list[object]] = [
    None, b"", [], PIN_FIELDS[:-1], [*PIN_FIELDS, 1],
    pinned(0, bytes(31)), pinned(0, bytes(32)), pinned(0, None), pinned(0, "u" * 32),
    pinned(1, 0), pinned(1, 1), pinned(1, 3), pinned(1, 2**32), pinned(1, None),
    pinned(2, bytes(31)), pinned(2, bytes(32)), pinned(2, OTHER.hash), pinned(2, None),
    pinned(3, b""), pinned(3, PIN.heads[:8]), pinned(3, PIN.heads[1:]), pinned(3, PIN.heads + HEAD),
    pinned(3, PIN.heads[8:] + PIN.heads[:8]), pinned(3, HEAD + PIN.heads[8:]),
    pinned(3, PIN.heads[:8] + HEAD), pinned(3, None),
    pinned(4, None), pinned(4, b""), pinned(4, OTHER.encoded_snapshot), pinned(4, 1),
    pinned(4, bytes(MAX_SNAPSHOT + 1)), pinned(4, OWNER.lists[1].encode()), pinned(4, "s"),
    pinned(5, -1), pinned(5, 2**63), pinned(5, None), pinned(5, 1.0),
    # Without a snapshot there are no heads, and the first version names the user.
    [*BARE_PIN.fields()[:3], HEAD, None, 0], [PIN.user_id, 1, PIN.hash, b"", None, 0],  # type: ignore[index]
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_PINS)
def test_a_pin_that_contradicts_itself_is_damage(wrong: object) -> None:
    """STO-29."""
    for entry, at in ((USER, 4), (CONTACT, 2)):
        with pytest.raises(CorruptStore):
            decoded(type(entry), changed(entry, at, wrong))


def test_another_users_snapshot_is_damage() -> None:
    """STO-29, with the hash and the head of that snapshot."""
    other = replace(PIN.snapshot, user_id=bytes(32))  # type: ignore[type-var]
    data = other.encode()  # type: ignore[union-attr]
    hash_ = snapshot_hash(data)
    wrong = [PIN.user_id, 2, hash_, PIN.heads[:8] + hash_[:8], data, 0]
    with pytest.raises(CorruptStore):
        decoded(ContactRecord, changed(CONTACT, 2, wrong))


def test_a_snapshot_without_the_pinned_hash_is_damage() -> None:
    """STO-29, although version, user and heads are right."""
    assert PIN.snapshot
    other = replace(PIN.snapshot, issued=PIN.snapshot.issued + 1)
    with pytest.raises(CorruptStore):
        decoded(ContactRecord, changed(CONTACT, 2, pinned(4, other.encode())))


BOOLS: Final[list[object]] = [2, None, True, b"\x01"]
ADDRESSES: Final[list[object]] = [
    None, b"", "bob", [], ["bob"], ["bob", 0], ["", 1], ["bob", 1, 1], [" bob", 1], ["bob", 2**32],
]  # fmt: skip
NUMBERS: Final[list[object]] = [-1, None, "1", True, 1.0, b"\x01"]
NAMES: Final[list[object]] = [None, "", b"bob", " bob", "n" * 256, "a\u202eb", 1]
HEADS: Final[list[object]] = [b"", HEAD[:-1], HEAD + b"h", "h" * 8, 1, True]
PLACE: Final = [["bob", 1], TAG, 0, []]
SEEDS: Final[list[object]] = [
    None, b"", [None], [[]], [[1]], [[0, bytes(32)]], [[1, bytes(31)]], [[1, bytes(32), 1]],
    [[2**32, bytes(32)]], [[1, bytes(32)], [1, bytes(32)]], [[2, bytes(32)], [1, bytes(32)]],
    [[each, bytes(32)] for each in range(1, MAX_SEEDS_AHEAD + 4)],  # more than versions, and far ahead
    [[True, bytes(32)]], [["1", bytes(32)]],
]  # fmt: skip
EARLIER: Final[list[object]] = [
    None, b"", [None], [TAG[:-1]], [ID, ID], [bytes([at]) * 16 for at in range(6)], [[TAG]],
]  # fmt: skip
PLACES: Final[list[object]] = [
    None, b"", [None], [[]], [PLACE[:3]], [[*PLACE, 1]], [PLACE, PLACE],
    [[["bob", id_ + 1], None, 0, []] for id_ in range(2 * MAX_DEVICES + 1)],
    *([[wrong, *PLACE[1:]]] for wrong in ADDRESSES),
    *([[PLACE[0], wrong, 0, []]] for wrong in (b"", TAG[:-1], TAG + b"t", "t" * 16, 1)),
    *([[PLACE[0], TAG, wrong, []]] for wrong in (*NUMBERS, 256)),
    *([[PLACE[0], TAG, 0, wrong]] for wrong in EARLIER),
]  # fmt: skip

WRONG: Final[list[Wrong]] = [
    *((USER, 1, wrong) for wrong in (*NUMBERS, 0, 2**32)),
    *((USER, 2, wrong) for wrong in (None, bytes(63), bytes(65), "s" * 64)),
    *((USER, 3, wrong) for wrong in (None, bytes(31), bytes(33), "s" * 32)),
    *((USER, 5, wrong) for wrong in SEEDS),
    *((USER, 6, wrong) for wrong in HEADS), *((CONTACT, 5, wrong) for wrong in HEADS),
    *((USER, 7, wrong) for wrong in (*NUMBERS, 2**63)),
    *((USER, 8, wrong) for wrong in BOOLS),
    *((entry, at, wrong) for entry, at in ((USER, 11), (USER, 13), (CONTACT, 8)) for wrong in (
        *NUMBERS, 2**63,
    )),
    *((USER, 12, wrong) for wrong in (*NUMBERS, 0, USER.pin.version + 1)),
    *((CONTACT, 1, wrong) for wrong in NAMES), *((SENT, 1, wrong) for wrong in NAMES),
    *((CONTACT, 3, wrong) for wrong in (*NUMBERS, 0, 3, 4)),  # 3 needs evidence
    (CONTACT, 4, b""), (CONTACT, 4, b"evidence"), (CONTACT, 4, "e"), (CONTACT, 4, 1),
    (FROZEN, 4, None), (FROZEN, 4, bytes(MAX_EVIDENCE + 1)), (FROZEN, 4, "e"), (FROZEN, 3, 1), (FROZEN, 3, 2),
    *((entry, at, wrong) for entry, at in ((CONTACT, 6), (CONTACT, 7), (USER, 9), (USER, 10)) for wrong in (
        None, b"", [None], [-1], [2**32], [True], ["1"], [7, 1], [1, 1], list(range(MAX_DEVICES + 1)),
    )),
    *((SENT, 2, wrong) for wrong in (
        None, b"", b"hello", "c", cbor2.loads(TEXT.encode()), TEXT.encode() + b"\0",
    )),
    *((SENT, 3, wrong) for wrong in PLACES),
    *((entry, 1, wrong) for entry in (RECEIVED, RETRY, DEVICE) for wrong in ADDRESSES),
    *((RECEIVED, 2, wrong) for wrong in (None, b"", ID[:-1], ID + b"i", "i" * 16)),
    *((RECEIVED, 3, wrong) for wrong in BOOLS),
    *((RETRY, 2, wrong) for wrong in (*NUMBERS, 256)),
    *((RETRY, 3, wrong) for wrong in (*NUMBERS, 8, 255)),
    *((RETRY, 4, wrong) for wrong in (*NUMBERS, 2**63)),
    *((RETRY, 5, wrong) for wrong in (b"", ID[:-1], ID + b"i", "i" * 16, 1)),
    *((DEVICE, at, wrong) for at in (2, 3) for wrong in (
        None, b"", [None], [-1], [2**63], [True], ["1"], [2, 1], [1] * 1001,
    )),
    *((DEVICE, 4, wrong) for wrong in (*NUMBERS, 2**32)),
    *((DEVICE, 5, wrong) for wrong in BOOLS),
    *((DEVICE, 6, wrong) for wrong in (*NUMBERS, 2**32)),
    *((DEVICE, at, wrong) for at in (7, 8, 9) for wrong in (*NUMBERS, 2**63)),
]  # fmt: skip


def changed(entry: object, at: int, value: object) -> bytes:
    """Return the record of an entry with another element."""
    elements: list[Any] = cbor2.loads(encoded(entry))
    assert elements[at] != value or type(elements[at]) is not type(value)
    return cbor2.dumps([*elements[:at], value, *elements[at + 1 :]])


@pytest.mark.parametrize(("entry", "at", "wrong"), WRONG)
def test_another_element_is_damage(entry: object, at: int, wrong: object) -> None:
    with pytest.raises(CorruptStore, match="restore the store"):
        decoded(type(entry), changed(entry, at, wrong))


@EVERY
@pytest.mark.parametrize("format_", [0, 2, 255, None, "1", True, b"\x01"])
def test_a_record_of_another_format_is_damage(entry: object, format_: object) -> None:
    """STO-28."""
    with pytest.raises(CorruptStore):
        decoded(type(entry), changed(entry, 0, format_))


@EVERY
def test_fewer_more_and_trailing_are_damage(entry: object) -> None:
    data = encoded(entry)
    elements = cbor2.loads(data)
    shorter = [cbor2.dumps(elements[:count]) for count in range(len(elements))]
    for wrong in (*shorter, cbor2.dumps([*elements, None]), data + b"\0", b"", b"\xf6", b"hello"):
        with pytest.raises(CorruptStore):
            decoded(type(entry), wrong)


@EVERY
def test_truncated_records_are_damage(entry: object) -> None:
    data = encoded(entry)
    for end in range(0, len(data), 1 if len(data) < 500 else 29):
        with pytest.raises(CorruptStore):
            decoded(type(entry), data[:end])


@EVERY
def test_a_changed_byte_is_damage_or_another_entry(entry: object) -> None:
    data = encoded(entry)
    for at in range(0, len(data), 1 if len(data) < 500 else 17):
        try:
            found = decoded(type(entry), flipped(data, at))
        except CorruptStore:
            continue
        assert encoded(found) == flipped(data, at)


@EVERY
def test_the_record_of_another_kind_is_damage(entry: object) -> None:
    others = (UserRecord, ContactRecord, SentRecord, ReceivedRecord, RetryRecord, DeviceRecord)
    for kind in others:
        if kind is not type(entry):
            with pytest.raises(CorruptStore):
                decoded(kind, encoded(entry))


def test_the_first_version_of_a_pin_is_read() -> None:
    for each in (pin(1), pin(2), BARE_PIN):
        assert decoded(ContactRecord, encoded(replace(CONTACT, pin=each))).pin == each


@pytest.mark.parametrize(("element", "what"), [(8, "members"), (10, "nested collections"), (11, "authors")])
def test_a_log_names_nothing_twice(element: int, what: str) -> None:
    """It would be encoded once, so the record of what was read would be another one."""
    logs = [cbor2.loads(encoded(each)) for each in ENTRIES.values() if isinstance(each, LogState)]
    named = [each for each in logs if each[element]]
    assert named
    for fields in named:
        fields[element].append(fields[element][0])
        with pytest.raises(CorruptStore) as caught:
            decoded(LogState, cbor2.dumps(fields, canonical=True))
        assert what in str(caught.value.__cause__ or caught.value.__context__ or caught.value)
