"""One of everything of second locks and provisional identities that holds a secret (secret_holders.py)."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from letterlock import MemoryStore
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.xwing import XWingSeed
from letterlock._records.provisional import HeldIdentity, PersonRecord
from letterlock._records.second_lock import HeldHalf, SecondLockRecord
from letterlock._wire.second_lock_calls import Deposit, KeepDeposit, KeyHalf, LayHalf
from letterlock.recovery import (
    Asking,
    AskingKey,
    Claiming,
    LaidHalves,
    NewIdentity,
    OwnerSecret,
    ProvisionalServer,
    SecondLockServer,
    StoredRows,
)
from letterlock.recovery._hours import look
from letterlock.recovery._signing import UNSIGNED
from support.secret_pq_holders import MATERIAL

REST_OF_A_LOCK: Final = ", quiet_until=0, place_number=0, place=None)"
HALF_SECRETS: Final = ["AskingKey", "KeyHalf", "OwnerSecret"]

SECRET: Final = MATERIAL[:32]
DEPOSIT: Final = Deposit(86_400, (bytes(32), bytes(32)))
LAY: Final = LayHalf(bytes(32), 1, DEPOSIT, KeyHalf(SECRET), UNSIGNED)
KEEP: Final = KeepDeposit(bytes(32), 1, DEPOSIT, UNSIGNED)
HELD: Final = HeldHalf(DEPOSIT, KeyHalf(SECRET))


@cache
def owner() -> Ed25519KeyPair:
    return Ed25519KeyPair(Ed25519Seed(bytes(32)))


def identity() -> HeldIdentity:
    return HeldIdentity(bytes(32), owner().public, 1, 2, XWingSeed(SECRET))


def rows() -> StoredRows:
    return StoredRows(MemoryStore())


SHOWN_LAY: Final = (
    f"LayHalf(user_id={bytes(32)!r}, number=1, deposit={DEPOSIT!r}, half=<KeyHalf: hidden>, by={UNSIGNED!r})"
)
SHOWN_HELD: Final = f"HeldHalf(deposit={DEPOSIT!r}, half=<KeyHalf: hidden>)"
SHOWN_IDENTITY: Final = (
    f"HeldIdentity(id={bytes(32)!r}, owner={owner().public!r}, end=1, ends=2, seed=<XWingSeed: hidden>,"
    " user_id=None)"
)

HALF_TABLE: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "Asking": (lambda: Asking.begin(bytes(32), AskingKey(SECRET)), "<Asking>"),
    "Claiming": (lambda: Claiming.begin(AskingKey(SECRET)), "<Claiming>"),
    "HeldHalf": (lambda: HELD, SHOWN_HELD),
    "HeldIdentity": (identity, SHOWN_IDENTITY),
    "LaidHalves": (
        lambda: LaidHalves(DEPOSIT, (LAY, LAY), (KEEP, KEEP)),
        f"LaidHalves(deposit={DEPOSIT!r}, lay=({SHOWN_LAY}, {SHOWN_LAY}), keep=({KEEP!r}, {KEEP!r}))",
    ),
    "LayHalf": (lambda: LAY, SHOWN_LAY),
    "NewIdentity": (
        lambda: NewIdentity.again("x", bytes(32), 1, OwnerSecret(SECRET)),
        "<NewIdentity>",
    ),
    "PersonRecord": (lambda: PersonRecord((identity(),)), f"PersonRecord(identities=({SHOWN_IDENTITY},))"),
    "ProvisionalServer": (lambda: ProvisionalServer(1, rows()), "<ProvisionalServer 1>"),
    "RowPlan": (lambda: look(lambda: 0), "<RowPlan>"),
    "SecondLockRecord": (
        lambda: SecondLockRecord(1, 2, (HELD,)),
        f"SecondLockRecord(list_version=1, number=2, held=({SHOWN_HELD},), wait=None{REST_OF_A_LOCK}",
    ),
    "SecondLockServer": (lambda: SecondLockServer(2, rows()), "<SecondLockServer 2>"),
    "StoredRows": (rows, "<StoredRows>"),
}
