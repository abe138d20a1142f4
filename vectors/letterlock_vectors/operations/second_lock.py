"""second_lock.*, recovery.verify_keeping: halves of a recovery key, and what devices sign for servers.

Not here: the locks that a password opens (recovery.py); encodings (recovery_bodies.py).
"""

from collections.abc import Mapping
from typing import Final

from letterlock._keyserver._boxes import KeptBox, box_of, require_getter, require_recovery_device
from letterlock._keyserver._lists import CheckedLists
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.recovery_box import RecoveryCard
from letterlock._wire.recovery_kept import GetBox, PutBox
from letterlock._wire.recovery_limits import HALF_BYTES, RECOVERY_KEY_BYTES
from letterlock._wire.second_lock_calls import (
    AnySecondLockChange,
    HalfGiven,
    KeepDeposit,
    LayHalf,
    SecondLockShown,
    StopWait,
    WatchSecondLock,
)
from letterlock._wire.second_lock_notices import NotifyAt
from letterlock.errors import UsageError
from letterlock.recovery import AskingKey, RecoveryKey, RecoveryRefused
from letterlock.recovery._device import recovery_device
from letterlock.recovery._halves import Asking, keep_deposit, lay_halves
from letterlock.recovery._signing import require_by_device, require_by_recovery_device
from letterlock.relay._reply import Refused
from letterlock.user import ListChain
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations.linking import trusted_chain
from letterlock_vectors.operations.recovery import given_server
from letterlock_vectors.operations.recovery_bodies import shown_fields

_CHANGES: Final[Mapping[str, type[AnySecondLockChange | NotifyAt]]] = {
    "lay": LayHalf, "keep": KeepDeposit, "stop": StopWait, "watch": WatchSecondLock,
    "notify": NotifyAt,
}  # fmt: skip
_NOBODY: Final = RecoveryKey(bytes(RECOVERY_KEY_BYTES))
"""Signs where no signature is answered."""


def _user_id(given: Input) -> bytes:
    return given.sized("user_id", HASH_BYTES)


def _shown(given: Input) -> tuple[SecondLockShown, SecondLockShown]:
    return SecondLockShown.decode(given.hex("first")), SecondLockShown.decode(given.hex("second"))


def _chain(given: Input) -> ListChain:
    return trusted_chain([unhex(each, "snapshots") for each in given.items("snapshots")])


def _cut(given: Input) -> Output:
    """Answer what is brought to both servers. The one random text that is drawn is half 1."""
    half, key = given.sized("half", HALF_BYTES), RecoveryKey(given.sized("key", KEY_BYTES))
    laid = lay_halves(key, _user_id(given), given.number("delay"), _shown(given), lambda _: half)
    return {
        "deposit": shown_fields(laid.deposit),
        "halves": [each.half.expose().hex() for each in laid.lay],
        "numbers": [each.number for each in laid.lay],
    }


def _keep(given: Input) -> Output:
    first, second = keep_deposit(_NOBODY, _user_id(given), _shown(given))
    return {"deposit": shown_fields(first.deposit), "numbers": [first.number, second.number]}


def _verify_change(given: Input) -> Output:
    kind = _CHANGES.get(given.text("kind"))
    if kind is None:
        raise UsageError("`kind` must be lay, keep, stop, watch or notify")
    call = kind.decode(given.hex("request"))
    require = (
        require_by_recovery_device
        if isinstance(call, LayHalf | KeepDeposit | NotifyAt)
        else require_by_device
    )
    require(call.user_id, call.signed(given_server(given)), call.by, _chain(given))
    return {}


def _finish(given: Input) -> Output:
    asking = Asking.begin(_user_id(given), AskingKey(given.sized("asking", KEY_BYTES)))
    first, second = (HalfGiven.decode(given.hex(each)) for each in ("first", "second"))
    return {"key": asking.finish(first, second).expose().hex()}


# --- cards and boxes that a server keeps ------------------------------------------------------------------


def _verify_keeping(given: Input) -> Output:
    """Verify a call as a server does: at any time, and with any number."""
    kinds: dict[str, type[PutBox | GetBox]] = {"put-box": PutBox, "get-box": GetBox}
    kind = kinds.get(given.text("kind"))
    if kind is None:
        raise UsageError("`kind` must be put-box or get-box")
    call, chain = kind.decode(given.hex("request")), _chain(given)
    if call.user_id != chain.user_id:
        raise RecoveryRefused("a call for another user")
    server, lists = given_server(given), CheckedLists(chain.user_id, (chain.newest,), known=True)
    try:
        if isinstance(call, PutBox):
            box_of(server, call, lists)
        elif call.device_id is not None:
            require_getter(server, call, lists, call.time)
        else:
            require_recovery_device(server, call, _kept(given, chain), call.time)
    except Refused:
        raise RecoveryRefused("not signed by a device that may") from None
    return {}


def _kept(given: Input, chain: ListChain) -> KeptBox | None:
    card, device = given.optional_hex("kept"), recovery_device(chain)
    if card is None or device is None:
        return None
    key = Ed25519PublicKey(device.ed25519)
    return KeptBox(1, bytes(HASH_BYTES), key, RecoveryCard.decode(card))


OPERATIONS: Final[Mapping[str, Operation]] = {
    "recovery.verify_keeping": _verify_keeping,
    "second_lock.cut": _cut,
    "second_lock.finish": _finish,
    "second_lock.keep": _keep,
    "second_lock.verify_change": _verify_change,
}
