"""The rules of device lists, each broken alone, and the signatures and proofs of a list."""

from dataclasses import replace
from typing import Any

from generators.support.family import Family, Json
from generators.support.labels import draw, flipped
from generators.support.owner import FULL, LIMITED, RECOVERY, Change, Owner, document_key, keys
from letterlock._primitives.labels import DEVICE_PROOF, LIST_SIGNATURE
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import DocumentKey, ListedDevice, RevokedDevice, Snapshot


def given(owner: Owner, new: DeviceList, before: DeviceList | None = None) -> Json:
    """Return the input: the snapshot before, which is trusted, and a list."""
    trusted = before or owner.lists[-1]
    known = {"snapshot": trusted.encoded_snapshot.hex(), "user_id": owner.user_id.hex()}
    return {"before": known, "list": new.encode().hex()}


def with_device(id_: int, **fields: Any) -> Change:
    """Return a change of one listed device."""

    def change(snapshot: Snapshot) -> Snapshot:
        devices = [replace(each, **fields) if each.id == id_ else each for each in snapshot.devices]
        return replace(snapshot, devices=tuple(devices))

    return change


def only(kept: Any) -> Change:
    """Return a change that drops devices."""
    return lambda snapshot: replace(snapshot, devices=tuple(each for each in snapshot.devices if kept(each)))


def revoked(*entries: tuple[int, int]) -> Change:
    """Return a change of the revoked devices."""
    return lambda snapshot: replace(snapshot, revoked=tuple(RevokedDevice(*each) for each in entries))


def key(generation: int, label: str) -> Change:
    """Return a change of the document key."""
    return lambda snapshot: replace(snapshot, document_key=DocumentKey(generation, document_key(label)))


def add(family: Family) -> None:
    """Add the groups."""
    alice = Owner("alice", [(1, FULL), (9, RECOVERY)])
    alice.next(add=[(2, FULL)])
    alice.next(2, add=[(3, FULL), (4, LIMITED)])
    alice.next(add=[(77, 77)])
    right(family, alice)
    wrong(family, alice)
    signatures(family, alice)
    first(family)


def right(family: Family, alice: Owner) -> None:
    """Add the lists that follow."""
    group = family.group("device_list.verify", "a version that follows")
    for rule, comment, new in (
        ("USR-7", "nothing but another time", alice.make(1, lambda it: replace(it, issued=0))),
        ("USR-8", "by a newer device", alice.make(3)),
        ("USR-8", "by the recovery device", alice.make(9)),
        ("USR-9", "a device added", alice.make(3, add=[(5, FULL)])),
        ("USR-4", "a device of a class that has no meaning yet", alice.make(1, add=[(5, 255)])),
        ("USR-11", "a device revoked by itself", alice.make(3, revoke=(3,))),
        ("USR-11", "a device revoked by an older one", alice.make(2, revoke=(3,))),
        ("USR-11", "the oldest device revoked by the recovery device", alice.make(9, revoke=(1,))),
        (
            "USR-12",
            "the recovery device replaced by itself",
            alice.make(9, revoke=(9,), add=[(10, RECOVERY)]),
        ),
        ("USR-13", "a new document key", alice.make(2, new_key=True)),
        ("USR-5", "the last version", alice.make(9, revoke=(1, 2, 3, 4, 9, 77))),
    ):
        group.valid(comment, given(alice, new), rules=[rule])
    single = Owner("single")
    adding = single.make(1, add=[(9, RECOVERY)])
    group.valid("a single device adds a recovery device", given(single, adding), rules=["USR-12"])
    many = Owner("many")
    for start in range(100, 200, 20):
        many.lists.append(unsigned(many, add=[(id_, LIMITED) for id_ in range(start, start + 20)]))
        many.lists.append(unsigned(many, revoke=tuple(range(start, start + 20))))
    group.valid("the earliest revoked devices make room", given(many, many.make(1)), rules=["USR-10"])
    group.invalid(
        "a revoked device left out",
        given(many, many.make(1, lambda it: replace(it, revoked=it.revoked[1:]))),
        "InvalidDeviceList", flags=["Revoked"], rules=["USR-10"],
    )  # fmt: skip


def unsigned(owner: Owner, **drafted: Any) -> DeviceList:
    """Return a version whose snapshot alone is used."""
    return DeviceList(owner.draft(**drafted), (), 1, b"", b"")


