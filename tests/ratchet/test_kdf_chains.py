"""RAT-1, RAT-2, RAT-10: both KDFs against an independent computation, and chains at their limits."""

import pytest

from letterlock._primitives.curve25519 import SharedPoint
from letterlock._ratchet.double import ReceivingChain, SendingChain, kdf_ck
from letterlock._ratchet.keys import ChainKey, MessageKey, PassedKeys, RootKey, SkippedKeys
from letterlock._ratchet.root import kdf_rk
from letterlock.errors import TooManySkipped, UsageError
from letterlock.limits import MAX_COUNTER, MAX_SKIP
from support import reference
from support.double_pair import ROOT, fresh_key
from support.pair import entropy_of, flipped

CHAIN = ChainKey(b"\x22" * 32)


def message_keys(chain: bytes, count: int) -> list[bytes]:
    keys = []
    for _ in range(count):
        chain, key = reference.kdf_ck(chain)
        keys.append(key)
    return keys


@pytest.mark.parametrize("seed", range(5))
def test_kdf_rk_is_the_reference(seed: int) -> None:
    draw = entropy_of(seed)
    root, agreement = draw(32), draw(32)
    next_root, chain = kdf_rk(RootKey(root), SharedPoint(agreement))
    assert (next_root.expose(), chain.expose()) == reference.kdf_rk(root, agreement)


@pytest.mark.parametrize("seed", range(5))
def test_kdf_ck_is_the_reference(seed: int) -> None:
    chain = entropy_of(seed)(32)
    next_chain, message = kdf_ck(ChainKey(chain))
    assert (next_chain.expose(), message.expose()) == reference.kdf_ck(chain)


def test_every_input_of_kdf_rk_changes_both_outputs() -> None:
    root, agreement = bytes(range(32)), bytes(range(32, 64))
    original = kdf_rk(RootKey(root), SharedPoint(agreement))
    others = [
        kdf_rk(RootKey(flipped(root, 31)), SharedPoint(agreement)),
        kdf_rk(RootKey(root), SharedPoint(flipped(agreement, 31))),
        kdf_rk(RootKey(root), SharedPoint(agreement), b"another label"),
        kdf_rk(RootKey(agreement), SharedPoint(root)),
    ]
    keys = {each.expose() for pair in (original, *others) for each in pair}
    assert len(keys) == 10


@pytest.mark.parametrize("wrong", [None, b"\x22" * 32, "x" * 32])
def test_a_chain_without_a_key_cannot_step(wrong: ChainKey) -> None:
    """Revision 4: KDF_CK fails if ck is None. It also fails for bytes that are not a ChainKey."""
    with pytest.raises((AttributeError, TypeError)):
        kdf_ck(wrong)


def test_a_sending_chain_numbers_its_messages() -> None:
    chain, keys = SendingChain(CHAIN), []
    for number in range(10):
        assert chain.number == number
        chain, key = chain.step()
        keys.append(key.expose())
    assert keys == message_keys(CHAIN.expose(), 10)
    assert chain.key != CHAIN


def test_a_receiving_chain_gives_the_keys_of_the_sending_chain() -> None:
    chain, keys = ReceivingChain(fresh_key(), CHAIN), []
    for _ in range(10):
        chain, key = chain.step()
        keys.append(key.expose())
    assert keys == message_keys(CHAIN.expose(), 10)


@pytest.mark.parametrize("to", [0, 1, 7, MAX_SKIP])
def test_skipping_gives_the_keys_of_the_skipped_messages(to: int) -> None:
    chain = ReceivingChain(fresh_key(), CHAIN)
    after, gap = chain.skip(to)
    assert after.number == to
    if gap is None:
        assert to == 0
    else:
        assert (gap.ratchet_key, gap.start) == (fresh_key(), 0)
        assert list(gap.keys().expose_each()) == message_keys(CHAIN.expose(), to)
        assert gap.keys().count == gap.passed.count == to
    assert after.step()[1].expose() == message_keys(CHAIN.expose(), to + 1)[-1]


@pytest.mark.parametrize("length", [1, 31, 33, 40, 63])
@pytest.mark.parametrize("role", [PassedKeys, SkippedKeys])
def test_many_keys_must_have_a_multiple_of_32_bytes(
    role: type[PassedKeys | SkippedKeys], length: int
) -> None:
    with pytest.raises(ValueError, match=f"{role.__name__} needs keys of 32 bytes"):
        role(bytes(length))


def test_skipping_backwards_changes_nothing() -> None:
    chain = ReceivingChain(fresh_key(), CHAIN, 5)
    for to in (0, 4, 5):
        assert chain.skip(to) == (chain, None)


@pytest.mark.parametrize("number", [0, 1, 5, MAX_COUNTER - MAX_SKIP - 1])
def test_a_jump_is_refused_past_the_limit_and_not_at_it(number: int) -> None:  # RAT-5
    chain = ReceivingChain(fresh_key(), CHAIN, number)
    chain.check_skip(number + MAX_SKIP)
    for method in (chain.check_skip, chain.skip):
        with pytest.raises(TooManySkipped) as caught:
            method(number + MAX_SKIP + 1)
        assert (caught.value.skipped, caught.value.limit) == (MAX_SKIP + 1, MAX_SKIP)


@pytest.mark.parametrize("number", [MAX_COUNTER, MAX_COUNTER + 1])
def test_a_full_sending_chain_does_not_step(number: int) -> None:  # RAT-10
    with pytest.raises(UsageError, match="full"):
        SendingChain(CHAIN, number).step()
    last, _ = SendingChain(CHAIN, MAX_COUNTER - 1).step()
    assert last.number == MAX_COUNTER


def test_roots_and_chains_are_different_types() -> None:
    """PRIM-1: equal bytes in two roles are two keys."""
    same = b"\x01" * 32
    roles = [RootKey(same), ChainKey(same), MessageKey(same), SharedPoint(same)]
    for one in roles:
        for other in roles:
            assert (one == other) == (one is other)
    assert RootKey(same) == RootKey(same) != ROOT
