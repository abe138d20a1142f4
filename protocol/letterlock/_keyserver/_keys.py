"""The secrets of one server of recovery, in a file of their own: a copy of the database has none of them.

    letterlock keyserver keys 1
    sealing 64 hexadecimal digits       seals the rows of the database, and hides whose they are     [REC-20]
    decoys 64 hexadecimal digits        the same at both servers                                     [REC-12]
    tickets 64 hexadecimal digits       server 2 signs tickets with it, server 1 has no use for it   [REC-15]
    identity 64 hexadecimal digits      tags identities, and makes challenges and passes             [REC-33]

Not here: the database (_rows.py).
"""

import os
import stat
from pathlib import Path
from typing import Final, Self

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy, system_entropy
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock.errors import UsageError
from letterlock.recovery import DecoyKey, GateKey, LockTicketKey
from letterlock.stores._sqlite.wrapped_key import DataKey

_FIRST: Final = "letterlock keyserver keys 1"
_NAMES: Final = ("sealing", "decoys", "tickets", "identity")
_LONGEST: Final = 1024


@dataclass(frozen=True, slots=True, repr=False)
class ServerKeys(Uncopyable):
    """The secrets of one server."""

    sealing: DataKey
    decoys: DecoyKey
    tickets: LockTicketKey
    identity: GateKey

    @classmethod
    def generate(cls, decoys: DecoyKey | None = None, entropy: Entropy = system_entropy) -> Self:
        """Return fresh secrets, with the decoy key of the other server if it has one already."""
        sealing, own, tickets, identity = (entropy(KEY_BYTES) for _ in _NAMES)
        return cls(DataKey(sealing), decoys or DecoyKey(own), LockTicketKey(tickets), GateKey(identity))

    def text(self) -> str:
        """Return the file that holds them."""
        secrets = (self.sealing, self.decoys, self.tickets, self.identity)
        lines = [f"{name} {each.expose().hex()}" for name, each in zip(_NAMES, secrets, strict=True)]
        return "\n".join([_FIRST, *lines, ""])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `text` gives. Raises UsageError."""
        first, *lines = text.strip().split("\n")
        found = [line.split(" ") for line in lines]
        if first != _FIRST or [each[:-1] for each in found] != [[name] for name in _NAMES]:
            raise UsageError("this is no key file of a server: `letterlock keyserver keys` makes one")
        sealing, decoys, tickets, identity = (secret_of(each[-1]) for each in found)
        return cls(DataKey(sealing), DecoyKey(decoys), LockTicketKey(tickets), GateKey(identity))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a key file. Raises UsageError, also if others may read it, and OSError."""
        with path.open("rb") as file:
            if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise UsageError(f"others may read {path.name}: run `chmod 600` on it, or make new keys")
            data = file.read(_LONGEST)
        return cls.parse(data.decode("ascii", "replace"))

    def __repr__(self) -> str:
        return "<ServerKeys: hidden>"


def secret_of(digits: str) -> bytes:
    """Return 32 bytes from their hexadecimal digits. Raises UsageError, without the digits."""
    try:
        secret = bytes.fromhex(digits)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES or digits != secret.hex():
        raise UsageError("a key is 64 hexadecimal digits in lower case: copy the whole line")
    return secret
