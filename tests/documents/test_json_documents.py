"""JSON documents as an application uses them: sealed for several readers, shared, replaced, taken back.

DOC-104, DOC-105, DOC-108.
"""

from decimal import Decimal
from typing import Any, Final

import pytest

from letterlock._wire.grant import Grant
from letterlock._wire.json_document import JsonDocument
from letterlock.documents import (
    Collections,
    Conditions,
    Documents,
    JsonDocuments,
    LinkSecret,
    NoGrant,
    Section,
    Standing,
    SubjectKind,
    decode_json,
    verify_access_record,
)
from letterlock.errors import MalformedMessage, UsageError
from letterlock.user import ListChain
from support.collection_town import Town
from support.fhir_samples import OBSERVATION, PATIENT, PRESCRIPTION
from support.granting import met
from support.user_devices import World

ADDRESS: Final = ("/address", "/telecom/1", "/contact")


@pytest.fixture(scope="module")
def people() -> World:
    """Each test seals documents of its own."""
    return met()


@pytest.fixture
def alice(people: World) -> JsonDocuments:
    return JsonDocuments(people.alice.first)


@pytest.fixture
def bob(people: World) -> JsonDocuments:
    return JsonDocuments(people.bob.first)


def sections(*readers: Any, hidden_from: Any = ()) -> list[Section]:
    return [Section("practice", ("",), readers), Section("address", ADDRESS, hidden_from)]


def without_address() -> dict[str, Any]:
    rest = {name: each for name, each in PATIENT.items() if name not in {"address", "contact"}}
    return rest | {"telecom": [PATIENT["telecom"][0], PATIENT["telecom"][2]]}


def test_readers_see_their_sections(alice: JsonDocuments, bob: JsonDocuments) -> None:
    made = alice.seal(PATIENT, sections("bob"))
    assert (made.version, len(made.shared)) == (1, 3)
    found = bob.open(made.data)
    assert found.value == without_address()
    assert decode_json(found.text) == found.value
    assert list(found.value) == sorted(found.value)
    assert found.hidden == (("/address", "/contact", "/telecom/1"),)
    assert set(found.sections) == {"practice"}
    assert "/telecom/2/value" in found.sections["practice"]
    assert (found.id, found.version, found.standing) == (made.id, 1, Standing.LISTED)
    assert found.signed_by.signer.user_id == alice._user.user_id
    whole = alice.open(made.data)
    assert (whole.value, whole.hidden) == (PATIENT, ())
    assert whole.sections["address"][0] == "/address/0/city"
    assert "Lindqvist" not in repr(whole)


def test_a_reader_of_the_other_section_alone(alice: JsonDocuments, bob: JsonDocuments) -> None:
    made = alice.seal(PATIENT, sections(hidden_from=["bob"]))
    found = bob.open(made.data)
    assert found.value == {
        "address": PATIENT["address"],
        "contact": PATIENT["contact"],
        "telecom": [PATIENT["telecom"][1]],
    }
    assert found.hidden == (("",),)


def test_nobody_else_reads_anything(people: World, alice: JsonDocuments, bob: JsonDocuments) -> None:
    made = alice.seal(PATIENT, sections())
    with pytest.raises(NoGrant):
        bob.open(made.data)
    carol = people.servers.people["carol"].first
    with pytest.raises(NoGrant):
        JsonDocuments(carol).open(made.data)
    for word in (b"Lindqvist", b"Storgatan", b"telecom", b"practice", alice._user.user_id):
        assert word not in alice.with_grants(made.data, [])


def test_texts_and_values(alice: JsonDocuments) -> None:
    everything = [Section("all", [""])]
    for content in (OBSERVATION, PATIENT, PRESCRIPTION, {}, b"{}"):
        opened = alice.open(alice.seal(content, everything).data)
        assert opened.value == (decode_json(content) if isinstance(content, bytes) else content)
    observation = alice.open(alice.seal(OBSERVATION, everything).data)
    assert observation.value["valueQuantity"]["value"] == Decimal("6.30")


def test_shared_later(alice: JsonDocuments, bob: JsonDocuments, people: World) -> None:
    made = alice.seal(PATIENT, sections("bob"))
    shared = alice.share(made.data, "address", ["bob"], conditions=Conditions("visit at home"))
    assert [each.purpose for each in shared.grants] == ["visit at home"]
    Documents(people.bob.first).take(shared)
    assert bob.open(made.data).value == PATIENT
    granted = alice.grants(made.data)
    assert {name: [each.reader for each in found] for name, found in granted.items()} == {
        "practice": ["alice", "bob"],
        "address": ["alice", "bob"],
    }
    assert {each.kind for each in granted["address"]} == {SubjectKind.SECTION}
    with pytest.raises(UsageError, match="no section"):
        alice.share(made.data, "nothing", ["bob"])


