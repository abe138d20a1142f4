"""What the flags of the family mean."""

from typing import Final

NOTES: Final = {
    "Array": "an array that lacks an index which no hidden section can have",
    "Author": "a signature that does not verify, or a signer that may not sign",
    "Changed": "bytes that were changed after they were sealed or signed",
    "Fields": "fields of another form or order, or that are not of their section",
    "Index": "a blind index that would tell too much",
    "Limit": "more than a limit allows",
    "Member": "a member that programs read differently",
    "NoJson": "what is not JSON, or no object",
    "Number": "a number that programs read differently",
    "Padding": "another padding than sealing makes",
    "Scopes": "scopes of another form or order, or that do not fit together",
    "Shape": "an element of another type, length or range",
    "Statement": "an author's statement about something else",
    "Text": "a string that programs read differently",
    "WrongKey": "a key that is not that of the section or the trailer",
}
"""Flags, and what each means."""
