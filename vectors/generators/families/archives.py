"""Vectors of history archives: whole ones, and ones that were cut, reordered, mixed or made up."""

import hashlib
from typing import Final

from generators.support.family import Family, Json
from generators.support.labels import draw
from letterlock_vectors.inputs import Input
from letterlock_vectors.operations.archives import joined

MARK: Final = b"letterlock-v1 history archive\n"
FRAME_TEXT, START, FRAME = 65_536, 70, 65_553
MESSAGE, PUSH, REKEY, FINAL = range(4)
END: Final = b"\xff" * 4
MOST: Final = 16_777_216
KEY, OTHER_KEY = draw("an archive key", 32), draw("another archive key", 32)
ID, OTHER_ID = draw("an archive id", 16), draw("another archive id", 16)
ITEMS: Final = [b"first", b"", b"second"]


def text_of(items: list[bytes], end: bytes = END) -> bytes:
    """Return the text of an archive."""
    return b"".join(len(each).to_bytes(4, "big") + each for each in items) + end


def frame(text: bytes, tag: int = MESSAGE, length: int = FRAME_TEXT) -> Json:
    """Return a frame as a vector has it: without the zeros at the end of its text."""
    return {"text": text.rstrip(b"\0").hex(), "length": length, "tag": tag}


def frames_of(text: bytes) -> list[Json]:
    """Return the frames of a text."""
    starts = range(0, len(text), FRAME_TEXT)
    return [
        frame(text[at : at + FRAME_TEXT], FINAL if at + FRAME_TEXT >= len(text) else MESSAGE) for at in starts
    ]


def stream(frames: list[Json], key: bytes = KEY, archive_id: bytes = ID, header: str = "a header") -> Json:
    """Return a stream."""
    return {
        "key": key.hex(), "archive_id": archive_id.hex(), "header": draw(header, 24).hex(), "frames": frames,
    }  # fmt: skip


def part(start: int, end: int, of: int = 0) -> Json:
    """Return a part of a stream."""
    return {"stream": of, "from": start, "to": end}


def nth(number: int, of: int = 0) -> Json:
    """Return a frame of a stream as a part."""
    return part(START + number * FRAME, START + (number + 1) * FRAME, of)


BEGINNING: Final = part(0, START)


def given(
    streams: list[Json] | Json, parts: list[Json] | None = None, key: bytes = KEY, archive_id: bytes = ID
) -> Json:
    """Return the input. Without `parts`, it is the whole of the only stream."""
    made = streams if isinstance(streams, list) else [streams]
    if parts is None:
        parts = [part(0, START + sum(each["length"] + 17 for each in made[0]["frames"]))]
    recipe = {"streams": made, "parts": parts}
    digest = hashlib.sha256(joined(Input(recipe))).hexdigest()
    return {"key": key.hex(), "archive_id": archive_id.hex(), **recipe, "sha256": digest}


def changed(at: int, whole: Json, end: int) -> Json:
    """Return the input in which one byte of a stream of `end` bytes is another."""
    byte = joined(Input({"streams": [whole], "parts": [part(at, at + 1)]}))[0]
    return given(whole, [part(0, at), {"data": bytes([byte ^ 1]).hex()}, part(at + 1, end)])


def valid(family: Family) -> None:
    """Add whole archives."""
    group = family.group("archive.read", "whole archives")
    fill = FRAME_TEXT - 8
    for comment, items in (
        ("three items", ITEMS),
        ("no item", []),
        ("one empty item", [b""]),
        ("an item of the bytes that end a text", [END]),
        ("a text that fills one frame", [bytes(fill)]),
        ("an end that goes over to the next frame", [bytes(fill + 1)]),
        ("an end that has the next frame for itself", [bytes(fill + 4)]),
        ("a length that goes over to the next frame", [bytes(fill + 2), b"next"]),
        ("an item over three frames", [bytes(2 * FRAME_TEXT), b"next"]),
    ):
        output = {
            "items": [{"length": len(each), "sha256": hashlib.sha256(each).hexdigest()} for each in items]
        }
        group.valid(comment, given(stream(frames_of(text_of(items)))), rules=["USR-44"], output=output)
    item = bytes(MOST)
    output = {"items": [{"length": MOST, "sha256": hashlib.sha256(item).hexdigest()}]}
    group.valid("the longest item", given(stream(frames_of(text_of([item])))), output=output)


