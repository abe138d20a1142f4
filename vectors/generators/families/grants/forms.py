"""Grants of another form, and the fragments of links."""

from generators.families.grants.scene import KEY, LINK, SECRET, TO_LINK, given
from generators.support.document_signers import signed_leaves
from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.labels import draw
from generators.support.made_grants import fragment, info_of, leaf_of, recipient, under


def add(family: Family) -> None:
    """Add the groups."""
    terms(family)
    envelopes(family)
    links(family)


def signed(terms: bytes, sealed: bytes | None = None) -> bytes:
    """Return a grant of these terms, sealed for them and signed."""
    key = under(SECRET, KEY)(info_of(terms)) if sealed is None else sealed
    places, by = signed_leaves(TO_LINK.signer, [leaf_of(terms, key)])
    return encode([1, 16, terms, key, places[0], by])


def terms(family: Family) -> None:
    """Add terms of another form."""
    group = family.group("grant.open", "terms of another form")
    subject, to = TO_LINK.subject, TO_LINK.recipient
    fields: list[Value] = [
        TO_LINK.label, subject, to, TO_LINK.signer.fields(), TO_LINK.issued, TO_LINK.purpose, None, None
    ]  # fmt: skip
    signer = TO_LINK.signer.fields()

    def with_(at: int, value: Value) -> bytes:
        return encode([*fields[:at], value, *fields[at + 1 :]])

    cases = {
        "another label": with_(0, "letterlock-v1 terms of a Grant"),
        "the label of a note": with_(0, "letterlock-v1 note about grants"),
        "a subject of three elements": with_(1, subject[:3]),
        "a subject of kind 0": with_(1, [0, *subject[1:]]),
        "a subject of kind 256": with_(1, [256, *subject[1:]]),
        "a subject's id of 17 bytes": with_(1, [1, bytes(17), *subject[2:]]),
        "a subject's number of 2^32": with_(1, [1, subject[1], 2**32, subject[3]]),
        "a commitment of 31 bytes": with_(1, [*subject[:3], bytes(31)]),
        "a recipient of kind 0": with_(2, [0, b"\x80"]),
        "a recipient of kind 256": with_(2, [256, b"\x80"]),
        "a recipient without data": with_(2, [6, b""]),
        "a recipient with 4,097 bytes": with_(2, [6, bytes(4097)]),
        "a recipient whose data are an array": with_(2, [3, [draw("an id", 16)]]),
        "a link's id of 15 bytes": with_(2, recipient(3, bytes(15))),
        "a link with two ids": with_(2, recipient(3, bytes(16), bytes(16))),
        "a byte behind a link's data": with_(2, [3, encode([bytes(16)]) + b"\0"]),
        "a user's id of 16 bytes": with_(2, recipient(1, bytes(16), 1, bytes(32))),
        "a user of generation 0": with_(2, recipient(1, bytes(32), 0, bytes(32))),
        "a collection in epoch 0": with_(2, recipient(2, bytes(16), 0)),
        "a collection's id of 32 bytes": with_(2, recipient(2, bytes(32), 1)),
        "a provisional id of 16 bytes": with_(2, recipient(5, bytes(16), bytes(32))),
        "a signer of three elements": with_(3, signer[:3]),
        "a signer's device 0": with_(3, [signer[0], 0, *signer[2:]]),
        "a signer's version 0": with_(3, [*signer[:2], 0, signer[3]]),
        "a time of 2^53": with_(4, 2**53),
        "null for the time": with_(4, None),
        "a purpose of 65 characters": with_(5, "p" * 65),
        "a line feed in the purpose": with_(5, "one\ntwo"),
        "an invisible character in the purpose": with_(5, "one\u200btwo"),
        "a no-break space in the purpose": with_(5, "one\u00a0two"),
        "a private character in the purpose": with_(5, "one\ue000two"),
        "null for the purpose": with_(5, None),
        "an end of 2^53": with_(6, 2**53),
        "a hash before of 31 bytes": with_(7, bytes(31)),
        "seven elements": encode(fields[:7]),
        "nine elements": encode([*fields, None]),
        "a byte behind the terms": encode(fields) + b"\0",
        "a number in a long form": encode(fields).replace(b"\x84\x01\x50", b"\x84\x18\x01\x50", 1),
        "a tag": b"\xc0" + encode(fields),
    }  # fmt: skip
    for comment, made in cases.items():
        wrong = given(signed(made), LINK)
        group.invalid(comment, wrong, "MalformedMessage", flags=["Shape"], rules=["DOC-33"])


