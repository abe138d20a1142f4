"""The handshake suites, by the number they have on the wire."""

from enum import IntEnum


class Suite(IntEnum):
    """Which handshake starts a session."""

    X3DH = 1
    """X25519 alone (X3DH revision 1). A quantum computer could decrypt a recorded conversation."""

    PQXDH = 2
    """X25519 with ML-KEM-1024 (PQXDH revision 3): the default."""
