"""Content as bytes: what is read, and what is refused although its sender is authenticated."""

import tracemalloc
from dataclasses import replace
from typing import Any, Final

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterlock import Account, Address, MemoryStore, Suite
from letterlock._wire.content import APPLICATION_KINDS, Attachment, Content, ContentKind, message_tag
from letterlock._wire.content_bodies import SyncCopy
from letterlock._wire.message import InitialMessage, RatchetMessage, decode_message
from letterlock.errors import AuthenticationFailed, MalformedMessage, PlaintextTooLong, UsageError
from letterlock.limits import (
    MAX_ATTACHMENT_NAME,
    MAX_ATTACHMENTS,
    MAX_CONTENT,
    MAX_EARLIER,
    MAX_MEDIA_TYPE,
    MAX_PLAINTEXT,
)
from support.content_samples import CONTENTS, ID, OTHER_TAG, PICTURE, TAG, TEXT, WITH_ATTACHMENTS
from support.pair import flipped

KIND, SENT, EARLIER, BODY, ATTACHMENTS = 0, 2, 5, 6, 7
ELEMENTS: Final[list[Any]] = cbor2.loads(WITH_ATTACHMENTS.encode())
PLAIN: Final[list[Any]] = cbor2.loads(TEXT.encode())
OVERHEAD: Final = len(replace(TEXT, body=bytes(2**20)).encode()) - 2**20
CONTROL: Final = [each for each in ContentKind if each is not ContentKind.TEXT]


def changed(at: int, value: object) -> bytes:
    """Return the content with another element."""
    return cbor2.dumps([*ELEMENTS[:at], value, *ELEMENTS[at + 1 :]])


# --- what is read -------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", CONTENTS)
def test_content_survives_its_encoding(content: Content) -> None:
    assert Content.decode(content.encode()) == content
    assert type(Content.decode(content.encode()).kind) is ContentKind


def test_the_encoding_is_that_of_an_ordinary_array() -> None:
    """Deterministic CBOR of the eight elements in their order, as cbor2 writes it too."""
    assert TEXT.encode() == cbor2.dumps(
        [1, ID, TEXT.sent, TEXT.own_head, TEXT.their_head, [], b"hello bob", []]
    )
    assert len(TEXT.encode()) == 45 + len(TEXT.body)


@pytest.mark.parametrize("kind", [0, 8, 63, 64, 255, 256, 2**32 - 1])
def test_content_of_an_unknown_kind_is_read_with_any_body_and_attachments(kind: int) -> None:
    """USR-24: a device of a later release may send it."""
    content = replace(WITH_ATTACHMENTS, kind=kind, body=b"\xff")
    assert Content.decode(content.encode()) == content
    assert content.is_for_application is (kind in {64, 255})


def test_only_texts_and_application_kinds_are_for_the_application() -> None:
    assert (APPLICATION_KINDS[0], APPLICATION_KINDS[-1]) == (64, 255)
    assert [each for each in ContentKind if replace(TEXT, kind=each).is_for_application] == [ContentKind.TEXT]


@given(
    st.builds(
        Content,
        st.integers(0, 2**32 - 1).filter(lambda kind: kind not in CONTROL),
        st.binary(min_size=16, max_size=16),
        st.integers(0, 2**32 - 1),
        st.binary(min_size=8, max_size=8),
        st.binary(min_size=8, max_size=8),
        st.binary(max_size=300),
        st.lists(
            st.builds(
                Attachment,
                st.text("abc ü.-_", min_size=1, max_size=60).filter(lambda name: name not in {".", ".."}),
                st.text("abc/+;= ", min_size=1, max_size=127),
                st.binary(max_size=300),
            ),
            max_size=3,
        ).map(tuple),
        st.lists(st.binary(min_size=16, max_size=16), max_size=5, unique=True).map(tuple),
    )
)
def test_any_content_survives_its_encoding(content: Content) -> None:
    assert Content.decode(content.encode()) == content


