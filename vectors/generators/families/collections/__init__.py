"""Vectors of collections: the rules of logs, their signatures, the keys of epochs, forks, and nesting."""

from generators.families.collections import epochs, forks, forms, nested, rules, signed, valid
from generators.families.collections.notes import NOTES
from generators.support.family import Family


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "collections",
        "signed logs of collections, and ChaCha20-Poly1305 under the keys of their epochs",
        [
            "log.follow applies the rules alone, to the terms of entries and their signers.",
            "log.read verifies signatures too. `lists` are snapshots of lists, which count as verified.",
        ],
        NOTES,
    )
    valid.add(family)
    rules.add(family)
    forms.add(family)
    signed.add(family)
    epochs.add(family)
    forks.add(family)
    nested.add(family)
    return family
