"""Bodies of relay calls as bytes: what is read, and what is refused before or after it is parsed."""

import tracemalloc
from dataclasses import replace
from typing import Any, Final

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterlock import Address
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_calls import CALL_OF_PATH, CALL_OF_REQUEST, CALLS, MAX_REQUEST, TokenUse
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_lists import ListsAnswer, RegisterRequest
from letterlock._wire.relay_login import account_key, login_input, read_token_text, token_text
from letterlock._wire.relay_mail import (
    AckRequest,
    Delivery,
    FetchAnswer,
    FetchRequest,
    MailFrame,
    SendRequest,
    read_frame,
)
from letterlock._wire.relay_place import GetAnswer, GetRequest, PutRequest, Step
from letterlock._wire.relay_prekeys import ClaimAnswer, ClaimRequest, PublishRequest
from letterlock._wire.relay_ticket import Ticket
from letterlock.errors import InvalidSignature, MalformedMessage, UnsupportedVersion, UsageError
from support.pair import flipped
from support.relay_samples import ALICE, BODIES, HEAD, ID, KEY, OTHER_ID, TICKET, TIME

READERS: Final = sorted({type(body) for body, _ in BODIES}, key=lambda kind: kind.__name__)
REFUSALS: Final = (MalformedMessage, UnsupportedVersion)
SAMPLES: Final = [
    pytest.param(body, array, id=f"{type(body).__name__}-{len(array)}") for body, array in BODIES
]
WRONG: Final[list[Any]] = [-1, 2**64 - 1, 1.0, True, None, "", "x", b"", b"x", [], [[]], {}, [None]]


def reads_or_refuses(kind: type[RelayBody], data: bytes) -> None:
    """Fail unless bytes are refused with an error that is allowed, or are what the value encodes to."""
    try:
        body = kind.decode(data)
    except REFUSALS:
        return
    assert body.encode() == data


# --- what is read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_a_body_is_the_array_that_its_docstring_shows(body: RelayBody, array: list[Any]) -> None:
    assert body.encode() == cbor2.dumps(array)
    assert type(body).decode(body.encode()) == body


def test_every_kind_of_body_has_a_sample() -> None:
    assert {kind for call in CALLS for kind in (call.request, call.answer)} <= set(READERS)


def test_the_table_of_calls_numbers_them_from_one() -> None:
    assert [call.number for call in CALLS] == list(range(1, 24))
    assert len(CALL_OF_PATH) == len(CALL_OF_REQUEST) == len(CALLS)
    assert CALL_OF_PATH["/v1/open-place"].number == 12
    assert CALL_OF_PATH["/v1/register"].size == MAX_REQUEST
    assert [call.name for call in CALLS if call.token is TokenUse.NEVER] == [
        "challenge", "authenticate", "register", "get", "newer"
    ]  # fmt: skip
    assert {step for step in Step if step.needs_token} == {Step.OFFER, Step.PACKAGE}


def test_codes_have_the_statuses_of_http() -> None:
    statuses = [code.status for code in RelayCode]
    assert statuses == [400, 401, 409, 409, 409, 413, 429, 507, 422, 503, 403]


def test_an_account_key_depends_on_the_name_alone() -> None:
    """RLY-1: a known answer, which another implementation must reach too."""
    assert account_key("alice").hex() == "d31c261bf331f96b3652d45f2e5b585c"
    assert account_key("alice") != account_key("alicf")


