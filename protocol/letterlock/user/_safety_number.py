"""Safety numbers of users: the digits of session safety numbers, computed from user ids.

    fingerprint = as for a device, with the user id in place of type byte and IK, and the label
                  "letterlock-v1 user fingerprint" as identifier                                 [USR-18]

Not here: the algorithm (_handshake/safety_number.py).
"""

from typing import Final

from letterlock._handshake.safety_number import SafetyNumber, compare_fingerprints, key_fingerprint
from letterlock._primitives.labels import USER_FINGERPRINT
from letterlock._wire.device_snapshot import HASH_BYTES
from letterlock.errors import UsageError

USER_SCAN_VERSION: Final = 3
"""The version in the scannable form. Version 2 is that of two devices."""


def user_safety_number(our_user_id: bytes, their_user_id: bytes) -> SafetyNumber:
    """Return the safety number of two users. Raises UsageError unless each id has 32 bytes."""
    if len(our_user_id) != HASH_BYTES or len(their_user_id) != HASH_BYTES:
        raise UsageError(f"a user id has {HASH_BYTES} bytes")
    ours, theirs = (key_fingerprint(each, USER_FINGERPRINT) for each in (our_user_id, their_user_id))
    return compare_fingerprints(ours, theirs, USER_SCAN_VERSION)
