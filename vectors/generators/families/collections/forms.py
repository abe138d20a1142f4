"""Terms of entries that have another form."""

from generators.families.collections.scene import ALICE, BOB, CREATED, DAVE
from generators.support.collection_logs import (
    ADD,
    ADMIN,
    CLOSE,
    LEAVE,
    READER,
    REMOVE,
    RENAME,
    RENEW,
    ROLE,
    Entry,
    Log,
    member,
    opening,
    user,
)
from generators.support.encoding import Value, encode
from generators.support.family import Family


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("log.follow", "terms of another form")
    first = CREATED.entries[0]
    alice = user(ALICE)

    def with_(at: int, value: Value) -> Value:
        made = opening(1)
        return [*made[:at], value, *made[at + 1 :]]

    cases: dict[str, Entry] = {
        "another label": first.with_(label="letterlock-v1 terms of a grant"),
        "number 0": first.with_(number=0),
        "number 2^32": first.with_(number=2**32),
        "a collection id of 32 bytes": first.with_(collection=bytes(32)),
        "a hash before of 16 bytes": first.with_(before=bytes(16)),
        "a time of 2^32": first.with_(issued=2**32),
        "null for the time": first.with_(issued=None),
        "action 0": first.with_(action=0),
        "action 9": first.with_(action=9),
        "epoch 0": first.with_(epoch=0),
        "null for the epoch": first.with_(epoch=None),
        "null for the changes": first.with_(changes=None),
        "a member of kind 0": first.with_(changes=[[0, bytes(32), ADMIN, 0, 1]]),
        "a member of kind 3": first.with_(changes=[[3, bytes(32), ADMIN, 0, 1]]),
        "a user with an id of 16 bytes": first.with_(changes=[[1, bytes(16), ADMIN, 0, 1]]),
        "a collection with an id of 32 bytes": first.with_(changes=[[2, bytes(32), READER, 0, 1]]),
        "role 0": first.with_(changes=[[*alice, 0, 0, 1]]),
        "role 4": first.with_(changes=[[*alice, 4, 0, 1]]),
        "since 2^32": first.with_(changes=[[*alice, ADMIN, 2**32, 1]]),
        "generation 0": first.with_(changes=[[*alice, ADMIN, 0, 0]]),
        "a member of four elements": first.with_(changes=[[*alice, ADMIN, 0]]),
        "a member that is a name": first.with_(changes=[alice]),
        "an opening of four elements": first.with_(opening=opening(1)[:4]),
        "a commitment of 31 bytes": first.with_(opening=with_(0, bytes(31))),
        "a commitment to no history key": first.with_(opening=with_(1, None)),
        "a link of one element": first.with_(opening=with_(2, [1])),
        "a link to epoch 0": first.with_(opening=with_(2, [0, bytes(80)])),
        "a link with 79 bytes": first.with_(opening=with_(2, [1, bytes(79)])),
        "a sealed name of 283 bytes": first.with_(opening=with_(3, bytes(283))),
        "no sealed name": first.with_(opening=with_(3, None)),
        "null for the renewed": first.with_(opening=with_(4, None)),
        "a renewed member of generation 0": first.with_(opening=with_(4, [[*alice, 0]])),
        "a renewed member of two elements": first.with_(opening=with_(4, [alice])),
        "1,001 changes": first.with_(changes=[member(ALICE, ADMIN)] * 1001),
    }
    for comment, entry in cases.items():
        group.invalid(comment, Log([entry]).given(), "MalformedMessage", flags=["Shape"], rules=["WIRE-4"])
    followers: dict[str, Entry] = {
        "a leave that names somebody": CREATED.next(BOB, LEAVE, [user(BOB)]),
        "an epoch that names somebody": CREATED.next(BOB, RENEW, [user(BOB)]),
        "a closing that names somebody": CREATED.next(ALICE, CLOSE, [user(BOB)]),
        "a removal with a member": CREATED.next(ALICE, REMOVE, [member(BOB, READER)]),
        "an addition with a name": CREATED.next(ALICE, ADD, [user(DAVE)]),
        "a role with a name": CREATED.next(ALICE, ROLE, [user(BOB)]),
        "two names of the collection": CREATED.next(ALICE, RENAME, [bytes(284), bytes(284)]),
        "a name of 285 bytes": CREATED.next(ALICE, RENAME, [bytes(285)]),
        "a name that is text": CREATED.next(ALICE, RENAME, ["team"]),
    }
    for comment, entry in followers.items():
        wrong = CREATED.with_(entry).given()
        group.invalid(comment, wrong, "MalformedMessage", flags=["Shape"], rules=["WIRE-4"])
    terms, usual = first.terms(), CREATED.given()["entries"][0]
    for comment, data in (
        ("a byte behind the terms", terms + b"\0"),
        ("terms without their last byte", terms[:-1]),
        ("no terms", b""),
        ("eight elements", b"\x88" + terms[1 : -len(encode(first.opening))]),
        ("a number in a long form", terms.replace(b"entry\x01", b"entry\x18\x01", 1)),
    ):
        wrong = {"entries": [{**usual, "terms": data.hex()}]}
        group.invalid(comment, wrong, "MalformedMessage", flags=["Shape"], rules=["WIRE-2"])