def test_what_a_device_signs_names_the_relay_and_everything_it_shows() -> None:
    """RLY-5: a relay that passes the challenge of another one on gets a signature that is of no use there."""
    signed = login_input("relay.example", ALICE, b"c", 5)
    assert signed == b"letterlock-v1 relay login" + cbor2.dumps(["relay.example", "alice", 7, b"c", 5])
    others = {
        login_input("relay.example:8443", ALICE, b"c", 5),
        login_input("relay.example", Address("bob", 7), b"c", 5),
        login_input("relay.example", Address("alice", 8), b"c", 5),
        login_input("relay.example", ALICE, b"d", 5),
        login_input("relay.example", ALICE, b"c", 6),
    }
    assert len(others) == 5
    assert signed not in others


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_no_byte_of_a_body_can_be_changed_to_make_a_second_encoding(
    body: RelayBody, array: list[Any]
) -> None:
    del array
    encoded = body.encode()
    for at in range(len(encoded)):
        reads_or_refuses(type(body), flipped(encoded, at))


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_a_body_that_is_cut_short_or_goes_on_is_refused(body: RelayBody, array: list[Any]) -> None:
    encoded = body.encode()
    for end in range(len(encoded)):
        with pytest.raises(MalformedMessage):
            type(body).decode(encoded[:end])
    for longer in (encoded + b"\0", encoded + encoded, cbor2.dumps([*array, 0]), cbor2.dumps(array[:-1])):
        with pytest.raises(MalformedMessage):
            type(body).decode(longer)


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_every_element_has_one_type(body: RelayBody, array: list[Any]) -> None:
    accepted = 0
    for at in range(len(array)):
        for value in WRONG:
            data = cbor2.dumps([*array[:at], value, *array[at + 1 :]])
            reads_or_refuses(type(body), data)
            try:
                type(body).decode(data)
            except REFUSALS:
                continue
            accepted += 1
    # Bytes of any form, texts, arrays that may be empty, and elements that may be null.
    assert accepted <= 4


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_another_version_is_told_apart(body: RelayBody, array: list[Any]) -> None:
    for version in (0, 2, 23, 24, 2**32):
        with pytest.raises(UnsupportedVersion):
            type(body).decode(cbor2.dumps([version, *array[1:]]))


@pytest.mark.parametrize(("body", "array"), SAMPLES)
def test_a_request_is_refused_where_another_call_is_made(body: RelayBody, array: list[Any]) -> None:
    if type(body).NUMBER is None:
        assert type(body) not in CALL_OF_REQUEST
        return
    for number in (0, *(each for each in range(1, 16) if each != type(body).NUMBER)):
        with pytest.raises(MalformedMessage):
            type(body).decode(cbor2.dumps([1, number, *array[2:]]))


@pytest.mark.parametrize("kind", READERS)
def test_a_body_that_is_too_long_is_refused_before_it_is_parsed(kind: type[RelayBody]) -> None:
    longest = kind.FORM.size
    tracemalloc.start()
    try:
        for data in (b"\x80" * (longest + 1), b"\x9f" * (longest + 1), bytes(longest + 1)):
            tracemalloc.clear_traces()
            with pytest.raises(MalformedMessage, match="has at most"):
                kind.decode(data)
            assert tracemalloc.get_traced_memory()[1] < 2 * longest + 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", READERS)
def test_a_body_of_many_items_is_refused_by_their_number(kind: type[RelayBody]) -> None:
    """WIRE-3: four megabytes of empty arrays would otherwise become hundreds of megabytes."""
    count = kind.FORM.size - 10
    data = b"\x82\x01\x9a" + count.to_bytes(4, "big") + b"\x80" * count
    tracemalloc.start()
    try:
        with pytest.raises(MalformedMessage):
            kind.decode(data[: kind.FORM.size])
        assert tracemalloc.get_traced_memory()[1] < 3 * kind.FORM.size + 200_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", READERS)
def test_only_bytes_are_decoded(kind: type[RelayBody]) -> None:
    for data in (bytearray(b"\x81\x01"), memoryview(b"\x81\x01"), "\x81\x01"):
        with pytest.raises(UsageError):
            kind.decode(data)  # type: ignore[arg-type]


