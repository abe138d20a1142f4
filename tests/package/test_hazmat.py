"""hazmat against published answers, and the list of its names.

Source of the answers: libsignal/known_answers.json in the external vectors. Each entry names the test in
signalapp/libsignal that it comes from. Its keys begin with a type byte, 05.
"""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from letterlock import hazmat
from letterlock._primitives.mlkem import KemSeed, MlKem768KeyPair
from letterlock.account import Account
from letterlock.errors import InvalidKey, InvalidSignature, SafetyNumberMismatch
from letterlock.stores._memory import MemoryStore
from support import external, reference
from support.pair import ALICE, entropy_of, flipped

INFO = b"WhisperText"


def known(name: str) -> dict[str, Any]:
    for entry in external.load("libsignal/known_answers.json")["vectors"]:
        if entry["id"] == name:
            return dict(entry)
    raise KeyError(name)


def key(entry: dict[str, Any], name: str) -> bytes:
    """Return a key of an entry without its type byte."""
    data = bytes.fromhex(entry[name])
    return data[1:] if len(data) == 33 else data


def chain_key(material: bytes) -> bytes:
    return hazmat.handshake_kdf(material, INFO, 64)[32:]


# --- X3DH -----------------------------------------------------------------------------------------


def test_x3dh_as_bob() -> None:
    entry = known("x3dh_ratcheting_session_as_bob")
    material = hazmat.x3dh_recipient(
        key(entry, "bob_identity_private"),
        key(entry, "bob_signed_prekey_private"),
        None,
        key(entry, "alice_identity_public"),
        key(entry, "alice_base_public"),
    )
    derived = hazmat.handshake_kdf(material, INFO, 64)
    assert derived[32:] == key(entry, "expected_sender_chain_key")
    assert derived[:32] == key(entry, "derived_root_key_recomputed_not_in_repo")


def test_x3dh_as_alice() -> None:
    entry = known("x3dh_ratcheting_session_as_alice")
    material = hazmat.x3dh_initiator(
        key(entry, "alice_identity_private"),
        key(entry, "alice_base_private"),
        key(entry, "bob_identity_public"),
        key(entry, "bob_signed_prekey_public"),
        None,
    )
    assert chain_key(material) == key(entry, "expected_receiver_chain_key")


def test_x3dh_as_bob_in_the_historic_variant() -> None:
    """The private half of the base key in the Java test was not clamped, so only Bob's side agrees."""
    entry, keys = (
        known("x3dh_ratcheting_session_as_bob_original_java"),
        known("x3dh_ratcheting_session_as_bob"),
    )
    material = hazmat.x3dh_recipient(
        key(keys, "bob_identity_private"),
        key(keys, "bob_signed_prekey_private"),
        None,
        key(keys, "alice_identity_public"),
        key(entry, "alice_base_public"),
    )
    assert chain_key(material) == key(entry, "expected_sender_chain_key")
    # X25519 clamps: the private key as printed gives another public key.
    assert hazmat.public_key(key(entry, "alice_base_private_unclamped")) != key(entry, "alice_base_public")


@pytest.mark.parametrize("name", ["bob_identity_private", "bob_signed_prekey_private"])
def test_x3dh_with_another_key_gives_another_answer(name: str) -> None:
    entry = known("x3dh_ratcheting_session_as_bob")
    entry[name] = flipped(key(entry, name), 5).hex()
    material = hazmat.x3dh_recipient(
        key(entry, "bob_identity_private"),
        key(entry, "bob_signed_prekey_private"),
        None,
        key(entry, "alice_identity_public"),
        key(entry, "alice_base_public"),
    )
    assert chain_key(material) != key(entry, "expected_sender_chain_key")


@pytest.mark.parametrize("with_one_time", [True, False])
def test_x3dh_both_ways_is_the_reference(with_one_time: bool) -> None:
    draw = entropy_of("hazmat")
    ik_a, ek_a, ik_b, spk_b, opk_b = (draw(32) for _ in range(5))
    opk = opk_b if with_one_time else None
    public_opk = None if opk is None else hazmat.public_key(opk)
    theirs = (hazmat.public_key(ik_b), hazmat.public_key(spk_b), public_opk)
    expected = reference.initiator_material(ik_a, ek_a, *theirs)
    assert hazmat.x3dh_initiator(ik_a, ek_a, *theirs) == expected
    ours = (hazmat.public_key(ik_a), hazmat.public_key(ek_a))
    assert hazmat.x3dh_recipient(ik_b, spk_b, opk, *ours) == expected
    kem_secret = draw(32)
    material = hazmat.pqxdh_material(expected, kem_secret)
    assert hazmat.handshake_kdf(material, reference.PQXDH_INFO) == reference.shared_secret(
        expected, kem_secret
    )
    assert hazmat.handshake_kdf(expected, reference.X3DH_INFO) == reference.shared_secret(expected, None)


