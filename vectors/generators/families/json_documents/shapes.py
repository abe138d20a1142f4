"""Encodings of another form: documents, trailers, scopes, contents, and the grants beside."""

from generators.families.json_documents.whole import PATIENT, one
from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.sealed_json import Making

MALFORMED = "MalformedMessage"


def add(family: Family) -> None:
    """Add the groups."""
    documents(family)
    trailers(family)
    scopes(family)
    contents(family)
    beside(family)


def documents(family: Family) -> None:
    """Add documents of another form."""
    group = family.group("json.open", "documents of another form")
    made, whole = one(), one().document()
    first = made.sections()[0]
    trailer = made.trailer([first])
    for comment, wrong, expect in (
        ("format 2", made.document(format=2), "UnsupportedVersion"),
        ("the kind of a grant", made.document(kind=16), MALFORMED),
        ("an id of 15 bytes", made.document(id=bytes(15)), MALFORMED),
        ("version 0", made.document(version=0), MALFORMED),
        ("version 2^32", made.document(version=2**32), MALFORMED),
        ("a commitment of 31 bytes", made.document(commitment=bytes(31)), MALFORMED),
        ("no section", made.document(sections=[]), MALFORMED),
        (
            "65 sections",
            made.document(sections=[[bytes([at]) * 32, bytes(1072)] for at in range(65)]),
            MALFORMED,
        ),
        ("a section of one element", made.document(sections=[[first[0]]]), MALFORMED),
        ("a section of three elements", made.document(sections=[[*first, None]]), MALFORMED),
        ("a commitment that is a text", made.document(sections=[["a" * 32, first[1]]]), MALFORMED),
        ("a sealed text of 1,039 bytes", made.document(sections=[[first[0], bytes(1039)]]), MALFORMED),
        ("a trailer of 1,039 bytes", made.document([first], [trailer[0], bytes(1039)]), MALFORMED),
        ("a trailer of 65,537 bytes", made.document([first], [trailer[0], bytes(65_537)]), MALFORMED),
        ("null for the grants", made.document(grants=None), MALFORMED),
        ("seven elements", encode([1, 24, made.id, 1, trailer[0], [list(first)], trailer[1]]), MALFORMED),
        ("a byte behind it", whole + b"\0", MALFORMED),
        ("without its last byte", whole[:-1], MALFORMED),
        ("no byte", b"", MALFORMED),
    ):
        group.invalid(comment, made.given(wrong), expect, flags=["Shape"], rules=["WIRE-1", "WIRE-4"])
    twice = PATIENT.document([PATIENT.sections()[0]] * 2)
    wrong_twice = PATIENT.given(twice, of=[0])
    group.invalid("one section twice", wrong_twice, MALFORMED, flags=["Shape"], rules=["DOC-108"])


def trailers(family: Family) -> None:
    """Add trailers of another form."""
    group = family.group("json.open", "trailers of another form")
    made = one()
    statement = made.statement(made.sections())
    by = made.signed(statement)
    said: dict[str, dict[str, Value]] = {
        "format 2": {"format": 2},
        "an id of 17 bytes": {"id": bytes(17)},
        "version 0": {"version": 0},
        "a time of 2^53": {"issued": 2**53},
        "null for the time": {"issued": None},
        "a root of 33 bytes": {"root": bytes(33)},
        "scopes that are a text": {"scopes": ""},
    }
    for comment, each in said.items():
        wrong = made.with_(said=each).given()
        group.invalid(f"trailer: {comment}", wrong, MALFORMED, flags=["Shape"], rules=["DOC-104", "WIRE-4"])
    for comment, data in (
        ("no signature", encode(statement)),
        ("null for who signed", encode([*statement, None])),
        ("a signature of 3,372 bytes", encode([*statement, [*by[:5], bytes(3372)]])),
        ("eight elements", encode([*statement, by, None])),
        ("a byte behind it", encode([*statement, by]) + b"\0"),
        ("no byte", b""),
    ):
        sections = made.sections()
        wrong = made.given(made.document(sections, made.trailer(sections, data)))
        group.invalid(f"trailer: {comment}", wrong, MALFORMED, flags=["Shape"], rules=["DOC-104", "WIRE-4"])


def scopes(family: Family) -> None:
    """Add scopes of another form or order."""
    group = family.group("json.open", "scopes of another form")
    cases: dict[str, Value] = {
        "none": [],
        "257": [[0, [f"{at:03}"]] for at in range(257)],
        "a path twice": [[0, ["a"]], [0, ["a"]]],
        "another order": [[0, ["b"]], [0, ["a"]]],
        "a path behind one that begins with it": [[0, ["a", "b"]], [0, ["a"]]],
        "indices as texts": [[0, ["a", 10]], [0, ["a", 2]]],
        "names in UTF-8": [[0, ["\ufb01"]], [0, ["\U0001f600"]]],
        "a name before an index": [[0, ["a", "b"]], [0, ["a", 0]]],
        "an object and an array in one place": [[0, ["a", 0]], [0, ["a", "b"]]],
        "an object and an array, deep": [[0, ["a", 0, 1, "x"]], [0, ["a", 0, "b"]]],
        "section 1 alone": [[1, []]],
        "section 64": [[0, []], [64, ["a"]]],
        "an index at the beginning": [[0, [0]]],
        "an index of 10,000": [[0, ["a", 10_000]]],
        "a path of 33": [[0, ["a", *[0] * 32]]],
        "a name of 257 bytes": [[0, ["a" * 257]]],
        "__proto__": [[0, ["a", "__proto__"]]],
        "U+0000 in a name": [[0, ["a\0"]]],
        "bytes as a name": [[0, [b"a"]]],
        "null as an index": [[0, ["a", None]]],
        "three elements": [[0, [], None]],
        "a path that is a text": [[0, "a"]],
    }
    for comment, each in cases.items():
        wrong = one(scopes=each).given()
        group.invalid(f"scopes: {comment}", wrong, MALFORMED, flags=["Scopes"], rules=["DOC-105"])
    alone = Making("a gap", [["a", []], ["b", []]], [[0, []], [2, ["a"]]])
    group.invalid("a section without a scope", alone.given(), MALFORMED, flags=["Scopes"], rules=["DOC-105"])


