"""A new lock: the first one of a user, one under another password, or one with new keys of the servers.

    begin       blinded inputs      ->  both servers make a key and evaluate
    finish      the lock            ->  both servers hold it beside the one before       [REC-11]
                                    ->  both delete the one before

A crash between any two of these leaves a lock that both servers hold: the old one or the new one.

Not here: what opens it (_attempt.py).
"""

from dataclasses import replace
from typing import Self

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.voprf import Blinding, OprfOutput, OprfPublicKey
from letterlock._wire.recovery_calls import BeginLock, FinishLock, LockBegun, SettleLock
from letterlock._wire.recovery_limits import LOCK_ID_BYTES, SEALED_KEY_BYTES, SERVERS
from letterlock._wire.recovery_lock import Hardness, Lock, LockName
from letterlock.errors import InvalidSignature
from letterlock.recovery._device import device_keys
from letterlock.recovery._errors import ServerAtFault
from letterlock.recovery._keys import LockKeys, Outputs, RecoveryKey
from letterlock.recovery._password import blind_for_both, stretch
from letterlock.recovery._signing import UNSIGNED, signed_for


@dataclass(frozen=True, slots=True)
class MadeLock:
    """A lock, and what each server is sent, in the order of the servers.

    Send `finish` to either only when both have taken `settle`: otherwise no lock may be left that both hold.
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
        return self._made(public, (outputs[0], outputs[1]))

    def _made(self, public: tuple[OprfPublicKey, OprfPublicKey], outputs: Outputs) -> MadeLock:
        empty = Lock(self.name, self.hardness, public, bytes(SEALED_KEY_BYTES))
        keys = LockKeys.derive(empty.header, outputs)
        lock = replace(empty, sealed=keys.seal(self._key, empty.header))
        first, second = (
            signed_for(server, SettleLock(lock, keys.login(server).public, UNSIGNED), self._signing)
            for server in SERVERS
        )
        return MadeLock(lock, (first, second), _finish(self.name, self._signing))

    def __repr__(self) -> str:
        return "<NewLock>"


def keep_only(key: RecoveryKey, name: LockName) -> tuple[FinishLock, FinishLock]:
    """Return the calls by which both servers hold this lock alone, in their order.

    After a change that was interrupted: `name` is that of the lock that `choose` returns. [REC-11]
    """
    return _finish(name, device_keys(key).signing)


def _finish(name: LockName, signing: DeviceSigningKeyPair) -> tuple[FinishLock, FinishLock]:
    first, second = (signed_for(server, FinishLock(name, UNSIGNED), signing) for server in SERVERS)
    return first, second
