"""Vectors of whole accounts, from the first message on, and their refusals."""

from generators.families.sessions import bundles, first, several, triple, users
from generators.families.sessions.notes import NOTES
from generators.support.family import Family


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "sessions",
        "X3DH and PQXDH sessions",
        [
            "The answers of an account to its application and to its peers.",
            "The account is Bob's. The other side is not recorded. Its messages are in the steps.",
        ],
        NOTES,
    )
    for add in first.FIRST + several.SEVERAL + bundles.BUNDLES + triple.TRIPLE + users.USERS:
        add(family)
    first.stripped(family)
    return family
