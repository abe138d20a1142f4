"""Vectors of grants, notes, links, items, and access records."""

from generators.families.grants import access, forms, items, moved, notes_about, opened, refused, signatures
from generators.families.grants.notes import NOTES
from generators.support.family import Family


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "grants",
        "grants of keys: HPKE with X-Wing, or ChaCha20-Poly1305 under a secret, with composite signatures",
        [
            "Each grant is sealed for its terms and signed as if it were right, unless that is the test.",
            "`lists` are the snapshots of device lists, all versions of each user, which count as verified.",
        ],
        NOTES,
    )
    opened.add(family)
    moved.add(family)
    refused.add(family)
    signatures.add(family)
    forms.add(family)
    notes_about.add(family)
    items.add(family)
    access.add(family)
    return family
