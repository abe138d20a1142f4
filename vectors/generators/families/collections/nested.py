"""Collections inside each other: which may be, and which edges between them are void."""

from collections.abc import Sequence
from typing import Final

from generators.support.family import Family, Json

Edge = tuple[str, str, int]
"""Two collections, and the first byte of the hash of the entry by which the second became a member."""

CHAIN: Final[list[Edge]] = [("a", "b", 1), ("b", "c", 2), ("c", "d", 3)]
TREE: Final[list[Edge]] = [("a", "b", 1), ("a", "c", 2), ("b", "d", 3), ("c", "d", 4)]


def given(edges: Sequence[Edge], **more: object) -> Json:
    """Return edges as an operation takes them."""
    shown = [
        {"outer": outer, "inner": inner, "entry": bytes([first] * 32).hex()} for outer, inner, first in edges
    ]
    return {"edges": shown, **more}


def add(family: Family) -> None:
    """Add the groups."""
    void(family)
    allowed(family)
    refused(family)


def void(family: Family) -> None:
    """Add edges of which some do not count."""
    group = family.group("nesting.void", "edges between collections, and those that are void")
    circle: list[Edge] = [("a", "b", 1), ("b", "c", 3), ("c", "a", 2)]
    eight: list[Edge] = [("a", "b", 1), ("b", "a", 3), ("b", "c", 2), ("c", "b", 4)]
    nested: list[Edge] = [("a", "b", 3), ("b", "c", 1), ("c", "b", 2), ("c", "a", 0)]
    shared: list[Edge] = [("a", "b", 4), ("b", "c", 5), ("c", "a", 1), ("b", "a", 2)]
    for comment, edges, closed, found in (
        ("a chain", CHAIN, [], []),
        ("two ways to one collection", TREE, [], []),
        ("two collections inside each other", [("a", "b", 2), ("b", "a", 1)], [], [["a", "b"]]),
        ("the same, added in the other order", [("a", "b", 1), ("b", "a", 2)], [], [["b", "a"]]),
        ("a circle of three", circle, [], [["b", "c"]]),
        ("a circle with something behind it", [*circle, ("a", "d", 9)], [], [["b", "c"]]),
        ("two circles that share a collection", eight, [], [["b", "a"], ["c", "b"]]),
        ("two circles that share an edge, which is the greatest", nested, [], [["a", "b"], ["c", "b"]]),
        ("an edge whose circle another one breaks too", shared, [], [["a", "b"], ["b", "c"]]),
        ("an edge to a closed collection", CHAIN, ["c"], [["b", "c"]]),
        ("edges from a closed collection", CHAIN, ["a"], []),
        ("a closed collection in a circle", circle, ["a"], [["b", "c"], ["c", "a"]]),
    ):
        output = {"void": found}
        group.valid(comment, given(edges, closed=closed), rules=["DOC-78"], output=output)


def allowed(family: Family) -> None:
    """Add collections that may become members."""
    group = family.group("nesting.check", "collections that may become members")
    for comment, edges, outer, inner in (
        ("nothing is known of both", [], "a", "b"),
        ("four inside each other", CHAIN[:2], "c", "d"),
        ("four inside each other, from outside", CHAIN[1:], "a", "b"),
        ("two chains of two", [("a", "b", 1), ("c", "d", 2)], "b", "c"),
        ("another way to a collection that is inside", TREE[:3], "c", "d"),
        ("the same edge again", CHAIN, "a", "b"),
    ):
        group.valid(comment, given(edges, outer=outer, inner=inner), rules=["DOC-77"])


def refused(family: Family) -> None:
    """Add collections that may not."""
    group = family.group("nesting.check", "collections that may not become members")
    long: list[Edge] = [*TREE, ("c", "e", 5), ("e", "f", 6)]
    for comment, edges, outer, inner in (
        ("one inside itself", [], "a", "a"),
        ("one inside its member", CHAIN, "b", "a"),
        ("one inside a member of its members", CHAIN, "d", "a"),
        ("one inside a member on the longer way", TREE, "d", "a"),
        ("five inside each other", CHAIN, "d", "e"),
        ("five inside each other, from outside", CHAIN, "e", "a"),
        ("two and three", [("a", "b", 1), ("c", "d", 2), ("d", "e", 3)], "b", "c"),
        ("three and two", [("a", "b", 1), ("b", "c", 2), ("d", "e", 3)], "c", "d"),
        ("five on the longest of several ways inwards", long, "x", "a"),
        ("five on the longest of several ways outwards", long, "f", "x"),
        ("a circle that is there already", [("a", "b", 1), ("b", "a", 2)], "a", "c"),
        ("a circle that is there already, outside", [("a", "b", 1), ("b", "a", 2)], "c", "a"),
    ):
        wrong = given(edges, outer=outer, inner=inner)
        group.invalid(comment, wrong, "UsageError", flags=["Nested"], rules=["DOC-77"])
