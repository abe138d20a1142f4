"""The calls of the second lock, which are the same at both servers.

    lay     [1, 41, user id, number, deposit, half, ML-DSA key, signature]      ->  [1]
    keep    [1, 51, user id, number, deposit, ML-DSA key, signature]            ->  [1]
    ask     [1, 42, user id, X-Wing key]                                        ->  [1, wait]
    take    [1, 43, user id, wait id]               ->  [1, wait / null, [[deposit, sealed half] ...]]
    stop    [1, 49, user id, number, wait id / null, ML-DSA key, signature]     ->  [1]
    watch   [1, 50, user id, ML-DSA key, signature]  ->  [1, number, [deposit ...], wait / null, quiet]

    deposit     [delay, commitment 1, commitment 2]
    wait        [wait id, when it was asked for, whether the notice was sent, seconds left]
    quiet       seconds for which nobody can ask
    signature   Composite(a device, CBOR[server, call, ...], "letterlock-v1 change of a lock")       [REC-36]

Not here: what a server does with them (recovery/).
"""

from dataclasses import field
from typing import Self

from letterlock._primitives import hpke
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import RECOVERY_RELEASE
from letterlock._primitives.secret import Secret, Uncopyable
from letterlock._primitives.xwing import XWingPublicKey
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import DOCUMENT_KEY_BYTES, HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_calls import Change, ChangeSignature
from letterlock._wire.recovery_limits import (
    HALF_BYTES,
    MAX_DELAY,
    MAX_DEPOSITS,
    MIN_DELAY,
    QUIET_SECONDS,
    SIGNED_RECOVERY_BODY,
    SMALL_RECOVERY_BODY,
    WAIT_ID_BYTES,
)
from letterlock._wire.relay_body import Form, RelayBody
from letterlock.limits import MAX_COUNTER

SEALED_HALF_BYTES = HALF_BYTES + hpke.OVERHEAD


class KeyHalf(Secret):
    """One half of a recovery key, 32 bytes. Alone it is a random text."""

    __slots__ = ()


# --- what the calls carry ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deposit:
    """What both servers know of a recovery key in two halves.

    `delay` is what each server waits before it gives its half out, 86,400 to 259,200 seconds. `commitments`
    are those of the halves, in the order of the servers, 32 bytes each.
    """

    delay: int
    commitments: tuple[bytes, bytes]

    def fields(self) -> cbor.Value:
        """Return it as it stands inside an encoding."""
        return [self.delay, *self.commitments]

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage. [REC-38]"""
        fields = Fields(value, 3, "a deposit")
        delay = fields.uint_between("delay", MIN_DELAY, MAX_DELAY)
        first, second = (fields.blob(each, HASH_BYTES) for each in ("commitment 1", "commitment 2"))
        return cls(delay, (first, second))


@dataclass(frozen=True, slots=True)
class WaitShown:
    """Somebody waits for a half. `asked` is the server's time of the first call, in seconds since 1970 (UTC).

    The delay runs while `told` is true: the notice to the user's devices was sent. `left` are the seconds
    until the server gives its half; 0 means now.
    """

    id: bytes
    asked: int
    told: bool
    left: int

    def fields(self) -> cbor.Value:
        """Return it as it stands inside an encoding."""
        return [self.id, self.asked, int(self.told), self.left]

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 4, "a wait")
        id_, asked = fields.blob("wait id", WAIT_ID_BYTES), fields.uint("time of the call", MAX_COUNTER)
        told = fields.uint("told", 1) == 1
        return cls(id_, asked, told, fields.uint("seconds left", MAX_DELAY))

    @classmethod
    def read_optional(cls, value: object) -> Self | None:
        """Read what `fields` gives, or null. Raises MalformedMessage."""
        return None if value is None else cls.read(value)


# --- the recovery device ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LayHalf(Change, Uncopyable):
    """Brings a server its half. `number` is above that of every earlier call to this server. [REC-37]"""

    FORM = Form("a half to hold", 8, SIGNED_RECOVERY_BODY, 12)
    NUMBER = 41

    user_id: bytes
    number: int
    deposit: Deposit
    half: KeyHalf
    by: ChangeSignature

    def change(self) -> list[cbor.Value]:
        """Return the elements between the number of the call and the signer's key."""
        return [self.user_id, self.number, self.deposit.fields(), self.half.expose()]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        user_id, number = _read_name(fields)
        deposit, half = Deposit.read(fields.any()), KeyHalf(fields.blob("half", HALF_BYTES))
        return cls(user_id, number, deposit, half, ChangeSignature.read(fields))


@dataclass(frozen=True, slots=True)
class KeepDeposit(Change):
    """Says which deposit both servers hold: every other one is deleted. `number` is that of the last call."""

    FORM = Form("a deposit to keep", 7, SIGNED_RECOVERY_BODY, 11)
    NUMBER = 51

    user_id: bytes
    number: int
    deposit: Deposit
    by: ChangeSignature

    def change(self) -> list[cbor.Value]:
        """Return the elements between the number of the call and the signer's key."""
        return [self.user_id, self.number, self.deposit.fields()]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        user_id, number = _read_name(fields)
        return cls(user_id, number, Deposit.read(fields.any()), ChangeSignature.read(fields))


