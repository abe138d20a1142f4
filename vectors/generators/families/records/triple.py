"""Records of sessions of suite 2: after the head stand the sparse chains, and the braid with its texts."""

from collections.abc import Iterator
from typing import Any, Final

from generators.families.records.flat import Flat, refuse, unused
from generators.families.records.sessions import (
    HEARING,
    ID,
    LAST,
    SPEAKING,
    UNANSWERED,
    head,
    header_of,
    secret,
    wrong,
)
from generators.support.cbor_nodes import Defect
from generators.support.family import Family
from generators.support.labels import draw

NOTES: Final = {
    "WrongFields": "a state of the braid with a field too many or too few",
    "EpochMismatch": "sparse chains in epochs that do not fit the braid",
}

STATES: Final = (
    ("KeysUnsampled", "", 0, 0, 0),
    ("KeysSampled", "seed", 96, 0, 0),
    ("HeaderSent", "seed", 1152, 30, 0),
    ("Ct1Received", "seed", 1152, 0, 960),
    ("EkSentCt1Received", "seed", 0, 5, 960),
    ("NoHeaderReceived", "", 0, 3, 0),
    ("HeaderReceived", "", 0, 0, 64),
    ("Ct1Sampled", "m", 960, 36, 64),
    ("EkReceivedCt1Sampled", "", 960, 0, 160),
    ("Ct1Acknowledged", "m", 0, 36, 64),
    ("Ct2Sampled", "", 160, 0, 0),
)
"""The states by their number: secret, bytes of outgoing, codewords of what arrives, bytes of kept."""

_WITH_SECRET: Final = frozenset({7, 8, 9, 10})
"""The states that have already derived the secret of their epoch."""

HEADER: Final = header_of(33)


def entries(*indices: int) -> bytes:
    """Return codewords as they are collected."""
    return b"".join(index.to_bytes(2, "big") + draw(f"records codeword {index}", 32) for index in indices)


def sparse(latest: int, *, epochs: tuple[int, int], numbers: tuple[int, int, int]) -> dict[str, bytes]:
    """Return the fields of the sparse ratchet; `numbers` are n of sending and receiving, and pn."""
    sending, receiving = epochs
    return {
        "sparse_RK": secret("sparse RK"),
        "latest": latest.to_bytes(8, "big"),
        "sending_epoch": sending.to_bytes(8, "big"),
        "receiving_epoch": receiving.to_bytes(8, "big"),
        "n_sending": numbers[0].to_bytes(4, "big"),
        "n_receiving": numbers[1].to_bytes(4, "big"),
        "pn": numbers[2].to_bytes(4, "big"),
    }


def keys(latest: int, epochs: tuple[int, int]) -> dict[str, bytes]:
    """Return the keys of the sparse chains."""
    names = ("sending", "receiving")
    now = {f"CK_{name}": secret(f"sparse {name} CK") for name in names}
    following = {
        f"following_{name}": bytes(32) if epoch == latest else secret(f"sparse {name} next CK")
        for name, epoch in zip(names, epochs, strict=True)
    }
    return now | following


def braid(number: int, epoch: int, *, sent: int = 7, got: tuple[int, ...] | None = None) -> dict[str, bytes]:
    """Return the fields of the braid after the state."""
    name, holds, outgoing, share, kept = STATES[number]
    incoming = entries(*((0, 65535) if got is None else got)) if share else b""
    made = {"seed": draw("records braid seed", 64), "m": draw("records braid m", 32) + bytes(32)}
    return {
        "epoch": epoch.to_bytes(8, "big"),
        "authenticator_root": secret("braid authenticator root"),
        "authenticator_key": secret("braid authenticator key"),
        "secret": made.get(holds, bytes(64)),
        "sent": (sent if outgoing else 0).to_bytes(2, "big"),
        **{
            f"{text}_length": length.to_bytes(2, "big")
            for text, length in (("outgoing", outgoing), ("incoming", len(incoming)), ("kept", kept))
        },
        "outgoing": draw(f"records outgoing {name}", outgoing),
        "incoming": incoming,
        "kept": draw(f"records kept {name}", kept),
    }


