"""A recovery key in two halves, written by hand from spec/recovery.md: deposits, waits, and sealed halves.

    cut = Cut("alice")              both halves and the deposit, from labels
    cut.sealed(1, wait_id)          what server 1 gives to the key that waited

Not here: which of it is refused (families/second_lock/).
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from generators.support.encoding import Value, encode
from generators.support.family import Json
from generators.support.hpke import seal_to
from generators.support.labels import draw
from generators.support.recovery_home import HOME
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed

HALF: Final = b"letterlock-v1 half of a recovery key"
RELEASE: Final = b"letterlock-v1 released half of a key"
DELAY: Final = 172_800
ASKING: Final = draw("an asking key", 32)
OTHER_ASKING: Final = draw("the asking key of somebody else", 32)
WAITS: Final = draw("a wait at server 1", 16), draw("a wait at server 2", 16)


def public_of(seed: bytes) -> bytes:
    """Return the X-Wing key of a seed."""
    return XWingKeyPair(XWingSeed(seed)).public.data


def xor(one: bytes, other: bytes) -> bytes:
    """Return two texts of the same length, one upon the other."""
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def commitment(server: int, half: bytes, *, user_id: bytes | None = None, label: bytes = HALF) -> bytes:
    """Return what a deposit says of a half."""
    whose = HOME.user_id if user_id is None else user_id
    return hashlib.sha256(label + bytes([server]) + whose + half).digest()


@dataclass(frozen=True)
class Cut:
    """A recovery key in halves. Everything of it follows from its label."""

    label: str
    delay: int = DELAY

    @property
    def key(self) -> bytes:
        """The recovery key."""
        return draw(f"recovery key in halves {self.label}", 32)

    @cached_property
    def halves(self) -> tuple[bytes, bytes]:
        """Both halves."""
        first = draw(f"half 1 of {self.label}", 32)
        return first, xor(self.key, first)

    @cached_property
    def deposit(self) -> list[Value]:
        """What both servers know of it."""
        return [self.delay, *(commitment(server, self.halves[server - 1]) for server in (1, 2))]

    def shown(self) -> Json:
        """Return the deposit as an operation shows it."""
        delay, one, other = self.deposit
        assert isinstance(one, bytes)
        assert isinstance(other, bytes)
        return {"delay": delay, "commitment_1": one.hex(), "commitment_2": other.hex()}

    def sealed(
        self, server: int, *, half: bytes | None = None, info: bytes | None = None,
        key: bytes = ASKING,
    ) -> bytes:  # fmt: skip
        """Return a half as its server gives it. `half` or `info` is another one."""
        bound = RELEASE + encode([server, HOME.user_id, WAITS[server - 1], self.deposit])
        text = self.halves[server - 1] if half is None else half
        label = f"half {server} of {self.label}"
        return seal_to(public_of(key), label, bound if info is None else info, text)

    def given(self, server: int, **changes: bytes) -> list[Value]:
        """Return deposit and half as they stand in an answer."""
        return [self.deposit, self.sealed(server, **changes)]  # type: ignore[arg-type]


def wait(server: int, *, told: int = 1, left: int = 0) -> list[Value]:
    """Return a wait: without changes, its delay is over."""
    return [WAITS[server - 1], 1_700_000_000, told, left]


def watched(*deposits: list[Value], number: int = 3) -> str:
    """Return an answer to `watch`."""
    return encode([1, number, list(deposits), None, 0]).hex()
