"""Entries of a log that came from elsewhere: verified one after another, and taken as far as they hold.

    rules        follow(state, entry), without a signature check                      [DOC-61] to [DOC-70]
    signature    of a device that a device list of the author lists                             [DOC-71]
    vouching     an entry whose device was revoked since is taken only with a later entry. A device that is
                 still listed signed that one, of a user who could write before the first one   [DOC-72]

A thief of a revoked device can name the list that listed it. So its word alone is not enough for somebody who
knows of the revocation: an honest writer who took the entry in time vouches for it by going on from it.

Not here: where a log is kept (_collection_book.py); forks (_collection_fork.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from letterlock._records.collection import LogState
from letterlock._wire.collection_member import Role
from letterlock._wire.log_entry import LogEntry
from letterlock.documents._errors import UnknownAuthor
from letterlock.documents._leaves import verify_leaf
from letterlock.documents._log_rules import follow
from letterlock.documents._signing import KnownLists, Standing
from letterlock.user import ContactFrozen


@dataclass(frozen=True, slots=True)
class Step:
    """A verified entry, the state before it (None for entry 1), and the state after it."""

    entry: LogEntry
    before: LogState | None
    after: LogState
    standing: Standing

    def writer_before(self, user_id: bytes) -> bool:
        """Return whether a user could write when the entry was made."""
        judged = self.after if self.before is None else self.before
        return judged.has_role(user_id, Role.WRITER)


@dataclass(frozen=True, slots=True)
class Steps:
    """Entries as far as they can be taken, and what keeps the next one back.

    `missing` says which device lists are needed to go on. `unvouched` is the number of an entry that waits
    for somebody to vouch for it, or None.
    """

    taken: tuple[Step, ...]
    missing: UnknownAuthor | None = None
    unvouched: int | None = None


def read_log(
    lists: KnownLists, state: LogState | None, entries: Iterable[LogEntry], *, vouch: bool = True
) -> Steps:
    """Verify the entries after a state. Raises InvalidEntry, InvalidSignature, InvalidKey.

    Without `vouch`, entries of devices that were revoked since are taken as they are.
    """
    steps: list[Step] = []
    missing: UnknownAuthor | None = None
    for entry in entries:
        after = follow(state, entry)
        try:
            standing = verify_leaf(lists, entry.leaf, entry.place, entry.signed_by)  # DOC-71
        except UnknownAuthor as error:
            missing = error
            break
        except ContactFrozen:  # the application decides about the contact first
            missing = UnknownAuthor(entry.author, entry.signed_by.signer.list_version, contradicts=True)
            break
        steps.append(Step(entry, state, after, standing))
        state = after
    count = vouched(steps) if vouch else len(steps)
    return Steps(
        tuple(steps[:count]), missing, steps[count].entry.terms.number if count < len(steps) else None
    )


def vouched(steps: Sequence[Step]) -> int:
    """Return how many entries from the first are signed by a listed device, or vouched for. [DOC-72]"""
    listed_later: set[bytes] = set()
    count = len(steps)
    for at in reversed(range(len(steps))):
        step = steps[at]
        if step.standing is Standing.LISTED:
            listed_later.add(step.entry.author)
        elif not any(map(step.writer_before, listed_later)):
            count = at
    return count
