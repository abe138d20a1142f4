"""Whole documents that are sealed for a collection, version by version."""

from io import BytesIO

import pytest

from letterlock.documents import Collections, Documents, EpochDue, NoGrant, Sealed, SealOptions
from support.collection_town import Town


def seal(
    town: Town, name: str, team: bytes, content: bytes, replaces: bytes | None = None
) -> tuple[bytes, Sealed]:
    documents, target = Documents(town.user(name)), BytesIO()
    readers = None if replaces else [Collections(town.user(name)).reader(team)]
    sealed = documents.seal(BytesIO(content), target, readers, options=SealOptions(replaces=replaces))
    return target.getvalue(), sealed


def read(town: Town, name: str, document: bytes) -> bytes:
    with Documents(town.user(name)).open(BytesIO(document)) as file:
        return file.read()


def test_a_document_is_read_by_the_members() -> None:
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob")
    document, _ = seal(town, "alice", team, b"a letter")
    assert read(town, "bob", document) == b"a letter"
    with pytest.raises(NoGrant):
        read(town, "carol", document)


def test_the_next_version_is_closed_to_who_was_removed() -> None:
    """A removal touches no document; the next version goes to the collection as it is then."""
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob", "carol")
    first, sealed = seal(town, "alice", team, b"first")
    town.give("alice", town.at("alice").remove(team, ["bob"]))
    assert town.at("alice").old_documents(team) == (sealed.id,)
    second, _ = seal(town, "alice", team, b"second", sealed.id)
    town.sync_all(team)
    assert town.at("alice").old_documents(team) == ()
    assert [read(town, name, first) for name in ("alice", "bob", "carol")] == [b"first"] * 3
    assert [read(town, name, second) for name in ("alice", "carol")] == [b"second"] * 2
    with pytest.raises(NoGrant):
        read(town, "bob", second)


def test_no_version_is_sealed_while_an_epoch_is_due() -> None:  # DOC-76
    town = Town("alice", "bob")
    team = town.new("alice", "bob")
    _, sealed = seal(town, "alice", team, b"first")
    town.give("bob", town.at("bob").leave(team))
    town.sync("alice", team)
    with pytest.raises(EpochDue):
        seal(town, "alice", team, b"second", sealed.id)
