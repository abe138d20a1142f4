"""Vectors of sealing: one message under one message key.

Messages are made here with the cipher alone, so that a tag can be right and the rest not.
"""

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from generators.support.encoding import encode
from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.padding import pad
from letterlock import hazmat

KEY, AD, NONCE = draw("a message key", 32), draw("associated data", 32), draw("a nonce", 8)
RATCHET = hazmat.public_key(draw("a ratchet key", 32))


def header_bytes(previous: int = 3, number: int = 5, key: bytes = RATCHET) -> bytes:
    return encode([1, 2, key, previous, number, b""])[:-1]


def close(header: bytes, sealed: bytes) -> bytes:
    return header + encode(sealed)


def seal(
    padded: bytes,
    header: bytes | None = None,
    data: bytes | None = None,
    key: bytes = KEY,
    prefix: bytes = bytes(4),
) -> bytes:
    """Return a message; `data` is authenticated instead of AD and header."""
    header = header_bytes() if header is None else header
    data = AD + header if data is None else data
    return close(header, NONCE + ChaCha20Poly1305(key).encrypt(prefix + NONCE, padded, data))


SEALING: Json = {
    "message_key": KEY.hex(),
    "associated_data": AD.hex(),
    "ratchet_key": RATCHET.hex(),
    "previous_length": 3,
    "number": 5,
    "nonce": NONCE.hex(),
}
OPENING: Json = {"message_key": KEY.hex(), "associated_data": AD.hex()}
TEXT = b"letterlock"
LONG = draw("a text of 100 bytes", 100)
SOUND = seal(pad(TEXT))
SEALED = SOUND[len(header_bytes()) + 2 :]
TOP = 2**32 - 1


def sealing(family: Family) -> None:
    group = family.group("seal.seal", "messages")
    for comment, text, counters in [
        ("a short text", TEXT, (3, 5)),
        ("no text", b"", (3, 5)),
        ("31 bytes, the most in 32", LONG[:31], (3, 5)),
        ("32 bytes", LONG[:32], (3, 5)),
        ("100 bytes", LONG, (3, 5)),
        ("1,000 bytes, whose length needs three bytes", draw("1000", 1000), (3, 5)),
        ("the first message", TEXT, (0, 0)),
        ("counters of 23 and 24", TEXT, (23, 24)),
        ("counters of 255 and 256", TEXT, (255, 256)),
        ("counters of 65535 and 65536", TEXT, (65535, 65536)),
        ("the largest counters", TEXT, (TOP, TOP)),
    ]:
        header = {"previous_length": counters[0], "number": counters[1]}
        given = SEALING | header | {"plaintext": text.hex()}
        flags = [] if text is TEXT and counters == (3, 5) else ["Boundary"]
        message = seal(pad(text), header_bytes(*counters))
        rules = ["SES-1", "RAT-8", "WIRE-6"]
        group.valid(comment, given, flags=flags, rules=rules, output={"message": message.hex()})
    for comment, key in {
        "of low order": bytes(32),
        "not canonical": b"\xff" * 32,
        "short": RATCHET[:-1],
    }.items():
        given = SEALING | {"ratchet_key": key.hex(), "plaintext": ""}
        group.invalid(f"a ratchet key {comment}", given, "InvalidKey", flags=["BadKey"], rules=["PRIM-2"])


def opening(family: Family) -> None:
    group = family.group("seal.open", "messages that open")
    for comment, text, header in [
        ("a short text", TEXT, header_bytes()),
        ("no text", b"", header_bytes()),
        ("100 bytes", LONG, header_bytes()),
        ("the largest counters", TEXT, header_bytes(TOP, TOP)),
    ]:
        given = OPENING | {"message": seal(pad(text), header).hex()}
        group.valid(comment, given, rules=["SES-1", "RAT-8"], output={"plaintext": text.hex()})


Case = tuple[str, str, list[str], Json, bytes]
"""Comment, flag, rules, other inputs, message."""