def session(
    state: int,
    number: int,
    handshake: bytes = b"",
    *,
    epoch: int = 4,
    epochs: tuple[int, int] | None = None,
    numbers: tuple[int, int, int] = (4, 5, 6),
    latest: int | None = None,
    of_head: dict[str, Any] | None = None,
    **more: Any,
) -> Flat:
    """Return the record of a session with a state of the double ratchet and one of the braid."""
    found = (epoch if number in _WITH_SECRET else epoch - 1) if latest is None else latest
    chains = epochs or (epoch - 1, epoch - 1)
    return Flat(
        (
            *head(state, handshake, suite=2, **({"flags": 2} | (of_head or {}))),
            *sparse(found, epochs=chains, numbers=numbers).items(),
            ("braid_state", number.to_bytes(4, "big")),
            *keys(found, chains).items(),
            *braid(number, epoch, **more).items(),
            ("handshake", handshake),
        )
    )


INITIATED: Final = session(UNANSWERED, 1, HEADER)
SAMPLED: Final = session(SPEAKING, 7)


def _full(number: int) -> tuple[int, ...]:
    return tuple(range(STATES[number][3] - 1))


SOUND: Final = {
    "initiated, suite 2": INITIATED,
    "initiated, suite 2, nothing sent": session(
        UNANSWERED, 0, HEADER, epoch=1, numbers=(0, 0, 0), of_head={"numbers": (0, 0, 0)}
    ),
    **{
        f"established, suite 2, {name}": session(SPEAKING, number)
        for number, (name, *_) in enumerate(STATES)
    },
    **{
        f"suite 2, {name}, all codewords but one": session(SPEAKING, number, got=_full(number))
        for number, (name, _, _, share, _) in enumerate(STATES)
        if share
    },
    "established by the peer, suite 2, hearing": session(HEARING, 5, ID, got=(), of_head={"flags": 0}),
    "established by the peer, suite 2, promote next": session(HEARING, 5, ID, of_head={"flags": 1}),
    "established by us, suite 2, promote next": session(HEARING, 5, of_head={"flags": 3}),
    "suite 2, all counters at their end": session(
        SPEAKING, 2, epoch=LAST, sent=65535, numbers=(LAST, LAST, LAST),
        of_head={"numbers": (LAST, LAST, LAST), "born": 2**63 - 1, "yields": 16},
    ),
    "suite 2, nothing sent or received in the new epoch yet": session(SPEAKING, 5, epochs=(2, 2)),
    "suite 2, KeysUnsampled, nothing sent in the new epoch yet": session(SPEAKING, 0, epochs=(2, 3)),
    "suite 2, HeaderReceived, nothing sent in the new epoch yet": session(SPEAKING, 6, epochs=(2, 3)),
}  # fmt: skip


def apart() -> Iterator[Defect]:
    """Yield sparse chains that do not fit the braid's state."""
    for number, latest, epochs in (
        (2, 2, (2, 2)), (2, 4, (4, 4)), (2, 3, (2, 2)), (2, 4, (3, 3)), (7, 3, (3, 3)), (7, 4, (4, 4)),
        (7, 5, (4, 4)), (7, 3, (2, 2)), (10, 4, (4, 4)), (5, 2, (2, 2)), (2, 3, (2, 3)), (7, 4, (3, 2)),
        (6, 3, (3, 2)), (0, 3, (3, 2)), (5, 3, (1, 3)), (5, 3, (3, 1)), (0, 3, (1, 3)), (10, 4, (3, 4)),
    ):  # fmt: skip
        whole = session(SPEAKING, number, latest=latest, epochs=epochs)
        comment = f"{STATES[number][0]} of epoch 4, chains of epochs {epochs[0]} and {epochs[1]} of {latest}"
        yield Defect(comment, "EpochMismatch", "STO-8", whole.encode())
    beyond = session(SPEAKING, 2, epoch=2**32)
    yield Defect("epoch 2^32, which no message can name", "EpochMismatch", "STO-8", beyond.encode())
    none = session(SPEAKING, 7, epoch=0, latest=0, epochs=(0, 0))
    yield Defect("epoch 0", "EpochMismatch", "STO-8", none.encode())
    for name in ("following_sending", "following_receiving"):
        whole = SOUND["established, suite 2, HeaderSent"]
        yield from unused(whole, (name,))


