"""The bodies of the control kinds: what is read, and what is refused."""

import tracemalloc
from dataclasses import replace
from typing import Any, Final

import cbor2
import pytest

from letterlock._wire.content import CONTROL_KINDS, Content, ContentKind
from letterlock._wire.content_bodies import (
    HistoryKey,
    ListNotice,
    NewSeed,
    Receipt,
    RetryCause,
    RetryRequest,
    SyncCopy,
    encode_sync_copy,
)
from letterlock._wire.group_bodies import GroupReceipt, GroupRequest, GroupSecret, HistoryLetter
from letterlock._wire.group_text import SenderName
from letterlock.errors import MalformedMessage, PeerError, UnsupportedVersion, UsageError
from letterlock.limits import MAX_CONTENT, MAX_DEVICE_LIST, MAX_NOTICE_LISTS, MAX_RECEIPT_IDS
from support.content_samples import (
    BODIES,
    COPY,
    GROUP_HISTORY,
    GROUP_RECEIPT,
    GROUP_REQUEST,
    GROUP_SECRET,
    HISTORY,
    ID,
    NOTICE,
    OWNER,
    RECEIPT,
    RETRY,
    SEED,
    TAG,
    TEXT,
    WITH_ATTACHMENTS,
    Body,
)
from support.pair import flipped

LISTS: Final = [each.encode() for each in OWNER.lists]
COPIED: Final[list[Any]] = cbor2.loads(COPY.encode())
SECRET: Final[list[Any]] = cbor2.loads(GROUP_SECRET.encode())
READ: Final[list[Any]] = cbor2.loads(GROUP_RECEIPT.encode())
IDS: Final = [at.to_bytes(16, "big") for at in range(MAX_RECEIPT_IDS + 1)]


@pytest.mark.parametrize("body", BODIES, ids=lambda each: type(each).__name__)
def test_a_body_survives_its_encoding(body: Body) -> None:
    assert type(body).decode(body.encode()) == body


def test_bodies_are_ordinary_arrays() -> None:
    assert RECEIPT.encode() == cbor2.dumps([ID + TAG])
    assert RETRY.encode() == cbor2.dumps([TAG, 1])
    assert NOTICE.encode() == cbor2.dumps([LISTS])
    assert COPY.encode() == cbor2.dumps(["bob", COPY.user_id, TEXT.encode()])
    assert HISTORY.encode() == cbor2.dumps([ID, HISTORY.key.expose()])
    assert SEED.encode() == cbor2.dumps([2, SEED.seed.expose()])
    assert GROUP_SECRET.encode() == cbor2.dumps(SECRET)
    assert [GROUP_SECRET.group_id, 3, GROUP_SECRET.opening, GROUP_SECRET.secret.expose()] == SECRET
    assert GROUP_REQUEST.encode() == cbor2.dumps([GROUP_REQUEST.group_id, 3, 2])
    assert [GROUP_RECEIPT.group_id, 3, 5, 7, GROUP_RECEIPT.head] == READ
    assert GROUP_HISTORY.encode() == cbor2.dumps([GROUP_HISTORY.group_id, 3, 5, GROUP_HISTORY.document])
    passed_on = replace(GROUP_HISTORY, giver=SenderName(bytes(32), 7))
    assert passed_on.encode() == cbor2.dumps(
        [GROUP_HISTORY.group_id, 3, 5, GROUP_HISTORY.document, [bytes(32), 7]]
    )
    assert HistoryLetter.decode(passed_on.encode()) == passed_on
    assert encode_sync_copy(COPY.name, COPY.user_id, TEXT.encode()) == COPY.encode()


