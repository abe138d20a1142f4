"""What the flags of the family mean."""

from typing import Final

NOTES: Final = {
    "Content": "what a sender sealed is no content",
    "Held": "a text that waits for an entry, a secret or a chain",
    "Judged": "a text that is not its sender's to write, by the log, its epoch or its seed",
    "Kind": "an entry of the other kind of log",
    "Members": "members that a group must not have",
    "Moved": "a text that was moved to another epoch, entry, number, sender or group",
    "Order": "entries of the log that do not follow each other, or those on record",
    "OtherKey": "names that are sealed under another key, or for somebody else",
    "OtherLog": "the receiver has another entry than the sender",
    "Opening": "an opening that a group's epoch must not have",
    "Phase": "an action that the phase or the author's role does not allow",
    "Repeated": "a text whose number was opened before, or is from before the chain was handed out",
    "Shape": "an element of another type, length or range",
    "Silent": "a device that may not write",
    "Signature": "a signature by another key, or of something else",
    "Skipped": "more texts are missing than may be skipped",
    "Spent": "a group that needs an epoch first",
    "Unlisted": "a device that is not in the newest list of its user",
    "WeakKey": "a signing key that is not of prime order",
    "Worn": "a seed that has served for too long",
    "WrongKey": "a text that is sealed under another key",
}
"""Flags, and what each means."""
