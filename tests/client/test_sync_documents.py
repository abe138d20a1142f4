"""The documents of a `SyncClient`, with a relay in a process of its own: the same calls, which wait."""

import inspect
import io
from collections.abc import Generator
from pathlib import Path

import pytest

from letterlock.blobs import DirectoryBlobs
from letterlock.client import (
    ClientCollections,
    ClientDocuments,
    ClientJson,
    SyncClient,
    SyncCollections,
    SyncDocuments,
    SyncJson,
)
from letterlock.documents import LinkSecret, NoGrant, Role, SealOptions, Section
from letterlock.errors import UsageError
from support.client_documents import CONTENT
from support.relay_process import RelayProcess


def public(kind: type) -> dict[str, list[str]]:
    """Return the methods of a class, each with the names of its parameters."""
    found = {name: each for name, each in vars(kind).items() if name[0] != "_" and callable(each)}
    return {name: list(inspect.signature(each).parameters) for name, each in found.items()}


@pytest.mark.parametrize(
    ("kind", "sync"),
    [(ClientDocuments, SyncDocuments), (ClientCollections, SyncCollections), (ClientJson, SyncJson)],
)
def test_it_has_every_call_with_the_same_parameters(kind: type, sync: type) -> None:
    assert public(kind) == public(sync)
    assert len(public(kind)) > 8


@pytest.fixture
def people(tmp_path: Path) -> Generator[tuple[SyncClient, SyncClient]]:
    with RelayProcess(tmp_path) as relay:
        made = [
            SyncClient.create(tmp_path / f"{name}.db", key=bytes(32), name=name, relay=relay.url)
            for name in ("alice", "bob")
        ]
        with made[0] as alice, made[1] as bob:
            alice.meet("bob")
            yield alice, bob


def test_one_story_with_every_call(people: tuple[SyncClient, SyncClient], tmp_path: Path) -> None:
    (alice, bob), blobs = people, DirectoryBlobs(tmp_path / "blobs")
    alice.documents.spool = tmp_path
    assert alice.documents.spool == tmp_path
    job = SealOptions(job=b"report")
    id_ = alice.documents.seal(io.BytesIO(CONTENT), blobs, ["bob"], options=job).id
    alice.flush()
    bob.documents.refresh()
    with bob.documents.open(id_, blobs) as content:
        assert content.read() == CONTENT
    path = tmp_path / "blobs" / (name := bob.documents.blob_name(id_))[:2] / name
    with path.open("rb") as source, bob.documents.open_source(source) as content:
        assert content.read(5) == CONTENT[:5]
    link = LinkSecret.generate()
    assert len(bob.documents.claim(alice.documents.share(id_, [link]), link)) == 1
    (grant,) = [each for each in alice.documents.grants(id_) if each.reader == "bob"]
    alice.documents.withdraw([grant.hash], reason="done")
    assert [each.version for each in alice.documents.versions(id_)] == [1]
    assert alice.documents.access_record(id_)
    items = alice.documents.begin_items(["bob"])
    alice.flush()
    bob.documents.refresh()
    assert bob.documents.items(items.id).open(items.seal([b"72"])) == [b"72"]
    assert alice.documents.erase(id_, blobs=blobs)
    assert not path.exists()
    with pytest.raises(NoGrant):
        alice.documents.open(id_, blobs)
    assert repr(alice.documents) == "<SyncDocuments>"


def test_collections_with_every_call(people: tuple[SyncClient, SyncClient], tmp_path: Path) -> None:
    (alice, bob), blobs = people, DirectoryBlobs(tmp_path / "blobs")
    teams = alice.documents.collections
    id_ = teams.create("team")
    assert teams.add(id_, ["bob"], history=False)
    assert teams.set_role(id_, ["bob"], Role.WRITER)
    assert teams.rename(id_, "heart")
    assert teams.renew(id_)
    document = alice.documents.seal(io.BytesIO(CONTENT), blobs, [id_]).id
    alice.flush()
    bob.documents.refresh()
    assert bob.documents.open(document, blobs).read() == CONTENT
    assert (bob.documents.collections.get(id_).name, len(teams.all())) == ("heart", 1)
    assert teams.remove(id_, ["bob"])
    assert teams.old_documents(id_) == (document,)
    assert teams.evidence(id_) is None
    teams.keep(id_)  # nothing to end
    bob.documents.refresh()
    with pytest.raises(UsageError):
        bob.documents.collections.leave(id_)
    assert teams.close(id_)
    teams.forget(id_)
    assert teams.all() == ()
    assert repr(teams) == "<SyncCollections>"


def test_json_documents_with_every_call(people: tuple[SyncClient, SyncClient], tmp_path: Path) -> None:
    (alice, bob), blobs = people, DirectoryBlobs(tmp_path / "blobs")
    json = alice.documents.json
    sections = [Section("office", [""], ["bob"]), Section("clinic", ["/dose"])]
    made = json.seal({"name": "Lind", "dose": 5}, sections, blobs)
    alice.flush()
    bob.documents.refresh()
    opened = bob.documents.json.open(bob.documents.json.fetch(made.id, blobs))
    assert (dict(opened.value), bob.documents.json.author(opened)) == ({"name": "Lind"}, "alice")
    assert len(json.share(made.data, "clinic", ["bob"])) == 1
    assert {each.reader for each in json.grants(made.data)["clinic"]} == {"alice", "bob"}
    assert made.id.hex().encode() in json.access_record(made.id)
    second = json.seal({"dose": 6}, sections, blobs, replaces=made.id)
    assert (second.version, len(json.versions(made.id))) == (2, 4)
    assert json.erase(made.id, blobs=blobs)
    with pytest.raises(NoGrant, match="destroyed"):
        json.fetch(made.id, blobs)
    assert repr(json) == "<SyncJson>"
