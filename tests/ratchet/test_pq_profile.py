"""PQR-1, PQR-2: every formula of our profile is recomputed, and the ratchets also run with Signal's profile.

The known answers come from real traffic of libsignal, read by support/external.py.
"""

from collections.abc import Callable

import pytest

from letterlock._primitives import labels
from letterlock._primitives.mlkem import KemSecret
from letterlock._ratchet import braid, sparse, triple
from letterlock._ratchet.authenticator import Authenticator, epoch_bytes
from letterlock._ratchet.braid_states import Ct1Sampled
from letterlock._ratchet.keys import MessageKey, PassedKeys
from letterlock._ratchet.pq_keys import (
    AuthenticatorKey,
    AuthenticatorRoot,
    EpochSecret,
    PqSharedSecret,
    SparseChainKey,
    SparseMessageKey,
    SparseRootKey,
)
from letterlock._ratchet.pq_profile import LETTERLOCK, PqProfile
from letterlock._ratchet.sparse import Sparse, SparsePlace
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock.limits import MAX_COUNTER
from support import external, reference
from support.braid_pair import Side as BraidSide
from support.braid_pair import braid_pair, texts_in, walk
from support.double_pair import SIGNED
from support.pair import entropy_of, plain
from support.signal_profile import SIGNAL
from support.triple_pair import SECRET, alternate, sparse_keys
from support.triple_pair import Side as TripleSide

ONE, TWO = b"\x01" * 32, b"\x02" * 32
PROFILES = pytest.mark.parametrize("profile", [LETTERLOCK, SIGNAL], ids=["ours", "Signal's"])
AUTHENTICATOR = Authenticator(AuthenticatorRoot(ONE), AuthenticatorKey(TWO))

# --- our formulae -------------------------------------------------------------------------------------


def label(text: str) -> bytes:
    return b"letterlock-v1 pq " + text.encode()


def thirds(okm: bytes) -> tuple[bytes, bytes, bytes]:
    return okm[:32], okm[32:64], okm[64:]


def test_the_formulae_of_chains() -> None:
    started = plain(LETTERLOCK.start(PqSharedSecret(ONE)))
    assert started == thirds(reference.hkdf(bytes(32), ONE, label("chain start"), 96))
    added = plain(LETTERLOCK.add_epoch(SparseRootKey(ONE), EpochSecret(TWO)))
    assert added == thirds(reference.hkdf(ONE, TWO, label("chain add epoch"), 96))


@pytest.mark.parametrize("number", [1, 2, 255, 256, MAX_COUNTER])
def test_the_formulae_of_a_chain_step(number: int) -> None:
    chain, count = SparseChainKey(ONE), number.to_bytes(4, "big")
    after, key = LETTERLOCK.step(chain, number)
    assert plain(key) == reference.hmac_sha256(ONE, count + b"\x01")
    assert plain(after) == reference.hmac_sha256(ONE, count + b"\x02")


@PROFILES
@pytest.mark.parametrize("numbers", [range(1, 2), range(254, 260), range(MAX_COUNTER - 1, MAX_COUNTER + 1)])
def test_walking_over_numbers_equals_stepping_through_them(profile: PqProfile, numbers: range) -> None:
    chain = SparseChainKey(ONE)
    after, passed = profile.walk(chain, numbers)
    skipped = profile.message_keys(passed, numbers[0])
    keys, passed_keys = [], []
    for number in numbers:
        passed_keys.append(chain.expose())
        chain, key = profile.step(chain, number)
        keys.append(key.expose())
    assert plain(after) == plain(chain)
    assert list(passed.expose_each()) == passed_keys
    assert (list(skipped.expose_each()), skipped.count) == (keys, len(numbers))


