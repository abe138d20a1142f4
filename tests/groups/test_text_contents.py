"""What the sealed bytes of a text hold: the text, its sender's head, and heads of others. GRP-6"""

from dataclasses import replace
from typing import Never

import pytest

from letterlock._groups._receiving import Agreement, compare, open_text
from letterlock._groups._sending import seal_text
from letterlock._wire import cbor
from letterlock._wire.group_content import GroupContent, Heard
from letterlock._wire.group_limits import KEPT_HEADS, MAX_HEARD
from letterlock._wire.group_text import GroupText
from letterlock.errors import (
    MalformedMessage,
    PlaintextTooLong,
    UsageError,
)
from letterlock.limits import MAX_PLAINTEXT
from support.group_chains import (
    ENTROPY,
    ENTRY,
    FIRST,
    pair,
)


def test_what_is_no_content_is_refused() -> None:
    alice = pair()
    sealed = seal_text(alice.own, 1, ENTRY, (), b"x", ENTROPY)
    assert GroupContent.decode(GroupContent(bytes(32), (), b"x").encode()).text == b"x"
    for wrong in (b"", b"\x80", GroupContent(bytes(31), (), b"x").encode(), sealed.text):
        with pytest.raises(MalformedMessage):
            GroupContent.decode(wrong)


def test_content_is_counted_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member can seal megabytes of empty arrays, which would become hundreds of megabytes of objects."""
    wrong = cbor.encode([bytes(32), [[]] * 1000, b""])

    def build(data: bytes) -> Never:
        raise AssertionError(f"{len(data)} bytes were built")

    monkeypatch.setattr(cbor, "decode", build)
    with pytest.raises(MalformedMessage):
        GroupContent.decode(wrong)


def test_heads_are_named_once_and_in_order() -> None:
    heads = [Heard(1, 1, 0, 0, bytes(32)), Heard(1, 2, 0, 0, bytes(32)), Heard(2, 1, 0, 0, bytes(32))]
    assert GroupContent.decode(GroupContent(bytes(32), tuple(heads), b"").encode()).heard == tuple(heads)
    for wrong in ([heads[0], heads[0]], [heads[1], heads[0]], [heads[2], heads[1]]):
        with pytest.raises(MalformedMessage):
            GroupContent.decode(GroupContent(bytes(32), tuple(wrong), b"").encode())


@pytest.mark.parametrize(
    "wrong",
    [
        Heard(1000, 1, 0, 0, bytes(32)),
        Heard(0, 0, 0, 0, bytes(32)),
        Heard(0, 1, 0, 2**32, bytes(32)),
        Heard(0, 1, 0, 0, b""),
        Heard(0, 1, 8, 7, bytes(32)),
        Heard(0, 1, -1, 7, bytes(32)),
    ],
    ids=["member", "device", "number", "head", "since", "since below 0"],
)
def test_a_wrong_head_is_refused(wrong: Heard) -> None:
    with pytest.raises(MalformedMessage):
        GroupContent.decode(GroupContent(bytes(32), (wrong,), b"").encode())


def test_limits_of_what_is_sealed() -> None:
    alice = pair()
    heads = tuple(Heard(0, device, 0, 0, bytes(32)) for device in range(1, MAX_HEARD + 2))
    with pytest.raises(UsageError):
        alice.send(b"", *heads)
    assert alice.read(alice.send(b"", *heads[1:])).heard == heads[1:]
    with pytest.raises(PlaintextTooLong):
        alice.send(bytes(MAX_PLAINTEXT))


# --- different texts for different members ------------------------------------------------------------


def test_two_histories_are_found_by_the_senders_next_text() -> None:  # GRP-6
    alice = pair()
    bob = alice.member
    forked = alice.own
    alice.read(alice.send(b"for the others"))
    for_bob = GroupText.decode(seal_text(forked, 1, ENTRY, (), b"for Bob", ENTROPY).text)
    bob = open_text(bob, for_bob, ENTRY).chain
    following = alice.send(b"next")
    assert alice.read(following).agreement is Agreement.SAME
    assert open_text(bob, following, ENTRY).agreement is Agreement.DIFFERENT


def test_two_histories_are_found_by_what_another_member_heard() -> None:  # GRP-6
    alice = pair()
    bob = alice.member
    forked = alice.own
    carol = alice.read(alice.send(b"for Carol")).chain
    bob = open_text(
        bob, GroupText.decode(seal_text(forked, 1, ENTRY, (), b"for Bob", ENTROPY).text), ENTRY
    ).chain
    head = dict(carol.heads)[FIRST + 1]
    assert compare(bob, Heard(0, 1, 0, FIRST, head)) is Agreement.DIFFERENT
    assert compare(carol, Heard(0, 1, 0, FIRST, head)) is Agreement.SAME
    assert compare(carol, Heard(0, 1, 0, FIRST + 7, head)) is Agreement.UNKNOWN


def test_a_history_stays_different_although_the_next_text_repeats_the_lie() -> None:  # GRP-6
    alice = pair()
    alice.read(alice.send())
    own = alice.own
    lie = replace(own, head=bytes(32))
    opened = alice.read(GroupText.decode(seal_text(lie, 1, ENTRY, (), b"", ENTROPY).text))
    assert opened.agreement is Agreement.DIFFERENT
    assert dict(opened.chain.heads)[FIRST + 1] == own.head


def test_few_heads_are_kept() -> None:
    alice = pair()
    for _ in range(2 * KEPT_HEADS):
        alice.read(alice.send())
    last = FIRST + 2 * KEPT_HEADS
    assert [number for number, _ in alice.member.heads] == list(range(last + 1 - KEPT_HEADS, last + 1))
