"""Records, storages and jobs on the command line over a relay, which is a process of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.relay_process import RelayProcess
from support.relay_profiles import Profiles

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 300
RECORD = {"name": "Lind", "dose": 5, "note": "allergic"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Profiles]:
    root = tmp_path_factory.mktemp("town")
    with RelayProcess(tmp_path_factory.mktemp("relay")) as relay:
        made = Profiles(relay, root)
        for name in ("alice", "bob", "carol"):
            made.run(name, "register", name, "--relay", relay.url)
        (root / "record.json").write_bytes(json.dumps(RECORD).encode())
        yield made


def sections(town: Profiles, **readers: list[str] | None) -> Path:
    fields = {"office": [""], "clinic": ["/dose", "/note"]}
    said: dict[str, Any] = {name: {"fields": each} for name, each in fields.items()}
    for name, each in readers.items():
        if each is not None:
            said[name]["for"] = each
    path = town.root / "sections.json"
    path.write_bytes(json.dumps(said).encode())
    return path


def seal(town: Profiles, *arguments: str | Path, **readers: list[str] | None) -> Any:
    command = ("record", "seal", town.root / "record.json", "--sections", sections(town, **readers))
    return town.json("alice", *command, *arguments)


def opens(town: Profiles, name: str, *arguments: str | Path) -> Any:
    return json.loads(town.run(name, "record", "open", *arguments))


def test_a_record_in_a_storage_for_a_stranger(town: Profiles) -> None:
    """Bob has nothing but the id, and the name of whoever sealed it."""
    store = ("--store", town.root / "blobs")
    id_ = seal(town, *store, office=["bob"])["document"]
    assert opens(town, "bob", id_, *store, "--from", "alice") == {"name": "Lind"}
    assert opens(town, "alice", id_, *store) == RECORD
    town.run("carol", "record", "open", id_, *store, "--from", "alice", status=2)
    town.run("alice", "record", "share", id_, *store, "--section", "clinic", "--for", "bob")
    town.run("bob", "take")
    assert opens(town, "bob", id_, *store) == RECORD
    town.run("alice", "record", "revoke", id_, *store, "--section", "office", "--for", "bob")
    town.run("bob", "take")
    assert opens(town, "bob", id_, *store) == {"dose": 5, "note": "allergic"}
    assert seal(town, *store, "--replaces", id_)["version"] == 2
    town.run("bob", "take")
    assert opens(town, "bob", id_, *store) == {"dose": 5, "note": "allergic"}


def test_grants_of_a_record_in_a_file_go_to_shelves(town: Profiles) -> None:
    sealed = town.root / "x.json.ll"
    seal(town, "-o", sealed, office=[])
    copy = town.root / "copy.json.ll"
    copy.write_bytes(sealed.read_bytes())
    town.run("bob", "record", "open", copy, "--from", "alice", status=2)
    town.run("alice", "record", "share", sealed, "--section", "office", "--for", "bob")
    assert opens(town, "bob", copy) == {"name": "Lind"}
    town.run("alice", "record", "revoke", sealed, "--section", "office", "--for", "bob")
    town.run("bob", "take")
    assert b"grant" in town.run("bob", "record", "open", copy, status=2)


def test_a_team_reads_a_section(town: Profiles) -> None:
    town.run("alice", "collection", "create", "heart")
    town.run("alice", "collection", "add", "heart", "bob", "carol")
    store = ("--store", town.root / "blobs")
    id_ = seal(town, *store, office=[], clinic=["team:heart"])["document"]
    assert opens(town, "carol", id_, *store, "--from", "alice") == {"dose": 5, "note": "allergic"}
    town.run("alice", "collection", "remove", "heart", "carol")
    assert id_ in town.json("alice", "collection", "show", "heart")["old_documents"]
    assert seal(town, *store, "--replaces", id_)["version"] == 2
    assert town.json("alice", "collection", "show", "heart")["old_documents"] == []
    assert opens(town, "bob", id_, *store, "--from", "alice") == {"dose": 5, "note": "allergic"}
    town.run("carol", "take")
    assert opens(town, "carol", id_, *store) == {"dose": 5, "note": "allergic"}  # the version that was hers


def test_a_document_in_a_storage_with_a_job(town: Profiles) -> None:
    (town.root / "report.pdf").write_bytes(CONTENT)
    store = ("--store", town.root / "blobs")
    command = ("seal", town.root / "report.pdf", *store, "--job", "scan 17", "--for", "bob")
    id_ = town.json("alice", *command)["document"]
    assert town.run("bob", "open", id_, *store, "--from", "alice") == CONTENT
    assert not list((town.root / "alice" / "sealing").iterdir())
    town.run("alice", "erase", id_, *store, "--yes")
    town.run("bob", "take")
    town.run("bob", "open", id_, *store, status=2)


def test_a_relay_that_is_away_stops_no_record(town: Profiles) -> None:
    store = ("--store", town.root / "blobs")
    town.relay.kill()
    try:
        id_ = seal(town, *store, office=["bob"])["document"]
        assert opens(town, "alice", id_, *store) == RECORD
        town.run("bob", "record", "open", id_, *store, status=2)
    finally:
        town.relay.start()
    town.run("alice", "take")
    assert opens(town, "bob", id_, *store) == {"name": "Lind"}


def test_evidence_keep_and_forget(town: Profiles) -> None:
    team = town.json("alice", "collection", "create", "lungs")["id"]
    assert b"no evidence" in town.run("alice", "collection", "evidence", "lungs", status=2)
    assert b"nothing to keep" in town.run("alice", "collection", "keep", "lungs", status=2)
    for word in ("evidence", "keep", "forget"):
        assert b"collection list" in town.run("alice", "collection", word, "nothing", status=2)
    town.run("alice", "collection", "add", "lungs", "bob")
    town.run("bob", "take")
    assert team in {each["id"] for each in town.json("bob", "collection", "list")["collections"]}
    town.run("bob", "collection", "forget", team)
    town.run("bob", "take")
    assert team not in {each["id"] for each in town.json("bob", "collection", "list")["collections"]}
    assert team in {each["id"] for each in town.json("alice", "collection", "list")["collections"]}
