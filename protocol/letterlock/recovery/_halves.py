"""The second lock as a client sees it: the recovery key in two halves, one at each server.

    half 1          random, 32 bytes
    half 2          recovery key xor half 1: alone it is as random as the first                      [REC-35]
    commitment i    SHA-256("letterlock-v1 half of a recovery key" || i in one byte || user id || half i)

    lay_halves      from a recovery key to what both servers are sent
    Asking          from two checks and two delays to the recovery key

Not here: what the recovery key opens (_device.py, _recovered.py).
"""

import hashlib
import hmac
from typing import Self

from letterlock._primitives import hpke
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.labels import RECOVERY_HALF
from letterlock._primitives.secret import Secret, Uncopyable
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.recovery_limits import HALF_BYTES, MAX_DELAY, MIN_DELAY, SERVERS
from letterlock._wire.second_lock_calls import (
    AskForHalf,
    Deposit,
    HalfGiven,
    KeepDeposit,
    KeyHalf,
    LayHalf,
    SecondLockShown,
    TakeHalf,
    WaitShown,
)
from letterlock._wire.second_lock_notices import NoticePlace, NotifyAt
from letterlock.errors import AuthenticationFailed, UsageError
from letterlock.limits import MAX_COUNTER
from letterlock.recovery._device import device_keys
from letterlock.recovery._errors import HalfWaits, RecoveryRefused, ServerAtFault
from letterlock.recovery._keys import RecoveryKey
from letterlock.recovery._signing import UNSIGNED, signed_for


