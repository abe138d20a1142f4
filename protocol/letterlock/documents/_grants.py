"""The grants that travel with a sealed document: bytes near its end, which may be rewritten. [DOC-3]

Nothing covers them: each grant is signed itself, and a grant for another document opens nothing here.

Not here: what a grant says.
"""

from letterlock._wire.document_limits import MAX_DOCUMENT_GRANTS
from letterlock._wire.document_trailer import FOOTER_BYTES, DocumentFooter
from letterlock.documents._file import read_footer
from letterlock.documents._resuming import Resumable
from letterlock.documents._streams import Seekable, read_up_to, write_all
from letterlock.errors import UsageError


def read_grants(source: Seekable) -> bytes:
    """Return the grants of a document, at most 1 MiB. Raises MalformedMessage, UsageError."""
    footer, size = read_footer(source)
    source.seek(max(0, size - FOOTER_BYTES - footer.grants))
    return read_up_to(source, footer.grants)


def write_grants(document: Resumable, grants: bytes) -> None:
    """Put these grants in place of those of a document. Everything else stays as it is.

    Raises MalformedMessage, UsageError for more than 1 MiB.
    """
    if len(grants) > MAX_DOCUMENT_GRANTS:
        raise UsageError(f"grants of {len(grants)} bytes; at most {MAX_DOCUMENT_GRANTS}: detach them")
    footer, size = read_footer(document)
    document.seek(max(0, size - FOOTER_BYTES - footer.grants))
    write_all(document, grants + DocumentFooter(footer.trailer, len(grants), footer.segments).encode())
    document.truncate()
