"""Sender chains: what a member reads, and everything that a sender, a relay or a thief may try."""

from dataclasses import replace
from itertools import count

import pytest

from letterlock._groups import _receiving, _sending
from letterlock._groups._epoch import EpochName, begin_chain, commitment
from letterlock._groups._receiving import Agreement, MemberChain, open_text
from letterlock._groups._sending import OwnChain, begin, handed_out, is_worn, seal_text
from letterlock._ratchet.keys import MessageKey
from letterlock._wire.group_bodies import EpochSecret
from letterlock._wire.group_limits import CHAIN_EPOCHS, MAX_CHAIN_TEXTS, MAX_GROUP_SKIP
from letterlock._wire.group_text import GroupText, SenderName
from letterlock._wire.sender_chain import ChainSeed, SenderChain
from letterlock.errors import (
    AuthenticationFailed,
    DuplicateMessage,
    InvalidKey,
    InvalidSignature,
    MalformedMessage,
    TooManySkipped,
    UnsupportedVersion,
    UsageError,
)

# --- reading ------------------------------------------------------------------------------------------
from support.group_chains import (
    ALICE,
    BOB,
    DAY,
    ENTROPY,
    ENTRY,
    EPOCH,
    FIRST,
    GROUP,
    NEXT,
    NEXT_SECRET,
    OPENING,
    SECRET,
    Pair,
    join,
    pair,
    resigned,
)


def test_members_read_in_order() -> None:
    alice = pair()
    for number in range(5):
        opened = alice.read(alice.send(b"%d" % number))
        assert (opened.text, opened.agreement, opened.skipped.count) == (b"%d" % number, Agreement.SAME, 0)


def test_texts_that_are_late_open_with_their_kept_keys() -> None:
    alice = pair()
    texts = [alice.send(b"%d" % number) for number in range(4)]
    last = alice.read(texts[3])
    assert (last.skipped.count, last.first_skipped, last.agreement) == (3, FIRST, Agreement.UNKNOWN)
    for number, key in enumerate(last.skipped.expose_each()):
        late = open_text(alice.member, texts[number], ENTRY, MessageKey(key))
        assert late.text == b"%d" % number
        assert (late.chain.number, late.agreement is Agreement.DIFFERENT) == (FIRST + 4, False)


@pytest.mark.parametrize("text", [b"", b"x" * 100_000], ids=["empty", "long"])
def test_any_length_comes_back(text: bytes) -> None:
    alice = pair()
    assert alice.read(alice.send(text)).text == text


def test_who_joins_reads_from_then_on_and_nothing_before() -> None:  # GRP-3
    alice = pair()
    before = [alice.send(b"before") for _ in range(2)]
    carol = join(alice.own)
    for text in before:
        with pytest.raises(DuplicateMessage):
            open_text(carol, text, ENTRY)
    opened = open_text(carol, alice.send(b"after"), ENTRY)
    assert (opened.text, opened.agreement) == (b"after", Agreement.UNKNOWN)
    again = open_text(opened.chain, alice.send(b"again"), ENTRY)
    assert again.agreement is Agreement.SAME


# --- the next epoch -----------------------------------------------------------------------------------


def test_all_go_on_into_the_next_epoch_without_a_message() -> None:
    alice = pair()
    alice.read(alice.send())
    own = _sending.continued(alice.own, NEXT, NEXT_SECRET)
    member = _receiving.continued(alice.member, NEXT, NEXT_SECRET)
    assert own is not None
    assert member is not None
    later = Pair(own, member)
    assert later.read(later.send(b"later")).text == b"later"
    assert later.own.pairs.first() != alice.own.pairs.first()


def test_who_was_removed_opens_nothing_with_all_its_keys() -> None:  # GRP-2
    alice = pair()
    removed = alice.member
    own = _sending.continued(alice.own, NEXT, NEXT_SECRET)
    assert own is not None
    text = Pair(own, removed).send(b"not for everybody")
    for guess in (SECRET, EpochSecret(bytes(32)), EpochSecret(removed.next_seed.expose())):
        chain = _receiving.continued(removed, NEXT, guess)
        assert chain is not None
        with pytest.raises(AuthenticationFailed):
            open_text(chain, text, ENTRY)


def test_a_secret_without_the_seed_gives_no_chain() -> None:  # GRP-2
    key, seed = begin_chain(ChainSeed(bytes(32)), SECRET, EPOCH, ALICE)
    alice = pair()
    stranger = replace(alice.member, key=key, next_seed=seed)
    with pytest.raises(AuthenticationFailed):
        open_text(stranger, alice.send(), ENTRY)