def test_at_the_limits_everything_fits() -> None:
    attachments = tuple(
        Attachment("n" * MAX_ATTACHMENT_NAME, "m" * MAX_MEDIA_TYPE, b"") for _ in range(MAX_ATTACHMENTS)
    )
    earlier = tuple(bytes([at]) * 16 for at in range(MAX_EARLIER))
    content = replace(TEXT, attachments=attachments, earlier=earlier, sent=2**32 - 1)
    assert Content.decode(content.encode()) == content
    longest = replace(TEXT, body=bytes(MAX_CONTENT - OVERHEAD), earlier=earlier)
    assert MAX_CONTENT < len(longest.encode()) <= MAX_PLAINTEXT
    assert Content.decode(longest.encode()) == longest


def test_the_sync_copy_of_the_longest_content_fits_a_message() -> None:
    """It may even be sent again five times, to a user of the longest name."""
    longest = replace(TEXT, body=bytes(MAX_CONTENT - OVERHEAD), sent=2**32 - 1)
    body = SyncCopy("n" * 255, bytes(32), longest).encode()
    earlier = tuple(bytes([at]) * 16 for at in range(MAX_EARLIER))
    copy = replace(TEXT, kind=ContentKind.SYNC_COPY, body=body, sent=2**32 - 1, earlier=earlier)
    assert MAX_CONTENT < len(copy.encode()) <= MAX_PLAINTEXT
    assert Content.decode(copy.encode()) == copy


def test_printing_shows_no_text() -> None:
    shown = repr(WITH_ATTACHMENTS) + repr(PICTURE)
    assert "hello" not in shown
    assert "PNG" not in shown
    assert "grüße" not in repr(WITH_ATTACHMENTS)


# --- what is refused ------------------------------------------------------------------------------------

WRONG: Final[list[tuple[int, object]]] = [
    (KIND, -1), (KIND, 2**32), (KIND, "1"), (KIND, None), (KIND, True), (KIND, 1.0), (KIND, [1]),
    *((KIND, int(each)) for each in CONTROL),  # they have no attachments
    (1, ID[:-1]), (1, ID + b"i"), (1, b""), (1, None), (1, "i" * 16), (1, 1),
    (SENT, -1), (SENT, 2**32), (SENT, None), (SENT, 1.5), (SENT, "1"), (SENT, b"\x01"),
    (3, bytes(7)), (3, bytes(9)), (3, bytes(32)), (3, None), (3, "h" * 8), (3, 0),
    (4, bytes(7)), (4, bytes(9)), (4, bytes(32)), (4, None), (4, "h" * 8), (4, []),
    (EARLIER, None), (EARLIER, b""), (EARLIER, {}), (EARLIER, [None]), (EARLIER, [TAG[:-1]]),
    (EARLIER, [TAG + b"t"]), (EARLIER, ["t" * 16]), (EARLIER, [TAG, TAG]), (EARLIER, [TAG, OTHER_TAG, TAG]),
    (EARLIER, [[TAG]]), (EARLIER, [bytes([at]) * 16 for at in range(6)]),
    (BODY, None), (BODY, "hello"), (BODY, []), (BODY, 1),
    (ATTACHMENTS, None), (ATTACHMENTS, b""), (ATTACHMENTS, {}), (ATTACHMENTS, [None]), (ATTACHMENTS, [[]]),
    (ATTACHMENTS, [["n", "m", b""]] * 33), (ATTACHMENTS, [["n", "m"]]), (ATTACHMENTS, [["n", "m", b"", b""]]),
    (ATTACHMENTS, [["n", "m", "text"]]), (ATTACHMENTS, [["n", "m", None]]), (ATTACHMENTS, [[b"n", "m", b""]]),
    (ATTACHMENTS, [["n", b"m", b""]]), (ATTACHMENTS, [[None, "m", b""]]), (ATTACHMENTS, [["n", None, b""]]),
]  # fmt: skip


@pytest.mark.parametrize(("at", "wrong"), WRONG)
def test_another_element_is_refused(at: int, wrong: object) -> None:
    with pytest.raises(MalformedMessage):
        Content.decode(changed(at, wrong))


