"""Frames of recovery, and what a server keeps of a box: what is read, and what is refused."""

from typing import Any, Final

import cbor2
import pytest

from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.recovery_box import MAX_BOX, RecoveryCard
from letterlock._wire.recovery_calls import ChangeSignature, ShowLocks
from letterlock._wire.recovery_find import FindUser, UserFound
from letterlock._wire.recovery_frame import (
    MAX_FRAME,
    RECOVERY_CALL_OF_PATH,
    RECOVERY_CALL_OF_REQUEST,
    RECOVERY_CALLS,
    RecoveryFrame,
)
from letterlock._wire.recovery_kept import BoxKept, GetBox, PutBox
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_calls import TokenUse
from letterlock.errors import MalformedMessage, UnsupportedVersion, UsageError

USER: Final = bytes(range(32))
BY: Final = ChangeSignature(bytes(1952), bytes(3373))
CARD: Final = RecoveryCard(USER, XWingKeyPair(XWingSeed(bytes(32))).public, BY)
ENCODED: Final = CARD.encode()
SHOW: Final = ShowLocks(USER).encode()

BODIES: Final[list[tuple[RelayBody, list[Any]]]] = [
    (RecoveryFrame(SHOW), [1, SHOW, None, None]),
    (RecoveryFrame(SHOW, b"p", (b"l1", b"l2")), [1, SHOW, b"p", [b"l1", b"l2"]]),
    (PutBox(USER, 1, CARD, b"box", 9, BY), [1, 38, USER, 1, ENCODED, b"box", 9, BY.ml_dsa, BY.signature]),
    (GetBox(USER, 0, 5, None, BY), [1, 39, USER, 0, 5, None, BY.ml_dsa, BY.signature]),
    (GetBox(USER, 7, 5, 9, BY), [1, 39, USER, 7, 5, 9, BY.ml_dsa, BY.signature]),
    (BoxKept(0, None, None, 0, ()), [1, 0, None, None, 0, []]),
    (UserFound(USER), [1, USER]),
    (BoxKept(3, CARD, b"box", 2, (b"l1", b"l2")), [1, 3, ENCODED, b"box", 2, [b"l1", b"l2"]]),
]
SAMPLES: Final = [pytest.param(body, array, id=type(body).__name__) for body, array in BODIES]
WRONG: Final[list[Any]] = [-1, 2**64 - 1, 1.0, True, "", "x", b"", [[]], {}, [None], [b""], [1]]
OPTIONAL: Final = {(RecoveryFrame, 3), (BoxKept, 5)}


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_a_body_is_the_array_that_its_docstring_shows(body: RelayBody, array: list[Any]) -> None:
    assert body.encode() == cbor2.dumps(array)
    assert type(body).decode(body.encode()) == body


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_every_element_has_one_type(body: RelayBody, array: list[Any]) -> None:
    for at in range(len(array)):
        for wrong in WRONG:
            with pytest.raises((MalformedMessage, UnsupportedVersion)):
                type(body).decode(cbor2.dumps([*array[:at], wrong, *array[at + 1 :]]))


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_a_body_that_is_cut_short_or_goes_on_is_refused(body: RelayBody, array: list[Any]) -> None:
    data = body.encode()
    for wrong in (data[:-1], data + b"\0", cbor2.dumps(array[:-1]), cbor2.dumps([*array, 0])):
        with pytest.raises(MalformedMessage):
            type(body).decode(wrong)


def test_a_question_for_a_user_id_has_a_name() -> None:
    assert FindUser("alice").encode() == cbor2.dumps([1, 48, "alice"])
    assert FindUser.decode(FindUser("alice").encode()) == FindUser("alice")
    for wrong in (None, 1, b"alice", "", "a" * 256, ["alice"]):
        with pytest.raises(MalformedMessage):
            FindUser.decode(cbor2.dumps([1, 48, wrong]))


