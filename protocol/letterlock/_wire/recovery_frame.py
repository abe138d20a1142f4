"""How a call of recovery travels to a server: inside a frame, with what else the server has to see.

    POST /v1/recovery/NAME
    frame       [1, call, pass / null, [list ...] / null]

    call        the encoded call, of recovery_calls.py and its neighbours
    pass        what shows that an identity was checked at this server: the server's own affair
    lists       for calls that a device signs: the user's device lists, from the first one, or from the newest
                one that the server knows, to the newest one

Answers are those of the calls, without a frame. Refusals are those of a relay (relay_error.py).

Not here: what a server does with them (_keyserver/).
"""

from dataclasses import field
from typing import Final, Self

from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire import identity_calls as identity
from letterlock._wire import provisional_calls as provisional
from letterlock._wire import recovery_calls as locks
from letterlock._wire import recovery_kept as kept
from letterlock._wire import second_lock_calls as halves
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_find import FindUser, UserFound
from letterlock._wire.recovery_limits import MAX_FRAME_LISTS, MAX_FRAME_LISTS_BYTES, MAX_PASS
from letterlock._wire.relay_body import DoneAnswer, Form, RelayBody, read_blobs
from letterlock._wire.relay_calls import TokenUse
from letterlock._wire.second_lock_notices import NotifyAt
from letterlock.limits import MAX_DEVICE_LIST

_FRAMING: Final = 1024
"""Bytes of a frame besides call, pass and lists: the heads of its elements."""


@dataclass(frozen=True, slots=True)
class RecoveryCall:
    """One row: the name in the path, what is asked and answered, and whether device lists come with it."""

    name: str
    request: type[RelayBody]
    answer: type[RelayBody]
    has_lists: bool = False

    @property
    def path(self) -> str:
        """The path of the URL, after the authority."""
        return RECOVERY_PATH + self.name

    @property
    def number(self) -> int:
        """The number in the request."""
        return self.request.NUMBER or 0

    @property
    def size(self) -> int:
        """How many bytes a frame with this call has at most."""
        lists = MAX_FRAME_LISTS_BYTES if self.has_lists else 0
        return self.request.FORM.size + MAX_PASS + lists + _FRAMING

    @property
    def answer_size(self) -> int:
        """How many bytes an answer has at most."""
        return self.answer.FORM.size

    @property
    def token(self) -> TokenUse:
        """Never: whoever calls has no device, or signs the call."""
        return TokenUse.NEVER


RECOVERY_PATH: Final = "/v1/recovery/"
"""What the paths of all calls begin with."""

RECOVERY_CALLS: Final = (
    RecoveryCall("show", locks.ShowLocks, locks.LocksShown),
    RecoveryCall("evaluate", locks.EvaluateLock, locks.LockEvaluated),
    RecoveryCall("succeed", locks.LockOpened, locks.StandingShown),
    RecoveryCall("begin", locks.BeginLock, locks.LockBegun, has_lists=True),
    RecoveryCall("settle", locks.SettleLock, DoneAnswer, has_lists=True),
    RecoveryCall("finish", locks.FinishLock, DoneAnswer, has_lists=True),
    RecoveryCall("identify", identity.Identify, identity.Challenged),
    RecoveryCall("prove", identity.Prove, identity.Proven),
    RecoveryCall("put-box", kept.PutBox, DoneAnswer, has_lists=True),
    RecoveryCall("get-box", kept.GetBox, kept.BoxKept, has_lists=True),
    RecoveryCall("bind", identity.BindIdentity, DoneAnswer, has_lists=True),
    RecoveryCall("lay", halves.LayHalf, DoneAnswer, has_lists=True),
    RecoveryCall("ask", halves.AskForHalf, halves.HalfAsked),
    RecoveryCall("take", halves.TakeHalf, halves.HalfGiven),
    RecoveryCall("make", provisional.MakeIdentity, provisional.IdentityMade),
    RecoveryCall("release", provisional.ReleaseSeeds, provisional.SeedsReleased),
    RecoveryCall("claimed", provisional.ClaimIdentities, DoneAnswer),
    RecoveryCall("withdraw", provisional.WithdrawIdentity, DoneAnswer),
    RecoveryCall("find", FindUser, UserFound),
    RecoveryCall("stop", halves.StopWait, DoneAnswer, has_lists=True),
    RecoveryCall("watch", halves.WatchSecondLock, halves.SecondLockShown, has_lists=True),
    RecoveryCall("keep", halves.KeepDeposit, DoneAnswer, has_lists=True),
    RecoveryCall("notify", NotifyAt, DoneAnswer, has_lists=True),
)
"""In the order of their numbers."""

RECOVERY_CALL_OF_PATH: Final = {each.path: each for each in RECOVERY_CALLS}
RECOVERY_CALL_OF_REQUEST: Final = {each.request: each for each in RECOVERY_CALLS}

_MAX_CALL: Final = max(each.request.FORM.size for each in RECOVERY_CALLS)

MAX_FRAME: Final = max(each.size for each in RECOVERY_CALLS)
"""Bytes of the longest frame of all."""


@dataclass(frozen=True, slots=True)
class RecoveryFrame(RelayBody):
    """A call on its way to a server. `lists` are encoded device lists."""

    FORM = Form("a frame of a call of recovery", 4, MAX_FRAME, MAX_FRAME_LISTS + 6)

    call: bytes = field(repr=False)
    pass_: bytes | None = field(default=None, repr=False)
    lists: tuple[bytes, ...] | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls, call: RelayBody, pass_: bytes | None = None, lists: tuple[bytes, ...] | None = None
    ) -> "RecoveryFrame":
        """Return the frame of a call."""
        return cls(call.encode(), pass_, lists)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.call, self.pass_, None if self.lists is None else [*self.lists]]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        call = fields.blob_between("call", 1, _MAX_CALL)
        return cls(call, fields.optional_blob_between("pass", 1, MAX_PASS), _lists(fields))


def _lists(fields: Fields) -> tuple[bytes, ...] | None:
    value = fields.any()
    if value is None:
        return None
    lists = read_blobs(Fields([value], 1, "a frame"), "lists", MAX_FRAME_LISTS, MAX_DEVICE_LIST)
    if not lists or sum(map(len, lists)) > MAX_FRAME_LISTS_BYTES:
        raise fields.wrong("lists", f"1 or more, of {MAX_FRAME_LISTS_BYTES} bytes at most in all")
    return lists
