"""Access records: signed JSON that says who was granted what."""

import base64
import copy
import hashlib
import json
from typing import Any

from generators.families.grants.scene import DOCUMENT, TO_BOB, TO_LINK, TO_TEAM
from generators.support.document_signers import ALICE, AUTHOR, MALLORY, RECORD, signed_by, signed_leaves
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.labels import draw
from generators.support.made_grants import Making, Note, leaf_of
from generators.support.sealed_documents import ISSUED


def text_of(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode()


def grant_of(making: Making, signature: int, place: list[Value]) -> Json:
    """Return a grant as a record shows it."""
    terms, signer = making.terms(), making.signer
    kind, data = making.recipient
    assert isinstance(data, bytes)
    commitment = making.subject[3]
    assert isinstance(commitment, bytes)
    return {
        "version": making.subject[2], "commitment": commitment.hex(),
        "recipient": {"kind": kind, "data": data.hex()},
        "granter": {"user": signer.user_id.hex(), "device": signer.device},
        "issued": making.issued, "purpose": making.purpose, "valid_until": making.valid_until,
        "terms": text_of(terms), "sealed_sha256": hashlib.sha256(making.sealed()).hexdigest(),
        "signature": signature, "place": shown(place),
    }  # fmt: skip


def note_of(note: Note, signature: int, place: list[Value]) -> Json:
    """Return a note as a record shows it."""
    return {
        "action": {1: "withdraw", 2: "erase"}[int(note.action)],  # type: ignore[arg-type]
        "author": {"user": note.signer.user_id.hex(), "device": note.signer.device},
        "issued": note.issued, "reason": note.reason, "terms": text_of(note.terms()),
        "signature": signature, "place": shown(place),
    }  # fmt: skip


def shown(place: list[Value]) -> list[Any]:
    """Return a place as JSON."""
    index, size, path = place
    assert isinstance(path, list)
    return [index, size, [each.hex() for each in path if isinstance(each, bytes)]]


def canonical(value: object) -> bytes:
    """Return what is signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def whole(record: Json, *, context: bytes = RECORD, signed: bytes | None = None, **changes: Any) -> Json:
    """Return the input of access_record.check."""
    by = signed_by(ALICE.at(1, 1), canonical(record) if signed is None else signed, context)
    text = json.dumps({"record": record, "signed_by": text_of(encode(by))}, indent=1)
    return {"record": text, "lists": [ALICE.snapshots[:1], MALLORY.snapshots]} | changes


def usual() -> Json:
    """Return a record of three grants and a withdrawal."""
    first = TO_BOB
    second = TO_TEAM.with_(before=first.hash(), purpose='second \u00e9 "opinion"')
    places, by = signed_leaves(
        first.signer, [leaf_of(each.terms(), each.sealed()) for each in (first, second)]
    )
    third = TO_LINK.with_(signer=MALLORY.at(1), valid_until=ISSUED + 5)
    alone, mallory = signed_leaves(third.signer, [leaf_of(third.terms(), third.sealed())])
    note = Note(1, DOCUMENT.id, [second.hash()], reason="moved")
    of_note, signed_note = signed_leaves(note.signer, [note.leaf()])
    return {
        "format": "letterlock-v1 access record",
        "subject": {"kind": 1, "id": DOCUMENT.id.hex()},
        "made": ISSUED + 1000,
        "signatures": [text_of(encode(each)) for each in (by, mallory, signed_note)],
        "grants": [
            grant_of(first, 0, places[0]), grant_of(second, 0, places[1]), grant_of(third, 1, alone[0]),
        ],
        "notes": [note_of(note, 2, of_note[0])],
    }  # fmt: skip


def add(family: Family) -> None:
    """Add the group."""
    group = family.group("access_record.check", "access records")
    record = usual()
    answer = group.valid("three grants and a withdrawal", whole(record), rules=["DOC-48", "DOC-49"])
    assert [each["withdrawn"] for each in answer["grants"]] == [None, ISSUED + 10, None]
    without_first = copy.deepcopy(record)
    del without_first["grants"][0]
    answer = group.valid("a grant that another one names is missing", whole(without_first), rules=["DOC-49"])
    assert len(answer["missing"]) == 1
    compact = whole(record)
    parsed = json.loads(compact["record"])
    compact["record"] = json.dumps(parsed, separators=(",", ":"), sort_keys=True)
    group.valid("without spaces", compact, rules=["DOC-48"])
    words(family, record)
    proofs(family, record)


def words(family: Family, record: Json) -> None:
    """Add records that say something else in words, or have another form."""
    group = family.group("access_record.check", "records that say something else, or have another form")

    def with_(*path: str | int, value: object) -> Json:
        changed = copy.deepcopy(record)
        inner: Any = changed
        for each in path[:-1]:
            inner = inner[each]
        inner[path[-1]] = value
        return whole(changed)

    bob = record["grants"][0]
    exchanged = copy.deepcopy(record)
    exchanged["signatures"].reverse()
    for each in (*exchanged["grants"], *exchanged["notes"]):
        each["signature"] = 2 - each["signature"]
    for comment, wrong in (
        ("another purpose", with_("grants", 0, "purpose", value="research")),
        ("another version", with_("grants", 0, "version", value=2)),
        ("another commitment", with_("grants", 0, "commitment", value="00" * 32)),
        ("another recipient", with_("grants", 0, "recipient", value=record["grants"][2]["recipient"])),
        ("another granter", with_("grants", 0, "granter", value=record["grants"][2]["granter"])),
        ("another time", with_("grants", 0, "issued", value=1)),
        ("another end", with_("grants", 0, "valid_until", value=1)),
        ("another action", with_("notes", 0, "action", value="erase")),
        ("another reason", with_("notes", 0, "reason", value="")),
        ("another author of a note", with_("notes", 0, "author", value=record["grants"][2]["granter"])),
        ("another format", with_("format", value="letterlock-v2 access record")),
        ("another subject", with_("subject", "id", value="00" * 16)),
        ("a subject of another kind", with_("subject", "kind", value=2)),
        (
            "a signature that nobody uses",
            with_("signatures", value=[*record["signatures"], record["signatures"][0]]),
        ),
        ("signatures in another order", whole(exchanged)),
        ("a signature that is not there", with_("grants", 0, "signature", value=3)),
        ("a negative number", with_("grants", 0, "signature", value=-1)),
        ("a number with a fraction", with_("made", value=1.0)),
        ("an unknown key", with_("comment", value="hello")),
        ("an unknown key in a grant", with_("grants", 0, value={**bob, "name": "bob"})),
        ("a missing key", with_("grants", 0, value={key: bob[key] for key in bob if key != "purpose"})),
        ("upper-case hexadecimal", with_("subject", "id", value=DOCUMENT.id.hex().upper())),
        ("base64 with a space", with_("grants", 0, "terms", value=" " + bob["terms"])),
        ("null for the notes", with_("notes", value=None)),
        ("true for a number", with_("grants", 0, "signature", value=False)),
        ("a place of two elements", with_("grants", 0, "place", value=[0, 2])),
    ):
        group.invalid(comment, wrong, "MalformedMessage", flags=["Record"], rules=["DOC-48"])
    text = whole(record)["record"]
    for comment, changed in (
        ("a key twice", text.replace('"made"', '"made": 5,\n "made"', 1)),
        ("a letter that is not ASCII", text.replace("\\u00e9", "\u00e9")),
        ("text behind it", text + "{}"),
        ("no JSON", "access record"),
        ("a number in another form", text.replace('"made": 17', '"made": 0.17e11, "x": 17', 1)),
        ("an array", "[]"),
    ):
        wrong = whole(record) | {"record": changed}
        group.invalid(comment, wrong, "MalformedMessage", flags=["Record"], rules=["DOC-48"])


def proofs(family: Family, record: Json) -> None:
    """Add records whose signatures do not hold."""
    group = family.group("access_record.check", "records whose signatures do not hold")

    def with_(*path: str | int, value: object) -> Json:
        changed = copy.deepcopy(record)
        inner: Any = changed
        for each in path[:-1]:
            inner = inner[each]
        inner[path[-1]] = value
        return changed

    sealed = with_("grants", 0, "sealed_sha256", value=draw("no hash", 32).hex())
    place = with_("grants", 0, "place", value=record["grants"][1]["place"])
    other = TO_BOB.with_(purpose="never granted")
    invented = with_("grants", 0, value=grant_of(other, 0, [0, 2, []]))
    invented["grants"][0]["place"] = record["grants"][0]["place"]
    no_lists = {"lists": [ALICE.snapshots[:1]]}
    for comment, wrong, expect in (
        ("another hash of a sealed key", whole(sealed), "InvalidSignature"),
        ("the place of another grant", whole(place), "InvalidSignature"),
        ("a grant that nobody signed", whole(invented), "InvalidSignature"),
        ("a record in another context", whole(record, context=AUTHOR), "InvalidSignature"),
        ("a signature of another record", whole(record, signed=b"{}"), "InvalidSignature"),
        ("a signature of the record with spaces", whole(record, signed=json.dumps(record).encode()),
         "InvalidSignature"),
        ("no lists of a granter", whole(record, **no_lists), "UnknownAuthor"),
        ("no lists at all", whole(record, lists=[]), "UnknownAuthor"),
    ):  # fmt: skip
        group.invalid(comment, wrong, expect, flags=["Author"], rules=["DOC-48", "DOC-49"])