def wrong(family: Family, alice: Owner) -> None:
    """Add the lists that break one rule each."""
    group = family.group("device_list.verify", "a version that breaks a rule")
    stranger = keys("stranger")
    last_key = alice.lists[-1].snapshot.document_key
    everybody = (1, 2, 3, 4, 9, 77)
    for rule, flag, comment, new in (
        ("USR-2", "Form", "devices in another order",
         alice.make(1, lambda it: replace(it, devices=it.devices[::-1]))),
        ("USR-2", "Form", "a device twice",
         alice.make(1, lambda it: replace(it, devices=(it.devices[0], *it.devices)))),
        ("USR-2", "Form", "a device revoked and listed", alice.make(1, revoked((3, 5)))),
        ("USR-2", "Form", "revoked devices in another order", alice.make(1, revoked((51, 5), (50, 5)))),
        ("USR-2", "Form", "added in a later version", alice.make(1, with_device(3, added=6))),
        ("USR-2", "Form", "revoked in a later version", alice.make(1, revoked((50, 6)))),
        ("USR-2", "Form", "two devices with one identity key",
         alice.make(1, with_device(3, identity=alice.keys(2).identity.public))),
        ("USR-2", "Form", "two devices with one Ed25519 key",
         alice.make(1, with_device(3, ed25519=alice.keys(2).signing.public.ed25519.data))),
        ("USR-3", "Form", "a second recovery device", alice.make(9, add=[(10, RECOVERY)])),
        ("USR-5", "Form", "no device that may sign", alice.make(9, revoke=(1, 2, 3, 9))),
        ("USR-5", "DocumentKey", "no document key", alice.make(1, lambda it: replace(it, document_key=None))),
        ("USR-5", "DocumentKey", "a document key and no devices",
         alice.make(9, key(2, "left"), revoke=everybody)),
        ("USR-7", "Chain", "the same version", alice.make(1, lambda it: replace(it, version=4))),
        ("USR-7", "Chain", "a version skipped", alice.make(1, lambda it: replace(it, version=6))),
        ("USR-7", "Chain", "the version on record again", alice.lists[-1]),
        ("USR-7", "Chain", "the hash of another version",
         alice.make(1, lambda it: replace(it, previous=alice.lists[1].hash))),
        ("USR-7", "Chain", "no hash before", alice.make(1, lambda it: replace(it, previous=None))),
        ("USR-7", "Chain", "another user", alice.make(1, lambda it: replace(it, user_id=draw("other", 32)))),
        ("USR-7", "Chain", "no user", alice.make(1, lambda it: replace(it, user_id=None))),
        ("USR-8", "Class", "signed by a limited device", alice.make(4)),
        ("USR-8", "Class", "signed by a device of an unknown class", alice.make(77)),
        ("USR-8", "OtherKey", "signed by a device that was never listed", alice.make(50)),
        ("USR-8", "OtherKey", "signed by the device that it adds", alice.make(5, add=[(5, FULL)])),
        ("USR-9", "Class", "a device with another class", alice.make(1, with_device(4, device_class=FULL))),
        ("USR-9", "Power", "a device in an earlier place", alice.make(3, with_device(3, added=1))),
        ("USR-9", "OtherKey", "a device with another identity key",
         alice.make(1, with_device(3, identity=stranger.identity.public))),
        ("USR-9", "OtherKey", "a device with another Ed25519 key",
         alice.make(1, with_device(3, ed25519=stranger.listed(3).ed25519))),
        ("USR-9", "OtherKey", "a device with another ML-DSA hash",
         alice.make(1, with_device(3, ml_dsa_hash=stranger.listed(3).ml_dsa_hash))),
        ("USR-9", "Power", "an added device in an earlier place",
         alice.make(1, with_device(5, added=4), add=[(5, FULL)])),
        ("USR-9", "OtherKey", "an added device with the id of a listed one", replaced(alice, 3)),
        ("USR-9", "OtherKey", "an added device with the keys of a revoked one", again(alice, 3, 5)),
        ("USR-10", "Revoked", "a device that vanishes",
         alice.make(1, only(lambda each: each.id != 3), new_key=True)),
        ("USR-10", "Revoked", "a revocation of an earlier version",
         alice.make(1, revoked((3, 4)), revoke=(3,))),
        ("USR-10", "Revoked", "a revocation of nobody", alice.make(1, revoked((50, 5)))),
        ("USR-11", "Power", "an older device revoked by a newer one", alice.make(3, revoke=(2,))),
        ("USR-11", "Power", "a device revoked by one of its age", alice.make(3, revoke=(4,))),
        ("USR-11", "Power", "the recovery device revoked by one of its age", alice.make(1, revoke=(9,))),
        ("USR-11", "Power", "one of several that it may not revoke", alice.make(2, revoke=(1, 3))),
        ("USR-13", "DocumentKey", "a revocation without a new document key",
         alice.make(1, lambda it: replace(it, document_key=last_key), revoke=(3,))),
        ("USR-13", "DocumentKey", "the old document key in a new generation",
         alice.make(1, lambda it: replace(it, document_key=DocumentKey(2, last_key.public)), revoke=(3,))),
        ("USR-13", "DocumentKey", "a new document key in the old generation", alice.make(1, key(1, "other"))),
        ("USR-13", "DocumentKey", "a generation skipped", alice.make(1, key(3, "other"))),
    ):  # fmt: skip
        group.invalid(comment, given(alice, new), "InvalidDeviceList", flags=[flag], rules=[rule])
    for comment, public in (
        ("a document key with a coefficient above q", b"\xff" * 1152 + last_key.public[1152:]),
        ("a document key with a curve key of low order", last_key.public[:1184] + bytes(32)),
    ):
        bad = DocumentKey(2, public)
        new = alice.make(1, lambda it, bad=bad: replace(it, document_key=bad))  # type: ignore[misc]
        group.invalid(comment, given(alice, new), "InvalidKey", flags=["BadKey"], rules=["PRIM-15", "USR-13"])
    thief = Owner("thief")
    thief.next(add=[(2, FULL)])
    new = thief.make(2, add=[(9, RECOVERY)])
    group.invalid(
        "a newer device adds a recovery device", given(thief, new), "InvalidDeviceList", flags=["Power"],
        rules=["USR-12"],
    )  # fmt: skip
    ended = Owner("ended")
    after = replace(ended.make(1).snapshot, version=3, devices=(), document_key=None)
    final = ended.next(revoke=(1,))
    more = ended.sign(replace(after, previous=final.hash, revoked=final.snapshot.revoked), 1)
    group.invalid(
        "a version after the last one",
        given(ended, more),
        "InvalidDeviceList",
        flags=["Chain"],
        rules=["USR-8"],
    )


