"""Evidence, and safety numbers of users."""

from dataclasses import replace
from typing import Any

from generators.support.encoding import encode
from generators.support.family import Family
from generators.support.labels import draw
from generators.support.owner import Owner


def evidence(shared: Any, ours: Any, theirs: Any, name: object = "bob") -> dict[str, str]:
    """Return the input: evidence written by hand."""
    parts = [[each.encode() for each in part] for part in (shared, ours, theirs)]
    return {"evidence": encode([1, 9, name, *parts]).hex()}  # type: ignore[list-item]


def add(family: Family) -> None:
    """Add the groups."""
    bob, mallory = Owner("bob"), Owner("mallory of evidence")
    first = bob.lists[0]
    second = bob.next(new_key=True)
    other = bob.make(1, lambda it: replace(it, issued=5), after=first)
    stranger = mallory.lists[0]
    group = family.group("evidence.check", "what two chains show")
    group.valid("a fork", evidence([first], [second], [other]), rules=["USR-17"])
    group.valid("an older version", evidence([first], [second], []), rules=["USR-17"])
    group.valid("another user", evidence([], [first], [stranger], "b\u00f8b"), rules=["USR-17"])
    unsigned = replace(other, signature=second.signature)
    for comment, error, given in (
        ("one chain twice", "InvalidDeviceList", evidence([first], [second], [second])),
        ("a continuation", "InvalidDeviceList", evidence([first], [], [second])),
        ("one chain only", "InvalidDeviceList", evidence([], [first], [])),
        ("nothing", "InvalidDeviceList", evidence([], [], [])),
        ("a shared version not shared", "InvalidDeviceList", evidence([], [first, second], [first, other])),
        ("no first version", "InvalidDeviceList", evidence([second], [second], [other])),
        ("a fork that nobody signed", "InvalidSignature", evidence([first], [second], [unsigned])),
        ("our branch that nobody signed", "InvalidSignature", evidence([first], [unsigned], [second])),
        ("another user's list as the other branch", "InvalidDeviceList",
         evidence([first], [second], [stranger])),
        ("a shared version that nobody signed", "InvalidSignature",
         evidence([replace(first, signature=second.signature)], [second], [other])),
    ):  # fmt: skip
        group.invalid(comment, given, error, flags=["MadeUp"], rules=["USR-17"])
    for comment, name in (("a name with an invisible character", "bo\u200bb"), ("no name", "")):
        group.invalid(
            comment,
            evidence([first], [second], [], name),
            "MalformedMessage",
            flags=["Shape"],
            rules=["WIRE-8"],
        )
    group = family.group("user_safety_number.compute", "digits and codes of two users")
    one, two = draw("a user id", 32).hex(), draw("another user id", 32).hex()
    sorted_digits = group.valid("two users", {"ours": one, "theirs": two}, rules=["USR-18"])["digits"]
    exchanged = group.valid("the same users, exchanged", {"ours": two, "theirs": one}, rules=["USR-18"])
    assert exchanged["digits"] == sorted_digits
    group.valid("the extremes", {"ours": "00" * 32, "theirs": "ff" * 32}, rules=["USR-18"])
