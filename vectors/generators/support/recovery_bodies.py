"""Bodies for the servers of recovery: what every family of them adds, and keys that are refused in them.

Not here: how one body is refused (bodies.py); the bodies of each family.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from generators.support.bodies import Body, given, refuse, refuse_bytes, refuse_elements, right
from generators.support.encoding import Value, encode
from generators.support.family import Family
from generators.support.hpke import EK_BYTES
from generators.support.labels import draw

BAD_SIGNING_KEYS: Final = (
    ("the neutral element", b"\1" + bytes(31)),
    ("zero, of order 4", bytes(32)),
    ("an encoding that is not canonical", b"\xee" + b"\xff" * 30 + b"\x7f"),
    ("no point", draw("no point of the curve 3", 31) + b"\x7f"),
)
"""Ed25519 keys that verify nothing."""


def bad_sealing_keys(sound: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield keys made of a sound one that nothing is sealed to."""
    yield "coefficients of q and more", b"\xff" * 1152 + sound[1152:]
    yield "a key of order 1", sound[:EK_BYTES] + bytes(32)
    yield "a key that is not canonical", sound[:EK_BYTES] + b"\xff" * 32


def add_bodies(family: Family, bodies: Iterable[Body]) -> None:
    """Add a group for each body: what is read, and what is refused."""
    for body in bodies:
        group = family.group("recovery.decode", f"encodings that are read: {body.kind}")
        for what, array in right(body):
            asked = {"kind": body.kind, **given(encode(array))}
            group.valid(f"{body.kind}, {what}", asked, output=body.answer(array))
        refuse_elements(group, body)
        refuse_bytes(group, body)


def swap_numbers(family: Family, bodies: Iterable[Body]) -> None:
    """Add each call under the number of the next one."""
    group = family.group("recovery.decode", "calls under the numbers of others")
    calls = [body for body in bodies if body.number is not None]
    for body, other in zip(calls, [*calls[1:], calls[0]], strict=True):
        array: list[Value] = [1, other.number, *body.array()[2:]]
        refuse(group, body.kind, f"as {other.kind}", "Number", "WIRE-4", encode(array))