def cut(family: Family) -> None:
    """Add archives that are not whole, or that are another one."""
    group = family.group("archive.read", "archives that were cut, or go on")
    whole = stream(frames_of(text_of([*ITEMS, bytes(FRAME_TEXT)])))
    end = START + 2 * FRAME
    for comment, size in (
        ("no byte", 0), ("half the mark", 15), ("the mark alone", 30), ("mark and archive id alone", 46),
        ("a header of 23 bytes", START - 1), ("no frame", START), ("a byte of a frame", START + 1),
        ("the first frame without its last byte", START + FRAME - 1),
        ("without the last frame", START + FRAME), ("without the last byte", end - 1),
    ):  # fmt: skip
        group.invalid(
            comment, given(whole, [part(0, size)]), "MalformedMessage", flags=["Cut"], rules=["USR-44"]
        )
    for comment, more in (
        ("a byte after the end", {"data": "00"}),
        ("the last frame twice", nth(1)),
        ("the first frame after the last", nth(0)),
        ("an archive after the archive", part(0, end)),
    ):
        wrong = given(whole, [part(0, end), more])
        group.invalid(comment, wrong, "MalformedMessage", flags=["GoesOn"], rules=["USR-44"])
    foreign = stream(frames_of(text_of(ITEMS)), archive_id=OTHER_ID)
    other_mark = MARK.replace(b"v1", b"v2")
    for comment, wrong in (
        ("an archive of another id", given(foreign)),
        ("an archive of another id and key", given(stream(frames_of(text_of(ITEMS)), OTHER_KEY, OTHER_ID))),
        ("another mark", given(whole, [{"data": other_mark.hex()}, part(30, end)])),
        ("a mark without its line feed", given(whole, [part(0, 29), part(30, end)])),
        ("no mark", given(whole, [part(30, end)])),
    ):
        group.invalid(comment, wrong, "MalformedMessage", flags=["Foreign"], rules=["USR-44"])


def changes(family: Family) -> None:
    """Add archives with a frame that does not open."""
    group = family.group("archive.read", "frames that do not open")
    whole = stream(frames_of(text_of([*ITEMS, bytes(2 * FRAME_TEXT)])))
    end = START + 3 * FRAME
    twin = stream(whole["frames"], header="another header")
    renamed = stream(whole["frames"], archive_id=OTHER_ID)
    other_id = [part(0, 30), {"data": OTHER_ID.hex()}, part(46, end)]
    cases = {
        "another key": given(whole, key=OTHER_KEY),
        "another archive id in both places": given(whole, other_id, archive_id=OTHER_ID),
        "the header of another archive": given([whole, twin], [part(0, 46), part(46, 70, 1), part(70, end)]),
        "the first two frames exchanged": given(whole, [BEGINNING, nth(1), nth(0), nth(2)]),
        "the last two frames exchanged": given(whole, [BEGINNING, nth(0), nth(2), nth(1)]),
        "the first frame missing": given(whole, [BEGINNING, nth(1), nth(2)]),
        "a frame missing in the middle": given(whole, [BEGINNING, nth(0), nth(2)]),
        "a frame twice": given(whole, [BEGINNING, nth(0), nth(0), nth(1), nth(2)]),
        "the last frame alone": given(whole, [BEGINNING, nth(2)]),
        "a frame of another archive of the key": given([whole, twin], [BEGINNING, nth(0), nth(1, 1), nth(2)]),
        "frames of another archive id": given([whole, renamed], [BEGINNING, nth(0, 1), nth(1, 1), nth(2, 1)]),
        "a byte missing in the middle": given(whole, [part(0, 999), part(1000, end), {"data": "00"}]),
    }
    cases |= {
        f"{what} changed": changed(at, whole, end)
        for what, at in (
            ("the first byte of the header", 46),
            ("the last byte of the header", START - 1),
            ("the tag of the first frame", START),
            ("the text of the first frame", START + 1),
            ("the last byte of the first frame", START + FRAME - 1),
            ("the last byte", end - 1),
        )
    }
    for comment, wrong in cases.items():
        group.invalid(comment, wrong, "AuthenticationFailed", flags=["Changed"], rules=["USR-44"])


