"""Getting a user back who lost every device: a password, and two servers of different owners.

    NewLock, MadeLock       a lock that a password opens: made, changed, and made anew after each success
    choose, Attempt, Opened a password on its way to both servers, and the recovery key that comes out
    enrol, recovery_box     the recovery device in the device list, and what it finds again
    recover_user            a fresh device of the user, with documents and contacts
    RecoveryServer          what either server does; StoredLocks keeps its records in a store
    Gate                    what either server asks before: a check of an identity, and a pass for it

Neither server, nor a copy of all that one of them holds and sees, can test a guess without the other one.
Each guess is counted there before it is answered. Nothing here reads a network or a clock of its own.

This module needs `pip install letterlock[recovery]`.

Not here: checks that send mail or read tokens; HTTP.
"""

from letterlock._records.recovery import RecoveryRecord
from letterlock._wire.identity_calls import (
    BindIdentity,
    Challenged,
    Identify,
    Prove,
    Proven,
    challenge_nonce,
)
from letterlock._wire.recovery_box import RecoveryCard
from letterlock._wire.recovery_calls import (
    BeginLock,
    EvaluateLock,
    FinishLock,
    LockBegun,
    LockEvaluated,
    LockOpened,
    LocksShown,
    LockStanding,
    SettleLock,
    ShowLocks,
    StandingShown,
)
from letterlock._wire.recovery_lock import Hardness, Lock, LockName
from letterlock.recovery._attempt import Attempt, Opened, choose
from letterlock.recovery._decoys import DecoyKey
from letterlock.recovery._device import device_keys
from letterlock.recovery._enrolment import Enrolled, enrol, recovery_box
from letterlock.recovery._errors import (
    BoxRefused,
    CheckUnavailable,
    IdentityRefused,
    LockWaits,
    RecoveryRefused,
    ServerAtFault,
    WrongPassword,
)
from letterlock.recovery._gate import Gate, ProvenIdentity
from letterlock.recovery._gate_keys import GateKey
from letterlock.recovery._gate_store import GateRow, GateRows, GateStep, GateStore
from letterlock.recovery._identity_check import CodeCheck, IdentityCheck, TokenCheck
from letterlock.recovery._keys import RecoveryKey
from letterlock.recovery._meter import Policy
from letterlock.recovery._new_lock import MadeLock, NewLock, keep_only
from letterlock.recovery._recovered import Recovered, Remains, recover_user
from letterlock.recovery._same_user import same_user
from letterlock.recovery._server import RecoveryServer
from letterlock.recovery._signing import bind_identity
from letterlock.recovery._store import RecoveryStore, StoredLocks
from letterlock.recovery._tickets import LockTicketKey

__all__ = [
    "Attempt",
    "BeginLock",
    "BindIdentity",
    "BoxRefused",
    "Challenged",
    "CheckUnavailable",
    "CodeCheck",
    "DecoyKey",
    "Enrolled",
    "EvaluateLock",
    "FinishLock",
    "Gate",
    "GateKey",
    "GateRow",
    "GateRows",
    "GateStep",
    "GateStore",
    "Hardness",
    "Identify",
    "IdentityCheck",
    "IdentityRefused",
    "Lock",
    "LockBegun",
    "LockEvaluated",
    "LockName",
    "LockOpened",
    "LockStanding",
    "LockTicketKey",
    "LockWaits",
    "LocksShown",
    "MadeLock",
    "NewLock",
    "Opened",
    "Policy",
    "Prove",
    "Proven",
    "ProvenIdentity",
    "Recovered",
    "RecoveryCard",
    "RecoveryKey",
    "RecoveryRecord",
    "RecoveryRefused",
    "RecoveryServer",
    "RecoveryStore",
    "Remains",
    "ServerAtFault",
    "SettleLock",
    "ShowLocks",
    "StandingShown",
    "StoredLocks",
    "TokenCheck",
    "WrongPassword",
    "bind_identity",
    "challenge_nonce",
    "choose",
    "device_keys",
    "enrol",
    "keep_only",
    "recover_user",
    "recovery_box",
    "same_user",
]
