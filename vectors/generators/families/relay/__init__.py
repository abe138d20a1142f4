"""Vectors of the relay: bodies, frames, tickets, logins, keys, and what it answers about texts of groups."""

from generators.families.relay import deciding, frames, keeping, logins, reading
from generators.support.family import Family


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "relay",
        "requests and answers of a relay, and Ed25519 signatures of logins and tickets",
        [
            "The kind of a body is the name of its rule in spec/relay.cddl.",
            "A long body is given in parts: bytes, and how often they stand there.",
            "relay.group_play is what a relay keeps of one group: a text that is refused is no refused step.",
            "relay.group_send and relay.group_texts answer nothing, or the code and number of an error.",
        ],
        {
            "BadKey": "a public key that no signature is verified with",
            "Caller": "a text of another sender than the device that calls",
            "Count": "too many elements in an array, or too few",
            "Epoch": "a text of another epoch than its entry's, or where nothing may be written",
            "Full": "a text for which a group, or its sender's part of it, has no room",
            "LongForm": "another encoding, or too many or too few bytes",
            "Member": "a user who is no member by the newest entry, or no group at all",
            "Name": "a name that no address may have",
            "Number": "the number of another call, or none",
            "Order": "numbers of parcels that do not grow, or are above the newest",
            "Range": "a number or a length just outside of its limits",
            "Shape": "another number of elements",
            "Shelf": "an id that the shelf of a user, or of a collection, does not have",
            "Signature": "a signature that does not verify",
            "Stale": "a text after another entry than the newest",
            "Step": "a part that this step of a linking does not have",
            "Taken": "an answer that an entry was taken, beside others that it contradicts",
            "Text": "what is no text of a group",
            "Token": "no text of a token",
            "TooLong": "a body above its limit whose elements are good",
            "Twice": "the same twice where all are different",
            "Type": "an element of another type",
            "Version": "another version, or none",
            "Writer": "a text of a member who may only read",
        },
    )
    reading.add(family)
    frames.add(family)
    deciding.add(family)
    keeping.add(family)
    logins.add(family)
    return family
