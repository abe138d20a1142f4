"""What `inspect` shows of each kind, and that it refuses what the decoders refuse."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterlock._wire.inspection import inspect
from letterlock._wire.pq_header import BARE, PqHeader, PqType
from letterlock.errors import InvalidKey, MalformedMessage, PeerError, UnsupportedVersion
from support.wire_samples import (
    ADDRESS,
    HANDSHAKE,
    HEADER,
    IDENTITY,
    bundle,
    ratchet_message,
    samples,
    spoiled,
)

KINDS = {
    "bundle": "prekey bundle",
    "last-resort bundle": "prekey bundle",
    "x3dh bundle": "prekey bundle",
    "publication": "publication",
    "ratchet message": "message",
    "triple message": "message",
    "bare triple message": "message",
    "initial message": "first message",
    "x3dh initial message": "first message",
}


@pytest.mark.parametrize("name", KINDS)
def test_kind_and_size_come_first_in_text_and_json(name: str) -> None:
    data, _ = samples()[name]
    shown = inspect(data)
    assert (shown.kind, shown.size) == (KINDS[name], len(data))
    lines = str(shown).splitlines()
    assert lines[0] == f"{KINDS[name]}, {len(data)} bytes"
    assert all(line.startswith("  ") and ": " in line + " " for line in lines[1:])
    parsed = json.loads(shown.json())
    assert parsed == {"kind": shown.kind, "size": shown.size, **shown.fields}


def test_a_message() -> None:
    assert inspect(samples()["ratchet message"][0]).fields == {
        "ratchet_key": HEADER.ratchet_key.data.hex(),
        "number": HEADER.number,
        "previous_chain_length": HEADER.previous_length,
        "sealed_bytes": 56,
    }


def test_a_triple_message() -> None:
    plain = inspect(samples()["ratchet message"][0]).fields
    healing = {"epoch": 5, "number": 300, "previous_chain_length": 70_000, "type": "ek_ct1_ack"}
    shown = inspect(samples()["triple message"][0])
    assert shown.fields == {**plain, "healing": {**healing, "first_index": 30, "codewords": 2}}
    lines = str(shown).splitlines()
    assert lines[4:] == [
        "  healing:",
        "    epoch: 5",
        "    number: 300",
        "    previous chain length: 70000",
        "    type: ek_ct1_ack",
        "    first index: 30",
        "    codewords: 2",
        "  sealed bytes: 56",
    ]
    bare = {"epoch": 1, "number": 1, "previous_chain_length": 0, "type": "none"}
    assert inspect(samples()["bare triple message"][0]).fields == {**plain, "healing": bare}


@pytest.mark.parametrize("type_", list(PqType), ids=lambda type_: type_.name)
def test_a_part_is_called_by_its_type(type_: PqType) -> None:
    pq_header = PqHeader(1, 1, 0, type_) if type_ in BARE else PqHeader(1, 1, 0, type_, 7, bytes(32))
    shown = inspect(ratchet_message(pq_header=pq_header)).fields["healing"]
    assert isinstance(shown, dict)
    assert shown["type"] == type_.name.lower()
    assert ("first_index" in shown, "codewords" in shown) == (type_ not in BARE,) * 2


def test_a_first_message() -> None:
    shown = inspect(samples()["initial message"][0]).fields
    assert shown == {
        "suite": "PQXDH",
        "identity_key": HANDSHAKE.identity.data.hex(),
        "ephemeral_key": HANDSHAKE.ephemeral.data.hex(),
        "signed_prekey_id": 1,
        "one_time_prekey_id": 2,
        "kem_prekey_id": 3,
        "kem_ciphertext_bytes": 1568,
        "message": inspect(samples()["triple message"][0]).fields,
    }
    classical = inspect(samples()["x3dh initial message"][0])
    assert classical.fields["message"] == inspect(samples()["ratchet message"][0]).fields
    assert (classical.fields["suite"], classical.fields["kem_prekey_id"]) == ("X3DH", None)
    assert "  kem prekey id: none" in str(classical).splitlines()


def test_a_bundle() -> None:
    shown = inspect(samples()["bundle"][0])
    one_time = bundle().one_time
    assert one_time is not None
    assert shown.fields == {
        "name": ADDRESS.name,
        "device_id": ADDRESS.device_id,
        "identity_key": IDENTITY.public.data.hex(),
        "made_on": "2023-11-14",
        "signed_prekey": {"kind": "signed", "id": 1, "key": bundle().signed.key.data.hex()},
        "one_time_prekey": {"kind": "one_time", "id": 2, "key": one_time.key.data.hex()},
        "kem_prekey": {"kind": "kem_one_time", "id": 3, "key_bytes": 1568},
    }
    assert ADDRESS.name in shown.json()
    assert inspect(samples()["x3dh bundle"][0]).fields["kem_prekey"] is None


def test_a_publication() -> None:
    shown = inspect(samples()["publication"][0])
    assert shown.fields == {
        "name": ADDRESS.name,
        "device_id": ADDRESS.device_id,
        "identity_key": IDENTITY.public.data.hex(),
        "made_on": "2023-11-14",
        "signed_prekey": {"kind": "signed", "id": 1, "key": bundle().signed.key.data.hex()},
        "last_resort_prekey": {"kind": "kem_last_resort", "id": 4, "key_bytes": 1568},
        "one_time_pairs": 2,
    }


def test_what_stands_in_another_is_indented_beneath_it() -> None:
    data, _ = samples()["x3dh bundle"]
    signed, one_time = bundle().signed, bundle().one_time
    assert one_time is not None
    assert str(inspect(data)).splitlines() == [
        f"prekey bundle, {len(data)} bytes",
        f"  name: {ADDRESS.name}",
        f"  device id: {ADDRESS.device_id}",
        f"  identity key: {IDENTITY.public.data.hex()}",
        "  made on: 2023-11-14",
        "  signed prekey:",
        "    kind: signed",
        "    id: 1",
        f"    key: {signed.key.data.hex()}",
        "  one time prekey:",
        "    kind: one_time",
        "    id: 2",
        f"    key: {one_time.key.data.hex()}",
        "  kem prekey: none",
    ]


def test_what_the_decoders_refuse_is_refused() -> None:
    data = samples()["bundle"][0]
    for changed, error in (
        (spoiled(data, (0,), 1), UnsupportedVersion),
        (spoiled(data, (3,), bytes(32)), InvalidKey),
        (data[:-1], MalformedMessage),
        (data + b"\0", MalformedMessage),
        (b"", MalformedMessage),
    ):
        with pytest.raises(error):
            inspect(changed)


@settings(deadline=None)
@given(st.sampled_from(sorted(samples())), st.integers(0, 3000), st.integers(1, 255))
def test_a_damaged_encoding_is_shown_or_refused(name: str, at: int, change: int) -> None:
    data = bytearray(samples()[name][0])
    data[at % len(data)] ^= change
    try:
        shown = inspect(bytes(data))
    except PeerError:
        return
    assert json.loads(shown.json())["size"] == len(data)
