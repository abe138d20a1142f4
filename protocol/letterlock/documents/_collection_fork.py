"""A fork of a collection's log, as evidence that anybody can check with device lists alone. [DOC-80]

Both histories are verified whole: rules and signatures. That a server showed an entry as a part of the log is
the word of whoever kept it, because an entry that lost a race is signed too. An entry that goes on from it
shows that its author was shown it.

Not here: what a collection does about it (_log_taking.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from letterlock._records.collection import LogState
from letterlock._wire.collection_fork import ForkEntries
from letterlock._wire.log_entry import LogEntry
from letterlock.documents._collection_errors import InvalidEntry
from letterlock.documents._log import read_log
from letterlock.documents._signing import KnownLists, ListsGiven
from letterlock.user import ListChain


@dataclass(frozen=True, slots=True)
class CollectionFork:
    """Two histories of one log. `number` is the first entry in which they differ.

    `ours` and `theirs` are the user ids of the authors of the entries from there on, in their order.
    """

    collection: bytes
    number: int
    ours: tuple[bytes, ...]
    theirs: tuple[bytes, ...]

    @classmethod
    def check(cls, evidence: bytes, chains: Iterable[ListChain]) -> "CollectionFork":
        """Return what evidence shows, after checking every rule and signature in it. [DOC-80]

        `chains` are the device lists of the authors. Raises UnknownAuthor if one is missing,
        MalformedMessage, UnsupportedVersion, InvalidSignature, and InvalidEntry if an entry breaks a rule or
        the two histories do not contradict each other.
        """
        found, lists = ForkEntries.decode(evidence), ListsGiven(chains)
        if not found.ours or not found.theirs:
            raise InvalidEntry("evidence holds one history only: it shows nothing")
        if found.ours[0].hash == found.theirs[0].hash:
            raise InvalidEntry("evidence does not say where the histories part: it has another encoding")
        if found.ours[0].log_id != found.theirs[0].log_id:
            raise InvalidEntry("evidence is of two collections: it shows nothing")
        shared = _state(lists, None, found.shared)
        for each in (found.ours, found.theirs):
            _state(lists, shared, each)
        number = found.ours[0].terms.number
        authors = (tuple(each.author for each in part) for part in (found.ours, found.theirs))
        return cls(found.ours[0].log_id, number, *authors)


def _state(lists: KnownLists, state: LogState | None, entries: Sequence[LogEntry]) -> LogState | None:
    """Return the state after entries, all of which must hold, also those of devices revoked since."""
    steps = read_log(lists, state, entries, vouch=False)
    if steps.missing is not None:
        raise steps.missing
    return steps.taken[-1].after if steps.taken else state