class AskingKey(Secret):
    """32 random bytes of whoever asks for the halves. Keep them until both servers have given theirs."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class LaidHalves(Uncopyable):
    """A recovery key in halves, and what each server is sent, in the order of the servers.

    Send `keep` only when both have taken `lay`, to server 1 first, and to server 2 only after server 1 has
    taken it. If a server refuses, ask both what they hold, and go on with `keep_deposit`.
    """

    deposit: Deposit
    lay: tuple[LayHalf, LayHalf]
    keep: tuple[KeepDeposit, KeepDeposit]


def lay_halves(
    key: RecoveryKey,
    user_id: bytes,
    delay: int,
    shown: tuple[SecondLockShown, SecondLockShown],
    entropy: Entropy,
) -> LaidHalves:
    """Return a second lock for a recovery key, if the user has chosen one. [REC-44] Draws 32 bytes.

    `delay`, 86,400 to 259,200 seconds, is what each server waits; `shown` is what both hold now. Raises
    UsageError for another delay, ServerAtFault.
    """
    if type(delay) is not int or not MIN_DELAY <= delay <= MAX_DELAY:
        raise UsageError(f"a second lock waits {MIN_DELAY} to {MAX_DELAY} seconds: choose another delay")
    first = KeyHalf(entropy(HALF_BYTES))
    halves = first, KeyHalf(_xor(key.expose(), first.expose()))
    one, other = (_commitment(server, user_id, each) for server, each in zip(SERVERS, halves, strict=True))
    deposit, signing = Deposit(delay, (one, other)), device_keys(key).signing
    laid, kept = list[LayHalf](), list[KeepDeposit]()
    for server, half, before in zip(SERVERS, halves, shown, strict=True):
        number = _next(server, before)
        laid.append(signed_for(server, LayHalf(user_id, number, deposit, half, UNSIGNED), signing))
        kept.append(signed_for(server, KeepDeposit(user_id, number, deposit, UNSIGNED), signing))
    return LaidHalves(deposit, (laid[0], laid[1]), (kept[0], kept[1]))


def keep_deposit(
    key: RecoveryKey, user_id: bytes, shown: tuple[SecondLockShown, SecondLockShown]
) -> tuple[KeepDeposit, KeepDeposit]:
    """Return the calls by which both servers hold the newest common deposit alone, after an interruption.

    Raises ServerAtFault if they hold none in common: delete what each holds, and lay new halves.
    """
    deposit = newest_common(*(each.deposits for each in shown))
    signing = device_keys(key).signing
    first, second = (
        signed_for(server, KeepDeposit(user_id, each.number, deposit, UNSIGNED), signing)
        for server, each in zip(SERVERS, shown, strict=True)
    )
    return first, second


def notify_at(
    key: RecoveryKey, user_id: bytes, server: int, number: int, place: NoticePlace | None
) -> NotifyAt:
    """Return the call by which server 1 or 2 sends notices to a place, or to none. [REC-45]

    `number` is that of the last `lay`. A pass that proves the place goes with it.
    """
    return signed_for(server, NotifyAt(user_id, number, place, UNSIGNED), device_keys(key).signing)


@dataclass(frozen=True, slots=True, repr=False)
class Asking(Uncopyable):
    """Somebody who waits for both halves. `request` goes to both servers, each after its own check."""

    request: AskForHalf
    _pair: XWingKeyPair

    @classmethod
    def begin(cls, user_id: bytes, key: AskingKey) -> Self:
        """Ask for the halves of a user, or go on: the same key leads to the same wait."""
        pair = XWingKeyPair(XWingSeed(key.expose()))
        return cls(AskForHalf(user_id, pair.public), pair)

    def take(self, wait: WaitShown) -> TakeHalf:
        """Return the call for a half, to the server that showed this wait."""
        return TakeHalf(self.request.user_id, wait.id)

    def finish(self, first: HalfGiven, second: HalfGiven) -> RecoveryKey:
        """Return the recovery key, from what both servers give.

        Raises HalfWaits, ServerAtFault; RecoveryRefused if a wait was stopped or replaced.
        """
        answers = (first, second)
        self._require_over(answers)
        deposit = newest_common(*(tuple(each for each, _ in answer.halves) for answer in answers))
        one, other = (
            self._half(server, answer, deposit) for server, answer in zip(SERVERS, answers, strict=True)
        )
        return RecoveryKey(_xor(one.expose(), other.expose()))

    def _require_over(self, answers: tuple[HalfGiven, HalfGiven]) -> None:
        longest: tuple[int, int] | None = None
        for server, answer in zip(SERVERS, answers, strict=True):
            if answer.wait is None:
                raise RecoveryRefused(f"the wait at server {server} was stopped or replaced: ask again")
            if answer.wait.left > 0 or not answer.wait.told:
                longest = max(longest or (0, 0), (answer.wait.left, server))
            elif not answer.halves:
                raise ServerAtFault(server, "it gives no half after the delay")
        if longest is not None:
            raise HalfWaits(longest[1], longest[0])

    def _half(self, server: int, answer: HalfGiven, deposit: Deposit) -> KeyHalf:
        wait_id = b"" if answer.wait is None else answer.wait.id
        sealed = next(text for each, text in answer.halves if each == deposit)
        user_id = self.request.user_id
        info = HalfGiven.info(server, user_id, wait_id, deposit)
        try:
            half = KeyHalf(hpke.open_sealed(self._pair, info, sealed))
        except (AuthenticationFailed, ValueError):  # one that is no half has another length
            raise ServerAtFault(server, "its half is not sealed to the key that waited") from None
        if not hmac.compare_digest(_commitment(server, user_id, half), deposit.commitments[server - 1]):
            raise ServerAtFault(server, "its half is not the one to which both deposits commit")  # REC-43
        return half

    def __repr__(self) -> str:
        return "<Asking>"


def newest_common(first: tuple[Deposit, ...], second: tuple[Deposit, ...]) -> Deposit:
    """Return the newest deposit that both servers hold. Raises ServerAtFault. [REC-43]"""
    mine = [each for each in first if each in second]
    if not mine:
        raise ServerAtFault(0, "the two hold no deposit in common")
    if mine != [each for each in second if each in first]:
        raise ServerAtFault(0, "the two hold deposits in another order")
    return mine[-1]


def _commitment(server: int, user_id: bytes, half: KeyHalf) -> bytes:
    return hashlib.sha256(RECOVERY_HALF + bytes((server,)) + user_id + half.expose()).digest()


def _next(server: int, shown: SecondLockShown) -> int:
    if shown.number >= MAX_COUNTER:
        raise ServerAtFault(server, "it names the last number that there is")
    return shown.number + 1


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
