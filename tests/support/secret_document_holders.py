"""One of everything of documents that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Final

from letterlock._primitives.floe import FloeStream
from support.secret_pq_holders import MATERIAL

DOCUMENT_SECRETS: Final[list[str]] = []

DOCUMENT_TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "FloeStream": (
        lambda: FloeStream(MATERIAL[:32], bytes(32), b"", segment_bytes=64),
        "<FloeStream: hidden>",
    ),
}