def refused(family: Family, comment: str, expect: str, cases: list[Case]) -> None:
    group = family.group("seal.open", comment)
    for name, flag, rules, given, message in cases:
        whole = OPENING | given | {"message": message.hex()}
        alike = ["PRIM-8"] if expect == "AuthenticationFailed" else []
        group.invalid(name, whole, expect, flags=[flag], rules=alike + rules)


AT = len(header_bytes()) + 2  # where `sealed` begins in SOUND: its head has two bytes


def other_inputs(family: Family) -> None:
    header, other = header_bytes(), hazmat.public_key(draw("another ratchet key", 32))
    last_bit, text = {"message_key": flipped(KEY, -1).hex()}, pad(TEXT)
    refused(
        family,
        "messages sealed with another key or other data than they are opened with",
        "AuthenticationFailed",
        [
            ("another key", "OtherKey", [], {"message_key": draw("x", 32).hex()}, SOUND),
            ("a key with its last bit changed", "OtherKey", [], last_bit, SOUND),
            ("other associated data", "OtherData", ["HAND-6"], {"associated_data": "00" * 32}, SOUND),
            ("a bit of AD", "OtherData", ["HAND-6"], {"associated_data": flipped(AD, 31).hex()}, SOUND),
            ("another ratchet key", "OtherData", ["RAT-8"], {}, close(header_bytes(key=other), SEALED)),
            ("PN one more", "OtherData", ["RAT-8"], {}, close(header_bytes(4, 5), SEALED)),
            ("N one more", "OtherData", ["RAT-8"], {}, close(header_bytes(3, 6), SEALED)),
            ("PN and N exchanged", "OtherData", ["RAT-8"], {}, close(header_bytes(5, 3), SEALED)),
            (
                "N and PN larger by 2^16",
                "OtherData",
                ["RAT-8"],
                {},
                close(header_bytes(65539, 65541), SEALED),
            ),
            ("AD alone", "OtherData", ["RAT-8"], {}, seal(text, data=AD)),
            ("the header alone", "OtherData", ["HAND-6"], {}, seal(text, data=header)),
            ("nothing", "OtherData", ["RAT-8"], {}, seal(text, data=b"")),
            ("the header before AD", "OtherData", ["RAT-8"], {}, seal(text, data=header + AD)),
            ("the head of `sealed` too", "OtherData", ["WIRE-6"], {}, seal(text, data=AD + SOUND[:AT])),
            ("a header a byte short", "OtherData", ["WIRE-6"], {}, seal(text, data=AD + header[1:])),
            ("a nonce that begins with a one", "Nonce", ["SES-1"], {}, seal(text, prefix=b"\1\0\0\0")),
        ],
    )


def changed_bytes(family: Family) -> None:
    header, long = header_bytes(), seal(pad(LONG))
    tag_first = SEALED[:8] + SEALED[-16:] + SEALED[8:-16]
    refused(
        family,
        "changed messages",
        "AuthenticationFailed",
        [
            ("the first bit of the nonce", "Nonce", ["SES-1"], {}, flipped(SOUND, AT)),
            ("the last bit of the nonce", "Nonce", ["SES-1"], {}, flipped(SOUND, AT + 7, 0x80)),
            ("the first bit of the ciphertext", "Changed", [], {}, flipped(SOUND, AT + 8)),
            ("the last bit of the ciphertext", "Changed", [], {}, flipped(SOUND, -17, 0x80)),
            ("the first bit of the tag", "Changed", [], {}, flipped(SOUND, -16)),
            ("the last bit of the tag", "Changed", [], {}, flipped(SOUND, -1, 0x80)),
            ("a tag of zeros", "Changed", [], {}, SOUND[:-16] + bytes(16)),
            ("the tag in front", "Changed", [], {}, close(header, tag_first)),
            ("a byte short", "CutShort", [], {}, close(header, long[AT:-1])),
            ("a block of 64 bytes short", "CutShort", [], {}, close(header, long[AT:-64])),
            ("a zero byte more", "CutShort", [], {}, close(header, long[AT:] + b"\0")),
        ],
    )


