"""Records of sessions of suite 2, which hold the triple ratchet.

Not here: the double ratchet in a record, which is the same in suite 1 (nodes.py).
"""

from collections.abc import Iterable
from typing import Any, Final

from generators.families.records.nodes import (
    established_node,
    header_of,
    hearing_node,
    initiated_node,
    opening_node,
    secret_node,
    speaking_node,
)
from generators.support.cbor_nodes import (
    NULL,
    Defect,
    Node,
    array_node,
    blob,
    blob_node,
    counts,
    indefinite,
    lengths,
    long_forms,
    null_node,
    number_node,
    other_types,
    tagged,
    uint,
)
from generators.support.family import Group
from generators.support.labels import draw

_LAST: Final = 2**32 - 1
_ID: Final = draw("records handshake id", 32)

NOTES: Final = {
    "WrongFields": "a state of the braid with a field too many or too few",
    "EpochMismatch": "sparse chains in epochs that do not fit the braid",
}

STATES: Final = (
    ("KeysUnsampled", ""), ("KeysSampled", "seed sent"), ("HeaderSent", "seed sent got"),
    ("Ct1Received", "seed sent"), ("EkSentCt1Received", "seed got"), ("NoHeaderReceived", "got"),
    ("HeaderReceived", ""), ("Ct1Sampled", "m sent got"), ("EkReceivedCt1Sampled", "sent"),
    ("Ct1Acknowledged", "m got"), ("Ct2Sampled", "sent"),
)  # fmt: skip
"""The states in the order of their numbers, each with its name and fields."""

_HAS_SECRET: Final = frozenset({7, 8, 9, 10})
"""The states that have already derived the secret of their epoch."""

_HELD: Final = {"seed": 4, "m": 4, "sent": 5, "got": 6}
"""The places of the fields in the braid."""


def sparse_node(*, latest: int = 3, numbers: tuple[int, int, int] = (4, 5, 6), following: int = 1) -> Node:
    """Return the sparse ratchet; `numbers` are those of both chains, and the length of our last one.

    `following` is 1 if the keys of the next epoch are there.
    """
    sent, received, previous = numbers
    return array_node(
        "sparse ratchet",
        secret_node("sparse RK"),
        number_node("sparse latest epoch", latest),
        _chain("sparse sending", latest - following, sent, following),
        _chain("sparse receiving", latest - following, received, following),
        number_node("sparse last length", previous),
        number_node("sparse initiator", 1),
    )


def _chain(name: str, epoch: int, number: int, following: int) -> Node:
    return array_node(
        f"{name} chain",
        number_node(f"{name} epoch", epoch),
        secret_node(f"{name} CK"),
        number_node(f"{name} n", number),
        secret_node(f"{name} next CK") if following else null_node(f"{name} next CK"),
    )


def braid_node(state: int, *, epoch: int = 4, sent: int = 7, got: tuple[int, ...] = (0, 2, 65535)) -> Node:
    """Return the braid in the state of this number."""
    holds = STATES[state][1].split()
    indices = b"".join(index.to_bytes(2, "big") for index in got)
    return array_node(
        "braid",
        number_node("braid state", state),
        number_node("braid epoch", epoch),
        secret_node("braid authenticator root"),
        secret_node("braid authenticator key"),
        _seed_or_m(holds),
        number_node("braid sent", sent) if "sent" in holds else null_node("braid sent"),
        blob_node("braid got", indices) if "got" in holds else null_node("braid got"),
    )


def _seed_or_m(holds: list[str]) -> Node:
    for name, length in (("seed", 64), ("m", 32)):
        if name in holds:
            return blob_node("braid seed or m", draw(f"records braid {name}", length))
    return null_node("braid seed or m")


def triple_node(double: Node, state: int, sparse: Node | None = None, **braid: Any) -> Node:
    """Return the last element of a session's record, with sparse chains that fit the braid's state."""
    secret = state in _HAS_SECRET
    chains = sparse or sparse_node(latest=4 if secret else 3, following=int(secret))
    return array_node("ratchets", double, chains, braid_node(state, **braid))


INITIATED: Final = initiated_node(header_of(33), triple_node(opening_node(), 1), suite=2)
SPEAKING: Final = established_node(triple_node(speaking_node(), 2), suite=2)
SAMPLED: Final = established_node(triple_node(speaking_node(), 7), suite=2)


def sound(group: Group) -> None:
    """Add every state, and numbers at the end of their range."""
    new = sparse_node(latest=0, numbers=(0, 0, 0), following=0)
    last = sparse_node(latest=_LAST - 1, numbers=(_LAST, _LAST, _LAST), following=0)
    ends = triple_node(
        speaking_node(_LAST, _LAST, _LAST), 2, last, epoch=_LAST, sent=65535, got=tuple(range(36))
    )
    for comment, node in {
        "initiated, suite 2": INITIATED,
        "initiated, suite 2, nothing sent": initiated_node(
            header_of(33), triple_node(opening_node(0), 0, new, epoch=1), suite=2
        ),
        **{
            f"established, suite 2, {name}": established_node(triple_node(speaking_node(), number), suite=2)
            for number, (name, _) in enumerate(STATES)
        },
        "established by the peer, suite 2, hearing": established_node(
            triple_node(hearing_node(), 5, got=()), suite=2, handshake=_ID
        ),
        "suite 2, all counters at their end": established_node(ends, suite=2),
        "suite 2, nothing sent or received in the new epoch yet": established_node(
            triple_node(speaking_node(), 5, sparse_node(latest=3, following=1)), suite=2
        ),
    }.items():
        group.valid(comment, {"record": node.encode().hex()}, rules=["STO-6", "PQR-8"])


