"""Targets: recipients of a grant, each with what seals a key for it.

    str               a contact, or this user: the document key of the newest list on record         [DOC-40]
    LinkSecret        whoever has the link
    Password          whoever knows the password
    ProvisionalKeys   somebody without an account
    CollectionKey     whoever has the key of an epoch; a collection's own code makes it

Not here: the grants (_granting.py).
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeAlias

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.passphrase import SALT_BYTES
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.xwing import XWingPublicKey
from letterlock._records.pin import PinnedList
from letterlock._wire.grant_limits import MAX_GRANTS_AT_ONCE
from letterlock._wire.grant_recipient import CollectionRecipient, Recipient, UserRecipient
from letterlock.documents._granted_key import (
    GrantedKey,
    WrapSecret,
    seal_for_key,
    seal_in_halves,
    seal_under,
)
from letterlock.documents._secrets import (
    LinkSecret,
    Password,
    ProvisionalKeys,
    link_recipient,
    password_recipient,
    password_secret,
    provisional_keys,
    provisional_recipient,
)
from letterlock.errors import UsageError
from letterlock.limits import LISTS_AGE
from letterlock.user._desk import Desk
from letterlock.user._fanout import require_open
from letterlock.user._values import Need, NeedKind

Sealer: TypeAlias = Callable[[bytes, GrantedKey], bytes]
"""Takes the encoded terms of a grant and a key, and returns the sealed key."""


class CollectionKey(Uncopyable):
    """A collection as a reader: its id, 16 bytes, and an epoch. `Collections.reader` returns one."""

    __slots__ = ("_secret", "epoch", "id")

    id: bytes
    epoch: int
    _secret: WrapSecret

    def __init__(self, id: bytes, epoch: int, secret: WrapSecret) -> None:  # noqa: A002 (the word of a grant)
        """Not for applications, which call `Collections.reader`."""
        self.id = id
        self.epoch = epoch
        self._secret = secret

    def __repr__(self) -> str:
        return f"<CollectionKey {self.id[:4].hex()}, epoch {self.epoch}>"


Reader: TypeAlias = str | LinkSecret | Password | ProvisionalKeys | CollectionKey
"""Whom an application may name as a reader."""


class Target(Uncopyable):
    """A recipient and what seals a key for it, which may hold a secret."""

    __slots__ = ("recipient", "seal")

    def __init__(self, recipient: Recipient, seal: Sealer) -> None:
        self.recipient = recipient
        self.seal = seal


def targets(desk: Desk, readers: Iterable[Reader]) -> tuple[list[Target], list[Need]]:
    """Return a target for each reader, and device lists that the directory should confirm.

    Raises UsageError for a name that is no contact or for more than 1,000 readers, ContactFrozen, InvalidKey.
    """
    found: list[Target] = []
    needs: list[Need] = []
    for reader in readers:
        if len(found) >= MAX_GRANTS_AT_ONCE:
            raise UsageError(f"one call makes {MAX_GRANTS_AT_ONCE} grants at most: use a collection")
        found.append(_target(desk, reader, needs))
    return found, needs


def own_target(desk: Desk) -> Target:
    """Return this user as a target."""
    return _user(desk.book.own().pin)


def _target(desk: Desk, reader: Reader, needs: list[Need]) -> Target:
    entropy = desk.environment.entropy
    match reader:
        case str():
            return _named(desk, reader, needs)
        case LinkSecret():
            return Target(link_recipient(reader), _under(WrapSecret(reader.expose()), entropy))
        case Password():
            recipient = password_recipient(reader, entropy(SALT_BYTES))
            return Target(recipient, _under(password_secret(reader, recipient.parameters), entropy))
        case ProvisionalKeys():
            keys = provisional_keys(reader)
            named = provisional_recipient(reader.id, reader.first, reader.second)
            return Target(named, lambda terms, key: seal_in_halves(keys, terms, key, entropy))
        case CollectionKey():
            secret = reader._secret  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            return Target(CollectionRecipient(reader.id, reader.epoch), _under(secret, entropy))
        case _:
            raise UsageError("a reader is a name, a link, a password, provisional keys or a collection")


def _named(desk: Desk, name: str, needs: list[Need]) -> Target:
    if name == desk.name:
        return own_target(desk)
    contact = require_open(desk.book.require_contact(name))
    pin = contact.pin
    if max(pin.checked, contact.asked) + LISTS_AGE <= desk.now():
        # A device that was revoked since could read with the key of an older generation. DOC-40
        needs.append(Need(NeedKind.LISTS, name, after=pin.version))
    return _user(pin)


def _user(pin: PinnedList) -> Target:
    key = None if pin.snapshot is None else pin.snapshot.document_key
    if key is None:
        raise UsageError("the user has no document key on record: learn the newest device lists first")
    public = _public_key(key.public)
    recipient = UserRecipient(pin.user_id, key.generation, hashlib.sha256(key.public).digest())
    return Target(recipient, lambda terms, text: seal_for_key(public, terms, text))


@lru_cache(maxsize=256)
def _public_key(data: bytes) -> XWingPublicKey:
    # Cached because reading a key costs a good part of an encryption, and people share with the same others.
    return XWingPublicKey(data)


def _under(secret: WrapSecret, entropy: Entropy) -> Sealer:
    return lambda terms, key: seal_under(secret, terms, key, entropy)
