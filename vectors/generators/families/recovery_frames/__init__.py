"""Vectors of the frames in which calls travel, and of the calls that keep a card and a box."""

from typing import Final

from generators.families.recovery_frames import frames, keeping
from generators.support.family import Family

NOTES: Final = {
    "Card": "a card that the listed recovery device did not sign",
    "Count": "too many elements in an array",
    "LongForm": "another encoding, or too many or too few bytes",
    "OtherDevice": "signed by another device than one that may",
    "OtherPurpose": "a signature of something else",
    "Range": "a number or a length just outside of its limits",
    "Shape": "another number of elements, or elements that do not fit each other",
    "Signature": "a signature that does not verify",
    "Type": "an element of another type",
    "Version": "another version, or none",
}
"""Flags, and what each means."""


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "recovery-frames",
        "ML-DSA-65 with Ed25519",
        ["The kind of a body is the name of its rule in spec/recovery.cddl."],
        NOTES,
    )
    frames.add(family)
    keeping.add(family)
    return family
