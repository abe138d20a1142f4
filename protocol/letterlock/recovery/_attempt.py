"""An attempt to open a lock with a password: one use at each server.

    choose      the newest lock that both servers hold, with the same bytes                          [REC-6]
    begin       blinded inputs      ->  server 2 counts a use, evaluates, and gives a ticket        [REC-15]
    first       the ticket          ->  server 1 counts a use, then evaluates
    finish      the recovery key    ->  both servers are told, and the uses come back                [REC-8]

Faults are told apart. A proof that does not verify is that server's fault; locks that differ are the fault of
one of them. Where both proofs verify under keys that both servers show, the password is wrong. [REC-7]

Not here: what the recovery key opens (_device.py).
"""

from dataclasses import replace
from typing import Self

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.voprf import Blinding, OprfOutput
from letterlock._wire.recovery_calls import EvaluateLock, LockEvaluated, LockOpened, LocksShown
from letterlock._wire.recovery_limits import SERVERS
from letterlock._wire.recovery_lock import Lock, LockName
from letterlock.errors import InvalidSignature
from letterlock.recovery._errors import LockWaits, ServerAtFault, WrongPassword
from letterlock.recovery._keys import LockKeys, RecoveryKey
from letterlock.recovery._password import blind_for_both, stretch
from letterlock.recovery._tickets import companion


def choose(user_id: bytes, first: LocksShown, second: LocksShown) -> Lock:
    """Return the newest lock of this user that both servers hold. [REC-6]

    Raises ServerAtFault if there is none, or if the two differ in the bytes or the order of those that both
    show: whoever shows them the other way round would bring an old password back.
    """
    known = [{each.name.lock_id for each in shown.locks} for shown in (first, second)]
    both = known[0] & known[1]
    mine, theirs = ([each for each in shown.locks if each.name.lock_id in both] for shown in (first, second))
    if mine != theirs or any(each.name.user_id != user_id for each in mine):
        raise ServerAtFault(0, "the two show different locks under one id, or in another order")
    if not mine:
        raise ServerAtFault(0, "the two hold no lock in common")
    return mine[-1]


@dataclass(frozen=True, slots=True, repr=False)
class Opened(Uncopyable):
    """A lock that opened. `successes` are for the servers, in their order: the uses then come back.

    Afterwards make a new lock of the same password and key: the servers' keys change with it.
    """

    key: RecoveryKey
    successes: tuple[LockOpened, LockOpened]

    def __repr__(self) -> str:
        return "<Opened>"


@dataclass(frozen=True, slots=True, repr=False)
class Attempt(Uncopyable):
    """A password on its way to both servers.

    `requests` are in the order of the servers. Send the second one first: `first` puts the ticket that comes
    back into the other one.
    """

    lock: Lock
    requests: tuple[EvaluateLock, EvaluateLock]
    _blindings: tuple[Blinding, Blinding]

    @classmethod
    def begin(cls, password: str, lock: Lock) -> Self:
        """Begin an attempt at a lock that `choose` returned. Takes as long as the lock's hardness says.

        Raises UsageError for a password that is empty or too long, StoreError if memory is short.
        """
        blindings = blind_for_both(stretch(password, lock.name, lock.hardness), lock.name)
        mine, theirs = (each.blinded for each in blindings)
        second = EvaluateLock(lock.name, theirs, companion=companion(mine))
        return cls(lock, (EvaluateLock(lock.name, mine), second), blindings)

    def first(self, second: LockEvaluated) -> EvaluateLock:
        """Return the request to server 1, from the answer of server 2.

        Raises LockWaits if server 2 gave no evaluation: nothing is asked of server 1 then.
        """
        if second.evaluation is None:
            raise _waits(SERVERS[1], second)
        return replace(self.requests[0], ticket=second.ticket)

    def finish(self, first: LockEvaluated, second: LockEvaluated) -> Opened:
        """Open the lock with the answers of both servers.

        Raises WrongPassword, LockWaits, ServerAtFault.
        """
        answers = (first, second)
        outputs = tuple(self._output(server, answer) for server, answer in zip(SERVERS, answers, strict=True))
        keys = LockKeys.derive(self.lock.header, (outputs[0], outputs[1]))
        key = keys.open(self.lock.sealed, self.lock.header)
        if key is None:
            standings = [each.standing for each in answers]
            raise WrongPassword(
                min(each.uses_left for each in standings), max(each.not_before for each in standings)
            )
        one, other = (
            _success(server, self.lock.name, answer, keys)
            for server, answer in zip(SERVERS, answers, strict=True)
        )
        return Opened(key, (one, other))

    def _output(self, server: int, answer: LockEvaluated) -> OprfOutput:
        at = server - 1
        if answer.evaluation is None:
            raise _waits(server, answer)
        try:
            return self._blindings[at].finish(answer.evaluation, self.lock.public_keys[at])
        except InvalidSignature:
            raise ServerAtFault(server, "its proof does not verify under the key of the lock") from None

    def __repr__(self) -> str:
        return "<Attempt>"


def _waits(server: int, answer: LockEvaluated) -> LockWaits:
    return LockWaits(server, answer.standing.uses_left, answer.standing.not_before)


def _success(server: int, name: LockName, answer: LockEvaluated, keys: LockKeys) -> LockOpened:
    nonce = answer.nonce or b""
    return LockOpened(name, nonce, keys.login(server).sign(LockOpened.signed(server, name, nonce)))
