"""The commands that give access to a document, and show who has it: share, take, grants.

Not here: taking access back (_revoke_commands.py).
"""

import os
import stat
from argparse import Namespace
from collections.abc import Iterable
from io import BufferedReader
from typing import Any, Final

from letterlock._wire.grant_bundle import decode_bundle, encode_bundle
from letterlock._wire.grant_recipient import RecipientKind
from letterlock.cli._document_desk import (
    DocumentDesk,
    conditions_in,
    document_in,
    names_in,
    open_desk,
    readers_in,
    stale,
)
from letterlock.cli._document_streams import sealed_source, streamed_to
from letterlock.cli._giving import giving
from letterlock.cli._output import warn
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._profile import require_clock
from letterlock.cli._relay_desk import asked, exchange, relay_of, require_relay
from letterlock.cli._seal_command import warn_of_stale
from letterlock.cli._sealed_file import copy_with, grants_in, is_document, read_sealed
from letterlock.cli._secret_input import new_password, reader_secret
from letterlock.cli._user_report import report, time_text
from letterlock.documents import Granted, LinkSecret
from letterlock.errors import UsageError

_MAX_FILE: Final = 1 << 20


def share(arguments: Namespace) -> None:
    """Grant a document to more readers. Raises UsageError, PeerError, TrustError, StoreError, OSError."""
    if arguments.mail is not None:
        from letterlock.cli._address_commands import share as share_with  # noqa: PLC0415 (optional)

        share_with(arguments)
        return
    require_clock()
    if arguments.output is not None:
        require_output(arguments.output, binary=True, replace=arguments.force)
    conditions = conditions_in(arguments.purpose, arguments.until)
    password, link = new_password(arguments), LinkSecret.generate() if arguments.link else None
    if not arguments.readers and password is None and link is None:
        raise UsageError("for whom? give --for READER, --link, --password or --mail ADDRESS")
    others = [each for each in (link, password) if each is not None]
    with (
        giving(arguments.home, names_in(arguments.readers)) as giver,
        document_in(giver.desk, arguments.file) as (id_, version, source),
    ):
        desk = giver.desk
        if source is None and arguments.output is None and giver.client is None:
            raise UsageError("a document's id is no file to put grants into: give -o FILE")
        readers = [*readers_in(desk, arguments.readers), *others]
        shared = giver.share(id_, readers, version, conditions)
        if arguments.output is not None:
            write_items(arguments.output, shared)
        elif source is not None:
            rewrite(arguments.file, source, shared)
        lines = _lines(desk, shared.grants)
    warn_of_stale(stale(shared.needs))
    shown: dict[str, Any] = {"document": id_.hex(), "grants": [grant_json(each) for each in shared.grants]}
    if link is not None:
        shown["link"] = link.fragment()
        lines.append(f"link: {link.fragment()}")
    report(arguments, shown, lines)


def write_items(name: str, items: Iterable[bytes]) -> None:
    """Write grants or notes to a file of their own. Raises UsageError if they are too many, OSError."""
    given = list(items)
    data = encode_bundle(given)
    if len(decode_bundle(data)) != len(given):
        raise UsageError("one file holds 1 MiB of grants, about 140: share with fewer readers at once")
    with writer_to(name) as write:
        write(data)


def rewrite(name: str, source: BufferedReader, new: Iterable[bytes], without: Iterable[bytes] = ()) -> None:
    """Replace a sealed file by one with new grants in it, and without others. Raises OSError."""
    sealed, gone = read_sealed(source), set(without)
    items = [*new, *(each.encode() for each in sealed.grants if each.hash not in gone)]
    mode = stat.S_IMODE(os.fstat(source.fileno()).st_mode)
    with streamed_to(name, replace=True, mode=mode) as target:
        written = copy_with(source, sealed, items, target)
    if written < len(items):
        warn(f"{len(items) - written} grants found no room in the file, which holds 1 MiB of them: use -o")


