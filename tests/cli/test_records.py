"""`letterlock record`: JSON objects whose sections have different readers."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.cli_tools import temporary_outputs
from support.document_cli import Readers, descriptor

RECORD: dict[str, Any] = {
    "resourceType": "Observation",
    "subject": {"reference": "Patient/7"},
    "code": {"text": "haemoglobin"},
    "valueQuantity": {"value": 7.5, "unit": "mmol/L"},
}
SECTIONS: dict[str, Any] = {
    "who": {"fields": ["/subject"], "for": ["bob"], "purpose": "billing"},
    "finding": {"fields": ["/code", "/valueQuantity"], "until": "2099-01-31"},
    "rest": {"fields": [""], "for": ["bob"]},
}


@pytest.fixture
def sealed(readers: Readers) -> Path:
    """Return a record of which Bob reads two sections."""
    readers.plain("sections.json", json.dumps(SECTIONS).encode())
    readers.plain("record.json", json.dumps(RECORD).encode())
    command = ("record", "seal", readers.path("record.json"), "--sections", readers.path("sections.json"))
    readers.run("alice", *command, "-o", readers.path("x.json.ll")).succeeded()
    return readers.path("x.json.ll")


def test_readers_see_their_sections(readers: Readers, sealed: Path) -> None:
    assert json.loads(readers.run("alice", "record", "open", sealed).succeeded()) == RECORD
    seen = json.loads(readers.run("bob", "record", "open", sealed).succeeded())
    assert seen == {name: RECORD[name] for name in ("resourceType", "subject")}
    shown = readers.json("bob", "record", "open", sealed)
    assert (shown["author"], shown["value"]) == ("alice", seen)
    assert set(shown["sections"]) == {"who", "rest"}
    assert shown["hidden"] == [["/code", "/valueQuantity"]]
    readers.run("carol", "record", "open", sealed).failed(2)
    assert b"haemoglobin" not in sealed.read_bytes()
    said = readers.run("bob", "record", "open", sealed, "-o", readers.path("seen.json")).succeeded()
    assert b"1 sections are hidden" in said
    assert json.loads(readers.path("seen.json").read_bytes()) == seen


def test_a_section_is_shared_later_and_taken_back(readers: Readers, sealed: Path) -> None:
    readers.run("alice", "record", "share", sealed, "--section", "finding", "--for", "bob").succeeded()
    assert json.loads(readers.run("bob", "record", "open", sealed).succeeded()) == RECORD
    listed = readers.json("alice", "record", "grants", sealed)
    assert {each["reader"] for each in listed["finding"]} == {"alice", "bob"}
    assert [each["purpose"] for each in listed["who"] if each["reader"] == "bob"] == ["billing"]
    assert b"finding: " in readers.run("alice", "record", "grants", sealed).succeeded()
    command = ("record", "revoke", sealed, "--section", "finding", "--for", "bob")
    readers.run("alice", *command, "-o", readers.path("note")).succeeded()
    assert "no grant of yours" in readers.run("alice", *command).failed(2)
    readers.run("bob", "take", readers.path("note")).succeeded()
    assert "code" not in json.loads(readers.run("bob", "record", "open", sealed).succeeded())


def test_a_section_is_shared_by_a_link(readers: Readers, sealed: Path) -> None:
    link = readers.json("alice", "record", "share", sealed, "--section", "rest", "--link")["link"]
    with descriptor(link.encode()) as number:
        seen = readers.run("carol", "record", "open", sealed, "--link-fd", number).succeeded()
    assert json.loads(seen) == {"resourceType": "Observation"}


def test_the_next_version(readers: Readers, sealed: Path) -> None:
    command = ("record", "seal", readers.path("record.json"), "--sections", readers.path("sections.json"))
    shown = readers.json("alice", *command, "--replaces", sealed, "-o", readers.path("y.json.ll"))
    assert shown["version"] == 2


REFUSED: list[tuple[list[str], int, str]] = [
    (["seal", "RECORD", "--sections", "RECORD", "-o", "NEW"], 2, "sections"),
    (["seal", "RECORD", "--sections", "JUNK", "-o", "NEW"], 2, "sections"),
    (["seal", "RECORD", "--sections", "STRANGER", "-o", "NEW"], 2, "no contact is called dave"),
    (["seal", "RECORD", "--sections", "PARTLY", "-o", "NEW"], 2, ""),
    (["seal", "JUNK", "--sections", "SECTIONS", "-o", "NEW"], 3, ""),
    (["seal", "TWICE", "--sections", "SECTIONS", "-o", "NEW"], 3, ""),
    (["seal", "NOTHING", "--sections", "SECTIONS", "-o", "NEW"], 6, "NOTHING"),
    (["seal", "RECORD", "--sections", "SECTIONS", "-o", "SEALED"], 2, "--force"),
    (["open", "RECORD"], 3, ""),
    (["share", "SEALED", "--section", "other", "--for", "bob"], 2, "section"),
    (["share", "SEALED", "--section", "rest", "--for", "dave"], 2, "dave"),
    (["share", "SEALED", "--section", "rest"], 2, "--for"),
    (["revoke", "SEALED", "--section", "other", "--for", "bob"], 2, "section"),
    (["revoke", "SEALED", "--section", "finding", "--for", "bob"], 2, "no grant of yours"),
]


def test_what_is_refused(readers: Readers, sealed: Path) -> None:
    texts = {
        "JUNK": b"junk",
        "TWICE": b'{"a": 1, "a": 2}',
        "STRANGER": b'{"rest": {"fields": [""], "for": ["dave"]}}',
        "PARTLY": b'{"who": {"fields": ["/subject"]}}',
    }
    names = {name: readers.plain(name, text) for name, text in texts.items()}
    names |= {"RECORD": readers.path("record.json"), "SECTIONS": readers.path("sections.json")}
    names |= {"SEALED": sealed, "NEW": readers.path("new")}
    before, whole = readers.files(), sealed.read_bytes()
    for arguments, status, word in REFUSED:
        result = readers.run("alice", "record", *(names.get(each, each) for each in arguments))
        assert word in result.failed(status), arguments
        assert (readers.files(), sealed.read_bytes()) == (before, whole), arguments
        assert temporary_outputs(readers.root) == []


def test_a_description_of_sections_that_is_wrong(readers: Readers, sealed: Path) -> None:
    for wrong in ("[]", '{"a": []}', '{"a": {"fields": "x"}}', '{"a": {"fields": [1]}}', '{"a": {}}',
                  '{"a": {"fields": [""], "for": "bob"}}', '{"a": {"fields": [""], "four": []}}',
                  '{"a": {"fields": [""], "purpose": 1}}'):  # fmt: skip
        readers.plain("wrong", wrong.encode())
        command = ("record", "seal", readers.path("record.json"), "--sections", readers.path("wrong"))
        readers.run("alice", *command, "-o", readers.path("new")).failed(2)
    assert not readers.path("new").exists()


def test_a_changed_record_gives_nothing(readers: Readers, sealed: Path) -> None:
    whole = sealed.read_bytes()
    for place in (10, 100, 1500, 4000):  # the grants come later, and each is signed itself
        changed = bytearray(whole)
        changed[place] ^= 1
        sealed.write_bytes(changed)
        result = readers.run("bob", "record", "open", sealed)
        assert result.out == b""
        assert result.status in {2, 3}
