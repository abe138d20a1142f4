"""Limits of grants, each with its reason. Those marked (protocol) are the same for everybody.

Not here: the limits of messages, users and stores (limits.py).
"""

from typing import Final

from letterlock.limits import ARGON2_MEMLIMIT, ARGON2_OPSLIMIT

SUBJECT_ID_BYTES: Final = 16
"""(protocol) Bytes of the id of a document, a collection or a session of items."""

MAX_PURPOSE: Final = 64
"""(protocol) Characters in the purpose of a grant: a code or a few words, never a letter."""

MAX_RECIPIENT: Final = 4096
"""(protocol) Bytes of what a grant says of its recipient, so that later kinds have room."""

MAX_GRANT_TERMS: Final = 8 * 1024
"""(protocol) Bytes of the terms of a grant."""

MAX_SEALED_KEY: Final = 4096
"""(protocol) Bytes of the sealed key. Two HPKE texts of 64 bytes each take 2,400."""

MAX_GRANT: Final = 20 * 1024
"""(protocol) Bytes of a grant: terms, sealed key, and 7 KiB for a signature and its place."""

MAX_NOTE_HASHES: Final = 256
"""(protocol) Grants that one note withdraws, or keys whose destruction it certifies."""

MAX_GRANT_NOTE: Final = 24 * 1024
"""(protocol) Bytes of such a note."""

MAX_GRANTS_AT_ONCE: Final = 1000
"""Grants that one call makes. They share one signature; more readers are a collection."""

MAX_GRANTS_OF_SUBJECT: Final = 10_000
"""Grants of one version that a store keeps. Whoever may share a document could fill a store otherwise."""

MAX_NOTES_TAKEN: Final = 5_000
"""Notes of others about one document that a store keeps. The rest is left for its user's own. [DOC-53]"""

GRANT_MIN_OPSLIMIT: Final = ARGON2_OPSLIMIT
"""(protocol) Passes of Argon2id for a grant to a password, at least. A grant cannot ask for a weak one."""

GRANT_MAX_OPSLIMIT: Final = 8
"""(protocol) Passes for such a grant, at most: a stranger's grant decides how long a reader computes."""

GRANT_MIN_MEMLIMIT: Final = ARGON2_MEMLIMIT
"""(protocol) Bytes of memory for such a grant, at least."""

GRANT_MAX_MEMLIMIT: Final = 256 * 1024 * 1024
"""(protocol) Bytes of memory for such a grant, at most: a phone has as much."""

MAX_ITEM: Final = 64 * 1024
"""(protocol) Bytes of an item of a session. Larger things are documents: those are read in parts."""

MAX_ACCESS_RECORD: Final = 64 * 1024 * 1024
"""Bytes of an access record: 10,000 grants with their signatures."""
