"""The flags of sessions.json."""

from typing import Final

NOTES: Final = {
    "Changed": "a message that was changed on the way; the one that was sent follows",
    "Replay": "a message that comes again, as it was",
    "RecordFull": "a prekey has met as many first messages as may be recorded",
    "OtherAddress": "a message sealed for, or by, another address than is said",
    "Ourselves": "the account's own address or identity key, in a peer's place",
    "NoSession": "there is no session to read or write in",
    "NoMessage": "bytes that are no message",
    "Crossed": "both sides initiated at once",
    "Gone": "a session that is not kept any more",
    "Limit": "as many as may be, or one more",
    "Suite": "a handshake of a suite that the account does not allow, or that the bundle cannot serve",
    "Identity": "another identity key than the one that is recorded, or that signed",
    "Stripped": "a message of suite 2 without its part, or one of suite 1 with one",
    "Contradiction": "an authentic message whose part contradicts what came before",
    "Expired": "a prekey whose time has come",
}
