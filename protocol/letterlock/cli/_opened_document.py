"""A sealed file that is opened for one command: what it says of itself, and why it does not open.

Not here: where its content goes (_open_command.py, _export_command.py).
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from io import BufferedReader
from typing import Any

from letterlock.cli._document_desk import DocumentDesk
from letterlock.cli._output import warn
from letterlock.cli._sealed_file import read_sealed
from letterlock.documents import DocumentFile, LinkSecret, NoGrant, Password, Standing, UnknownAuthor
from letterlock.errors import UsageError


@contextmanager
def opened(
    desk: DocumentDesk,
    source: BufferedReader,
    secret: LinkSecret | Password | None,
    again: Callable[[], bool] = bool,
) -> Generator[DocumentFile[Standing]]:
    """Open a sealed file, and say so if its author's device was revoked since.

    If it does not open, `again` asks the relay, and returns whether it is worth another try.

    Raises UsageError, PeerError, TrustError, StoreError.
    """
    try:
        file = _tried(desk, source, secret, again)
    except NoGrant as refused:
        raise _why(desk, source, refused, has_secret=secret is not None) from None
    with file:
        if file.standing is Standing.REVOKED_SINCE:
            warn("the device that sealed this was revoked since: ask its user whether it is theirs")
        yield file


def _tried(
    desk: DocumentDesk,
    source: BufferedReader,
    secret: LinkSecret | Password | None,
    again: Callable[[], bool],
) -> DocumentFile[Standing]:
    try:
        return desk.documents.open(source, secret=secret)
    except (NoGrant, UnknownAuthor):
        if secret is not None or not again():
            raise
        return desk.documents.open(source, secret=secret)


def _why(desk: DocumentDesk, source: BufferedReader, refused: NoGrant, *, has_secret: bool) -> UsageError:
    """Return what to do about a file that does not open."""
    sealed = read_sealed(source)
    known = {desk.user.user_id, *(each.user_id for each in desk.user.contacts())}
    if any(each.terms.signer.user_id not in known for each in sealed.grants):
        return UsageError(
            "whoever granted this file is no contact: say who sealed it with --from NAME, or "
            "`letterlock user learn NAME` first"
        )
    if has_secret:
        return UsageError("the link or password opens nothing in this file: check it, and the file")
    return refused


def described(desk: DocumentDesk, file: DocumentFile[Standing]) -> tuple[dict[str, Any], list[str]]:
    """Return what a document says of itself, for a program and for a person."""
    said, metadata = file.statement, file.metadata
    author = desk.documents.author(file.signed_by)
    shown = {
        "document": said.id.hex(),
        "version": said.version,
        "name": metadata.name,
        "media_type": metadata.media_type,
        "bytes": said.length,
        "author": author,
        "author_id": file.signed_by.signer.user_id.hex(),
        "device": file.signed_by.signer.device_id,
        "sealed": said.issued,
        "standing": file.standing.value,
    }
    name = metadata.name or "a document without a name"
    lines = [f"{name}, {said.length} bytes, sealed by {author or 'somebody who is no contact'}"]
    return shown, lines
