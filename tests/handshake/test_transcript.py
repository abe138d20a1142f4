"""HAND-6: each input of a handshake changes the associated data, and nothing else does."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from letterlock._handshake.transcript import Recipient, associated_data
from letterlock._primitives.curve25519 import EphemeralKey, IdentityKey, OneTimePrekeyPair, SignedPrekeyPair
from letterlock._primitives.mlkem import MlKem1024KeyPair
from letterlock._wire.address import Address
from letterlock._wire.message import HandshakeHeader, KemHeader
from letterlock._wire.suite import Suite
from support.handshakes import ALICE_PARTY, EPHEMERAL, STRANGER, recipient
from support.pair import ALICE, BOB, entropy_of, flipped

_BOB = recipient()
assert _BOB.bundle.one_time is not None
assert _BOB.bundle.kem is not None

CIPHERTEXT = bytes(range(256)) * 6 + bytes(32)
HEADER = HandshakeHeader(
    Suite.PQXDH, ALICE_PARTY.identity.public, EPHEMERAL.public, 5, 6, KemHeader(7, CIPHERTEXT)
)
RECIPIENT = Recipient(
    BOB, _BOB.bundle.identity, _BOB.bundle.signed.key, _BOB.bundle.one_time.key, _BOB.bundle.kem.key
)

_draw = entropy_of("others")
HEADERS: dict[str, dict[str, Any]] = {
    "suite": {"suite": Suite.X3DH},
    "IK_A": {"identity": STRANGER.identity.public},
    "EK_A": {"ephemeral": EphemeralKey(STRANGER.identity.public.data)},
    "id of SPK_B": {"signed_prekey_id": 6},
    "id of OPK_B": {"one_time_prekey_id": 7},
    "no OPK_B": {"one_time_prekey_id": None},
    "id of PQPK_B": {"kem": KemHeader(8, CIPHERTEXT)},
    "first byte of CT": {"kem": KemHeader(7, flipped(CIPHERTEXT, 0))},
    "last byte of CT": {"kem": KemHeader(7, flipped(CIPHERTEXT, 1567))},
    "no CT": {"kem": None},
}
RECIPIENTS: dict[str, dict[str, Any]] = {
    "name of recipient": {"address": Address("bobby", 1)},
    "device of recipient": {"address": Address("bob", 2)},
    "IK_B": {"identity": STRANGER.identity.public},
    "SPK_B": {"signed": SignedPrekeyPair.generate(_draw).public},
    "OPK_B": {"one_time": OneTimePrekeyPair.generate(_draw).public},
    "PQPK_B": {"kem": MlKem1024KeyPair.generate(_draw).public},
}
INITIATORS = {"name of initiator": Address("alicia", 1), "device of initiator": Address("alice", 2)}


def all_changed() -> dict[str, bytes]:
    """Return the associated data with each single thing changed."""
    changed = {
        name: associated_data(replace(HEADER, **change), ALICE, RECIPIENT) for name, change in HEADERS.items()
    }
    for name, change in RECIPIENTS.items():
        changed[name] = associated_data(HEADER, ALICE, replace(RECIPIENT, **change))
    for name, initiator in INITIATORS.items():
        changed[name] = associated_data(HEADER, initiator, RECIPIENT)
    return changed


ORIGINAL = associated_data(HEADER, ALICE, RECIPIENT)


@pytest.mark.parametrize("name", [*HEADERS, *RECIPIENTS, *INITIATORS])
def test_it_changes_the_associated_data(name: str) -> None:
    assert all_changed()[name] != ORIGINAL


def test_no_two_changes_give_the_same() -> None:
    values = [ORIGINAL, *all_changed().values()]
    assert len({*values}) == len(values) == 1 + len(HEADERS) + len(RECIPIENTS) + len(INITIATORS)
    assert {len(value) for value in values} == {32}


def test_equal_inputs_give_equal_results() -> None:
    again = associated_data(replace(HEADER), Address("alice", 1), replace(RECIPIENT))
    assert again == ORIGINAL


def test_the_version_and_the_label_are_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("letterlock._handshake.transcript.PROTOCOL_VERSION", 2)
    assert associated_data(HEADER, ALICE, RECIPIENT) != ORIGINAL
    monkeypatch.undo()
    monkeypatch.setattr("letterlock._handshake.transcript.TRANSCRIPT", "another protocol")
    assert associated_data(HEADER, ALICE, RECIPIENT) != ORIGINAL


def test_swapping_the_two_sides_changes_it() -> None:
    header = replace(HEADER, identity=RECIPIENT.identity)
    other = replace(RECIPIENT, identity=HEADER.identity, address=ALICE)
    values = [
        associated_data(header, BOB, other),
        associated_data(header, ALICE, RECIPIENT),
        associated_data(HEADER, BOB, replace(RECIPIENT, address=ALICE)),
        associated_data(HEADER, ALICE, replace(RECIPIENT, identity=HEADER.identity)),
        ORIGINAL,
    ]
    assert len({*values}) == len(values)


def test_what_stands_in_one_place_cannot_be_moved_to_another() -> None:
    """The inputs are not just concatenated: moving equal bytes to another place changes the result."""
    one, two = _BOB.bundle.signed.key.data, STRANGER.identity.public.data
    values = set()
    for a, b, c in itertools.permutations([one, two, EPHEMERAL.public.data]):
        header = replace(HEADER, identity=IdentityKey(a), ephemeral=EphemeralKey(b))
        values.add(associated_data(header, ALICE, replace(RECIPIENT, identity=IdentityKey(c))))
    assert len(values) == 6


def test_a_name_cannot_run_into_the_device() -> None:
    pairs = [(Address("bob1", 1), "a"), (Address("bob", 11), "b"), (Address("bob11", 1), "c")]
    values = {associated_data(HEADER, ALICE, replace(RECIPIENT, address=address)) for address, _ in pairs}
    assert len(values) == 3
