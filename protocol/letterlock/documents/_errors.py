"""The errors of documents. Like all others, their class says who is wrong.

    PeerError
    `-- DocumentDamaged     the bytes are not what the author sealed
    TrustError
    `-- UnknownAuthor       device lists of an author are needed, or contradict what the author names

Not here: the errors that these are kinds of, and all others (errors.py).
"""

from letterlock.errors import Cause, PeerError, TrustError


class DocumentDamaged(PeerError):
    """The sealed document was changed, cut or mixed with another one, or the key is not this version's.

    Nothing of what is damaged was given out by a `DocumentFile`. Fetch the file again, or ask its author.
    """

    cause = Cause.WRONG_BYTES


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