def take(arguments: Namespace) -> None:
    """Take grants and notes. Raises UsageError, PeerError, TrustError, StoreError, OSError."""
    secret = reader_secret(arguments)
    if not arguments.files:
        with relay_of(arguments.home) as client:
            if exchange(require_relay(client)):
                report(arguments, {}, ["taken what others have shared"])
        return
    if arguments.author is not None:
        asked(arguments.home, [arguments.author])
    lines: list[str] = []
    counts = {"grants": 0, "withdrawn": 0}
    with open_desk(arguments.home) as desk:
        for name in arguments.files:
            items = _items(name)
            if secret is not None:
                claimed = desk.documents.claim(items, secret)
                lines += _lines(desk, claimed.grants)
                counts["grants"] += len(claimed.grants)
                continue
            taken = desk.documents.take(items)
            lines += _lines(desk, taken.grants)
            counts["grants"] += len(taken.grants)
            counts["withdrawn"] += len(taken.withdrawn)
    lines.append(f"{counts['grants']} new grants, {counts['withdrawn']} withdrawn")
    report(arguments, counts, lines)


def _items(name: str) -> list[bytes]:
    """Return the grants and notes in a file. Raises MalformedMessage, OSError."""
    with sealed_source(name) as source:
        begin = source.read(64)
        source.seek(0)
        if is_document(begin):
            return [each.encode() for each in read_sealed(source).grants]
        return grants_in(source.read(_MAX_FILE + 1))


def grants(arguments: Namespace) -> None:
    """List the grants of a document. Raises UsageError, PeerError, StoreError, OSError."""
    with open_desk(arguments.home) as desk, document_in(desk, arguments.file) as (id_, _, __):
        found = desk.documents.grants(id_)
        lines = _lines(desk, found)
    report(arguments, {"document": id_.hex(), "grants": [grant_json(each) for each in found]}, lines)


# --- as people and programs see them ----------------------------------------------------------------------


def reader_text(desk: DocumentDesk, grant: Granted) -> str:
    """Return for whom a grant is."""
    if grant.reader is not None:
        return grant.reader
    if grant.recipient == RecipientKind.COLLECTION:
        names = {each.id: each.name for each in desk.collections.all()}
        return f"team:{names.get(grant.reader_id or b'') or (grant.reader_id or b'').hex()}"
    if grant.recipient == RecipientKind.USER:
        return "somebody who is no contact"
    kind = grant.recipient
    return kind.name.lower() if isinstance(kind, RecipientKind) else f"kind {kind}"


def _lines(desk: DocumentDesk, found: Iterable[Granted]) -> list[str]:
    return [grant_line(desk, each) for each in found]


def grant_line(desk: DocumentDesk, grant: Granted) -> str:
    """Return a grant for a person."""
    granter = grant.granter or "somebody who is no contact"
    text = f"{grant.hash[:4].hex()}: version {grant.version} for {reader_text(desk, grant)}, by {granter}"
    text += f", {time_text(grant.issued)}"
    if grant.purpose:
        text += f", {grant.purpose}"
    if grant.valid_until is not None:
        text += f", until {time_text(grant.valid_until)}"
    if grant.withdrawn is not None:
        text += f", withdrawn {time_text(grant.withdrawn)}"
    return text


def grant_json(grant: Granted) -> dict[str, Any]:
    """Return a grant for a program."""
    kind = grant.recipient
    return {
        "hash": grant.hash.hex(),
        "version": grant.version,
        "recipient": kind.name.lower() if isinstance(kind, RecipientKind) else kind,
        "reader": grant.reader,
        "reader_id": None if grant.reader_id is None else grant.reader_id.hex(),
        "granter": grant.granter,
        "granter_id": grant.granter_id.hex(),
        "device": grant.device,
        "issued": grant.issued,
        "purpose": grant.purpose,
        "valid_until": grant.valid_until,
        "withdrawn": grant.withdrawn,
    }
