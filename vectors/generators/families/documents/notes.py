"""What the flags of the family mean."""

from typing import Final

NOTES: Final = {
    "AnotherKey": "a key that is not that of the document, or a part under another key",
    "Author": "a signature that is not that of a device which may sign documents",
    "Changed": "a byte that is another one",
    "Cut": "a beginning of a document",
    "GoesOn": "something after the end of a document",
    "Made": "made by somebody who has the key: it authenticates, and the author signed something else",
    "Metadata": "metadata of another form",
    "Mixed": "parts of another document, or of another version of the same one",
    "Padding": "a filling of segments that sealing does not make, though the author signed it",
    "Range": "a part of the content is read",
    "Reordered": "parts in another order, twice, or missing",
    "Revoked": "the newest list no longer has the device that signed",
    "Shape": "an encoding or a length that is not of the format",
    "Statement": "the author signed another statement than the document shows",
    "TwoBlocks": "more than 256 segments",
    "WrongFinal": "a last segment that is none, or none that is the last",
}
"""Flags, and what each means."""