REFUSED: Final[dict[str, tuple[type[RelayBody], list[Any]]]] = {
    "no call": (RecoveryFrame, [1, None, None, None]),
    "pass too long": (RecoveryFrame, [1, SHOW, bytes(513), None]),
    "no lists, as an array": (RecoveryFrame, [1, SHOW, None, []]),
    "257 lists": (RecoveryFrame, [1, SHOW, None, [b"l"] * 257]),
    "a list too long": (RecoveryFrame, [1, SHOW, None, [bytes(192 * 1024 + 1)]]),
    "lists of more than 4 MiB": (RecoveryFrame, [1, SHOW, None, [bytes(192 * 1024)] * 22]),
    "another version": (RecoveryFrame, [2, SHOW, None, None]),
    "number 0": (PutBox, [1, 38, USER, 0, ENCODED, b"box", 9, BY.ml_dsa, BY.signature]),
    "device 0 puts": (PutBox, [1, 38, USER, 1, ENCODED, b"box", 0, BY.ml_dsa, BY.signature]),
    "device null puts": (PutBox, [1, 38, USER, 1, ENCODED, b"box", None, BY.ml_dsa, BY.signature]),
    "a card that is none": (PutBox, [1, 38, USER, 1, b"card", b"box", 9, BY.ml_dsa, BY.signature]),
    "a box too long": (PutBox, [1, 38, USER, 1, ENCODED, bytes(MAX_BOX + 1), 9, BY.ml_dsa, BY.signature]),
    "device 0 asks": (GetBox, [1, 39, USER, 0, 5, 0, BY.ml_dsa, BY.signature]),
    "the number of another call": (GetBox, [1, 38, USER, 0, 5, 9, BY.ml_dsa, BY.signature]),
    "a card without a box": (BoxKept, [1, 1, ENCODED, None, 0, []]),
    "a box without a card": (BoxKept, [1, 1, None, b"box", 0, []]),
    "21 lists": (BoxKept, [1, 0, None, None, 21, [b"l"] * 21]),
}


@pytest.mark.parametrize(("kind", "array"), REFUSED.values(), ids=list(REFUSED))
def test_what_breaks_a_limit_is_refused(kind: type[RelayBody], array: list[Any]) -> None:
    with pytest.raises((MalformedMessage, UnsupportedVersion)):
        kind.decode(cbor2.dumps(array))


def test_the_longest_frame_fits_its_call() -> None:
    call = RECOVERY_CALL_OF_REQUEST[PutBox]
    box = PutBox(USER, 2**32 - 1, CARD, bytes(MAX_BOX), 2**32 - 1, BY)
    lists = (bytes(192 * 1024),) * 21 + (bytes(64 * 1024 // 235),) * 235
    frame = RecoveryFrame.of(box, bytes(512), lists).encode()
    assert len(frame) <= call.size == MAX_FRAME
    assert RecoveryFrame.decode(frame).lists == lists


def test_a_longer_frame_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(MalformedMessage, match="at most"):
        RecoveryFrame.decode(bytes(MAX_FRAME + 1))
    with pytest.raises(UsageError):
        RecoveryFrame.decode(bytearray(SHOW))  # type: ignore[arg-type]


def test_every_call_has_one_path_and_needs_no_token() -> None:
    numbers = [each.number for each in RECOVERY_CALLS]
    assert numbers == sorted({*numbers})
    assert len(RECOVERY_CALL_OF_PATH) == len(RECOVERY_CALL_OF_REQUEST) == len(RECOVERY_CALLS)
    for call in RECOVERY_CALLS:
        assert call.path == f"/v1/recovery/{call.name}"
        assert call.token is TokenUse.NEVER
        assert call.size > call.request.FORM.size
        assert call.answer_size == call.answer.FORM.size


def test_a_signature_is_for_one_server_one_number_and_one_box() -> None:
    put = PutBox(USER, 1, CARD, b"box", 9, BY)
    others = [PutBox(USER, 2, CARD, b"box", 9, BY), PutBox(USER, 1, CARD, b"other", 9, BY)]
    get = [GetBox(USER, 0, 5, 9, BY), GetBox(USER, 0, 6, 9, BY), GetBox(USER, 1, 5, 9, BY)]
    bodies: list[PutBox | GetBox] = [put, *others, *get]
    signed = [body.signed(server) for body in bodies for server in (1, 2)]
    assert len({*signed}) == len(signed)


def test_nothing_of_a_frame_is_shown() -> None:
    frame = RecoveryFrame(b"call-bytes", b"pass-bytes", (b"list-bytes",))
    assert repr(frame) == "RecoveryFrame()"
    assert "b'box'" not in repr(PutBox(USER, 1, CARD, b"box", 9, BY))
