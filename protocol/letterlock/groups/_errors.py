"""The errors of groups. Like all others, their class says who is wrong.

    UsageError
    |-- GroupEpochDue       a group needs a new epoch before anything is sealed for it
    |-- GroupKeyMissing     the secret of an epoch, or a sender's chain, has not arrived
    `-- GroupEntryMissing   a text names an entry of the log that is not on record
    PeerError
    |-- InvalidGroupText    a text that nobody should have sealed
    `-- InvalidGroupHistory a history that its giver should not have given
    TrustError
    `-- GroupForked         the log of a group was shown in two versions

Entries that break a rule of the log raise InvalidEntry, as those of collections do.

Not here: the errors that these are kinds of, and all others (errors.py).
"""

from typing import ClassVar

from letterlock.errors import Cause, PeerError, TrustError, UsageError


class GroupEpochDue(UsageError):
    """A group needs a new epoch first: somebody left, and knows the secret of this one.

    So it does before somebody is added in an epoch that began when somebody went.

    A member calls `Groups.renew`; `Groups.upkeep` does so too. Then try again.
    """

    TEXT: ClassVar[str] = "this group needs a new epoch first: renew it, or ask one of its members to"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class GroupKeyMissing(UsageError):
    """The secret of an epoch has not arrived, or the chain of a text's sender.

    Receive the messages that wait, call `Groups.process`, and try again. What does not come is asked for.
    """

    TEXT: ClassVar[str] = "a secret or chain of this group has not arrived: receive messages, then process"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


class GroupEntryMissing(UsageError):
    """A text names an entry that is not on record: give the log up to `number` to `Groups.take`."""

    def __init__(self, number: int) -> None:
        super().__init__(f"entry {number} of the group's log is not on record: take the log first")
        self.number = number


class InvalidGroupText(PeerError):
    """The sender or the server is wrong: a text that nobody should have sealed. Discard it.

    Its user may not write in the group after the entry that it names, it is of another epoch than that entry,
    of one that was deleted, or of a seed that was replaced.
    """


class InvalidGroupHistory(PeerError):
    """Whoever gave a history is wrong: discard it, with what was read of it.

    It is of another group or another log, another user sealed it, or it names an author who could not write
    before this user came.
    """


class GroupForked(TrustError):
    """The log of this group was shown in two versions. Nothing is sealed or opened until you decide.

    `Groups.evidence` has both. Ask the admins over another channel, then call `Groups.keep`, or
    `Groups.forget` and take the other log.
    """

    cause = Cause.CONTRADICTION

    TEXT: ClassVar[str] = "the log of this group was shown in two versions: decide with keep or forget"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)
