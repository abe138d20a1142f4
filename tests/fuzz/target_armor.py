"""Fuzzing armored text: what is recognised as armor, and what is read from it."""

import codecs
import random
import re
from typing import Final

from fuzz.harness import Finding, Target, attempt
from fuzz.tree import bytewise
from letterlock._wire.armor import armor, dearmor, is_armored
from letterlock.errors import MalformedMessage
from support.wire_samples import samples

BEGIN: Final = b"-----BEGIN LETTERLOCK MESSAGE-----"
END: Final = b"-----END LETTERLOCK MESSAGE-----"
WIDE: Final = tuple(BEGIN.decode().encode(name) for name in ("utf-16-le", "utf-16-be"))
FRAGMENTS: Final = (
    BEGIN, END, b"-----", b"BEGIN", b"\r\n", b"\n", b"\n\n", b" ", b"\t", b"\x0b", b"\x1c", b"\x85", b"\xa0",
    b"=", b"==", b"A", b"AA==", b"AB==", b"AAA=", b"AAB=", b"-", b"_", b"+/",
    b"\0", b"\x80", b"\x9f", b"> ", b"\xe2\x80\x94", b"=3D", b"=3d", b"=\n", b"=\r\n", b">", b"\x93\x01",
    codecs.BOM_UTF16_LE,
)  # fmt: skip


def check(data: bytes) -> None:
    found = attempt(data, lambda: is_armored(data), MalformedMessage).accepted()
    is_encoding = data[:1] != b"" and data[0] >> 5 == 4 and data[1:2] < b" " and data[1:2] not in b"\t\n\r"
    expected = not is_encoding and any(begin in data for begin in (BEGIN, *WIDE))
    if found != expected:
        raise Finding(f"taken for {'armor' if found else 'bytes'}")
    outcome = attempt(data, lambda: dearmor(data), MalformedMessage)
    if outcome.error is None:
        _check_read(data, outcome.accepted())


def _check_read(text: bytes, data: bytes) -> None:
    """Check that the data has only this one form, and that it was the only block in the text."""
    block = armor(data)
    if dearmor(block) != data:
        raise Finding("what was read does not read again")
    if text[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        text = text.decode("utf-16", "replace").encode()
    begin = text.index(BEGIN) + len(BEGIN)
    body = text[begin : text.index(END, begin)]
    written = b"".join(block[len(BEGIN) : block.index(END)].split())
    # Quoting and quoted-printable leave the characters of the base64 where they are.
    plain = b"".join(body.replace(b">", b"").split())
    if plain != written:
        plain = re.sub(rb"=[ \t>]*[\r\n]+[ \t>]*", b"", body).replace(b">", b"")
        plain = b"".join(re.sub(rb"=3[Dd]", b"=", plain).split())
    if plain != written:
        raise Finding("what was read is written otherwise")
    if text.count(BEGIN) != 1:
        raise Finding("one of several blocks was read")


def mutate(data: bytes, rng: random.Random, room: int) -> bytes:
    """Armor the bytes, take them out of their armor, or put fragments of armor among them."""
    result = data
    for _ in range(rng.choice((1, 1, 2, 4))):
        where, upto = sorted((rng.randrange(len(result) + 1), rng.randrange(len(result) + 1)))
        match rng.randrange(8):
            case 0:
                result = armor(result[where:upto])
            case 1 | 2:
                result = result[:where] + rng.choice(FRAGMENTS) + result[where:]
            case 3:
                old, new = rng.choice(FRAGMENTS), rng.choice(FRAGMENTS)
                result = result.replace(old, new, 1)
            case 4:
                result = result[:where] + result[where:upto] * rng.choice((2, 100)) + result[upto:]
            case 5 if rng.randrange(4) == 0:
                result = b"> " + result.replace(b"\n", b"\n> ")
            case 5:
                result = result.replace(b"\n", rng.choice((b"", b"\r\n", b"\n \n", b"\n> ")))
            case _:
                result = bytewise(result, rng)
        result = result[: 2 * room]
    return result if len(result) <= room else bytewise(data, rng)[:room]


def seeds() -> dict[str, bytes]:
    message = samples()["ratchet message"][0]
    text = armor(message)
    return {
        "message": text,
        "first-message": armor(samples()["initial message"][0]),
        "nothing": armor(b""),
        "one-byte": armor(b"a"),
        "amid-text": b"Dear Bob,\r\n" + text.replace(b"\n", b"\r\n") + b"Yours, Alice\r\n",
        "one-line": BEGIN + text.removeprefix(BEGIN).replace(b"\n", b""),
        "two-blocks": text + text,
        "two-blocks-that-share-dashes": text.rstrip() + text.removeprefix(b"-----"),
        "end-first": END + text,
        "begin-twice": BEGIN + text,
        "no-end": text.replace(END, b""),
        "no-padding": text.replace(b"=", b""),
        "spare-bits": BEGIN + b"AB==" + END,
        "padding-inside": BEGIN + b"AA==AA==" + END,
        "url-alphabet": BEGIN + b"-_-_" + END,
        "quoted": text.replace(b"\n", b"\n> "),
        "quoted-whole": b"> " + text.rstrip().replace(b"\n", b"\n> "),
        "quoted-printable": text.replace(b"=", b"=3D").replace(b"\n", b"=\n", 2),
        "utf-16": text.decode().encode("utf-16"),
        "array-around-it": b"\x81\x58\x50" + text[:80],
        "white-space": BEGIN + b" \n\t" * 2000 + END,
        "many-begins": BEGIN * 300,
        "many-ends": BEGIN + END * 300,
    }


TARGET: Final = Target(check, mutate, seeds)
