"""What a relay keeps of the texts of a group: each once, and no more than there is room for."""

import hashlib
from collections.abc import Sequence
from typing import Final

from generators.families.relay.deciding import DAVE, LEFT, REFUSED, REMOVED, UNKNOWN, stale, text
from generators.support.collection_logs import (
    ADD,
    ADMIN,
    CLOSE,
    CREATE,
    READER,
    REMOVE,
    RENEW,
    ROLE,
    WRITER,
    Log,
    in_order,
    member,
    user,
)
from generators.support.document_signers import Signer
from generators.support.encoding import encode
from generators.support.family import Family, Json
from generators.support.group_logs import GroupLog
from generators.support.group_people import ALICE, BOB, CAROL, CREATED, MALLORY, somebody
from generators.support.labels import draw

FULL: Final[Json] = {"code": 8, "number": 0}
ERIN: Final = somebody("erin")
TEXTS: Final = 64
PART: Final = TEXTS // 4
BYTES: Final = 16 * 1024 * 1024
LONG: Final = 700_000
"""Bytes that are sealed in a long text: five of them fit into a quarter of the bytes, and six do not."""

WRITERS: Final = (ALICE, BOB, CAROL, DAVE)
MANY: Final = GroupLog().add(
    ALICE, CREATE, in_order(member(ALICE, ADMIN), *(member(each, WRITER) for each in (*WRITERS[1:], ERIN)))
)
RENEWED: Final = CREATED.add(ALICE, RENEW)
READING: Final = CREATED.add(ALICE, ROLE, [[*user(BOB), READER]])
CLOSED: Final = CREATED.add(ALICE, CLOSE)
BACK: Final = REMOVED.add(ALICE, RENEW).add(ALICE, ADD, [member(BOB, WRITER)])

Step = tuple[Json, Json]
"""A step, and its answer."""

Play = tuple[str, Sequence[Step]]


def on(log: Log) -> Step:
    """Return a step in which the log goes on."""
    return {"do": "log", **log.given()}, {}


def sent(sender: Signer, data: bytes, answer: int | Json, device: int | None = None) -> Step:
    """Return a step with a text, and the number under which it is there then, or the error."""
    number = sender.device if device is None else device
    step = {"do": "send", "user_id": sender.user_id.hex(), "device_id": number, "data": data.hex()}
    return step, {"stored": answer} if isinstance(answer, int) else answer


def sent_long(log: Log, sender: Signer, number: int, answer: int | Json) -> Step:
    """Return a step with a long text, whose zeros are counted."""
    step, wanted = sent(sender, b"", answer)
    data, end = text(log, sender, number=number, sealed=bytes(LONG)), encode(draw("a signature", 64))
    assert data.endswith(end)
    begin = data[: -len(end) - LONG]
    del step["data"]
    return step | {"parts": [[begin.hex(), 1], ["00", LONG], [end.hex(), 1]]}, wanted


def shown(newest: int, *texts: tuple[int, bytes], after: int = 0) -> Step:
    """Return a step that shows texts by their numbers."""
    hashes = [[number, hashlib.sha256(data).hexdigest()] for number, data in texts]
    return {"do": "show", "after": after}, {"newest": newest, "texts": hashes}


def filled(log: Log, sender: Signer, after: int = 0, most: int = PART) -> list[Step]:
    """Return steps in which a member writes as much as it may, after so many texts."""
    return [sent(sender, text(log, sender, number=each), after + each + 1) for each in range(most)]


def add(family: Family) -> None:
    """Add the groups."""
    put(family, "texts that are there already", "RLY-47", {"": repeated()})
    put(family, "texts that are not there, though others are", "RLY-47", others())
    put(family, "texts for which there is no room", "RLY-50", full())


def put(family: Family, comment: str, rule: str, plays: dict[str, list[Play]]) -> None:
    """Add plays as one group, by their flags."""
    group = family.group("relay.group_play", comment)
    for flag, found in plays.items():
        for what, steps in found:
            texts = 2 * TEXTS if what.endswith("twice the room") else TEXTS
            given = {
                "group_id": group_of(steps).hex(), "texts": texts, "bytes": BYTES,
                "steps": [step for step, _ in steps],
            }  # fmt: skip
            output = {"steps": [answer for _, answer in steps]}
            group.play(f"{comment}: {what}", given, flags=[flag] if flag else [], rules=[rule], output=output)