def test_a_reader_shares_what_it_may_read_and_nothing_else(
    people: World, alice: JsonDocuments, bob: JsonDocuments
) -> None:
    made = alice.seal(PATIENT, sections("bob"))
    bob.open(made.data)
    link = LinkSecret.generate()
    beside = bob.with_grants(made.data, bob.share(made.data, "practice", [link]))
    with pytest.raises(UsageError, match="no section"):
        bob.share(made.data, "address", [link])
    carol = people.servers.people["carol"].first
    carol.learn("alice", people.alice.lists)
    carol.learn("bob", people.bob.lists)
    assert JsonDocuments(carol).open(beside, secret=link).value == without_address()


def test_grants_beside_a_document(alice: JsonDocuments, bob: JsonDocuments, people: World) -> None:
    made = alice.seal(PATIENT, sections("bob"))
    bare = alice.with_grants(made.data, [])
    with pytest.raises(NoGrant):
        bob.open(bare)
    again = alice.with_grants(bare, made.shared)
    assert again == made.data
    other = alice.seal(OBSERVATION, [Section("all", [""], ["bob"])])
    mixed = alice.with_grants(bare, [b"junk", made.shared.wire[0][:-1], *other.shared, made.shared.wire[1]])
    assert bob.open(mixed).value == without_address()
    assert bob.versions(other.id) == ()  # what is not about this document is not taken
    with pytest.raises(UsageError, match="1 MiB"):
        alice.with_grants(bare, list(made.shared) * 100)
    Documents(people.bob.first).take(other.shared)
    assert len(bob.versions(other.id)) == 1


def test_a_version_after_it(people: World, alice: JsonDocuments, bob: JsonDocuments) -> None:
    first = alice.seal(PATIENT, sections("bob"))
    bob.open(first.data)
    second = alice.seal(PATIENT | {"active": False}, sections(), replaces=first.id)
    assert (second.id, second.version) == (first.id, 2)
    assert alice.open(second.data).value["active"] is False
    with pytest.raises(NoGrant):  # DOC-108: the keys are new
        bob.open(second.data)
    assert bob.open(first.data).value == without_address()
    assert [each.version for each in alice.versions(first.id)] == [1, 1, 2, 2]
    third = bob.seal({"a": 1}, [Section("all", [""], ["alice"])], replaces=first.id)
    assert third.version == 2  # Bob knows of the first alone, and signs it himself
    assert alice.open(third.data).signed_by.signer.user_id == people.bob.first.user_id
    with pytest.raises(NoGrant):
        alice.seal(PATIENT, sections(), replaces=bytes(16))
    with pytest.raises(UsageError):
        alice.seal(PATIENT, sections(), replaces=b"short")


def test_taken_back(people: World, alice: JsonDocuments, bob: JsonDocuments) -> None:
    made = alice.seal(PATIENT, sections("bob", hidden_from=["bob"]))
    assert bob.open(made.data).value == PATIENT
    (hash_,) = [each.hash for each in alice.grants(made.data)["address"] if each.reader == "bob"]
    Documents(people.bob.first).take(Documents(people.alice.first).withdraw([hash_]))
    assert bob.open(made.data).value == without_address()
    notes = alice.erase(made.id, reason="asked for")
    with pytest.raises(NoGrant, match="destroyed"):
        alice.open(made.data)
    Documents(people.bob.first).take(notes)
    with pytest.raises(NoGrant):
        bob.open(made.data)
    with pytest.raises(UsageError):
        alice.erase(made.id)


def test_the_end_of_a_grant(people: World, alice: JsonDocuments, bob: JsonDocuments) -> None:
    ends = Conditions(valid_until=people.clock.now + 10)
    made = alice.seal(PATIENT, [Section("all", [""], ["bob"], ends)])
    assert bob.open(made.data).value == PATIENT
    people.clock.now += 11
    with pytest.raises(NoGrant, match="expired"):
        bob.open(made.data)
    assert alice.open(made.data).value == PATIENT


def test_an_access_record(people: World, alice: JsonDocuments) -> None:
    made = alice.seal(PATIENT, sections("bob"))
    record = alice.access_record(made.id)
    found = verify_access_record(record, [ListChain.verify(people.alice.lists)])
    assert (found.kind, found.missing) == (SubjectKind.SECTION, ())
    assert [each.user_id for each in found.entries].count(people.bob.first.user_id) == 1


def test_grants_of_all_sections_are_one_chain(alice: JsonDocuments) -> None:
    """DOC-41: one that is left out of an access record leaves a gap, whichever section it is of."""
    made = alice.seal(PATIENT, sections("bob", hidden_from=["bob"]))
    grants = [Grant.decode(each) for each in (*made.shared, *alice.share(made.data, "address", ["bob"]))]
    assert [each.terms.before for each in grants] == [None, *(each.hash for each in grants[:-1])]
    assert len({each.terms.subject for each in grants}) == 2


def test_more_grants_than_one_call_makes(alice: JsonDocuments) -> None:
    links = [LinkSecret.generate() for _ in range(15)]
    parts = [Section(f"s{at}", [f"/a{at}"], links) for at in range(64)]
    with pytest.raises(UsageError, match="1000 grants"):
        alice.seal({}, parts)


