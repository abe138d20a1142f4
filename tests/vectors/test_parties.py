"""Live parties, which let two implementations write to each other, and the steps of a play."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from letterlock._handshake.bundle_signature import verify_publication
from letterlock._wire.publication import Publication
from letterlock.errors import NoSession, UsageError
from letterlock_vectors.library import Library, joined
from letterlock_vectors.operations.parties import MAX_PARTIES, Parties

Run = Callable[[str, object], dict[str, Any]]

ALICE: Final[list[str | int]] = ["alice", 1]
BOB: Final[list[str | int]] = ["bob", 1]
HELLO = b"hello".hex()


@pytest.fixture
def run() -> Run:
    """The operations of a library that has no parties yet."""
    return Library().run


def create(run: Run, name: str, address: list[str | int], suites: list[int]) -> str:
    identity: str = run("party.create", {"party": name, "address": address, "suites": suites})["identity"]
    return identity


@pytest.mark.parametrize("suite", [1, 2])
def test_two_parties_write_to_each_other(run: Run, suite: int) -> None:
    for name, address in (("a", ALICE), ("b", BOB)):
        assert len(create(run, name, address, [suite])) == 64
    bundle = run("party.bundle", {"party": "b"})["bundle"]
    assert run("party.initiate", {"party": "a", "address": BOB, "bundle": bundle, "suite": suite}) == {}
    for sender, recipient in (("a", "b"), ("b", "a"), ("a", "b")):
        to, from_ = (BOB, ALICE) if sender == "a" else (ALICE, BOB)
        sent = run("party.encrypt", {"party": sender, "address": to, "plaintext": HELLO})
        heard = run("party.decrypt", {"party": recipient, "address": from_, "message": sent["message"]})
        assert heard == {"plaintext": HELLO}
    ours = run("party.safety_number", {"party": "a", "address": BOB})
    theirs = run("party.safety_number", {"party": "b", "address": ALICE})
    assert ours["digits"] == theirs["digits"]
    assert ours["scannable"] != theirs["scannable"]


def test_a_party_publishes_as_many_pairs_as_asked_for(run: Run) -> None:
    create(run, "a", ALICE, [2])
    data = run("party.publish", {"party": "a", "one_time": 3})["publication"]
    publication = Publication.decode(bytes.fromhex(data))
    verify_publication(publication)
    assert len(list(publication.bundles())) == 3


def test_a_name_used_again_is_a_new_party(run: Run) -> None:
    first = create(run, "a", ALICE, [2])
    assert create(run, "a", ALICE, [2]) != first


def test_each_library_has_parties_of_its_own() -> None:
    create(Library().run, "a", ALICE, [2])
    with pytest.raises(UsageError):
        Library().run("party.bundle", {"party": "a"})


def test_tables_with_the_same_operation_are_not_joined() -> None:
    table = Parties().operations()
    with pytest.raises(ValueError, match=r"party\.create"):
        joined([table, {"party.create": table["party.create"]}])


def test_parties_are_bounded(run: Run) -> None:
    for number in range(MAX_PARTIES):
        create(run, str(number), ALICE, [2])
    with pytest.raises(UsageError):
        create(run, "one more", ALICE, [2])
    create(run, "0", ALICE, [2])


def test_an_unknown_party_and_a_missing_session_are_refused(run: Run) -> None:
    with pytest.raises(UsageError):
        run("party.bundle", {"party": "nobody"})
    create(run, "a", ALICE, [2])
    with pytest.raises(NoSession):
        run("party.encrypt", {"party": "a", "address": BOB, "plaintext": HELLO})


# --- plays --------------------------------------------------------------------------------------------


def ratchet(*steps: dict[str, Any]) -> dict[str, Any]:
    nine = (b"\x09" + bytes(31)).hex()
    return {
        "role": "initiator",
        "secret": "00" * 32,
        "associated_data": "00" * 32,
        "signed_prekey": nine,
        "ratchet_private": "11" * 32,
        "steps": list(steps),
    }


@pytest.mark.parametrize(
    "given",
    [
        ratchet({"do": "dance"}),
        ratchet() | {"role": "bystander"},
        ratchet() | {"secret": "00"},
        ratchet() | {"ratchet_private": None},
    ],
)
def test_a_malformed_play_is_refused_as_a_whole(run: Run, given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        run("ratchet.play", given)


@pytest.mark.parametrize("wrong", [{"nonce": "22" * 7}, {"nonce": "22" * 9}, {"ratchet_private": "33" * 31}])
def test_a_step_with_random_bytes_of_another_length_is_refused(run: Run, wrong: dict[str, str]) -> None:
    send = {"do": "send", "plaintext": HELLO, "nonce": "22" * 8, "ratchet_private": None}
    alone = run("ratchet.play", ratchet(send))["steps"]
    assert run("ratchet.play", ratchet(send | wrong, send))["steps"] == [
        {"error": "UsageError"},
        *alone,
    ]