def bad_paddings(family: Family) -> None:
    rest = 32 - len(TEXT) - 1
    refused(
        family,
        "valid tags over wrong paddings",
        "MalformedMessage",
        [
            (name, "Padding", ["WIRE-9"], {}, seal(padded))
            for name, padded in {
                "32 zeros": bytes(32),
                "no mark": LONG[:31] + b"\x7f",
                "another mark": TEXT + b"\x81" + bytes(rest),
                "a one at the end": TEXT + b"\x80" + bytes(rest - 1) + b"\1",
                "a text of 32 bytes with the mark and no zeros": LONG[:32] + b"\x80",
                "33 bytes for a short text": TEXT + b"\x80" + bytes(rest + 1),
                "64 bytes for a short text": TEXT + b"\x80" + bytes(rest + 32),
                "64 bytes for no text": b"\x80" + bytes(63),
            }.items()
        ],
    )


def no_messages(family: Family) -> None:
    short = NONCE + ChaCha20Poly1305(KEY).encrypt(
        bytes(4) + NONCE, TEXT + b"\x80" + bytes(20), AD + header_bytes()
    )
    refused(
        family,
        "malformed ratchet messages whose tags would verify",
        "MalformedMessage",
        [
            ("a padded text of 31 bytes", "Malformed", ["WIRE-4"], {}, close(header_bytes(), short)),
            ("a byte after the message", "Malformed", ["WIRE-2"], {}, SOUND + b"\0"),
            ("the message without its last byte", "Malformed", ["WIRE-2"], {}, SOUND[:-1]),
            (
                "the head of `sealed` in three bytes",
                *("Malformed", ["WIRE-2"], {}),
                header_bytes() + b"\x59\x00" + bytes([len(SEALED)]) + SEALED,
            ),
        ],
    )
    low = header_bytes(key=bytes(32))
    case = ("a ratchet key of low order", "BadKey", ["PRIM-2"], OPENING, seal(pad(TEXT), low))
    refused(family, "a message with an invalid ratchet key", "InvalidKey", [case])


PQ_HEADER: Json = {
    "epoch": 7,
    "number": 8,
    "previous": 9,
    "type": 2,
    "first": 10,
    "codewords": draw("two codewords", 64).hex(),
}


def triple(pq_header: Json = PQ_HEADER, previous: int = 3, number: int = 5) -> bytes:
    """Return the header bytes of a triple message, encoded by hand."""
    codewords = None if pq_header["codewords"] is None else bytes.fromhex(pq_header["codewords"])
    where = [
        pq_header["epoch"],
        pq_header["number"],
        pq_header["previous"],
        pq_header["type"],
        pq_header["first"],
        codewords,
    ]
    return encode([1, 5, RATCHET, previous, number, *where, b""])[:-1]


def changed(**changes: int | str | None) -> Json:
    return PQ_HEADER | changes


PQ_HEADERS: dict[str, Json] = {
    "the epoch": changed(epoch=6),
    "n": changed(number=7),
    "PN of n": changed(previous=8),
    "the type": changed(type=3),
    "the index": changed(first=11),
    "a bit of a codeword": changed(codewords=flipped(draw("two codewords", 64), 40).hex()),
    "a codeword fewer": changed(codewords=draw("two codewords", 32).hex()),
    "a codeword more": changed(codewords=draw("two codewords", 96).hex()),
    "no codewords": changed(type=0, first=None, codewords=None),
}


