"""Vectors of handshakes between devices of users: the transcript binds both user ids.

Not here: device lists, from which the ids come (families/users).
"""

from generators.support.family import Family
from generators.support.handshakes import KEM, Prekey, bundle, header, initiation, outcome, response, without
from generators.support.labels import draw

RULES = ["HAND-17"]
ALICES, BOBS, CAROLS = (draw(f"user id of {name}", 32) for name in ("alice", "bob", "carol"))

AGREED = ALICES + BOBS
OTHERS = {
    "the user ids in the other order": BOBS + ALICES,
    "another user id of the initiator": CAROLS + BOBS,
    "another user id of the recipient": ALICES + CAROLS,
    "the initiator's user id twice": ALICES + ALICES,
    "user ids of zeros": bytes(64),
    "the last bit of the user ids turned over": AGREED[:-1] + bytes([AGREED[-1] ^ 1]),
}
LENGTHS = {
    "no byte": 0, "one user id alone": 32, "a byte short": 63, "a byte long": 65, "three user ids": 96,
}  # fmt: skip


def add_users(family: Family, suite: int, prekeys: list[Prekey]) -> None:
    """Add both ends with user ids: as agreed, as another side would have them, and of a wrong length."""
    kem = KEM if suite == 2 else None
    begun = initiation(bundle(kem=kem), suite)
    answered = response(header(suite, kem=kem).message(), *prekeys)
    for operation, given in (("handshake.initiate", begun), ("handshake.respond", answered)):
        initiates = operation == "handshake.initiate"
        group = family.group(operation, "devices of users: the transcript has both user ids")
        sound = outcome(suite, kem=kem)
        agreed = outcome(suite, kem=kem, user_ids=AGREED)
        assert agreed["secret"] == sound["secret"]
        seen = {sound["associated_data"], agreed["associated_data"]}
        output = agreed if initiates else without(agreed, "header_bytes")
        with_ids = given | {"user_ids": AGREED.hex()}
        group.valid("both user ids", with_ids, flags=["UserIds"], rules=RULES, output=output)
        for comment, ids in OTHERS.items():
            other = outcome(suite, kem=kem, user_ids=ids)
            assert other["associated_data"] not in seen
            seen.add(other["associated_data"])
            output = other if initiates else without(other, "header_bytes")
            flags = ["UserIds", "OtherAnswer"]
            group.valid(comment, given | {"user_ids": ids.hex()}, flags=flags, rules=RULES, output=output)
        for comment, length in LENGTHS.items():
            wrong = given | {"user_ids": (AGREED + CAROLS)[:length].hex()}
            group.invalid(
                f"user ids of {length} bytes: {comment}", wrong, "UsageError", flags=["UserIds"], rules=RULES
            )
