"""Everything in Python for a while, where the native module is installed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from letterlock import account
from letterlock._groups import _in_order as groups_in_order
from letterlock._primitives import aead, curve25519, ed25519, kdf, mlkem, mlkem_split
from letterlock._ratchet import erasure
from letterlock._session import in_order, late

USERS = (
    account,
    aead,
    curve25519,
    ed25519,
    erasure,
    groups_in_order,
    in_order,
    kdf,
    late,
    mlkem,
    mlkem_split,
)
"""The modules that ask the native module. A test finds any other."""


@contextmanager
def without_native() -> Iterator[None]:
    """Let none of them have it inside the block."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for user in USERS:
            monkeypatch.setattr(user, "NATIVE", None)
        yield
