"""Vectors of content: what is read, what is refused, the bodies of the kinds, and message tags."""

from typing import Any, Final

from generators.support.encoding import Value, encode
from generators.support.family import Family, Group
from generators.support.labels import draw
from generators.support.owner import FULL, Owner

ID, TAG, OTHER_TAG = (draw(f"content {what}", 16) for what in ("id", "tag", "other tag"))
OWN, THEIR = draw("content own head", 8), draw("content their head", 8)
USER_ID = draw("content user id", 32)
SENT: Final = 1_700_000_000
FILE: Final[list[Value]] = ["plan.txt", "text/plain", b"a plan"]
TEXT: Final[list[Value]] = [1, ID, SENT, OWN, THEIR, [], b"hello", []]
FULL_TEXT: Final[list[Value]] = [1, ID, SENT, OWN, THEIR, [TAG, OTHER_TAG], b"hello", [FILE]]
RECEIPT, RETRY, NOTICE, COPY, HISTORY, SEED = range(2, 8)
OTHERS: Final = {RECEIPT: "a receipt", RETRY: "a retry request", NOTICE: "a list notice", COPY: "a sync copy",
                 HISTORY: "a history key", SEED: "a document seed"}  # fmt: skip


def changed(elements: list[Value], at: int, value: Value) -> list[Value]:
    """Return an array with another element."""
    return [*elements[:at], value, *elements[at + 1 :]]


def fields(content: list[Value]) -> dict[str, Any]:
    """Return the fields of a content, as operations have them."""
    kind, id_, sent, own, their, earlier, body, files = content
    given: Any = {
        "kind": kind, "sent": sent,
        "id": hexed(id_), "own_head": hexed(own), "their_head": hexed(their), "body": hexed(body),
        "earlier": [hexed(each) for each in listed(earlier)],
        "attachments": [
            {"name": each[0], "media_type": each[1], "data": hexed(each[2])}
            for each in map(listed, listed(files))
        ],
    }  # fmt: skip
    return dict(given)


def hexed(value: Value) -> str:
    """Return a byte string in hexadecimal."""
    assert isinstance(value, bytes)
    return value.hex()


def listed(value: Value) -> list[Value]:
    """Return an array."""
    assert isinstance(value, list)
    return value


def decoded(content: list[Value]) -> dict[str, Any]:
    """Return the answer of content.decode."""
    kind = content[0]
    assert isinstance(kind, int)
    return {**fields(content), "for_application": kind == 1 or 64 <= kind <= 255}


def contents(family: Family) -> None:
    """Add contents that are written and read."""
    written = family.group("content.encode", "content as bytes")
    read = family.group("content.decode", "content that is read")
    most = [f"{at:02d}".encode() * 8 for at in range(5)]
    longest: list[Value] = ["n" * 255, "m" * 127, b""]
    for comment, content, rules in (
        ("a text", TEXT, ["USR-23"]),
        ("a text with an attachment, sent again", FULL_TEXT, ["USR-25"]),
        ("an empty text, sent in 1970", [1, ID, 0, OWN, THEIR, [], b"", []], []),
        ("five earlier messages, at the end of time", [1, ID, 2**32 - 1, OWN, THEIR, most, b"x", []], []),
        ("32 attachments with the longest names", changed(TEXT, 7, [longest] * 32), ["USR-27"]),
        ("names with letters of many scripts", changed(TEXT, 7, [["\u00fc \u6771 \U0001f4c4.pdf",
        "a/b", b""]]), []),
        ("names with dots", changed(TEXT, 7, [["...", "x", b""], [".profile", "x", b""]]), ["USR-27"]),
        ("the first kind of applications", changed(FULL_TEXT, 0, 64), []),
        ("the last kind of applications", changed(FULL_TEXT, 0, 255), []),
        ("kind 0", changed(FULL_TEXT, 0, 0), ["USR-24"]),
        ("kind 8", changed(FULL_TEXT, 0, 8), ["USR-24"]),
        ("kind 256", changed(FULL_TEXT, 0, 256), ["USR-24"]),
        ("the greatest kind", changed(FULL_TEXT, 0, 2**32 - 1), ["USR-24"]),
    ):  # fmt: skip
        data = encode(content).hex()
        written.valid(comment, fields(content), rules=rules, output={"data": data})
        read.valid(comment, {"data": data}, rules=rules, output=decoded(content))
    refused_contents(read)