@given(st.sampled_from(READERS), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(kind: type[RelayBody], data: bytes) -> None:
    reads_or_refuses(kind, data)
    reads_or_refuses(kind, b"\x83\x01" + data)


# --- limits -----------------------------------------------------------------------------------------------


def ids(count: int) -> tuple[bytes, ...]:
    return tuple(each.to_bytes(16, "big") for each in range(count))


LONGEST: Final[list[RelayBody]] = [
    RegisterRequest("a" * 255, tuple(bytes(192 * 1024) for _ in range(20)), bytes(2048)),
    ListsAnswer(2**32 - 1, tuple(bytes(192 * 1024) for _ in range(20))),
    PublishRequest(2**32 - 1, bytes(256 * 1024)),
    ClaimRequest(ID, "a" * 255, 2**32 - 1, HEAD, tuple(2**32 - 1 - each for each in range(32))),
    ClaimAnswer(tuple(bytes(8192) for _ in range(32))),
    SendRequest(ID, "a" * 255, 2**32 - 1, HEAD, tuple((2**32 - 1 - d, bytes(130_000)) for d in range(32))),
    SendRequest(ID, "a", 1, HEAD, ((1, bytes(768 * 1024)),)),
    FetchRequest(100, 60, ids(256)),
    FetchAnswer(
        2**32 - 1,
        (
            *tuple(
                Delivery(each, 2**32 - 1, Address("a" * 255, 2**32 - 1), bytes(41943)) for each in ids(99)
            ),
            Delivery(ID, 2**32 - 1, ALICE, bytes(768 * 1024)),
        ),
    ),
    AckRequest(ids(256)),
    PutRequest(ID, Step.PACKAGE, 32, 33, bytes(512 * 1024)),
    PutRequest(ID, Step.ANSWER, 0, 1, bytes(32 * 1024)),
    GetAnswer(33, bytes(512 * 1024)),
]


@pytest.mark.parametrize("body", LONGEST, ids=lambda body: type(body).__name__)
def test_the_longest_bodies_fit(body: RelayBody) -> None:
    assert type(body).decode(body.encode()) == body


TOO_MUCH: Final[list[RelayBody]] = [
    RegisterRequest("alice", ()),
    RegisterRequest("alice", (b"",)),
    RegisterRequest("alice", (b"l",) * 21),
    RegisterRequest("alice", (bytes(192 * 1024 + 1),)),
    RegisterRequest("a" * 256, (b"l",)),
    RegisterRequest("alice", (b"l",), bytes(2049)),
    RegisterRequest("ali\u200bce", (b"l",)),
    PublishRequest(0, b"p"),
    PublishRequest(2**32, b"p"),
    ClaimRequest(ID, "alice", 0, HEAD, (1,)),
    ClaimRequest(ID, "alice", 1, HEAD, ()),
    ClaimRequest(ID, "alice", 1, HEAD, (1, 1)),
    ClaimRequest(ID, "alice", 1, HEAD, (0,)),
    ClaimRequest(ID, "alice", 1, HEAD, (2**32,)),
    ClaimRequest(ID, "alice", 1, HEAD, tuple(range(1, 34))),
    ClaimRequest(ID[1:], "alice", 1, HEAD, (1,)),
    ClaimRequest(ID, "alice", 1, HEAD[1:], (1,)),
    ClaimAnswer((b"",)),
    ClaimAnswer((bytes(8193),)),
    SendRequest(ID, "alice", 1, HEAD, ()),
    SendRequest(ID, "alice", 1, HEAD, ((1, b""),)),
    SendRequest(ID, "alice", 1, HEAD, ((1, bytes(768 * 1024 + 1)),)),
    SendRequest(ID, "alice", 1, HEAD, ((1, b"a"), (1, b"b"))),
    SendRequest(ID, "alice", 1, HEAD, ((0, b"a"),)),
    SendRequest(ID, "alice", 1, HEAD, tuple((each, b"a") for each in range(1, 34))),
    FetchRequest(0, 0),
    FetchRequest(101, 0),
    FetchRequest(1, 61),
    FetchRequest(1, 0, ids(257)),
    FetchRequest(1, 0, (ID, ID)),
    FetchRequest(1, 0, (ID[1:],)),
    FetchAnswer(0, (Delivery(ID, 0, ALICE, b"m"),) * 2),
    FetchAnswer(0, (Delivery(ID, 0, ALICE, b""),)),
    FetchAnswer(0, (Delivery(ID, 2**32, ALICE, b"m"),)),
    AckRequest(()),
    AckRequest(ids(257)),
    AckRequest((ID, ID)),
    PutRequest(ID, Step.OPEN, 0, 1, b"x"),
    PutRequest(ID, Step.BUNDLE, 1, 2, b"x"),
    PutRequest(ID, Step.BUNDLE, 0, 2, b"x"),
    PutRequest(ID, Step.BUNDLE, 0, 1, bytes(32 * 1024 + 1)),
    PutRequest(ID, Step.PACKAGE, 3, 3, b"x"),
    PutRequest(ID, Step.PACKAGE, 0, 34, b"x"),
    PutRequest(ID, Step.PACKAGE, 0, 1, b""),
    GetRequest(ID, Step.PACKAGE, 33, 0),
    GetRequest(ID, Step.OFFER, 1, 0),
    GetRequest(ID, Step.OFFER, 0, 61),
    GetAnswer(0, b""),
    GetAnswer(1, None),
    GetAnswer(34, b"x"),
]


@pytest.mark.parametrize("body", TOO_MUCH, ids=lambda body: type(body).__name__)
def test_one_more_than_a_limit_is_refused(body: RelayBody) -> None:
    with pytest.raises(MalformedMessage):
        type(body).decode(body.encode())


def test_a_body_beyond_its_size_is_not_encoded() -> None:
    messages = tuple((each, bytes(768 * 1024)) for each in range(1, 7))
    with pytest.raises(UsageError, match="at most 4194304: send less at once"):
        SendRequest(ID, "alice", 1, HEAD, messages).encode()


@pytest.mark.parametrize("code", [0, 12, 2**32])
def test_a_code_of_another_release_is_refused(code: int) -> None:
    with pytest.raises(MalformedMessage):
        ErrorAnswer.decode(cbor2.dumps([1, code, 0]))


# --- frames, tokens and tickets ---------------------------------------------------------------------------


def test_a_frame_is_mail_or_an_acknowledgement() -> None:
    """Without the number, mail of stock 10 with no message would be an acknowledgement of nothing."""
    mail, ack = MailFrame(10, ()), AckRequest((ID,))
    assert read_frame(mail.encode()) == mail
    assert read_frame(ack.encode()) == ack
    assert mail.encode() == cbor2.dumps([1, 9, 10, []])
    for wrong in ([1, 10, []], [1, 9, []], [1, 8, 0, []], [1], [], [1, "9", 10, []], [1, b"x" * 9, 0, []]):
        with pytest.raises(MalformedMessage):
            read_frame(cbor2.dumps(wrong))
    with pytest.raises(UnsupportedVersion):
        read_frame(cbor2.dumps([2, 9, 10, []]))
    with pytest.raises(UsageError):
        read_frame(bytearray(ack.encode()))  # type: ignore[arg-type]


@given(st.binary(max_size=60))
def test_any_frame_is_read_or_refused(data: bytes) -> None:
    for each in (data, b"\x84\x01\x09" + data, b"\x83\x01\x0a" + data):
        try:
            frame = read_frame(each)
        except REFUSALS:
            continue
        assert frame.encode() == each


@given(st.binary(min_size=1, max_size=512))
def test_a_token_survives_its_text(token: bytes) -> None:
    assert read_token_text(token_text(token)) == token
    assert "=" not in token_text(token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "AB=",
        "AA==",
        "AB",
        "+/8",
        "AA AA",
        "AAAA\n",
        "\u0410\u0410\u0410",
        "A" * 1025,
        "=",
        "A" * 700,
    ],
)
def test_a_text_that_is_no_token_is_told(text: str) -> None:
    assert read_token_text(text) is None