def defects() -> Iterable[Defect]:
    """Yield all defects of the sparse ratchet and the braid of one record."""
    whole = SAMPLED
    chains = ("sparse sending next CK", "sparse receiving next CK")
    for each in (
        *counts(whole),
        *other_types(whole, optional=chains),
        *lengths(whole, free=("braid got",)),
        *long_forms(whole),
        *indefinite(whole),
        *tagged(whole, (2,)),
    ):
        if each.comment.startswith(("sparse", "braid", "ratchets")):
            yield each
    for path, (name, most) in NUMBERS_AT.items():
        yield Defect(f"{name} is {most + 1}", "OutOfRange", "WIRE-4", whole.at((6, *path), uint(most + 1)))


def apart() -> Iterable[Defect]:
    """Yield sparse chains that do not fit the braid's state."""
    for state, latest, following in (
        (2, 2, 0), (2, 4, 0), (2, 3, 1), (2, 4, 1), (7, 3, 0), (7, 4, 0), (7, 5, 1), (7, 3, 1), (10, 4, 0),
        (5, 2, 0),
    ):  # fmt: skip
        node = triple_node(speaking_node(), state, sparse_node(latest=latest, following=following))
        comment = f"{STATES[state][0]} of epoch 4, chains of epoch {latest - following} of {latest}"
        yield Defect(comment, "EpochMismatch", "STO-8", established_node(node, suite=2).encode())
    for state, path, name in (
        (2, (1, 2, 0), "sending"),
        (7, (1, 3, 0), "receiving"),
        (6, (1, 3, 0), "receiving"),
    ):
        whole = established_node(triple_node(speaking_node(), state), suite=2)
        comment = f"{STATES[state][0]}: the {name} chain an epoch behind"
        yield Defect(comment, "EpochMismatch", "STO-8", whole.at((6, *path), uint(2)))


NUMBERS_AT: Final = {
    (1, 1): ("sparse latest epoch", _LAST),
    (1, 2, 0): ("sparse sending epoch", _LAST),
    (1, 2, 2): ("sparse sending n", _LAST),
    (1, 3, 0): ("sparse receiving epoch", _LAST),
    (1, 3, 2): ("sparse receiving n", _LAST),
    (1, 4): ("sparse last length", _LAST),
    (1, 5): ("sparse initiator", 1),
    (2, 0): ("braid state", len(STATES) - 1),
    (2, 1): ("braid epoch", _LAST),
    (2, 5): ("braid sent", 65535),
}


def held() -> Iterable[Defect]:
    """Yield each state with each field too many or too few."""
    seed, m = blob(draw("records braid seed", 64)), blob(draw("records braid m", 32))
    others = {"seed": seed, "m": m, "sent": uint(7), "got": blob(b"\0\1")}
    for number, (name, holds) in enumerate(STATES):
        whole = established_node(triple_node(speaking_node(), number), suite=2)
        for what, place in _HELD.items():
            if what in holds.split():
                yield Defect(f"{name} without {what}", "WrongFields", "STO-6", whole.at((6, 2, place), NULL))
            else:
                comment = f"{name} with {what}"
                yield Defect(comment, "WrongFields", "STO-6", whole.at((6, 2, place), others[what]))


def mixtures(suite_one: Node) -> Iterable[Defect]:
    """Yield records that mix two sessions. `suite_one` is an established session of suite 1."""
    assert suite_one.items is not None
    assert SAMPLED.items is not None
    plain, triple = suite_one.items[6].encode(), SAMPLED.items[6].encode()
    for comment, whole, path, data in (
        ("suite 2 with a double ratchet alone", SAMPLED, (6,), plain),
        ("suite 2 that says 1", SAMPLED, (2,), uint(1)),
        ("suite 1 with a triple ratchet", suite_one, (6,), triple),
        ("suite 1 that says 2", suite_one, (2,), uint(2)),
        ("initiated, suite 2, but speaking", INITIATED, (6, 0), speaking_node().encode()),
        ("established, suite 2, but opening", SAMPLED, (6, 0), opening_node().encode()),
        ("sparse and braid exchanged", SAMPLED, (6,), _exchanged(SAMPLED)),
        ("no sparse ratchet", SAMPLED, (6, 1), NULL),
        ("no braid", SAMPLED, (6, 2), NULL),
    ):
        yield Defect(comment, "Mixture", "STO-6", whole.at(path, data))
    for comment, indices in (
        ("indices that repeat", b"\0\1\0\2\0\1"),
        ("indices cut in half", b"\0\1\0"),
        ("37 indices", b"".join(n.to_bytes(2, "big") for n in range(37))),
    ):
        yield Defect(comment, "OutOfRange", "STO-6", SAMPLED.at((6, 2, 6), blob(indices)))


def _exchanged(whole: Node) -> bytes:
    assert whole.items is not None
    assert whole.items[6].items is not None
    double, sparse, braid = whole.items[6].items
    return array_node("ratchets", double, braid, sparse).encode()