BAD_NAMES: Final = [
    "", ".", "..", "a/b", "/etc/passwd", "..\\x", "a\0b", "a\nb", "\x7f", "\x85", "a\u2028b", "a\u2029b",
    "exe.\u202etxt", "\u200ea", "a\u200f", "\u061ca", "a\u2066b", "a\u2069", "n" * 256, "ü" * 128,
]  # fmt: skip
BAD_TYPES: Final = ["", "m" * 128, "text/plain\n", "täxt", "text\0", "\x7f", "text\u2028"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_plain_file_name_is_refused(name: str) -> None:
    """USR-27: by the sender, and by the reader if the sender did not."""
    with pytest.raises(UsageError, match="name"):
        Attachment(name, "text/plain", b"")
    with pytest.raises(MalformedMessage, match="name"):
        Content.decode(changed(ATTACHMENTS, [[name, "text/plain", b""]]))


@pytest.mark.parametrize("media_type", BAD_TYPES)
def test_a_media_type_that_is_not_printable_ascii_is_refused(media_type: str) -> None:
    with pytest.raises(UsageError, match="media type"):
        Attachment("name", media_type, b"")
    with pytest.raises(MalformedMessage, match="media type"):
        Content.decode(changed(ATTACHMENTS, [["name", media_type, b""]]))


def test_a_lone_surrogate_is_no_name() -> None:
    with pytest.raises(UsageError, match="plain file name"):
        Attachment("\ud800", "text/plain", b"")


@pytest.mark.parametrize("name", ["...", ".profile", "a b", "👩‍⚕️.png", "e\u0301", " ", "n" * 255, "ü" * 127])
def test_a_plain_file_name_is_accepted(name: str) -> None:
    content = replace(TEXT, attachments=(Attachment(name, "x", b""),))
    assert Content.decode(content.encode()) == content


@pytest.mark.parametrize("count", range(len(ELEMENTS)))
def test_fewer_elements_are_refused(count: int) -> None:
    with pytest.raises(MalformedMessage):
        Content.decode(cbor2.dumps(ELEMENTS[:count]))


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x80", b"\x88", b"\xf6", b"\x9f\xff", bytes(100), b"\xff" * 100]
)
def test_what_is_no_content_is_refused(data: bytes) -> None:
    """An account without a user may have sent it."""
    with pytest.raises(MalformedMessage):
        Content.decode(data)


def test_more_elements_and_trailing_bytes_are_refused() -> None:
    with pytest.raises(MalformedMessage):
        Content.decode(cbor2.dumps([*ELEMENTS, None]))
    with pytest.raises(MalformedMessage):
        Content.decode(TEXT.encode() + b"\0")