WRONG: Final[list[tuple[type[Body], object]]] = [
    (Receipt, [b""]), (Receipt, [ID[:-1]]), (Receipt, [ID + b"i"]), (Receipt, [ID + TAG[:-1]]),
    (Receipt, [ID + ID]), (Receipt, [ID + TAG + ID]), (Receipt, [[ID]]), (Receipt, [ID, TAG]),
    (Receipt, ["i" * 16]), (Receipt, [b"".join(IDS)]),
    (RetryRequest, [TAG]), (RetryRequest, [TAG, 1, 1]), (RetryRequest, [TAG[:-1], 1]),
    (RetryRequest, [TAG + b"t", 1]), (RetryRequest, ["t" * 16, 1]), (RetryRequest, [None, 1]),
    (RetryRequest, [TAG, -1]), (RetryRequest, [TAG, 256]), (RetryRequest, [TAG, None]),
    (RetryRequest, [TAG, "1"]), (RetryRequest, [TAG, True]), (RetryRequest, [TAG, 1.0]),
    (ListNotice, [LISTS[0]]), (ListNotice, LISTS), (ListNotice, [LISTS, 1]), (ListNotice, [[None]]),
    (ListNotice, [[b""]]), (ListNotice, [["list"]]), (ListNotice, [[LISTS]]), (ListNotice, [[b"\x80"]]),
    (ListNotice, [[LISTS[0][:-1]]]), (ListNotice, [[LISTS[0] + b"\0"]]), (ListNotice, [[LISTS[0], b"\xf6"]]),
    (ListNotice, [[bytes(MAX_DEVICE_LIST + 1)]]), (ListNotice, [[LISTS[0]] * (MAX_NOTICE_LISTS + 1)]),
    (ListNotice, [[cbor2.dumps([1, 9, *cbor2.loads(LISTS[0])[2:]])]]),
    (SyncCopy, ["", *COPIED[1:]]), (SyncCopy, ["n" * 256, *COPIED[1:]]), (SyncCopy, [" bob", *COPIED[1:]]),
    (SyncCopy, ["b\u202eob", *COPIED[1:]]), (SyncCopy, ["e\u0301", *COPIED[1:]]),
    (SyncCopy, [b"bob", *COPIED[1:]]), (SyncCopy, [None, *COPIED[1:]]),
    (SyncCopy, ["bob", bytes(31), COPIED[2]]), (SyncCopy, ["bob", bytes(33), COPIED[2]]),
    (SyncCopy, ["bob", None, COPIED[2]]), (SyncCopy, ["bob", "u" * 32, COPIED[2]]), (SyncCopy, COPIED[:2]),
    (SyncCopy, [*COPIED, None]), (SyncCopy, ["bob", COPIED[1], b""]), (SyncCopy, ["bob", COPIED[1], None]),
    (SyncCopy, ["bob", COPIED[1], cbor2.loads(COPIED[2])]), (SyncCopy, ["bob", COPIED[1], b"hello"]),
    (SyncCopy, ["bob", COPIED[1], COPIED[2] + b"\0"]), (SyncCopy, ["bob", COPIED[1], bytes(MAX_CONTENT + 1)]),
    (SyncCopy, ["bob", COPIED[1], WITH_ATTACHMENTS.encode()]),  # it names earlier messages
    *((SyncCopy, ["bob", COPIED[1], replace(TEXT, kind=kind).encode()]) for kind in CONTROL_KINDS),
    (HistoryKey, [ID]), (HistoryKey, [ID, bytes(32), None]), (HistoryKey, [ID[:-1], bytes(32)]),
    (HistoryKey, [ID + b"i", bytes(32)]), (HistoryKey, [ID, bytes(31)]), (HistoryKey, [ID, bytes(33)]),
    (HistoryKey, [ID, None]), (HistoryKey, ["i" * 16, bytes(32)]), (HistoryKey, [1, bytes(32)]),
    (NewSeed, [2]), (NewSeed, [2, bytes(32), None]), (NewSeed, [0, bytes(32)]), (NewSeed, [2**32, bytes(32)]),
    (NewSeed, ["2", bytes(32)]), (NewSeed, [-1, bytes(32)]), (NewSeed, [2, bytes(31)]),
    (NewSeed, [2, bytes(33)]), (NewSeed, [2, None]), (NewSeed, [None, bytes(32)]), (NewSeed, [2, "s" * 32]),
    (GroupSecret, SECRET[:3]), (GroupSecret, [*SECRET, None]), (GroupSecret, [ID[1:], *SECRET[1:]]),
    (GroupSecret, [ID, 0, *SECRET[2:]]), (GroupSecret, [ID, 2**32, *SECRET[2:]]),
    (GroupSecret, [ID, 3, None, SECRET[3]]), (GroupSecret, [ID, 3, bytes(31), SECRET[3]]),
    (GroupSecret, [ID, 3, bytes(33), SECRET[3]]), (GroupSecret, [*SECRET[:3], bytes(31)]),
    (GroupSecret, [*SECRET[:3], bytes(33)]), (GroupSecret, [*SECRET[:3], "s" * 32]),
    (GroupRequest, [ID, 3]), (GroupRequest, [ID, 3, 1, 1]), (GroupRequest, [ID, 3, 0]),
    (GroupRequest, [ID, 3, 3]), (GroupRequest, [ID, 3, "1"]), (GroupRequest, [ID, 0, 1]),
    (GroupRequest, [ID, -1, 1]), (GroupRequest, [ID[1:], 3, 1]), (GroupRequest, [ID + b"i", 3, 1]),
    (GroupRequest, ["g" * 16, 3, 1]), (GroupRequest, [ID, None, 1]), (GroupRequest, [ID, 3, True]),
    (GroupReceipt, READ[:4]), (GroupReceipt, [*READ, None]), (GroupReceipt, [ID[1:], *READ[1:]]),
    (GroupReceipt, [ID, 0, *READ[2:]]), (GroupReceipt, [ID, 3, 8, 7, READ[4]]),
    (GroupReceipt, [ID, 3, 5, 2**32, READ[4]]), (GroupReceipt, [ID, 3, -1, 7, READ[4]]),
    (GroupReceipt, [ID, 3, None, 7, READ[4]]), (GroupReceipt, [*READ[:4], bytes(31)]),
    (GroupReceipt, [*READ[:4], bytes(33)]), (GroupReceipt, [*READ[:4], None]),
    (HistoryLetter, [ID, 3, 5, ID, [bytes(31), 1]]), (HistoryLetter, [ID, 3, 5, ID, [bytes(32), 0]]),
    (HistoryLetter, [ID, 3, 5, ID, [bytes(32), 2**32]]), (HistoryLetter, [ID, 3, 5, ID, [bytes(32)]]),
    (HistoryLetter, [ID, 3, 5, ID, []]), (HistoryLetter, [ID, 3, 5, ID, [bytes(32), 1], 1]),
    (HistoryLetter, [ID, 3, 5, ID, [bytes(32), 1, 1]]), (HistoryLetter, [ID, 3, 5, ID, bytes(32)]),
    (HistoryLetter, [ID, 3, 5]), (HistoryLetter, [ID, 3, 5, ID, None]), (HistoryLetter, [ID[1:], 3, 5, ID]),
    (HistoryLetter, [ID, 0, 5, ID]), (HistoryLetter, [ID, 2**32, 5, ID]), (HistoryLetter, [ID, 3, 0, ID]),
    (HistoryLetter, [ID, 3, 2**32, ID]), (HistoryLetter, [ID, 3, None, ID]),
    (HistoryLetter, [ID, 3, 5, ID[1:]]), (HistoryLetter, [ID, 3, 5, ID + b"i"]),
    (HistoryLetter, [ID, 3, 5, None]), (HistoryLetter, [ID, 3, 5, "d" * 16]),
]  # fmt: skip


