"""Bodies that are sent to servers, as operations are given them and show them.

Not here: which bodies there are (relay.py, recovery_bodies.py).
"""

import hashlib
from typing import Final

from letterlock.errors import UsageError
from letterlock_vectors.inputs import Input, Output, unhex

_LONGEST_SHOWN: Final = 1024


def body_of(given: Input) -> bytes:
    """Return `data`, or the `parts`, each as often as it says, joined."""
    given = given.with_default("parts")
    return given.hex("data") if given.is_null("parts") else b"".join(map(_part, given.items("parts")))


def shown_bytes(value: bytes) -> str | Output:
    """Return a byte string as it is answered: a long one by its hash."""
    if len(value) > _LONGEST_SHOWN:
        return {"length": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    return value.hex()


def _part(item: object) -> bytes:
    match item:
        case [str(piece), int(times)]:
            return unhex(piece, "parts") * times
        case _:
            raise UsageError("`parts` must hold bytes, and how often they stand there")