def test_a_collection_as_a_reader() -> None:
    town = Town("alice", "bob", "carol")
    team = town.new("alice", "bob")
    reader = Collections(town.user("alice")).reader(team)
    made = JsonDocuments(town.user("alice")).seal(PATIENT, sections(reader))
    assert JsonDocuments(town.user("bob")).open(made.data).value == without_address()
    with pytest.raises(NoGrant):
        JsonDocuments(town.user("carol")).open(made.data)


# --- what an application may ask for ----------------------------------------------------------------------

WRONG: Final[dict[str, tuple[Any, list[Any]]]] = {
    "no section": (PATIENT, []),
    "65 sections": ({}, [(f"s{at}", [f"/a{at}"]) for at in range(65)]),
    "one name twice": (PATIENT, [("a", [""]), ("a", ["/name"])]),
    "one field twice": (PATIENT, [("a", ["", "/name"]), ("b", ["/name"])]),
    "one field twice in a section": (PATIENT, [("a", ["", "/name", "/name"])]),
    "a field in no section": (PATIENT, [("a", ["/name"])]),
    "a pointer through a value": ({"a": {"b": 1}}, [("a", [""]), ("b", ["/a/b/c"])]),
    "a pointer through null": ({"a": None}, [("a", [""]), ("b", ["/a/b"])]),
    "a pointer through an empty object": ({"a": {}}, [("a", [""]), ("b", ["/a/b"])]),
    "a pointer through an empty array": ({"a": []}, [("a", [""]), ("b", ["/a/0"])]),
    "an object and an array": ({}, [("a", [""]), ("b", ["/x/0"]), ("c", ["/x/y"])]),
    "no pointer": (PATIENT, [("a", ["name"]), ("b", [""])]),
    "a float that has 17 digits": ({"a": 0.1 + 0.2}, [("a", [""])]),
    "an array": ([], [("a", [""])]),
    "a string": ("{}", [("a", [""])]),
    "bytes in it": ({"a": b""}, [("a", [""])]),
    "257 pointers": ({}, [("a", [f"/a{at}" for at in range(257)])]),
    "long pointers": ({}, [("a", [f"/{at}{'n' * 250}" + "/x" * 31 for at in range(250)])]),
    "too many fields": ({"a": [0] * 10_001}, [("a", [""])]),
    "long paths": ({f"{at}": {"n" * 256: {"m" * 256: at}} for at in range(9_999)}, [("a", [""])]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_sealed(alice: JsonDocuments, name: str) -> None:
    content, parts = WRONG[name]
    with pytest.raises(UsageError):
        alice.seal(content, [Section(*each) for each in parts])


def test_a_text_that_programs_read_differently(alice: JsonDocuments) -> None:
    for text in (b'{"dose":1,"dose":2}', b'{"a":1e400}', b'{"a":"\\ud800"}', b"[]", b""):
        with pytest.raises(MalformedMessage):
            alice.seal(text, [Section("all", [""])])


@pytest.mark.parametrize(
    "parts",
    [
        ("", ["/a"]), ("n" * 65, ["/a"]), ("a\n", ["/a"]), ("a\u202e", ["/a"]), (None, ["/a"]),
        (b"a", ["/a"]), ("a", []), ("a", "/a"), ("a", ["/a"], "bob"),
    ],
)  # fmt: skip
def test_sections_that_are_none(parts: Any) -> None:
    with pytest.raises(UsageError):
        Section(*parts)


def test_what_failed_has_changed_nothing(alice: JsonDocuments) -> None:
    made = alice.seal(PATIENT, sections())
    before = alice.versions(made.id)
    with pytest.raises(UsageError):
        alice.seal(PATIENT, sections("nobody"), replaces=made.id)
    assert alice.versions(made.id) == before


def test_empty_sections_and_short_ones_look_alike(alice: JsonDocuments) -> None:
    """DOC-109: whether a field is there does not show."""
    parts = [Section("all", [""]), Section("hiv", ["/hivStatus"])]
    with_it = JsonDocument.decode(alice.seal({"a": 1, "hivStatus": "positive"}, parts).data)
    without = JsonDocument.decode(alice.seal({"a": 1}, parts).data)
    assert [len(each.sealed) for each in with_it.sections] == [len(each.sealed) for each in without.sections]
    assert len(with_it.trailer) == len(without.trailer)


def test_equal_values_look_different(alice: JsonDocuments) -> None:
    """DOC-108: keys are random, so nothing repeats."""
    value = {"a": "positive", "b": "positive"}
    parts = [Section("a", ["/a"]), Section("b", ["/b"])]
    made = [JsonDocument.decode(alice.seal(value, parts).data) for _ in range(2)]
    sealed = [each.sealed for document in made for each in document.sections]
    blocks = {text[at : at + 16] for text in sealed for at in range(0, len(text) - 15, 16)}
    assert len(blocks) == sum(len(text) // 16 for text in sealed)


def test_the_least_and_the_most(alice: JsonDocuments) -> None:
    """64 sections with 256 scopes."""
    value = {f"a{at}": at for at in range(256)}
    parts = [Section(f"s{at}", [f"/a{each}" for each in range(at, 256, 64)]) for at in range(64)]
    made = alice.seal(value, parts)
    assert alice.open(made.data).value == value
