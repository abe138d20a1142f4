"""What a relay answers about texts of a group: whose text it stores, and who reads, by the group's log."""

from typing import Any, Final

from generators.support.collection_logs import (
    ADD,
    ADMIN,
    CLOSE,
    CREATE,
    LEAVE,
    READER,
    REMOVE,
    RENAME,
    RENEW,
    ROLE,
    WRITER,
    Log,
    in_order,
    member,
    padded_name,
    user,
)
from generators.support.document_signers import Signer
from generators.support.encoding import encode, head
from generators.support.family import Family, Json
from generators.support.group_logs import opening, sealed_name
from generators.support.group_people import ALICE, BOB, CAROL, CREATED, MALLORY, somebody
from generators.support.labels import draw

DAVE: Final = somebody("dave")
UNKNOWN: Final[Json] = {"code": 2, "number": 1}
REFUSED: Final[Json] = {"code": 9, "number": 0}
LEFT: Final = CREATED.add(BOB, LEAVE)
REMOVED: Final = CREATED.add(ALICE, REMOVE, [user(BOB)])
COLLECTION: Final = Log().add(ALICE, CREATE, in_order(member(ALICE, ADMIN), member(BOB, WRITER)))


def stale(log: Log) -> Json:
    """Return the answer to a text after another entry than the newest."""
    return {"code": 3, "number": len(log.entries)}


def text(log: Log, sender: Signer, **changes: Any) -> bytes:
    """Return a text after the newest entry of a log. A relay opens none, so nothing is sealed in it."""
    usual: dict[str, Any] = {
        "format": 1, "kind": 28, "group": log.id, "epoch": log.epoch, "entry": len(log.entries),
        "user": sender.user_id, "device": sender.device, "number": 0,
        "sealed": draw("what a relay does not open", 80), "signature": draw("a signature", 64),
    }  # fmt: skip
    return head(4, 10) + b"".join(encode(each) for each in (usual | changes).values())


def asked(log: Log, caller: Signer, data: bytes, device: int | None = None) -> Json:
    """Return the input of relay.group_send."""
    return {
        "user_id": caller.user_id.hex(), "device_id": caller.device if device is None else device,
        "text": data.hex(), **log.given(),
    }  # fmt: skip


def add(family: Family) -> None:
    """Add the groups."""
    keys(family)
    stored(family)
    refused(family)
    readers(family)


def keys(family: Family) -> None:
    """Add the keys under which a relay keeps a group."""
    group = family.group("relay.group_keys", "keys of a group's log and texts")
    for comment, id_ in (("a group", draw("a group", 16)), ("zeros", bytes(16)), ("ones", b"\xff" * 16)):
        answer = group.valid(comment, {"group_id": id_.hex()}, rules=["RLY-46"])
        assert answer["log"][:16] == answer["texts"][:16]
        assert answer["log"] != answer["texts"]
    for comment, wrong in (("15 bytes", bytes(15)), ("17 bytes", bytes(17)), ("empty", b"")):
        given = {"group_id": wrong.hex()}
        group.invalid(comment, given, "UsageError", flags=["Range"], rules=["RLY-46"])


def stored(family: Family) -> None:
    """Add texts that a relay stores."""
    group = family.group("relay.group_send", "texts that a relay stores")
    roles = CREATED.add(ALICE, ROLE, [[*user(CAROL), WRITER]])
    renewed = LEFT.add(ALICE, RENEW)
    again = REMOVED.add(ALICE, RENEW).add(ALICE, ADD, [member(BOB, WRITER)])
    for comment, log, sender in (
        ("of an admin", CREATED, ALICE),
        ("of a member", CREATED, BOB),
        ("of a reader that writes now", roles, CAROL),
        ("after a name", CREATED.add(ALICE, RENAME, [sealed_name(1, padded_name(b"team"))]), BOB),
        ("in the second epoch", CREATED.add(BOB, RENEW), BOB),
        ("after somebody was removed", REMOVED, ALICE),
        ("of a newcomer", CREATED.add(ALICE, ADD, [member(DAVE, WRITER)]), DAVE),
        ("after somebody left, and an epoch began", renewed, ALICE),
        ("of somebody who came back", again, BOB),
    ):
        data = text(log, sender)
        group.valid(comment, asked(log, sender, data), rules=["RLY-46"], output={})
    device = asked(CREATED, BOB, text(CREATED, BOB, device=7), 7)
    group.valid("of another device", device, rules=["RLY-46"], output={})


