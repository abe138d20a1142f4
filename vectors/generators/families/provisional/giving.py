"""What both servers give: keys to a granter, and sealed seeds to the person."""

from typing import Final

from generators.families.provisional.bodies import id_
from generators.support.encoding import Value, encode
from generators.support.family import Family, Json
from generators.support.halves import ASKING, OTHER_ASKING, public_of
from generators.support.hpke import seal_to
from generators.support.labels import draw, flipped
from generators.support.relay_elements import shown

RELEASE: Final = b"letterlock-v1 released provisional seed"
KEYS: Final = (
    public_of(draw("provisional seed of server 1", 32)),
    public_of(draw("provisional seed of server 2", 32)),
)
USERS: Final = draw("a user who claimed", 32), draw("another user who claimed", 32)


def add(family: Family) -> None:
    """Add the groups."""
    judging(family)
    seeds(family)
    seeds_refused(family)


# --- the granter ------------------------------------------------------------------------------------------


def _made(key: bytes | None = None, user: bytes | None = None) -> str:
    return encode([1, key, user]).hex()


def judging(family: Family) -> None:
    """Add what a granter makes of both answers."""
    group = family.group("provisional.judge", "two keys, or the user who has claimed")
    one, other = KEYS
    for comment, first, second, keys in (
        ("two keys", one, other, [one, other]),
        ("the same keys at the other servers", other, one, [other, one]),
    ):
        output = {"keys": shown(keys), "user_id": None}
        asked = {"first": _made(first), "second": _made(second)}
        group.valid(comment, asked, rules=["PRV-4"], output=output)
    for number, user in enumerate(USERS, 1):
        asked = {"first": _made(user=user), "second": _made(user=user)}
        output = {"keys": None, "user_id": user.hex()}
        group.valid(f"claimed by user {number}", asked, rules=["PRV-8"], output=output)
    mine, theirs = USERS
    for comment, error, flag, rule, first, second in (
        ("one key twice", "ServerAtFault", "SameKey", "PRV-4", _made(one), _made(one)),
        ("another key twice", "ServerAtFault", "SameKey", "PRV-4", _made(other), _made(other)),
        ("two users", "ServerAtFault", "Claim", "PRV-8", _made(user=mine), _made(user=theirs)),
        ("a key at server 1, a user at server 2", "RecoveryRefused", "Claim", "PRV-8", _made(one),
         _made(user=mine)),
        ("a user at server 1, a key at server 2", "RecoveryRefused", "Claim", "PRV-8", _made(user=mine),
         _made(other)),
    ):  # fmt: skip
        group.invalid(comment, {"first": first, "second": second}, error, flags=[flag], rules=[rule])


# --- the person -------------------------------------------------------------------------------------------


def seed(server: int, at: int) -> bytes:
    """Return the seed of an identity at a server."""
    return draw(f"provisional seed {at} of server {server}", 32)


def released(
    server: int, at: int, *, info: bytes | None = None, key: bytes = ASKING,
    named: int | None = None,
) -> list[Value]:  # fmt: skip
    """Return the id of an identity and its sealed seed. `named` is another id than the one it is bound to."""
    bound = RELEASE + encode([server, id_(at)]) if info is None else info
    sealed = seal_to(public_of(key), f"released seed {at} of server {server}", bound, seed(server, at))
    return [id_(at if named is None else named), sealed]


def given(first: list[list[Value]], second: list[list[Value]], asking: bytes = ASKING) -> Json:
    """Return the input of provisional.seeds."""
    shown_ = (encode([1, list(each)]).hex() for each in (first, second))
    return {"asking": asking.hex(), **dict(zip(("first", "second"), shown_, strict=True))}


def seeds(family: Family) -> None:
    """Add seeds that open."""
    group = family.group("provisional.seeds", "the seeds of identities that both servers released")
    for comment, mine, theirs, both in (
        ("of one identity", [1], [1], [1]),
        ("of two", [1, 2], [1, 2], [1, 2]),
        ("of two, in another order at server 2", [1, 2], [2, 1], [1, 2]),
        ("of one that server 2 has, too", [1, 2], [2, 3], [2]),
        ("none in common", [1], [2], []),
        ("none at server 1", [], [1], []),
        ("none", [], [], []),
    ):
        asked = given([released(1, at) for at in mine], [released(2, at) for at in theirs])
        output = {
            "keys": [[id_(at).hex(), *(shown(public_of(seed(each, at))) for each in (1, 2))] for at in both]
        }
        group.valid(comment, asked, rules=["PRV-5"], output=output)


def seeds_refused(family: Family) -> None:
    """Add seeds that are sealed to something else."""
    group = family.group("provisional.seeds", "seeds that do not open")
    cases: list[tuple[str, Json]] = []
    for server in (1, 2):
        for comment, found in (
            ("sealed for the other server", released(server, 1, info=RELEASE + encode([3 - server, id_(1)]))),
            ("sealed for another identity", released(server, 1, info=RELEASE + encode([server, id_(2)]))),
            ("of another identity under this id", released(server, 2, named=1)),
            ("sealed without an id", released(server, 1, info=RELEASE + encode([server]))),
            ("sealed without a label", released(server, 1, info=encode([server, id_(1)]))),
            ("sealed as a half of a recovery key", released(server, 1, info=(
                b"letterlock-v1 released half of a key" + encode([server, id_(1)])))),
            ("sealed to somebody else", released(server, 1, key=OTHER_ASKING)),
            ("a changed encapsulation", _changed(server, 5)),
            ("a changed X25519 share", _changed(server, 1100)),
            ("a changed tag", _changed(server, -1)),
        ):  # fmt: skip
            sound = [[released(each, 1)] for each in (1, 2)]
            sound[server - 1] = [found]
            cases.append((f"server {server}: {comment}", given(*sound)))
    both = [[released(each, 1), released(each, 2)] for each in (1, 2)]
    both[1][1] = [id_(2), flipped(_sealed(2, 2), -1)]
    cases.append(("server 2: the second one of two is changed", given(*both)))
    cases.append(("another key than the one that asked",
                  given([released(1, 1)], [released(2, 1)], OTHER_ASKING)))  # fmt: skip
    for comment, asked in cases:
        group.invalid(comment, asked, "ServerAtFault", flags=["Seed"], rules=["PRV-5"])


def _sealed(server: int, at: int) -> bytes:
    sealed = released(server, at)[1]
    assert isinstance(sealed, bytes)
    return sealed


def _changed(server: int, index: int) -> list[Value]:
    return [id_(1), flipped(_sealed(server, 1), index)]
