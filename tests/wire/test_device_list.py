"""Device lists as bytes: what is read, and what is refused before anybody looks at a signature."""

import tracemalloc
from typing import Any, Final

import cbor2
import pytest

from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DeviceClass, Snapshot
from letterlock._wire.user_envelope import UserKind
from letterlock.errors import InvalidKey, MalformedMessage, PeerError, UnsupportedVersion, UsageError
from letterlock.limits import MAX_DEVICE_LIST, MAX_SNAPSHOT
from letterlock.user import ListChain
from support.pair import flipped
from support.user_tools import FULL, RECOVERY, Owner

OWNER: Final = Owner("wire", [(1, FULL), (9, RECOVERY)])
LIST: Final = OWNER.next(add=[(2, FULL)])
DATA: Final = LIST.encode()
OUTER: Final[list[Any]] = cbor2.loads(DATA)
INNER: Final[list[Any]] = cbor2.loads(OUTER[2])


def outer(at: int, value: object) -> bytes:
    """Return the list with another element."""
    return cbor2.dumps([*OUTER[:at], value, *OUTER[at + 1 :]])


def inner(at: int, value: object) -> bytes:
    """Return the list with another element in its snapshot."""
    return outer(2, cbor2.dumps([*INNER[:at], value, *INNER[at + 1 :]]))


def nested(at: int, place: int, value: object) -> bytes:
    """Return the list with another element in the first entry of an array in its snapshot."""
    first = INNER[at][0]
    return inner(at, [[*first[:place], value, *first[place + 1 :]], *INNER[at][1:]])


def test_a_list_survives_its_encoding() -> None:
    for each in OWNER.lists:
        assert DeviceList.decode(each.encode()) == each
        assert DeviceList.decode(each.encode()).encode() == each.encode()
        assert Snapshot.decode(each.encoded_snapshot) == each.snapshot


def test_an_unknown_class_keeps_its_number() -> None:
    found = DeviceList.decode(nested(5, 4, 255)).snapshot.devices[0].device_class
    assert found == 255
    assert found not in set(DeviceClass)


def test_sizes() -> None:
    assert len(DATA) < 12_500
    assert len(OWNER.make(1).encode()) < 7_200
    largest = Owner("largest", [(id_ + 2**31, FULL) for id_ in range(32)]).lists[0].encode()
    assert 170_000 < len(largest) <= MAX_DEVICE_LIST


OUTER_WRONG: Final[list[tuple[int, object]]] = [
    (1, int(UserKind.EVIDENCE)), (1, 3), (1, "8"), (1, True),
    (2, INNER), (2, "snapshot"), (2, None), (2, b""), (2, b"\x80"), (2, b"\xf6"), (2, OUTER[2] + b"\0"),
    (2, OUTER[2][:-1]), (2, bytes(MAX_SNAPSHOT + 1)),
    (3, None), (3, b""), (3, [None]), (3, [[]]), (3, [OUTER[3][0]] * 33), (3, [OUTER[3][0][:3]]),
    (3, [[*OUTER[3][0], 1]]), (3, [[0, *OUTER[3][0][1:]]]), (3, [[2**32, *OUTER[3][0][1:]]]),
    (3, [[2, bytes(1951), *OUTER[3][0][2:]]]), (3, [[*OUTER[3][0][:2], bytes(63), OUTER[3][0][3]]]),
    (3, [[*OUTER[3][0][:3], bytes(3372)]]), (3, {}),
    (4, 0), (4, 2**32), (4, None), (4, b"\x01"), (4, 1.0), (4, True),
    (5, bytes(1951)), (5, bytes(1953)), (5, None), (5, "k" * 1952),
    (6, bytes(3372)), (6, bytes(3374)), (6, b""), (6, None),
]  # fmt: skip


@pytest.mark.parametrize(("at", "wrong"), OUTER_WRONG)
def test_another_element_is_refused(at: int, wrong: object) -> None:
    with pytest.raises(MalformedMessage):
        DeviceList.decode(outer(at, wrong))


INNER_WRONG: Final[list[tuple[int, object]]] = [
    (0, "letterlock-v1 device proof"), (0, b"letterlock-v1 device list"), (0, None), (0, 1),
    (1, 0), (1, 2**32), (1, None), (1, 2.0), (1, True), (1, "2"),
    (2, bytes(31)), (2, bytes(33)), (2, 0), (2, "h" * 32), (3, bytes(31)), (3, 0), (3, []),
    (4, -1), (4, 2**32), (4, None), (4, 1.5),
    (5, None), (5, [None]), (5, [[]]), (5, INNER[5] * 11), (5, {}), (5, [INNER[5][0][:5]]),
    (5, [[*INNER[5][0], 1]]), (6, None), (6, [None]), (6, [[1]]), (6, [[1, 2, 3]]), (6, [[0, 1]]),
    (6, [[1, 0]]), (6, [[2**32, 1]]), (6, [[1, 1]] * 65), (7, []), (7, [1]), (7, [0, bytes(1216)]),
    (7, [1, bytes(1215)]), (7, [1, bytes(1217)]), (7, [1, None]), (7, [1, bytes(1216), 1]), (7, False),
]  # fmt: skip


@pytest.mark.parametrize(("at", "wrong"), INNER_WRONG)
def test_another_element_of_the_snapshot_is_refused(at: int, wrong: object) -> None:
    with pytest.raises(MalformedMessage):
        DeviceList.decode(inner(at, wrong))


DEVICE_WRONG: Final[list[tuple[int, object]]] = [
    (0, 0), (0, 2**32), (0, None), (0, True), (1, bytes(31)), (1, "k" * 32), (1, None), (2, bytes(31)),
    (2, bytes(33)), (2, None), (3, bytes(31)), (3, None), (4, 0), (4, 256), (4, None), (4, True), (4, "full"),
    (5, 0), (5, 2**32), (5, None),
]  # fmt: skip


