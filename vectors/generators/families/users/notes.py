"""What each flag of the family means."""

NOTES = {
    "BadKey": "a key that no honest implementation makes",
    "Changed": "a signature, or what it covers, was changed",
    "Class": "a device may not do what it does, by its class",
    "Chain": "the list does not follow the version before",
    "DocumentKey": "the document key is not the one that must follow",
    "Form": "the list breaks a rule of every version",
    "LongForm": "another encoding of the same value",
    "MadeUp": "the evidence shows nothing, or something else",
    "OtherKey": "keys or signatures of another device or person",
    "Power": "a device may not revoke or add this device",
    "Proof": "a proof is wrong, missing or left over",
    "Revoked": "the revoked devices are not those that must follow",
    "Shape": "an element of another type, length or range",
    "Size": "more than a limit allows",
    "Version": "another version, or another kind",
}
