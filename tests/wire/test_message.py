"""WIRE-6, WIRE-7: the two messages, what is authenticated of them, and what each suite carries."""

import hashlib
from collections.abc import Callable

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._primitives.curve25519 import LOW_ORDER
from letterlock._wire import cbor
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import (
    _INITIAL,
    _RATCHET,
    _TRIPLE,
    SENT_NONCE_BYTES,
    HandshakeHeader,
    Header,
    InitialMessage,
    RatchetMessage,
    decode_message,
    handshake_id,
)
from letterlock._wire.pq_header import PqHeader
from letterlock._wire.suite import Suite
from letterlock.errors import InvalidKey, MalformedMessage, PeerError, UnsupportedVersion
from letterlock.limits import MAX_COUNTER, MAX_ID, MAX_PADDED, MIN_PADDED
from support.wire_samples import (
    BARE_PART,
    HANDSHAKE,
    HANDSHAKES,
    HEADER,
    HEADERS,
    PART,
    PARTS,
    SEALED,
    SEALED_TEXTS,
    X3DH,
    TreePath,
    encode_again,
    head,
    initial_message,
    ratchet_message,
    spoiled,
)

OVERHEAD = SENT_NONCE_BYTES + 16
RATCHET = ratchet_message()
TRIPLE = ratchet_message(pq_header=PART)
INITIAL = initial_message()
CLASSICAL = initial_message(X3DH)


# --- ratchet messages -----------------------------------------------------------------------------


def test_what_a_ratchet_message_looks_like() -> None:
    assert cbor.decode(RATCHET) == [1, 2, HEADER.ratchet_key.data, 3, 65536, SEALED]
    where = [1, 5, HEADER.ratchet_key.data, 3, 65536]
    assert cbor.decode(TRIPLE) == [*where, 5, 300, 70_000, 3, 30, PART.codewords, SEALED]
    bare = ratchet_message(pq_header=BARE_PART)
    assert cbor.decode(bare) == [*where, 1, 1, 0, 0, None, None, SEALED]


@settings(deadline=None)
@given(HEADERS, SEALED_TEXTS, st.none() | PARTS)
def test_ratchet_round_trip(header: Header, sealed: bytes, pq_header: PqHeader | None) -> None:
    data = ratchet_message(header, sealed, pq_header)
    message = RatchetMessage.decode(data)
    assert (message.header, message.pq_header, message.sealed) == (header, pq_header, sealed)
    # WIRE-6, RAT-8: what is authenticated is the bytes that came, up to the sealed text.
    assert message.header_bytes == header.encode_header(pq_header)
    assert cbor.complete_array(message.header_bytes, message.sealed) == data
    assert data.startswith(message.header_bytes)


@pytest.mark.parametrize(
    "length", [OVERHEAD + MIN_PADDED, 255, 256, 257, 65535, 65536, OVERHEAD + MAX_PADDED]
)
@pytest.mark.parametrize("pq_header", [None, PART], ids=["ratchet", "triple"])
def test_sealed_texts_of_every_head(length: int, pq_header: PqHeader | None) -> None:
    message = RatchetMessage.decode(ratchet_message(HEADER, bytes(length), pq_header))
    assert (len(message.sealed), message.header_bytes) == (length, HEADER.encode_header(pq_header))


@pytest.mark.parametrize("length", [0, 1, 24, OVERHEAD + MIN_PADDED - 1, OVERHEAD + MAX_PADDED + 1])
@pytest.mark.parametrize("pq_header", [None, PART], ids=["ratchet", "triple"])
def test_a_sealed_text_of_another_length_is_refused(length: int, pq_header: PqHeader | None) -> None:
    text = r"^sealed text of a (triple )?message is not a byte string of"
    with pytest.raises(MalformedMessage, match=text):
        RatchetMessage.decode(ratchet_message(HEADER, bytes(length), pq_header))


@settings(deadline=None, max_examples=400)
@given(st.sampled_from([RATCHET, TRIPLE, ratchet_message(pq_header=BARE_PART), INITIAL]), st.data())
def test_a_damaged_message_is_refused_or_is_the_encoding_of_another(
    sound: bytes, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, min(len(sound), 120)))
    cut = data.draw(st.integers(0, 3))
    holds(sound[:at] + data.draw(st.binary(max_size=5)) + sound[at + cut :])