NO_BODIES: Final[list[object]] = [None, 1, b"", "text", [], {}, [[]], [None], [1] * 7]


@pytest.mark.parametrize("kind", [type(each) for each in BODIES])
@pytest.mark.parametrize("wrong", NO_BODIES)
def test_what_is_no_body_is_refused(kind: type[Body], wrong: object) -> None:
    with pytest.raises(MalformedMessage):
        kind.decode(cbor2.dumps(wrong))


@pytest.mark.parametrize(("kind", "wrong"), WRONG)
def test_another_body_is_refused(kind: type[Body], wrong: object) -> None:
    """USR-23, USR-26."""
    with pytest.raises(MalformedMessage):
        kind.decode(cbor2.dumps(wrong))


@pytest.mark.parametrize("body", BODIES, ids=lambda each: type(each).__name__)
def test_the_body_of_another_kind_is_refused(body: Body) -> None:
    for other in BODIES:
        if other is not body:
            with pytest.raises(MalformedMessage):
                type(other).decode(body.encode())


@pytest.mark.parametrize("body", BODIES, ids=lambda each: type(each).__name__)
def test_truncated_and_longer_bodies_are_refused(body: Body) -> None:
    data = body.encode()
    ends = range(len(data)) if len(data) < 500 else range(0, len(data), 97)
    for wrong in (*(data[:end] for end in ends), data + b"\0", b"", b"hello"):
        with pytest.raises(MalformedMessage):
            type(body).decode(wrong)


