"""Vectors of PQXDH, suite 2: both ends, and every refusal of a bundle or initial message."""

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
    KEM,
    LAST_RESORT,
    MALLORY,
    ONE_TIME,
    OTHER_KEM,
    SIGNED,
    Bundle,
    Prekey,
    bundle,
    encapsulated,
    header,
    initiation,
    outcome,
    response,
    without,
)
from generators.support.labels import flipped

CHOICES: list[tuple[str, list[str], Prekey | None, Prekey]] = [
    ("one-time prekeys of both kinds", ["OneTime", "KemOneTime"], ONE_TIME, KEM),
    ("a one-time KEM prekey alone", ["NoOneTime", "KemOneTime"], None, KEM),
    ("a one-time prekey and the last-resort prekey", ["OneTime", "LastResort"], ONE_TIME, LAST_RESORT),
    ("the last-resort prekey alone", ["NoOneTime", "LastResort"], None, LAST_RESORT),
]
RULES = ["HAND-4", "HAND-5", "HAND-6"]


def initiating(family: Family) -> None:
    group = family.group("handshake.initiate", "Alice begins with Bob's bundle")
    for comment, flags, one_time, kem in CHOICES:
        given = initiation(bundle(one_time=one_time, kem=kem), 2, kem)
        output = outcome(2, one_time=one_time, kem=kem)
        group.valid(comment, given, flags=flags, rules=RULES, output=output)
    group = family.group("handshake.initiate", "bundles without what the suite needs")
    for comment, one_time in {"no KEM prekey": ONE_TIME, "no KEM and no one-time prekey": None}.items():
        given = initiation(bundle(one_time=one_time), 2)
        group.invalid(comment, given, "SuiteRefused", flags=["NoKem"], rules=["HAND-5"])
    group = family.group("handshake.initiate", "bundles whose signature does not verify")
    refuse_signatures(group, 2, KEM)
    last = Bundle(one_time=None, kem=LAST_RESORT)
    as_one_time = last.with_(kem=replace(LAST_RESORT, kind=3)).encode(last.sign())
    given = initiation(as_one_time, 2, LAST_RESORT)
    comment = "the last resort is called a one-time KEM prekey"
    group.invalid(comment, given, "InvalidSignature", flags=["WrongKind"], rules=["HAND-2"])
    refuse_mixtures(family.group("handshake.initiate", "mixtures of signed bundles"), 2, KEM)
    refuse_stale(family, 2, KEM)
    given = initiation(bundle(), 2) | {"now": 0}
    comment = "too old, and without a KEM prekey"
    group = family.group("handshake.initiate", "bundles with two defects")
    group.invalid(comment, given, "StaleBundle", flags=["Stale", "NoKem"], rules=["HAND-15"])
    comment = "too old, and not signed"
    given = initiation(Bundle(kem=KEM).encode(bytes(64)), 2) | {"now": 0}
    group.invalid(comment, given, "InvalidSignature", flags=["Stale", "BadSignature"], rules=["HAND-1"])
    refuse_kem_keys(family)
    refuse_addresses(family.group("handshake.initiate", "bundles of the wrong owner"), 2, KEM)


def refuse_kem_keys(family: Family) -> None:
    group = family.group("handshake.initiate", "bundles with an invalid key")
    refuse_keys(group, 2, KEM)
    for where, at in {"first": 0, "last": 1534}.items():
        # 12 bits a coefficient, two in three bytes: the first takes a byte and a half, and so does the last.
        low = at == 0
        two = int.from_bytes(KEM.key[at : at + 2], "little")
        two = two & 0xF000 | 3329 if low else two & 0x000F | 3329 << 4
        key = KEM.key[:at] + two.to_bytes(2, "little") + KEM.key[at + 2 :]
        given = initiation(bundle(kem=replace(KEM, key=key)), 2)
        comment = f"the {where} coefficient of the KEM prekey is q"
        group.invalid(comment, given, "InvalidKey", flags=["Coefficient"], rules=["PRIM-7"])


PREKEYS = [SIGNED, ONE_TIME, KEM, LAST_RESORT]
SENT = header(2, kem=KEM)


