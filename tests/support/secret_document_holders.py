"""One of everything of documents that holds a secret, for the table in secret_holders.py."""

from collections.abc import Callable
from typing import Final

from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.floe import FloeStream
from letterlock._wire.document_header import DocumentHeader, DocumentMetadata
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock.documents._bodies import Begun
from letterlock.documents._front import Front, OpenFront
from letterlock.documents._state import SealingState
from letterlock.documents._version_key import VersionKey
from support.secret_pq_holders import MATERIAL

DOCUMENT_SECRETS: Final = ["VersionKey"]

SUBJECT: Final = Subject(SubjectKind.DOCUMENT, bytes(16), 1, bytes(32))
HEADER: Final = DocumentHeader(bytes(16), 1, bytes(32), b"")
VERSION_KEY: Final = VersionKey(MATERIAL[:32])

DOCUMENT_TABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "FloeStream": (
        lambda: FloeStream(MATERIAL[:32], bytes(32), b"", segment_bytes=64),
        "<FloeStream: hidden>",
    ),
    "Begun": (
        lambda: Begun(SealingState(VERSION_KEY, HEADER, MATERIAL[:32]), SUBJECT, [], [], 0, system_entropy),
        "{OBJECT}",
    ),
    "SealingState": (
        lambda: SealingState(VERSION_KEY, HEADER, MATERIAL[:32]),
        "SealingState(key=<VersionKey: hidden>, header=DocumentHeader(id={ZEROS}, version=1))",
    ),
    "OpenFront": (
        lambda: OpenFront(
            Front(HEADER, b"", b""),
            VERSION_KEY,
            FloeStream(MATERIAL[:32], bytes(32), b"", segment_bytes=64),
            DocumentMetadata(),
        ),
        (
            "OpenFront(front=Front(header=DocumentHeader(id={ZEROS}, version=1)), key=<VersionKey: hidden>, "
            "floe=<FloeStream: hidden>)"
        ),
    ),
}
