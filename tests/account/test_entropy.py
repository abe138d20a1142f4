"""Entropy and time are arguments: the same ones give the same bytes, except for what the KEM draws itself.

Whole conversations are also compared with the independent computation in support/reference.py.
"""

import cbor2
import pytest

from letterlock import hazmat
from letterlock._device.prekeys import PrekeyRing
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.suite import Suite
from letterlock.account import Account
from letterlock.errors import PeerError
from letterlock.stores._interface import Store
from letterlock.stores._memory import MemoryStore
from support import reference
from support.pair import ALICE, BOB, BOTH_SUITES, NOON, Pair, entropy_of, flipped


def transcript(seed: object, suite: Suite) -> list[bytes]:
    """Return all bytes on the wire of one conversation."""
    pair = Pair(suites=BOTH_SUITES, seed=seed)
    bundle = pair.bob.account.bundle()
    wire = [bundle.encode()]
    pair.alice.initiate(bundle, suite)
    for side, text in (
        (pair.alice, b"one"),
        (pair.alice, b"two"),
        (pair.bob, b"three"),
        (pair.alice, b"four"),
    ):
        wire.append(side.write(text))
        assert side.other.read(wire[-1]) == text
    return wire


def test_the_same_entropy_gives_the_same_wire_bytes() -> None:
    assert transcript(1, Suite.X3DH) == transcript(1, Suite.X3DH)


def test_other_entropy_gives_other_wire_bytes() -> None:
    one, two = transcript(1, Suite.X3DH), transcript(2, Suite.X3DH)
    assert all(a != b for a, b in zip(one, two, strict=True))


def test_encapsulation_draws_its_own_randomness() -> None:
    """OpenSSL has no encapsulation with chosen randomness, so only the bundle before it is the same."""
    one, two = transcript(1, Suite.PQXDH), transcript(1, Suite.PQXDH)
    assert one[0] == two[0]
    assert all(a != b for a, b in zip(one[1:], two[1:], strict=True))


def test_an_account_draws_from_nothing_but_its_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_entropy(length: int) -> bytes:
        raise AssertionError(length)

    for target in (
        "letterlock._primitives.entropy.system_entropy",
        "letterlock._primitives.entropy.os.urandom",
    ):
        monkeypatch.setattr(target, no_entropy)
    transcript(3, Suite.X3DH)


def test_no_draw_is_used_twice() -> None:
    """Every draw in a conversation is used once."""
    drawn: list[bytes] = []
    draw = entropy_of("fresh")

    def recorded(length: int) -> bytes:
        drawn.append(draw(length))
        return drawn[-1]

    alice = hazmat.create_account(MemoryStore(), ALICE, recorded, clock=lambda: NOON)
    bob = hazmat.create_account(MemoryStore(), BOB, recorded, clock=lambda: NOON)
    alice.initiate(BOB, bob.bundle())
    for _ in range(5):
        bob.decrypt(ALICE, alice.encrypt(BOB, b"same text"))
        alice.decrypt(BOB, bob.encrypt(ALICE, b"same text"))
    assert len(set(drawn)) == len(drawn)
    # Each of 10 messages draws a nonce, and each turn a ratchet key. Alice's first came with the handshake.
    assert [len(each) for each in drawn].count(8) == 10 + 2
    assert [len(each) for each in drawn].count(32) >= 9


def test_equal_plaintexts_have_different_nonces_and_ciphertexts(pair: Pair) -> None:
    pair.alice.initiate()
    sealed = [cbor2.loads(cbor2.loads(pair.alice.write(b"same text"))[-1])[-1] for _ in range(50)]
    assert len({each[:8] for each in sealed}) == len({each[8:] for each in sealed}) == 50


# --- against the reference ------------------------------------------------------------------------------


def secret(store: Store, kind: PrekeyKind, id_: int) -> bytes:
    with store.transaction():
        row = store.tables.prekeys.load(kind, id_)
    assert row is not None
    private: bytes = cbor2.loads(row.record.expose())[1]
    return private


def reference_bob(pair: Pair, bundle: PrekeyBundle) -> reference.Bob:
    """Return an independent Bob with the private keys from his store."""
    store = pair.bob.store
    with store.transaction():
        record = store.tables.account.load()
    assert record is not None
    identity = cbor2.loads(record.expose())[2]
    one_time = bundle.one_time
    kem = bundle.kem
    return reference.Bob(
        ["bob", 1],
        identity,
        (bundle.signed.id, secret(store, PrekeyKind.SIGNED, bundle.signed.id)),
        None if one_time is None else (one_time.id, secret(store, PrekeyKind.ONE_TIME, one_time.id)),
        None if kem is None else (kem.id, secret(store, kem.kind, kem.id), kem.key.data),
    )


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
@pytest.mark.parametrize("one_time", [True, False])
def test_an_independent_recipient_decrypts_and_answers(suite: Suite, one_time: bool) -> None:
    pair = Pair(suites=BOTH_SUITES)
    publication = pair.bob.account.publish(1)
    bundle = next(publication.bundles()) if one_time else publication.last_resort_bundle()
    bob = reference_bob(pair, bundle)
    pair.alice.initiate(bundle, suite)
    assert bob.read(["alice", 1], pair.alice.write(b"first")) == b"first"
    for text in (b"", b"second", bytes(100)):
        assert bob.read_next(cbor2.loads(pair.alice.write(text))[-1]) == text
    # The first message is long enough for the whole header of the braid and its MAC.
    assert len(bob.collected) == (96 if suite is Suite.PQXDH else 0)
    answer = bob.answer(bytes(range(1, 33)), b"an answer of 33 bytes, or about..")
    for at in range(0, len(answer), 7):
        with pytest.raises(PeerError):
            pair.alice.read(flipped(answer, at))
    assert pair.alice.read(answer) == b"an answer of 33 bytes, or about.."


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
def test_an_account_draws_the_documented_lengths(suite: Suite) -> None:
    """An identity draws 32 bytes, the first id 3, a key pair 32 or 64, and the nonce of a signature 64."""
    drawn: list[int] = []
    draw = entropy_of("lengths")

    def recorded(length: int) -> bytes:
        drawn.append(length)
        return draw(length)

    account: Account = hazmat.create_account(
        MemoryStore(), BOB, recorded, suites=BOTH_SUITES, clock=lambda: NOON
    )
    assert drawn == [32, 3, 32, 64]
    drawn.clear()
    bundle = account.bundle()
    assert drawn == [4, 32, 64, 64]  # the first is for the jump of the ids, the last for the signature
    assert PrekeyRing.__slots__ == ("_entropy", "_tables")
    alice = hazmat.create_account(MemoryStore(), ALICE, recorded, suites=BOTH_SUITES, clock=lambda: NOON)
    drawn.clear()
    alice.initiate(BOB, bundle, suite=suite)
    assert drawn == [32, 32, 8]  # ephemeral key, ratchet key, the session's row
    drawn.clear()
    first = alice.encrypt(BOB, b"x")
    # In PQXDH the first message of each side begins a text of the braid: the seed of a KEM key, and m.
    assert drawn == ([64, 8] if suite is Suite.PQXDH else [8])
    drawn.clear()
    alice.encrypt(BOB, b"x")
    assert drawn == [8]
    drawn.clear()
    account.decrypt(ALICE, first)
    assert drawn == [8]
    drawn.clear()
    account.encrypt(ALICE, b"y")
    account.encrypt(ALICE, b"z")
    assert drawn == ([32, 32, 8, 8] if suite is Suite.PQXDH else [32, 8, 8])
