"""The flags of sessions.json."""

from typing import Final

NOTES: Final = {
    "Changed": "a message that was changed in transit; the genuine one follows",
    "Replay": "a message that is delivered again, unchanged",
    "RecordFull": "the replay record of a prekey is full",
    "OtherAddress": "a message sealed by or for another address than stated",
    "OwnIdentity": "the account's own address or identity key as a peer's",
    "NoSession": "there is no session",
    "NoMessage": "bytes that are not a message",
    "BothInitiated": "both sides initiated at once",
    "Gone": "a session that was deleted",
    "Limit": "the limit, or one more",
    "Suite": "a suite that the account does not allow, or that the bundle does not support",
    "Identity": "not the identity key that is recorded, or that signed",
    "Stripped": "a message of suite 2 without a post-quantum header, or of suite 1 with one",
    "Contradiction": "an authentic message whose post-quantum header contradicts earlier ones",
    "Expired": "an expired prekey",
    "UsedBundle": "a bundle with a one-time prekey that we used before",
    "Stale": "a bundle that is too old by the account's clock, or of a time to come",
    "UserIds": "other user ids than the peer has, or none on one side",
}
