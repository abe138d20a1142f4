"""Bodies of a relay as bytes: read, written, and refused."""

from typing import Final

from generators.families.relay.bodies import BODIES, MESSAGE, STRANGERS
from generators.support.bodies import given, refuse, refuse_bytes, refuse_elements, right
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw
from generators.support.relay_elements import SHOWN

PLACE: Final = draw("relay place", 16)
SEND_LIMIT: Final = 4 * 1024 * 1024
FETCH_LIMIT: Final = SEND_LIMIT + MESSAGE + 64 * 1024
TEXTS_LIMIT: Final = SEND_LIMIT + MESSAGE + 4 * 1024


def add(family: Family) -> None:
    """Add the groups."""
    written = family.group("relay.encode", "bodies as bytes")
    for body in BODIES:
        group = family.group("relay.decode", f"bodies that are read: {body.kind}")
        for what, array in right(body):
            data, answer = encode(array), body.answer(array)
            group.valid(f"{body.kind}, {what}", {"kind": body.kind, **given(data)}, output=answer)
            if len(data) <= SHOWN:
                asked = {"kind": body.kind, "body": answer}
                written.valid(f"{body.kind}, {what}", asked, output={"data": data.hex()})
        refuse_elements(group, body)
        refuse_bytes(group, body)
    places(family)
    shelves(family)
    sizes(family)


def places(family: Family) -> None:
    """Add what depends on the step at a meeting place."""
    group = family.group("relay.decode", "the steps of a meeting place")

    def read(kind: str, what: str, array: list[Value], **answer: object) -> None:
        output = {"place": PLACE.hex(), **answer} if kind != "get-answer" else answer
        group.valid(f"{kind}, {what}", {"kind": kind, **given(encode(array))}, output=output)

    short = draw("relay step", 30)
    for step in (1, 2, 3):
        read(
            "put",
            f"step {step}",
            [1, 13, PLACE, step, 0, 1, short],
            step=step,
            part=0,
            parts=1,
            data=short.hex(),
        )
        for what, part, parts, data in (
            ("of two parts", 0, 2, short), ("part 1 of one", 1, 1, short), ("part 1 of two", 1, 2, short),
            ("of no parts", 0, 0, short), ("longer than strangers may", 0, 1, bytes(STRANGERS + 1)),
            ("empty", 0, 1, b""),
        ):  # fmt: skip
            encoded = encode([1, 13, PLACE, step, part, parts, data])
            refuse(group, "put", f"step {step}, {what}", "Step", "WIRE-4", encoded)
    for step in (0, 5):
        refuse(
            group,
            "put",
            f"one part of step {step}",
            "Step",
            "WIRE-4",
            encode([1, 13, PLACE, step, 0, 1, short]),
        )
    longest = bytes(STRANGERS)
    shown = {
        "length": STRANGERS,
        "sha256": "c35020473aed1b4642cd726cad727b63fff2824ad68cedd7ffb73c7cbd890479",
    }
    read("put", "the longest bundle", [1, 13, PLACE, 1, 0, 1, longest], step=1, part=0, parts=1, data=shown)
    read(
        "put",
        "the last of 33 parts",
        [1, 13, PLACE, 4, 32, 33, short],
        step=4,
        part=32,
        parts=33,
        data=short.hex(),
    )
    for what, part, parts in (("part 33 of 33", 33, 33), ("34 parts", 0, 34), ("part 33 of 34", 33, 34)):
        encoded = encode([1, 13, PLACE, 4, part, parts, short])
        refuse(group, "put", f"step 4, {what}", "Step", "WIRE-4", encoded)
    for step in range(4):
        read("get", f"step {step}", [1, 14, PLACE, step, 0, 0], step=step, part=0, wait=0)
        encoded = encode([1, 14, PLACE, step, 1, 0])
        refuse(group, "get", f"part 1 of step {step}", "Step", "WIRE-4", encoded)
    read("get-answer", "an open place", [1, 1, b""], parts=1, data="")
    read("get-answer", "not there yet", [1, 0, None], parts=0, data=None)
    for what, parts, data in (
        ("no parts and bytes", 0, b"x"), ("no parts and no bytes", 0, b""), ("a part without bytes", 1, None),
    ):  # fmt: skip
        refuse(group, "get-answer", what, "Step", "WIRE-4", encode([1, parts, data]))


