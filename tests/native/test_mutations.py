"""Damaged records and messages: the native module gives what Python gives, or nothing. It never panics.

Records and messages come from conversations that visit every state of the braid. They are changed at random,
and at the places where the least change matters: numbers at their limits, lengths, heads.
"""

import random
from collections.abc import Iterator
from typing import Final

import pytest

from letterlock._primitives.native import NATIVE, Native
from letterlock._ratchet.keys import MessageKey
from letterlock._records.session import decode_session, encode_session
from letterlock._session.sealing import decrypt, encrypt
from letterlock._session.session import Ended, Established, Initiated
from letterlock._wire.message import RatchetMessage
from letterlock._wire.suite import Suite
from letterlock.errors import CorruptStore, PeerError, UsageError
from letterlock.stores import Record
from support.mirror import active_after, gaps, halves, lates, samples
from support.pair import entropy_of, flipped

if NATIVE is None:
    pytest.skip("letterlock-fast is not installed, or switched off", allow_module_level=True)
FAST: Final[Native] = NATIVE

SUITES = pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
NUMBERS: Final = [1, 2, 2**31, 2**32 - 1]
FIELDS: Final = {1: [2, 3], 4: [4, 184, 188, 256, 260, 320, 324, 328, 332], 8: [8, 16, 296, 304, 312, 464]}
"""Lengths in bytes, and where fields of that length stand in a record."""
SHORT_FIELDS: Final = [600, 602, 604, 606]


def numbers(record: bytes) -> Iterator[bytes]:
    """Yield a record with each number at its limits and beside its value."""
    places = [(at, width) for width, every in FIELDS.items() for at in every]
    places += [(at, 2) for at in SHORT_FIELDS]
    for at, width in places:
        if at + width > len(record):
            continue
        value = int.from_bytes(record[at : at + width], "big")
        for number in {0, value + 1, value - 1, *NUMBERS, 2 ** (8 * width) - 1} - {value}:
            if 0 <= number < 2 ** (8 * width):
                yield record[:at] + number.to_bytes(width, "big") + record[at + width :]


def damaged(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    match rng.randrange(5):
        case 0:
            return data[:at]
        case 1:
            return data + rng.randbytes(rng.randrange(1, 40))
        case 2:
            return data[:at] + rng.randbytes(rng.randrange(1, 40)) + data[at:]
        case 3:
            return data[:at] + data[at + rng.randrange(1, 40) :]
        case _:
            return flipped(data, at, 1 << rng.randrange(8))


def session_of(record: bytes) -> Initiated | Established | None:
    try:
        session = decode_session(Record(record))
    except CorruptStore:
        return None
    return None if isinstance(session, Ended) else session


def check_send(record: bytes) -> bool:
    """Check the next message of a record; return whether it is native."""
    drawn: list[bytes] = []
    draw = entropy_of(0)

    def noted(length: int) -> bytes:
        drawn.append(draw(length))
        return drawn[-1]

    session, told = session_of(record), FAST.draws(record)
    expected = None
    if session is not None:
        assert encode_session(session).expose() == record, "one state, one encoding"
        try:
            encrypted = encrypt(session, b"text", noted)
            expected = encode_session(encrypted.session).expose(), encrypted.message
        except (UsageError, PeerError):
            pass
    if expected is not None:
        assert told in ([], [len(each) for each in drawn])
    answer = FAST.send(record, b"text", b"".join(drawn))
    assert answer in (None, expected)
    return answer is not None


def check_receive(record: bytes, message: bytes) -> bool:
    """Check what a message is for a record; return whether that is native."""
    session, expected = session_of(record), None
    if session is not None:
        try:
            decrypted = decrypt(session, RatchetMessage.decode(message))
            if isinstance(decrypted.session, Established):
                after = encode_session(active_after(decrypted.session)).expose()
                expected = after, decrypted.plaintext, halves(decrypted.skipped)
        except (UsageError, PeerError):
            pass
    answer = FAST.receive(record, message)
    assert answer in (None, expected)
    return answer is not None


def check_late(record: bytes, message: bytes, keys: list[bytes]) -> bool:
    """Check what a message with kept keys is for a record; return whether that is native."""
    session, expected = session_of(record), None
    places = FAST.places(record, message)
    assert len(places) in (0, len(keys))
    if session is not None:
        try:
            decoded = RatchetMessage.decode(message)
            found = dict(zip(places[1:], keys[1:], strict=False))
            decrypted = decrypt(
                session, decoded, lambda chain, number: found.get((chain, number)), MessageKey(keys[0])
            )
            if isinstance(decrypted.session, Established):
                after = encode_session(decrypted.session).expose()
                expected = None if after == record else after, decrypted.plaintext
        except (UsageError, PeerError):
            pass
    answer = FAST.receive_late(record, message, *keys)
    assert answer in (None, expected)
    assert answer is None or places
    return answer is not None


@SUITES
def test_every_late_message_is_native(suite: Suite) -> None:
    for record, message, keys in lates(suite, FAST):
        assert check_late(record, message, keys)
        assert FAST.receive(record, message) is None


@SUITES
def test_late_messages_and_records_that_were_changed(suite: Suite) -> None:
    rng = random.Random(3)
    for record, message, keys in lates(suite, FAST):
        for changed in (*numbers(record), *(damaged(record, rng) for _ in range(60))):
            check_late(changed, message, keys)
        for _ in range(60):
            changed = damaged(message, rng)
            if changed != message:
                assert not check_late(record, changed, keys)
        for at in range(min(len(message), 120)):
            assert not check_late(record, flipped(message, at, 1 << at % 8), keys)


@SUITES
def test_other_keys_open_no_late_message(suite: Suite) -> None:
    for record, message, keys in lates(suite, FAST):
        for at, key in enumerate(keys):
            wrong = [*keys[:at], flipped(key, 31), *keys[at + 1 :]]
            assert FAST.receive_late(record, message, *wrong) is None
        if len(keys) == 2:
            assert FAST.receive_late(record, message, keys[1], keys[0]) is None
            assert FAST.receive_late(record, message, keys[0]) is None
        else:
            assert FAST.receive_late(record, message, keys[0], bytes(32)) is None


@SUITES
def test_a_message_that_is_not_late_has_no_kept_keys(suite: Suite) -> None:
    keys = [bytes(32)] * (2 if suite is Suite.PQXDH else 1)
    for record, message in samples(suite, FAST) + gaps(suite, FAST):
        assert FAST.places(record, message) == [] or FAST.receive(record, message) is not None
        assert FAST.receive_late(record, message, *keys) is None


@pytest.mark.parametrize("keys", [[b""], [bytes(31)], [bytes(33)], [bytes(32), b""], [bytes(32), bytes(64)]])
def test_what_is_no_key_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="this is a bug of the caller"):
        FAST.receive_late(b"", b"", *keys)