@pytest.mark.parametrize(
    ("epoch", "sender"),
    [
        (EpochName(b"h" * 16, 1, OPENING), ALICE),
        (EpochName(GROUP, 2, OPENING), ALICE),
        (EpochName(GROUP, 1, b"q" * 32), ALICE),
        (EPOCH, SenderName(ALICE.user_id, 2)),
        (EPOCH, SenderName(BOB.user_id, 1)),
    ],
    ids=["group", "number", "opening", "device", "user"],
)
def test_a_chain_is_bound_to_its_epoch_and_sender(epoch: EpochName, sender: SenderName) -> None:  # GRP-2
    seed = ChainSeed(b"x" * 32)
    here, there = begin_chain(seed, SECRET, EPOCH, ALICE), begin_chain(seed, SECRET, epoch, sender)
    assert here[0] != there[0]
    assert here[1] != there[1]


def test_a_seed_serves_in_sixteen_epochs() -> None:  # GRP-4
    own: OwnChain | None = begin(EPOCH, ALICE, SECRET, 0, ENTROPY)
    assert own is not None
    member: MemberChain | None = join(own)
    lived = 0
    for number in count(2):
        assert own is not None
        assert member is not None
        lived += 1
        name = EpochName(GROUP, number, OPENING)
        own, member = _sending.continued(own, name, SECRET), _receiving.continued(member, name, SECRET)
        if own is None:
            break
    assert (lived, member) == (CHAIN_EPOCHS, None)


@pytest.mark.parametrize("epoch", [EPOCH, EpochName(GROUP, 3, OPENING), EpochName(b"h" * 16, 2, OPENING)])
def test_an_epoch_is_not_left_out(epoch: EpochName) -> None:
    alice = pair()
    with pytest.raises(ValueError, match="not the next epoch"):
        _sending.continued(alice.own, epoch, NEXT_SECRET)
    with pytest.raises(ValueError, match="not the next epoch"):
        _receiving.continued(alice.member, epoch, NEXT_SECRET)


def test_a_secret_is_compared_with_what_the_log_says() -> None:  # GRP-5
    committed = commitment(SECRET, 1)
    assert committed != commitment(NEXT_SECRET, 1)
    assert committed != commitment(SECRET, 2)


def test_a_new_seed_begins_at_numbers_of_its_own() -> None:  # GRP-29
    alice = pair()
    alice.read(alice.send())
    alice.read(alice.send())
    renewed = begin(EPOCH, ALICE, SECRET, 0, ENTROPY, alice.own)
    assert (renewed.number, renewed.before, renewed.head) == (2 * FIRST, FIRST + 2, alice.own.head)
    later = Pair(renewed, join(renewed))
    assert later.read(later.send(b"later")).agreement is Agreement.UNKNOWN
    with pytest.raises(InvalidSignature):
        open_text(alice.member, later.send(), ENTRY)
    own = _sending.continued(renewed, NEXT, NEXT_SECRET)
    assert own is not None
    assert (own.number, own.before) == (0, 0)


def test_a_chain_does_not_begin_before_what_came_before_it() -> None:  # GRP-29
    chain = handed_out(pair().own)
    for before in (FIRST + 1, 2**32):
        with pytest.raises(MalformedMessage):
            SenderChain.decode(replace(chain, before=before).encode())


# --- when a seed is worn ------------------------------------------------------------------------------


def test_a_seed_is_worn_by_texts_and_by_time() -> None:  # GRP-4
    own = begin(EPOCH, ALICE, SECRET, 1_000, ENTROPY)
    assert not is_worn(own, 1_000 + 7 * DAY - 1)
    assert is_worn(own, 1_000 + 7 * DAY)
    assert not is_worn(own, 0)
    worn = replace(own, sent=MAX_CHAIN_TEXTS)
    assert is_worn(worn, 1_000)
    with pytest.raises(UsageError, match="worn"):
        seal_text(worn, 1, ENTRY, (), b"", ENTROPY)


# --- what a relay may do ------------------------------------------------------------------------------


def test_a_text_opens_once() -> None:  # GRP-8
    alice = pair()
    text = alice.send()
    alice.read(text)
    with pytest.raises(DuplicateMessage):
        open_text(alice.member, text, ENTRY)