@pytest.mark.slow
@pytest.mark.parametrize("sound", [RATCHET, TRIPLE, ratchet_message(pq_header=BARE_PART), INITIAL, CLASSICAL])
def test_every_value_of_every_byte_of_a_head(sound: bytes) -> None:
    for at in [*range(5), *range(36, min(len(sound), 140))]:
        for value in range(256):
            holds(sound[:at] + bytes([value]) + sound[at + 1 :])


def holds(data: bytes) -> None:
    """Hold the reader to another one: cbor2 parses, and encodes to the same bytes, whatever it accepts."""
    try:
        message = decode_message(data)
    except PeerError:
        return
    assert encode_again(message) == data
    assert cbor2.dumps(cbor2.loads(data)) == data


def test_another_kind_than_expected_is_refused() -> None:
    for data, kind in ((RATCHET, Kind.TRIPLE), (TRIPLE, Kind.RATCHET)):
        with pytest.raises(MalformedMessage, match=r"^not a"):
            RatchetMessage.decode_of(data, kind)


def elements_of(data: bytes) -> list[str]:
    kind = peek_kind(data)
    (layout,) = (each for each in (_RATCHET, _TRIPLE, _INITIAL) if each.kind is kind)
    return [field.name for field in layout.fields]


WRONG: tuple[object, ...] = ("text", -1, True, 1.5, [0], {}, 2**64 - 1)


@pytest.mark.parametrize(
    "data", [RATCHET, TRIPLE, INITIAL, CLASSICAL], ids=["ratchet", "triple", "initial", "x3dh"]
)
def test_an_error_names_the_element_that_is_wrong(data: bytes) -> None:
    """WIRE-4: of another type, negative, in a long form, cut short, or absent."""
    tree, names = cbor2.loads(data), elements_of(data)
    starts = [len(cbor2.dumps(tree[: at + 2])) for at in range(len(names))]
    for at, (name, start) in enumerate(zip(names, starts, strict=True)):
        for wrong in (*WRONG, 7 if name == "message" else b"?" * 17):
            with pytest.raises(MalformedMessage, match=rf"^{name} of an? [a-z ]* is not (null or )?an? "):
                decode_message(spoiled(data, (at + 2,), wrong))
        with pytest.raises(MalformedMessage, match=rf"^{name} of .*, in its shortest form$"):
            decode_message(data[:start])
        if isinstance(tree[at + 2], bytes):
            end = start + len(cbor2.dumps(tree[at + 2]))
            with pytest.raises(MalformedMessage, match=rf"^{name} of "):
                decode_message(data[: end - 1])
        if data[start] != 0xF6:
            with pytest.raises(MalformedMessage, match=rf"^{name} of .*, in its shortest form$"):
                decode_message(data[:start] + longer(data[start:]))


def longer(data: bytes) -> bytes:
    """Return the same item and what follows, its head in the next longer form."""
    low = data[0] & 31
    width = 0 if low < 24 else 1 << low - 24
    argument = int.from_bytes(data[1 : 1 + width], "big") if width else low
    return head(data[0] >> 5, argument, width * 2 or 1) + data[1 + width :]


def test_nothing_follows_the_last_element() -> None:
    for data in (RATCHET, TRIPLE, INITIAL, CLASSICAL):
        with pytest.raises(MalformedMessage, match=r"message has bytes after its last element$"):
            decode_message(data + b"\0")


def test_a_wrong_form_is_named_before_a_wrong_key() -> None:
    for data in (RATCHET, TRIPLE, INITIAL):
        for at in (2, 3):
            with pytest.raises(MalformedMessage):
                decode_message(spoiled(spoiled(data, (at,), bytes(32)), (len(cbor2.loads(data)) - 1,), None))


# --- ratchet messages, element by element ----------------------------------------------------------


@pytest.mark.parametrize("at", [3, 4], ids=["PN", "N"])
@pytest.mark.parametrize("data", [RATCHET, TRIPLE], ids=["ratchet", "triple"])
def test_counters_have_four_bytes(at: int, data: bytes) -> None:
    for good in (0, 1, MAX_COUNTER):
        RatchetMessage.decode(spoiled(data, (at,), good))
    for bad in (-1, MAX_COUNTER + 1, 2**64 - 1):
        with pytest.raises(MalformedMessage):
            RatchetMessage.decode(spoiled(data, (at,), bad))


BAD_KEYS = [*sorted(LOW_ORDER), b"\xff" * 32, b"\xed" + b"\xff" * 30 + b"\x7f", b"\x09" + bytes(30) + b"\x80"]


