"""The name of a blob follows from the version key, and from nothing that a storage could know. BLB-1."""

import io

import pytest

from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock.documents import Documents, NoGrant, SealOptions
from letterlock.documents._blob_names import blob_name, blob_names
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._version_key import VersionKey
from letterlock.errors import UsageError
from letterlock.user import User
from support.granting import begin, met
from support.user_devices import World

KEY = VersionKey(bytes(range(32)))
ID = b"document id 16 B"


@pytest.fixture(scope="module")
def people() -> World:
    return met()


def names(user: User, document: bytes) -> tuple[str, ...]:
    documents = Documents(user)
    with user.transaction():
        return blob_names(documents._shelf, document, None)


def test_the_name_of_one_version() -> None:
    """Computed with another implementation of HKDF."""
    assert blob_name(KEY, ID, 1) == "bad1770caf3b8e4e0c5e04c445d5f7d12edcadd6d187b117755a52c75c94b3cb"


@pytest.mark.parametrize(
    "other",
    [blob_name(KEY, ID, 2), blob_name(KEY, ID[::-1], 1), blob_name(VersionKey(bytes(32)), ID, 1)],
)
def test_every_input_counts(other: str) -> None:
    assert other != blob_name(KEY, ID, 1)
    assert len(other) == 64


def test_readers_find_the_same_name_and_versions_have_others(people: World) -> None:
    alice, bob = Documents(people.alice.first), Documents(people.bob.first)
    made = alice.seal(io.BytesIO(b"one"), io.BytesIO(), ["bob"])
    with pytest.raises(NoGrant):
        bob.blob_name(made.id)
    bob.take(made.shared)
    first = alice.blob_name(made.id)
    assert bob.blob_name(made.id) == first
    alice.seal(io.BytesIO(b"two"), io.BytesIO(), options=SealOptions(replaces=made.id))
    assert alice.blob_name(made.id) != first
    assert alice.blob_name(made.id, 1) == first
    assert made.id.hex() not in first


def test_a_wrong_key_of_a_granter_does_not_hide_the_right_one(people: World) -> None:
    """Only the document can tell which key is right, so there are two names to ask for."""
    alice, bob = people.alice.first, people.bob.first
    what = Subject(SubjectKind.DOCUMENT, b"another doc 16 B", 1, bytes(32))
    wrong = begin(alice, ["bob"], what, key=GrantedKey(bytes(32)))
    right = begin(alice, ["bob"], what)
    Documents(bob).take([*wrong, *right])
    assert set(names(bob, what.id)) == {
        blob_name(VersionKey(bytes(32)), what.id, 1),
        blob_name(KEY, what.id, 1),
    }


def test_a_key_of_another_length_names_nothing(people: World) -> None:
    alice = people.alice.first
    what = Subject(SubjectKind.DOCUMENT, b"a third doc 16 B", 1, bytes(32))
    begin(alice, [], what, key=GrantedKey(bytes(64)))
    assert names(alice, what.id) == ()
    with pytest.raises(NoGrant, match="none of a document"):
        Documents(alice).blob_name(what.id)


@pytest.mark.parametrize("document", [b"", b"a" * 15, b"a" * 17, "a" * 16])
def test_an_id_of_another_form(people: World, document: bytes) -> None:
    with pytest.raises(UsageError):
        Documents(people.alice.first).blob_name(document)
