"""What the flags of the family mean."""

from typing import Final

NOTES: Final = {
    "BadElement": "bytes that are no element of the group, or the identity",
    "BadKey": "a public key that no signature is verified with",
    "Changed": "a lock of which something was changed after it was sealed",
    "Choice": "two servers that show different locks, or none in common",
    "Count": "too many elements in an array",
    "Hardness": "passes or memory that a client refuses",
    "LongForm": "another encoding, or too many or too few bytes",
    "Name": "a name that no address may have",
    "Number": "the number of another call, or none",
    "OtherDevice": "signed by another device than the listed one that may",
    "OtherPurpose": "a signature of something else",
    "OtherSeeds": "a box without the seeds of the listed document keys",
    "Password": "a password that nobody may have, or another one than that of the lock",
    "Proof": "an evaluation whose proof does not verify",
    "Range": "a number or a length just outside of its limits",
    "Shape": "another number of elements, or elements that do not fit each other",
    "Signature": "a signature that does not verify",
    "Ticket": "a ticket of another input or time, or none",
    "Type": "an element of another type",
    "Version": "another version, or none",
    "Waits": "a server that gives no evaluation",
    "WrongKey": "sealed to another recovery device",
}
"""Flags, and what each means."""
