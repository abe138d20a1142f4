"""The content of a document with which a member gives a newcomer what was written to a group before.

    content   = item || item || ...              the head, then a text for each item
    item      = length in 4 bytes || bytes
    head      = [label, group id, entry, entry hash]
    text      = [user id, time, text]

`label` is the text `letterlock-v1 history of a group`. `entry` is the newest one of the group's log that the
giver has. The document is signed by the giver, and by nobody else: what a text says is the giver's word.
[GRP-52]

Not here: who may give or have written what (groups/_telling.py); documents (documents/).
"""

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Final, TypeAlias

from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import GROUP_HISTORY
from letterlock._wire import cbor
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock._wire.envelope import check_items
from letterlock._wire.fields import Fields
from letterlock._wire.group_limits import GROUP_ID_BYTES, MAX_HISTORY_BYTES, MAX_HISTORY_TEXTS
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_COUNTER, MAX_PLAINTEXT

Pieces: TypeAlias = Callable[[int], bytes]
"""Returns the next bytes of a content: as many as asked for, or fewer at its end."""

LENGTH_BYTES: Final = 4
MAX_ITEM: Final = MAX_PLAINTEXT + 64
"""Bytes of an item: the longest text, and what stands beside it."""
_LABEL: Final = GROUP_HISTORY.decode()
_HEAD: Final = "the head of a group's history"
_TEXT: Final = "a text in a group's history"
_HEAD_ITEMS: Final = 5
_TEXT_ITEMS: Final = 4


@dataclass(frozen=True, slots=True)
class HistoryHead:
    """Of which group a history is, and which log its giver has: the hash of an entry, 32 bytes."""

    group_id: bytes
    entry: int
    entry_hash: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return the bytes of the first item."""
        return cbor.encode([_LABEL, self.group_id, self.entry, self.entry_hash])

    @classmethod
    def decode(cls, data: bytes) -> "HistoryHead":
        """Read what `encode` gives. Raises MalformedMessage."""
        check_items(data, _HEAD_ITEMS, _HEAD)
        fields = Fields(cbor.decode(data), 4, _HEAD)
        if fields.text("label") != _LABEL:
            raise fields.wrong("label", "that of a history")
        group_id, entry = (
            fields.blob("group id", GROUP_ID_BYTES),
            fields.uint_between("entry", 1, MAX_COUNTER),
        )
        return cls(group_id, entry, fields.blob("entry hash", HASH_BYTES))


@dataclass(frozen=True, slots=True)
class ToldText:
    """A text as the giver tells it: by which user (32 bytes), and when, in seconds since 1970."""

    user_id: bytes = field(repr=False)
    time: int
    text: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return the bytes of an item."""
        return cbor.encode([self.user_id, self.time, self.text])

    @classmethod
    def decode(cls, data: bytes) -> "ToldText":
        """Read what `encode` gives. Raises MalformedMessage."""
        check_items(data, _TEXT_ITEMS, _TEXT)
        fields = Fields(cbor.decode(data), 3, _TEXT)
        user_id, time = fields.blob("user id", HASH_BYTES), fields.uint("time", MAX_COUNTER)
        return cls(user_id, time, fields.blob_between("text", 0, MAX_PLAINTEXT))


def framed(item: bytes) -> bytes:
    """Return an item with its length before it."""
    return len(item).to_bytes(LENGTH_BYTES, "big") + item


def read_history(pieces: Pieces) -> tuple[HistoryHead, Iterator[ToldText]]:
    """Return the head of a history, and its texts, of which one at a time is in memory.

    Raises MalformedMessage, also while it is iterated, and what `pieces` raises.
    """
    items = _items(pieces)
    first = next(items, None)
    if first is None:
        raise MalformedMessage("a history of a group is empty: discard it")
    return HistoryHead.decode(first), map(ToldText.decode, items)


def _items(pieces: Pieces) -> Iterator[bytes]:
    """Yield items, each of which has its whole length. [GRP-54]"""
    count, size = 0, 0
    while before := pieces(LENGTH_BYTES):
        length = int.from_bytes(before, "big")
        if len(before) != LENGTH_BYTES or not 1 <= length <= MAX_ITEM:
            raise MalformedMessage("an item of a group's history has no length that one may have: discard it")
        count, size = count + 1, size + LENGTH_BYTES + length
        if count > MAX_HISTORY_TEXTS + 1 or size > MAX_HISTORY_BYTES:
            raise MalformedMessage("a group's history is longer than any may be: discard the rest")
        item = pieces(length)
        if len(item) != length:
            raise MalformedMessage("a group's history ends within an item: discard it")
        yield item
