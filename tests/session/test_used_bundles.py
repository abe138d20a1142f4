"""SES-13: a bundle is used once, because its owner cannot read a second session that was begun with it."""

import hashlib

import cbor2
import pytest

from letterlock._device.known_peers import all_peers
from letterlock._records.peer import decode_peer, decode_peer_and_used, encode_peer
from letterlock._wire.suite import Suite
from letterlock.errors import CorruptStore, UsageError
from letterlock.limits import MAX_USED_PREKEYS
from letterlock.stores._interface import Record
from support.pair import BOB, Pair, Side, unchanged
from support.prekey_tools import mixed


def used(side: Side) -> tuple[bytes, ...]:
    with side.store.transaction():
        record = side.store.tables.peers.load(side.peer.encode())
    assert record is not None
    return decode_peer_and_used(record)[1]


@pytest.mark.parametrize("discard", [False, True])
def test_a_bundle_is_used_once(any_pair: Pair, discard: bool) -> None:
    bundle = any_pair.bob.account.bundle()
    any_pair.alice.initiate(bundle)
    any_pair.reopen()
    with unchanged(any_pair.alice.store), pytest.raises(UsageError, match="ask the peer for a new one"):
        any_pair.alice.account.initiate(BOB, bundle, discard_earlier=discard)
    any_pair.alice.say(b"the first session goes on")
    assert any_pair.bob.hear() == b"the first session goes on"
    with unchanged(any_pair.alice.store), pytest.raises(UsageError):
        any_pair.alice.initiate(bundle)
    any_pair.alice.initiate()
    any_pair.turn()


def test_one_used_prekey_is_enough(x3dh_pair: Pair) -> None:
    pair = x3dh_pair
    first, second = pair.bob.account.bundle(), pair.bob.account.bundle()
    pair.alice.initiate(first, Suite.PQXDH)
    for one_time, kem in (
        (second.one_time, first.kem),
        (first.one_time, second.kem),
        (None, first.kem),
    ):
        bundle = mixed(pair.bob.store, first, one_time, kem)
        with unchanged(pair.alice.store), pytest.raises(UsageError):
            pair.alice.initiate(bundle, Suite.PQXDH)
    pair.alice.initiate(second, Suite.PQXDH)


def test_in_x3dh_the_kem_prekey_is_not_used(x3dh_pair: Pair) -> None:
    pair = x3dh_pair
    bundle = pair.bob.account.bundle()
    pair.alice.initiate(bundle, Suite.X3DH)
    assert len(used(pair.alice)) == 1
    pair.alice.initiate(mixed(pair.bob.store, bundle, None, bundle.kem), Suite.PQXDH)
    assert len(used(pair.alice)) == 2


def test_a_bundle_without_one_time_prekeys_can_be_used_again(pair: Pair) -> None:
    bundle = pair.bob.account.publish(0).last_resort_bundle()
    for _ in range(3):
        pair.alice.initiate(bundle)
        pair.alice.say(b"readable")
        assert pair.bob.hear() == b"readable"
    assert used(pair.alice) == ()


def test_what_is_rolled_back_was_not_used(pair: Pair) -> None:
    bundle = pair.bob.account.bundle()
    with pytest.raises(KeyError), pair.alice.account.transaction():
        pair.alice.initiate(bundle)
        raise KeyError
    pair.alice.initiate(bundle)
    assert len(used(pair.alice)) == 2


def test_the_names_are_those_of_the_specification(pair: Pair) -> None:
    bundle = pair.bob.account.bundle()
    pair.alice.initiate(bundle)
    assert bundle.one_time is not None
    assert bundle.kem is not None
    names = [
        hashlib.sha256(bytes([kind]) + key).digest()
        for kind, key in ((2, bundle.one_time.key.data), (3, bundle.kem.key.data))
    ]
    assert [*used(pair.alice)] == names


def test_the_oldest_names_are_forgotten(pair: Pair) -> None:
    bundles = list(pair.bob.account.publish(MAX_USED_PREKEYS // 2 + 1).bundles())
    for bundle in bundles:
        pair.alice.initiate(bundle)
    assert len(used(pair.alice)) == MAX_USED_PREKEYS == 128
    with pytest.raises(UsageError):
        pair.alice.initiate(bundles[1])
    pair.alice.initiate(bundles[0])


def test_a_peer_s_record_has_two_forms(pair: Pair) -> None:
    pair.introduce()
    with pair.alice.store.transaction():
        (peer,) = all_peers(pair.alice.store.tables)
    names = bytes(32), b"\x01" * 32
    assert cbor2.loads(encode_peer(peer).expose())[0] == 1
    assert decode_peer_and_used(encode_peer(peer)) == (peer, ())
    assert decode_peer_and_used(encode_peer(peer, names)) == (peer, names)
    assert decode_peer(encode_peer(peer, names)) == peer
    fields = cbor2.loads(encode_peer(peer, names).expose())
    assert fields[0] == 2
    for wrong in (
        [1, *fields[1:]],
        [3, *fields[1:]],
        [*fields, b""],
        [2, *fields[1:3]],
        *([*fields[:3], each] for each in (b"", bytes(31), bytes(33), None, 0, bytes(32 * 129))),
    ):
        with pytest.raises(CorruptStore):
            decode_peer(Record(cbor2.dumps(wrong)))
