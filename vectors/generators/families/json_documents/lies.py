"""What storage, readers and authors can make of a document."""

from typing import Any

from generators.families.json_documents.whole import ADDRESS, PATIENT, PRACTICE, PRIVATE, SCOPES, one
from generators.support.encoding import Value
from generators.support.family import Family
from generators.support.labels import draw, flipped
from generators.support.sealed_json import SECTION, TRAILER, Making, Pair, pad, sealed

DAMAGED, MALFORMED = "DocumentDamaged", "MalformedMessage"


def add(family: Family) -> None:
    """Add the groups."""
    stored(family)
    read(family)
    placed(family)
    arrays(family)
    padded(family)


def changed(pair: Pair, at: int, index: int) -> Pair:
    """Return a pair with a bit inverted."""
    value = pair[at]
    assert isinstance(value, bytes)
    return [*pair[:at], flipped(value, index), *pair[at + 1 :]]


def stored(family: Family) -> None:
    """Add what can be done without a key."""
    group = family.group("json.open", "what storage changes")
    sections = PATIENT.sections()
    first, second, third = sections
    later, other = PATIENT.with_(version=2), PATIENT.with_(label="another patient")
    trailer = PATIENT.trailer(sections)
    for comment, document in (
        ("the last section is missing", PATIENT.document(sections[:2], trailer)),
        ("a section is missing that is not open", PATIENT.document([first, third], trailer)),
        ("two sections have changed places", PATIENT.document([first, third, second], trailer)),
        (
            "a section too many",
            PATIENT.document([*sections, sealed(SECTION, bytes(32), bytes(16), 1, bytes(1056))], trailer),
        ),
        (
            "the text of a section that is not open",
            PATIENT.document([first, changed(second, 1, 9), third], trailer),
        ),
        (
            "the commitment of a section that is not open",
            PATIENT.document([first, changed(second, 0, 0), third], trailer),
        ),
        ("the tag of the open section", PATIENT.document([changed(first, 1, -1), second, third], trailer)),
        ("the text of another section", PATIENT.document([[first[0], second[1]], second, third], trailer)),
        (
            "a section of the next version that is not open",
            PATIENT.document([first, later.sections()[1], third], trailer),
        ),
        ("the trailer of the next version", PATIENT.document(sections, later.trailer(later.sections()))),
        ("the trailer of another document", PATIENT.document(sections, other.trailer(other.sections()))),
        ("the text of the trailer", PATIENT.document(sections, changed(trailer, 1, 0))),
        ("the tag of the trailer", PATIENT.document(sections, changed(trailer, 1, -1))),
        ("the commitment of the trailer", PATIENT.document(sections, changed(trailer, 0, 31))),
    ):
        group.invalid(comment, PATIENT.given(document, of=[0]), DAMAGED, flags=["Changed"], rules=["DOC-110"])
    for comment, document in (
        ("another id", PATIENT.document(id=bytes(16))),
        ("another version", PATIENT.document(version=2)),
        (
            "another commitment of the open section",
            PATIENT.document([changed(first, 0, 0), second, third], trailer),
        ),
    ):
        wrong = PATIENT.given(document, of=[0])
        group.invalid(comment, wrong, "NoGrant", flags=["WrongKey"], rules=["DOC-108"])
    none = PATIENT.given(of=[])
    group.invalid("no key", none, "NoGrant", flags=["WrongKey"], rules=["DOC-108"])
    none = PATIENT.given(of=[])
    none["keys"] = [PATIENT.trailer_key.hex()]
    group.invalid("the key of the trailer", none, "NoGrant", flags=["WrongKey"], rules=["DOC-108"])


def read(family: Family) -> None:
    """Add what a reader can do, who has keys, and what an author can."""
    group = family.group("json.open", "what readers and authors change")
    sections = PATIENT.sections()
    trailer = PATIENT.trailer(sections)
    forged = PATIENT.section(0, ["practice", [[["dose"], "15.0"]]])
    for comment, document in (
        ("a section that a reader sealed again", PATIENT.document([forged, *sections[1:]], trailer)),
        ("a key of the trailer that one section has", PATIENT.with_(trailer_keys={1: bytes(32)}).document()),
        (
            "a trailer that is sealed as a section",
            PATIENT.document(sections, sealed(SECTION, PATIENT.trailer_key, PATIENT.id, 1, bytes(6000))),
        ),
        (
            "a trailer under another key",
            PATIENT.document(sections, sealed(TRAILER, draw("other", 32), PATIENT.id, 1, bytes(6000))),
        ),
    ):
        wrong = PATIENT.given(document, of=[0, 1])
        group.invalid(comment, wrong, DAMAGED, flags=["Changed"], rules=["DOC-104", "DOC-110"])
    said: dict[str, dict[str, Value]] = {
        "another id": {"id": bytes(16)},
        "another version": {"version": 2},
        "another root": {"root": bytes(32)},
        "the root of the first section": {"root": PATIENT.statement(sections[:1])[4]},
        "a section fewer": {"scopes": SCOPES[:2]},
        "a section more": {"scopes": [*SCOPES, [3, ["zip"]]]},
    }
    for comment, each in said.items():
        wrong = PATIENT.with_(said=each).given(of=[0])
        group.invalid(f"a statement of {comment}", wrong, DAMAGED, flags=["Statement"], rules=["DOC-110"])
    named: list[Any] = [["all", []], ["all", []]]
    twice = Making("two names", named, [[0, ["a"]], [1, ["b"]]])
    group.invalid("two sections of one name", twice.given(), DAMAGED, flags=["Fields"], rules=["DOC-110"])
    many: list[Value] = [[[name, at], "0"] for name in ("a", "b") for at in range(5_001)]
    most = Making("many fields", [["a", many[:5_000]], ["b", many[5_001:]]], [[0, ["a"]], [1, ["b"]]])
    group.invalid("10,001 fields in two sections", most.given(), DAMAGED, flags=["Limit"], rules=["DOC-110"])


