"""What the flags of the family mean."""

from typing import Final

NOTES: Final = {
    "Author": "a signature that is not that of a device which may sign",
    "Changed": "a byte that is another one",
    "Ended": "a grant that has expired, or that its granter took back",
    "Half": "one of the halves for two servers is another one",
    "Length": "a sealed key of another length than its kind of recipient has",
    "Moved": "a sealed key under other terms than it was sealed for; the mover signed them",
    "Place": "a place in a tree that is not that of the leaf",
    "Reader": "a reader for whom the grant is not",
    "Record": "an access record that says something else than its proofs",
    "Revoked": "the newest list no longer has the device that signed",
    "Shape": "an element of another type, length or range",
    "Suite": "a recipient with a weaker key, or a cheaper password, than the protocol allows",
    "Unknown": "a kind that a later release may know",
    "WrongKey": "the key that was granted is not the one to which the subject commits",
}
"""Flags, and what each means."""
