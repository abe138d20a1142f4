"""Vectors of linking: codes, bundles, digits, and what the two devices send each other."""

from generators.families.linking import answers, codes, offers, packages
from generators.support.family import Family


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "linking",
        "linking codes, bundles, digits, offers, answers and packages",
        [
            "Offers and packages are sealed, and signatures made, with random bytes that come from labels.",
            "Each of them is what it should be, unless the test is about that part.",
        ],
        {
            "BadKey": "a key that no honest implementation makes",
            "LongForm": "another encoding, or too many or too few bytes",
            "Loose": "another spelling of the same text",
            "Mistyped": "a text that is not the one shown",
            "NotSigned": "a signature that is of another key, or covers something else",
            "OtherDevice": "a message that is about another device, list or user than this linking",
            "OtherSeal": "sealed for another key, code, bundle or transcript",
            "Shape": "an element of another type, length or range",
            "Time": "the first or last second of the ten minutes, or one beyond",
        },
    )
    codes.add(family)
    offers.add(family)
    answers.add(family)
    packages.add(family)
    return family
