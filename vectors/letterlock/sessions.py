"""Make sessions.json: whole accounts, from the first message on, and what they must refuse."""

import sessions_first
import sessions_several
import sessions_triple
from generating import Family
from sessions_notes import NOTES

family = Family(
    "sessions",
    "X3DH and PQXDH sessions",
    [
        "What an account answers to its application and to what comes from its peers.",
        "The account is bob's. The other side is not in the vectors: what it wrote stands in the steps.",
    ],
    NOTES,
)

if __name__ == "__main__":
    for add in sessions_first.FIRST + sessions_several.SEVERAL + sessions_triple.TRIPLE:
        add(family)
    family.main()
