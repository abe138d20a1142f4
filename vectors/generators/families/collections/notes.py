"""What the flags of the family mean."""

from typing import Final

NOTES: Final = {
    "Author": "an author whose role does not allow the action, or who is no member",
    "Changes": "changes that are out of order, without effect, or about somebody who is no member",
    "Fork": "two histories of one log",
    "Members": "members that a collection must not have",
    "Nested": "collections that would be inside themselves, or too many inside each other",
    "Opening": "an opening that is missing, left over, or not that of the epoch",
    "Phase": "an action that the phase does not allow",
    "Place": "an entry that does not follow the one before it",
    "Removed": "an entry of somebody who was removed, or left",
    "Revoked": "the newest list no longer has the device that signed",
    "Shape": "an element of another type, length or range",
    "Signature": "a signature that is not that of the entry's author",
    "WrongKey": "keys to which the log does not commit",
}
"""Flags, and what each means."""
