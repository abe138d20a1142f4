"""Seeds of document keys: USR-42. What is sealed opens one way only, and every seed is checked."""

import hashlib
from typing import Final

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from letterlock._wire.linking_payload import DocumentSeed
from letterlock.user import DeviceList, LinkingRefused, ListChain, ListedDevice
from letterlock.user import _document_seeds as seeds
from letterlock.user._drafts import first_snapshot, next_snapshot
from letterlock.user._signatures import sign_snapshot
from support.pair import NOON, entropy_of, flipped
from support.user_tools import keys

DRAW: Final = entropy_of("document seeds")
SEEDS: Final = tuple((generation, seeds.new_seed(DRAW)) for generation in (1, 2, 3, 4))


def chain_of(made: seeds.Seeds) -> ListChain:
    """Return a chain whose versions begin these generations, with a version between that begins none."""
    owner = keys("seeds 1")
    public = [seeds.document_key_pair(seed).public.data for _, seed in made]
    lists = [sign_first(owner.listed(1), public[0])]
    user_id = lists[0].hash
    for key in (None, *public[1:], None):
        snapshot = next_snapshot(lists[-1], user_id, NOON, document_key=key)
        lists.append(sign_snapshot(snapshot, 1, owner.signing))
    return ListChain.verify(lists)


def sign_first(device: ListedDevice, key: bytes) -> DeviceList:
    owner = keys("seeds 1")
    snapshot = first_snapshot((device,), key, NOON)
    return sign_snapshot(snapshot, 1, owner.signing, (owner.prove(snapshot, 1),))


CHAIN: Final = chain_of(SEEDS)
SEALED: Final = seeds.seal_seeds(SEEDS, CHAIN.user_id)
NEWEST: Final = SEEDS[-1][1]


def refused(newest: DocumentSeed, sealed: tuple[bytes, ...], chain: ListChain = CHAIN) -> None:
    with pytest.raises(LinkingRefused, match="begin again"):
        seeds.open_seeds(newest, sealed, chain)


def test_the_newest_seed_opens_all_before_it() -> None:
    assert [len(each) for each in SEALED] == [48] * 3
    assert seeds.open_seeds(NEWEST, SEALED, CHAIN) == SEEDS


def test_one_generation_needs_nothing_sealed() -> None:
    chain = chain_of(SEEDS[:1])
    assert seeds.seal_seeds(SEEDS[:1], chain.user_id) == ()
    assert seeds.open_seeds(SEEDS[0][1], (), chain) == SEEDS[:1]


def test_the_formulae_by_another_road() -> None:
    """USR-42, with the library's own HKDF."""
    for place, (generation, seed) in enumerate(reversed(SEEDS[:-1])):
        number = generation.to_bytes(4, "big")
        info = b"letterlock-v1 document seed" + CHAIN.user_id + number
        key = HKDF(SHA256(), 32, bytes(32), info).derive(SEEDS[generation][1].expose())
        public = hashlib.sha256(seeds.document_key_pair(seed).public.data).digest()
        opened = ChaCha20Poly1305(key).decrypt(bytes(12), SEALED[place], CHAIN.user_id + number + public)
        assert opened == seed.expose()


def test_an_older_seed_opens_nothing_newer() -> None:
    """A revoked device holds seeds 1 to 3. None of them opens what was sealed under seed 4."""
    for _, seed in SEEDS[:-1]:
        refused(seed, SEALED)
        for sealed in SEALED[:1]:
            with pytest.raises(LinkingRefused):
                seeds._opened(sealed, seed, CHAIN.user_id, CHAIN.lists[4].snapshot.document_key)  # type: ignore[arg-type]


def test_every_changed_byte_is_noticed() -> None:
    for place, each in enumerate(SEALED):
        for at in range(len(each)):
            refused(NEWEST, (*SEALED[:place], flipped(each, at), *SEALED[place + 1 :]))


def test_missing_added_exchanged_and_cut_seeds_are_noticed() -> None:
    one, two, three = SEALED
    for wrong in (
        (),
        (one,),
        (one, two),
        (two, three),
        (*SEALED, three),
        (two, one, three),
        (three, two, one),
    ):
        refused(NEWEST, wrong)
    for wrong_length in (b"", one[:-1], one + b"\0", one[:16]):
        refused(NEWEST, (wrong_length, two, three))


def test_seeds_of_another_user_or_generation_do_not_open() -> None:
    refused(NEWEST, seeds.seal_seeds(SEEDS, bytes(32)))
    moved = tuple((generation + 1, seed) for generation, seed in SEEDS)
    refused(NEWEST, seeds.seal_seeds(moved, CHAIN.user_id))


def test_a_seed_that_is_not_the_listed_keys_is_refused() -> None:
    """Whoever links hands out a seed of their own, correctly sealed: the document keys tell."""
    foreign = seeds.new_seed(DRAW)
    for at in range(4):
        made = (*SEEDS[:at], (at + 1, foreign), *SEEDS[at + 1 :])
        refused(made[-1][1], seeds.seal_seeds(made, CHAIN.user_id))
