"""Account plays about bundles that are refused: of the wrong owner, used before, or stale."""

from dataclasses import replace
from typing import Final

from generators.support.account_script import NOW, Script
from generators.support.family import Family
from generators.support.people import ALICE, BOB, CAROL, MADE_ON, MALLORY, NEW_ALICE, Person


def refused(family: Family) -> None:
    group = family.group("account.play", "refused bundles")
    sound = ALICE.bundle()
    reflected = Person(ALICE.name, keys=BOB.label).bundle()
    elsewhere = Person(CAROL.name, CAROL.device_id, keys=ALICE.label).bundle()
    swapped = replace(sound, identity=MALLORY.identity.public)
    for comment, bundle, error, rule, flag in (
        ("our own identity key in a peer's place", reflected, "AddressMismatch", "HAND-11", "OwnIdentity"),
        ("a bundle for another address", elsewhere, "AddressMismatch", "HAND-1", "OtherAddress"),
        ("another identity key than signed it", swapped, "InvalidSignature", "HAND-1", "Identity"),
        ("no KEM prekey, in PQXDH", sound, "SuiteRefused", "HAND-5", "Suite"),
    ):
        script = Script(f"bundle {comment}")
        script.initiate(bundle, 2 if error == "SuiteRefused" else 1, error=error)
        script.sessions(0)
        script.encrypt_refused("NoSession")
        script.initiate(sound)
        script.friend().read(script.encrypt("with a sound one"), "with a sound one")
        script.add(group, comment, rules=[rule], flags=[flag])


def used(family: Family) -> None:
    """A bundle whose one-time prekeys we have used begins no second session: its owner could not read it."""
    group = family.group("account.play", "bundles that were used before")
    for comment, suite, chosen, again in (
        ("with a one-time prekey, in X3DH", 1, {}, {}),
        ("with one-time prekeys of both kinds", 2, {"kem": 300}, {"kem": 300}),
        ("with another KEM prekey", 2, {"kem": 300}, {"kem": 301}),
        ("with another one-time prekey", 2, {"kem": 300}, {"one_time": 201, "kem": 300}),
        ("under another signed prekey", 2, {"kem": 300}, {"signed": 101, "kem": 300}),
        ("without its one-time prekey", 2, {"kem": 300}, {"one_time": None, "kem": 300}),
        (
            "with a one-time KEM prekey alone",
            2,
            {"one_time": None, "kem": 300},
            {"one_time": None, "kem": 300},
        ),
    ):
        script = Script(f"used {comment}")
        script.initiate(ALICE.bundle(**chosen), suite)
        script.initiate(ALICE.bundle(**again), suite, error="UsageError")
        script.initiate(ALICE.bundle(**again), suite, error="UsageError", discard=True)
        script.sessions(1)
        friend = script.friend()
        friend.read(script.encrypt("in the first session"), "in the first session")
        script.receive(friend.write("it goes on"), "it goes on")
        script.add(group, f"once more {comment}", rules=["SES-13"], flags=["UsedBundle"])
    for comment, suite, chosen, again in (
        ("the last resort", 2, {"one_time": None, "kem": 400}, {"one_time": None, "kem": 400}),
        ("the signed prekey alone, in X3DH", 1, {"one_time": None}, {"one_time": None}),
        ("a KEM prekey that X3DH did not use", 1, {"kem": 300}, {"one_time": None, "kem": 300}),
    ):
        script = Script(f"used again {comment}")
        script.initiate(ALICE.bundle(**chosen), suite)
        script.initiate(ALICE.bundle(**again), 2 if again.get("kem") else 1)
        script.sessions(2)
        script.add(group, f"allowed again: {comment}", rules=["SES-13"])
    script = Script("used by another")
    script.initiate(ALICE.bundle(kem=300), 2)
    script.accept(NEW_ALICE)
    script.initiate(NEW_ALICE.bundle(kem=300), 2)
    script.initiate(NEW_ALICE.bundle(kem=300), 2, error="UsageError")
    script.sessions(1)
    comment = "the new bundle of an accepted identity, and once more"
    script.add(group, comment, rules=["SES-13"], flags=["UsedBundle", "Identity"])


def stale(family: Family) -> None:
    group = family.group("account.play", "stale bundles")
    end = (MADE_ON + 90) * 86_400
    for comment, seconds, ahead in (
        ("a second too old", end + 1 - NOW, False),
        ("a year too old", end + 365 * 86_400 - NOW, False),
        ("of a day that begins in two days", 0, True),
        ("of the year 9999", 0, True),
    ):
        script = Script(f"stale {comment}")
        last = 2_932_896 if "9999" in comment else MADE_ON + 2
        bundle = ALICE.bundle(kem=300, made_on=last) if ahead else ALICE.bundle(kem=300)
        script.wait(seconds)
        script.initiate(bundle, 2, error="StaleBundle")
        script.sessions(0)
        script.encrypt_refused("NoSession")
        now = NOW + seconds
        script.initiate(ALICE.bundle(kem=300, made_on=now // 86_400), 2)
        script.sessions(1)
        script.add(group, comment, rules=["HAND-15"], flags=["Stale"])
    script = Script("not stale yet")
    script.wait(end - NOW)
    script.initiate(ALICE.bundle(kem=300), 2)
    script.friend().read(script.encrypt("just in time"), "just in time")
    script.add(group, "in the last second of its 90 days", rules=["HAND-15"])


BUNDLES: Final = (refused, used, stale)