@pytest.mark.parametrize(
    "long",
    [
        b"\x98\x08" + TEXT.encode()[1:],  # the array's head
        b"\x88\x18\x01" + TEXT.encode()[2:],  # the kind
        b"\x88\x01\x58" + TEXT.encode()[2:],  # the id, whose head becomes 0x58 0x50
        TEXT.encode()[:-1] + b"\x98\x00",  # the empty array of attachments
        TEXT.encode()[:-1] + b"\x9f\xff",  # and one of indefinite length
    ],
)
def test_a_second_encoding_of_the_same_is_refused(long: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Content.decode(long)


def test_every_truncation_is_refused() -> None:
    data = WITH_ATTACHMENTS.encode()
    for end in range(len(data)):
        with pytest.raises(MalformedMessage):
            Content.decode(data[:end])


def test_a_changed_byte_is_refused_or_is_other_content() -> None:
    data = WITH_ATTACHMENTS.encode()
    for at in range(len(data)):
        for bit in (1, 0x80):
            try:
                found = Content.decode(flipped(data, at, bit))
            except MalformedMessage:
                continue
            assert found != WITH_ATTACHMENTS
            assert found.encode() == flipped(data, at, bit)


@pytest.mark.parametrize("data", [bytearray(TEXT.encode()), memoryview(TEXT.encode()), "text", None])
def test_only_bytes_are_read(data: Any) -> None:
    with pytest.raises(UsageError, match="must be bytes"):
        Content.decode(data)


def test_content_above_the_limit_is_refused() -> None:
    above = MAX_CONTENT - OVERHEAD + 1
    with pytest.raises(MalformedMessage, match="at most"):
        Content.decode(cbor2.dumps([*PLAIN[:BODY], bytes(above), []]))
    with pytest.raises(MalformedMessage, match="at most"):
        Content.decode(bytes(MAX_PLAINTEXT + 1))
    copy = [int(ContentKind.SYNC_COPY), *PLAIN[1:BODY], bytes(above), []]
    assert len(Content.decode(cbor2.dumps(copy)).body) == above


def test_what_has_too_many_items_is_refused_before_it_is_built() -> None:
    many = cbor2.dumps([*PLAIN[:ATTACHMENTS], [[]] * 2**20])
    tracemalloc.start()
    try:
        with pytest.raises(MalformedMessage, match="142 items"):
            Content.decode(many)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


# --- what an application gives wrong --------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"body": "hello"}, {"body": bytearray(b"hello")}, {"body": None}, {"kind": -1}, {"kind": 2**32},
        {"sent": -1}, {"sent": 2**32}, {"attachments": (PICTURE,) * 33},
        *({"kind": each, "attachments": (PICTURE,)} for each in CONTROL),
    ],
)  # fmt: skip
def test_what_cannot_be_encoded_is_a_mistake_of_the_caller(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        replace(TEXT, **wrong).encode()


@pytest.mark.parametrize(
    "wrong", [("n", "m", "text"), ("n", "m", bytearray()), (b"n", "m", b""), ("n", None, b"")]
)
def test_an_attachment_of_other_types_is_a_mistake_of_the_caller(wrong: Any) -> None:
    with pytest.raises(UsageError):
        Attachment(*wrong)


def test_too_long_content_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(PlaintextTooLong) as caught:
        replace(TEXT, body=bytes(MAX_CONTENT - OVERHEAD + 1)).encode()
    assert (caught.value.size, caught.value.limit) == (MAX_CONTENT + 1, MAX_CONTENT)
    large = Attachment("large", "x", bytes(MAX_CONTENT))
    with pytest.raises(PlaintextTooLong):
        replace(TEXT, attachments=(large,)).encode()


# --- tags of messages -----------------------------------------------------------------------------------


def messages() -> list[bytes]:
    """Return an initial message of each suite, and a message of each suite that continues a session."""
    made: list[bytes] = []
    suites = frozenset(Suite)
    for suite in Suite:
        alice, bob = (
            Account.create(MemoryStore(), Address(name), suites=suites) for name in ("alice", "bob")
        )
        alice.initiate(bob.address, bob.bundle(), suite=suite)
        made.append(alice.encrypt(bob.address, b"first"))
        bob.decrypt(alice.address, made[-1])
        made.append(bob.encrypt(alice.address, b"second"))
    return made


@pytest.mark.parametrize("message", messages(), ids=range(4))
def test_a_messages_tag_is_its_authentication_tag(message: bytes) -> None:
    """USR-25: in each kind of message the last 16 bytes are those that authenticate it."""
    decoded = decode_message(message)
    inner = decoded.message if isinstance(decoded, InitialMessage) else decoded
    assert isinstance(inner, RatchetMessage)
    assert message_tag(message) == inner.sealed[-16:] == message[-16:]


def test_messages_of_one_conversation_have_different_tags() -> None:
    alice, bob = (Account.create(MemoryStore(), Address(name)) for name in ("alice", "bob"))
    alice.initiate(bob.address, bob.bundle())
    sent = [alice.encrypt(bob.address, b"same text") for _ in range(20)]
    assert len(set(map(message_tag, sent))) == 20


def test_a_message_with_another_tag_does_not_authenticate() -> None:
    alice, bob = (Account.create(MemoryStore(), Address(name)) for name in ("alice", "bob"))
    alice.initiate(bob.address, bob.bundle())
    message = alice.encrypt(bob.address, b"text")
    with pytest.raises(AuthenticationFailed):
        bob.decrypt(alice.address, flipped(message, len(message) - 16))


@pytest.mark.parametrize("message", [b"", b"t", bytes(15)])
def test_what_is_shorter_than_a_tag_has_none(message: bytes) -> None:
    with pytest.raises(MalformedMessage, match="no message"):
        message_tag(message)
