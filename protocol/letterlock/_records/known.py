"""A record of a value that is known already, so that a store in memory need not decode what it was given.

Not here: what the bytes contain (account.py, peer.py, prekey.py).
"""

from letterlock.stores import Record


def record_of(material: bytes, value: object) -> Record:
    """Return a record that knows what it decodes to. `value` is immutable, and equals what decoding gives."""
    record = Record(material)
    record.decoded(lambda _: value)
    return record
