"""The limits of groups, each with its reason.

They are checked before the work that they bound. All members must agree on those marked (protocol).

Not here: the limits of a text itself, which are those of a session's plaintext (limits.py).
"""

from typing import Final

GROUP_ID_BYTES: Final = 16
"""(protocol) Bytes of a group id, cut from the hash of the first entry of its log."""

MAX_CHAIN_TEXTS: Final = 5_000
"""(protocol) Texts under one seed of a chain. Then the sender distributes a new seed, which also locks out
whoever stole the old one."""

CHAIN_EPOCHS: Final = 16
"""(protocol) Epochs in which one seed serves. Their signing keys are distributed with it, 512 bytes."""

MAX_GROUP_SKIP: Final = 2_000
"""(protocol) Texts that may be missing before one that arrives. Each costs two hashes and a kept key."""

MAX_HEARD: Final = 4
"""(protocol) Heads of other chains in one text. Each is about 43 bytes."""

KEPT_HEADS: Final = 8
"""Heads of a chain that are kept for comparison with what other members name."""

MAX_GROUP_TEXT: Final = 17 * 1024 * 1024 + 1024
"""(protocol) Bytes of an encoded group text: the longest plaintext, its padding, and the fields around it."""

MAX_SENDER_CHAIN: Final = 1024
"""(protocol) Bytes of a chain as its sender distributes it: 750 with all its keys."""

MAX_GROUP_MEMBERS: Final = 1_000
"""(protocol) Members of a group. A removal sends a small message to each of their devices."""
