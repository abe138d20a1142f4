"""Fuzzing a server of recovery: every body as server and client read it, frames, and each call in a frame.

The server holds a second lock of one user, whose address is bound. Nothing changes any more, so an input
gives the same answer twice. It is a frame, a call with a good pass and the user's lists, and a pass.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Self, TypeVar

from fuzz.harness import ITEMS, Finding, Target, attempt
from fuzz.tree import mutated
from letterlock._keyserver._rows import RowName, RowStep, SealedRows
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.identity_calls import BindIdentity, Identify, Prove
from letterlock._wire.identity_ticket import IdentityTicket
from letterlock._wire.provisional_calls import ClaimIdentities, MakeIdentity, ReleaseSeeds, WithdrawIdentity
from letterlock._wire.recovery_box import BoxContents, RecoveryCard
from letterlock._wire.recovery_calls import (
    BeginLock,
    ChangeSignature,
    EvaluateLock,
    FinishLock,
    LockOpened,
    LocksShown,
    LockStanding,
    SettleLock,
    ShowLocks,
)
from letterlock._wire.recovery_find import FindUser
from letterlock._wire.recovery_frame import RECOVERY_CALLS, RecoveryCall, RecoveryFrame
from letterlock._wire.recovery_kept import BoxKept, GetBox, PutBox
from letterlock._wire.recovery_limits import MAX_PASS
from letterlock._wire.recovery_lock import Hardness, Lock, LockName
from letterlock._wire.relay_body import RelayBody
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.second_lock_calls import (
    AskForHalf,
    Deposit,
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
from letterlock.errors import MalformedMessage, PeerError
from letterlock.recovery import RecoveryKey
from letterlock.recovery._decoys import decoy
from letterlock.relay._reply import Reply
from support.gate_town import ANNA
from support.keyserver_halves import HalvesTown
from support.keyserver_town import ADDRESS, SEALING
from support.pair import NOON, entropy_of
from support.recovery_town import DECOYS, FREELY, chain_of

T = TypeVar("T")

LOOP: Final = asyncio.new_event_loop()
ENTROPY: Final = entropy_of("a server of recovery that is fuzzed")
KEY: Final = RecoveryKey(ENTROPY(32))
SERVER: Final = 1
READERS: Final[tuple[Any, ...]] = (
    *{kind for call in RECOVERY_CALLS for kind in (call.request, call.answer)}, RecoveryFrame, Lock,
    RecoveryCard, BoxContents, IdentityTicket,
)  # fmt: skip


class StillRows:
    """Rows in memory. Once they are `still`, nothing that a step changes is kept."""

    def __init__(self) -> None:
        self.rows: dict[RowName, bytes] = {}
        self.still = False

    async def open(self) -> Self:
        return self

    async def close(self) -> None:
        pass

    async def load(self, names: Sequence[RowName]) -> list[bytes | None]:
        return [self.rows.get(each) for each in names]

    async def change(self, names: Sequence[RowName], step: RowStep[T]) -> T:
        changes, answer = step([self.rows.get(each) for each in names])
        for at, stored in changes.items() if not self.still else ():
            if stored is None:
                self.rows.pop(names[at], None)
            else:
                self.rows[names[at]] = stored.record
        return answer

    async def page(self, kind: int, after: bytes, most: int) -> list[tuple[bytes, bytes]]:
        assert min(kind, most) > 0
        assert len(after) <= 32
        return []

    async def expire(self, now: int, most: int) -> int:
        assert min(now, most) > 0
        return 0


async def _town() -> tuple[HalvesTown, bytes]:
    """Return both servers, and a pass of the user at the first one."""
    stores = (StillRows(), StillRows())
    rows = [await SealedRows(each, SEALING).open() for each in stores]
    town = HalvesTown(rows)
    town.key = KEY
    town.chain = chain_of(KEY)
    await town.turn_on()
    pass_, _ = await town.passes()
    for each in stores:
        each.still = True
    return town, pass_


TOWN, PASS = LOOP.run_until_complete(_town())
USER: Final = TOWN.user_id


def check(data: bytes) -> None:
    for reader in READERS:
        found = attempt(data, partial(reader.decode, data), PeerError, ITEMS)
        if found.error is None and found.accepted().encode() != data:
            raise Finding(f"a {reader.__name__} encodes to other bytes")
    for call in RECOVERY_CALLS:
        _check_call(call, data)
        _check_call(call, _framed(call, data))
        if 1 <= len(data) <= MAX_PASS:
            _check_call(call, RecoveryFrame(SHOW.encode(), data).encode())


def _framed(call: RecoveryCall, data: bytes) -> bytes:
    """Return a frame around a call that a device of the user might make."""
    body = data[: call.request.FORM.size] or b"\0"
    return RecoveryFrame(body, PASS, TOWN.lists if call.has_lists else None).encode()


def _check_call(call: RecoveryCall, frame: bytes) -> None:
    # A server answers: nothing may come out of it. The error that is allowed here is a finding below.
    reply = attempt(frame, lambda: _handle(call, frame), MalformedMessage, ITEMS).accepted()
    if reply.status == 200:
        answer = call.answer.decode(reply.body)
        if len(reply.body) > call.answer_size or answer.encode() != reply.body:
            raise Finding("an answer that no client takes")
        return
    error = ErrorAnswer.decode(reply.body)
    if reply.status != error.code.status or error.code in {RelayCode.UNAVAILABLE, RelayCode.SLOW_DOWN}:
        raise Finding(f"{error.code.name} for a call to a server that works")


def _handle(call: RecoveryCall, frame: bytes) -> Reply:
    async def handle() -> Reply:
        return await TOWN.desks[SERVER - 1].handle(call, frame, ADDRESS)

    return LOOP.run_until_complete(handle())


# --- inputs -----------------------------------------------------------------------------------------------

BY: Final = ChangeSignature(bytes(1952), bytes(3373))
SHOW: Final = ShowLocks(USER)
OWNER: Final = Ed25519KeyPair(Ed25519Seed(bytes(range(32)))).public
RECEIVING: Final = XWingKeyPair(XWingSeed(bytes(range(32)))).public
DEPOSIT: Final = Deposit(86_400, (bytes(32), bytes(range(32))))
WAIT: Final = WaitShown(bytes(16), NOON, True, 86_400)
DECOY: Final = decoy(DECOYS, USER, SERVER, FREELY).held[0].lock
CARD: Final = RecoveryCard(USER, RECEIVING, BY)
ELEMENT: Final = DECOY.public_keys[0].data


def _unsigned() -> dict[str, RelayBody]:
    return {
        "show": SHOW,
        "evaluate": EvaluateLock(DECOY.name, ELEMENT),
        "evaluate-another": EvaluateLock(LockName(USER, bytes(16)), ELEMENT, bytes(32), bytes(68)),
        "evaluate-no-element": EvaluateLock(DECOY.name, bytes(32)),
        "succeed": LockOpened(DECOY.name, bytes(32), bytes(64)),
        "identify-by-mail": Identify("mail", ANNA),
        "identify-by-stamp": Identify("stamp"),
        "prove": Prove(bytes(60), b"12345 67890"),
        "find": FindUser("alice"),
        "ask": AskForHalf(USER, RECEIVING),
        "take": TakeHalf(USER, bytes(16)),
        "make": MakeIdentity("mail", b"bert@example.org", bytes(32), OWNER, NOON + 86_400),
        "release": ReleaseSeeds(RECEIVING),
        "claimed": ClaimIdentities(USER, (bytes(32), bytes(range(32)))),
        "withdraw": WithdrawIdentity("mail", b"bert@example.org", bytes(32), bytes(64)),
    }


def _signed() -> dict[str, RelayBody]:
    """Return calls whose signatures nobody made."""
    place = NoticePlace("mail", ANNA)
    return {
        "begin": BeginLock(LockName(USER, bytes(16)), ELEMENT, BY),
        "settle": SettleLock(DECOY, OWNER, BY),
        "finish": FinishLock(DECOY.name, bytes(16), BY),
        "bind": BindIdentity(USER, bytes(90), 1, BY),
        "put-box": PutBox(USER, 1, CARD, b"box", 1, BY),
        "get-box": GetBox(USER, 0, NOON, None, BY),
        "get-box-of-a-device": GetBox(USER, 0, NOON, 1, BY),
        "lay": LayHalf(USER, 5, DEPOSIT, KeyHalf(bytes(32)), BY),
        "keep": KeepDeposit(USER, 1, DEPOSIT, BY),
        "stop": StopWait(USER, 1, None, BY),
        "watch": WatchSecondLock(USER, BY),
        "notify": NotifyAt(USER, 1, place, BY),
    }


def seeds() -> dict[str, bytes]:
    calls = {**_unsigned(), **_signed()}
    answers = {
        "shown": LocksShown((DECOY,), LockStanding(10)),
        "given": HalfGiven(WAIT, ((DEPOSIT, bytes(1168)),)),
        "watched": SecondLockShown(1, (DEPOSIT, DEPOSIT), WAIT, 0),
        "kept": BoxKept(1, CARD, b"box", 2, (b"one", b"two")),
        "lock": Lock(DECOY.name, Hardness(), DECOY.public_keys, DECOY.sealed),
    }
    frames = {f"frame-{name}": RecoveryFrame.of(call, bytes(90)) for name, call in _unsigned().items()}
    lists = RecoveryFrame.of(WatchSecondLock(USER, BY), None, (b"no list", b"\x80"))
    encoded = {name: body.encode() for name, body in {**calls, **answers, **frames}.items()}
    return encoded | {
        "frame-with-lists": lists.encode(),
        "frame-in-a-frame": RecoveryFrame(lists.encode()[:100]).encode(),
        "pass": bytes(range(90)),
        "nothing": b"",
    }


TARGET: Final = Target(check, mutated, seeds)
"""Each body, and calls that reach everything behind the readers."""
