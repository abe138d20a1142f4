"""Vectors of users: composite signatures, device lists, evidence, and safety numbers of users."""

from generators.families.users import encodings, rules, signatures, trust
from generators.families.users.notes import NOTES
from generators.support.family import Family


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "users",
        "device lists with composite signatures, ML-DSA-65 with Ed25519",
        [
            "Every list is signed and proved as if it were right, unless the test is about a signature.",
            "ML-DSA signatures are deterministic here, so that the file is made again byte for byte.",
        ],
        NOTES,
    )
    signatures.add(family)
    encodings.add(family)
    rules.add(family)
    trust.add(family)
    return family
