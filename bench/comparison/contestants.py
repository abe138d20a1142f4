"""The contestants: letterlock in four ways, and the peers; and what each of them does that others do not.

`kept` says what a call begins from. A *record* is parsed and serialised again in each call, as an application
that stores sessions must do. An *object* stays in memory, and the cost of storing it is left out. The floor
keeps nothing: it is *calls* alone.

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

    @property
    def ours(self) -> bool:
        return self.environment is None and self.kept != CALLS

    def command(self, cache: Path) -> list[str]:
        worker = str(WORKERS / self.worker)
        if self.environment is None:
            return [sys.executable, worker, *self.arguments]
        folder = (str(self.environment.folder(cache)),) if self.environment.tool == "npm" else ()
        return [self.environment.program(cache), worker, *folder, *self.arguments]


_ACCOUNT: Final = (
    "as an application calls it: a transaction of a MemoryStore each, peer and duplicates looked up, "
    "strict CBOR, texts padded; first messages check signatures of all prekeys, and replays"
)
_SESSION: Final = (
    "the session functions alone: no store, no record, no look-up of peers; strict CBOR, texts padded"
)
_FLOOR: Final = (
    "no library at all: the primitive calls that a case requires, with everything prepared; no types, checks "
    "or state. A durable message is a bare SQLite transaction that writes as many bytes"
)
_TRIPLE: Final = "; the triple ratchet sends codewords of ML-KEM-768 with every message"

CONTESTANTS: Final = (
    Contestant("letterlock, account, X3DH", CLASSICAL, RECORD, _ACCOUNT, "letterlock_account.py", ("X3DH",)),
    Contestant("letterlock, session, X3DH", CLASSICAL, OBJECT, _SESSION, "letterlock_session.py", ("X3DH",)),
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
    Contestant(
        "letterlock, account, PQXDH",
        POST_QUANTUM,
        RECORD,
        _ACCOUNT + _TRIPLE,
        "letterlock_account.py",
        ("PQXDH",),
    ),
    Contestant(
        "letterlock, session, PQXDH",
        POST_QUANTUM,
        OBJECT,
        _SESSION + _TRIPLE,
        "letterlock_session.py",
        ("PQXDH",),
    ),
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

OURS: Final = {(each.group, each.kept): each for each in CONTESTANTS if each.ours}
