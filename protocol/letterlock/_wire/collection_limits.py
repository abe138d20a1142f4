"""The limits of collections, each with its reason.

They are checked before the work that they bound. All members must agree on those marked (protocol).

Not here: limits of grants and of documents.
"""

from typing import Final

COLLECTION_ID_BYTES: Final = 16
"""(protocol) Bytes of a collection id, cut from a hash. Somebody who wants another log with the id of a given
collection has to try 2**128."""

MAX_MEMBERS: Final = 1000
"""(protocol) Direct members of one collection. A removal makes a grant for each that stays. A larger circle
is a collection of collections."""

MAX_NESTING: Final = 4
"""(protocol) Collections inside each other, counting the outermost. A member of the innermost one unwraps as
many keys one after another."""

MAX_COLLECTION_LOG: Final = 10_000
"""(protocol) Entries in the log of one collection, 60 MB of them: one for each day of 27 years. A full log is
closed, and its documents are granted to a new collection."""

MAX_FREE_LOG: Final = 8_999
"""(protocol) Entries up to which every writer may begin an epoch for any reason. The rest of a log is left to
admins, so that no writer uses it up."""

MAX_COLLECTION_NAME: Final = 255
"""(protocol) Bytes of UTF-8 in the name of a collection. It is padded to a constant length."""

MAX_COLLECTION_TERMS: Final = 64 * 1024
"""(protocol) Bytes of the signed part of an entry: 1,000 members come to 47 KiB."""

MAX_COLLECTION_ENTRY: Final = MAX_COLLECTION_TERMS + 8 * 1024
"""(protocol) Bytes of an entry of a collection's log. A signature and its place come to 6 KiB."""

MAX_COLLECTION_FORK: Final = 4 * 1024 * 1024
"""Bytes of exported evidence that the log of a collection forked."""

MAX_FORK_ENTRIES: Final = 500
"""Entries in such evidence: with their signatures they come to 3 MiB, unless they change many members."""

MAX_COLLECTIONS: Final = 10_000
"""Collections in one store. A look at all of them, which upkeep takes, stays short."""