def replaced(alice: Owner, id_: int) -> DeviceList:
    """Return a version in which a listed id stands for another device, which is added."""
    stranger = keys("stranger")
    snapshot = with_device(
        id_, **{name: getattr(stranger.listed(id_), name) for name in ("identity", "ed25519", "ml_dsa_hash")}
    )(alice.draft())
    snapshot = with_device(id_, added=snapshot.version)(snapshot)
    return alice.sign(snapshot, 1, (stranger.prove(snapshot, id_),))


def again(alice: Owner, old: int, new: int) -> DeviceList:
    """Return a version that revokes a device and adds it again under another id."""
    drafted = alice.draft(revoke=(old,))
    listed: ListedDevice = replace(alice.keys(old).listed(new), added=drafted.version)
    devices = sorted((*drafted.devices, listed), key=lambda each: each.id)
    snapshot = replace(drafted, devices=tuple(devices))
    return alice.sign(snapshot, 1, (alice.keys(old).prove(snapshot, new),))


def signatures(family: Family, alice: Owner) -> None:
    """Add lists whose signatures or proofs are wrong."""
    group = family.group("device_list.verify", "signatures and proofs")
    new = alice.make(1, add=[(5, FULL), (6, LIMITED)])
    group.valid("two devices added", given(alice, new), rules=["USR-14", "USR-15"])
    other = alice.make(2, add=[(5, FULL), (6, LIMITED)], new_key=True)
    stranger = keys("stranger")
    five, six = new.proofs
    as_list = alice.keys(5).signing.sign(new.encoded_snapshot, LIST_SIGNATURE)
    as_proof = alice.keys(1).signing.sign(new.encoded_snapshot, DEVICE_PROOF)
    theirs = stranger.signing.sign(new.encoded_snapshot, LIST_SIGNATURE)
    for rule, error, flag, comment, changed in (
        ("USR-15", "InvalidSignature", "Changed", "the signature of another list",
         {"signature": other.signature}),
        ("USR-15", "InvalidSignature", "Changed", "the signature in the context of proofs",
         {"signature": as_proof}),
        ("USR-15", "InvalidSignature", "OtherKey", "the ML-DSA half of a stranger",
         {"signature": theirs[:3309] + new.signature[3309:]}),
        ("USR-15", "InvalidSignature", "OtherKey", "the Ed25519 half of a stranger",
         {"signature": new.signature[:3309] + theirs[3309:]}),
        ("USR-15", "InvalidDeviceList", "OtherKey", "the signature and ML-DSA key of a stranger",
         {"signature": theirs, "ml_dsa": stranger.signing.public.ml_dsa.data}),
        ("USR-15", "InvalidDeviceList", "OtherKey", "another signer", {"signer": 2}),
        ("USR-15", "InvalidSignature", "Changed", "another time under the signature",
         {"snapshot": replace(new.snapshot, issued=1)}),
        ("USR-14", "InvalidDeviceList", "Proof", "no proofs", {"proofs": ()}),
        ("USR-14", "InvalidDeviceList", "Proof", "a proof missing", {"proofs": (five,)}),
        ("USR-14", "InvalidDeviceList", "Proof", "proofs in another order", {"proofs": (six, five)}),
        ("USR-14", "InvalidDeviceList", "Proof", "a proof twice", {"proofs": (five, six, six)}),
        ("USR-14", "InvalidSignature", "Proof", "proofs of another list", {"proofs": other.proofs}),
        ("USR-14", "InvalidDeviceList", "OtherKey", "a proof with another ML-DSA key",
         {"proofs": (replace(five, ml_dsa=stranger.signing.public.ml_dsa.data), six)}),
        ("USR-14", "InvalidSignature", "Proof", "a proof in the context of lists",
         {"proofs": (replace(five, signature=as_list), six)}),
        ("USR-14", "InvalidSignature", "Proof", "a proof with the identity signature of another device",
         {"proofs": (replace(five, identity_signature=six.identity_signature), six)}),
        ("USR-14", "InvalidSignature", "Proof", "a proof with a changed identity signature",
         {"proofs": (replace(five, identity_signature=flipped(five.identity_signature, 40)), six)}),
    ):  # fmt: skip
        wrong_list = replace(new, **changed)  # type: ignore[arg-type]
        group.invalid(comment, given(alice, wrong_list), error, flags=[flag], rules=[rule])
    idle = alice.make(1)
    extra = replace(idle, proofs=(alice.keys(2).prove(idle.snapshot, 2),))
    group.invalid(
        "a proof of a device that is not added", given(alice, extra), "InvalidDeviceList", flags=["Proof"],
        rules=["USR-14"],
    )  # fmt: skip
    for comment, fields in (
        ("somebody else's identity key", {"identity": keys("alice 1").identity.public}),
        ("somebody else's signing key", {
            "ed25519": keys("alice 1").listed(5).ed25519,
            "ml_dsa_hash": keys("alice 1").listed(5).ml_dsa_hash,
        }),
    ):  # fmt: skip
        mallory = Owner("mallory")
        snapshot = with_device(5, **fields)(mallory.draft(add=[(5, FULL)]))
        stolen = mallory.sign(snapshot, 1, (mallory.keys(5).prove(snapshot, 5),))
        error = "InvalidSignature" if "identity" in fields else "InvalidDeviceList"
        group.invalid(
            f"a device with {comment}", given(mallory, stolen), error, flags=["OtherKey"], rules=["USR-14"]
        )
    low = with_device(5, ed25519=b"\x01" + bytes(31))(mallory.draft(add=[(5, FULL)]))
    weak = mallory.sign(low, 1, (mallory.keys(5).prove(low, 5),))
    group.invalid(
        "an Ed25519 key of low order", given(mallory, weak), "InvalidKey", flags=["BadKey"], rules=["PRIM-12"]
    )


