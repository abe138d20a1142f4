"""Sealing: texts that a device writes, and seeds that have served."""

from typing import Any, Final

from generators.support.family import Family, Json
from generators.support.group_texts import Writer, entry_hash, next_head, walked
from generators.support.labels import draw

ALICE: Final = Writer("alice")
NOW: Final = 1_760_000_000


def given(number: int = 0, **changes: Any) -> Json:
    """Return the input of group.seal."""
    usual: Json = {
        "chain_key": walked(ALICE.keys(1)[0], number).hex(), "signing_seed": ALICE.signing_seed(1).hex(),
        "head": draw("a head", 32).hex(), "group_id": ALICE.group.hex(), "epoch": 1, "entry": 1,
        "entry_hash": entry_hash(1).hex(), "user_id": ALICE.user_id.hex(), "device_id": 1, "number": number,
        "heard": [], "text": b"a text".hex(), "nonce": draw("a nonce of a group's text", 8).hex(),
        "sent": 0, "begun": NOW, "now": NOW,
    }  # fmt: skip
    return usual | changes


def heard(count: int) -> list[Json]:
    """Return heads of others."""
    return [
        {"member": at, "device_id": 1, "since": at // 2, "number": at, "head": draw(f"head {at}", 32).hex()}
        for at in range(count)
    ]


def add(family: Family) -> None:
    """Add the groups."""
    group = family.group("group.seal", "texts that a device seals")
    for comment, wanted in (
        ("the first text", given()),
        ("a later text", given(7)),
        ("an empty text", given(text="")),
        ("four heads of others", given(heard=heard(4))),
        ("another entry", given(entry=300, entry_hash=entry_hash(300).hex())),
        ("the last text of a seed", given(sent=4_999)),
        ("the last second of a seed", given(now=NOW + 604_799)),
        ("a clock that went back", given(now=NOW - 604_800)),
    ):
        answer = group.valid(comment, wanted, rules=["GRP-1", "GRP-4", "GRP-6"])
        head = next_head(bytes.fromhex(wanted["head"]), bytes.fromhex(answer["text"]))
        assert answer["head"] == head.hex()
        assert answer["chain_key"] == walked(ALICE.keys(1)[0], wanted["number"] + 1).hex()
    group = family.group("group.seal", "seeds that have served")
    for comment, wrong in (
        ("5,000 texts", given(sent=5_000)),
        ("5,001 texts", given(sent=5_001)),
        ("seven days", given(now=NOW + 604_800)),
        ("a year", given(now=NOW + 31_536_000)),
        ("both", given(sent=5_000, now=NOW + 604_800)),
    ):
        group.invalid(comment, wrong, "UsageError", flags=["Worn"], rules=["GRP-4"])
    group.invalid(
        "five heads of others", given(heard=heard(5)), "UsageError", flags=["Content"], rules=["GRP-6"]
    )
