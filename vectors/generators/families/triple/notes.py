"""The flags of triple.json."""

from typing import Final

NOTES: Final = {
    "Epochs": "a conversation that comes to later epochs",
    "Boundary": "a length on either side of a codeword more",
    "Limit": "as many as may be, or one more",
    "Late": "a message that comes after a later one",
    "Duplicate": "a message that was decrypted before, or whose key was given up",
    "ChangedHeader": "a header or part that is not the one that was sealed; the genuine message follows",
    "ChangedText": "a sealed text that is not the one that was sent; the genuine message follows",
    "Downgrade": "a message without the post-quantum half, or sealed without it",
    "OtherDerivation": "sealed under a key that another derivation gives",
    "Contradiction": "an authentic message whose part contradicts what came before; the genuine one follows",
    "NoChain": "an authentic message of an epoch that is not there",
    "BadPadding": "a sound tag over another padding than sealing makes; a sound message follows",
    "NotYet": "what the state does not allow",
    "Malformed": "bytes that are no triple message; the genuine one follows",
    "Forged": "a message by somebody without the keys; the genuine one follows",
}
