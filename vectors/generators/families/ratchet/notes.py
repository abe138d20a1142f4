"""The flags of ratchet.json."""

from typing import Final

NOTES: Final = {
    "Boundary": "a length on either side of a step of the padding",
    "Limit": "as many as may be, or one more",
    "Late": "a message that comes after a later one",
    "Restored": "the peer went back to an older copy of its store",
    "Duplicate": "a message that was decrypted before, or whose key was given up",
    "ChangedHeader": "a header that is not the one that was sealed; the genuine message follows",
    "ChangedText": "a sealed text that is not the one that was sent; the genuine message follows",
    "Forged": "a message by somebody without the keys; the genuine one follows",
    "OtherDerivation": "sealed under a key that another derivation gives",
    "BadPadding": "a sound tag over another padding than sealing makes; a sound message follows",
    "NotYet": "what the state does not allow",
    "Malformed": "bytes that are no ratchet message; the genuine one follows",
    "InvalidKey": "a ratchet key that is no public key; the genuine message follows",
}
