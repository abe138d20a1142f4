"""The command `seal`: a file is sealed for its readers, and for the user who seals it.

The sealed file appears whole or not at all. Its grants travel in it.

Not here: what sealing does (letterlock.documents); files that come encrypted with age (_age_file.py).
"""

import mimetypes
import os
import unicodedata
from argparse import Namespace
from collections.abc import Generator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

from letterlock.cli._age_file import AgeFile
from letterlock.cli._age_identity import read_identities
from letterlock.cli._blob_storage import storage_in
from letterlock.cli._document_desk import (
    DocumentDesk,
    conditions_in,
    document_in,
    names_in,
    readers_in,
    stale,
)
from letterlock.cli._document_streams import plain_source, require_target, streamed_to
from letterlock.cli._giving import giving
from letterlock.cli._list_directory import write_lists
from letterlock.cli._output import warn
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.cli._profile import require_clock
from letterlock.cli._progress import progress
from letterlock.cli._secret_input import new_password
from letterlock.cli._user_report import report
from letterlock.documents import DocumentMetadata, LinkSecret, Pace, Readable, Sealed, SealOptions
from letterlock.errors import UsageError

_MAX_NAME: Final = 1024
"""Bytes of a name in the metadata of a document."""


def seal(arguments: Namespace) -> None:
    """Seal a file. Raises UsageError, PeerError for a wrong age file, TrustError, StoreError, OSError."""
    require_clock()
    blobs = None if arguments.store is None else storage_in(arguments.store)
    if blobs is None:
        require_target(arguments.output, replace=arguments.force)
    elif arguments.output is not None:
        raise UsageError("a sealed document goes to a storage or to a file: give --store or -o")
    if blobs is None and arguments.link and arguments.output in {None, STANDARD_STREAM}:
        raise UsageError("the link is printed, so the sealed file must go to a file of its own: give -o FILE")
    conditions = conditions_in(arguments.purpose, arguments.until)
    password, link = new_password(arguments), LinkSecret.generate() if arguments.link else None
    with (
        _source(arguments) as (source, metadata),
        giving(arguments.home, names_in(arguments.readers)) as giver,
    ):
        others = [each for each in (link, password) if each is not None]
        readers = [*readers_in(giver.desk, arguments.readers), *others]
        named = None if arguments.replaces is not None and not readers else readers
        with progress("sealing") as tell:
            replaced, pace = _replaced(giver.desk, arguments.replaces), Pace(progress=tell)
            options = SealOptions(replaced, conditions, _job(arguments), pace)
            if blobs is not None:
                sealed = giver.seal_into(source, blobs, named, metadata, options)
            else:
                with streamed_to(arguments.output, replace=arguments.force) as target:
                    sealed = giver.seal(source, target, named, metadata, options)
        if arguments.lists is not None:
            write_lists(giver.desk, arguments.lists, ())
    warn_of_stale(stale(sealed.shared.needs))
    if blobs is None and arguments.output in {None, STANDARD_STREAM}:
        return
    report(arguments, *_shown(arguments, sealed, link))


def warn_of_stale(names: list[str]) -> None:
    """Say whose device lists nobody has confirmed for a day."""
    for name in names:
        warn(f"nobody confirmed the device lists of {name} for a day: a device revoked since could read this")


def _shown(arguments: Namespace, sealed: Sealed, link: LinkSecret | None) -> tuple[dict[str, Any], list[str]]:
    length = sealed.statement.length
    shown: dict[str, Any] = {"document": sealed.id.hex(), "version": sealed.version, "bytes": length}
    shown |= {"file": arguments.output, "store": arguments.store, "grants": len(sealed.shared)}
    lines = [f"document {sealed.id.hex()}, version {sealed.version}, {length} bytes"]
    if link is not None:
        shown["link"] = link.fragment()
        lines.append(f"link: {link.fragment()}")
    return shown, lines


def _job(arguments: Namespace) -> bytes | None:
    """Return the name of a job. Raises UsageError for one whose source cannot be read again."""
    if arguments.job is not None and (arguments.file == STANDARD_STREAM or arguments.age_identity):
        raise UsageError("a job goes on by reading FILE again: name a plain file, and leave the rest out")
    return None if arguments.job is None else os.fsencode(arguments.job)


def _replaced(desk: DocumentDesk, typed: str | None) -> bytes | None:
    """Return the id of the document of which a new version is sealed, or None."""
    if typed is None:
        return None
    with document_in(desk, typed) as (id_, _, _):
        return id_


@contextmanager
def _source(arguments: Namespace) -> Generator[tuple[Readable, DocumentMetadata]]:
    """Open what is to be sealed, decrypted on its way if it comes encrypted with age."""
    identities = [key for name in arguments.age_identity for key in read_identities(Path(name))]
    with plain_source(arguments.file) as file:
        metadata = _metadata(arguments, file, is_age=bool(identities))
        yield (AgeFile(file, identities) if identities else file), metadata


def _metadata(arguments: Namespace, file: BufferedReader, *, is_age: bool) -> DocumentMetadata:
    """Return what the sealed document says of itself to its readers."""
    name: str | None = arguments.name
    modified = None
    if arguments.file != STANDARD_STREAM:
        modified = max(0, int(os.fstat(file.fileno()).st_mtime))
        if name is None:
            name = Path(arguments.file).name
            name = name.removesuffix(".age") if is_age else name
    if name is None:
        return DocumentMetadata()
    # A file name may hold bytes that are no text.
    name = unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "replace"))
    if len(name.encode()) > _MAX_NAME:
        raise UsageError(
            f"the name of a document has at most {_MAX_NAME} bytes: give another one with --name"
        )
    return DocumentMetadata(name, mimetypes.guess_type(name)[0], None, modified)
