"""recovery.decode: what recovery sends and stores, by the fields of its encodings.

A name, a hardness and a signature are shown by their own fields. Keys of a function are shown as bytes.

Not here: what is computed (recovery.py).
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, cast

from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.voprf import OprfPublicKey
from letterlock._primitives.xwing import XWingPublicKey
from letterlock._wire.identity_calls import BindIdentity, Challenged, Identify, Prove, Proven
from letterlock._wire.identity_ticket import IdentityTicket
from letterlock._wire.linking import LinkingPayload
from letterlock._wire.provisional_calls import (
    ClaimIdentities,
    IdentityMade,
    MakeIdentity,
    ReleaseSeeds,
    SeedsReleased,
    WithdrawIdentity,
)
from letterlock._wire.recovery_box import BoxContents, RecoveryCard
from letterlock._wire.recovery_calls import (
    BeginLock,
    ChangeSignature,
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
from letterlock._wire.recovery_find import FindUser, UserFound
from letterlock._wire.recovery_frame import RecoveryFrame
from letterlock._wire.recovery_kept import BoxKept, GetBox, PutBox
from letterlock._wire.recovery_lock import Hardness, Lock, LockName
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.second_lock_calls import (
    AskForHalf,
    Deposit,
    HalfAsked,
    HalfGiven,
    KeepDeposit,
    KeyHalf,
    LayHalf,
    SecondLockShown,
    StopWait,
    TakeHalf,
    WaitShown,
    WatchSecondLock,
)
from letterlock._wire.second_lock_notices import NoticePlace, NotifyAt
from letterlock.errors import UsageError
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.bodies import body_of, shown_bytes

_KINDS: Final[Mapping[str, type[RelayBody]]] = {
    "lock": Lock,
    "show": ShowLocks,
    "shown": LocksShown,
    "evaluate": EvaluateLock,
    "evaluated": LockEvaluated,
    "succeed": LockOpened,
    "told": StandingShown,
    "begin": BeginLock,
    "begun": LockBegun,
    "settle": SettleLock,
    "finish": FinishLock,
    "card": RecoveryCard,
    "contents": BoxContents,
    "put-box": PutBox,
    "get-box": GetBox,
    "kept": BoxKept,
    "find": FindUser,
    "found": UserFound,
    "identify": Identify,
    "challenged": Challenged,
    "prove": Prove,
    "proven": Proven,
    "bind": BindIdentity,
    "id-ticket": IdentityTicket,
    "frame": RecoveryFrame,
    "done": DoneAnswer,
    "lay": LayHalf,
    "keep": KeepDeposit,
    "ask": AskForHalf,
    "asked": HalfAsked,
    "take": TakeHalf,
    "given": HalfGiven,
    "stop": StopWait,
    "watch": WatchSecondLock,
    "watched": SecondLockShown,
    "notify": NotifyAt,
    "make": MakeIdentity,
    "made": IdentityMade,
    "release": ReleaseSeeds,
    "released": SeedsReleased,
    "claimed": ClaimIdentities,
    "withdraw": WithdrawIdentity,
}
"""The bodies by the names of their rules in spec/recovery.cddl and spec/provisional.cddl."""

_JOINED: Final = LockName, Hardness, ChangeSignature
_KEYS: Final = OprfPublicKey, Ed25519PublicKey, XWingPublicKey


def _decode(given: Input) -> Output:
    kind = _KINDS.get(given.text("kind"))
    if kind is None:
        raise UsageError("`kind` must be a rule of spec/recovery.cddl or spec/provisional.cddl")
    body = kind.decode(body_of(given))
    whose = {"user_id": body.name.user_id.hex()} if isinstance(body, SettleLock) else {}
    return whose | shown_fields(body)


def shown_fields(body: object) -> Output:
    """Return the fields of a body, as a JSON object."""
    found: Output = {}
    if isinstance(body, DoneAnswer):
        return found
    for field in dataclasses.fields(cast("Any", body)):
        value = getattr(body, field.name)
        if isinstance(value, _JOINED):
            found |= shown_fields(value)
        elif field.name == "public_keys":
            found |= {f"public_{number}": each.data.hex() for number, each in enumerate(value, 1)}
        elif field.name == "commitments":
            found |= {f"commitment_{number}": each.hex() for number, each in enumerate(value, 1)}
        elif isinstance(body, WaitShown) and field.name == "id":
            found["wait_id"] = _shown(value)
        else:
            found[field.name.removesuffix("_")] = _shown(value)
    return found


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return shown_bytes(value)
    if isinstance(value, _KEYS):
        return shown_bytes(value.data)
    if isinstance(value, LinkingPayload | KeyHalf):
        return shown_bytes(value.expose())
    if isinstance(value, Lock | LockStanding | RecoveryCard | Deposit | WaitShown):
        return shown_fields(value)
    if isinstance(value, NoticePlace):
        value = (value.kind, value.address)
    if isinstance(value, tuple):
        return [_shown(each) for each in cast("tuple[object, ...]", value)]
    return value


OPERATIONS: Final[Mapping[str, Operation]] = {"recovery.decode": _decode}
