"""Account plays between devices of users: the transcript binds both user ids."""

from collections.abc import Callable
from typing import Final

from generators.support.account_script import Friend, Script
from generators.support.family import Family
from generators.support.labels import draw
from generators.support.people import ALICE, BOB
from letterlock._wire.suite import Suite

ALICES, BOBS, CAROLS = (draw(f"user id of {name}", 32) for name in ("alice", "bob", "carol"))
RULES: Final = ["HAND-17"]
PREKEYS: Final[dict[int, dict[str, int | None]]] = {1: {}, 2: {"kem": 300}}

Ids = tuple[bytes | None, bytes | None]

DISAGREEMENTS: Final[dict[str, tuple[Ids, Ids]]] = {
    "the recipient knows no users": ((None, None), (ALICES, BOBS)),
    "the initiator knows no users": ((BOBS, ALICES), (None, None)),
    "another initiator": ((BOBS, CAROLS), (ALICES, BOBS)),
    "another recipient": ((CAROLS, ALICES), (ALICES, BOBS)),
    "initiator and recipient exchanged": ((ALICES, BOBS), (ALICES, BOBS)),
    "one user on both sides": ((ALICES, ALICES), (ALICES, BOBS)),
    "user ids of zeros": ((bytes(32), bytes(32)), (ALICES, BOBS)),
}
"""Our user id and the peer's: as the account has them, and as its friend has them."""


def friend_with(script: Script, ids: Ids) -> Friend:
    """Return a friend that has these user ids, its own first."""
    friend = script.friend()
    ours, theirs = ids
    friend.user_ids = None if ours is None or theirs is None else ours + theirs
    return friend


def agreed(family: Family) -> None:
    """Both sides have the same two user ids."""
    group = family.group("account.play", "devices of users")
    for suite, chosen in PREKEYS.items():
        name = Suite(suite).name
        script = Script(f"users, recipient {name}")
        alice = friend_with(script, (ALICES, BOBS))
        alice.initiate(BOB.bundle(**chosen), Suite(suite))  # type: ignore[arg-type]
        script.users(BOBS, ALICES)
        script.receive(alice.write("hello"), "hello")
        alice.read(script.encrypt("an answer"), "an answer")
        script.receive(alice.write("no header now"), "no header now")
        script.add(group, f"the recipient, {name}", rules=RULES)

        script = Script(f"users, initiator {name}")
        alice = friend_with(script, (ALICES, BOBS))
        script.users(BOBS, ALICES)
        script.initiate(ALICE.bundle(**chosen), suite)  # type: ignore[arg-type]
        alice.read(script.encrypt("hello"), "hello")
        script.receive(alice.write("an answer"), "an answer")
        script.users(None, None)  # the session stays what it is
        alice.read(script.encrypt("no header now"), "no header now")
        script.add(group, f"the initiator, {name}", rules=RULES)


def disagreed(family: Family) -> None:
    """The sides have other user ids. What was refused leaves the prekeys, and opens when they agree."""
    group = family.group("account.play", "devices that mean other users")
    for suite, chosen in PREKEYS.items():
        name = Suite(suite).name
        for comment, (ours, theirs) in DISAGREEMENTS.items():
            script = Script(f"users, {comment} {name}")
            alice = friend_with(script, theirs)
            alice.initiate(BOB.bundle(**chosen), Suite(suite))  # type: ignore[arg-type]
            message = alice.write("hello")
            script.users(*ours)
            script.refused(message, "AuthenticationFailed")
            script.sessions(0)
            script.prekeys(100, 200, 300, 400)
            script.users(theirs[1], theirs[0])
            script.receive(message, "hello")
            alice.read(script.encrypt("an answer"), "an answer")
            script.add(group, f"{comment}, {name}", rules=RULES, flags=["UserIds"])


def answers(family: Family) -> None:
    """The account initiates with other user ids than its friend has, so no answer comes that opens."""
    group = family.group("account.play", "an answer of a device that means other users")
    for suite, chosen in PREKEYS.items():
        script = Script(f"users, answers {suite}")
        other = friend_with(script, (ALICES, BOBS))
        alice = friend_with(script, (ALICES, CAROLS))
        script.users(BOBS, ALICES)
        script.initiate(ALICE.bundle(**chosen), suite)  # type: ignore[arg-type]
        first = script.encrypt("hello")
        other.read(first, "hello")
        alice.initiate(BOB.bundle(**chosen), Suite(suite))  # type: ignore[arg-type]
        script.refused(alice.write("of another session"), "AuthenticationFailed")
        script.receive(other.write("an answer"), "an answer")
        script.add(group, f"{Suite(suite).name}", rules=RULES, flags=["UserIds"])


USERS: Final[tuple[Callable[[Family], None], ...]] = (agreed, disagreed, answers)