def group_of(steps: Sequence[Step]) -> bytes:
    """Return the id of the group, by the first of the logs."""
    logs = (step["entries"] for step, _ in steps if step["do"] == "log")
    return CREATED.id if next(logs) == CREATED.given()["entries"][:1] else MANY.id


def repeated() -> list[Play]:
    """Return texts that come again. [RLY-47]"""
    data, more = text(CREATED, BOB), text(CREATED, ALICE)
    first, again = sent(BOB, data, 1), sent(BOB, data, 1)
    begun = [on(CREATED), first]
    one = shown(1, (1, data))
    signed = text(CREATED, BOB, signature=draw("another signature", 64))
    part = filled(CREATED, BOB)
    whole = [step for at, each in enumerate(WRITERS) for step in filled(MANY, each, at * PART)]
    next_ = text(RENEWED, BOB)
    return [
        ("at once", [*begun, again, again, one]),
        ("after a text of somebody else", [
            *begun, sent(ALICE, more, 2), again, shown(2, (1, data), (2, more)),
        ]),
        ("after an epoch began", [
            *begun, on(RENEWED), again, sent(BOB, next_, 2), again, sent(BOB, next_, 2),
        ]),
        ("after its sender was removed", [*begun, on(REMOVED), again, one]),
        ("after its sender left", [*begun, on(LEFT), again, one]),
        ("after its sender may only read", [*begun, on(READING), again, one]),
        ("after its sender came back", [*begun, on(BACK), again, one]),
        ("after the group was closed", [*begun, on(CLOSED), again, one]),
        ("where its sender has no room left", [on(CREATED), *part, part[0], part[-1]]),
        ("where the group has no room left", [on(MANY), *whole, whole[0], whole[-1]]),
        ("with another signature, which is another text", [
            *begun, sent(BOB, signed, 2), again, sent(BOB, signed, 2),
        ]),
        ("of another device, which is another text", [
            *begun, sent(BOB, text(CREATED, BOB, device=2), 2, 2), again,
        ]),
    ]  # fmt: skip


def others() -> dict[str, list[Play]]:
    """Return texts that are refused beside one that is there, and comes again. [RLY-47]"""
    data = text(CREATED, BOB)
    other = text(CREATED, BOB, signature=draw("another signature", 64))
    begun, again, one = [on(CREATED), sent(BOB, data, 1)], sent(BOB, data, 1), shown(1, (1, data))
    early = text(RENEWED, BOB)
    late = stale(RENEWED)
    return {
        "Stale": [
            ("another one, after an epoch began", [*begun, on(RENEWED), sent(BOB, other, late), again, one]),
            ("one that was refused, again", [
                on(CREATED), on(RENEWED), sent(BOB, data, late), sent(BOB, data, late), shown(0),
            ]),
            ("one that was too early, and is not any more", [
                *begun, sent(BOB, early, stale(CREATED)), one, on(RENEWED), sent(BOB, early, 2), again,
            ]),
            ("the same for the entry of now, with the epoch before", [
                *begun, on(RENEWED), sent(BOB, text(RENEWED, BOB, entry=1), late), again, one,
            ]),
        ],
        "Member": [
            ("another one of who was removed", [*begun, on(REMOVED), sent(BOB, other, UNKNOWN), again, one]),
            ("another one of who left", [*begun, on(LEFT), sent(BOB, other, UNKNOWN), again, one]),
            ("another one of who was removed, of now", [
                *begun, on(REMOVED), sent(BOB, text(REMOVED, BOB), UNKNOWN), again, one,
            ]),
        ],
        "Writer": [
            ("another one of who may only read", [
                *begun, on(READING), sent(BOB, other, REFUSED), again, one,
            ]),
            ("another one of who may only read, of now", [
                *begun, on(READING), sent(BOB, text(READING, BOB), REFUSED), again, one,
            ]),
        ],
        "Epoch": [
            ("another one in a closed group", [
                *begun, on(CLOSED), sent(BOB, text(CLOSED, BOB), REFUSED), again, one,
            ]),
            ("the same of the next epoch", [
                *begun, sent(BOB, text(CREATED, BOB, epoch=2), REFUSED), again, one,
            ]),
        ],
        "Caller": [
            ("the same, by another device of the user", [*begun, sent(BOB, data, REFUSED, 2), again, one]),
            ("the same, by another member", [*begun, sent(ALICE, data, REFUSED), again, one]),
            ("the same, by a reader", [*begun, sent(CAROL, data, REFUSED), again, one]),
            ("the same, by a stranger", [*begun, sent(MALLORY, data, REFUSED), again, one]),
            ("the same, by another device after its user was removed", [
                *begun, on(REMOVED), sent(BOB, data, REFUSED, 2), again, one,
            ]),
        ],
        "Text": [
            ("the same with a byte behind it", [*begun, sent(BOB, data + b"\0", REFUSED), again, one]),
            ("the same without its last byte", [*begun, sent(BOB, data[:-1], REFUSED), again, one]),
        ],
    }  # fmt: skip


