"""The limits of documents, each with its reason. All but the last are part of the protocol.

Not here: the limits of everything else (limits.py).
"""

from typing import Final

MAX_DOCUMENT_HEADER: Final = 64 * 1024
"""Bytes of a document's header. The largest metadata come to about 9 KiB."""

MAX_DOCUMENT_TRAILER: Final = 16 * 1024
"""Bytes of a document's trailer. The author's signature and key make up most of its 5.5 KiB."""

MAX_DOCUMENT_GRANTS: Final = 1024 * 1024
"""Bytes of the grants that travel with a document: about 130 of them."""

MAX_DOCUMENT_SEGMENTS: Final = 2**28
"""Segments of a document, 16 TiB. A reader keeps 32 bytes in memory for each 256 of them."""

MIN_PADDED_DOCUMENT: Final = 1024
"""Bytes to which short documents are padded, so that notes of a few lines look alike."""

MAX_DOCUMENT_NAME: Final = 1024
"""Bytes of UTF-8 in a document's name. File systems allow 255 in a name."""

MAX_APPLICATION_BYTES: Final = 4096
"""Bytes that an application may add to a document's metadata. More than that is content."""

MAX_SEALING_THREADS: Final = 16
"""Threads that seal or open one document. Each takes about 1 MiB of memory."""
