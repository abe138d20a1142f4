"""For whom a grant is: a kind, and a byte string that each kind reads in its own way.

    recipient     [kind, data]                   data is a byte string that holds an array
    1 user        [user id, generation, SHA-256(document key)]
    2 collection  [id, epoch]
    3 link        [id]
    4 password    [salt, passes, memory in bytes]
    5 provisional [id, SHA-256(both keys)]

A kind that this release does not know is kept as it came, so that a later release can use it.       [DOC-34]

Not here: how the key is sealed for each of them (documents/_granted_key.py).
"""

from collections.abc import Callable
from dataclasses import field
from enum import IntEnum
from typing import Final, TypeAlias

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.passphrase import SALT_BYTES, PassphraseParameters
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.grant_limits import (
    GRANT_MAX_MEMLIMIT,
    GRANT_MAX_OPSLIMIT,
    GRANT_MIN_MEMLIMIT,
    GRANT_MIN_OPSLIMIT,
    MAX_RECIPIENT,
    SUBJECT_ID_BYTES,
)
from letterlock._wire.grant_subject import MAX_KIND
from letterlock.limits import MAX_COUNTER

LINK_ID_BYTES: Final = 16


class RecipientKind(IntEnum):
    """For whom a grant is."""

    USER = 1
    COLLECTION = 2
    LINK = 3
    PASSWORD = 4
    PROVISIONAL = 5


@dataclass(frozen=True, slots=True)
class UserRecipient:
    """All devices of a user that may read documents. `user_id` and `key_hash` have 32 bytes."""

    user_id: bytes
    generation: int
    key_hash: bytes = field(repr=False)

    def data(self) -> cbor.Value:
        """Return the array inside the recipient's data."""
        return [self.user_id, self.generation, self.key_hash]


@dataclass(frozen=True, slots=True)
class CollectionRecipient:
    """Whoever has the key of an epoch of a collection. `id` has 16 bytes."""

    id: bytes
    epoch: int

    def data(self) -> cbor.Value:
        """Return the array inside the recipient's data."""
        return [self.id, self.epoch]


@dataclass(frozen=True, slots=True)
class LinkRecipient:
    """Whoever has a secret of 32 bytes. `id`, 16 bytes, follows from the secret."""

    id: bytes

    def data(self) -> cbor.Value:
        """Return the array inside the recipient's data."""
        return [self.id]


@dataclass(frozen=True, slots=True)
class PasswordRecipient:
    """Whoever knows a password. Decoding bounds what `parameters` can cost. [DOC-38]"""

    parameters: PassphraseParameters

    def data(self) -> cbor.Value:
        """Return the array inside the recipient's data."""
        return [self.parameters.salt, self.parameters.opslimit, self.parameters.memlimit]


@dataclass(frozen=True, slots=True)
class ProvisionalRecipient:
    """Somebody without an account, whose two private keys are at two servers. Both fields have 32 bytes."""

    id: bytes
    key_hash: bytes = field(repr=False)

    def data(self) -> cbor.Value:
        """Return the array inside the recipient's data."""
        return [self.id, self.key_hash]


@dataclass(frozen=True, slots=True)
class UnknownRecipient:
    """A recipient of a kind that this release does not know, with its data as they came."""

    kind: int
    raw: bytes = field(repr=False)


Recipient: TypeAlias = (
    UserRecipient
    | CollectionRecipient
    | LinkRecipient
    | PasswordRecipient
    | ProvisionalRecipient
    | UnknownRecipient
)

KINDS: Final[dict[type, RecipientKind]] = {
    UserRecipient: RecipientKind.USER,
    CollectionRecipient: RecipientKind.COLLECTION,
    LinkRecipient: RecipientKind.LINK,
    PasswordRecipient: RecipientKind.PASSWORD,
    ProvisionalRecipient: RecipientKind.PROVISIONAL,
}


def recipient_fields(recipient: Recipient) -> cbor.Value:
    """Return a recipient as it stands inside an encoding."""
    if isinstance(recipient, UnknownRecipient):
        return [recipient.kind, recipient.raw]
    return [int(KINDS[type(recipient)]), cbor.encode(recipient.data())]


def read_recipient(value: object) -> Recipient:
    """Read what `recipient_fields` gives. Raises MalformedMessage."""
    fields = Fields(value, 2, "a recipient")
    kind = fields.uint_between("kind", 1, MAX_KIND)
    data = fields.blob_between("data", 1, MAX_RECIPIENT)
    read = _READS.get(kind)
    return UnknownRecipient(kind, data) if read is None else read(cbor.decode(data))


def _user(value: object) -> Recipient:
    fields = Fields(value, 3, "a user that is a recipient")
    user_id = fields.blob("user id", HASH_BYTES)
    generation = fields.uint_between("generation", 1, MAX_COUNTER)
    return UserRecipient(user_id, generation, fields.blob("hash of the document key", HASH_BYTES))


def _collection(value: object) -> Recipient:
    fields = Fields(value, 2, "a collection that is a recipient")
    id_ = fields.blob("id", SUBJECT_ID_BYTES)
    return CollectionRecipient(id_, fields.uint_between("epoch", 1, MAX_COUNTER))


def _link(value: object) -> Recipient:
    return LinkRecipient(Fields(value, 1, "a link").blob("id", LINK_ID_BYTES))


def _password(value: object) -> Recipient:
    fields = Fields(value, 3, "a password's parameters")
    salt = fields.blob("salt", SALT_BYTES)
    # A stranger's numbers decide how long we compute and how much memory that takes. DOC-38
    passes = fields.uint_between("passes", GRANT_MIN_OPSLIMIT, GRANT_MAX_OPSLIMIT)
    memory = fields.uint_between("memory", GRANT_MIN_MEMLIMIT, GRANT_MAX_MEMLIMIT)
    return PasswordRecipient(PassphraseParameters(salt, passes, memory))


def _provisional(value: object) -> Recipient:
    fields = Fields(value, 2, "a provisional recipient")
    return ProvisionalRecipient(fields.blob("id", HASH_BYTES), fields.blob("hash of the keys", HASH_BYTES))


_READS: Final[dict[int, Callable[[object], Recipient]]] = {
    RecipientKind.USER: _user,
    RecipientKind.COLLECTION: _collection,
    RecipientKind.LINK: _link,
    RecipientKind.PASSWORD: _password,
    RecipientKind.PROVISIONAL: _provisional,
}