def texts(family: Family) -> None:
    """Add archives whose frames open, and whose text or tags are wrong."""
    group = family.group("archive.read", "texts and tags that are wrong")
    longest = given(stream(frames_of(text_of([bytes(MOST + 1)]))))
    comment = "an item of 16,777,217 bytes"
    group.invalid(comment, longest, "MalformedMessage", flags=["WrongText"], rules=["USR-44"])
    most = (MOST + 1).to_bytes(4, "big")
    exact = text_of([bytes(FRAME_TEXT - 4)], b"")
    for comment, frames in (
        ("an item that is longer than the text", [frame(b"\x00\x01\x00\x00abc", FINAL)]),
        ("a length of 16,777,217", [frame(most + b"abc" + END, FINAL)]),
        ("the highest length", [frame(b"\xff\xff\xff\xfeabc" + END, FINAL)]),
        ("no end after an item that fills the frame", [frame(exact, FINAL)]),
        ("no end, but items of no byte", [frame(b"", FINAL)]),
        ("half an end", [frame(exact), frame(END[:2], FINAL)]),
        ("a byte after the end of the text", [frame(text_of(ITEMS) + b"\x01", FINAL)]),
        ("a byte in the last place", [frame(text_of(ITEMS).ljust(FRAME_TEXT - 1, b"\0") + b"\x01", FINAL)]),
        ("an item after the end", [frame(text_of(ITEMS) + text_of(ITEMS), FINAL)]),
        ("a frame of zeros after the end", [frame(text_of(ITEMS)), frame(b"", FINAL)]),
        ("an item in the frame after the end", [frame(text_of(ITEMS)), frame(text_of(ITEMS), FINAL)]),
        ("no frame with the tag FINAL", [frame(text_of(ITEMS))]),
        ("the tag FINAL twice", [frame(exact, FINAL), frame(END, FINAL)]),
        ("the tag PUSH in a first frame", [frame(exact, PUSH), frame(END, FINAL)]),
        ("the tag REKEY in a first frame", [frame(exact, REKEY), frame(END, FINAL)]),
        ("the tag PUSH in the last frame", [frame(text_of(ITEMS), PUSH)]),
        ("a tag that nobody knows", [frame(text_of(ITEMS), 4)]),
        ("a last frame of 65,535 bytes", [frame(text_of(ITEMS), FINAL, FRAME_TEXT - 1)]),
        ("a last frame of 100 bytes", [frame(exact), frame(END, FINAL, 100)]),
    ):
        wrong = given(stream(frames))
        group.invalid(comment, wrong, "MalformedMessage", flags=["WrongText"], rules=["USR-44"])
    longer = given(stream([frame(text_of(ITEMS), FINAL, FRAME_TEXT + 1)]))
    group.invalid(
        "a last frame of 65,537 bytes", longer, "AuthenticationFailed", flags=["WrongText"], rules=["USR-44"]
    )


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "archives",
        "history archives: crypto_secretstream_xchacha20poly1305 over frames of 64 KiB",
        [
            "A vector says how its archive is made: `streams` of frames, whose texts have zeros after them",
            "up to their `length`, and `parts` of these streams, joined. `sha256` is that of the archive.",
            "Tags are those of libsodium: 0 MESSAGE, 1 PUSH, 2 REKEY, 3 FINAL.",
        ],
        {
            "Changed": "bytes that the key's owner did not seal in this place",
            "Cut": "a beginning of an archive",
            "Foreign": "another archive, or something else",
            "GoesOn": "something after the end of an archive",
            "WrongText": "frames of somebody who has the key, and makes no archive of them",
        },
    )
    valid(family)
    cut(family)
    changes(family)
    texts(family)
    return family