def refused_contents(group: Group) -> None:
    """Add contents that are refused."""

    def refuse(comment: str, flag: str, data: bytes, rule: str = "USR-23") -> None:
        group.invalid(comment, {"data": data.hex()}, "MalformedMessage", flags=[flag], rules=[rule])

    for comment, at, value in (
        ("a kind of 2^32", 0, 2**32), ("a kind that is a text", 0, "1"), ("no kind", 0, None),
        ("an id of 15 bytes", 1, ID[1:]), ("an id of 17 bytes", 1, ID + b"i"), ("no id", 1, None),
        ("a time of 2^32", 2, 2**32), ("no time", 2, None), ("an own head of 7 bytes", 3, OWN[1:]),
        ("an own head of 32 bytes", 3, USER_ID), ("no own head", 3, None),
        ("their head of 9 bytes", 4, THEIR + b"h"),
        ("no head of theirs", 4, None), ("earlier tags that are no array", 5, TAG),
        ("no earlier tags", 5, None),
        ("a tag of 15 bytes", 5, [TAG[1:]]), ("a tag that is a text", 5, ["t" * 16]),
        ("six earlier tags", 5, [f"{at:02d}".encode() * 8 for at in range(6)]),
        ("a body that is a text", 6, "hello"), ("a body that is an array", 6, []), ("no body", 6, None),
        ("attachments that are no array", 7, b""), ("no attachments", 7, None),
        ("33 attachments", 7, [FILE] * 33),
        ("an attachment of two elements", 7, [FILE[:2]]),
        ("an attachment of four elements", 7, [[*FILE, None]]),
        ("an attachment without bytes", 7, [changed(FILE, 2, None)]),
        ("an attachment of a text", 7, [changed(FILE, 2, "x")]),
        ("an attachment that is bytes", 7, [b"a plan"]), ("an attachment in an attachment", 7, [[FILE]]),
    ):  # fmt: skip
        refuse(comment, "Shape", encode(changed(FULL_TEXT, at, value)))
    for kind, name in OTHERS.items():
        refuse(f"{name} with an attachment", "Attachment", encode(changed(FULL_TEXT, 0, kind)))
    for comment, earlier in (("a tag twice", [TAG, TAG]), ("a tag at both ends", [TAG, OTHER_TAG, TAG])):
        refuse(comment, "Twice", encode(changed(FULL_TEXT, 5, [*earlier])), "USR-25")
    for comment, name in (
        ("no name", ""), ("a path to the root", "/etc/passwd"), ("a path upwards", "../x"),
        ("the folder", "."),
        ("the folder above", ".."), ("a path of another system", "..\\x"), ("a name with a null", "a\0b"),
        ("a name of two lines", "a\nb"), ("a control character of the second block", "a\x85b"),
        ("a line separator", "a\u2028b"), ("a paragraph separator", "a\u2029b"),
        ("letters from right to left", "exe.\u202etxt"),
        ("a mark from left to right", "\u200ea"), ("an Arabic letter mark", "\u061ca"),
        ("an isolate", "a\u2066b"),
        ("a name of 256 bytes", "\u00fc" * 128),
    ):  # fmt: skip
        refuse(comment, "FileName", encode(changed(TEXT, 7, [changed(FILE, 0, name)])), "USR-27")
    for comment, media_type in (
        ("no media type", ""), ("a media type of 128 characters", "m" * 128),
        ("a media type with a line break", "a/b\n"),
        ("a media type beyond ASCII", "t\u00e4xt/plain"), ("a media type with a delete character", "a/b\x7f"),
    ):  # fmt: skip
        refuse(comment, "FileName", encode(changed(TEXT, 7, [changed(FILE, 1, media_type)])), "USR-27")
    sound = encode(TEXT)
    for comment, data in (
        ("nothing", b""), ("a text without content around it", b"hello"),
        ("seven elements", encode(TEXT[:7])),
        ("nine elements", encode([*TEXT, None])), ("a byte after the end", sound + b"\0"),
        ("cut short", sound[:-1]),
        ("the array's head in two bytes", b"\x98\x08" + sound[1:]),
        ("the kind in two bytes", b"\x88\x18\x01" + sound[2:]),
        ("an array of indefinite length", b"\x9f" + sound[1:] + b"\xff"), ("a map", b"\xa0"),
        ("a tag of CBOR around it", b"\xc1" + sound),
        ("items above the limit", encode(changed(TEXT, 7, [[] for _ in range(200)]))),
    ):  # fmt: skip
        refuse(comment, "LongForm", data)