# --- the rest of libsignal's answers ----------------------------------------------------------------


def test_chain_step() -> None:
    entry = known("chain_key_derivation")
    next_chain, message = hazmat.kdf_ck(key(entry, "chain_key"))
    assert next_chain == key(entry, "next_chain_key")
    assert message.hex() == entry["recomputed_not_in_repo"]["message_key_seed"]
    derived = hazmat.hkdf_sha256(bytes(32), message, b"WhisperMessageKeys", 80)
    assert derived[:32] == key(entry, "message_cipher_key")
    assert derived[32:64] == key(entry, "message_mac_key")
    assert derived[64:].hex() == entry["recomputed_not_in_repo"]["iv"]


def test_x25519_agreement() -> None:
    entry = known("x25519_agreement")
    for ours, theirs in (("alice", "bob"), ("bob", "alice")):
        private, public = key(entry, f"{ours}_private"), key(entry, f"{theirs}_public")
        assert hazmat.x25519(private, public) == key(entry, "shared_secret")
        assert hazmat.public_key(private) == key(entry, f"{ours}_public")


def test_keys_out_of_range_are_refused_everywhere() -> None:
    entry = known("noncanonical_public_keys")
    private = bytes(range(32))
    for text in entry["out_of_range"]:
        for call in (
            lambda bad: hazmat.x25519(private, bad),
            lambda bad: hazmat.xeddsa_verify(bad, b"", bytes(64)),
            lambda bad: hazmat.fingerprint(b"", bad),
            lambda bad: hazmat.x3dh_initiator(private, private, bad, hazmat.public_key(private), None),
            lambda bad: hazmat.x3dh_recipient(private, private, None, bad, hazmat.public_key(private)),
        ):
            with pytest.raises(InvalidKey):
                call(bytes.fromhex(text))


def test_xeddsa_in_the_sign_bit_form() -> None:
    entry = known("xeddsa_signature")
    public, message = key(entry, "identity_public"), bytes.fromhex(entry["message"])
    signature = bytes.fromhex(entry["signature"])
    assert hazmat.public_key(key(entry, "identity_private")) == public
    hazmat.xeddsa_verify_sign_bit_form(public, message, signature)
    with pytest.raises(InvalidSignature):
        hazmat.xeddsa_verify(public, message, signature)  # the published form has no sign bit
    for at in range(64):
        with pytest.raises(InvalidSignature):
            hazmat.xeddsa_verify_sign_bit_form(public, message, flipped(signature, at))


def test_xeddsa_as_published() -> None:
    draw = entropy_of("sign")
    private, nonce = draw(32), draw(64)
    signature = hazmat.xeddsa_sign(private, b"message", nonce)
    assert hazmat.xeddsa_sign(private, b"message", nonce) == signature
    hazmat.xeddsa_verify(hazmat.public_key(private), b"message", signature)
    for at in range(64):
        for mask in (1, 0x80):
            with pytest.raises(InvalidSignature):
                hazmat.xeddsa_verify(hazmat.public_key(private), b"message", flipped(signature, at, mask))


def test_composite_signatures() -> None:
    seed = entropy_of("composite")(64)
    public, signature = hazmat.composite_public_key(seed), hazmat.composite_sign(seed, b"message", b"ctx")
    assert (len(public), len(signature)) == (1984, 3373)
    hazmat.composite_verify(public, b"message", signature, b"ctx")
    for wrong in ((b"other", signature, b"ctx"), (b"message", signature, b""), (b"message", b"", b"ctx")):
        with pytest.raises(InvalidSignature):
            hazmat.composite_verify(public, *wrong)


@pytest.mark.parametrize("version", [1, 2])
def test_fingerprints(version: int) -> None:
    entry = known(f"fingerprint_v{version}")
    alice = entry["alice_stable_id"].encode(), key(entry, "alice_identity")
    bob = entry["bob_stable_id"].encode(), key(entry, "bob_identity")
    numbers = {
        "alice": hazmat.safety_number(*alice, *bob, scan_version=version),
        "bob": hazmat.safety_number(*bob, *alice, scan_version=version),
    }
    for name, number in numbers.items():
        assert number.digits == entry["displayable"]
        assert number.scannable.hex() == entry[f"{name}_scannable"]
    numbers["alice"].verify_scan(numbers["bob"].scannable)
    numbers["bob"].verify_scan(numbers["alice"].scannable)
    with pytest.raises(SafetyNumberMismatch):
        numbers["alice"].verify_scan(bytes.fromhex(known(f"fingerprint_v{3 - version}")["bob_scannable"]))


