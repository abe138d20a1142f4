"""Texts as they come: in order, late, through epochs, and with heads that agree or do not."""

from typing import Final

from generators.support.family import Family
from generators.support.group_texts import (
    Writer,
    compared,
    entry_hash,
    moved,
    next_head,
    opened,
    played,
)
from generators.support.labels import draw

ALICE: Final = Writer("alice")


def add(family: Family) -> None:
    """Add the groups."""
    order(family)
    epochs(family)
    heads(family)


def order(family: Family) -> None:
    """Add texts in one epoch."""
    group = family.group("group.play", "texts that open")
    said = [ALICE.said(1, at) for at in range(5)]
    for comment, numbers in (
        ("in order", [0, 1, 2]),
        ("the first one late", [1, 0, 2]),
        ("backwards", [4, 3, 2, 1, 0]),
        ("two that never come", [2, 4]),
    ):
        steps = [opened(said[each]) for each in numbers]
        group.play(comment, played(ALICE, steps), rules=["GRP-2", "GRP-7"])
    far = ALICE.text(1, 2_000)
    steps = [opened(far), opened(said[0]), opened(ALICE.text(1, 1_999))]
    group.play("2,000 are skipped", played(ALICE, steps), rules=["GRP-7"])
    for comment, text in (
        ("an empty text", ALICE.text(1, 0, said=b"")),
        ("4,000 bytes", ALICE.text(1, 0, said=draw("a long text", 4_000))),
        (
            "the greatest member, device and number of others",
            ALICE.text(
                1,
                0,
                heard=[
                    [0, 1, 0, 0, bytes(32)],
                    [0, 2, 3, 5, bytes(32)],
                    [999, 2**32 - 1, 2**32 - 1, 2**32 - 1, bytes(32)],
                ],
            ),
        ),
    ):
        group.play(comment, played(ALICE, [opened(text)]), rules=["GRP-6"])
    other = entry_hash(77)
    text = ALICE.text(1, 0, entry=77, entry_hash=other)
    group.play("after a later entry", played(ALICE, [opened(text, other)]), rules=["GRP-1"])
    middle = played(ALICE, [opened(said[3]), opened(said[4])], ALICE.chain(3))
    group.play("a chain that was handed out in the middle", middle, rules=["GRP-3"])


def epochs(family: Family) -> None:
    """Add chains that go on in the next epochs."""
    group = family.group("group.play", "chains that go on in the next epochs")
    steps = [opened(ALICE.said(1, 0)), moved(2), opened(ALICE.said(2, 0)), moved(3), opened(ALICE.said(3, 1))]
    group.play("three epochs", played(ALICE, steps), rules=["GRP-2"])
    late = [opened(ALICE.said(1, 2)), moved(2), opened(ALICE.said(2, 0)), opened(ALICE.said(1, 0)),
            opened(ALICE.said(1, 3)), opened(ALICE.said(2, 1))]  # fmt: skip
    group.play("texts of the epoch before that come late", played(ALICE, late), rules=["GRP-2"])
    silent = [moved(2), moved(3), moved(4), opened(ALICE.said(4, 0))]
    group.play("epochs without a text", played(ALICE, silent), rules=["GRP-2"])
    last = played(ALICE, [moved(2), moved(3)], ALICE.chain(epochs=2))
    answer = group.play("no signing key is left", last, rules=["GRP-4"])
    assert [step["goes_on"] for step in answer["steps"]] == [True, False]
    all_of = played(ALICE, [moved(epoch) for epoch in range(2, 18)])
    answer = group.play("16 epochs", all_of, rules=["GRP-4"])
    assert [step["goes_on"] for step in answer["steps"]] == [True] * 15 + [False]


def heads(family: Family) -> None:
    """Add heads that are compared."""
    group = family.group("group.play", "heads that agree, and that do not")
    first, second = ALICE.said(1, 0), ALICE.said(1, 1)
    other = ALICE.text(1, 0, before=ALICE.first_head(1), said=b"another text")
    forked = ALICE.text(1, 1, before=next_head(ALICE.first_head(1), other))
    for comment, steps, found in (
        ("the sender's heads agree", [opened(first), opened(second)], ["same", "same"]),
        ("the first text names another head", [opened(ALICE.text(1, 0))], ["different"]),
        ("others were shown another text before", [opened(first), opened(forked)], ["same", "different"]),
        (
            "a head on record stays",
            [opened(first), opened(forked), compared(1, 0, ALICE.head(1, 1))],
            ["same", "different", "same"],
        ),
        ("the same, the other way round", [opened(forked), opened(first)], ["unknown", "different"]),
        ("a text that came late agrees", [opened(second), opened(first)], ["unknown", "same"]),
        ("a head that nobody can compare", [opened(ALICE.said(1, 3))], ["unknown"]),
        (
            "heads that others name",
            [
                opened(first),
                compared(1, 0, ALICE.head(1, 1)),
                compared(1, 0, bytes(32)),
                compared(1, 1, bytes(32)),
            ],
            ["same", "same", "different", "unknown"],
        ),
        (
            "the head of a later text",
            [opened(second), compared(1, 1, ALICE.head(1, 2)), compared(1, 0, ALICE.head(1, 1))],
            ["unknown", "same", "same"],
        ),
        (
            "heads of two epochs",
            [
                opened(first),
                moved(2),
                opened(ALICE.said(2, 0)),
                compared(1, 0, ALICE.head(1, 1)),
                compared(2, 0, ALICE.head(1, 1)),
            ],
            ["same", None, "same", "same", "different"],
        ),
    ):
        answer = group.play(comment, played(ALICE, steps), rules=["GRP-6"])
        assert [step.get("agreement") for step in answer["steps"]] == found, comment
    new = ALICE.chain(changes={"number": 5_000})
    text = ALICE.text(1, 5_000, key=ALICE.message_key(1, 0), before=ALICE.first_head(1))
    answer = group.play(
        "the first text of a new seed, before which there was none",
        played(ALICE, [opened(text)], new),
        rules=["GRP-6", "GRP-29"],
    )
    assert answer["steps"][0]["agreement"] == "same"
    later = ALICE.chain(changes={"number": 5_000, "before": 7})
    answer = group.play(
        "the first text of a new seed, after others",
        played(ALICE, [opened(text)], later),
        rules=["GRP-6", "GRP-29"],
    )
    assert answer["steps"][0]["agreement"] == "unknown"