@pytest.mark.parametrize("epoch", [1, 2, 256, MAX_COUNTER, 2**63])
def test_the_formulae_of_an_epoch(epoch: int) -> None:
    number = epoch.to_bytes(8, "big")
    assert epoch_bytes(epoch) == number
    secret = plain(LETTERLOCK.epoch_secret(KemSecret(ONE), epoch))
    assert secret == reference.hkdf(bytes(32), ONE, label("epoch secret") + number, 32)
    okm = reference.hkdf(ONE, b"\x03" * 32, label("authenticator update") + number, 64)
    updated = LETTERLOCK.update(AUTHENTICATOR, epoch, EpochSecret(b"\x03" * 32))
    assert plain([updated.root, updated.key]) == (okm[:32], okm[32:])
    header, ciphertext = bytes(range(64)), bytes(1088)
    mac = reference.hmac_sha256(TWO, label("header") + number + header)
    assert LETTERLOCK.header_mac(AUTHENTICATOR, epoch, header) == mac
    mac = reference.hmac_sha256(TWO, label("ciphertext") + number + ciphertext)
    assert LETTERLOCK.ciphertext_mac(AUTHENTICATOR, epoch, ciphertext) == mac


def test_the_formula_of_the_first_authenticator() -> None:
    okm = reference.hkdf(bytes(32), ONE, label("authenticator update") + epoch_bytes(1), 64)
    first = LETTERLOCK.authenticator(PqSharedSecret(ONE))
    assert plain([first.root, first.key]) == (okm[:32], okm[32:])


def test_our_labels_are_among_the_labels_that_are_compared() -> None:
    """tests/primitives/test_labels.py checks that all labels are distinct and that none begins another."""
    found = {name for name in vars(labels) if name.startswith("PQ_")}
    names = ("SPLIT", "CHAIN_START", "CHAIN_ADD_EPOCH", "HYBRID", "AUTHENTICATOR", "EPOCH_SECRET")
    assert found >= {f"PQ_{name}" for name in (*names, "HEADER", "CIPHERTEXT")}


FORMULAE: dict[str, Callable[[PqProfile], object]] = {
    "start": lambda it: it.start(PqSharedSecret(ONE)),
    "add epoch": lambda it: it.add_epoch(SparseRootKey(ONE), EpochSecret(TWO)),
    "step": lambda it: it.step(SparseChainKey(ONE), 1),
    "walk": lambda it: it.walk(SparseChainKey(ONE), range(1, 3)),
    "message keys": lambda it: it.message_keys(PassedKeys(ONE), 1),
    "hybrid": lambda it: it.hybrid(MessageKey(ONE), SparseMessageKey(TWO)),
    "authenticator": lambda it: it.authenticator(PqSharedSecret(ONE)),
    "update": lambda it: it.update(AUTHENTICATOR, 1, EpochSecret(ONE)),
    "epoch secret": lambda it: it.epoch_secret(KemSecret(ONE), 1),
    "header MAC": lambda it: it.header_mac(AUTHENTICATOR, 1, bytes(64)),
    "ciphertext MAC": lambda it: it.ciphertext_mac(AUTHENTICATOR, 1, bytes(1088)),
}


@pytest.mark.parametrize("formula", FORMULAE.values(), ids=FORMULAE)
def test_two_profiles_share_no_output(formula: Callable[[PqProfile], object]) -> None:
    assert plain(formula(LETTERLOCK)) != plain(formula(SIGNAL))


# --- the ratchets with either profile -----------------------------------------------------------------


@PROFILES
@pytest.mark.parametrize("rooms", [(1, 1), (64, 64)], ids=str)
def test_the_braid_runs_with_either_profile(profile: PqProfile, rooms: tuple[int, int]) -> None:
    alice, bob = sides = braid_pair("profile", profile)
    walk(sides, 3, rooms)
    assert set(alice.secrets) == set(bob.secrets) == {1, 2}
    assert plain(alice.secrets) == plain(bob.secrets)


@PROFILES
def test_the_triple_ratchet_runs_with_either_profile(profile: PqProfile) -> None:
    draw = entropy_of("profile")
    alice = TripleSide(triple.initiator(profile, SECRET, SIGNED.public, draw), draw, profile)
    bob = TripleSide(triple.recipient(profile, SECRET, SIGNED), entropy_of("profile bob"), profile)
    assert alternate((alice, bob), lambda message: message.pq_header.epoch == 3) < 180
    assert plain(alice.state.sparse.root) == plain(bob.state.sparse.root)


# --- known answers ------------------------------------------------------------------------------------


def known() -> external.Case:
    answers = external.load("libsignal/known_answers.json")["vectors"]
    found: external.Case = next(each for each in answers if each["id"] == "spqr_issue1275_states")
    return found