@SUITES
def test_every_sample_is_native(suite: Suite) -> None:
    """Without this, all that follows would pass with a module that always returns None."""
    every = samples(suite, FAST)
    assert len(every) >= (2 if suite is Suite.X3DH else 11)
    for record, message in every:
        assert check_send(record)
        assert check_receive(record, message)


@SUITES
def test_every_gap_is_native(suite: Suite) -> None:
    for record, message in gaps(suite, FAST):
        assert check_receive(record, message)


@SUITES
def test_numbers_at_their_limits(suite: Suite) -> None:
    for record, message in samples(suite, FAST) + gaps(suite, FAST):
        for changed in numbers(record):
            check_send(changed)
            check_receive(changed, message)


@SUITES
def test_damaged_records(suite: Suite) -> None:
    rng = random.Random(1)
    for record, message in samples(suite, FAST):
        for _ in range(60):
            changed = damaged(record, rng)
            check_send(changed)
            check_receive(changed, message)


@SUITES
def test_damaged_messages(suite: Suite) -> None:
    rng = random.Random(2)
    for record, message in samples(suite, FAST) + gaps(suite, FAST):
        for _ in range(60):
            changed = damaged(message, rng)
            if changed != message:
                assert not check_receive(record, changed)


@SUITES
def test_every_byte_of_a_header_flipped(suite: Suite) -> None:
    record, message = samples(suite, FAST)[-1]
    for at in range(min(len(message), 120)):
        for bit in range(8):
            assert not check_receive(record, flipped(message, at, 1 << bit))


@SUITES
def test_messages_of_other_moments(suite: Suite) -> None:
    every = samples(suite, FAST)
    for record, own in every:
        for _, message in every:
            if message != own:
                check_receive(record, message)


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x86\x01\x02", bytes(264), b"\x02\x01" + bytes(262)])
def test_what_is_no_record_and_no_message(data: bytes) -> None:
    assert FAST.draws(data) == []
    assert FAST.send(data, b"text", bytes(8)) is None
    assert FAST.receive(data, data) is None
    assert FAST.places(data, data) == []
    assert FAST.receive_late(data, data, bytes(32)) is None
