"""The formulae of spec/recovery.md, computed once more with the standard library and other packages alone.

Nothing here calls the code under test for a value that it compares: HKDF is `cryptography`'s, Argon2id is
`nacl`'s, CBOR is `cbor2`'s, and the oblivious function is `voprf`'s, without blinding.
"""

import hashlib

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl import pwhash
from voprf import ristretto

from letterlock.recovery import RecoveryKey, ShowLocks, device_keys
from support.recovery_town import DECOYS, PASSWORD, TICKETS, Town, cheap

__all__ = ["cheap"]

RAW = Encoding.Raw, PublicFormat.Raw


def hkdf(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(ikm)


def parts(data: bytes, *lengths: int) -> list[bytes]:
    found = []
    for length in lengths:
        found.append(data[:length])
        data = data[length:]
    assert data == b""
    return found


def evaluator(seed: bytes) -> ristretto.Evaluator:
    return ristretto.Evaluator.from_seed(seed, b"letterlock-v1 server key of a recovery")


def ed25519(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(*RAW)


@pytest.fixture
def town(cheap: None) -> Town:
    del cheap
    made = Town(tickets=True)
    made.set_up()
    return made


def test_a_lock(town: Town) -> None:  # REC-2, REC-3, REC-5
    held = [town.record(server).held[0] for server in (1, 2)]
    encoded = held[0].lock.encode()
    version, user_id, lock_id, passes, memory, key_1, key_2, sealed = cbor2.loads(encoded)
    assert (version, user_id) == (1, town.user_id)
    salt = hashlib.sha256(b"letterlock-v1 salt of a recovery" + user_id + lock_id).digest()[:16]
    stretched = pwhash.argon2id.kdf(32, PASSWORD.encode(), salt, opslimit=passes, memlimit=memory)
    outputs = b""
    for number, (each, key) in enumerate(zip(held, (key_1, key_2), strict=True), 1):
        server = evaluator(each.seed.expose())
        assert server.public_key.serialize() == key
        text = b"letterlock-v1 input of a recovery" + bytes((number,)) + user_id + lock_id + stretched
        outputs += server.evaluate_known_input(text)
    header = b"letterlock-v1 header of a lock" + encoded[: -len(sealed) - 2]
    material = hkdf(hashlib.sha256(header).digest(), outputs, b"letterlock-v1 keys of a lock", 128)
    login_1, login_2, key, commitment = parts(material, 32, 32, 32, 32)
    assert sealed[:32] == commitment
    assert ChaCha20Poly1305(key).decrypt(bytes(12), sealed[32:], header) == town.key.expose()
    assert [each.login.data for each in held] == [ed25519(login_1), ed25519(login_2)]


def test_the_recovery_device() -> None:
    key = RecoveryKey(bytes(range(32)))
    made = device_keys(key)
    material = hkdf(b"", key.expose(), b"letterlock-v1 recovery device", 128)
    identity, signing, receiving = parts(material, 32, 64, 32)
    public = X25519PrivateKey.from_private_bytes(identity).public_key().public_bytes(*RAW)
    assert made.identity.public.data == public
    assert made.signing.public.ed25519.data == ed25519(signing[32:])
    assert (made.signing.seed.expose(), made.receiving.seed.expose()) == (signing, receiving)


def test_a_decoy() -> None:  # REC-12
    user_id = hashlib.sha256(b"nobody").digest()
    info = b"letterlock-v1 decoy of a lock" + user_id
    lock_id, seed_1, seed_2, _, sealed = parts(hkdf(b"", DECOYS.expose(), info, 192), 16, 32, 32, 32, 80)
    keys = [evaluator(seed).public_key.serialize() for seed in (seed_1, seed_2)]
    expected = cbor2.dumps([1, user_id, lock_id, 3, 2**26, *keys, sealed])
    for server in Town().servers:
        (lock,) = server.show(ShowLocks(user_id)).locks
        assert lock.encode() == expected


def test_a_success_and_a_ticket(town: Town) -> None:  # REC-8, REC-15
    attempt = town.attempt()
    asked = attempt.requests[1]
    assert asked.companion == hashlib.sha256(attempt.requests[0].blinded).digest()
    answers = town.ask(attempt)
    ticket = answers[1].ticket or b""
    end = int.from_bytes(ticket[:4], "big")
    assert end == town.now + 600
    names = [asked.name.user_id, asked.name.lock_id]
    said = b"letterlock-v1 ticket of a recovery" + cbor2.dumps([*names, asked.companion, end])
    pair = Ed25519PrivateKey.from_private_bytes(TICKETS.expose()).public_key()
    pair.verify(ticket[4:], said)
    for number, success in enumerate(attempt.finish(*answers).successes, 1):
        told = b"letterlock-v1 success of a recovery" + cbor2.dumps([number, *names, success.nonce])
        login = town.record(number).held[0].login
        login.verify(told, success.signature)


def test_a_change(town: Town) -> None:  # REC-10, REC-17
    before = town.shown()[0].locks[-1].name.lock_id
    made = town.make()
    key = device_keys(town.key).signing.public
    for number, (settle, finish) in enumerate(zip(made.settle, made.finish, strict=True), 1):
        lock, name = made.lock.encode(), [town.user_id, made.lock.name.lock_id, before]
        said = cbor2.dumps([number, 34, town.user_id, lock, settle.login.data])
        key.verify(said, settle.by.signature, b"letterlock-v1 change of a lock")
        key.verify(
            cbor2.dumps([number, 35, *name]),
            finish.by.signature,
            b"letterlock-v1 change of a lock",
        )
