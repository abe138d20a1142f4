"""Which role each member had after each entry of a log, so that a text that names an old entry costs little.

A relay may show any number of texts that name old entries, and nobody has signed them. So the log is read
once, and then only what it grew by.

Not here: who may do what with a role.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from letterlock._wire.collection_member import Member, MemberName, Role, RoleChange
from letterlock._wire.log_entry import Action, LogEntry


class RoleHistory:
    """The roles after the entries of one log up to `number`, whose hash is `head`."""

    __slots__ = ("_changes", "head", "number")

    def __init__(self) -> None:
        self.number = 0
        self.head: bytes | None = None
        self._changes: dict[bytes, list[tuple[int, Role | None]]] = {}

    def extend(self, entries: Iterable[LogEntry]) -> bool:
        """Read the entries after `number`. Return whether they follow: otherwise begin anew."""
        for entry in entries:
            if entry.terms.before != self.head:
                return False
            self.number, self.head = entry.terms.number, entry.hash
            for user_id, role in _changed(entry):
                self._changes.setdefault(user_id, []).append((self.number, role))
        return True

    def role_after(self, number: int, user_id: bytes) -> Role | None:
        """Return the role of a user after an entry that was read, or None."""
        changes = self._changes.get(user_id, [])
        at = bisect_right(changes, number, key=lambda each: each[0])
        return changes[at - 1][1] if at else None


def _changed(entry: LogEntry) -> Iterator[tuple[bytes, Role | None]]:
    if entry.terms.action is Action.LEAVE:
        yield entry.author, None
    for each in entry.terms.changes:
        if isinstance(each, Member | RoleChange):
            yield each.name.id, each.role
        elif isinstance(each, MemberName):
            yield each.id, None