@given(st.text(max_size=20))
def test_any_text_is_a_token_or_none(text: str) -> None:
    token = read_token_text(text)
    assert token is None or token_text(token) == text


def test_a_ticket_verifies_under_the_key_that_signed_it_alone() -> None:
    """RLY-9"""
    TICKET.verify(KEY.public)
    Ticket.decode(TICKET.encode()).verify(KEY.public)
    other = Ed25519KeyPair(Ed25519Seed(bytes(32)))
    with pytest.raises(InvalidSignature):
        TICKET.verify(other.public)


@pytest.mark.parametrize(
    "ticket",
    [
        replace(TICKET, name="alicf"),
        replace(TICKET, not_after=TIME + 1),
        replace(TICKET, nonce=OTHER_ID),
        replace(TICKET, may_replace=False),
        replace(TICKET, signature=flipped(TICKET.signature, 5)),
    ],
)
def test_a_ticket_that_was_changed_does_not_verify(ticket: Ticket) -> None:
    with pytest.raises(InvalidSignature):
        Ticket.decode(ticket.encode()).verify(KEY.public)


def test_no_token_ticket_or_place_shows_in_a_repr() -> None:
    for body, array in BODIES:
        if type(body).__name__ in {"Ticket", "PutRequest", "GetRequest", "OpenPlaceRequest"}:
            shown = repr(body)
            assert repr(ID) not in shown, array
    assert "token" not in repr(BODIES[3][0]).replace("AuthenticateAnswer", "")
