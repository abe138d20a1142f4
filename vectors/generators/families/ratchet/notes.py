"""The flags of ratchet.json."""

from typing import Final

NOTES: Final = {
    "Boundary": "a length on either side of a change of the padded length",
    "Limit": "the limit, or one more",
    "Late": "a message that arrives after a later one",
    "Restored": "the peer went back to an older copy of its store",
    "Duplicate": "a message that was decrypted before, or whose key was deleted",
    "ChangedHeader": "a changed header; the genuine message follows",
    "ChangedText": "a changed sealed text; the genuine message follows",
    "Forged": "a message from someone without the keys; the genuine one follows",
    "OtherDerivation": "sealed under a key from another derivation",
    "BadPadding": "a valid tag over a padding that sealing does not make; a valid message follows",
    "NotYet": "an action that the state does not allow",
    "Malformed": "bytes that are not a ratchet message; the genuine one follows",
    "InvalidKey": "a ratchet key that is not a public key; the genuine message follows",
}
