"""Vectors of stored records, their encryption in the SQLite store, and damaged ones."""

from collections.abc import Iterable

from generators.families.records import sealed, sessions, triple
from generators.families.records.nodes import (
    ACCOUNT,
    NOTES,
    NUMBERS_AT,
    OLD_PREKEY_NODES,
    PEER,
    PREKEY_NODES,
    account_node,
)
from generators.support.cbor_nodes import (
    NULL,
    Defect,
    Node,
    blob,
    counts,
    cuts,
    indefinite,
    lengths,
    long_forms,
    other_types,
    tagged,
    text,
    uint,
)
from generators.support.family import Family, Group, Json
from generators.support.people import BOB, FEW_BAD_KEYS


def refuse(group: Group, name: str, defects: Iterable[Defect], **more: object) -> None:
    for each in defects:
        comment, data = f"{name}: {each.comment}", {"record": each.data.hex(), **more}
        if group.asks(data):
            continue  # two records begin alike, so some of their cuts are one
        group.invalid(comment, data, "CorruptStore", flags=[each.flag], rules=[each.rule])


def every_defect(whole: Node, free: tuple[str, ...] = ()) -> Iterable[Defect]:
    yield from counts(whole)
    yield from other_types(whole)
    yield from lengths(whole, free)
    yield from long_forms(whole)
    yield from indefinite(whole)
    yield from tagged(whole, (2,))
    yield from cuts(whole)


def formats(whole: Node, others: tuple[int, ...] = (0, 2, 2**32)) -> Iterable[Defect]:
    for number in others:
        yield Defect(f"format {number}", "OtherFormat", "STO-6", whole.at((0,), uint(number)))


def keys(whole: Node, places: dict[tuple[int, ...], str]) -> Iterable[Defect]:
    for path, name in places.items():
        for what, key in FEW_BAD_KEYS.items():
            yield Defect(f"{name}: {what}", "InvalidKey", "PRIM-2", whole.at(path, blob(key)))


def numbers(whole: Node, places: dict[tuple[int, ...], tuple[str, int]]) -> Iterable[Defect]:
    for path, (name, most) in places.items():
        yield Defect(f"{name} is {most + 1}", "OutOfRange", "WIRE-4", whole.at(path, uint(most + 1)))


def accounts_and_peers(family: Family) -> None:
    group = family.group("record.account", "accounts")
    for comment, node in (
        ("an account", ACCOUNT),
        ("a new one", account_node(next_id=1, signed_id=0, last_resort_id=0, rotated=0)),
        ("all ids are used up", account_node(next_id=2**32, signed_id=2**32 - 2, last_resort_id=2**32 - 1)),
        ("a time of 2^53 - 1", account_node(rotated=2**53 - 1)),
    ):
        group.valid(comment, {"record": node.encode().hex()}, rules=["STO-3"])
    refuse(group, "account", every_defect(ACCOUNT))
    refuse(group, "account", formats(ACCOUNT))
    refuse(group, "account", numbers(ACCOUNT, NUMBERS_AT))
    refuse(group, "account", keys(ACCOUNT, {(3,): "public key"}))
    refuse(group, "account", addresses(ACCOUNT))

    group = family.group("record.peer", "peers")
    group.valid("a peer", {"record": PEER.encode().hex()}, rules=["STO-3"])
    refuse(group, "peer", every_defect(PEER))
    refuse(group, "peer", formats(PEER))
    refuse(group, "peer", keys(PEER, {(2,): "identity key"}))
    refuse(group, "peer", addresses(PEER))


def addresses(whole: Node) -> Iterable[Defect]:
    for comment, path, data in (
        ("an empty name", (1, 0), text("")),
        ("a name that is not in normal form C", (1, 0), text("bo\u0301b")),
        ("a name that is not UTF-8", (1, 0), text(b"bo\xff")),
        ("device id 0", (1, 1), uint(0)),
        ("device id 2^32", (1, 1), uint(2**32)),
    ):
        yield Defect(comment, "Name", "WIRE-8", whole.at(path, data))


def prekeys(family: Family) -> None:
    group = family.group("record.prekey", "prekeys")
    for kind, node in PREKEY_NODES.items():
        group.valid(f"of kind {kind}", {"kind": kind, "record": node.encode().hex()}, rules=["STO-25"])
    for kind, node in OLD_PREKEY_NODES.items():
        comment = f"of kind {kind}, format 1"
        group.valid(comment, {"kind": kind, "record": node.encode().hex()}, rules=["STO-25"])
    for kind in (1, 3):
        refuse(group, f"kind {kind}", every_defect(PREKEY_NODES[kind]), kind=kind)
        refuse(group, f"kind {kind}", formats(PREKEY_NODES[kind], (0, 1, 3, 2**32)), kind=kind)
        refuse(group, f"kind {kind}, format 1", every_defect(OLD_PREKEY_NODES[kind]), kind=kind)
    refuse(group, "kind 2", keys(PREKEY_NODES[2], {(2,): "public key"}), kind=2)
    for kind, (what, public) in {
        1: ("no public key", NULL),
        2: ("a signature in place of the public key", blob(bytes(64))),
        3: ("a public key of 32 bytes", blob(bytes(32))),
        4: ("the public key", blob(BOB.kem(400).key.data)),
    }.items():
        wrong = {"kind": kind, "record": PREKEY_NODES[kind].at((2,), public).hex()}
        if not group.asks(wrong):
            group.invalid(f"kind {kind}: {what}", wrong, "CorruptStore", flags=["Mixture"], rules=["STO-25"])
    for nodes, of in ((PREKEY_NODES, ""), (OLD_PREKEY_NODES, ", format 1")):
        for kind, other in ((1, 3), (2, 4), (3, 1), (4, 2)):
            data: Json = {"kind": kind, "record": nodes[other].encode().hex()}
            comment = f"the record of a prekey of kind {other} as one of kind {kind}{of}"
            group.invalid(comment, data, "CorruptStore", flags=["WrongLength"], rules=["STO-3"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "records",
        "deterministic CBOR, fixed layouts, XChaCha20-Poly1305 and Argon2id",
        ["The records of accounts, peers, prekeys and sessions, and their encryption in a file."],
        NOTES | triple.NOTES,
    )
    accounts_and_peers(family)
    prekeys(family)
    sessions.add(family)
    triple.add(family)
    sealed.add(family)
    return family
