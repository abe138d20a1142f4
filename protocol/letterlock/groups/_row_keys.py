"""The keys of a group's rows: group id, epoch, sender and number, one after the other.

    place_key     id || number                       an epoch, or an entry of the log
    text_key      id || epoch || sender || number    a text
    chain_key     the same                           the chain of a text, by the first number of its seed

Numbers have 4 bytes, and a sender is a user id and a device id.

Not here: what the rows hold (_book.py, _delivery_book.py).
"""

from typing import Final

from letterlock._wire.group_limits import GROUP_ID_BYTES, MAX_CHAIN_TEXTS
from letterlock._wire.group_text import SenderName

PLACE_BYTES: Final = GROUP_ID_BYTES + 4
"""Bytes with which the key of everything begins that belongs to an epoch."""
NUMBER_BYTES: Final = 4


def place_key(group: bytes, number: int) -> bytes:
    """Return the key of an epoch, or of an entry of the log."""
    return group + number.to_bytes(NUMBER_BYTES, "big")


def read_place(key: bytes) -> tuple[bytes, int]:
    """Return the group and the epoch with which a key begins."""
    return key[:GROUP_ID_BYTES], int.from_bytes(key[GROUP_ID_BYTES:PLACE_BYTES], "big")


def sender_bytes(sender: SenderName) -> bytes:
    """Return a sender as it stands in a key."""
    return sender.user_id + sender.device.to_bytes(NUMBER_BYTES, "big")


def read_sender(key: bytes) -> SenderName:
    """Return the sender with which a key ends."""
    return SenderName(key[PLACE_BYTES:-NUMBER_BYTES], int.from_bytes(key[-NUMBER_BYTES:], "big"))


def text_key(group: bytes, epoch: int, sender: SenderName, number: int) -> bytes:
    """Return the key of what belongs to a text."""
    return place_key(group, epoch) + sender_bytes(sender) + number.to_bytes(NUMBER_BYTES, "big")


def chain_key(group: bytes, epoch: int, sender: SenderName, number: int) -> bytes:
    """Return the key of the chain to which a text belongs. [GRP-29]"""
    return text_key(group, epoch, sender, number - number % MAX_CHAIN_TEXTS)
