"""The command `letterlock inspect`, which needs no profile.

Not here: what an inspection shows (letterlock._wire.inspection, _document_inspection.py).
"""

from argparse import Namespace
from typing import Final

from letterlock._wire.inspection import Inspection, inspect
from letterlock.cli._document_inspection import inspect_document
from letterlock.cli._document_streams import plain_source, seekable
from letterlock.cli._input import message_in, rest_of
from letterlock.cli._output import say
from letterlock.cli._sealed_file import is_document

_BEGIN: Final = 64
"""Bytes that tell a sealed document from anything else."""


def inspect_file(arguments: Namespace) -> None:
    """Print what a message, bundle or sealed document shows without keys. Raises PeerError, OSError."""
    inspection = _inspected(arguments.file)
    say(inspection.json() if arguments.json else str(inspection))


def _inspected(name: str) -> Inspection:
    with plain_source(name) as source:
        begin = source.read(_BEGIN)
        if not is_document(begin):
            return inspect(message_in(rest_of(source, begin), name))
        with seekable(source, name, begin) as whole:
            return inspect_document(whole)