def refused(family: Family) -> None:
    """Add texts that a relay does not store, with its answer."""
    group = family.group("relay.group_send", "texts that a relay does not store")
    reading = CREATED.add(ALICE, ROLE, [[*user(BOB), READER]])
    closed = CREATED.add(ALICE, CLOSE)
    renewed = CREATED.add(BOB, RENEW)
    usual = text(CREATED, BOB)
    cases: list[tuple[str, str, Json, Json]] = [
        ("of a user who was removed", "Member", asked(REMOVED, BOB, text(REMOVED, BOB)), UNKNOWN),
        ("of the same, after the entry before", "Member", asked(REMOVED, BOB, usual), UNKNOWN),
        ("of a user who left", "Member", asked(LEFT, BOB, text(LEFT, BOB)), UNKNOWN),
        ("of a stranger", "Member", asked(CREATED, MALLORY, text(CREATED, MALLORY)), UNKNOWN),
        ("for a collection", "Member", asked(COLLECTION, BOB, text(COLLECTION, BOB)), UNKNOWN),
        ("where there is no log", "Member", asked(CREATED, BOB, usual) | {"entries": []}, UNKNOWN),
        ("of a reader", "Writer", asked(CREATED, CAROL, text(CREATED, CAROL)), REFUSED),
        ("of somebody who writes no more", "Writer", asked(reading, BOB, text(reading, BOB)), REFUSED),
        ("of the same, after the entry before", "Writer", asked(reading, BOB, usual), REFUSED),
        ("of another user", "Caller", asked(CREATED, BOB, text(CREATED, ALICE)), REFUSED),
        ("of a reader, by a writer", "Caller", asked(CREATED, BOB, text(CREATED, CAROL)), REFUSED),
        ("of a stranger, by a writer", "Caller", asked(CREATED, BOB, text(CREATED, MALLORY)), REFUSED),
        ("of a writer, by a stranger", "Caller", asked(CREATED, MALLORY, usual), REFUSED),
        ("of another device of the user", "Caller", asked(CREATED, BOB, usual, 2), REFUSED),
        ("of device 0", "Caller", asked(CREATED, BOB, text(CREATED, BOB, device=0)), REFUSED),
        ("after the entry before", "Stale", asked(renewed, BOB, usual), stale(renewed)),
        ("after an entry to come", "Stale", asked(CREATED, BOB, text(CREATED, BOB, entry=2)), stale(CREATED)),
        (
            "after the greatest entry",
            "Stale",
            asked(CREATED, BOB, text(CREATED, BOB, entry=2**32 - 1)),
            stale(CREATED),
        ),
        (
            "after the entry before, of the epoch of now",
            "Stale",
            asked(renewed, BOB, text(renewed, BOB, entry=1)),
            stale(renewed),
        ),
        ("to a spent group, after the entry before", "Stale", asked(LEFT, ALICE, text(CREATED, ALICE)),
         stale(LEFT)),
        ("of the epoch before", "Epoch", asked(renewed, BOB, text(renewed, BOB, epoch=1)), REFUSED),
        ("of the next epoch", "Epoch", asked(CREATED, BOB, text(CREATED, BOB, epoch=2)), REFUSED),
        ("to a spent group", "Epoch", asked(LEFT, ALICE, text(LEFT, ALICE)), REFUSED),
        ("to a closed group", "Epoch", asked(closed, BOB, text(closed, BOB)), REFUSED),
        ("to a closed group, of its admin", "Epoch", asked(closed, ALICE, text(closed, ALICE)), REFUSED),
    ]  # fmt: skip
    cases += [
        (what, "Text", asked(CREATED, BOB, data), REFUSED)
        for what, data in (
            ("no byte", b""),
            ("a byte behind it", usual + b"\0"),
            ("a byte is missing", usual[:-1]),
            ("of format 2", text(CREATED, BOB, format=2)),
            ("of the kind of a chain", text(CREATED, BOB, kind=29)),
            ("epoch 0", text(CREATED, BOB, epoch=0)),
            ("entry 0", text(CREATED, BOB, entry=0)),
            ("too short to hold a content", text(CREATED, BOB, sealed=bytes(55))),
            ("a signature of 63 bytes", text(CREATED, BOB, signature=bytes(63))),
            ("an entry of the log", CREATED.signed()[0]),
        )
    ]
    seen: set[str] = set()
    for what, flag, given, answer in cases:
        comment = what if what not in seen else f"{what}, {flag}"
        seen.add(what)
        group.valid(comment, given, flags=[flag], rules=["RLY-46"], output=answer)


def readers(family: Family) -> None:
    """Add who is shown texts, and who is not."""
    group = family.group("relay.group_texts", "who is shown the texts of a group")
    closed, added = CREATED.add(ALICE, CLOSE), CREATED.add(ALICE, ADD, [member(DAVE, READER)])
    for comment, log, who in (
        ("an admin", CREATED, ALICE), ("a member", CREATED, BOB), ("a reader", CREATED, CAROL),
        ("a newcomer", added, DAVE), ("a member of a closed group", closed, BOB),
        ("who stayed, in a spent group", LEFT, ALICE),
    ):  # fmt: skip
        given = {"user_id": who.user_id.hex(), **log.given()}
        group.valid(comment, given, rules=["RLY-48"], output={})
    again = opening(2)
    for comment, log, who in (
        ("a stranger", CREATED, MALLORY), ("who was removed", REMOVED, BOB), ("who left", LEFT, BOB),
        ("who was removed, an epoch later", REMOVED.add(ALICE, RENEW), BOB),
        ("who is to be added, before the entry", CREATED.add(BOB, RENEW, opening=again), DAVE),
        ("a member of a collection", COLLECTION, ALICE),
        ("an admin of a collection that is spent", COLLECTION.add(BOB, LEAVE), ALICE),
    ):  # fmt: skip
        given = {"user_id": who.user_id.hex(), **log.given()}
        group.valid(comment, given, flags=["Member"], rules=["RLY-48"], output=UNKNOWN)
    nobody = {"user_id": ALICE.user_id.hex(), "entries": []}
    group.valid("where there is no log", nobody, flags=["Member"], rules=["RLY-48"], output=UNKNOWN)
    for what, id_ in (("31 bytes", ALICE.user_id[:-1]), ("33 bytes", ALICE.user_id + b"\0")):
        given = {"user_id": id_.hex(), **CREATED.given()}
        comment = f"a user id of {what}"
        group.invalid(comment, given, "UsageError", flags=["Range"], rules=["RLY-48"])