def placed(family: Family) -> None:
    """Add fields that are not of their section, or fit into no object."""
    group = family.group("json.open", "fields that belong elsewhere")
    for comment, field in (
        ("of a longer scope", [["address", "zip"], "1"]),
        ("of a longer scope, at its path", [["hiv"], '"negative"']),
        ("of an index that another section has", [["telecom", 1], '"work"']),
        ("a value where a longer scope needs an array", [["telecom"], "1"]),
        ("an empty array where a longer scope needs an array", [["telecom"], "[]"]),
        ("an empty object where a longer scope needs one", [["signs", 0], "{}"]),
        ("null where a longer scope needs an array", [["signs"], "null"]),
        ("an object where a scope needs an array", [["telecom", "x"], "1"]),
        ("an object where a scope needs an array, deep", [["signs", "0", "y"], "1"]),
        ("an array where a scope needs an object", [["signs", 0, 0], "1"]),
    ):
        content: Value = ["practice", [field]]
        wrong = PATIENT.with_(contents=[content, ADDRESS, PRIVATE]).given(of=[0])
        group.invalid(comment, wrong, DAMAGED, flags=["Fields"], rules=["DOC-106"])
    outside = one([["b"], "1"], scopes=[[0, ["a"]]])
    group.invalid("in no scope", outside.given(), DAMAGED, flags=["Fields"], rules=["DOC-106"])
    both = PATIENT.with_(contents=[PRACTICE, ["address", [[["dose"], "15"]]], PRIVATE])
    group.invalid(
        "a field that another section has too",
        both.given(of=[0, 1]),
        DAMAGED,
        flags=["Fields"],
        rules=["DOC-106"],
    )
    for comment, fields in (
        ("a value and a member of it", [[["a"], "1"], [["a", "b"], "2"]]),
        ("an empty object and a member of it", [[["a"], "{}"], [["a", "b"], "2"]]),
        ("a value and an index of it", [[["a", "b"], "1"], [["a", "b", 0], "2"]]),
        ("an object and an array", [[["a", 0], "1"], [["a", "b"], "2"]]),
    ):
        wrong = one(*fields).given()
        group.invalid(comment, wrong, MALFORMED, flags=["Fields"], rules=["DOC-107"])


def arrays(family: Family) -> None:
    """Add arrays with holes that no hidden section explains."""
    group = family.group("json.open", "arrays that lack an index")
    scopes: list[Value] = [[0, []], [1, ["x", 1]], [0, ["y"]], [1, ["z"]], [0, ["z", 0]]]
    for comment, field, of in (
        ("the first", [["a", 1], "1"], [0]),
        ("the first, in an array inside", [["a", 0, "b", 2], "1"], [0]),
        ("one that a hidden section has, and another one", [["x", 3], "1"], [0]),
        ("one that a section has which is open", [["x", 2], "1"], [0, 1]),
        ("one of a scope of its own", [["y", 1], "1"], [0]),
    ):
        made = Making("arrays", [["a", [field]], ["b", []]], scopes)
        group.invalid(comment, made.given(of=of), MALFORMED, flags=["Array"], rules=["DOC-107"])
    inside = Making("arrays", [["a", []], ["b", [[["z", 1], "1"]]]], scopes)
    group.invalid(
        "one that an open section has inside a hidden one",
        inside.given(),
        MALFORMED,
        flags=["Array"],
        rules=["DOC-107"],
    )


def padded(family: Family) -> None:
    """Add other paddings."""
    group = family.group("json.open", "other paddings")
    for comment, padding in (
        ("a byte in it", lambda data: pad(data)[:-1] + b"\1"),
        ("a byte less", lambda data: pad(data)[:-1]),
        ("a byte more", lambda data: pad(data) + b"\0"),
        ("a length above the text", lambda data: b"\xff\xff\xff\xff" + pad(data)[4:]),
        ("a length of another step", lambda data: pad(data + bytes(8192))[: len(pad(data))]),
        ("zeros alone, longer", lambda data: bytes(len(pad(data)) + 64)),
    ):
        for what, wrong in (
            ("a section", one(padding=padding)),
            ("the trailer", one(trailer_padding=padding)),
        ):
            group.invalid(
                f"{what}: {comment}", wrong.given(), MALFORMED, flags=["Padding"], rules=["DOC-109"]
            )
