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

MAX_GROUP_LETTERS: Final = 64
"""Letters about groups that are kept of one device until they are taken. A device that sends more loses the
oldest of its own."""

MAX_GROUP_MAILS: Final = 4_096
"""Devices of which letters about groups are kept. Those of others are dropped, and can be asked for again."""

MAX_RECEIPTED: Final = 64
"""Members of a group up to which what was read is told by letters. In a larger one, a text would lead to a
letter from each member, so texts alone tell it."""

RECEIPT_PAUSE: Final = 10
"""Seconds for each member between two receipts of a device for one chain: whoever writes without a pause gets
one receipt in ten seconds of the whole group."""

MAX_READ_RUNS: Final = 16
"""Runs of texts that are kept of what one device has read of this one's in an epoch. The first goes if there
are more: its texts are shown as not delivered."""

KEPT_EPOCHS: Final = 5
"""Epochs of a group that are kept for more than a day after their end, for texts that are late. 30 days end
them too."""

MAX_GROUP_KEYS: Final = 20_000
"""Keys of skipped texts in a store. A member who leaves out texts on purpose fills no store, and
is the first whose keys are deleted."""

MAX_SENDER_CHAINS: Final = 16
"""Chains of one sender in an epoch that are kept: four months of new seeds each week. The first goes if there
are more."""

MAX_GROUP_REQUESTS: Final = 5
"""Requests for one secret or chain, each after a longer pause."""

MAX_GROUP_WANTS: Final = 1_000
"""Secrets and chains that a device waits for. Anybody on the way can name some that do not exist."""

MAX_GROUP_MEMBERS: Final = 1_000
"""(protocol) Members of a group. A removal sends a small message to each of their devices."""

MAX_HISTORY_TEXTS: Final = 1_000_000
"""Texts in a history that is given to a newcomer. Whoever reads it stops there."""

MAX_HISTORY_BYTES: Final = 4 * 1024 * 1024 * 1024
"""Bytes of such a history before it is sealed, which an application reads in minutes."""

MAX_HISTORIES: Final = 4
"""Histories of a group that are kept of one giver. The oldest goes if there are more, so that a member who
gives one after the other fills no store."""