@pytest.mark.parametrize("at", range(0, 297, 9))
def test_a_changed_byte_is_noticed(at: int) -> None:  # GRP-7
    alice = pair()
    encoded = bytearray(alice.send(b"x" * 100).encoded)
    encoded[at] ^= 1
    with pytest.raises((MalformedMessage, UnsupportedVersion, InvalidSignature, ValueError)):
        open_text(alice.member, GroupText.decode(bytes(encoded)), ENTRY)


def test_a_receiver_with_another_log_opens_nothing() -> None:  # GRP-1
    alice = pair()
    with pytest.raises(InvalidSignature):
        alice.read(alice.send(), entry_hash=b"f" * 32)


@pytest.mark.parametrize("what", ["group", "epoch", "user", "device"])
def test_a_text_of_another_chain_is_not_taken(what: str) -> None:
    alice = pair()
    text = alice.send()
    places = {
        "group": replace(text.place, group_id=b"h" * 16),
        "epoch": replace(text.place, epoch=2),
        "user": replace(text.place, sender=BOB),
        "device": replace(text.place, sender=SenderName(ALICE.user_id, 9)),
    }
    with pytest.raises(ValueError, match="of another"):
        alice.read(resigned(alice.own, text, places[what]))


# --- what a sender may do -----------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "entry"), [(FIRST + 1, 1), (FIRST, 2)], ids=["number", "entry"])
def test_a_signed_text_with_another_place_does_not_open(number: int, entry: int) -> None:  # GRP-7
    alice = pair()
    text = alice.send()
    with pytest.raises(AuthenticationFailed):
        alice.read(resigned(alice.own, text, replace(text.place, number=number, entry=entry)))


def test_a_text_that_was_sealed_for_another_log_does_not_open() -> None:  # GRP-1
    """Its sender signs it for the receiver's log. The tag says what it was sealed for."""
    alice = pair()
    text = alice.send(entry_hash=b"f" * 32)
    with pytest.raises(AuthenticationFailed):
        alice.read(resigned(alice.own, text, text.place))


def test_a_member_cannot_write_in_the_name_of_another() -> None:
    """A member has the chain key of everybody, and the signing key of nobody else."""
    alice, mallory = pair(), pair()
    text = seal_text(replace(alice.own, pairs=mallory.own.pairs), 1, ENTRY, (), b"forged", ENTROPY).text
    with pytest.raises(InvalidSignature):
        alice.read(GroupText.decode(text))


def test_a_jump_is_refused_before_any_key_is_derived() -> None:  # GRP-7
    alice = pair()
    ahead = replace(alice.own, number=FIRST + MAX_GROUP_SKIP + 1)
    text = GroupText.decode(seal_text(ahead, 1, ENTRY, (), b"far", ENTROPY).text)
    with pytest.raises(TooManySkipped):
        open_text(alice.member, text, ENTRY)
    just = replace(alice.own, number=FIRST + MAX_GROUP_SKIP)
    with pytest.raises(AuthenticationFailed):  # the jump itself is allowed; the key was not that of the place
        open_text(alice.member, GroupText.decode(seal_text(just, 1, ENTRY, (), b"", ENTROPY).text), ENTRY)


# --- what travels in a session ------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [b"", bytes(33), bytes(32 * (CHAIN_EPOCHS + 1))])
def test_signing_keys_have_a_length(keys: bytes) -> None:
    chain = replace(handed_out(pair().own), public_keys=keys)
    with pytest.raises(MalformedMessage):
        SenderChain.decode(chain.encode())


@pytest.mark.parametrize(
    "key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32], ids=["order 4", "one", "no point"]
)
def test_a_weak_signing_key_is_refused(key: bytes) -> None:
    chain = handed_out(pair().own)
    for keys in (key, chain.public_keys[:-32] + key):
        with pytest.raises(InvalidKey):
            SenderChain.decode(replace(chain, public_keys=keys).encode())


@pytest.mark.parametrize("at", [0, 1, 2, 5])
def test_what_is_no_chain_is_refused(at: int) -> None:
    encoded = handed_out(pair().own).encode()
    for wrong in (encoded[: len(encoded) - at - 1], encoded + bytes(at + 1)):
        with pytest.raises(MalformedMessage):
            SenderChain.decode(wrong)
    with pytest.raises(UsageError):
        SenderChain.decode(bytearray(encoded))  # type: ignore[arg-type]
