"""A new lock: the first one of a user, one under another password, or one with new keys of the servers.

    begin       blinded inputs      ->  both servers make a key and evaluate
    finish      the lock            ->  both servers hold it beside the one before       [REC-11]
                                    ->  server 1 deletes the one before, and then server 2       [REC-16]

A crash between any two of these leaves a lock that both servers hold: the old one or the new one. So does a
second holder of the recovery key who makes a lock at the same time: server 1 decides whose it is.

Not here: what opens it (_attempt.py).
"""

from dataclasses import replace
from typing import Self, TypeAlias

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.voprf import Blinding, OprfOutput, OprfPublicKey
from letterlock._wire.recovery_calls import BeginLock, FinishLock, LockBegun, LocksShown, SettleLock
from letterlock._wire.recovery_limits import LOCK_ID_BYTES, SEALED_KEY_BYTES, SERVERS
from letterlock._wire.recovery_lock import Hardness, Lock, LockName
from letterlock.errors import InvalidSignature
from letterlock.recovery._device import device_keys
from letterlock.recovery._errors import ServerAtFault
from letterlock.recovery._keys import LockKeys, Outputs, RecoveryKey
from letterlock.recovery._password import blind_for_both, stretch
from letterlock.recovery._signing import UNSIGNED, signed_for

_Before: TypeAlias = tuple[bytes | None, bytes | None]
"""The ids of the locks that the servers delete. Each server names its own, and is told nothing but that."""


@dataclass(frozen=True, slots=True)
class MadeLock:
    """A lock, and what each server is sent, in the order of the servers.

    Send `finish` only when both have taken `settle`, to server 1 first, and to server 2 only after server 1
    has taken it: otherwise no lock may be left that both hold. If a server refuses, ask both for their locks
    again, and go on with `keep_only`. [REC-16]
    """

    lock: Lock
    settle: tuple[SettleLock, SettleLock]
    finish: tuple[FinishLock, FinishLock]


@dataclass(frozen=True, slots=True, repr=False)
class NewLock(Uncopyable):
    """A lock that is being made. `requests` are in the order of the servers."""

    name: LockName
    hardness: Hardness
    requests: tuple[BeginLock, BeginLock]
    _key: RecoveryKey
    _signing: DeviceSigningKeyPair
    _blindings: tuple[Blinding, Blinding]

    @classmethod
    def begin(
        cls, password: str, key: RecoveryKey, user_id: bytes, hardness: Hardness, entropy: Entropy
    ) -> Self:
        """Begin a lock that opens to `key`. Takes as long as `hardness` says. Draws 16 bytes.

        Raises UsageError for a password that is empty or too long, StoreError if memory is short.
        """
        name = LockName(user_id, entropy(LOCK_ID_BYTES))
        signing = device_keys(key).signing
        blindings = blind_for_both(stretch(password, name, hardness), name)
        first, second = (
            signed_for(server, BeginLock(name, blinding.blinded, UNSIGNED), signing)
            for server, blinding in zip(SERVERS, blindings, strict=True)
        )
        return cls(name, hardness, (first, second), key, signing, blindings)

    def finish(self, first: LockBegun, second: LockBegun) -> MadeLock:
        """Make the lock from the answers of both servers. Raises ServerAtFault."""
        answers = (first, second)
        public = (first.public, second.public)
        outputs = list[OprfOutput]()
        for server, blinding, answer in zip(SERVERS, self._blindings, answers, strict=True):
            try:
                outputs.append(blinding.finish(answer.evaluation, answer.public))
            except InvalidSignature:
                raise ServerAtFault(server, "its proof does not verify") from None
        return self._made(public, (outputs[0], outputs[1]), (first.before, second.before))

    def _made(
        self, public: tuple[OprfPublicKey, OprfPublicKey], outputs: Outputs, before: _Before
    ) -> MadeLock:
        empty = Lock(self.name, self.hardness, public, bytes(SEALED_KEY_BYTES))
        keys = LockKeys.derive(empty.header, outputs)
        lock = replace(empty, sealed=keys.seal(self._key, empty.header))
        first, second = (
            signed_for(server, SettleLock(lock, keys.login(server).public, UNSIGNED), self._signing)
            for server in SERVERS
        )
        return MadeLock(lock, (first, second), _finish(self.name, before, self._signing))

    def __repr__(self) -> str:
        return "<NewLock>"


def keep_only(
    key: RecoveryKey, name: LockName, first: LocksShown, second: LocksShown
) -> tuple[FinishLock, FinishLock]:
    """Return the calls by which both servers hold this lock alone, in their order.

    After a change that was interrupted: `name` is that of the lock that `choose` returns for what the servers
    show now. Send the second call only after server 1 has taken the first one; if a server refuses, ask both
    for their locks again. [REC-16]

    Making a first lock may leave no lock in common: one server holds one or two, the other one still shows a
    decoy. Then give each server its call for the newest lock that it shows itself, and make a new lock. Only
    the maker of a first lock does that, when nothing is left to lose; a decoy stays as it is.
    """
    before = _other(name, first), _other(name, second)
    return _finish(name, before, device_keys(key).signing)


def _other(name: LockName, shown: LocksShown) -> bytes | None:
    ids = (each.name.lock_id for each in shown.locks)
    return next((each for each in ids if each != name.lock_id), None)


def _finish(name: LockName, before: _Before, signing: DeviceSigningKeyPair) -> tuple[FinishLock, FinishLock]:
    first, second = (
        signed_for(server, FinishLock(name, other, UNSIGNED), signing)
        for server, other in zip(SERVERS, before, strict=True)
    )
    return first, second
