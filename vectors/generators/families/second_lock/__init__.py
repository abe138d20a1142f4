"""Vectors of the second lock: calls, answers, halves, deposits, signatures, and whoever asks for halves."""

from typing import Final

from generators.families.second_lock import bodies, changes, halves, taking
from generators.support.family import Family

NOTES: Final = {
    "BadKey": "a key that nothing is sealed to",
    "Choice": "two servers that hold no deposit in common, or in another order",
    "Count": "too many elements in an array",
    "Half": "a half that is sealed to something else, or is not the one of the deposit",
    "LastNumber": "a server that leaves no number for the next call",
    "LongForm": "another encoding, or too many or too few bytes",
    "Number": "the number of another call, or none",
    "OtherDevice": "signed by another device than one that may",
    "OtherPurpose": "a signature of something else",
    "Range": "a number or a length just outside of its limits",
    "Shape": "another number of elements, or elements that do not fit each other",
    "Signature": "a signature that does not verify",
    "Stopped": "a wait that was stopped or replaced",
    "Type": "an element of another type",
    "Version": "another version, or none",
    "Waits": "a server that gives no half yet",
}
"""Flags, and what each means."""


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "second-lock",
        "SHA-256, HPKE, ML-DSA-65 with Ed25519",
        ["The kind of a body is the name of its rule in spec/recovery.cddl."],
        NOTES,
    )
    bodies.add(family)
    halves.add(family)
    changes.add(family)
    taking.add(family)
    return family
