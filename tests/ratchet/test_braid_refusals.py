"""PQR-5: texts that contradict each other are refused. Also: what a state holds, and how much.

A peer whose messages authenticate can still send any codewords it likes; these tests play such a peer.
"""

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from letterlock._primitives import kpke, mlkem_split
from letterlock._primitives.mlkem import KemSeed, MlKem768KeyPair
from letterlock._primitives.mlkem_split import VECTOR_BYTES, EncapsulationRandomness, split
from letterlock._primitives.native import NATIVE
from letterlock._ratchet import braid_states
from letterlock._ratchet.authenticator import Authenticator
from letterlock._ratchet.braid import indices_in
from letterlock._ratchet.braid_states import ENTRY_BYTES, Ct1Acknowledged
from letterlock._ratchet.erasure import codeword
from letterlock._ratchet.pq_keys import AuthenticatorKey, AuthenticatorRoot
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock.errors import BraidFailed
from letterlock.limits import CODEWORD_BYTES
from support.braid_pair import (
    EPOCHS,
    RECEIVERS,
    STATES,
    Side,
    becomes,
    braid_pair,
    place,
    places,
    pq_header,
    secrets_in,
    share_of,
    texts,
    texts_in,
    walk,
)
from support.pair import entropy_of, flipped

Q_COEFFICIENT = (3329).to_bytes(2, "little")
"""q in twelve bits, as the first coefficient of a vector."""


def refused(side: Side, type_: PqType, text: bytes, *, one_by_one: bool) -> None:
    """Check that a text is refused at its last codeword, and that this codeword changes nothing."""
    share = len(text) // CODEWORD_BYTES
    codewords = [codeword(text, index) for index in range(share)]
    epoch = side.state.epoch
    if one_by_one:
        for each in codewords[:-1]:
            side.receive(PqHeader(epoch, 1, 0, type_, each.index, each.data))
        codewords = codewords[-1:]
    before = side.all()
    last = PqHeader(epoch, 1, 0, type_, codewords[0].index, b"".join(each.data for each in codewords))
    for _ in range(2):
        with pytest.raises(BraidFailed, match="keys contradict each other: initiate a new session"):
            side.receive(last)
        assert side.all() == before


EPOCH = pytest.mark.parametrize("epoch", EPOCHS.values(), ids=EPOCHS)
HOW = pytest.mark.parametrize("one_by_one", [False, True], ids=["at once", "one by one"])


@EPOCH
@HOW
@pytest.mark.parametrize("at", [0, 31, 32, 63, 64, 95], ids=str)
def test_a_changed_header_or_mac_is_refused(epoch: int, at: int, one_by_one: bool) -> None:
    text = flipped(texts(epoch)[PqType.HDR], at)
    refused(place(epoch, "NoHeaderReceived"), PqType.HDR, text, one_by_one=one_by_one)


@EPOCH
@HOW
@pytest.mark.parametrize("at", [0, 127, 128, 159], ids=str)
def test_a_changed_ct2_or_mac_is_refused(epoch: int, at: int, one_by_one: bool) -> None:
    text = flipped(texts(epoch)[PqType.CT2], at)
    refused(place(epoch, "Ct1Received"), PqType.CT2, text, one_by_one=one_by_one)


@EPOCH
@pytest.mark.parametrize("at", [0, 959], ids=str)
def test_a_changed_ct1_is_refused_with_ct2(epoch: int, at: int) -> None:
    """ct1 has no MAC of its own; the MAC with ct2 covers both."""
    side = place(epoch, "KeysSampled")
    text = flipped(texts(epoch)[PqType.CT1], at)
    side.receive(PqHeader(epoch, 1, 0, PqType.CT1, 0, text))
    assert side.name == "Ct1Received"
    refused(side, PqType.CT2, texts(epoch)[PqType.CT2], one_by_one=False)


FOREIGN = ["of another key", "one bit", "zeros", "a coefficient of q", "coefficients above q"]


def foreign(epoch: int) -> dict[str, bytes]:
    """Return vectors that do not belong to the header."""
    ours = texts(epoch)[PqType.EK]
    assert len(ours) == VECTOR_BYTES
    return {
        "of another key": split(MlKem768KeyPair(KemSeed(entropy_of("foreign")(64))).public)[1],
        "one bit": flipped(ours, 700),
        "zeros": bytes(VECTOR_BYTES),
        "a coefficient of q": Q_COEFFICIENT + ours[2:],
        "coefficients above q": b"\xff" * VECTOR_BYTES,
    }


