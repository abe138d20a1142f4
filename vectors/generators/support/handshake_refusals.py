"""Bundles and initial messages that must be refused in both suites, each with one defect.

    refuse_signatures(group, suite, kem)     defects of each prekey's signature
    refuse_keys, refuse_addresses            defects of a bundle's keys and address
    refuse_messages(...)                     defects of initial messages

`kem` is the KEM prekey of the valid bundle, or None in suite 1.

Not here: what only one suite has (families/x3dh.py, families/pqxdh.py).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from generators.support.encoding import Value
from generators.support.family import Group, Json
from generators.support.handshakes import (
    ALICE,
    BOB,
    EK,
    LABEL,
    MALLORY,
    ONE_TIME,
    OTHER_CURVE,
    OTHER_KEM,
    SIGNED,
    Header,
    Person,
    Prekey,
    bundle,
    initiation,
    response,
)
from generators.support.labels import flipped

P: Final = 2**255 - 19

NOTES: Final = {
    "OneTime": "with a one-time prekey",
    "NoOneTime": "without a one-time prekey, and so without a fourth agreement",
    "BadSignature": "not a signature of the prekey",
    "WrongSigner": "another identity key signed",
    "WrongKind": "signed for another kind of prekey",
    "WrongId": "signed with another id",
    "WrongKey": "signed with another key",
    "Exchanged": "two valid values, exchanged",
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


def broken(prekey: Prekey) -> Iterator[tuple[str, str, Prekey]]:
    """Yield comment, flag and the prekey with a signature that does not belong to it."""
    signature, other_id = prekey.sign(), prekey.id ^ 1
    other = OTHER_KEM if len(prekey.key) > 32 else OTHER_CURVE
    other_kind = {1: 2, 2: 1, 3: 4, 4: 3}[prekey.kind]
    number = prekey.id.to_bytes(4, "big")
    yield "a bit of R", "BadSignature", replace(prekey, signature=flipped(signature, 0))
    yield "a bit of s", "BadSignature", replace(prekey, signature=flipped(signature, 40))
    yield "zeros", "BadSignature", replace(prekey, signature=bytes(64))
    yield "by Mallory", "WrongSigner", replace(prekey, by=MALLORY)
    yield "for another kind", "WrongKind", replace(prekey, covers=replace(prekey, kind=other_kind).signed())
    yield "with another id", "WrongId", replace(prekey, covers=replace(prekey, id=other_id).signed())
    yield "the id is another", "WrongId", replace(prekey, id=other_id, signature=signature)
    yield "the key is another", "WrongKey", replace(prekey, key=other.key, signature=signature)
    yield "the key alone, as published", "BadSignature", replace(prekey, covers=prekey.key)
    bare = bytes([prekey.kind]) + number + prekey.key
    yield "without the label", "BadSignature", replace(prekey, covers=bare)
    reverse = LABEL + bytes([prekey.kind]) + number[::-1] + prekey.key
    yield "the id in reverse", "BadSignature", replace(prekey, covers=reverse)


def refuse_signatures(group: Group, suite: int, kem: Prekey | None) -> None:
    """Add a refusal for each prekey of the bundle and each defect of its signature."""
    prekeys = {"signed": SIGNED, "one_time": ONE_TIME} | ({} if kem is None else {"kem": kem})
    for name, prekey in prekeys.items():
        for comment, flag, changed in broken(prekey):
            given = initiation(bundle(**{"kem": kem} | {name: changed}), suite)  # type: ignore[arg-type]
            rules = ["HAND-2"] if flag in {"WrongKind", "WrongId"} else ["HAND-1"]
            where = f"signature of the {name.replace('_', '-')} prekey: {comment}"
            group.invalid(where, given, "InvalidSignature", flags=[flag], rules=rules)
    # Each prekey with the other's id, key and signature, or with its id alone.
    whole = (
        replace(ONE_TIME, kind=1, signature=ONE_TIME.sign()),
        replace(SIGNED, kind=2, signature=SIGNED.sign()),
    )
    ids = (
        replace(SIGNED, id=ONE_TIME.id, signature=SIGNED.sign()),
        replace(ONE_TIME, id=SIGNED.id, signature=ONE_TIME.sign()),
    )
    signatures = (replace(SIGNED, signature=ONE_TIME.sign()), replace(ONE_TIME, signature=SIGNED.sign()))
    for comment, (signed, one_time) in {
        "signed and one-time prekey exchanged": whole,
        "their ids exchanged": ids,
        "their signatures exchanged": signatures,
    }.items():
        given = initiation(bundle(signed=signed, one_time=one_time, kem=kem), suite)
        group.invalid(comment, given, "InvalidSignature", flags=["Exchanged"], rules=["HAND-2"])
    given = initiation(bundle(identity=MALLORY.public, kem=kem), suite)
    comment = "Mallory's identity key over Bob's prekeys"
    group.invalid(comment, given, "InvalidSignature", flags=["WrongSigner"], rules=["HAND-1"])


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


def by(person: Person, prekey: Prekey | None) -> Prekey | None:
    """Return a prekey as another owner would sign it."""
    return None if prekey is None else replace(prekey, by=person)


def refuse_addresses(group: Group, suite: int, kem: Prekey | None) -> None:
    """Add a refusal for bundles of the wrong address, and for our own."""
    sound = initiation(bundle(kem=kem), suite)
    carol: list[Value] = ["carol", 1]
    others: dict[str, Json] = {
        "the bundle is for another name": {"bundle": bundle(address=carol, kem=kem).hex()},
        "the bundle is for another device": {"bundle": bundle(address=["bob", 2], kem=kem).hex()},
        "another address was asked for": {"to": carol},
        "another device was asked for": {"to": ["bob", 2]},
    }
    for comment, changes in others.items():
        given, flags = sound | changes, ["OtherAddress"]
        group.invalid(comment, given, "AddressMismatch", flags=flags, rules=["HAND-6"])
    ours = replace(SIGNED, by=ALICE), by(ALICE, ONE_TIME), by(ALICE, kem)
    shown = bundle(None, ALICE.public, *ours)
    reflected = bundle(ALICE.address, ALICE.public, *ours)
    own: dict[str, Json] = {
        "our own identity key, under Bob's address": {"bundle": shown.hex()},
        "a bundle for our own address, with Bob's key": {
            "to": ALICE.address,
            "bundle": bundle(address=ALICE.address, kem=kem).hex(),
        },
        "our own bundle": {"to": ALICE.address, "bundle": reflected.hex()},
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