@pytest.mark.parametrize("body", BODIES, ids=lambda each: type(each).__name__)
def test_a_changed_byte_is_refused_or_is_another_body(body: Body) -> None:
    data = body.encode()
    for at in range(0, len(data), 1 if len(data) < 500 else 53):
        try:
            found = type(body).decode(flipped(data, at))
        except PeerError:
            continue
        assert found != body


def test_a_list_of_another_version_is_refused_by_name() -> None:
    later = cbor2.dumps([2, *cbor2.loads(LISTS[0])[1:]])
    with pytest.raises(UnsupportedVersion):
        ListNotice.decode(cbor2.dumps([[later]]))


@pytest.mark.parametrize("number", [8, 100, 255])
def test_a_cause_of_a_later_release_is_another_cause(number: int) -> None:
    assert RetryRequest.decode(cbor2.dumps([TAG, number])).cause is RetryCause.OTHER


def test_the_content_of_a_sync_copy_may_be_of_an_unknown_kind() -> None:
    for kind in (0, 8, 64, 255, 2**32 - 1):
        copy = replace(COPY, content=replace(TEXT, kind=kind))
        assert SyncCopy.decode(copy.encode()) == copy


def test_the_limits_are_reached() -> None:
    most = Receipt(tuple(IDS[:-1]))
    assert Receipt.decode(most.encode()) == most
    lists = ListNotice((OWNER.lists[0],) * MAX_NOTICE_LISTS)
    assert ListNotice.decode(lists.encode()) == lists


@pytest.mark.parametrize("wrong", [Receipt(()), Receipt(tuple(IDS)), ListNotice(()), ListNotice.of_first([])])
def test_none_and_too_many_are_mistakes_of_the_caller(wrong: Receipt | ListNotice) -> None:
    with pytest.raises(UsageError, match="expected 1 to"):
        wrong.encode()


def test_a_notice_has_as_many_of_the_first_lists_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = OWNER.lists * 60
    assert ListNotice.of_first(OWNER.lists).lists == tuple(OWNER.lists)
    assert ListNotice.of_first(lists).lists == tuple(lists[:MAX_NOTICE_LISTS])
    room = len(LISTS[0]) + len(LISTS[1])
    monkeypatch.setattr("letterlock._wire.content_bodies.MAX_NOTICE_BYTES", room)
    assert ListNotice.of_first(lists).lists == tuple(lists[:2])
    monkeypatch.setattr("letterlock._wire.content_bodies.MAX_NOTICE_BYTES", 1)
    assert ListNotice.of_first(lists).lists == tuple(lists[:1])  # one always, so that it is not empty


def test_what_has_too_many_items_is_refused_before_it_is_built() -> None:
    many = cbor2.dumps([[[]] * 2**20])
    tracemalloc.start()
    try:
        for kind in (Receipt, RetryRequest, ListNotice, SyncCopy, HistoryKey, NewSeed):
            with pytest.raises(MalformedMessage, match="items"):
                kind.decode(many)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_printing_shows_neither_text_nor_key() -> None:
    assert "hello" not in repr(COPY)
    assert repr(HISTORY) == f"HistoryKey(archive_id={ID!r})"
    assert repr(SEED) == "NewSeed(generation=2)"


def test_each_control_kind_has_a_body() -> None:
    chain = 1  # its tests are in tests/groups/test_chains.py
    assert len(BODIES) + chain == len(CONTROL_KINDS) == len(ContentKind) - 1
    assert all(Content.decode(replace(TEXT, kind=kind).encode()).body == TEXT.body for kind in CONTROL_KINDS)
