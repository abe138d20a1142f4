"""Secrets that stand for a reader: a link's, a password's, and the two keys of a provisional recipient.

    link id          first 16 bytes of HMAC-SHA-256(secret, label)                                   [DOC-37]
    link fragment    base64url of the secret, 43 characters, for the part of an address after "#"
    password         Argon2id, 3 to 8 passes over 64 to 256 MiB                                      [DOC-38]
    provisional      one key pair at each of two servers                                             [DOC-39]

Browsers send no fragment to a server.

Not here: how keys are sealed under these (_granted_key.py); the two servers.
"""

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final

from letterlock._primitives import passphrase
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.kdf import hmac_sha256
from letterlock._primitives.labels import LINK_ID
from letterlock._primitives.passphrase import PassphraseParameters
from letterlock._primitives.secret import KEY_BYTES, Secret, Uncopyable
from letterlock._primitives.xwing import XWingKeyPair, XWingPublicKey, XWingSeed
from letterlock._wire.grant_limits import (
    GRANT_MAX_MEMLIMIT,
    GRANT_MAX_OPSLIMIT,
    GRANT_MIN_MEMLIMIT,
    GRANT_MIN_OPSLIMIT,
)
from letterlock._wire.grant_recipient import (
    LINK_ID_BYTES,
    LinkRecipient,
    PasswordRecipient,
    ProvisionalRecipient,
)
from letterlock.documents._granted_key import WrapSecret
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import MAX_PASSPHRASE

_FRAGMENT: Final = 43


class LinkSecret(Secret):
    """The secret of a link, 32 bytes. Whoever has it reads what was granted to it."""

    __slots__ = ()

    @classmethod
    def generate(cls) -> "LinkSecret":
        """Return a new secret."""
        return cls(system_entropy(KEY_BYTES))

    @classmethod
    def from_fragment(cls, text: str) -> "LinkSecret":
        """Read what `fragment` gives. Raises MalformedMessage."""
        found = _decoded(text)
        if found is None or len(found) != KEY_BYTES or urlsafe_b64encode(found)[:-1] != text.encode():
            raise MalformedMessage("not the fragment of a link: copy the whole link")
        return cls(found)

    def fragment(self) -> str:
        """Return the secret as 43 characters, for the part of an address after `#`."""
        return urlsafe_b64encode(self.expose())[:_FRAGMENT].decode()

    @property
    def id(self) -> bytes:
        """The 16 bytes that name the link in grants. They tell nothing of the secret."""
        return hmac_sha256(self.expose(), LINK_ID)[:LINK_ID_BYTES]


class PasswordText(Secret):
    """The characters of a password."""

    __slots__ = ()
    LENGTH = None


class Password(Uncopyable):
    """A password that several people may know, and what deriving a key from it costs.

    `opslimit` is 3 to 8 passes, `memlimit` 64 to 256 MiB in bytes. A reader needs the password alone. Raises
    UsageError for others, and for an empty password.
    """

    __slots__ = ("memlimit", "opslimit", "text")

    def __init__(
        self, text: str, *, opslimit: int = GRANT_MIN_OPSLIMIT, memlimit: int = GRANT_MIN_MEMLIMIT
    ) -> None:
        if type(text) is not str or not 0 < len(text) <= MAX_PASSPHRASE:
            raise UsageError(f"a password is a text of 1 to {MAX_PASSPHRASE} characters")
        if type(opslimit) is not int or not GRANT_MIN_OPSLIMIT <= opslimit <= GRANT_MAX_OPSLIMIT:
            raise UsageError(f"a password takes {GRANT_MIN_OPSLIMIT} to {GRANT_MAX_OPSLIMIT} passes")
        if type(memlimit) is not int or not GRANT_MIN_MEMLIMIT <= memlimit <= GRANT_MAX_MEMLIMIT:
            raise UsageError(f"a password takes {GRANT_MIN_MEMLIMIT} to {GRANT_MAX_MEMLIMIT} bytes of memory")
        self.text = PasswordText(text.encode("utf-8", "surrogatepass"))
        self.opslimit = opslimit
        self.memlimit = memlimit

    def __repr__(self) -> str:
        return "<Password: hidden>"


@dataclass(frozen=True, slots=True)
class ProvisionalKeys:
    """The public keys of somebody without an account: one from each of two servers, 1,216 bytes each.

    `id`, 32 bytes, is by which the servers know the person: a hash of an address that both check.
    """

    id: bytes
    first: bytes = field(repr=False)
    second: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if type(self.id) is not bytes or len(self.id) != KEY_BYTES:
            raise UsageError(f"the id of a provisional recipient is {KEY_BYTES} bytes")


class ProvisionalSeeds(Uncopyable):
    """What two servers hand to whoever showed both of them to be the person.

    `id`, 32 bytes, is by which they know the person, and each seed has 32 bytes, in the order of the keys.
    Raises UsageError for others.
    """

    __slots__ = ("id", "pairs")

    def __init__(self, id: bytes, first: bytes, second: bytes) -> None:  # noqa: A002 (the word of the keys)
        if any(type(each) is not bytes or len(each) != KEY_BYTES for each in (id, first, second)):
            raise UsageError(f"the id and the seeds of a provisional recipient are {KEY_BYTES} bytes each")
        self.id = id
        self.pairs = XWingKeyPair(XWingSeed(first)), XWingKeyPair(XWingSeed(second))

    def __repr__(self) -> str:
        return "<ProvisionalSeeds: hidden>"


# --- used by grants ---------------------------------------------------------------------------------------


def link_recipient(link: LinkSecret) -> LinkRecipient:
    """Return the recipient that a grant for a link names."""
    return LinkRecipient(link.id)


def password_recipient(password: Password, salt: bytes) -> PasswordRecipient:
    """Return the recipient that a grant for a password names. `salt` is 16 random bytes."""
    return PasswordRecipient(PassphraseParameters(salt, password.opslimit, password.memlimit))


def password_secret(password: Password, parameters: PassphraseParameters) -> WrapSecret:
    """Return what Argon2id makes of a password. Raises StoreError if memory is short."""
    text = password.text.expose().decode("utf-8", "surrogatepass")
    return WrapSecret(passphrase.derive(text, parameters).expose())


def provisional_keys(keys: ProvisionalKeys) -> tuple[XWingPublicKey, XWingPublicKey]:
    """Return both keys. Raises InvalidKey, and UsageError if they are the same one."""
    if keys.first == keys.second:
        raise UsageError("both keys of a provisional recipient are the same: ask both servers")
    return XWingPublicKey(keys.first), XWingPublicKey(keys.second)


def provisional_recipient(id_: bytes, first: bytes, second: bytes) -> ProvisionalRecipient:
    """Return the recipient with these two public keys."""
    return ProvisionalRecipient(id_, hashlib.sha256(first + second).digest())


def _decoded(text: str) -> bytes | None:
    if type(text) is not str or len(text) != _FRAGMENT or not text.isascii():
        return None
    try:
        return urlsafe_b64decode(text + "=")
    except (binascii.Error, ValueError):
        return None
