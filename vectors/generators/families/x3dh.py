"""Vectors of X3DH, suite 1: both ends, and every refusal of a bundle or initial message."""

from dataclasses import replace

from generators.support.family import Family, Json
from generators.support.handshake_refusals import (
    NOTES,
    refuse_addresses,
    refuse_keys,
    refuse_messages,
    refuse_mixtures,
    refuse_signatures,
    refuse_stale,
)
from generators.support.handshake_users import add_users
from generators.support.handshakes import (
    ALICE,
    KEM,
    LAST_RESORT,
    MALLORY,
    ONE_TIME,
    SIGNED,
    Bundle,
    bundle,
    encapsulated,
    header,
    initiation,
    outcome,
    response,
    without,
)


def initiating(family: Family) -> None:
    group = family.group("handshake.initiate", "Alice begins with Bob's bundle")
    for one_time in (ONE_TIME, None):
        name = "with" if one_time else "without"
        flag = "OneTime" if one_time else "NoOneTime"
        output = outcome(1, one_time=one_time)
        for comment, kem in {"no KEM prekey": None, "a KEM prekey that is not used": KEM}.items():
            given = initiation(bundle(one_time=one_time, kem=kem), 1)
            flags = [flag] if kem is None else [flag, "UnusedKem"]
            rules = ["HAND-4", "HAND-6"]
            group.valid(
                f"{name} a one-time prekey, {comment}", given, flags=flags, rules=rules, output=output
            )
    group = family.group("handshake.initiate", "bundles whose signature does not verify")
    refuse_signatures(group, 1, None)
    whole = Bundle(kem=KEM)
    for comment, other in {
        "dropped": whole.with_(kem=None),
        "exchanged": whole.with_(kem=LAST_RESORT),
        "called the last resort": whole.with_(kem=replace(KEM, kind=4)),
    }.items():
        given = initiation(other.encode(whole.sign()), 1)
        named = f"the KEM prekey, which is not used, is {comment}"
        group.invalid(named, given, "InvalidSignature", flags=["UnusedKem"], rules=["HAND-2"])
    refuse_mixtures(family.group("handshake.initiate", "mixtures of signed bundles"), 1, None)
    refuse_stale(family, 1, None)
    refuse_keys(family.group("handshake.initiate", "bundles with an invalid key"), 1, None)
    refuse_addresses(family.group("handshake.initiate", "bundles of the wrong owner"), 1, None)


def responding(family: Family) -> None:
    group = family.group("handshake.respond", "Bob answers Alice's first message")
    everything = [SIGNED, ONE_TIME, KEM, LAST_RESORT]
    for one_time in (ONE_TIME, None):
        name = "with" if one_time else "without"
        given = response(header(1, one_time=one_time).message(), SIGNED, ONE_TIME)
        output = without(outcome(1, one_time=one_time), "header_bytes")
        flags = ["OneTime" if one_time else "NoOneTime"]
        rules = ["HAND-4", "HAND-6"]
        group.valid(f"{name} a one-time prekey", given, flags=flags, rules=rules, output=output)
    sent, sound = header(1), without(outcome(1), "header_bytes")
    others: dict[str, Json] = {
        "from another stated address": {"from": ["alice", 2]},
        "Mallory's identity key": {"message": sent.with_(identity=MALLORY.public).message().hex()},
        "another ephemeral key": {"message": sent.with_(ephemeral=ALICE.public).message().hex()},
    }
    for comment, changes in others.items():
        given = response(sent.message(), SIGNED, ONE_TIME) | changes
        answer = group.valid(comment, given, flags=["OtherAnswer"], rules=["HAND-6"])
        assert answer["associated_data"] != sound["associated_data"]
    group = family.group("handshake.respond", "first messages that are refused")
    refuse_messages(group, sent, [SIGNED, ONE_TIME])
    _, ciphertext = encapsulated(KEM.key)
    for comment, message in {
        "a KEM prekey id and a ciphertext": sent.with_(kem_id=KEM.id, ciphertext=ciphertext),
        "a KEM prekey id alone": sent.with_(kem_id=KEM.id),
        "a ciphertext alone": sent.with_(ciphertext=ciphertext),
    }.items():
        given = response(message.message(), *everything)
        group.invalid(comment, given, "MalformedMessage", flags=["Malformed"], rules=["WIRE-7"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "x3dh",
        "X3DH: X25519, SHA-256",
        [
            "Suite 1: three or four agreements, no KEM. Accounts use it only if the application allows it.",
            "`kem` is null: a KEM prekey in the bundle is verified but not used.",
        ],
        NOTES
        | {
            "UserIds": "between devices of users, whose ids the transcript has",
            "UnusedKem": "the bundle has a KEM prekey, which this suite verifies but does not use",
            "Added": "signed without a prekey that is there",
        },
    )
    initiating(family)
    responding(family)
    add_users(family, 1, [SIGNED, ONE_TIME])
    return family
