"""The contestants: letterlock in six ways, and the peers; and what each of them does that others do not.

`kept` says what a call begins from. A *record* is parsed and serialised again in each call, as an application
that stores sessions must do. An *object* stays in memory, and the cost of storing it is left out. The floor
keeps nothing: it is *calls* alone.

`way` says which of ours a contestant is. Accounts are what applications call, so they come first. They run
twice: with the optional distribution `letterlock-fast`, and in Python alone.

Not here: how they are installed (environments.py) and called (workers/).
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from comparison.environments import DOUBLERATCHET, LIBSIGNAL, OMEMO_DR, SIBNA, VODOZEMAC, Environment

WORKERS: Final = Path(__file__).with_name("workers")

CLASSICAL, POST_QUANTUM = "classical", "post-quantum"
OBJECT, RECORD, CALLS = "object", "record", "calls"
FAST, PURE, SESSION = "account, fast", "account", "session"
"""The ways to use letterlock, in the order of the tables."""


@dataclass(frozen=True)
class Contestant:
    """One row of every table; without an environment it runs in ours."""

    name: str
    group: str
    kept: str
    does: str
    worker: str
    arguments: tuple[str, ...] = ()
    environment: Environment | None = None
    way: str = ""

    @property
    def ours(self) -> bool:
        return bool(self.way)

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables: letterlock computes in Python alone wherever it is not said otherwise."""
        return {} if self.way == FAST else {"LETTERLOCK_PURE": "1"}

    def command(self, cache: Path) -> list[str]:
        worker = str(WORKERS / self.worker)
        if self.environment is None:
            return [sys.executable, worker, *self.arguments]
        folder = (str(self.environment.folder(cache)),) if self.environment.tool == "npm" else ()
        return [self.environment.program(cache), worker, *folder, *self.arguments]


_ACCOUNT: Final = (
    "as an application calls it: a transaction of a MemoryStore each, peer and duplicates looked up, "
    "strict CBOR, texts padded; first messages check the signature of the whole bundle, and replays"
)
_SESSION: Final = (
    "the session functions alone: no store, no record, no look-up of peers; strict CBOR, texts padded"
)
_FLOOR: Final = (
    "no library at all: the primitive calls that a case requires, with everything prepared; no types, checks "
    "or state. A durable message is a bare SQLite transaction that writes as many bytes"
)
_FAST: Final = "; `letterlock-fast` does the next message of a chain"
_TRIPLE: Final = "; the triple ratchet sends codewords of ML-KEM-768 with every message"


def _ours(group: str, suite: str, also: str = "") -> tuple[Contestant, ...]:
    """Return the three ways to use letterlock in a suite."""
    fast, pure, session = (f"letterlock, {way}, {suite}" for way in (FAST, PURE, SESSION))
    account = "letterlock_account.py"
    return (
        Contestant(fast, group, RECORD, _ACCOUNT + _FAST + also, account, (suite, "fast"), way=FAST),
        Contestant(pure, group, RECORD, _ACCOUNT + also, account, (suite, "pure"), way=PURE),
        Contestant(session, group, OBJECT, _SESSION + also, "letterlock_session.py", (suite,), way=SESSION),
    )


CONTESTANTS: Final = (
    *_ours(CLASSICAL, "X3DH"),
    Contestant("floor, X3DH", CLASSICAL, CALLS, _FLOOR, "floor_calls.py", ("X3DH",)),
    Contestant(
        "vodozemac",
        CLASSICAL,
        OBJECT,
        "Olm in Rust: no prekey is signed in it, so initiating verifies nothing; no padding beyond "
        "AES-CBC's, a tag of 8 bytes; keeps 40 skipped keys a chain and loses the others",
        "peer_vodozemac.py",
        environment=VODOZEMAC,
    ),
    Contestant(
        "doubleratchet + x3dh",
        CLASSICAL,
        OBJECT,
        "Python over cryptography and libxeddsa: messages stay tuples, nothing is parsed; AES-CBC with HMAC; "
        "copies its state for each decryption; the first ratchet step comes with the first message",
        "peer_doubleratchet.py",
        environment=DOUBLERATCHET,
    ),
    Contestant(
        "omemo-dr",
        CLASSICAL,
        RECORD,
        "Python over protobuf and a C extension for the curve: AES-CBC, a tag of 8 bytes; all skipped keys "
        "are in the record; what OMEMO puts around it is left out",
        "peer_omemo_dr.py",
        environment=OMEMO_DR,
    ),
    Contestant(
        "sibna",
        CLASSICAL,
        OBJECT,
        "Python over cryptography: no padding unless asked for; skipped keys of earlier chains are dropped; "
        "checks one signature when it initiates; first messages carry no handshake, the caller sends it",
        "peer_sibna.py",
        environment=SIBNA,
    ),
    *_ours(POST_QUANTUM, "PQXDH", _TRIPLE),
    Contestant("floor, PQXDH", POST_QUANTUM, CALLS, _FLOOR, "floor_calls.py", ("PQXDH",)),
    Contestant(
        "libsignal-client, records",
        POST_QUANTUM,
        RECORD,
        "Rust called from Node: PQXDH and the triple ratchet; serialised records in stores in JavaScript, "
        "called back for each message; AES-CBC, a tag of 8 bytes, no padding",
        "peer_libsignal.mjs",
        ("records",),
        LIBSIGNAL,
    ),
    Contestant(
        "libsignal-client, objects",
        POST_QUANTUM,
        OBJECT,
        "the same, but its stores hand back the objects they were given: as fast as it can be, and nothing "
        "that could be stored",
        "peer_libsignal.mjs",
        ("objects",),
        LIBSIGNAL,
    ),
)

OURS: Final = {(each.group, each.way): each for each in CONTESTANTS if each.ours}
"""letterlock by group and way."""