def held() -> Iterator[Defect]:
    """Yield each state with each field too many or too few."""
    for number, (name, holds, outgoing, share, kept) in enumerate(STATES):
        whole = session(SPEAKING, number)
        names = [each for each, has in (("sent", outgoing), ("secret", holds)) if not has]
        for each in unused(whole, names):
            yield Defect(f"{name}: {each.comment}", each.flag, each.rule, each.data)
        if holds == "m":
            longer = whole.at(secret=whole["secret"][:32] + bytes(31) + b"\1")
            yield Defect(f"{name}: m of 64 bytes", "UnusedField", "STO-20", longer)
        for text, right in (("outgoing", outgoing), ("kept", kept)):
            for length in {0, 32, right - 32, right - 1, right + 1, right + 32} - {right}:
                if length >= 0:
                    yield _of_length(whole, name, text, bytes(length))
        for what, incoming in {
            "codewords of the whole text": entries(*range(max(share, 1))),
            "one codeword more": entries(*range(share + 1, 2 * share + 2)),
            "an index twice": entries(7, 7),
            "half a codeword": entries(7)[:-16],
        }.items():
            changed = _with(whole, "incoming", incoming)
            yield Defect(f"{name}: {what} in incoming", "WrongFields", "STO-20", changed)


def _of_length(whole: Flat, name: str, text: str, data: bytes) -> Defect:
    changed = _with(whole, text, data)
    return Defect(f"{name}: {text} of {len(data)} bytes", "WrongFields", "STO-20", changed)


def _with(whole: Flat, text: str, data: bytes) -> bytes:
    return whole.at(**{text: data, f"{text}_length": len(data).to_bytes(2, "big")})


def mixtures() -> Iterator[Defect]:
    """Yield records that mix two sessions or two states."""
    for number, (name, *_) in enumerate(STATES):
        for other in {number + 1, 11, LAST} - {number}:
            if other != 7 or number != 6:
                changed = session(SPEAKING, number).number("braid_state", other)
                yield Defect(f"{name} that says it is {other}", "Mixture", "STO-6", changed)
    for comment, whole in (("initiated", INITIATED), ("speaking", SAMPLED)):
        yield Defect(f"{comment}, suite 2 that says 1", "Mixture", "STO-6", whole.number("suite", 1))
    for comment, data in (
        ("initiated, but speaking", session(SPEAKING, 1, HEADER).encode()),
        (
            "established, but unanswered with an id of a handshake that it never had",
            SAMPLED.number("state", 0),
        ),
        ("initiated, but promote next", INITIATED.number("flags", 3)),
        ("initiated, but yields", INITIATED.number("yields", 1)),
    ):
        yield Defect(f"suite 2, {comment}", "Mixture", "STO-6", data)


def add(family: Family) -> None:
    """Add the sessions of suite 2."""
    group = family.group("record.session", "sessions of suite 2")
    for comment, whole in SOUND.items():
        group.valid(comment, {"record": whole.encode().hex()}, rules=["STO-6", "STO-8", "STO-20", "PQR-8"])
    refuse(group, "initiated, suite 2", wrong(INITIATED, UNANSWERED))
    refuse(group, "speaking, suite 2", wrong(SAMPLED, SPEAKING))
    refuse(group, "triple", apart())
    refuse(group, "triple", held())
    refuse(group, "triple", mixtures())
