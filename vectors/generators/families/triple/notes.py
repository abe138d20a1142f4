"""The flags of triple.json."""

from typing import Final

NOTES: Final = {
    "Epochs": "a conversation that reaches later epochs",
    "Boundary": "a length on either side of one more codeword",
    "Limit": "the limit, or one more",
    "Late": "a message that arrives after a later one",
    "Duplicate": "a message that was decrypted before, or whose key was deleted",
    "ChangedHeader": "a changed header; the genuine message follows",
    "ChangedText": "a changed sealed text; the genuine message follows",
    "Downgrade": "a message without the post-quantum half, or sealed without it",
    "OtherDerivation": "sealed under a key from another derivation",
    "Contradiction": "an authentic message that contradicts earlier ones; the genuine one follows",
    "NoChain": "an authentic message of an epoch without a chain",
    "BadPadding": "a valid tag over a padding that sealing does not make; a valid message follows",
    "NotYet": "an action that the state does not allow",
    "Malformed": "bytes that are not a triple message; the genuine one follows",
    "Forged": "a message from someone without the keys; the genuine one follows",
}
