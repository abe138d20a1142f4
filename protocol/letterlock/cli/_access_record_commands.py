"""The commands `access-record` and `check-access-record`: who was granted a document, signed, and its check.

    DIR/lists/NAME/VERSION.list    device lists of everybody who granted, as in an exchange folder

Whoever checks a record needs it and these lists, and no profile.

Not here: what a record says, and its check (letterlock.documents).
"""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from letterlock._wire.grant_limits import MAX_ACCESS_RECORD
from letterlock.cli._document_desk import document_in, open_desk
from letterlock.cli._input import read_text
from letterlock.cli._list_directory import known_lists, read_lists, write_lists
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.cli._profile import require_clock
from letterlock.cli._user_report import report, time_text
from letterlock.documents import AccessEntry, AccessRecord, Standing, verify_access_record

_LISTS: Final = "lists"


def write_record(arguments: Namespace) -> None:
    """Write an access record. Raises UsageError, PeerError, StoreError, OSError."""
    require_clock()
    require_output(arguments.output, binary=False, replace=arguments.force)
    with open_desk(arguments.home) as desk, document_in(desk, arguments.file) as (id_, _, __):
        record = desk.documents.access_record(id_)
        if arguments.lists is not None:
            found = desk.documents.grants(id_)
            named = {each.granter_id for each in found} | {each.reader_id or b"" for each in found}
            write_lists(desk, arguments.lists, named)
    with writer_to(arguments.output) as write:
        write(record)
    if arguments.output not in {None, STANDARD_STREAM}:
        report(arguments, {"document": id_.hex(), "bytes": len(record)}, [f"access record of {id_.hex()}"])


def check_record(arguments: Namespace) -> None:
    """Check an access record, and print what it says. Raises UsageError, PeerError, TrustError, OSError."""
    data = read_text(arguments.file, MAX_ACCESS_RECORD)
    chains = (
        known_lists(arguments.home) if arguments.lists is None else dict(read_lists(Path(arguments.lists)))
    )
    record = verify_access_record(data, chains.values())
    names = {chain.user_id: name for name, chain in chains.items()}
    shown = {
        "document": record.id.hex(),
        "made": record.made,
        "author": names.get(record.author_id),
        "author_id": record.author_id.hex(),
        "device": record.device,
        "standing": record.standing.value,
        "missing": [each.hex() for each in record.missing],
        "grants": [_entry_json(each, names) for each in record.entries],
    }
    report(arguments, shown, list(_lines(record, names)))


# --- as people and programs see it ------------------------------------------------------------------------


def _lines(record: AccessRecord, names: dict[bytes, str]) -> Iterator[str]:
    author = names.get(record.author_id, record.author_id.hex())
    yield f"document {record.id.hex()}, as device {record.device} of {author} had it {time_text(record.made)}"
    for each in record.entries:
        yield _line(each, names)
    if record.missing:
        yield f"{len(record.missing)} grants are named by others and are not in this record"
    if record.standing is Standing.REVOKED_SINCE:
        yield "the device that made this record was revoked since"


def _line(entry: AccessEntry, names: dict[bytes, str]) -> str:
    granter = names.get(entry.granter_id, entry.granter_id.hex())
    text = f"version {entry.version} for {_reader(entry, names)}, by {granter}, {time_text(entry.issued)}"
    if entry.purpose:
        text += f", {entry.purpose}"
    if entry.valid_until is not None:
        text += f", until {time_text(entry.valid_until)}"
    if entry.withdrawn is not None:
        text += f", withdrawn {time_text(entry.withdrawn)}"
    return text


def _reader(entry: AccessEntry, names: dict[bytes, str]) -> str:
    if entry.user_id is not None:
        return names.get(entry.user_id, entry.user_id.hex())
    return "a link or password" if entry.collection is None else f"collection {entry.collection.hex()}"


def _entry_json(entry: AccessEntry, names: dict[bytes, str]) -> dict[str, Any]:
    return {
        "hash": entry.hash.hex(),
        "version": entry.version,
        "user": None if entry.user_id is None else names.get(entry.user_id),
        "user_id": None if entry.user_id is None else entry.user_id.hex(),
        "collection": None if entry.collection is None else entry.collection.hex(),
        "granter": names.get(entry.granter_id),
        "granter_id": entry.granter_id.hex(),
        "device": entry.device,
        "standing": entry.standing.value,
        "issued": entry.issued,
        "purpose": entry.purpose,
        "valid_until": entry.valid_until,
        "withdrawn": entry.withdrawn,
    }