def waiting(epoch: int, name: str) -> Side:
    """Return a side that waits for the vector and has no codeword of it."""
    side = place(epoch, name)
    if isinstance(side.state, Ct1Acknowledged):  # it has one, which would not fit the foreign vector
        side.state = dataclasses.replace(side.state, incoming=b"")
    return side


@EPOCH
@HOW
@pytest.mark.parametrize("type_", [PqType.EK, PqType.EK_CT1_ACK], ids=lambda type_: type_.name)
@pytest.mark.parametrize("name", ["Ct1Sampled", "Ct1Acknowledged"])
@pytest.mark.parametrize("vector", FOREIGN)
def test_a_vector_that_does_not_belong_to_the_header_is_refused(
    epoch: int, one_by_one: bool, type_: PqType, name: str, vector: str
) -> None:
    refused(waiting(epoch, name), type_, foreign(epoch)[vector], one_by_one=one_by_one)


@EPOCH
@pytest.mark.parametrize(
    ("name", "uses"), [("Ct1Sampled", ["encrypt_c2"]), ("Ct1Acknowledged", ["encrypt_c1", "encrypt_c2"])]
)
def test_a_foreign_vector_is_refused_before_m_is_used(
    epoch: int, name: str, uses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PRIM-11: a peer may repeat false vectors without end, and must not get timings of m from them.

    A true vector uses m once for ct2, and once more for ct1 if that was deleted after it arrived.
    """
    side, vectors, whole = waiting(epoch, name), foreign(epoch), texts(epoch)[PqType.EK]
    used: list[str] = []

    def noted(half: str, encrypt: Callable[..., object]) -> Callable[..., object]:
        def call(*given: bytes) -> object:
            used.append(half)
            return encrypt(*given)

        return call

    for half in ("encrypt_c1", "encrypt_c2"):
        monkeypatch.setattr(kpke, half, noted(half, getattr(kpke, half)))
    if NATIVE is not None:
        halves = {
            "encapsulate_header": noted("encrypt_c1", NATIVE.encapsulate_header),
            "encapsulate_vector": noted("encrypt_c2", NATIVE.encapsulate_vector),
        }
        monkeypatch.setattr(mlkem_split, "NATIVE", SimpleNamespace(**halves))
    for vector in vectors.values():
        refused(side, PqType.EK, vector, one_by_one=False)
    assert used == []
    side.receive(PqHeader(epoch, 1, 0, PqType.EK, 0, whole))
    assert sorted(used) == uses


@EPOCH
@pytest.mark.parametrize("type_", RECEIVERS, ids=lambda type_: type_.name)
def test_one_changed_codeword_among_true_ones_is_refused(epoch: int, type_: PqType) -> None:
    """One false codeword gives another text, which its MAC or hash refuses."""
    side, share = place(epoch, RECEIVERS[type_]), share_of(epoch, type_)
    false = pq_header(epoch, type_, 500)
    side.receive(dataclasses.replace(false, codewords=flipped(false.codewords, 9)))
    rest = pq_header(epoch, type_, *range(share - 1))
    if type_ is PqType.CT1:
        side.receive(rest)
        rest = pq_header(epoch, PqType.CT2, *range(5))
    before = side.all()
    with pytest.raises(BraidFailed):
        side.receive(rest)
    assert side.all() == before


@pytest.mark.parametrize("which", ["root", "key"])
def test_a_text_is_refused_by_an_authenticator_with_another_key_or_root(which: str) -> None:
    """The key makes the MAC of a header. The root gives the next key, which makes the MAC of a ciphertext."""
    for name, type_ in (("NoHeaderReceived", PqType.HDR), ("Ct1Received", PqType.CT2)):
        side = place(3, name)
        root, key = side.state.authenticator.root, side.state.authenticator.key
        zeros = Authenticator(AuthenticatorRoot(bytes(32)), key)
        other = zeros if which == "root" else Authenticator(root, AuthenticatorKey(bytes(32)))
        side.state = dataclasses.replace(side.state, authenticator=other)
        made = pq_header(3, type_, *range(share_of(3, type_)))
        if (name == "NoHeaderReceived") == (which == "key"):
            with pytest.raises(BraidFailed):
                side.receive(made)
        else:
            side.receive(made)
            assert side.name == becomes(name, type_, whole=True)


def test_a_text_of_another_epoch_is_refused() -> None:
    """The text is sound, but its MAC is of the previous epoch."""
    for name, type_ in (("NoHeaderReceived", PqType.HDR), ("Ct1Received", PqType.CT2)):
        refused(place(4, name), type_, texts(3)[type_], one_by_one=False)


# --- what is held ---------------------------------------------------------------------------------------


HOLDS_SEED = {"KeysSampled", "HeaderSent", "Ct1Received", "EkSentCt1Received"}
HOLDS_M = {"Ct1Sampled", "Ct1Acknowledged"}


@pytest.mark.parametrize("name", STATES)
def test_a_state_holds_the_seed_or_m_only_while_it_needs_them(name: str) -> None:
    kinds = [type(each) for each in secrets_in(place(3, name).state)]
    expected = [AuthenticatorRoot, AuthenticatorKey]
    extra = [KemSeed] * (name in HOLDS_SEED) + [EncapsulationRandomness] * (name in HOLDS_M)
    assert kinds == [*expected, *extra]


def test_a_secret_that_was_dropped_is_in_no_later_state() -> None:
    """The secrets are the seed, m and earlier authenticators."""
    sides = braid_pair("gone")
    held: dict[int, set[bytes]] = {0: set(), 1: set()}
    for rooms in ((1, 1), (1, 64), (64, 1), (64, 64)):
        gone: dict[int, set[bytes]] = {0: set(), 1: set()}

        def see(side: Side, gone: dict[int, set[bytes]] = gone) -> None:
            which = sides.index(side)
            now = {each.expose() for each in secrets_in(side.state)}
            gone[which] |= held[which] - now
            held[which] = now
            everything = b"".join([*now, *texts_in(side.state).values()])
            assert not any(each in everything for each in gone[which])

        walk(sides, min(side.state.epoch for side in sides) + 1, rooms, see)
        assert len(gone[0]) >= 3
        assert len(gone[1]) >= 3


TEXTS = {"outgoing", "incoming", "kept"}
TEXTS_OF = {
    "KeysUnsampled": (),
    "KeysSampled": ("outgoing",),
    "HeaderSent": ("outgoing", "incoming"),
    "Ct1Received": ("outgoing", "kept"),
    "EkSentCt1Received": ("incoming", "kept"),
    "NoHeaderReceived": ("incoming",),
    "HeaderReceived": ("kept",),
    "Ct1Sampled": ("outgoing", "incoming", "kept"),
    "EkReceivedCt1Sampled": ("outgoing", "kept"),
    "Ct1Acknowledged": ("incoming", "kept"),
    "Ct2Sampled": ("outgoing",),
}


@pytest.mark.parametrize("name", STATES)
def test_the_texts_of_a_state_are_those_of_its_docstring(name: str) -> None:
    said = getattr(braid_states, name).__doc__ or ""
    assert {each for each in TEXTS if f"`{each}`:" in said} == set(TEXTS_OF[name])
    assert {field.name for field in dataclasses.fields(STATES[name])} & TEXTS == set(TEXTS_OF[name])


def size_of(side: Side) -> int:
    """Return the bytes of a state, with four for each number."""
    secrets = sum(len(each.expose()) for each in secrets_in(side.state))
    return 4 * 2 + secrets + sum(map(len, texts_in(side.state).values()))


@pytest.mark.parametrize("rooms", [(1, 1), (1, 2), (2, 1), (3, 4)], ids=str)
def test_a_state_is_small(rooms: tuple[int, int]) -> None:
    seen, most = set[str](), 0

    def see(side: Side) -> None:
        nonlocal most
        seen.add(side.name)
        most = max(most, size_of(side))
        held = {name for name, text in texts_in(side.state).items() if text}
        assert held <= set(TEXTS_OF[side.name])
        assert held >= set(TEXTS_OF[side.name]) - {"incoming"}
        assert len(side.incoming) <= 35 * ENTRY_BYTES

    walk(braid_pair("size"), 3, rooms, see)
    assert seen >= set(STATES) - {"EkReceivedCt1Sampled", "Ct1Acknowledged"}
    assert most <= 3500


def test_a_peer_cannot_make_a_state_grow() -> None:
    """However many codewords come, a state holds each once, and at most one less than complete the text."""
    for type_, name in RECEIVERS.items():
        side, share = place(3, name), share_of(3, type_)
        for start in range(1, share - 1):
            for index in (start, start + 1, start):
                side.receive(pq_header(3, type_, index))
        assert sum(map(len, texts_in(side.state).values())) <= 3300
        got = indices_in(side.incoming)
        assert len(got) == len(set(got)) == share - 1
        assert len(side.incoming) == ENTRY_BYTES * (share - 1)
    assert all(size_of(side) <= 3500 for side in places(3).values())
