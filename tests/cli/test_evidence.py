"""`letterlock check-evidence`: what it says of true evidence, and that made-up evidence proves nothing."""

import json
from pathlib import Path

import pytest

from letterlock._wire.evidence import EvidenceLists
from letterlock.user import Contact, Contradiction, Evidence
from support.cli_tools import run
from support.pair import flipped
from support.user_tools import FULL, Owner

BOB = Owner("bob")
BOB.next(add=[(2, FULL)])
BOB.next(2, new_key=True)
SHOWN = {
    Contradiction.FORK: [BOB.make(1, after=BOB.lists[1])],
    Contradiction.OLDER: BOB.lists[:1],
    Contradiction.OTHER_USER: Owner("mallory").lists,
}


def evidence_of(kind: Contradiction) -> Evidence:
    evidence = Contact.begin("bøb", BOB.lists).learn(SHOWN[kind]).contact.evidence
    assert evidence is not None
    assert evidence.kind is kind
    return evidence


@pytest.fixture(params=Contradiction, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Contradiction:
    found: Contradiction = request.param
    return found


def test_it_says_what_evidence_proves(tmp_path: Path, kind: Contradiction) -> None:
    path = tmp_path / "evidence"
    path.write_bytes(evidence_of(kind).encode())
    text = run("check-evidence", path).succeeded().decode()
    assert text.startswith(f"{kind.value}, under the name bøb\n")
    assert f"user_id: {BOB.user_id.hex()}" in text
    # Only a fork is proved by signatures alone.
    assert ("the word of whoever" in text) == (kind is not Contradiction.FORK)


def test_it_prints_one_json_object(tmp_path: Path, kind: Contradiction) -> None:
    path = tmp_path / "evidence"
    evidence = evidence_of(kind)
    path.write_bytes(evidence.encode())
    shown = json.loads(run("check-evidence", path, "--json").succeeded())
    assert (shown["kind"], shown["name"], shown["version"]) == (kind.name, "bøb", evidence.version)
    assert shown["ours"]["user_id"] == BOB.user_id.hex()
    assert shown["theirs"]["user_id"] == evidence.theirs.user_id.hex()
    if kind is Contradiction.FORK:
        assert [shown[chain]["signer_where_they_differ"] for chain in ("ours", "theirs")] == [2, 1]
        assert shown["ours"]["hash_where_they_differ"] != shown["theirs"]["hash_where_they_differ"]
    if kind is Contradiction.OLDER:
        assert shown["theirs"]["hash_where_they_differ"] is None


def test_it_needs_no_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LETTERLOCK_HOME", str(tmp_path / "nowhere"))
    data = evidence_of(Contradiction.FORK).encode()
    assert run("check-evidence", "-", stdin=data).succeeded().startswith(b"fork")
    assert not (tmp_path / "nowhere").exists()


def test_made_up_evidence_proves_nothing(tmp_path: Path) -> None:
    data = evidence_of(Contradiction.FORK).encode()
    twice = EvidenceLists("bob", tuple(BOB.lists[:2]), (BOB.lists[2],), (BOB.lists[2],)).encode()
    path = tmp_path / "evidence"
    for made_up in (b"", b"evidence", data[:-1], data + b"\0", flipped(data, len(data) - 5), twice):
        path.write_bytes(made_up)
        assert run("check-evidence", path).failed(3)
    assert "where the chains part" in run("check-evidence", path).failed(3)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "none") in run("check-evidence", tmp_path / "none").failed(6)
