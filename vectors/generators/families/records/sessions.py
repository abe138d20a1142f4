"""Records of sessions: the head, and the sessions of suite 1, which have nothing else but a handshake."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from generators.families.records.flat import Flat, cuts, refuse, unused
from generators.support.cbor_nodes import Defect, blob
from generators.support.family import Family
from generators.support.labels import draw
from generators.support.people import FEW_BAD_KEYS, ratchet_pair, ratchet_public
from generators.support.wire_nodes import initial_node
from letterlock._wire.message import InitialMessage

UNANSWERED, HEARING, SPEAKING, ENDED = range(4)
ID: Final = draw("records handshake id", 32)
LAST: Final = 2**32 - 1

UNUSED: Final = {
    UNANSWERED: ("PN", "CKr", "Nr"),
    HEARING: ("private_key", "public_key", "CKs", "Ns"),
    SPEAKING: (),
    ENDED: (
        "flags",
        "yields",
        "archived",
        "RK",
        "private_key",
        "public_key",
        "CKs",
        "Ns",
        "PN",
        "theirs",
        "CKr",
        "Nr",
    ),
}
"""The fields of the head that a state of the double ratchet does not have."""


def header_of(kem: int | None = None) -> bytes:
    """Return an initial message up to its last element."""
    data = initial_node(kem=kem).encode()
    header = InitialMessage.decode(data).header.encode_header()
    assert data.startswith(header)
    return header


def secret(name: str) -> bytes:
    """Return 32 bytes of a label."""
    return draw(f"records {name}", 32)


def head(
    state: int,
    handshake: bytes = b"",
    *,
    suite: int = 1,
    flags: int = 0,
    yields: int = 0,
    born: int = 0,
    numbers: tuple[int, int, int] = (3, 4, 5),
) -> list[tuple[str, bytes]]:
    """Return the fields of the head; `numbers` are Ns, Nr and PN."""
    pair, (sent, received, previous) = ratchet_pair("records ours"), numbers
    fields = {
        "format": b"\2",
        "suite": bytes([suite]),
        "state": bytes([state]),
        "flags": bytes([flags]),
        "yields": yields.to_bytes(4, "big"),
        "born": born.to_bytes(8, "big"),
        "archived": bytes(8),
        "AD": secret("AD"),
        "RK": secret("RK"),
        "private_key": pair.private.expose(),
        "public_key": pair.public.data,
        "CKs": secret("CKs"),
        "Ns": sent.to_bytes(4, "big"),
        "PN": previous.to_bytes(4, "big"),
        "theirs": ratchet_public("records theirs"),
        "CKr": secret("CKr"),
        "Nr": received.to_bytes(4, "big"),
        "length": len(handshake).to_bytes(4, "big"),
    }
    return [(name, bytes(len(data)) if name in UNUSED[state] else data) for name, data in fields.items()]


def session(state: int, handshake: bytes = b"", **more: Any) -> Flat:
    """Return the record of a session of suite 1."""
    return Flat((*head(state, handshake, **more), ("handshake", handshake)))


HEADER: Final = header_of()
SOUND: Final = {
    "initiated, suite 1": session(UNANSWERED, HEADER),
    "initiated, nothing sent": session(UNANSWERED, HEADER, numbers=(0, 0, 0)),
    "initiated, the chain is full": session(UNANSWERED, HEADER, numbers=(LAST, 0, 0)),
    "initiated, born later": session(UNANSWERED, HEADER, born=1),
    "established by the peer, hearing": session(HEARING, ID),
    "established by the peer, promote next": session(HEARING, ID, flags=1),
    "established by us, hearing": session(HEARING, numbers=(0, 1, 0)),
    "established by us, speaking": session(SPEAKING),
    "established by the peer, speaking": session(SPEAKING, ID),
    "speaking, all counters at their end": session(SPEAKING, numbers=(LAST, LAST, LAST)),
    "yields to a session that it crossed": session(HEARING, ID, born=3, yields=16),
    "ended, begun by us": session(ENDED, born=3),
    "ended, begun by the peer": session(ENDED, ID),
    "ended, suite 2": session(ENDED, ID, suite=2),
    "all numbers at their end": session(HEARING, ID, flags=1, born=2**63 - 1, yields=16),
}

KEYS: Final = {
    UNANSWERED: ("public_key", "theirs"),
    HEARING: ("theirs",),
    SPEAKING: ("public_key", "theirs"),
    ENDED: (),
}
"""The public keys of each state."""


def wrong(whole: Flat, state: int) -> Iterator[Defect]:
    """Yield all that can be wrong with the head of a session of any suite."""
    for number in (0, 1, 3, 0x87):
        yield Defect(f"format {number}", "OtherFormat", "STO-6", whole.number("format", number))
    for suite in (0, 3, 255):
        yield Defect(f"suite {suite}", "OutOfRange", "STO-6", whole.number("suite", suite))
    for other in (4, 255):
        yield Defect(f"state {other}", "OutOfRange", "STO-6", whole.number("state", other))
    for bit in range(2, 8):
        yield Defect(f"flag {1 << bit}", "UnusedField", "STO-20", whole.number("flags", 1 << bit))
    born = "born at 2^63"
    yield Defect(born, "OutOfRange", "STO-6", whole.number("born", 2**63))
    archived = "archived at 2^63"
    yield Defect(archived, "OutOfRange", "STO-6", whole.number("archived", 2**63))
    yield from unused(whole, UNUSED[state])
    for name in KEYS[state]:
        for what, key in FEW_BAD_KEYS.items():
            yield Defect(f"{name}: {what}", "InvalidKey", "PRIM-2", whole.at(**{name: key}))
    length = len(whole["handshake"])
    for other in {length + 1, max(0, length - 1), 2**32 - 1} - {length}:
        comment = f"says {other} bytes of handshake, of {length}"
        yield Defect(comment, "WrongLength", "STO-20", whole.number("length", other))
    yield from cuts(whole)


def of_another_kind() -> Iterator[Defect]:
    """Yield sessions that mix what initiated and established ones have."""
    initiated, hearing = SOUND["initiated, suite 1"], SOUND["established by the peer, hearing"]
    for comment, data in (
        ("initiated, but promote next", initiated.number("flags", 1)),
        ("initiated, but yields", initiated.number("yields", 1)),
        ("initiated, with a header of 4,097 bytes", session(UNANSWERED, bytes(4097)).encode()),
        ("initiated, but says hearing", initiated.number("state", HEARING)),
        ("hearing, but says initiated", hearing.number("state", UNANSWERED)),
        ("established, with a handshake id of 1 byte", session(HEARING, b"\1").encode()),
        ("established, with a handshake id of 31 bytes", session(HEARING, bytes(31)).encode()),
        ("established, with a handshake id of 33 bytes", session(HEARING, bytes(33)).encode()),
        ("established, with a header to repeat", session(HEARING, HEADER).encode()),
        ("established, yields 17 times", hearing.number("yields", 17)),
        ("established, yields 2^32 - 1 times", hearing.number("yields", LAST)),
        ("ended, with a header to repeat", session(ENDED, HEADER).encode()),
        ("ended, with a handshake id of 31 bytes", session(ENDED, bytes(31)).encode()),
        ("hearing, but says ended", hearing.number("state", ENDED)),
        ("ended, but says hearing", session(ENDED, ID).number("state", HEARING)),
        ("suite 1 that says 2", hearing.number("suite", 2)),
        ("suite 1 that initiated a sparse ratchet", hearing.number("flags", 2)),
    ):
        yield Defect(comment, "Mixture", "STO-6", data)


def no_session() -> Iterable[Defect]:
    """Yield other bytes."""
    earlier = blob(bytes(32)) * 2
    return (
        Defect("no bytes", "Truncated", "STO-20", b""),
        Defect("263 zeros", "Truncated", "STO-20", bytes(263)),
        Defect("264 zeros", "OtherFormat", "STO-6", bytes(264)),
        Defect(
            "an array, as in format 1", "OtherFormat", "STO-6", b"\x87\x01\x01\x01" + earlier + bytes(300)
        ),
    )


def add(family: Family) -> None:
    """Add the sessions of suite 1."""
    group = family.group("record.session", "sessions")
    for comment, whole in SOUND.items():
        group.valid(comment, {"record": whole.encode().hex()}, rules=["STO-6", "STO-20"])
    refuse(group, "initiated", wrong(SOUND["initiated, suite 1"], UNANSWERED))
    refuse(group, "hearing", wrong(SOUND["established by the peer, hearing"], HEARING))
    refuse(group, "speaking", wrong(SOUND["established by us, speaking"], SPEAKING))
    refuse(group, "ended", wrong(SOUND["ended, begun by the peer"], ENDED))
    refuse(group, "ended, suite 2", wrong(SOUND["ended, suite 2"], ENDED))
    refuse(group, "a session", of_another_kind())
    refuse(group, "a session", no_session())
