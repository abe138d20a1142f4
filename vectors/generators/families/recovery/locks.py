"""Locks: sealed and opened with both outputs, and which of two servers' locks is taken."""

from typing import Final

from generators.families.recovery.functions import BAD_ELEMENTS
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.kdf import hkdf
from generators.support.labels import draw, flipped
from generators.support.recovery_scene import MEMORY, PASSES, Made, public_of, shown

ONE: Final = Made("one")
TWO: Final = Made("two")
THREE: Final = Made("three")
BOBS: Final = Made("of bob", "bob")


def outputs(made: Made) -> Json:
    """Return both outputs as an operation takes them."""
    return {f"output_{at}": each.hex() for at, each in enumerate(made.outputs, 1)}


def add(family: Family) -> None:
    """Add the groups."""
    sealing(family)
    opening(family)
    reading(family)
    choices(family)
    decoys(family)


def sealing(family: Family) -> None:
    """Add locks that are made."""
    group = family.group("recovery.seal_lock", "locks that are made of both outputs")
    for comment, made, changes in (
        ("the cheapest", ONE, {}), ("of another user", BOBS, {}),
        ("the dearest", TWO, {"passes": 16, "memory": 2**30}),
    ):  # fmt: skip
        hardness = {"passes": PASSES, "memory": MEMORY} | changes
        given = {
            **made.name(), **hardness, "public_1": made.public[0].hex(), "public_2": made.public[1].hex(),
            **outputs(made), "key": made.key.hex(),
        }  # fmt: skip
        lock = made.lock(made.sealed(**hardness), **hardness)
        answer = group.valid(comment, given, rules=["REC-2"])
        assert answer["lock"] == lock.hex(), comment


def opening(family: Family) -> None:
    """Add locks that are opened, and that are not."""
    group = family.group("recovery.open_lock", "locks that open with both outputs")
    for comment, made in (("a lock", ONE), ("another lock", TWO), ("a lock of another user", BOBS)):
        output = {"key": made.key.hex(), "login_keys": [each.hex() for each in made.logins()]}
        given = {"lock": made.lock().hex(), **outputs(made)}
        group.valid(comment, given, rules=["REC-2", "REC-5"], output=output)
    group = family.group("recovery.open_lock", "locks that do not open")
    sound, right = ONE.lock(), outputs(ONE)
    first, second = right["output_1"], right["output_2"]
    other = outputs(TWO)
    wrong: list[tuple[str, str, str, bytes, Json]] = [
        ("the outputs exchanged", "Password", "REC-2", sound, {"output_1": second, "output_2": first}),
        ("the first output twice", "Password", "REC-2", sound, right | {"output_2": first}),
        ("the second output twice", "Password", "REC-2", sound, right | {"output_1": second}),
        ("another first output", "Password", "REC-2", sound, right | {"output_1": other["output_1"]}),
        ("another second output", "Password", "REC-2", sound, right | {"output_2": other["output_2"]}),
        ("outputs of zeros", "Password", "REC-2", sound, {"output_1": "00" * 64, "output_2": "00" * 64}),
        ("outputs of another lock", "Password", "REC-2", sound, other),
        ("another commitment", "Changed", "REC-5", ONE.lock(flipped(ONE.sealed(), 0)), right),
        ("the last byte of the commitment", "Changed", "REC-5", ONE.lock(flipped(ONE.sealed(), 31)), right),
        ("another ciphertext", "Changed", "REC-5", ONE.lock(flipped(ONE.sealed(), 32)), right),
        ("another tag", "Changed", "REC-5", ONE.lock(flipped(ONE.sealed(), 79)), right),
        ("the key of another lock", "Changed", "REC-5", ONE.lock(TWO.sealed()), right),
        ("the commitment of another lock", "Changed", "REC-5",
         ONE.lock(TWO.sealed()[:32] + ONE.sealed()[32:]), right),
        ("another user", "Changed", "REC-5", ONE.lock(user_id=BOBS.user_id), right),
        ("another lock id", "Changed", "REC-5", ONE.lock(lock_id=TWO.lock_id), right),
        ("a pass more", "Changed", "REC-5", ONE.lock(passes=4), right),
        ("a byte of memory more", "Changed", "REC-5", ONE.lock(memory=MEMORY + 1), right),
        ("another first key", "Changed", "REC-5", ONE.lock(public_1=TWO.public[0]), right),
        ("another second key", "Changed", "REC-5", ONE.lock(public_2=TWO.public[1]), right),
        ("both keys exchanged", "Changed", "REC-5",
         ONE.lock(public_1=ONE.public[1], public_2=ONE.public[0]), right),
    ]  # fmt: skip
    for comment, flag, rule, lock, given in wrong:
        asked = {"lock": lock.hex(), **given}
        group.invalid(comment, asked, "WrongPassword", flags=[flag], rules=[rule])


