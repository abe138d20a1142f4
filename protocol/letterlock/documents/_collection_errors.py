"""The errors of collections. Like all others, their class says who is wrong.

    UsageError
    |-- EpochDue            a collection needs a new epoch before anything is sealed for it
    `-- NoEpochKey          the keys of an epoch have not arrived
    PeerError
    |-- InvalidEntry        an entry of a log that breaks a rule, or does not follow
    `-- WrongEpochKey       keys that are not those of the epoch in the log
    TrustError
    `-- CollectionForked    a log was shown in two versions

Not here: the errors that these are kinds of, and all others (errors.py).
"""

from typing import ClassVar

from letterlock.errors import Cause, PeerError, TrustError, UsageError


class EpochDue(UsageError):
    """A collection needs a new epoch first: somebody who is no member any more knows the key of this one.

    A writer or admin calls `Collections.renew`; `Collections.upkeep` does so too. Then try again.
    """

    TEXT: ClassVar[str] = "this collection needs a new epoch first: renew it, or ask one of its writers to"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class NoEpochKey(UsageError):
    """The keys of an epoch have not arrived, or this user is not to have them.

    Take the grants of the collection, and ask an admin for them if there are none.
    """

    TEXT: ClassVar[str] = "no grant on record has the keys of this epoch: take grants, or ask an admin"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class InvalidEntry(PeerError):
    """The author or the server is wrong: an entry of a log breaks a rule, or does not follow the one before.

    Discard it, and keep the log on record. If it follows another entry than ours, ask for the log from its
    first entry on: then it is seen whether the log was shown in two versions. Signatures are checked last,
    and raise InvalidSignature.
    """


class WrongEpochKey(PeerError):
    """The granter or the author is wrong: keys are not those to which the log commits. Discard the grant."""

    TEXT: ClassVar[str] = "these keys are not the ones in the log of the collection: discard the grant"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class CollectionForked(TrustError):
    """The log of this collection was shown in two versions. Nothing is sealed for it until you decide.

    `Collections.evidence` has both. Ask the admins over another channel, then call `Collections.keep`, or
    `Collections.forget` and take the other log.
    """

    cause = Cause.CONTRADICTION

    TEXT: ClassVar[str] = "the log of this collection was shown in two versions: decide with keep or forget"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)
