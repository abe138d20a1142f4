"""SES-1, RAT-8: a message sealed with one key equals the reference, and every bit of it is authenticated."""

import dataclasses
import random

import pytest

from letterlock._primitives import aead
from letterlock._ratchet.keys import MessageKey
from letterlock._session.sealing import open_message, seal_message
from letterlock._wire.message import Header, RatchetMessage
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock.errors import AuthenticationFailed, MalformedMessage, PeerError
from support import reference
from support.double_pair import fresh_key
from support.pair import flipped

KEY = MessageKey(bytes(range(0x80, 0xA0)))
AD = bytes(range(32))
NONCE = b"\x01\x02\x03\x04\x05\x06\x07\x08"
HEADER = Header(fresh_key(), 300, 70_000)
PQ_HEADER = PqHeader(5, 300, 70_000, PqType.EK_CT1_ACK, 30, bytes(range(64)))
PQ_HEADERS = [None, PQ_HEADER, PqHeader(1, 1, 0, PqType.NONE)]
KINDS = pytest.mark.parametrize("pq_header", PQ_HEADERS, ids=["ratchet", "triple", "bare triple"])
TEXT = b"the lab results are in"
MESSAGE = seal_message(KEY, AD, HEADER, TEXT, NONCE)
SIZES = [0, 1, 30, 31, 32, 33, 100, 4095, 65536]


@pytest.mark.parametrize("size", SIZES)
@KINDS
def test_sealing_is_the_reference(size: int, pq_header: PqHeader | None) -> None:
    text = random.Random(size).randbytes(size)
    message = seal_message(KEY, AD, HEADER, text, NONCE, pq_header)
    fields = [HEADER.ratchet_key.data, HEADER.previous_length, HEADER.number]
    more = None if pq_header is None else [*pq_header.fields()]
    assert message == reference.seal(KEY.expose(), AD, fields, text, NONCE, more)
    assert open_message(KEY, AD, RatchetMessage.decode(message)) == text
    assert reference.open_sealed(KEY.expose(), AD, message) == text


def test_the_nonce_is_the_one_given_and_is_sent() -> None:
    sealed = RatchetMessage.decode(MESSAGE).sealed
    assert sealed[:8] == NONCE
    other = RatchetMessage.decode(seal_message(KEY, AD, HEADER, TEXT, NONCE[::-1])).sealed
    assert other[8:] != sealed[8:]  # another nonce gives another ciphertext


@pytest.mark.parametrize("size", [0, 7, 12])
def test_a_nonce_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=r"[Nn]once"):
        seal_message(KEY, AD, HEADER, TEXT, bytes(size))


@KINDS
def test_every_changed_byte_is_refused(pq_header: PqHeader | None) -> None:
    message = seal_message(KEY, AD, HEADER, TEXT, NONCE, pq_header)
    for at in range(len(message)):
        for mask in (1, 0x80, 0x55):
            with pytest.raises(PeerError):
                open_message(KEY, AD, RatchetMessage.decode(flipped(message, at, mask)))


@pytest.mark.parametrize("at", range(32))
def test_every_byte_of_the_associated_data_is_authenticated(at: int) -> None:
    with pytest.raises(AuthenticationFailed):
        open_message(KEY, flipped(AD, at), RatchetMessage.decode(MESSAGE))


HEADERS = [
    Header(fresh_key("other"), 300, 70_000),
    Header(HEADER.ratchet_key, 301, 70_000),
    Header(HEADER.ratchet_key, 300, 70_001),
    Header(HEADER.ratchet_key, 70_000, 300),
]


@pytest.mark.parametrize("header", HEADERS)
def test_a_ciphertext_does_not_open_under_another_header(header: Header) -> None:
    decoded = RatchetMessage.decode(MESSAGE)
    with pytest.raises(AuthenticationFailed):
        open_message(KEY, AD, RatchetMessage(header, None, header.encode_header(), decoded.sealed))


OTHER_PQ_HEADERS = [
    None,
    dataclasses.replace(PQ_HEADER, epoch=6),
    dataclasses.replace(PQ_HEADER, number=301),
    dataclasses.replace(PQ_HEADER, previous=70_001),
    dataclasses.replace(PQ_HEADER, type=PqType.EK),
    dataclasses.replace(PQ_HEADER, first=31),
    dataclasses.replace(PQ_HEADER, codewords=flipped(PQ_HEADER.codewords, 63)),
    dataclasses.replace(PQ_HEADER, codewords=PQ_HEADER.codewords[:32]),
    PqHeader(5, 300, 70_000, PqType.CT1_ACK),
]


@pytest.mark.parametrize("pq_header", OTHER_PQ_HEADERS)
def test_a_ciphertext_does_not_open_under_another_post_quantum_header(pq_header: PqHeader | None) -> None:
    """PQR-8: with another post-quantum header, or with none, the message does not open."""
    decoded = RatchetMessage.decode(seal_message(KEY, AD, HEADER, TEXT, NONCE, PQ_HEADER))
    assert open_message(KEY, AD, decoded) == TEXT
    with pytest.raises(AuthenticationFailed):
        open_message(
            KEY, AD, RatchetMessage(HEADER, pq_header, HEADER.encode_header(pq_header), decoded.sealed)
        )


def test_a_ciphertext_does_not_open_under_another_key() -> None:
    for at in range(32):
        with pytest.raises(AuthenticationFailed):
            open_message(MessageKey(flipped(KEY.expose(), at)), AD, RatchetMessage.decode(MESSAGE))


def test_only_the_fixed_length_of_associated_data_separates_it_from_the_header() -> None:
    """A session's AD always has 32 bytes, so no byte of the header can pass for a byte of the AD."""
    decoded = RatchetMessage.decode(MESSAGE)
    for split in range(1, 8):
        moved = RatchetMessage(HEADER, None, decoded.header_bytes[split:], decoded.sealed)
        # AD || header bytes is the same string, so with an AD of another length the message would open.
        assert open_message(KEY, AD + decoded.header_bytes[:split], moved) == TEXT
    with pytest.raises(AuthenticationFailed):
        open_message(KEY, AD, RatchetMessage(HEADER, None, decoded.header_bytes[1:], decoded.sealed))


def test_all_failures_of_authentication_look_the_same() -> None:  # PRIM-8
    texts = set()
    for at in (-1, -17, -40, -len(MESSAGE) + 10):
        with pytest.raises(AuthenticationFailed) as caught:
            open_message(KEY, AD, RatchetMessage.decode(flipped(MESSAGE, at % len(MESSAGE))))
        texts.add(str(caught.value))
        assert caught.value.__cause__ is None
    assert len(texts) == 1


@pytest.mark.parametrize(
    "padded",
    [
        b"no mark".ljust(32, b"\0"),
        bytes(32),
        (b"x" * 40 + b"\x80").ljust(64, b"\0"),
        b"\x80".ljust(33, b"\0"),
    ],
    ids=["no mark", "zeros", "too much", "not a padme length"],
)
def test_padding_that_sealing_would_not_make_is_malformed(padded: bytes) -> None:
    header_bytes = HEADER.encode_header()
    sealed = NONCE + aead.seal(KEY.expose(), bytes(4) + NONCE, padded, AD + header_bytes)
    with pytest.raises(MalformedMessage):
        open_message(KEY, AD, RatchetMessage(HEADER, None, header_bytes, sealed))