# --- whoever passed a server's check ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AskForHalf(RelayBody):
    """Begins a wait. The half will be sealed to `key`, so that nobody takes over a wait. [REC-40]"""

    FORM = Form("a request for a half", 4, 2 * SMALL_RECOVERY_BODY, 5)
    NUMBER = 42

    user_id: bytes
    key: XWingPublicKey

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.user_id, self.key.data]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey."""
        user_id = fields.blob("user id", HASH_BYTES)
        return cls(user_id, XWingPublicKey(fields.blob("x-wing key", DOCUMENT_KEY_BYTES)))


@dataclass(frozen=True, slots=True)
class HalfAsked(RelayBody):
    """The answer to a request: the wait that runs now."""

    FORM = Form("an answer with a wait", 2, SMALL_RECOVERY_BODY, 7)

    wait: WaitShown

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.wait.fields()]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(WaitShown.read(fields.any()))


@dataclass(frozen=True, slots=True)
class TakeHalf(RelayBody):
    """Asks for the half at the end of a wait, by the id of the wait, 16 bytes."""

    FORM = Form("a call for a half", 4, SMALL_RECOVERY_BODY, 5)
    NUMBER = 43

    user_id: bytes
    wait_id: bytes

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.user_id, self.wait_id]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob("user id", HASH_BYTES), fields.blob("wait id", WAIT_ID_BYTES))


@dataclass(frozen=True, slots=True)
class HalfGiven(RelayBody):
    """What a server gives: nothing while it waits, then the half of each deposit that it holds.

    `wait` is None for a wait that was stopped, that another one replaced, or that is over. Each half is
    sealed, with the deposit that it is of, the oldest first.
    """

    FORM = Form("an answer with halves", 3, SIGNED_RECOVERY_BODY, 20)

    wait: WaitShown | None
    halves: tuple[tuple[Deposit, bytes], ...] = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        wait = None if self.wait is None else self.wait.fields()
        return [wait, [[deposit.fields(), sealed] for deposit, sealed in self.halves]]

    @staticmethod
    def info(server: int, user_id: bytes, wait_id: bytes, deposit: Deposit) -> bytes:
        """Return the HPKE info under which a server seals its half."""
        return RECOVERY_RELEASE + cbor.encode([server, user_id, wait_id, deposit.fields()])

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        wait = WaitShown.read_optional(fields.any())
        return cls(wait, tuple(map(_read_given, fields.array("halves", MAX_DEPOSITS))))


# --- every device of the user -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StopWait(Change):
    """Ends a wait; without a wait id, deletes every half that this server holds. [REC-41]"""

    FORM = Form("the end of a wait", 7, SIGNED_RECOVERY_BODY, 8)
    NUMBER = 49

    user_id: bytes
    number: int
    wait_id: bytes | None
    by: ChangeSignature

    def change(self) -> list[cbor.Value]:
        """Return the elements between the number of the call and the signer's key."""
        return [self.user_id, self.number, self.wait_id]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        user_id, number = _read_name(fields)
        return cls(
            user_id, number, fields.optional_blob("wait id", WAIT_ID_BYTES), ChangeSignature.read(fields)
        )


@dataclass(frozen=True, slots=True)
class WatchSecondLock(Change):
    """Asks whether there is a second lock, and whether somebody waits for a half."""

    FORM = Form("a question about a second lock", 5, SIGNED_RECOVERY_BODY, 6)
    NUMBER = 50

    user_id: bytes
    by: ChangeSignature

    def change(self) -> list[cbor.Value]:
        """Return the elements between the number of the call and the signer's key."""
        return [self.user_id]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob("user id", HASH_BYTES), ChangeSignature.read(fields))


@dataclass(frozen=True, slots=True)
class SecondLockShown(RelayBody):
    """What a server holds for a user: the number of the last call, deposits from the oldest, and a wait.

    For `quiet` seconds nobody can ask for a half.
    """

    FORM = Form("an answer about a second lock", 5, SMALL_RECOVERY_BODY, 18)

    number: int
    deposits: tuple[Deposit, ...]
    wait: WaitShown | None
    quiet: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        wait = None if self.wait is None else self.wait.fields()
        return [self.number, [each.fields() for each in self.deposits], wait, self.quiet]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        number = fields.uint("number", MAX_COUNTER)
        deposits = tuple(map(Deposit.read, fields.array("deposits", MAX_DEPOSITS)))
        wait = WaitShown.read_optional(fields.any())
        return cls(number, deposits, wait, fields.uint("quiet", QUIET_SECONDS))


AnySecondLockChange = LayHalf | KeepDeposit | StopWait | WatchSecondLock
"""The calls here that a device of the user signs."""


def _read_name(fields: Fields) -> tuple[bytes, int]:
    return fields.blob("user id", HASH_BYTES), fields.uint("number", MAX_COUNTER)


def _read_given(value: object) -> tuple[Deposit, bytes]:
    fields = Fields(value, 2, "a half that is given")
    return Deposit.read(fields.any()), fields.blob("sealed half", SEALED_HALF_BYTES)
