"""The rows of a client's groups: entries of the store.

    GROUP_PLACE    group id                 due: 0
    GROUP_POST     content id, 16 bytes     due: when it may be tried
    GROUP_TEXT     group id || number       due: order
    GROUP_SENT     content id, 16 bytes     due: order, and deleted after 30 days
    GROUP_NAMED    group id                 due: 0

Not here: their records (_group_rows.py); messages (_table.py).
"""

from typing import Final

from letterlock.client import _group_rows as rows
from letterlock.client._group_rows import GroupPlace, GroupPost, HeldText, NamedRecord, SentText
from letterlock.client._table import Table
from letterlock.stores import EntryKind, Store

MAX_GROUPS: Final = 1000
"""Groups whose logs and texts one client asks for."""

_NUMBER_BYTES: Final = 4


class GroupTables:
    """All rows about the groups of one client."""

    __slots__ = ("_places", "held", "named", "posts", "sent")

    def __init__(self, store: Store) -> None:
        self._places: Table[GroupPlace] = Table(
            store, EntryKind.GROUP_PLACE, rows.encode_place, rows.decode_place
        )
        self.posts: Table[GroupPost] = Table(
            store, EntryKind.GROUP_POST, rows.encode_group_post, rows.decode_group_post
        )
        self.held: Table[HeldText] = Table(
            store, EntryKind.GROUP_TEXT, rows.encode_held_text, rows.decode_held_text
        )
        self.sent: Table[SentText] = Table(
            store, EntryKind.GROUP_SENT, rows.encode_sent_text, rows.decode_sent_text
        )
        self.named: Table[NamedRecord] = Table(
            store, EntryKind.GROUP_NAMED, rows.encode_named, rows.decode_named
        )

    def groups(self) -> list[bytes]:
        """Return the ids of the groups that are read."""
        return [key for key, _ in self._places.due()]

    def read(self, group: bytes) -> None:
        """Have a group read from now on, unless there are too many."""
        if not self._places.has(group) and self._places.count() < MAX_GROUPS:
            self._places.save(group, GroupPlace(), 0)

    def forget(self, group: bytes) -> None:
        """Have a group no longer read, and delete what is held of it."""
        self._places.delete(group)
        self.named.delete(group)
        for key, held in self.held.due():
            if held.group == group:
                self.held.delete(key)

    def place(self, group: bytes) -> int:
        """Return the number of the last text that was read, 0 if there is none."""
        place = self._places.load(group)
        return 0 if place is None else place.number

    def begin_again(self) -> None:
        """Have all groups read from their first text: the relay counts anew, because it lost its database."""
        for group in self.groups():
            self.save_place(group, 0)

    def save_place(self, group: bytes, number: int) -> None:
        """Note the number of the last text that was read."""
        self._places.save(group, GroupPlace(number), 0)


def held_key(group: bytes, number: int) -> bytes:
    """Return the key of a text that is held."""
    return group + number.to_bytes(_NUMBER_BYTES, "big")