def triple_messages(family: Family) -> None:
    group = family.group("seal.seal", "triple messages")
    bare = changed(type=4, first=None, codewords=None)
    for comment, pq_header in {
        "two codewords of the vector": PQ_HEADER,
        "Ct1Ack, without codewords": bare,
        "None, without codewords": bare | {"type": 0},
        "64 codewords": changed(first=0, codewords=draw("64 codewords", 2048).hex()),
        "the last index": changed(first=65535, codewords=draw("a codeword", 32).hex()),
        "the largest counters": changed(epoch=TOP, number=TOP, previous=TOP),
    }.items():
        given = SEALING | {"plaintext": TEXT.hex(), "pq_header": pq_header}
        message = seal(pad(TEXT), triple(pq_header))
        rules, flags = ["SES-1", "RAT-8", "WIRE-12"], [] if pq_header == PQ_HEADER else ["Boundary"]
        group.valid(f"triple: {comment}", given, flags=flags, rules=rules, output={"message": message.hex()})
    given = SEALING | {"plaintext": "", "pq_header": PQ_HEADER, "ratchet_key": bytes(32).hex()}
    group.invalid(
        "triple: a ratchet key of low order", given, "InvalidKey", flags=["BadKey"], rules=["PRIM-2"]
    )
    group = family.group("seal.open", "triple messages that open")
    for comment, pq_header in {"with codewords": PQ_HEADER, "without codewords": bare}.items():
        message = seal(pad(TEXT), triple(pq_header)).hex()
        given, output = OPENING | {"message": message}, {"plaintext": TEXT.hex()}
        group.valid(f"triple: {comment}", given, rules=["RAT-8"], output=output)


def triple_refusals(family: Family) -> None:
    header, text = triple(), pad(TEXT)
    sound = seal(text, header)
    sealed = sound[len(header) + 2 :]
    stripped = header_bytes()
    refused(family,
        "changed triple messages",
        "AuthenticationFailed",
        [
            *((f"triple: {comment}", "OtherData", ["RAT-8"], {}, close(triple(pq_header), sealed))
              for comment, pq_header in PQ_HEADERS.items()),
            ("triple: PN one more", "OtherData", ["RAT-8"], {}, close(triple(previous=4), sealed)),
            ("triple: N one more", "OtherData", ["RAT-8"], {}, close(triple(number=6), sealed)),
            ("triple: stripped to a ratchet message", "OtherData", ["PQR-8"], {}, close(stripped, sealed)),
            ("a ratchet message with an inserted header", "OtherData", ["PQR-8"], {}, close(header, SEALED)),
            ("triple: the last bit of the tag", "Changed", [], {}, flipped(sound, -1, 0x80)),
        ],
    )  # fmt: skip
    half = triple(changed(codewords=draw("two codewords", 48).hex()))
    mixed = triple(changed(type=0))
    refused(
        family,
        "malformed triple messages whose tags verify",
        "MalformedMessage",
        [
            ("triple: half a codeword", "Malformed", ["WIRE-12"], {}, seal(text, half)),
            ("triple: type None with codewords", "Malformed", ["WIRE-12"], {}, seal(text, mixed)),
            ("triple: epoch 0", "Malformed", ["WIRE-4"], {}, seal(text, triple(changed(epoch=0)))),
            ("triple: n is 0", "Malformed", ["WIRE-4"], {}, seal(text, triple(changed(number=0)))),
            ("triple: a byte after the message", "Malformed", ["WIRE-2"], {}, sound + b"\0"),
            ("triple: 32 zeros for a padding", "Padding", ["WIRE-9"], {}, seal(bytes(32), header)),
        ],
    )


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "sealing",
        "ChaCha20-Poly1305",
        [
            "sealed = nonce || AEAD(message key, 0000 || nonce, padded plaintext, AD || header bytes).",
            "All messages that do not authenticate are refused alike. The padding is checked after the tag.",
        ],
        {
            "Boundary": "the shortest or longest text of a length, a counter at the end of its range",
            "OtherKey": "sealed under another message key",
            "OtherData": "other associated data, or a changed header",
            "Nonce": "another nonce",
            "Changed": "the ciphertext or its tag, changed",
            "CutShort": "too few or too many bytes",
            "Padding": "the tag verifies, but sealing does not make this padding",
            "BadKey": "a ratchet key that is not a public key",
            "Malformed": "not a ratchet or triple message",
        },
    )
    sealing(family)
    opening(family)
    other_inputs(family)
    changed_bytes(family)
    bad_paddings(family)
    no_messages(family)
    triple_messages(family)
    triple_refusals(family)
    return family
