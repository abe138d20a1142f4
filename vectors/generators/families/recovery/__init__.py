"""Vectors of recovery: the function of two parties, locks, calls and answers, tickets, cards and boxes."""

from generators.families.recovery import (
    attempts,
    bodies,
    changes,
    functions,
    identities,
    locks,
    remains,
    tickets,
)
from generators.families.recovery.notes import NOTES
from generators.support.family import Family


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "recovery",
        "VOPRF(ristretto255, SHA-512), Argon2id, HKDF-SHA-256, ChaCha20-Poly1305, Ed25519, HPKE",
        [
            "voprf.run and recovery.attempt take the client's part and the servers', with fresh randomness;",
            "what comes out is always the same.",
            "The kind of a body is the name of its rule in spec/recovery.cddl.",
        ],
        NOTES,
    )
    functions.add(family)
    locks.add(family)
    attempts.add(family)
    bodies.add(family)
    tickets.add(family)
    changes.add(family)
    remains.add(family)
    identities.add(family)
    return family
