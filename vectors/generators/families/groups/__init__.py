"""Vectors of groups: secrets and sender chains, texts, logs, and what devices tell each other."""

from generators.families.groups import (
    chains,
    epochs,
    forged,
    letters,
    logs,
    member_calls,
    member_logs,
    member_texts,
    members,
    names,
    own_changes,
    received,
    sealed,
)
from generators.families.groups.notes import NOTES
from generators.support.family import Family


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "groups",
        "sender chains with HKDF and HMAC-SHA-256, ChaCha20-Poly1305 and Ed25519; signed logs",
        [
            "group.play is the chain of a sender, as another device reads it. Refused steps change nothing.",
            "group.member is a device of a member, with the log, the letters and the texts that it gets,",
            "and with changes of its own, which are in the log later or not.",
            "log.follow and log.read take the logs of groups too; their labels and kinds tell.",
        ],
        NOTES,
    )
    epochs.add(family)
    chains.add(family)
    sealed.add(family)
    received.add(family)
    forged.add(family)
    logs.add(family)
    letters.add(family)
    members.add(family)
    member_texts.add(family)
    member_calls.add(family)
    member_logs.add(family)
    own_changes.add(family)
    names.add(family)
    return family
