"""The command `open`: the content of a sealed file, to a file or to standard output.

A file is read from any place, so no byte goes out before its author and the segment that it is in were
verified. A file appears whole or not at all.

Not here: all files of a folder at once (_export_command.py).
"""

from argparse import Namespace
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader

from letterlock.cli._blob_storage import storage_in, stored
from letterlock.cli._document_desk import DocumentDesk, open_desk
from letterlock.cli._document_streams import require_target, sealed_source, streamed_to
from letterlock.cli._export_command import export
from letterlock.cli._opened_document import described, opened
from letterlock.cli._output import sync
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.cli._progress import progress
from letterlock.cli._relay_desk import asked
from letterlock.cli._secret_input import reader_secret
from letterlock.cli._user_report import report
from letterlock.cli._visitor import visitor
from letterlock.documents import Pace
from letterlock.errors import UsageError


def open_document(arguments: Namespace) -> None:
    """Open one sealed file, or all. Raises UsageError, PeerError, TrustError, StoreError, OSError."""
    if arguments.author is not None:
        asked(arguments.home, [arguments.author])
    if arguments.all is not None:
        if arguments.store is not None:
            raise UsageError("--all opens sealed files: leave --store out")
        export(arguments)
        return
    if len(arguments.files) != 1:
        raise UsageError("several files are opened into a directory: give --all DIR")
    require_target(arguments.output, replace=arguments.force)
    secret = reader_secret(arguments)
    again = bool if arguments.lists else partial(asked, arguments.home, ())
    with (
        _desk(arguments) as desk,
        _source(arguments, desk, again) as source,
        opened(desk, source, secret, again=again) as file,
    ):
        with streamed_to(arguments.output, replace=arguments.force) as target, progress("opening") as tell:
            file.copy_to(target, Pace(progress=tell))
        shown, lines = described(desk, file)
    if arguments.output in {None, STANDARD_STREAM}:
        sync()
        return
    report(arguments, {**shown, "file": arguments.output}, lines)


@contextmanager
def _source(arguments: Namespace, desk: DocumentDesk, again: Callable[[], bool]) -> Generator[BufferedReader]:
    """Open a sealed file, or a document in a storage. Raises UsageError, BlobError, OSError."""
    name = arguments.files[0]
    if arguments.store is None:
        with sealed_source(name) as source:
            yield source
        return
    with stored(desk, name, storage_in(arguments.store), again) as source:
        yield source


@contextmanager
def _desk(arguments: Namespace) -> Generator[DocumentDesk]:
    """Open the profile, or with --lists none. Raises UsageError, PeerError, StoreError, OSError."""
    if arguments.lists is not None:
        yield visitor(arguments.lists)
        return
    with open_desk(arguments.home) as desk:
        yield desk
