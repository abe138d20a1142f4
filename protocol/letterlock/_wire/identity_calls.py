"""The calls by which an identity is checked at one of the two servers of recovery.

    identify    [1, 36, kind, claim / null]                 ->  [1, challenge / null, not before]
    prove       [1, 37, challenge, proof]                   ->  [1, pass / null, user id / null, tries left]
    bind        [1, 40, user id, pass, device id, ML-DSA key, signature]                    ->  [1]

    kind        the name of a check of that server, such as `mail`
    claim       whom the check shall ask: a mail address; null where the proof names the identity
    proof       the code that was sent, a token, or a ticket
    pass        says to this server alone, for minutes, which identity was proven
    nonce       SHA-256("letterlock-v1 nonce of an identity" || challenge), for tokens and tickets   [REC-30]
    signature   Composite(the device, CBOR[server, 40, user id, SHA-256(pass)],
                "letterlock-v1 binding of an identity")                                              [REC-32]

Not here: what a server does with them (recovery/_gate.py).
"""

import hashlib
import re
from dataclasses import field
from typing import Final, Self

from letterlock._primitives.dataclass import dataclass
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.fields import Fields
from letterlock._wire.identity_limits import (
    MAX_CHALLENGE,
    MAX_CLAIM,
    MAX_KIND,
    MAX_PROOF,
    TRIES,
)
from letterlock._wire.recovery_calls import ChangeSignature
from letterlock._wire.recovery_limits import MAX_PASS, SIGNED_RECOVERY_BODY, SMALL_RECOVERY_BODY
from letterlock._wire.relay_body import Form, RelayBody
from letterlock.limits import MAX_COUNTER, MAX_ID

_KIND: Final = re.compile(rf"[a-z][a-z0-9-]{{0,{MAX_KIND - 1}}}")


def is_kind(text: str) -> bool:
    """Return whether a check may have this name: a letter, and then letters, digits and hyphens."""
    return _KIND.fullmatch(text) is not None


def read_kind(fields: Fields) -> str:
    """Return the next element, the name of a check. Raises MalformedMessage."""
    kind = fields.text("kind")
    if not is_kind(kind):
        raise fields.wrong("kind", f"a letter, and at most {MAX_KIND - 1} letters, digits and hyphens")
    return kind


@dataclass(frozen=True, slots=True)
class Identify(RelayBody):
    """Begins a check. `claim` is whom it shall ask: UTF-8, 1 to 320 bytes."""

    FORM = Form("a request to check an identity", 4, SMALL_RECOVERY_BODY, 5)
    NUMBER = 36

    kind: str
    claim: bytes | None = field(default=None, repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.kind, self.claim]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        kind = read_kind(fields)
        return cls(kind, fields.optional_blob_between("claim", 1, MAX_CLAIM))


@dataclass(frozen=True, slots=True)
class Challenged(RelayBody):
    """A challenge; or None, and from when to ask again, in seconds since 1970 (UTC). [REC-25]"""

    FORM = Form("a challenge", 3, SMALL_RECOVERY_BODY, 4)

    challenge: bytes | None = field(repr=False)
    not_before: int = 0

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.challenge, self.not_before]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        challenge = fields.optional_blob_between("challenge", 1, MAX_CHALLENGE)
        return cls(challenge, fields.uint("not before", MAX_COUNTER))


@dataclass(frozen=True, slots=True)
class Prove(RelayBody):
    """The proof for a challenge: 1 to 8,192 bytes."""

    FORM = Form("a proof of an identity", 4, MAX_PROOF + SMALL_RECOVERY_BODY, 5)
    NUMBER = 37

    challenge: bytes = field(repr=False)
    proof: bytes = field(repr=False)

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.challenge, self.proof]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        challenge = fields.blob_between("challenge", 1, MAX_CHALLENGE)
        return cls(challenge, fields.blob_between("proof", 1, MAX_PROOF))


@dataclass(frozen=True, slots=True)
class Proven(RelayBody):
    """A pass, and the user to whom this server has bound the identity; None if to nobody.

    Without a pass the proof was wrong, and `tries_left` says how often another one may be sent.
    """

    FORM = Form("an answer to a proof", 4, SMALL_RECOVERY_BODY, 5)

    pass_: bytes | None = field(repr=False)
    user_id: bytes | None = None
    tries_left: int = 0

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.pass_, self.user_id, self.tries_left]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        pass_ = fields.optional_blob_between("pass", 1, MAX_PASS)
        user_id = fields.optional_blob("user id", HASH_BYTES)
        if pass_ is None and user_id is not None:
            raise fields.wrong("user id", "there only if the pass is")
        return cls(pass_, user_id, fields.uint("tries left", TRIES))


@dataclass(frozen=True, slots=True)
class BindIdentity(RelayBody):
    """Binds the identity of a pass to a user, in place of the user's identity of that kind before."""

    FORM = Form("a binding of an identity", 7, SIGNED_RECOVERY_BODY, 8)
    NUMBER = 40

    user_id: bytes
    pass_: bytes = field(repr=False)
    device_id: int
    by: ChangeSignature

    def signed(self, server: int) -> bytes:
        """Return the bytes that the device signs for one of the servers. [REC-32]"""
        return cbor.encode([server, self.NUMBER, self.user_id, hashlib.sha256(self.pass_).digest()])

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.user_id, self.pass_, self.device_id, *self.by.fields()]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(
            fields.blob("user id", HASH_BYTES),
            fields.blob_between("pass", 1, MAX_PASS),
            fields.uint_between("device id", 1, MAX_ID),
            ChangeSignature.read(fields),
        )
