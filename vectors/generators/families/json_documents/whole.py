"""Documents that open: whole, and in part."""

from typing import Any, Final

from generators.support.document_signers import ALICE
from generators.support.encoding import Value
from generators.support.family import Family, Json
from generators.support.labels import draw
from generators.support.made_grants import Making as Grant
from generators.support.made_grants import fragment, link_id, recipient, under
from generators.support.sealed_documents import ISSUED
from generators.support.sealed_json import Making

PRACTICE: Final[Value] = [
    "practice",
    [
        [["dose"], "1.50"], [["name", 0, "family"], '"Lind"'], [["name", 0, "given", 0], '"Ann"'],
        [["notes"], "{}"], [["telecom", 0], '"home"'], [["telecom", 2], '"mail"'],
    ],
]  # fmt: skip
ADDRESS: Final[Value] = ["address", [[["address", "city"], '"Lund"'], [["telecom", 1], '"work"']]]
PRIVATE: Final[Value] = ["private", [[["hiv"], "null"]]]
SCOPES: Final[list[Value]] = [
    [0, []], [1, ["address"]], [2, ["hiv"]], [2, ["signs", 0, "text"]], [1, ["telecom", 1]],
]  # fmt: skip
SECRET: Final = draw("the secret of a link to a section", 32)
PATIENT: Final = Making("a patient", [PRACTICE, ADDRESS, PRIVATE], SCOPES)


def one(*fields: Value, scopes: Value = None, name: Value = "all", **more: Any) -> Making:
    """Return a document of one section."""
    return Making("one section", [[name, list(fields)]], [[0, []]] if scopes is None else scopes, **more)


def add(family: Family) -> None:
    """Add the groups."""
    opened(family)
    granted(family)


def opened(family: Family) -> None:
    """Add documents that open."""
    group = family.group("json.open", "documents that open")
    usual, rules = PATIENT.document(), ["DOC-104", "DOC-107", "DOC-108", "DOC-110"]
    for comment, sections in (
        ("all sections", [0, 1, 2]),
        ("the first section, whose array closes up", [0]),
        ("the second section", [1]),
        ("the last section", [2]),
        ("two sections", [0, 2]),
        ("the keys in another order, one twice", [1, 0, 1]),
    ):
        group.valid(comment, PATIENT.given(usual, of=sections), rules=rules)
    other = PATIENT.given(usual, of=[1])
    other["keys"].append(draw("a key of no section", 32).hex())
    group.valid("a key of no section beside another", other, rules=["DOC-108"])
    later = PATIENT.with_(version=4_294_967_295, signer=ALICE.at(4, 2).naming(device=3, key=ALICE.at(3).key))
    group.valid(
        "the last version, by a device that was revoked since",
        later.given(of=[2], lists=[ALICE.snapshots[:3]]),
        rules=["DOC-31", "DOC-110"],
    )
    for comment, made in (
        ("an object without members", one()),
        ("a path of 32 elements", one([["a", *[0] * 31], '"deep"'])),
        ("an object at a path of 31", one([["a", *[0] * 30], "{}"])),
        ("a name of 64 characters", one(name="\u00e9" * 64)),
        ("two lengths of padding more", one([["a"], '"' + "x" * 1500 + '"'])),
        ("64 sections", Making("many", [[f"s{at}", []] for at in range(64)],
                               [[at, [f"{at:02}"]] for at in range(64)])),
    ):  # fmt: skip
        group.valid(comment, made.given(), rules=["DOC-109", "DOC-110"])
    hidden = Making("hidden", [["a", [[["x", 3], "1"]]], ["b", []]], [[1, ["x"]], [0, ["x", 3]]])
    group.valid("indices that a hidden section around can have", hidden.given(of=[0]), rules=["DOC-107"])
    inner: list[Value] = [[0, []], [1, ["x", 0, "a"]], [1, ["x", 1, "b"]]]
    within = Making("within", [["a", [[["x", 2], "1"]]], ["b", []]], inner)
    group.valid("indices that a hidden section inside can have", within.given(of=[0]), rules=["DOC-107"])


def granted(family: Family) -> None:
    """Add grants of sections."""
    group = family.group("grant.open", "grants of sections")
    commitment, _ = PATIENT.sections()[0]
    subject: list[Value] = [4, PATIENT.id, 1, commitment]
    usual = Grant(subject, recipient(3, link_id(SECRET)), under(SECRET, PATIENT.key(0)))

    def asked(made: Grant) -> Json:
        return {
            "grant": made.grant().hex(), "reader": {"kind": "link", "fragment": fragment(SECRET)},
            "lists": [ALICE.snapshots[:1]], "now": ISSUED, "notes": [], "revoked": False, "front": None,
        }  # fmt: skip

    group.valid("a section's key", asked(usual), rules=["DOC-42", "DOC-108"])
    for comment, wrong in (
        ("the key of another section", usual.with_(seal=under(SECRET, PATIENT.key(1)))),
        ("a key of 64 bytes", usual.with_(seal=under(SECRET, PATIENT.key(0) * 2))),
        ("the key of the trailer", usual.with_(seal=under(SECRET, PATIENT.trailer_key))),
        ("another document", usual.with_(subject=[4, draw("no document", 16), 1, commitment])),
        ("another version", usual.with_(subject=[4, PATIENT.id, 2, commitment])),
        ("no section's commitment", usual.with_(subject=[4, PATIENT.id, 1, bytes(32)])),
        (
            "the commitment of the trailer, with its key",
            usual.with_(
                subject=[4, PATIENT.id, 1, PATIENT.trailer(PATIENT.sections())[0]],
                seal=under(SECRET, PATIENT.trailer_key),
            ),
        ),
    ):
        group.invalid(
            comment, asked(wrong), "WrongGrantedKey", flags=["WrongKey"], rules=["DOC-42", "DOC-108"]
        )