@pytest.mark.parametrize("key", BAD_KEYS, ids=lambda key: key.hex()[:4] + key.hex()[-2:])
def test_a_key_that_is_not_sound_is_refused(key: bytes) -> None:
    for data in (RATCHET, TRIPLE):
        with pytest.raises(InvalidKey):
            RatchetMessage.decode(spoiled(data, (2,), key))
    for at in (3, 4):
        with pytest.raises(InvalidKey):
            InitialMessage.decode(spoiled(INITIAL, (at,), key))


# --- initial messages -----------------------------------------------------------------------------


def test_what_an_initial_message_looks_like() -> None:
    assert HANDSHAKE.kem is not None
    tree = [1, 1, 2, HANDSHAKE.identity.data, HANDSHAKE.ephemeral.data, 1, 2]
    assert cbor.decode(INITIAL) == [*tree, 3, HANDSHAKE.kem.ciphertext, TRIPLE]
    assert cbor.decode(CLASSICAL) == [1, 1, 1, *tree[3:], None, None, RATCHET]


@settings(deadline=None)
@given(HANDSHAKES, HEADERS, SEALED_TEXTS, PARTS)
def test_initial_round_trip(
    header: HandshakeHeader, inner: Header, sealed: bytes, pq_header: PqHeader
) -> None:
    carried = ratchet_message(inner, sealed, None if header.suite is Suite.X3DH else pq_header)
    data = initial_message(header, carried)
    message = InitialMessage.decode(data)
    assert message.header == header
    assert message.message == RatchetMessage.decode(carried)
    assert (
        message.id == handshake_id(header.encode_header()) == hashlib.sha256(header.encode_header()).digest()
    )


@settings(deadline=None)
@given(st.binary(min_size=56, max_size=70), st.binary(min_size=230, max_size=300))
def test_the_id_names_the_handshake_and_not_the_message_it_carries(short: bytes, long: bytes) -> None:
    ids = {
        InitialMessage.decode(initial_message(HANDSHAKE, ratchet_message(HEADER, s, PART))).id
        for s in (short, long)
    }
    assert ids == {handshake_id(HANDSHAKE.encode_header())}


OTHER_PARTS: dict[str, tuple[TreePath, object]] = {
    "identity": ((3,), b"\x0a" + bytes(31)),
    "ephemeral": ((4,), b"\x0a" + bytes(31)),
    "signed prekey": ((5,), 9),
    "one-time prekey": ((6,), 9),
    "no one-time prekey": ((6,), None),
    "kem prekey": ((7,), 9),
    "kem ciphertext": ((8,), bytes(1568)),
}


@pytest.mark.parametrize(("at", "value"), OTHER_PARTS.values(), ids=OTHER_PARTS.keys())
def test_the_id_depends_on_every_part_of_the_handshake(at: TreePath, value: object) -> None:
    assert InitialMessage.decode(spoiled(INITIAL, at, value)).id != InitialMessage.decode(INITIAL).id


def test_the_numbers_of_the_suites() -> None:
    assert [(suite.name, int(suite)) for suite in Suite] == [("X3DH", 1), ("PQXDH", 2)]


@pytest.mark.parametrize("suite", [0, 3, 4, 23, 24, 255, 2**32 - 1, 2**32, 2**64 - 1])
def test_an_unknown_suite_is_refused(suite: int) -> None:
    for data in (INITIAL, CLASSICAL):
        with pytest.raises(MalformedMessage, match="suite of an initial message is not"):
            InitialMessage.decode(spoiled(data, (2,), suite))


def test_the_kem_part_is_there_in_its_suite_and_only_there() -> None:
    # WIRE-7: otherwise a relay could strip the post-quantum part and be refused only later, or never.
    assert InitialMessage.decode(INITIAL).header.kem == HANDSHAKE.kem
    assert InitialMessage.decode(CLASSICAL).header.kem is None
    for data, at, value in [
        (INITIAL, 7, None),
        (INITIAL, 8, None),
        (CLASSICAL, 7, 3),
        (CLASSICAL, 8, bytes(1568)),
        (INITIAL, 2, 1),
        (CLASSICAL, 2, 2),
    ]:
        with pytest.raises(
            MalformedMessage, match=r"^kem (prekey id|ciphertext) of an initial message must (not )?be null$"
        ):
            InitialMessage.decode(spoiled(data, (at,), value))