def test_scannable_encoding() -> None:
    entry = known("fingerprint_encoding")
    local, remote = bytes.fromhex(entry["local"]), bytes.fromhex(entry["remote"])
    assert hazmat.encode_scan(local, remote, entry["version"]).hex() == entry["serialized"]
    assert hazmat.encode_scan(remote, local, entry["version"]).hex() != entry["serialized"]


@pytest.mark.parametrize("name", ["hkdf_no_salt_no_info", "hkdf_v3", "hkdf_v3_long"])
def test_hkdf(name: str) -> None:
    entry = known(name)
    parts = [bytes.fromhex(entry[part]) for part in ("salt", "ikm", "info")]
    assert hazmat.hkdf_sha256(parts[0], parts[1], parts[2], entry["length"]).hex() == entry["okm"]


# --- without the external vectors -------------------------------------------------------------------


def test_kdfs_are_the_reference() -> None:
    draw = entropy_of("kdf")
    root, agreement, chain, info = draw(32), draw(32), draw(32), b"any label"
    okm = reference.hkdf(root, agreement, info, 64)
    assert hazmat.kdf_rk(root, agreement, info) == (okm[:32], okm[32:])
    assert hazmat.kdf_ck(chain) == reference.kdf_ck(chain)
    assert hazmat.hmac_sha256(root, chain) == reference.hmac_sha256(root, chain)


def test_chosen_entropy_and_time_make_the_same_account_twice() -> None:
    clock = 1_600_000_000
    bundles = []
    for _ in range(2):
        store = MemoryStore()
        made = hazmat.create_account(store, ALICE, entropy_of(7), clock=lambda: clock)
        again = hazmat.open_account(store, entropy_of(8), clock=lambda: clock)
        assert isinstance(made, Account)
        bundles.append((made.bundle().encode(), again.bundle().encode()))
    assert bundles[0] == bundles[1]
    assert bundles[0][0] != bundles[0][1]


@pytest.mark.parametrize("length", [0, 31, 33])
def test_keys_of_another_length_are_refused(length: int) -> None:
    wrong = bytes(length)
    private, public = b"\x01" * 32, hazmat.public_key(b"\x01" * 32)
    calls: list[Callable[[], object]] = [
        lambda: hazmat.public_key(wrong),
        lambda: hazmat.x25519(wrong, public),
        lambda: hazmat.x25519(private, wrong),
        lambda: hazmat.kdf_ck(wrong),
        lambda: hazmat.kdf_rk(wrong, private, b""),
        lambda: hazmat.kdf_rk(private, wrong, b""),
        lambda: hazmat.xeddsa_sign(wrong, b"", bytes(64)),
        lambda: hazmat.xeddsa_sign(private, b"", wrong),
        lambda: hazmat.composite_public_key(wrong),
        lambda: hazmat.composite_sign(wrong, b"", b""),
        lambda: hazmat.composite_verify(wrong, b"", bytes(3373), b""),
        lambda: hazmat.x3dh_initiator(private, private, public, wrong, None),
        lambda: hazmat.mlkem768_encapsulate(wrong, private),
        lambda: hazmat.mlkem768_encapsulate(MlKem768KeyPair(KemSeed(bytes(64))).public.data, wrong),
    ]
    for call in calls:
        with pytest.raises((ValueError, InvalidKey)):
            call()


def test_the_list_of_names() -> None:
    assert sorted(hazmat.__all__) == [
        "Encapsulation", "Entropy", "Immutable", "KemPublicKey", "KemSecret", "LongPublicKey", "Secret",
        "Uncopyable", "composite_public_key", "composite_sign", "composite_verify", "create_account",
        "encode_scan", "fingerprint", "handshake_kdf", "hkdf_sha256", "hmac_sha256", "kdf_ck", "kdf_rk",
        "mlkem768_encapsulate", "open_account", "pqxdh_material", "public_key", "safety_number", "x25519",
        "x3dh_initiator", "x3dh_recipient", "xeddsa_sign", "xeddsa_verify", "xeddsa_verify_sign_bit_form",
    ]  # fmt: skip
    defined = {name for name, value in vars(hazmat).items() if inspect.isfunction(value) and name[0] != "_"}
    own = {name for name in defined if getattr(hazmat, name).__module__ == "letterlock.hazmat"}
    assert own < set(hazmat.__all__)
    for name in own:
        assert getattr(hazmat, name).__doc__