def reading(family: Family) -> None:
    """Add locks that are refused before anything is computed."""
    group = family.group("recovery.open_lock", "locks that nobody tries to open")
    sealed, right = ONE.sealed(), outputs(ONE)
    hardness: dict[str, dict[str, Value]] = {
        "two passes": {"passes": 2}, "no pass": {"passes": 0}, "17 passes": {"passes": 17},
        "a byte of memory too few": {"memory": MEMORY - 1}, "no memory": {"memory": 0},
        "a byte of memory too many": {"memory": 2**30 + 1}, "2^32 bytes of memory": {"memory": 2**32},
    }  # fmt: skip
    for comment, changes in hardness.items():
        given = {"lock": ONE.lock(ONE.sealed(**changes), **changes).hex(), **right}
        group.invalid(comment, given, "MalformedMessage", flags=["Hardness"], rules=["REC-4"])
    for comment, bad in BAD_ELEMENTS.items():
        for place in ("public_1", "public_2"):
            if len(bad) == 32:
                lock = ONE.lock(sealed, **{place: bad})
                given = {"lock": lock.hex(), **right}
                group.invalid(
                    f"{place}: {comment}", given, "InvalidKey", flags=["BadElement"], rules=["REC-7"]
                )


def choices(family: Family) -> None:
    """Add what two servers show."""
    group = family.group("recovery.choose", "the newest lock that both servers hold")
    one, two, three = ONE.lock(), TWO.lock(), THREE.lock()
    user_id = ONE.user_id.hex()

    def given(first: str, second: str) -> Json:
        return {"user_id": user_id, "first": first, "second": second}

    rests = shown(one, standing=[0, 1_700_000_000, 1])
    for comment, first, second, chosen in (
        ("one lock", shown(one), shown(one), one), ("two locks", shown(one, two), shown(one, two), two),
        ("the newest at server 1 alone", shown(one, two), shown(one), one),
        ("the newest at server 2 alone", shown(one), shown(one, two), one),
        ("the one before is at server 1 alone", shown(one, two), shown(two), two),
        ("the one before is at server 2 alone", shown(two), shown(one, two), two),
        ("the middle one of three", shown(one, two), shown(two, three), two),
        ("another standing", shown(one), rests, one),
    ):  # fmt: skip
        group.valid(comment, given(first, second), rules=["REC-6"], output={"lock": chosen.hex()})
    for comment, first, second in (
        ("no lock at all", shown(), shown()), ("none at server 1", shown(), shown(one)),
        ("none at server 2", shown(one), shown()), ("one each, not the same", shown(one), shown(two)),
        ("two each, none the same", shown(one, two), shown(three)),
        ("two in another order", shown(one, two), shown(two, one)),
        ("two in another order at server 1", shown(two, one), shown(one, two)),
        ("another sealed key", shown(one), shown(ONE.lock(flipped(ONE.sealed(), 79)))),
        ("another hardness", shown(ONE.lock(passes=4)), shown(one)),
        ("another public key", shown(one), shown(ONE.lock(public_1=TWO.public[0]))),
        ("an older lock that was changed", shown(one, two), shown(ONE.lock(passes=4), two)),
        ("a newer lock that was changed", shown(one, two), shown(one, TWO.lock(passes=4))),
        ("another user's", shown(BOBS.lock()), shown(BOBS.lock())),
        ("another user's before it", shown(BOBS.lock(), one), shown(BOBS.lock(), one)),
        ("another user's after it", shown(one, BOBS.lock()), shown(one, BOBS.lock())),
    ):  # fmt: skip
        group.invalid(comment, given(first, second), "ServerAtFault", flags=["Choice"], rules=["REC-6"])
    for comment, first, second in (
        ("two passes at both", shown(ONE.lock(passes=2)), shown(ONE.lock(passes=2))),
        ("two passes at server 2", shown(one), shown(ONE.lock(passes=2))),
    ):
        group.invalid(comment, given(first, second), "MalformedMessage", flags=["Hardness"], rules=["REC-4"])


def decoys(family: Family) -> None:
    """Add locks of users that have none."""
    group = family.group("recovery.decoy", "the same decoy at both servers")
    for key in ("one", "two"):
        for user in ("alice", "bob"):
            decoy_key, user_id = draw(f"decoy key {key}", 32), draw(f"user of recovery {user}", 32)
            given = {"key": decoy_key.hex(), "user_id": user_id.hex()}
            lock = decoy(decoy_key, user_id)
            group.valid(f"{user}, under key {key}", given, rules=["REC-12"], output={"lock": lock.hex()})


def decoy(key: bytes, user_id: bytes) -> bytes:
    """Return a decoy."""

    whole = hkdf(b"", key, b"letterlock-v1 decoy of a lock" + user_id, 192)
    keys: list[Value] = [public_of(whole[16:48]), public_of(whole[48:80])]
    return encode([1, user_id, whole[:16], PASSES, MEMORY, *keys, whole[112:]])