def envelopes(family: Family) -> None:
    """Add grants whose own array has another form."""
    group = family.group("grant.open", "grants of another form")
    made, sealed = TO_LINK.terms(), TO_LINK.sealed()
    places, by = signed_leaves(TO_LINK.signer, [leaf_of(made, sealed)])
    usual: list[Value] = [1, 16, made, sealed, places[0], by]
    whole = encode(usual)

    def with_(at: int, value: Value) -> bytes:
        return encode([*usual[:at], value, *usual[at + 1 :]])

    for comment, grant, expect in (
        ("version 2", with_(0, 2), "UnsupportedVersion"),
        ("version 0", with_(0, 0), "UnsupportedVersion"),
        ("the kind of a note", with_(1, 17), "MalformedMessage"),
        ("the kind of an entry", with_(1, 20), "MalformedMessage"),
        ("terms that are an array", with_(2, [made]), "MalformedMessage"),
        ("no terms", with_(2, b""), "MalformedMessage"),
        ("a sealed key of 59 bytes", with_(3, bytes(59)), "MalformedMessage"),
        ("a sealed key of 4,097 bytes", signed(made, bytes(4097)), "MalformedMessage"),
        ("null for the place", with_(4, None), "MalformedMessage"),
        ("null for who signed", with_(5, None), "MalformedMessage"),
        ("a signature of 3,374 bytes", with_(5, [*by[:5], bytes(3374)]), "MalformedMessage"),
        ("an ML-DSA key of 1,951 bytes", with_(5, [*by[:4], bytes(1951), by[5]]), "MalformedMessage"),
        ("five elements", encode(usual[:5]), "MalformedMessage"),
        ("a seventh element", encode([*usual, None]), "MalformedMessage"),
        ("a byte after it", whole + b"\0", "MalformedMessage"),
        ("without its last byte", whole[:-1], "MalformedMessage"),
        ("no byte", b"", "MalformedMessage"),
        ("a version in a long form", b"\x86\x18\x01" + whole[2:], "MalformedMessage"),
        ("20,481 bytes", whole + bytes(20_481 - len(whole)), "MalformedMessage"),
    ):
        rules = ["WIRE-1"] if expect == "UnsupportedVersion" else ["DOC-33"]
        group.invalid(comment, given(grant, LINK), expect, flags=["Shape"], rules=rules)


def links(family: Family) -> None:
    """Add the fragments of links."""
    group = family.group("link.read", "the fragments of links")
    text = fragment(SECRET)
    for comment, secret in (("a link", SECRET), ("zeros", bytes(32)), ("ones", b"\xff" * 32)):
        answer = group.valid(comment, {"fragment": fragment(secret)}, rules=["DOC-37"])
        assert answer["secret"] == secret.hex()
    ones = fragment(b"\xff" * 32)
    for comment, wrong in (
        ("42 characters", text[:-1]),
        ("44 characters", text + "A"),
        ("with padding", text + "="),
        ("no character", ""),
        ("another alphabet", ones.replace("_", "/")),
        ("a number sign in front", "#" + text[1:]),
        ("a space at the end", text[:-1] + " "),
        ("bits behind the last byte", fragment(bytes(32))[:-1] + "B"),
        ("a character that is not ASCII", text[:-1] + "\u00e9"),
        ("a line feed in the middle", text[:20] + "\n" + text[21:]),
    ):
        group.invalid(comment, {"fragment": wrong}, "MalformedMessage", flags=["Shape"], rules=["DOC-37"])
