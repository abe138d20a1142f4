"""The calls of recovery, which are the same at both servers.

    show        [1, 30, user id]                            ->  [1, [lock ...], standing]
    evaluate    [1, 31, user id, lock id, blinded, companion / null, ticket / null]
                                            ->  [1, evaluation / null, nonce / null, standing, ticket / null]
    succeed     [1, 32, user id, lock id, nonce, signature] ->  [1, standing]
    begin       [1, 33, user id, lock id, blinded, ML-DSA key, signature]     ->  [1, evaluation, public key,
                                                                                   id of the lock before]
    settle      [1, 34, user id, lock, login key, ML-DSA key, signature]      ->  [1]
    finish      [1, 35, user id, lock id, id of the lock before / null, ML-DSA key, signature]  ->  [1]

    standing    [uses left, from when the next use is possible, whether the lock rests]

    signature of `succeed`      Ed25519(login key, "letterlock-v1 success of a recovery" ||
                                CBOR[server, user id, lock id, nonce])                              [REC-8]
    signature of the others     Composite(recovery device, CBOR[server, call, user id, ...],
                                "letterlock-v1 change of a lock")                                   [REC-10]

Not here: what a server does with them (recovery/).
"""

from dataclasses import field
from typing import Self

from letterlock._primitives.composite import SIGNATURE_BYTES as COMPOSITE_BYTES
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.ed25519 import SIGNATURE_BYTES, Ed25519PublicKey
from letterlock._primitives.labels import RECOVERY_SUCCESS
from letterlock._primitives.mldsa import PUBLIC_BYTES as ML_DSA_BYTES
from letterlock._primitives.voprf import BLINDED_BYTES, EVALUATION_BYTES, OprfPublicKey
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.recovery_limits import (
    LOCK_ID_BYTES,
    MAX_HELD_LOCKS,
    MAX_LOCK,
    MAX_USES,
    NONCE_BYTES,
    SIGNED_RECOVERY_BODY,
    SMALL_RECOVERY_BODY,
    TICKET_BYTES,
)
from letterlock._wire.recovery_lock import Lock, LockName
from letterlock._wire.relay_body import Form, RelayBody, read_blobs
from letterlock.limits import MAX_COUNTER


@dataclass(frozen=True, slots=True)
class LockStanding:
    """What is left: uses, and from when the next one is possible, in seconds since 1970 (UTC); 0 means now.

    `rests` says that all uses are spent, and that a few come back then.
    """

    uses_left: int
    not_before: int = 0
    rests: bool = False

    def fields(self) -> cbor.Value:
        """Return the standing as it stands inside an encoding."""
        return [self.uses_left, self.not_before, int(self.rests)]

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what `fields` gives. Raises MalformedMessage."""
        fields = Fields(value, 3, "a standing")
        uses, not_before = fields.uint("uses left", MAX_USES), fields.uint("next use", MAX_COUNTER)
        return cls(uses, not_before, fields.uint("rest", 1) == 1)


@dataclass(frozen=True, slots=True)
class ShowLocks(RelayBody):
    """Asks for the locks of a user. A server answers alike for users that it does not know. [REC-12]"""

    FORM = Form("a request for locks", 3, SMALL_RECOVERY_BODY, 4)
    NUMBER = 30

    user_id: bytes

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.user_id]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob("user id", HASH_BYTES))


@dataclass(frozen=True, slots=True)
class LocksShown(RelayBody):
    """The locks that a server holds for a user, the oldest first."""

    FORM = Form("an answer with locks", 3, SMALL_RECOVERY_BODY, 9)

    locks: tuple[Lock, ...]
    standing: LockStanding

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [[each.encode() for each in self.locks], self.standing.fields()]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey, UnsupportedVersion."""
        locks = read_blobs(fields, "locks", MAX_HELD_LOCKS, MAX_LOCK)
        return cls(tuple(map(Lock.decode, locks)), LockStanding.read(fields.any()))


@dataclass(frozen=True, slots=True)
class EvaluateLock(RelayBody):
    """A guess: asks for the evaluation of a blinded input, and spends a use.

    To server 2 it names the input for server 1 by the hash `companion`, 32 bytes; to server 1 it has the
    `ticket` that server 2 gave for that input.
    """

    FORM = Form("a request for an evaluation", 7, SMALL_RECOVERY_BODY, 8)
    NUMBER = 31

    name: LockName
    blinded: bytes
    companion: bytes | None = None
    ticket: bytes | None = None

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [*self.name.fields(), self.blinded, self.companion, self.ticket]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(
            LockName.read(fields),
            fields.blob("blinded input", BLINDED_BYTES),
            fields.optional_blob("companion", HASH_BYTES),
            fields.optional_blob("ticket", TICKET_BYTES),
        )


@dataclass(frozen=True, slots=True)
class LockEvaluated(RelayBody):
    """An evaluation with the bytes to sign after success; or neither, and why not. Server 2 adds a ticket."""

    FORM = Form("an answer to an evaluation", 5, SMALL_RECOVERY_BODY, 9)

    evaluation: bytes | None
    nonce: bytes | None
    standing: LockStanding
    ticket: bytes | None = None

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.evaluation, self.nonce, self.standing.fields(), self.ticket]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        evaluation = fields.optional_blob("evaluation", EVALUATION_BYTES)
        nonce = fields.optional_blob("nonce", NONCE_BYTES)
        if (evaluation is None) != (nonce is None):
            raise fields.wrong("nonce", "there exactly if the evaluation is")
        standing = LockStanding.read(fields.any())
        return cls(evaluation, nonce, standing, fields.optional_blob("ticket", TICKET_BYTES))


