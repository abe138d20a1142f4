"""The errors of documents. Like all others, their class says who is wrong.

    UsageError
    `-- NoGrant             no grant on record opens this, or none any more
    PeerError
    |-- DocumentDamaged     the bytes are not what the author sealed
    `-- WrongGrantedKey     a granted key is not the one to which its subject commits
    TrustError
    |-- UnknownAuthor       device lists of an author are needed, or contradict what the author names
    `-- SignerRevoked       the device that signed was revoked since, and may have signed afterwards

Not here: the errors that these are kinds of, and all others (errors.py).
"""

from typing import ClassVar

from letterlock.errors import Cause, PeerError, TrustError, UsageError


class NoGrant(UsageError):
    """No grant on record opens this for this device.

    The text says what is known: nothing was granted, the grants have expired or were withdrawn, or the
    document was erased here. Take the grants that were sent, or ask a reader for one.
    """

    cause = Cause.NOT_ALLOWED


class DocumentDamaged(PeerError):
    """The sealed document was changed, cut or mixed with another one, or the key is not this version's.

    Nothing of what is damaged was given out by a `DocumentFile`. Fetch the file again, or ask its author.
    """

    cause = Cause.WRONG_BYTES


class WrongGrantedKey(PeerError):
    """The granter is wrong: the key in a grant is not the one to which its subject commits. Discard it."""

    TEXT: ClassVar[str] = "the granted key is not the one of the document or session: discard the grant"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class UnknownAuthor(TrustError):
    """No device list on record can tell whether the signature is its author's.

    `user_id` has 32 bytes, and `version` is the version of that user's device list which is needed. Give the
    lists to `User.learn` under the author's name, and try again. If `cause` is CONTRADICTION, that version is
    on record and is another one: the author and the directory do not show the same list. Ask the author over
    another channel.
    """

    cause = Cause.NOT_LISTED

    def __init__(self, user_id: bytes, version: int, *, contradicts: bool = False) -> None:
        problem = "contradicts the one on record" if contradicts else "is not on record"
        remedy = "ask the author" if contradicts else "learn the author's device lists"
        super().__init__(f"version {version} of the author's device list {problem}: {remedy}")
        self.user_id = user_id
        self.version = version
        self.cause = Cause.CONTRADICTION if contradicts else Cause.NOT_LISTED


class SignerRevoked(TrustError):
    """The device that signed was revoked since, and nothing shows whether it signed before that.

    Ask its user over another channel. What you know to be older than the revocation is taken with
    `revoked=True`.
    """

    cause = Cause.REVOKED

    TEXT: ClassVar[str] = (
        "the device that signed was revoked since: ask its user, or take what is older with revoked=True"
    )

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)