def shelves(family: Family) -> None:
    """Add what depends on whose shelf it is, and on whether an entry was taken."""
    group = family.group("relay.decode", "shelves of collections, and entries that were taken")
    team, person, hash_ = draw("relay team", 16), draw("relay user id", 32), draw("relay hash 1", 32)

    def add_(of: str, what: str, array: list[Value], **answer: object) -> None:
        group.valid(f"{of}, {what}", {"kind": of, **given(encode(array))}, output=answer)

    shown: Json = {"kind": 2, "id": team.hex()}
    add_("shelf", "of a collection", [1, 16, 2, team, 0, 100], **shown, after=0, most=100)
    add_("unshelve", "from a collection's", [1, 17, 2, team, [hash_]], **shown, hashes=[hash_.hex()])
    both: list[Value] = [[2, team, b"one"], [1, person, b"one"]]
    parcels = [{**shown, "parcel": "6f6e65"}, {"kind": 1, "id": person.hex(), "parcel": "6f6e65"}]
    add_("shelve", "for a collection and a user", [1, 15, both], parcels=parcels)
    add_("log-append-answer", "taken", [1, 1, 7, []], is_taken=True, newest=7, entries=[])
    add_("log-append-answer", "nothing there", [1, 0, 0, []], is_taken=False, newest=0, entries=[])
    add_("shelf-answer", "an empty shelf", [1, 0, []], newest=0, parcels=[])
    add_("shelf-answer", "all taken away", [1, 9, []], newest=9, parcels=[])
    for kind, array in (
        ("shelf", [1, 16, 2, team, 0, 100]), ("unshelve", [1, 17, 2, team, [hash_]]),
        ("shelve", [1, 15, [[2, team, b"one"]]]),
    ):  # fmt: skip
        for what, id_ in (("of 32 bytes", person), ("of 15 bytes", team[:-1]), ("empty", b"")):
            changed = [[[2, id_, b"one"]] if each == [[2, team, b"one"]] else each for each in array]
            changed = [id_ if each == team else each for each in changed]
            refuse(group, kind, f"a collection's id {what}", "Shelf", "WIRE-4", encode(changed))
    refuse(group, "log-append-answer", "taken, as entry 0", "Taken", "WIRE-4", encode([1, 1, 0, []]))
    for number, newest in ((0, 5), (6, 5), (1, 0)):
        encoded = encode([1, newest, [[number, b"one"]]])
        refuse(group, "shelf-answer", f"parcel {number} of {newest}", "Order", "WIRE-4", encoded)


def sizes(family: Family) -> None:
    """Add bodies whose elements are all good and that are too long together."""
    group = family.group("relay.decode", "the longest bodies")
    found = {each.kind: each for each in BODIES}
    frames = [found["fetch-answer"], found["mail-frame"]]

    def messages(last: int) -> list[Value]:
        return [[at, bytes(MESSAGE if at < 6 else last)] for at in range(1, 7)]

    def deliveries(last: int) -> list[Value]:
        ids = [draw(f"relay id {at}", 16) for at in range(1, 8)]
        return [[id_, 1, "bob", 1, bytes(MESSAGE if at < 6 else last)] for at, id_ in enumerate(ids)]

    def texts(last: int) -> list[Value]:
        return [[at, 1, bytes(MESSAGE if at < 7 else last)] for at in range(1, 8)]

    for body, limit, most in (
        (found["send"], SEND_LIMIT, messages), *((each, FETCH_LIMIT, deliveries) for each in frames),
        (found["group-texts-answer"], TEXTS_LIMIT, texts),
    ):  # fmt: skip
        at = len(body.elements) - 1
        spare = limit - len(encode(body.array(at, most(300_000), changed=True)))
        array = body.array(at, most(300_000 + spare), changed=True)
        asked = {"kind": body.kind, **given(encode(array))}
        group.valid(f"{body.kind}, {limit} bytes", asked, rules=["RLY-3"], output=body.answer(array))
        longer = encode(body.array(at, most(300_001 + spare), changed=True))
        refuse(group, body.kind, f"{limit + 1} bytes", "TooLong", "RLY-3", longer)
