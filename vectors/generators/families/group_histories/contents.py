"""Contents of histories, read by what the receiver has on record."""

from typing import Any, Final

from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.labels import draw

LABEL: Final = "letterlock-v1 history of a group"
GROUP: Final = draw("a group with a history", 16)
ALICE, BOB, CAROL = (draw(f"{each}, of a group with a history", 32) for each in ("alice", "bob", "carol"))
HASHES: Final = {number: draw(f"the hash of entry {number}", 32) for number in range(1, 8)}
HEAD: Final[list[Value]] = [LABEL, GROUP, 7, HASHES[7]]
TOLD: Final[list[Value]] = [BOB, 1_800_000_000, b"hello"]
RULES: Final = ["GRP-54"]
MAX_ITEM: Final = 16_777_280


def framed(data: bytes) -> bytes:
    """Return an item with its length."""
    return len(data).to_bytes(4, "big") + data


def content(*items: list[Value]) -> bytes:
    """Return a content of these items."""
    return b"".join(framed(encode(each)) for each in items)


def given(data: bytes, **others: Any) -> dict[str, Any]:
    """Return the input: a content, and what the receiver knows. Alice gave the history, and sealed it."""
    log = [{"number": number, "hash": each.hex()} for number, each in HASHES.items()]
    known = {"group_id": GROUP.hex(), "entries": log, "givers": [ALICE.hex()], "author": ALICE.hex()}
    return {"content": data.hex(), **known, "writers": [ALICE.hex(), BOB.hex()], **others}


def changed(item: list[Value], at: int, value: Value) -> list[Value]:
    """Return an item with another element."""
    return [*item[:at], value, *item[at + 1 :]]


def add(family: Family) -> None:
    """Add the groups."""
    right(family)
    wrong(family)
    judged(family)


def right(family: Family) -> None:
    """Add histories that are read."""
    group = family.group("group.read_history", "histories that are read")
    own: list[Value] = [ALICE, 1_800_000_001, b"hello, Bob"]
    for comment, items in (
        ("no text", ()),
        ("a text of another user", (TOLD,)),
        ("a text of the giver", (own,)),
        ("both, and one of them twice", (TOLD, own, TOLD)),
        ("an empty text", (changed(TOLD, 2, b""),)),
        ("the first and the last time", (changed(TOLD, 1, 2**32 - 1), changed(TOLD, 1, 0))),
        ("a text of 4,000 bytes", (changed(TOLD, 2, draw("a long text of before", 4_000)),)),
    ):
        group.valid(comment, given(content(HEAD, *items)), rules=RULES)
    early: list[Value] = [LABEL, GROUP, 1, HASHES[1]]
    group.valid("a giver who has the first entry alone", given(content(early, TOLD)), rules=RULES)
    two = given(content(HEAD, TOLD), givers=[BOB.hex(), ALICE.hex()])
    group.valid("two members gave the same document", two, rules=RULES)


def judged(family: Family) -> None:
    """Add histories that their giver should not have given."""
    group = family.group("group.read_history", "histories that no member should have given")
    data = content(HEAD, TOLD)

    def refuse(comment: str, flag: str, **input_: Any) -> None:
        group.invalid(comment, given(**input_), "InvalidGroupHistory", flags=[flag], rules=RULES)

    refuse("sealed by Bob, told by Alice", "Giver", data=data, author=BOB.hex())
    refuse("sealed by a stranger", "Giver", data=data, author=CAROL.hex())
    refuse("told by nobody", "Giver", data=data, givers=[])
    for comment, head, flag in (
        ("another group", changed(HEAD, 1, draw("another group", 16)), "OtherGroup"),
        ("an entry that is not on record", changed(HEAD, 2, 8), "OtherLog"),
        ("the hash of another entry", changed(HEAD, 3, HASHES[6]), "OtherLog"),
        ("the hash with the number of the entry before", changed(HEAD, 2, 6), "OtherLog"),
        ("a hash that no entry has", changed(HEAD, 3, bytes(32)), "OtherLog"),
    ):
        refuse(comment, flag, data=content(head, TOLD))
    by_carol = changed(TOLD, 0, CAROL)
    refuse("an author who could not write", "Author", data=content(HEAD, by_carol))
    refuse("such an author after others", "Author", data=content(HEAD, TOLD, TOLD, by_carol))
    refuse("a giver who could not write, as author", "Author",
           data=content(HEAD, changed(TOLD, 0, ALICE)), writers=[BOB.hex()])  # fmt: skip
    refuse("nobody could write", "Author", data=data, writers=[])