def bodies(family: Family) -> None:
    """Add bodies of the control kinds."""
    group = family.group(
        "content.read_body", "the bodies of the kinds that devices exchange among themselves"
    )
    owner = Owner("content", [(1, FULL)])
    first, second = owner.lists[0], owner.next(add=[(2, FULL)])
    ids = [ID, TAG]
    many = [at.to_bytes(16, "big") for at in range(1025)]
    inner = encode(TEXT)
    copy: list[Value] = ["bob", USER_ID, inner]
    key: list[Value] = [ID, draw("content archive key", 32)]

    def read(kind: int, comment: str, body: Value, rule: str, **output: Any) -> None:
        given = {"kind": kind, "body": encode(body).hex()}
        group.valid(comment, given, rules=[rule], output=output)

    read(RECEIPT, "a receipt of one content", [ID], "USR-23", ids=[ID.hex()])
    read(RECEIPT, "a receipt of two contents", [ID + TAG], "USR-23", ids=[each.hex() for each in ids])
    read(RETRY, "a retry request", [TAG, 1], "USR-23", tag=TAG.hex(), cause=1)
    read(RETRY, "a retry request of the last cause", [TAG, 7], "USR-23", tag=TAG.hex(), cause=7)
    read(RETRY, "a retry request of a later release's cause", [TAG, 8], "USR-23", tag=TAG.hex(), cause=0)
    read(NOTICE, "a list notice", [[second.encode()]], "USR-23", hashes=[second.hash.hex()])
    read(COPY, "a sync copy", copy, "USR-26", name="bob", user_id=USER_ID.hex(), content=decoded(TEXT))
    unknown = changed(FULL_TEXT, 5, [])
    unknown[0] = 8
    read(COPY, "a sync copy of an unknown kind", ["b\u00f8b", USER_ID, encode(unknown)], "USR-26",
         name="b\u00f8b", user_id=USER_ID.hex(), content=decoded(unknown))  # fmt: skip
    read(HISTORY, "a history key", key, "USR-23", archive_id=ID.hex(), key=hexed(key[1]))
    seed = draw("content document seed", 32)
    for comment, generation in (("a document seed", 2), ("the last document seed", 2**32 - 1)):
        read(SEED, comment, [generation, seed], "USR-23", generation=generation, seed=seed.hex())
    one = first.encode()
    wrong: list[tuple[int, str, str, Value]] = [
        (RECEIPT, "a receipt of nothing", "Shape", [b""]),
        (RECEIPT, "a receipt of half an id", "Shape", [ID + TAG[:8]]),
        (RECEIPT, "a receipt of the same twice", "Twice", [ID + ID]),
        (RECEIPT, "a receipt with an array", "Shape", [[ID]]),
        (RECEIPT, "a receipt of 1,025 contents", "Shape", [b"".join(many)]),
        (RECEIPT, "ids as two elements", "Shape", [ID, TAG]),
        (RETRY, "a retry request without a cause", "Shape", [TAG]),
        (RETRY, "a cause of 256", "Shape", [TAG, 256]),
        (RETRY, "a cause that is null", "Shape", [TAG, None]),
        (RETRY, "a requested tag of 17 bytes", "Shape", [TAG + b"t", 1]),
        (NOTICE, "a notice without lists", "Shape", [[]]),
        (NOTICE, "a notice that is a list alone", "Shape", [one]),
        (NOTICE, "a notice of bytes that are no list", "Shape", [[b"list"]]),
        (NOTICE, "half a list", "Shape", [[one[:500]]]),
        (NOTICE, "a list with a byte behind it", "LongForm", [[one + b"\0"]]),
        (NOTICE, "101 lists", "Shape", [[b"list"] * 101]),
        (COPY, "a copy without content", "Shape", ["bob", USER_ID, b""]),
        (COPY, "a copy to nobody", "Shape", ["", USER_ID, inner]),
        (COPY, "a copy to a name with a space at its end", "Shape", ["bob ", USER_ID, inner]),
        (COPY, "a copy with a user id of 31 bytes", "Shape", ["bob", USER_ID[1:], inner]),
        (COPY, "a copy of a plain text", "Shape", ["bob", USER_ID, b"hello"]),
        (COPY, "a copy of an array", "Shape", ["bob", USER_ID, TEXT]),
        (COPY, "a copy of content that was sent again", "Copy", ["bob", USER_ID, encode(FULL_TEXT)]),
        *((COPY, f"a copy of {name}",
        "Copy", ["bob", USER_ID, encode(changed(TEXT, 0, kind))]) for kind, name in OTHERS.items()),
        (HISTORY, "a history key of 31 bytes", "Shape", [ID, bytes(31)]),
        (HISTORY, "an archive id of 15 bytes", "Shape", [ID[1:], key[1]]),
        (HISTORY, "a third element", "Shape", [*key, None]),
        (HISTORY, "a history key that is null", "Shape", [ID, None]),
        (SEED, "a document seed of 31 bytes", "Shape", [2, seed[1:]]),
        (SEED, "a document seed of generation 0", "Shape", [0, seed]),
        (SEED, "a generation of 2^32", "Shape", [2**32, seed]),
        (SEED, "a generation that is a text", "Shape", ["2", seed]),
        (SEED, "a document seed without a generation", "Shape", [seed]),
        (SEED, "a document seed and another one", "Shape", [2, seed, seed]),
        (SEED, "a document seed that is null", "Shape", [2, None]),
    ]  # fmt: skip
    for kind, comment, flag, body in wrong:
        rule = "USR-26" if kind == COPY else "USR-23"
        given = {"kind": kind, "body": encode(body).hex()}
        group.invalid(comment, given, "MalformedMessage", flags=[flag], rules=[rule])
    later = b"\x87\x02" + one[2:]
    given = {"kind": NOTICE, "body": encode([[later]]).hex()}
    group.invalid("a list of version 2", given, "UnsupportedVersion", flags=["Shape"], rules=["WIRE-1"])


def tags(family: Family) -> None:
    """Add tags of messages."""
    group = family.group("content.tag", "the name of a message")
    message = draw("content message", 100)
    for comment, data in (("a message", message), ("the shortest that has one", TAG)):
        group.valid(comment, {"message": data.hex()}, rules=["USR-25"], output={"tag": data[-16:].hex()})
    for comment, data in (("an empty message", b""), ("15 bytes", TAG[1:])):
        given = {"message": data.hex()}
        group.invalid(comment, given, "MalformedMessage", flags=["Short"], rules=["USR-25"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "content",
        "content of messages between users",
        ["Content is the plaintext of a message. Nothing is encrypted here."],
        {
            "Attachment": "an attachment where none may be",
            "Copy": "a sync copy of what no application sent",
            "FileName": "a name or media type that an application cannot use safely",
            "LongForm": "another encoding, or too many or too few bytes",
            "Shape": "an element of another type, length or range",
            "Short": "too few bytes for a message",
            "Twice": "the same twice where all are different",
        },
    )
    contents(family)
    bodies(family)
    tags(family)
    return family
