"""One of everything of the servers of recovery that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Any, Final

from letterlock._keyserver._gate import KeptGates
from letterlock._keyserver._keys import ServerKeys
from letterlock._keyserver._opening import open_rows
from letterlock._keyserver._rows import SealedRows
from letterlock._keyserver._serving import RecoverySettings
from letterlock.recovery import DecoyKey, GateKey, LockTicketKey, Policy
from letterlock.stores._sqlite.wrapped_key import DataKey
from support.secret_pq_holders import MATERIAL

SECRET: Final = MATERIAL[:32]


def rows() -> SealedRows:
    return SealedRows(open_rows("sqlite:///never-opened.db"), DataKey(SECRET))


def keys() -> ServerKeys:
    return ServerKeys(DataKey(SECRET), DecoyKey(SECRET), LockTicketKey(SECRET), GateKey(SECRET))


def settings() -> RecoverySettings:
    return RecoverySettings(2, "sqlite:///never-opened.db", keys(), None, None, Policy(), 0, 0)


KEYSERVER_TABLE: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "KeptGates": (lambda: KeptGates(rows()), "<KeptGates>"),
    "RecoverySettings": (settings, "<RecoverySettings of server 2>"),
    "SealedRows": (rows, "<SealedRows>"),
    "ServerKeys": (keys, "<ServerKeys: hidden>"),
}