def responding(family: Family) -> None:
    group = family.group("handshake.respond", "Bob answers Alice's first message")
    for comment, flags, one_time, kem in CHOICES:
        given = response(header(2, one_time=one_time, kem=kem).message(), *PREKEYS)
        output = without(outcome(2, one_time=one_time, kem=kem), "header_bytes")
        group.valid(comment, given, flags=flags, rules=RULES, output=output)
    sound, ciphertext = outcome(2, kem=KEM), encapsulated(KEM.key)[1]
    forged, for_another = flipped(ciphertext, 700), encapsulated(LAST_RESORT.key)[1]
    for comment, flag, message in [
        ("Mallory's identity key", "OtherAnswer", SENT.with_(identity=MALLORY.public)),
        ("a bit of the ciphertext", "ImplicitRejection", SENT.with_(ciphertext=forged)),
        ("a ciphertext for another prekey", "ImplicitRejection", SENT.with_(ciphertext=for_another)),
    ]:
        answer = group.valid(comment, response(message.message(), *PREKEYS), flags=[flag], rules=RULES)
        assert answer["associated_data"] != sound["associated_data"]
        assert answer["secret"] != sound["secret"]
    given = response(SENT.message(), *PREKEYS) | {"from": ["alice", 2]}
    comment = "from another stated address: the same SK, another AD"
    answer = group.valid(comment, given, flags=["OtherAnswer"], rules=["HAND-6"])
    assert answer["associated_data"] != sound["associated_data"]
    assert answer["secret"] == sound["secret"]


def refusing(family: Family) -> None:
    group = family.group("handshake.respond", "first messages that are refused")
    refuse_messages(group, SENT, [SIGNED, ONE_TIME, KEM])
    ids: list[tuple[str, str, Json]] = [
        ("KEM prekey id: one more", "Unknown", {"kem_id": KEM.id + 1}),
        ("KEM prekey id: 0", "Unknown", {"kem_id": 0}),
        ("KEM prekey id: the signed prekey's", "OtherKindOfPrekey", {"kem_id": SIGNED.id}),
        ("KEM prekey id: the one-time prekey's", "OtherKindOfPrekey", {"kem_id": ONE_TIME.id}),
        ("KEM prekey id: one that is used up", "Unknown", {"kem_id": OTHER_KEM.id}),
        ("signed prekey id: a KEM prekey's", "OtherKindOfPrekey", {"signed_id": KEM.id}),
        ("one-time prekey id: a KEM prekey's", "OtherKindOfPrekey", {"one_time_id": KEM.id}),
    ]
    for comment, flag, changes in ids:
        given = response(SENT.with_(**changes).message(), *PREKEYS)
        group.invalid(comment, given, "UnknownPrekey", flags=[flag], rules=["HAND-10"])
    ciphertext = encapsulated(KEM.key)[1]
    parts: dict[str, Json] = {
        "no KEM prekey id": {"kem_id": None},
        "no ciphertext": {"ciphertext": None},
        "neither": {"kem_id": None, "ciphertext": None},
        "a ciphertext of no bytes": {"ciphertext": b""},
        "a ciphertext, a byte short": {"ciphertext": ciphertext[:-1]},
        "a ciphertext, a byte long": {"ciphertext": ciphertext + b"\0"},
        "the length of an ML-KEM-768 ciphertext": {"ciphertext": ciphertext[:1088]},
    }
    for comment, changes in parts.items():
        given = response(SENT.with_(**changes).message(), *PREKEYS)
        group.invalid(comment, given, "MalformedMessage", flags=["Malformed"], rules=["WIRE-7"])
    given = response(SENT.with_(carries=1).message(), *PREKEYS)
    comment = "a ratchet message of suite 1 in the triple message's place"
    group.invalid(comment, given, "MalformedMessage", flags=["Malformed"], rules=["PQR-8"])


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "pqxdh",
        "PQXDH: X25519, SHA-256, ML-KEM-1024",
        [
            "Suite 2, the default: three or four agreements, followed by the secret of an encapsulation.",
            "`m` is the randomness of the encapsulation; `ciphertext` and `secret` are its result.",
        ],
        NOTES
        | {
            "UserIds": "between devices of users, whose ids the transcript has",
            "WrongKind": "signed for another kind of prekey",
            "KemOneTime": "with a one-time KEM prekey",
            "LastResort": "with the last-resort KEM prekey",
            "NoKem": "the bundle has no KEM prekey, and to go on would be a downgrade",
            "Coefficient": "a KEM key with a coefficient of q or more",
            "ImplicitRejection": "a forged ciphertext, which gives another secret, not an error",
        },
    )
    initiating(family)
    responding(family)
    refusing(family)
    add_users(family, 2, PREKEYS)
    return family
