"""Vectors of provisional identities: calls and answers, owner keys, withdrawals, and what servers give."""

from typing import Final

from generators.families.provisional import bodies, giving, owners
from generators.support.family import Family

NOTES: Final = {
    "BadKey": "a public key that nothing is sealed to, or no signature is verified with",
    "Claim": "a claim that only one server knows, or of two users",
    "Count": "too many elements in an array",
    "LongForm": "another encoding, or too many or too few bytes",
    "Number": "the number of another call, or none",
    "OtherPurpose": "a signature of something else",
    "Range": "a number or a length just outside of its limits",
    "SameKey": "two servers that give the same key",
    "Seed": "a seed that is sealed to something else",
    "Shape": "another number of elements, or elements that do not fit each other",
    "Signature": "a signature that does not verify",
    "Twice": "something that may occur once only",
    "Type": "an element of another type",
    "Version": "another version, or none",
}
"""Flags, and what each means."""


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "provisional",
        "HKDF-SHA-256, Ed25519, HPKE",
        ["The kind of a body is the name of its rule in spec/provisional.cddl."],
        NOTES,
    )
    bodies.add(family)
    owners.add(family)
    giving.add(family)
    return family
