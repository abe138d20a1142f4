"""WIRE-9: one padding for one plaintext, at most 12 % more, and few distinct lengths."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._session.sealing import pad, padded_length, unpad
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_PADDED, MAX_PLAINTEXT, MIN_PADDED

# The padded lengths of all plaintexts up to 1,023 bytes, computed by hand from PADME's rule: of a length
# with highest bit E, keep the bits down to E - floor(log2 E) - 1 and round the rest up.
CLASSES = [
    *range(32, 65, 4),
    *range(72, 129, 8),
    *range(144, 257, 16),
    *range(272, 513, 16),
    *range(544, 1025, 32),
]


def test_the_classes_of_short_plaintexts() -> None:
    seen = sorted({padded_length(length) for length in range(1024)})
    assert seen == CLASSES


@pytest.mark.parametrize(
    ("length", "padded"),
    [
        (0, 32),
        (31, 32),
        (32, 36),
        (35, 36),
        (36, 40),
        (63, 64),
        (64, 72),
        (127, 128),
        (128, 144),
        (255, 256),
        (256, 272),
        (1023, 1024),
        (1024, 1088),
        (65535, 65536),
        (65536, 67584),
        (10**6, 1_015_808),
        (MAX_PLAINTEXT - 1, MAX_PLAINTEXT),
        (MAX_PLAINTEXT, MAX_PLAINTEXT + 2**19),
    ],
)
def test_known_lengths(length: int, padded: int) -> None:
    assert padded_length(length) == padded


LENGTHS = st.integers(0, MAX_PLAINTEXT) | st.integers(5, 24).flatmap(
    lambda bits: st.integers(max(0, 2**bits - 3), min(MAX_PLAINTEXT, 2**bits + 3))
)


@settings(deadline=None)
@given(LENGTHS)
def test_padding_adds_a_mark_and_at_most_12_percent(length: int) -> None:
    padded = padded_length(length)
    assert length + 1 <= padded <= MAX_PADDED
    if length + 1 >= MIN_PADDED:
        # The share is of plaintext and mark. It is greatest where 129 bytes become 144.
        assert padded <= (length + 1) * 1.12
    else:
        assert padded == MIN_PADDED


def test_the_overhead_of_every_length_up_to_a_hundred_thousand() -> None:
    for length in range(MIN_PADDED - 1, 100_000):
        padded = padded_length(length)
        assert 0 <= padded - (length + 1) <= (length + 1) * 12 // 100


@settings(deadline=None)
@given(LENGTHS, LENGTHS)
def test_padded_lengths_grow_with_the_text(one: int, other: int) -> None:
    assert (padded_length(one) <= padded_length(other)) or one > other


@settings(deadline=None)
@given(LENGTHS)
def test_the_longest_plaintext_of_a_padded_length_fills_it(length: int) -> None:
    """One byte more needs the next padded length."""
    padded = padded_length(length)
    assert padded_length(padded - 1) == padded
    assert padded_length(padded) > padded


def test_there_are_few_classes() -> None:
    """Between 2^E and 2^(E + 1) there are 2^b padded lengths, where b is the bit length of E."""
    length, classes = 0, 0
    while length <= MAX_PLAINTEXT:
        length, classes = padded_length(length), classes + 1
    assert classes == 1 + 3 * 8 + 8 * 16 + 8 * 32 + 1


@settings(deadline=None)
@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda data: data + bytes(40)))
def test_round_trip(plaintext: bytes) -> None:
    padded = pad(plaintext)
    assert len(padded) == padded_length(len(plaintext))
    assert padded == plaintext + b"\x80" + bytes(len(padded) - len(plaintext) - 1)
    assert unpad(padded) == plaintext


@pytest.mark.parametrize(
    "plaintext", [b"", b"\0", b"\x80", b"\x80\0", b"\0" * 31, b"\x80" * 31, b"x\x80" + bytes(30)]
)
def test_plaintexts_that_look_like_padding_are_restored(plaintext: bytes) -> None:
    assert unpad(pad(plaintext)) == plaintext


WRONG = {
    "empty": b"",
    "mark alone": b"\x80",
    "31 bytes": b"x" * 30 + b"\x80",
    "no mark, zeros": bytes(32),
    "no mark, text": b"x" * 32,
    "no mark, text and zeros": b"x" * 20 + bytes(12),
    "another mark": b"x" * 20 + b"\x81" + bytes(11),
    "iso 7816 within the text only": b"x\x80x" + bytes(29),
    "33 bytes": b"x" * 20 + b"\x80" + bytes(12),
    "a class too large": b"x" * 20 + b"\x80" + bytes(15),
    "many classes too large": b"x" + b"\x80" + bytes(1022),
    "junk after the zeros": b"x" * 20 + b"\x80" + bytes(10) + b"\x01",
    "two classes in between": b"x" * 40 + b"\x80" + bytes(7),
}


@pytest.mark.parametrize("padded", WRONG.values(), ids=WRONG.keys())
def test_padding_that_sealing_does_not_make_is_refused(padded: bytes) -> None:
    with pytest.raises(MalformedMessage, match="padding is not what sealing makes"):
        unpad(padded)


def test_only_zeros_may_follow_the_mark() -> None:
    text = b"x" * 20
    sound = pad(text)
    for at in range(21, len(sound)):
        for filler in range(1, 256):
            changed = sound[:at] + bytes([filler]) + sound[at + 1 :]
            with contextlib.suppress(MalformedMessage):  # a later mark gives another plaintext
                assert unpad(changed) != text


def test_the_longest_text_and_one_byte_more() -> None:
    longest = bytes(MAX_PLAINTEXT)
    assert unpad(pad(longest)) == longest
    longer = pad(longest + b"\0")
    assert len(longer) <= MAX_PADDED  # so it is not refused for its size
    with pytest.raises(MalformedMessage, match="padding is not what sealing makes"):
        unpad(longer)


@pytest.mark.parametrize("length", [0, 1, 30, 31, 32, 100, 255, 256])
def test_every_other_padding_of_a_text_is_refused(length: int) -> None:
    text = b"x" * length
    right = padded_length(length)
    for total in range(length + 1, 2 * right + 40):
        padded = (text + b"\x80").ljust(total, b"\0")
        if total == right:
            assert unpad(padded) == text
        else:
            with pytest.raises(MalformedMessage):
                unpad(padded)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_padding_that_is_accepted_is_what_sealing_makes(padded: bytes) -> None:
    try:
        plaintext = unpad(padded)
    except MalformedMessage:
        return
    assert pad(plaintext) == padded


@settings(deadline=None)
@given(st.binary(max_size=100), st.integers(0, 1023), st.integers(1, 255))
def test_every_changed_byte_changes_the_text_or_is_refused(text: bytes, at: int, change: int) -> None:
    padded = bytearray(pad(text))
    padded[at % len(padded)] ^= change
    with contextlib.suppress(MalformedMessage):
        assert unpad(bytes(padded)) != text
