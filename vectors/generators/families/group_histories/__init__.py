"""Vectors of histories of groups: what a newcomer is given in a document, and the letter that names it."""

from typing import Final

from generators.families.group_histories import contents, letters
from generators.support.family import Family

NOTES: Final = {
    "Author": "an author who could not write before the receiver came",
    "Cut": "a content that ends within an item",
    "Giver": "a document that another user sealed",
    "Length": "a length that no item has",
    "LongForm": "another encoding, or too many or too few bytes",
    "OtherGroup": "the head of another group",
    "OtherLog": "an entry that the log on record does not have, or has with another hash",
    "Shape": "another number of elements, or an element of another type, length or range",
}
"""Flags, and what each means."""


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "group-histories",
        "deterministic CBOR in items with their lengths",
        ["A history is the content of a document, whose signature is not part of these vectors."],
        NOTES,
    )
    contents.add(family)
    letters.add(family)
    return family