@dataclass(frozen=True, slots=True)
class LockOpened(RelayBody):
    """Tells a server that a lock was opened: its uses come back."""

    FORM = Form("a success", 6, SMALL_RECOVERY_BODY, 7)
    NUMBER = 32

    name: LockName
    nonce: bytes
    signature: bytes

    @staticmethod
    def signed(server: int, name: LockName, nonce: bytes) -> bytes:
        """Return the bytes that the login key signs for one of the servers. [REC-8]"""
        return RECOVERY_SUCCESS + cbor.encode([server, *name.fields(), nonce])

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [*self.name.fields(), self.nonce, self.signature]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        name = LockName.read(fields)
        return cls(name, fields.blob("nonce", NONCE_BYTES), fields.blob("signature", SIGNATURE_BYTES))


@dataclass(frozen=True, slots=True)
class StandingShown(RelayBody):
    """What is left of a lock."""

    FORM = Form("an answer with a standing", 2, SMALL_RECOVERY_BODY, 6)

    standing: LockStanding

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.standing.fields()]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(LockStanding.read(fields.any()))


@dataclass(frozen=True, slots=True)
class ChangeSignature:
    """A recovery device's signature, and the half of its key that device lists hold as a hash."""

    ml_dsa: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def fields(self) -> list[cbor.Value]:
        """Return it as it stands at the end of a call."""
        return [self.ml_dsa, self.signature]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read the next two elements. Raises MalformedMessage."""
        return cls(fields.blob("ml-dsa key", ML_DSA_BYTES), fields.blob("signature", COMPOSITE_BYTES))


class Change(RelayBody):
    """A call that a recovery device signs. `change` has the elements before the key."""

    __slots__ = ()

    by: ChangeSignature

    def change(self) -> list[cbor.Value]:
        """Return the elements between the number of the call and the signer's key."""
        raise NotImplementedError

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [*self.change(), *self.by.fields()]

    def signed(self, server: int) -> bytes:
        """Return the bytes that a recovery device signs for one of the servers. [REC-10]"""
        return cbor.encode([server, self.NUMBER, *self.change()])


@dataclass(frozen=True, slots=True)
class BeginLock(Change):
    """Asks for a new key of the server's, and for its evaluation of a first input."""

    FORM = Form("the beginning of a lock", 7, SIGNED_RECOVERY_BODY, 8)
    NUMBER = 33

    name: LockName
    blinded: bytes
    by: ChangeSignature

    def change(self) -> list[cbor.Value]:
        """Return the elements between the number of the call and the signer's key."""
        return [*self.name.fields(), self.blinded]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        name = LockName.read(fields)
        return cls(name, fields.blob("blinded input", BLINDED_BYTES), ChangeSignature.read(fields))


@dataclass(frozen=True, slots=True)
class LockBegun(RelayBody):
    """The evaluation of the first input, the new public key, and the id of the newest lock that is held."""

    FORM = Form("an answer to the beginning of a lock", 4, SMALL_RECOVERY_BODY, 5)

    evaluation: bytes
    public: OprfPublicKey
    before: bytes

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.evaluation, self.public.data, self.before]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey."""
        evaluation = fields.blob("evaluation", EVALUATION_BYTES)
        public = OprfPublicKey(fields.blob("public key", OprfPublicKey.LENGTH))
        return cls(evaluation, public, fields.blob("lock before", LOCK_ID_BYTES))


@dataclass(frozen=True, slots=True)
class SettleLock(Change):
    """Brings a lock, which a server then holds beside the one before."""

    FORM = Form("a lock to hold", 7, SIGNED_RECOVERY_BODY, 8)
    NUMBER = 34

    lock: Lock
    login: Ed25519PublicKey
    by: ChangeSignature

    @property
    def name(self) -> LockName:
        """The name of the lock."""
        return self.lock.name

    def change(self) -> list[cbor.Value]:
        """Return the elements between the number of the call and the signer's key."""
        return [self.name.user_id, self.lock.encode(), self.login.data]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage, InvalidKey, UnsupportedVersion."""
        user_id = fields.blob("user id", HASH_BYTES)
        lock = Lock.decode(fields.blob_between("lock", 1, MAX_LOCK))
        if lock.name.user_id != user_id:
            raise fields.wrong("lock", "that of the user")
        login = Ed25519PublicKey(fields.blob("login key", Ed25519PublicKey.LENGTH))
        return cls(lock, login, ChangeSignature.read(fields))


@dataclass(frozen=True, slots=True)
class FinishLock(Change):
    """Says that both servers hold a lock: `before`, if it is not None, is deleted. [REC-17]"""

    FORM = Form("the end of a change", 7, SIGNED_RECOVERY_BODY, 8)
    NUMBER = 35

    name: LockName
    before: bytes | None
    by: ChangeSignature

    def change(self) -> list[cbor.Value]:
        """Return the elements between the number of the call and the signer's key."""
        return [*self.name.fields(), self.before]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        name = LockName.read(fields)
        return cls(name, fields.optional_blob("lock before", LOCK_ID_BYTES), ChangeSignature.read(fields))


AnyChange = BeginLock | SettleLock | FinishLock
"""The calls that a recovery device signs."""