def wrong(family: Family) -> None:
    """Add contents that are no histories."""
    group = family.group("group.read_history", "contents that are no histories")

    def refuse(comment: str, flag: str, data: bytes) -> None:
        group.invalid(comment, given(data), "MalformedMessage", flags=[flag], rules=RULES)

    for comment, at, value in (
        ("another label", 0, "letterlock-v1 history of a grouP"), ("a label of bytes", 0, LABEL.encode()),
        ("no label", 0, None), ("a group id of 15 bytes", 1, GROUP[1:]), ("no group id", 1, None),
        ("entry 0", 2, 0), ("entry 2^32", 2, 2**32), ("an entry of characters", 2, "7"),
        ("a hash of 31 bytes", 3, bytes(31)), ("a hash of 33 bytes", 3, bytes(33)), ("no hash", 3, None),
    ):  # fmt: skip
        refuse(f"head: {comment}", "Shape", content(changed(HEAD, at, value), TOLD))
    for comment, at, value in (
        ("a user id of 31 bytes", 0, BOB[1:]), ("a user id of 33 bytes", 0, BOB + b"\0"),
        ("no user", 0, None),
        ("a time of characters", 1, "7"), ("time 2^32", 1, 2**32), ("no time", 1, None),
        ("a text of characters", 2, "hello"), ("no text", 2, None), ("an array as text", 2, []),
    ):  # fmt: skip
        refuse(f"text: {comment}", "Shape", content(HEAD, changed(TOLD, at, value)))
    for comment, items in (
        ("a head of three elements", (HEAD[:3], TOLD)), ("a head of five elements", ([*HEAD, None], TOLD)),
        ("a text of two elements", (HEAD, TOLD[:2])), ("a text of four elements", (HEAD, [*TOLD, None])),
        ("a text before the head", (TOLD, HEAD)), ("no head", (TOLD,)), ("two heads", (HEAD, HEAD)),
    ):  # fmt: skip
        refuse(comment, "Shape", content(*items))
    whole = content(HEAD, TOLD)
    first = len(content(HEAD))
    for end in (1, 3, 4, 5, first - 1, first + 1, first + 3, first + 4, len(whole) - 1):
        refuse(f"ends after {end} bytes", "Cut", whole[:end])
    head, told = encode(HEAD), encode(TOLD)
    for comment, data in (
        ("nothing", b""), ("an item without bytes", whole + bytes(4)),
        ("nothing but an empty item", bytes(4)),
        ("an item of more than the limit", whole + (MAX_ITEM + 1).to_bytes(4, "big") + bytes(100)),
        ("an item of 4 GiB", whole + b"\xff" * 4 + bytes(100)),
        ("a length that counts itself", framed(head) + (len(told) + 4).to_bytes(4, "big") + told),
        ("a length from the little end", framed(head) + len(told).to_bytes(4, "little") + told),
        ("items without lengths", head + told),
    ):  # fmt: skip
        refuse(comment, "Length", data)
    for comment, item in (
        ("a byte behind a text", told + b"\0"), ("a text that ends early", told[:-1]),
        ("a time in eight bytes", told.replace(b"\x1a\x6b\x49\xd2\x00", b"\x1b\0\0\0\0\x6b\x49\xd2\x00")),
        ("an array of indefinite length", b"\x9f" + told[1:] + b"\xff"), ("a tag of CBOR", b"\xc0" + told),
        ("two texts in an item", told + told),
    ):  # fmt: skip
        refuse(comment, "LongForm", framed(head) + framed(item))
