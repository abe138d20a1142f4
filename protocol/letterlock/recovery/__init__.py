"""Getting a user back who lost every device: a password, and two servers of different owners.

    NewLock, MadeLock       a lock that a password opens: made, changed, and made anew after each success
    choose, Attempt, Opened a password on its way to both servers, and the recovery key that comes out
    enrol, recovery_box     the recovery device in the device list, and what it finds again
    recover_user            a fresh device of the user, with documents and contacts
    enrol_ahead             a user who is there before anybody logs in; first_login makes the first device
    RecoveryServer          what either server does; StoredLocks keeps its records in a store
    Gate                    what either server asks before: a check of an identity, and a pass for it

    lay_halves, Asking      the second lock: the key in halves, each given out after a check and a delay
    watch_calls, stop_call  a device sees who waits for a half, and stops it
    SecondLockServer        what either server does for it; StoredRows keeps its records in a store

    NewIdentity, Claiming   sharing with an address without an account, and what the person claims at sign-up
    ProvisionalServer       what either server does for it

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
)
from letterlock._wire.identity_ticket import challenge_nonce
from letterlock._wire.provisional_calls import (
    ClaimIdentities,
    IdentityMade,
    MakeIdentity,
    ReleaseSeeds,
    SeedsReleased,
    WithdrawIdentity,
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
from letterlock._wire.second_lock_calls import (
    AskForHalf,
    Deposit,
    HalfAsked,
    HalfGiven,
    KeepDeposit,
    LayHalf,
    SecondLockShown,
    StopWait,
    TakeHalf,
    WaitShown,
    WatchSecondLock,
)
from letterlock._wire.second_lock_notices import NoticePlace, NotifyAt
from letterlock.recovery._ahead import EnrolledAhead, enrol_ahead
from letterlock.recovery._attempt import Attempt, Opened, choose
from letterlock.recovery._decoys import DecoyKey
from letterlock.recovery._device import device_keys
from letterlock.recovery._enrolment import Enrolled, enrol, recovery_box
from letterlock.recovery._errors import (
    BoxRefused,
    CheckUnavailable,
    HalfWaits,
    IdentityRefused,
    LockWaits,
    RecoveryRefused,
    ServerAtFault,
    WrongPassword,
)
from letterlock.recovery._gate import Gate, ProvenIdentity
from letterlock.recovery._gate_keys import GateKey
from letterlock.recovery._gate_store import GateRow, GateRows, GateStep, GateStore
from letterlock.recovery._halves import Asking, AskingKey, LaidHalves, keep_deposit, lay_halves, notify_at
from letterlock.recovery._identity_check import CodeCheck, IdentityCheck, ReachesUsers, TokenCheck
from letterlock.recovery._keys import RecoveryKey
from letterlock.recovery._meter import Policy
from letterlock.recovery._new_lock import MadeLock, NewLock, keep_only
from letterlock.recovery._notice_steps import SecondLockEvent
from letterlock.recovery._provisional import Claiming, NewIdentity, OwnerSecret, claim_grants
from letterlock.recovery._provisional_server import ProvisionalServer
from letterlock.recovery._recovered import Recovered, Remains, first_login, recover_user
from letterlock.recovery._rows import Rows, StoredRows
from letterlock.recovery._same_user import same_user
from letterlock.recovery._second_lock_server import SecondLockNotice, SecondLockServer
from letterlock.recovery._server import RecoveryServer
from letterlock.recovery._signing import bind_identity
from letterlock.recovery._store import RecoveryStore, StoredLocks
from letterlock.recovery._tickets import LockTicketKey
from letterlock.recovery._watching import delete_call, stop_call, watch_calls

__all__ = [
    "AskForHalf",
    "Asking",
    "AskingKey",
    "Attempt",
    "BeginLock",
    "BindIdentity",
    "BoxRefused",
    "Challenged",
    "CheckUnavailable",
    "ClaimIdentities",
    "Claiming",
    "CodeCheck",
    "DecoyKey",
    "Deposit",
    "Enrolled",
    "EnrolledAhead",
    "EvaluateLock",
    "FinishLock",
    "Gate",
    "GateKey",
    "GateRow",
    "GateRows",
    "GateStep",
    "GateStore",
    "HalfAsked",
    "HalfGiven",
    "HalfWaits",
    "Hardness",
    "Identify",
    "IdentityCheck",
    "IdentityMade",
    "IdentityRefused",
    "KeepDeposit",
    "LaidHalves",
    "LayHalf",
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
    "MakeIdentity",
    "NewIdentity",
    "NewLock",
    "NoticePlace",
    "NotifyAt",
    "Opened",
    "OwnerSecret",
    "Policy",
    "Prove",
    "Proven",
    "ProvenIdentity",
    "ProvisionalServer",
    "ReachesUsers",
    "Recovered",
    "RecoveryCard",
    "RecoveryKey",
    "RecoveryRecord",
    "RecoveryRefused",
    "RecoveryServer",
    "RecoveryStore",
    "ReleaseSeeds",
    "Remains",
    "Rows",
    "SecondLockEvent",
    "SecondLockNotice",
    "SecondLockServer",
    "SecondLockShown",
    "SeedsReleased",
    "ServerAtFault",
    "SettleLock",
    "ShowLocks",
    "StandingShown",
    "StopWait",
    "StoredLocks",
    "StoredRows",
    "TakeHalf",
    "TokenCheck",
    "WaitShown",
    "WatchSecondLock",
    "WithdrawIdentity",
    "WrongPassword",
    "bind_identity",
    "challenge_nonce",
    "choose",
    "claim_grants",
    "delete_call",
    "device_keys",
    "enrol",
    "enrol_ahead",
    "first_login",
    "keep_deposit",
    "keep_only",
    "lay_halves",
    "notify_at",
    "recover_user",
    "recovery_box",
    "same_user",
    "stop_call",
    "watch_calls",
]