def first(family: Family) -> None:
    """Add version 1, right and wrong."""
    group = family.group("device_list.verify", "version 1")
    owner = Owner("first", [(1, FULL), (2, LIMITED)])
    snapshot = owner.lists[0].snapshot

    def alone(new: DeviceList) -> Json:
        return {"before": None, "list": new.encode().hex()}

    group.valid("two devices", alone(owner.lists[0]), rules=["USR-1", "USR-6"])
    recovered = Owner("recovered", [(9, RECOVERY), (1, FULL)]).lists[0]
    group.valid("signed by a recovery device", alone(recovered), rules=["USR-12"])
    for flag, comment, changed, signer in (
        ("Form", "version 2", replace(snapshot, version=2), 1),
        ("Chain", "a hash before", replace(snapshot, previous=bytes(32)), 1),
        ("Chain", "a user id", replace(snapshot, user_id=bytes(32)), 1),
        ("Revoked", "a revoked device", revoked((50, 1))(snapshot), 1),
        ("DocumentKey", "a document key of generation 2", key(2, "second")(snapshot), 1),
        ("Class", "version 1 signed by a limited device", snapshot, 2),
        ("OtherKey", "version 1 signed by a device that it does not list", snapshot, 3),
        ("Form", "no devices", replace(snapshot, devices=(), document_key=None), 1),
    ):
        new = owner.sign(changed, signer)
        group.invalid(comment, alone(new), "InvalidDeviceList", flags=[flag], rules=["USR-6"])
    later = Owner("later")
    group.invalid(
        "version 2 of a right chain",
        alone(later.make(1)),
        "InvalidDeviceList",
        flags=["Chain"],
        rules=["USR-6"],
    )