def full() -> dict[str, list[Play]]:
    """Return groups, and parts of groups, that have no room. [RLY-50]"""
    part, next_ = filled(CREATED, BOB), text(CREATED, BOB, number=PART)
    refused, more = sent(BOB, next_, FULL), text(CREATED, ALICE)
    begun = [on(CREATED), *part]
    whole = [on(MANY), *(step for at, each in enumerate(WRITERS) for step in filled(MANY, each, at * PART))]
    long = [sent_long(CREATED, BOB, each, each + 1) for each in range(5)]
    many = [
        sent_long(MANY, each, number, at * 5 + number + 1)
        for at, each in enumerate(WRITERS)
        for number in range(5)
    ]
    rest = [sent_long(MANY, ERIN, number, 21 + number) for number in range(3)]
    removed, writes = CREATED.add(ALICE, REMOVE, [user(BOB)]), text(RENEWED, BOB, number=PART)
    return {
        "Full": [
            ("one more of a member", [*begun, refused, shown(PART, after=PART)]),
            ("again, which changes nothing", [*begun, refused, refused, sent(ALICE, more, PART + 1)]),
            ("of another device of the member", [
                *begun, sent(BOB, text(CREATED, BOB, device=2), FULL, 2), sent(ALICE, more, PART + 1),
                refused,
            ]),
            ("of a member, beside others who have room", [
                on(CREATED), sent(ALICE, more, 1), *filled(CREATED, BOB, 1), refused,
                sent(ALICE, text(CREATED, ALICE, number=1), PART + 2), refused,
            ]),
            ("in the next epoch", [
                *begun, on(RENEWED), sent(BOB, writes, FULL), sent(ALICE, text(RENEWED, ALICE), PART + 1),
            ]),
            ("of somebody who came back", [*begun, on(removed), on(BACK), sent(BOB, text(BACK, BOB), FULL)]),
            ("of a fifth member, after four", [
                *whole, sent(ERIN, text(MANY, ERIN), FULL), shown(TEXTS, after=TEXTS),
            ]),
            ("of an admin, after four members", [*whole, sent(ALICE, text(MANY, ALICE, number=PART), FULL)]),
            ("by bytes, of a member", [
                on(CREATED), *long, sent_long(CREATED, BOB, 5, FULL), sent(BOB, next_, 6),
                sent_long(CREATED, ALICE, 0, 7), sent_long(CREATED, BOB, 5, FULL),
            ]),
            ("by bytes, of a fifth member after four", [
                on(MANY), *many, *rest, sent_long(MANY, ERIN, 3, FULL),
                sent(ERIN, text(MANY, ERIN, number=3), 24),
            ]),
            ("one more of a member, in a group with twice the room", [
                on(CREATED), *filled(CREATED, BOB, most=2 * PART),
                sent(BOB, text(CREATED, BOB, number=2 * PART), FULL), sent(ALICE, more, 2 * PART + 1),
            ]),
        ],
        "Stale": [
            ("after another entry", [*begun, on(RENEWED), sent(BOB, next_, stale(RENEWED)), part[0]]),
        ],
        "Member": [
            ("of who was removed", [*begun, on(removed), sent(BOB, next_, UNKNOWN), part[0]]),
        ],
        "Writer": [
            ("of who may only read", [*begun, on(READING), sent(BOB, next_, REFUSED), part[0]]),
        ],
        "Caller": [
            ("by somebody else", [*begun, sent(ALICE, next_, REFUSED), sent(ALICE, more, PART + 1)]),
        ],
    }  # fmt: skip
