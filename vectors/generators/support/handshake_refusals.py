"""Bundles and initial messages that must be refused in both suites, each with one defect.

    refuse_signatures(group, suite, kem)     defects of the signature, and of what it covers
    refuse_mixtures(group, suite, kem)       signed bundles that a server has mixed
    refuse_stale(family, suite, kem)         ages, allowed and refused
    refuse_keys, refuse_addresses            defects of a bundle's keys and address
    refuse_messages(...)                     defects of initial messages

`kem` is the KEM prekey of the valid bundle, or None in suite 1.

Not here: what only one suite has (families/x3dh.py, families/pqxdh.py).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from generators.support.family import Family, Group, Json
from generators.support.handshakes import (
    ALICE,
    BOB,
    EK,
    KEM,
    LABEL,
    LAST_RESORT,
    MADE_ON,
    MALLORY,
    ONE_TIME,
    OTHER_CURVE,
    OTHER_KEM,
    SIGNED,
    Bundle,
    Header,
    Prekey,
    bundle,
    initiation,
    outcome,
    response,
)
from generators.support.labels import flipped

P: Final = 2**255 - 19

NOTES: Final = {
    "OneTime": "with a one-time prekey",
    "NoOneTime": "without a one-time prekey, and so without a fourth agreement",
    "BadSignature": "not a signature of the prekey",
    "WrongSigner": "another identity key signed",
    "WrongId": "signed with another id",
    "WrongKey": "signed with another key",
    "WrongDay": "signed with another day",
    "Dropped": "signed with a prekey that is missing",
    "Exchanged": "signed values that do not belong together",
    "Stale": "too old by the initiator's clock, or of a time to come",
    "LowOrder": "a curve key of low order",
    "NonCanonical": "a second encoding of a curve key",
    "OtherAddress": "the bundle belongs to another address",
    "Own": "our own address or identity key",
    "Unknown": "a prekey that is used up, or never existed",
    "OtherKindOfPrekey": "the id belongs to a prekey of another kind",
    "NotAllowed": "the account does not allow this suite",
    "Malformed": "not a message of the suite",
    "OtherAnswer": "not refused, but another secret, under which the ratchet message does not open",
}
"""The flags of both families."""

BAD_CURVE: Final = {
    "of low order, u = 0": ("LowOrder", bytes(32)),
    "of low order, u = 1": ("LowOrder", b"\1" + bytes(31)),
    "of low order, u = p - 1": ("LowOrder", (P - 1).to_bytes(32, "little")),
    "of order 8": (
        "LowOrder",
        (325606250916557431795983626356110631294008115727848805560023387167927233504).to_bytes(32, "little"),
    ),
    "with bit 255 set": ("NonCanonical", flipped(EK, 31, 0x80)),
    "of u = p + 9": ("NonCanonical", (P + 9).to_bytes(32, "little")),
}


def broken(whole: Bundle) -> Iterator[tuple[str, str, bytes]]:
    """Yield comment, flag and the bundle with a signature that does not belong to it."""
    signature, body = whole.sign(), whole.unsigned()
    for comment, flag, wrong in (
        ("a bit of R", "BadSignature", flipped(signature, 0)),
        ("a bit of s", "BadSignature", flipped(signature, 40)),
        ("zeros", "BadSignature", bytes(64)),
        ("by Mallory", "WrongSigner", whole.sign(MALLORY)),
        ("of the bundle without the label", "BadSignature", whole.sign(covers=body)),
        ("of the whole bundle with a head", "BadSignature", whole.sign(covers=LABEL + body + b"\x58\x40")),
        ("of the signed prekey's key alone, as published", "BadSignature", whole.sign(covers=SIGNED.key)),
        (
            "of version 1, of the signed prekey alone",
            "BadSignature",
            whole.sign(
                covers=b"letterlock-v1 prekey signature\1" + SIGNED.id.to_bytes(4, "big") + SIGNED.key
            ),
        ),
        ("of the same bundle under another address", "Exchanged", whole.with_(address=("bob", 2)).sign()),
    ):
        yield f"signature: {comment}", flag, whole.encode(wrong)


def changed(whole: Bundle) -> Iterator[tuple[str, str, bytes]]:
    """Yield comment, flag and the bundle with one value changed after it was signed."""
    signature = whole.sign()

    def encoded(**changes: object) -> bytes:
        return whole.with_(**changes).encode(signature)

    one_time = whole.one_time or ONE_TIME
    yield "the day is one earlier", "WrongDay", encoded(made_on=whole.made_on - 1)
    yield "the day is one later", "WrongDay", encoded(made_on=whole.made_on + 1)
    yield "the identity key is Mallory's", "WrongSigner", encoded(identity=MALLORY.public)
    yield "the signed prekey has another id", "WrongId", encoded(signed=replace(SIGNED, id=SIGNED.id ^ 1))
    yield (
        "the signed prekey has another key",
        "WrongKey",
        encoded(signed=replace(SIGNED, key=OTHER_CURVE.key)),
    )
    yield "the signed prekey is another", "Exchanged", encoded(signed=OTHER_CURVE)
    yield "the one-time prekey is dropped", "Dropped", encoded(one_time=None)
    yield "the one-time prekey has another id", "WrongId", encoded(one_time=replace(one_time, id=5))
    other = encoded(one_time=replace(one_time, key=OTHER_CURVE.key))
    yield "the one-time prekey has another key", "WrongKey", other
    exchanged = encoded(signed=replace(one_time, kind=1), one_time=replace(SIGNED, kind=2))
    yield "signed and one-time prekey are exchanged", "Exchanged", exchanged
    ids = encoded(signed=replace(SIGNED, id=one_time.id), one_time=replace(one_time, id=SIGNED.id))
    yield "the ids of the curve prekeys are exchanged", "Exchanged", ids
    if whole.kem is None:
        yield "a KEM prekey is added", "Added", encoded(kem=KEM)
        return
    yield "the KEM prekey is dropped", "Dropped", encoded(kem=None)
    yield "both one-time prekeys are dropped", "Dropped", encoded(one_time=None, kem=None)
    yield "the KEM prekey has another id", "WrongId", encoded(kem=replace(whole.kem, id=5))
    yield "the KEM prekey has another key", "WrongKey", encoded(kem=replace(whole.kem, key=OTHER_KEM.key))
    yield "the KEM prekey is of another pair", "Exchanged", encoded(kem=OTHER_KEM)
    yield "the KEM prekey is the last resort", "Exchanged", encoded(kem=LAST_RESORT)
    yield "the last resort is in place of the pair", "Exchanged", encoded(one_time=None, kem=LAST_RESORT)
    yield "the KEM prekey is called the last resort", "WrongKind", encoded(kem=replace(whole.kem, kind=4))


def refuse_signatures(group: Group, suite: int, kem: Prekey | None) -> None:
    """Add a refusal for each defect of the signature, and each value changed under it."""
    whole = Bundle(kem=kem)
    for comment, flag, encoded in (*broken(whole), *changed(whole)):
        rules = ["HAND-1"] if flag in {"BadSignature", "WrongSigner"} else ["HAND-2"]
        group.invalid(comment, initiation(encoded, suite), "InvalidSignature", flags=[flag], rules=rules)


def refuse_mixtures(group: Group, suite: int, kem: Prekey | None) -> None:
    """Add refusals of what a server can put together from bundles that are all signed."""
    old = Bundle(signed=OTHER_CURVE, one_time=replace(ONE_TIME, id=7), kem=kem)
    moved = old.with_(signed=SIGNED)
    new, last = Bundle(kem=kem), Bundle(one_time=None, kem=LAST_RESORT)
    for comment, encoded in {
        "an older pair under the new signed prekey, with the pair's signature": moved.encode(old.sign()),
        "an older pair under the new signed prekey, with the new signature": moved.encode(new.sign()),
        "a pair under the last-resort bundle's signature": new.encode(last.sign()),
        "the last-resort bundle under a pair's signature": last.encode(new.sign()),
        "the last-resort bundle with a one-time prekey": last.with_(one_time=ONE_TIME).encode(last.sign()),
    }.items():
        given = initiation(encoded, suite)
        if not group.asks(given):  # with a KEM prekey, one of them stands among the changed bundles
            group.invalid(comment, given, "InvalidSignature", flags=["Exchanged"], rules=["HAND-2"])


DAY: Final = 86_400
AGE: Final = 90 * DAY


def refuse_stale(family: Family, suite: int, kem: Prekey | None) -> None:
    """Add bundles at both limits of age, and beyond them. All signatures are valid."""
    made = MADE_ON * DAY
    group = family.group("handshake.initiate", "bundles of an age that is allowed")
    sound, output = bundle(kem=kem), outcome(suite, kem=kem)
    for comment, now in {
        "90 days old": made + AGE,
        "of this second": made,
        "of a day that begins in a day": made - DAY,
    }.items():
        group.valid(comment, initiation(sound, suite) | {"now": now}, rules=["HAND-15"], output=output)
    group = family.group("handshake.initiate", "stale bundles")
    for comment, now in {
        "90 days and a second old": made + AGE + 1,
        "91 days old": made + 91 * DAY,
        "five years old": made + 5 * 365 * DAY,
        "of a day that begins in a day and a second": made - DAY - 1,
        "of a day that begins in two days": made - 2 * DAY,
        "by a clock of 1970": 0,
    }.items():
        given = initiation(sound, suite) | {"now": now}
        group.invalid(comment, given, "StaleBundle", flags=["Stale"], rules=["HAND-15"])
    for comment, made_on in {"of 1970": 0, "of the year 9999": 2_932_896}.items():
        given = initiation(bundle(made_on=made_on, kem=kem), suite)
        group.invalid(comment, given, "StaleBundle", flags=["Stale"], rules=["HAND-15"])


def refuse_keys(group: Group, suite: int, kem: Prekey | None) -> None:
    """Add a refusal for each curve key of the bundle. The signatures are valid."""
    for comment, (flag, key) in BAD_CURVE.items():
        for name, encoded in {
            "identity key": bundle(identity=key, kem=kem),
            "signed prekey": bundle(signed=replace(SIGNED, key=key), kem=kem),
            "one-time prekey": bundle(one_time=replace(ONE_TIME, key=key), kem=kem),
        }.items():
            given = initiation(encoded, suite)
            group.invalid(f"{name} {comment}", given, "InvalidKey", flags=[flag], rules=["PRIM-2"])


def refuse_addresses(group: Group, suite: int, kem: Prekey | None) -> None:
    """Add a refusal for bundles of the wrong address, and for our own."""
    sound = initiation(bundle(kem=kem), suite)
    carol = ("carol", 1)
    others: dict[str, Json] = {
        "the bundle is for another name": {"bundle": bundle(address=carol, kem=kem).hex()},
        "the bundle is for another device": {"bundle": bundle(address=("bob", 2), kem=kem).hex()},
        "another address was asked for": {"to": [*carol]},
        "another device was asked for": {"to": ["bob", 2]},
    }
    for comment, changes in others.items():
        given, flags = sound | changes, ["OtherAddress"]
        group.invalid(comment, given, "AddressMismatch", flags=flags, rules=["HAND-6"])
    ours = Bundle(identity=ALICE.public, kem=kem)
    reflected = ours.with_(address=("alice", 1))
    own: dict[str, Json] = {
        "our own identity key, under Bob's address": {"bundle": ours.encode(ours.sign(ALICE)).hex()},
        "a bundle for our own address, with Bob's key": {
            "to": ALICE.address,
            "bundle": bundle(address=("alice", 1), kem=kem).hex(),
        },
        "our own bundle": {"to": ALICE.address, "bundle": reflected.encode(reflected.sign(ALICE)).hex()},
    }
    for comment, changes in own.items():
        group.invalid(comment, sound | changes, "AddressMismatch", flags=["Own"], rules=["HAND-11"])


def refuse_messages(group: Group, sent: Header, prekeys: list[Prekey]) -> None:
    """Add refusals of initial messages with one defect. Bob has `prekeys`."""
    sound = response(sent.message(), *prekeys)

    def refuse(comment: str, expect: str, flag: str, rule: str, given: Json) -> None:
        group.invalid(comment, sound | given, expect, flags=[flag], rules=[rule])

    def changed(**changes: object) -> Json:
        return {"message": sent.with_(**changes).message().hex()}

    refuse("from our own address", "AddressMismatch", "Own", "HAND-11", {"from": BOB.address})
    own = changed(identity=BOB.public)
    refuse("with our own identity key", "AddressMismatch", "Own", "HAND-11", own)
    for name in ("identity", "ephemeral"):
        for comment, (flag, key) in BAD_CURVE.items():
            refuse(f"{name} key {comment}", "InvalidKey", flag, "PRIM-2", changed(**{name: key}))
    other = 3 - sent.suite
    refuse("only the other suite is allowed", "SuiteRefused", "NotAllowed", "HAND-3", {"suites": [other]})
    refuse("no suite is allowed", "SuiteRefused", "NotAllowed", "HAND-3", {"suites": []})
    for comment, id_ in {"one more": SIGNED.id + 1, "0": 0, "2^32 - 1": 2**32 - 1}.items():
        given = changed(signed_id=id_)
        if id_ not in {each.id for each in prekeys}:
            refuse(f"signed prekey id: {comment}", "UnknownPrekey", "Unknown", "HAND-10", given)
    kind, rule = "OtherKindOfPrekey", "HAND-10"
    refuse(
        "signed prekey id: a one-time prekey's", "UnknownPrekey", kind, rule, changed(signed_id=ONE_TIME.id)
    )
    for comment, id_ in {"one less": ONE_TIME.id - 1, "0": 0}.items():
        given = changed(one_time_id=id_)
        refuse(f"one-time prekey id: {comment}", "UnknownPrekey", "Unknown", "HAND-4", given)
    refuse(
        "one-time prekey id: the signed prekey's", "UnknownPrekey", kind, rule, changed(one_time_id=SIGNED.id)
    )
    left = [each.held() for each in prekeys if each != ONE_TIME]
    refuse("the one-time prekey is used up", "UnknownPrekey", "Unknown", "HAND-7", {"prekeys": left})
    left = [each.held() for each in prekeys if each != SIGNED]
    refuse("the signed prekey is gone", "UnknownPrekey", "Unknown", "HAND-9", {"prekeys": left})
    for comment, number in {"suite 0": 0, "suite 3": 3, "the other suite's number": other}.items():
        renamed = changed(suite=number, carries=sent.suite)
        refuse(comment, "MalformedMessage", "Malformed", "WIRE-7", renamed)