@pytest.mark.parametrize("length", [0, 1088, 1567, 1569])
def test_a_ciphertext_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(
        MalformedMessage,
        match="kem ciphertext of an initial message is not null or a byte string of 1568 bytes",
    ):
        InitialMessage.decode(spoiled(INITIAL, (8,), bytes(length)))


@pytest.mark.parametrize("at", [(5,), (6,), (7,)], ids=["signed", "one-time", "kem"])
def test_ids_have_four_bytes(at: tuple[int, ...]) -> None:
    for good in (0, MAX_ID):
        InitialMessage.decode(spoiled(INITIAL, at, good))
    for bad in (-1, MAX_ID + 1, 2**64 - 1):
        with pytest.raises(MalformedMessage):
            InitialMessage.decode(spoiled(INITIAL, at, bad))


CARRIED: dict[str, tuple[Callable[[bytes], bytes], type[PeerError]]] = {
    "nothing": (lambda _: b"", MalformedMessage),
    "another initial message": (lambda _: INITIAL, MalformedMessage),
    "a version that is not ours": (lambda data: spoiled(data, (0,), 2), UnsupportedVersion),
    "trailing bytes": (lambda data: data + b"\0", MalformedMessage),
    "cut short": (lambda data: data[:-1], MalformedMessage),
    "a key of low order": (lambda data: spoiled(data, (2,), bytes(32)), InvalidKey),
    "no sealed text": (lambda data: spoiled(data, (len(cbor2.loads(data)) - 1,), b""), MalformedMessage),
}


@pytest.mark.parametrize(("spoil", "error"), CARRIED.values(), ids=CARRIED.keys())
def test_what_it_carries_must_be_a_ratchet_message(
    spoil: Callable[[bytes], bytes], error: type[PeerError]
) -> None:
    for header, carried in ((HANDSHAKE, TRIPLE), (X3DH, RATCHET)):
        InitialMessage.decode(initial_message(header, carried))
        with pytest.raises(error):
            InitialMessage.decode(initial_message(header, spoil(carried)))


def test_each_suite_carries_its_own_kind_of_message_and_no_other() -> None:
    # PQR-8: whoever takes the post-quantum half out is refused before any key is looked at.
    assert InitialMessage.decode(INITIAL).message.pq_header == PART
    assert InitialMessage.decode(CLASSICAL).message.pq_header is None
    with pytest.raises(MalformedMessage, match=r"^not a triple message, but a message$"):
        InitialMessage.decode(initial_message(HANDSHAKE, RATCHET))
    with pytest.raises(MalformedMessage, match=r"^not a message, but a triple message$"):
        InitialMessage.decode(initial_message(X3DH, TRIPLE))


NESTED: dict[str, object] = {"array": [0], "empty array in one": [[]], "long": [0] * 100, "map": {"a": 1}}


@pytest.mark.parametrize("at", range(2, 12))
@pytest.mark.parametrize("nested", NESTED.values(), ids=NESTED.keys())
def test_a_message_is_flat(at: int, nested: object) -> None:
    """WIRE-3: 16 MiB of empty arrays would take a gigabyte, so nothing in a message may be an array."""
    for data, count, decode in (
        (RATCHET, 6, RatchetMessage.decode),
        (TRIPLE, 12, RatchetMessage.decode),
        (INITIAL, 10, InitialMessage.decode),
    ):
        if at < count:
            for value in (nested, []):
                with pytest.raises(MalformedMessage, match=r"^[a-z -]+ of an? [a-z ]+ is not "):
                    decode(spoiled(data, (at,), value))


def test_a_ratchet_message_as_an_array_instead_of_bytes_is_refused() -> None:
    with pytest.raises(MalformedMessage, match=r"^kem ciphertext of an initial message is not"):
        InitialMessage.decode(spoiled(INITIAL, (8,), cbor2.loads(RATCHET)))


def test_every_flipped_bit_of_a_handshake_changes_its_id_or_is_refused() -> None:
    """Nothing of a handshake is signed at this level: its id and the transcript must tell all apart."""
    opened = HANDSHAKE.encode_header()
    seen = {InitialMessage.decode(INITIAL).id}
    for at in range(len(opened)):
        for bit in range(8) if at < 90 else (at % 8,):
            changed = opened[:at] + bytes([opened[at] ^ 1 << bit]) + INITIAL[at + 1 :]
            try:
                message = InitialMessage.decode(changed)
            except (MalformedMessage, UnsupportedVersion, InvalidKey):
                continue
            assert message.id not in seen
            seen.add(message.id)
    assert len(seen) > 1568
