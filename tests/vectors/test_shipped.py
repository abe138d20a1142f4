"""The vectors of this protocol: their form, and every recorded answer."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from letterlock import documents, errors, groups, recovery, user
from letterlock_vectors.check import check
from letterlock_vectors.files import load, shipped
from letterlock_vectors.library import Library
from spec.test_rules import defined
from support.cddl_check import Schema

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "vectors" / "data"
FILES = sorted(path for path in FOLDER.glob("*.json") if path.name != "schema.json")
EVERY = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
ROOMS = (errors, user, documents, groups)
"""Where the classes of refusals are."""
PLAYS = {"ratchet.play", "triple.play", "account.play"}
"""The plays whose steps contain messages."""

FAMILIES = {
    "addresses", "archives", "armor", "braid", "bundles", "collections", "content", "documents", "erasure",
    "grants", "group-histories", "groups", "hpke", "json-documents", "kdf", "keys", "linking",
    "linking-payload", "padding",
    "pqxdh", "provisional", "ratchet", "records", "recovery", "recovery-frames", "relay", "safety-numbers",
    "sealing", "second-lock", "sessions", "sparse", "split-kem", "triple", "users", "wire", "x3dh", "xeddsa",
}  # fmt: skip


@cache
def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def cases(path: Path) -> list[tuple[str, dict[str, Any]]]:
    return [(group["type"], test) for group in read(path)["testGroups"] for test in group["tests"]]


def test_every_family_is_there_and_ships() -> None:
    assert {path.stem for path in FILES} == FAMILIES
    assert {family.name for family in load(shipped())} == FAMILIES


@EVERY
def test_a_family_fits_the_schema(path: Path) -> None:
    jsonschema.Draft202012Validator(read(FOLDER / "schema.json")).validate(read(path))
    assert read(path)["family"] == path.stem


@EVERY
def test_every_answer_is_as_recorded(path: Path) -> None:
    (verdict,) = check(load(path), Library(), lambda _: None)
    assert [failure.shown() for failure in verdict.failures] == []
    assert len(verdict.family.tests) == read(path)["numberOfTests"]


def test_there_are_hundreds_and_two_thirds_are_invalid() -> None:
    results = [test["result"] for path in FILES for _, test in cases(path)]
    assert len(results) >= 500
    assert 3 * results.count("invalid") >= 2 * len(results)


@EVERY
def test_a_vector_names_its_rules_and_flags(path: Path) -> None:
    rules, notes = set(defined()), read(path)["notes"]
    used = set[str]()
    comments = [(operation, test["comment"]) for operation, test in cases(path)]
    assert len(set(comments)) == len(comments)
    for _, test in cases(path):
        assert set(test["rules"]) <= rules
        assert set(test["flags"]) <= set(notes)
        used |= set(test["flags"])
        if test["result"] == "invalid":
            kind = next(
                found
                for room in (errors, user, documents, groups, recovery)
                if (found := getattr(room, test["expect"], None))
            )
            assert issubclass(kind, errors.LetterlockError)
            assert test["flags"]
    assert used == set(notes)


@EVERY
def test_no_two_vectors_ask_the_same(path: Path) -> None:
    asked = [(operation, json.dumps(test["input"], sort_keys=True)) for operation, test in cases(path)]
    assert len(set(asked)) == len(asked)


ENCODED = {
    "wire.decode": "data", "bundle.verify": "bundle", "publication.verify": "publication",
    "publication.bundles": "publication", "seal.open": "message", "handshake.initiate": "bundle",
    "handshake.respond": "message",
}  # fmt: skip


def encodings(operation: str, test: dict[str, Any]) -> list[bytes]:
    """Return every encoding in a valid vector, accepted or made."""
    found = [test["input"][ENCODED[operation]]] if operation in ENCODED else []
    output = test["output"]
    if operation in PLAYS:
        steps = zip(test["input"]["steps"], output["steps"], strict=True)
        found += [step["message"] for step, answer in steps if "message" in step and "error" not in answer]
        output = {"bundles": [answer["message"] for answer in output["steps"] if "message" in answer]}
    if operation in PLAYS | {"bundle.make", "seal.seal", "publication.bundles"}:
        found += [output[name] for name in ("bundle", "message", "last_resort") if name in output]
        found += output.get("bundles", [])
    return [bytes.fromhex(each) for each in found]


def test_every_accepted_or_made_encoding_fits_the_cddl() -> None:
    schema = Schema((ROOT / "spec" / "letterlock.cddl").read_text(encoding="utf-8"))
    seen, kinds = 0, set[int]()
    for path in FILES:
        for operation, test in cases(path):
            if test["result"] == "valid" or operation in PLAYS:
                for data in encodings(operation, test):
                    schema.validate(data)
                    kinds.add(data[2])
                    seen += 1
    assert seen > 1000
    assert kinds == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("family", "rules", "kinds"),
    [
        ("relay", "relay", 44),
        ("recovery", "recovery", 24),
        ("recovery-frames", "recovery", 2),
        ("second-lock", "recovery", 10),
        ("provisional", "provisional", 6),
    ],
)
def test_every_accepted_body_of_a_server_fits_its_rule_of_the_cddl(
    family: str, rules: str, kinds: int
) -> None:
    schema = Schema((ROOT / "spec" / f"{rules}.cddl").read_text(encoding="utf-8"))
    seen = set[str]()
    for operation, test in cases(FOLDER / f"{family}.json"):
        if operation in ("relay.decode", "recovery.decode") and test["result"] == "valid":
            given = test["input"]
            parts = given.get("parts") or [[given["data"], 1]]
            data = b"".join(bytes.fromhex(piece) * times for piece, times in parts)
            schema.validate(data, given["kind"])
            seen.add(given["kind"])
    assert len(seen) == kinds


USERS = {
    "device_list.decode": "data", "device_list.verify": "list", "evidence.check": "evidence",
    "linking.decode_code": "data", "linking.decode_bundle": "data", "linking.decode_offer": "data",
    "linking.decode_answer": "data", "linking.make_offer": "bundle",
}  # fmt: skip


def test_every_accepted_encoding_of_users_fits_the_cddl() -> None:
    schema = Schema((ROOT / "spec" / "user.cddl").read_text(encoding="utf-8"))
    accepted = [
        test["input"][USERS[operation]]
        for family in ("users", "linking")
        for operation, test in cases(FOLDER / f"{family}.json")
        if operation in USERS and test["result"] == "valid"
    ]
    for data in accepted:
        schema.validate(bytes.fromhex(data))
    assert len(accepted) > 20