def contents(family: Family) -> None:
    """Add contents of sections of another form."""
    group = family.group("json.open", "contents of another form")
    cases: dict[str, list[Value]] = {
        "another order": [[["b"], "1"], [["a"], "1"]],
        "indices as texts": [[["a", 10], "1"], [["a", 2], "1"]],
        "names in UTF-8": [[["\ufb01"], "1"], [["\U0001f600"], "1"]],
        "a field twice": [[["a"], "1"], [["a"], "1"]],
        "a path without an element": [[[], "1"]],
        "an index at the beginning": [[[0], "1"]],
        "an index of 10,000": [[["a", 10_000], "1"]],
        "a path of 33": [[["a", *[0] * 32], "1"]],
        "an object at a path of 32": [[["a", *[0] * 31], "{}"]],
        "an array at a path of 32": [[["a", *[0] * 31], "[]"]],
        "a name of 257 bytes": [[["a" * 257], "1"]],
        "__proto__": [[["__proto__"], "1"]],
        "U+0000 in a name": [[["a\0"], "1"]],
        "bytes as a name": [[[b"a"], "1"]],
        "a field of one element": [[["a"]]],
        "a field of three elements": [[["a"], "1", None]],
        "a field that is null": [None],
    }
    for comment, fields in cases.items():
        group.invalid(
            f"field: {comment}", one(*fields).given(), MALFORMED, flags=["Fields"], rules=["DOC-103"]
        )
    values: dict[str, Value] = {
        "a number": 1, "null": None, "bytes": b"1", "no text": "", "a space": " 1", "two values": "1 2",
        "an object with a member": '{"a":1}', "an array with a value": "[1]", "an object with a space": "{ }",
        "an escape that is not needed": '"\\u0061"', "an escape in upper case": '"\\u001F"',
        "a slash": '"\\/"', "a line end": '"\n"',
        "no end": '"a', "half a pair": '"\\ud800"', "U+0000": '"\\u0000"',
        "2^53": "9007199254740992", "minus zero": "-0", "an exponent": "1e2", "a plus": "+1", "a zero": "01",
        "16 digits": "1.234567890123456", "NaN": "NaN", "True": "True", "a word": "abc",
    }  # fmt: skip
    for comment, value in values.items():
        wrong = one([["a"], value]).given()
        rules = ["DOC-101", "DOC-102", "DOC-103"]
        group.invalid(f"a value: {comment}", wrong, MALFORMED, flags=["Fields"], rules=rules)
    for comment, content in (
        ("no name", ["", []]),
        ("a name of 65 characters", ["a" * 65, []]),
        ("a line end in the name", ["a\n", []]),
        ("a name that turns the text round", ["a\u202e", []]),
        ("a name that is null", [None, []]),
        ("fields that are null", ["a", None]),
        ("10,001 fields", ["a", [[["a", at % 10_000], "0"] for at in range(10_001)]]),
        ("one element", ["a"]),
        ("three elements", ["a", [], None]),
        ("a byte behind it", encode(["a", []]) + b"\0"),
        ("no byte", b""),
    ):
        made = Making("one section", [content], [[0, []]])
        group.invalid(f"content: {comment}", made.given(), MALFORMED, flags=["Shape"], rules=["DOC-103"])


def beside(family: Family) -> None:
    """Add grants beside a document."""
    group = family.group("json.grants", "grants beside a document")
    made = one()

    def with_(grants: bytes) -> dict[str, str]:
        return {"document": made.document(grants=grants).hex()}

    group.valid("no byte", with_(b""), rules=["DOC-50"], output={"grants": []})
    group.valid("an empty array", with_(encode([])), rules=["DOC-50"], output={"grants": []})
    two: list[Value] = [b"one", b"two"]
    group.valid(
        "two, which nobody looks into",
        with_(encode(two)),
        rules=["DOC-50"],
        output={"grants": [b"one".hex(), b"two".hex()]},
    )
    for comment, grants in (
        ("a byte string", encode(b"one")),
        ("a text among them", encode([b"one", "two"])),
        ("a grant of 20,481 bytes", encode([bytes(20_481)])),
        ("1,001 grants", encode([b""] * 1_001)),
        ("an array inside", encode([[b"one"]])),
        ("a byte behind them", encode(two) + b"\0"),
    ):
        group.invalid(comment, with_(grants), MALFORMED, flags=["Shape"], rules=["DOC-50"])