@pytest.mark.parametrize(("place", "wrong"), DEVICE_WRONG)
def test_another_element_of_a_device_is_refused(place: int, wrong: object) -> None:
    with pytest.raises(MalformedMessage):
        DeviceList.decode(nested(5, place, wrong))


@pytest.mark.parametrize("key", [bytes(32), b"\xff" * 32, (2**255 - 19).to_bytes(32, "little")])
def test_an_identity_key_that_is_none_is_refused(key: bytes) -> None:
    """PRIM-2."""
    with pytest.raises(InvalidKey):
        DeviceList.decode(nested(5, 1, key))


@pytest.mark.parametrize("count", [0, 1, 6, 8])
def test_another_number_of_elements_is_refused(count: int) -> None:
    for elements in (OUTER[:count] if count < 7 else [*OUTER, 0], []):
        with pytest.raises(MalformedMessage):
            DeviceList.decode(cbor2.dumps(elements))
    with pytest.raises(MalformedMessage):
        DeviceList.decode(outer(2, cbor2.dumps([*INNER, None])))
    with pytest.raises(MalformedMessage):
        DeviceList.decode(outer(2, cbor2.dumps(INNER[:7])))


def test_another_version_is_told_before_anything_else() -> None:
    """WIRE-1: even if the size is wrong too."""
    for data in (outer(0, 2), outer(0, 2) + bytes(MAX_DEVICE_LIST), b"\x87\x18\x02"):
        with pytest.raises(UnsupportedVersion) as caught:
            DeviceList.decode(data)
        assert caught.value.version == 2


@pytest.mark.parametrize("data", [b"", b"\xa0", b"\x80", b"\xf6", b"\x87", b"\x87\x18", b"\x87\x40", b"\x01"])
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        DeviceList.decode(data)


def test_what_is_not_bytes_is_a_mistake_of_the_caller() -> None:
    for data in (bytearray(DATA), memoryview(DATA), DATA.hex(), None):
        with pytest.raises(UsageError, match="must be bytes"):
            DeviceList.decode(data)  # type: ignore[arg-type]


def test_sizes_and_items_are_checked_before_anything_is_built() -> None:
    """WIRE-3."""
    with pytest.raises(MalformedMessage, match=f"at most {MAX_DEVICE_LIST}"):
        DeviceList.decode(DATA + bytes(MAX_DEVICE_LIST))
    many = b"\x87\x01\x08\x40\x99\xff\xff" + b"\x80" * 0xFFFF + b"\x01\x40\x40"
    tracemalloc.start()
    with pytest.raises(MalformedMessage, match="at most 168 items"):
        DeviceList.decode(many)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
    with pytest.raises(MalformedMessage, match=f"1 to {MAX_SNAPSHOT} bytes"):
        DeviceList.decode(outer(2, bytes(MAX_SNAPSHOT + 1)))
    with pytest.raises(MalformedMessage, match=f"at most {MAX_SNAPSHOT}"):
        Snapshot.decode(bytes(MAX_SNAPSHOT + 1))


@pytest.mark.parametrize(
    "long_form",
    [
        b"\x87\x18\x01" + DATA[2:],  # the version
        b"\x98\x07" + DATA[1:],  # the array's head
        DATA[:3] + b"\x5a" + len(OUTER[2]).to_bytes(4, "big") + OUTER[2] + DATA[6 + len(OUTER[2]) :],
    ],
)
def test_a_long_form_is_refused(long_form: bytes) -> None:
    """WIRE-2."""
    assert cbor2.loads(long_form) == OUTER
    with pytest.raises(MalformedMessage):
        DeviceList.decode(long_form)


def test_a_long_form_in_the_snapshot_is_refused() -> None:
    """WIRE-2: it would have another hash, and mean the same."""
    at = OUTER[2].index(cbor2.dumps(INNER[4])) - 0
    version = len(cbor2.dumps(INNER[0])) + 1
    long_form = OUTER[2][:version] + b"\x18\x02" + OUTER[2][version + 1 :]
    assert cbor2.loads(long_form) == INNER
    assert at > version
    with pytest.raises(MalformedMessage):
        DeviceList.decode(outer(2, long_form))


def test_a_tag_is_refused() -> None:
    """WIRE-5."""
    for data in (b"\xc1" + DATA, outer(4, cbor2.CBORTag(1, 1)), inner(4, cbor2.CBORTag(1, 1))):
        with pytest.raises(MalformedMessage):
            DeviceList.decode(data)


@pytest.mark.slow
def test_every_changed_byte_is_refused() -> None:
    """Outside signatures and ML-DSA keys every byte, in those every 23rd, each in two ways."""
    before = ListChain.verify(OWNER.lists[:1])
    assert before.extended((DeviceList.decode(DATA),)).newest == LIST
    boring = len(OUTER[2]) + 40
    places = [*range(boring), *range(boring, len(DATA), 23)]
    for at in places:
        for mask in (1, 0x80):
            with pytest.raises(PeerError):
                before.extended((DeviceList.decode(flipped(DATA, at, mask)),))


def test_every_cut_is_refused() -> None:
    for length in (*range(60), *range(60, len(DATA), 37)):
        with pytest.raises(MalformedMessage):
            DeviceList.decode(DATA[:length])
    with pytest.raises(MalformedMessage):
        DeviceList.decode(DATA + b"\0")


def test_what_a_list_prints_shows_no_signature() -> None:
    text = repr(LIST)
    assert LIST.signature.hex()[:16] not in text
    assert repr(LIST.signature)[2:20] not in text