def shared() -> PqSharedSecret:
    return PqSharedSecret(bytes.fromhex(known()["auth_key"]))


def started(*, is_initiator: bool) -> Sparse:
    return sparse.start(SIGNAL, shared(), is_initiator=is_initiator)


def test_known_chains_of_epoch_0() -> None:
    case = known()
    for is_initiator, ours, theirs in ((True, "a2b", "b2a"), (False, "b2a", "a2b")):
        state = started(is_initiator=is_initiator)
        assert state.root.expose().hex() == case["chain0_root"]
        assert state.sending.key.expose().hex() == case[f"chain0_{ours}"]
        assert state.receiving.key.expose().hex() == case[f"chain0_{theirs}"]


@pytest.mark.parametrize(
    ("direction", "numbers"), [("a2b", (1, 2, 30)), ("b2a", (1, 30))], ids=["initiator's", "recipient's"]
)
def test_known_message_keys(direction: str, numbers: tuple[int, ...]) -> None:
    """Sending, receiving in order and skipping all earlier messages give the same keys."""
    case, sender = known(), started(is_initiator=direction == "a2b")
    receiver = before = started(is_initiator=direction != "a2b")
    jumped, checked = sparse.receive(SIGNAL, before, SparsePlace(0, 1, 0)), 0
    for number in range(1, 31):
        sender, place, key = sparse.send(SIGNAL, sender, 0)
        received = sparse.receive(SIGNAL, receiver, place)
        receiver = received.state
        jumped = sparse.receive(SIGNAL, before, SparsePlace(0, number, 0))
        if number in numbers:
            assert key.expose().hex() == case[f"{direction}_message_key_{number}"]
            assert received.key == jumped.key == key
            checked += 1
    assert checked == len(numbers)
    assert sender.sending.key.expose().hex() == case[f"{direction}_next_after_30"]
    assert receiver.receiving.key == sender.sending.key == jumped.state.receiving.key
    kept = {number: key for (_, number), key in sparse_keys(SIGNAL, jumped).items()}
    assert kept[1].expose().hex() == case[f"{direction}_message_key_1"]
    assert [*kept] == [*range(1, 30)]


def test_the_braid_gives_the_known_secret_of_epoch_1() -> None:
    """From the header with its MAC and the randomness m follow the secret and all that is derived from it."""
    case = known()
    text = bytes.fromhex(case["header"] + case["header_mac_epoch1"])
    bob = BraidSide(
        braid.recipient(SIGNAL, shared()), lambda _: bytes.fromhex(case["encaps_randomness_m"]), SIGNAL
    )
    first = bob.state.authenticator
    assert first.root.expose().hex() == case["authenticator_init_root"]
    assert first.key.expose().hex() == case["authenticator_init_mac_key"]
    assert braid.initiator(SIGNAL, shared()).authenticator == first
    bob.receive(PqHeader(1, 1, 0, PqType.HDR, 0, text))
    assert (bob.name, texts_in(bob.state)["kept"]) == ("HeaderReceived", text[:64])
    assert bob.send().type is PqType.CT1
    assert isinstance(bob.state, Ct1Sampled)
    assert bob.secrets[1].expose().hex() == case["epoch1_secret"]
    assert bob.state.authenticator.root.expose().hex() == case["authenticator_epoch1_root"]
    assert bob.state.authenticator.key.expose().hex() == case["authenticator_epoch1_mac_key"]
    after = sparse.add_epoch(SIGNAL, started(is_initiator=False), 1, bob.secrets[1])
    assert after.root.expose().hex() == case["chain1_root"]
    sending, receiving = after.sending.following, after.receiving.following
    assert sending is not None
    assert receiving is not None
    assert (receiving.expose().hex(), sending.expose().hex()) == (case["chain1_a2b"], case["chain1_b2a"])


def test_known_kem_secret() -> None:
    case = known()
    secret = SIGNAL.epoch_secret(KemSecret(bytes.fromhex(case["kem_shared_secret_K"])), 1)
    assert secret.expose().hex() == case["epoch1_secret"]
    mac = SIGNAL.header_mac(SIGNAL.authenticator(shared()), 1, bytes.fromhex(case["header"]))
    assert mac.hex() == case["header_mac_epoch1"]
