"""The commands of `record`: JSON objects that are sealed by sections, for different readers.

A sealed record is small enough to be read and written at once.

Not here: sections and their keys (letterlock.documents).
"""

import json
from argparse import Namespace
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from letterlock._wire.grant import Grant
from letterlock._wire.grant_bundle import decode_bundle
from letterlock._wire.json_document import JsonDocument
from letterlock._wire.json_limits import MAX_JSON_TEXT, MAX_SEALED_JSON
from letterlock.blobs._putting import find_json
from letterlock.cli._blob_storage import id_in, storage_in
from letterlock.cli._document_desk import (
    DocumentDesk,
    conditions_in,
    names_in,
    open_desk,
    readers_in,
    stale,
)
from letterlock.cli._document_streams import require_target, streamed_to
from letterlock.cli._giving import OneTarget, giving
from letterlock.cli._input import read_text
from letterlock.cli._output import sync, warn
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.cli._profile import require_clock
from letterlock.cli._relay_desk import asked
from letterlock.cli._revoke_commands import grants_for
from letterlock.cli._seal_command import warn_of_stale
from letterlock.cli._secret_input import new_password, reader_secret
from letterlock.cli._share_commands import grant_json, grant_line, write_items
from letterlock.cli._user_report import print_json, report
from letterlock.documents import (
    JsonDocuments,
    LinkSecret,
    NoGrant,
    OpenedJson,
    Password,
    Section,
    SubjectKind,
    UnknownAuthor,
)
from letterlock.documents._documents import shelf_behind
from letterlock.documents._json_places import json_names
from letterlock.errors import UsageError

if TYPE_CHECKING:
    from letterlock.blobs import Blobs

_MAX_SECTIONS: Final = 1 << 20
_KEYS: Final = {"fields", "for", "purpose", "until"}


def seal(arguments: Namespace) -> None:
    """Seal a record. Raises UsageError, PeerError for what is no JSON, TrustError, StoreError, OSError."""
    require_clock()
    blobs = None if arguments.store is None else storage_in(arguments.store)
    if blobs is None:
        require_output(arguments.output, binary=True, replace=arguments.force)
    elif arguments.output is not None:
        raise UsageError("a sealed record goes to a storage or to a file: give --store or -o")
    described = _described(arguments.sections)
    content = read_text(arguments.file, MAX_JSON_TEXT)
    names = names_in(each for said in described.values() for each in said.get("for", []))
    with giving(arguments.home, names) as giver:
        before = None if arguments.replaces is None else _before(arguments, giver.desk, blobs)
        sections = [_section(giver.desk, name, said) for name, said in described.items()]
        if blobs is None:
            with streamed_to(arguments.output, replace=arguments.force) as target:
                sealed = giver.seal_json(content, sections, cast("Blobs", OneTarget(target)), before)
        else:
            sealed = giver.seal_json(content, sections, blobs, before)
    warn_of_stale(stale(sealed.shared.needs))
    if blobs is not None or arguments.output not in {None, STANDARD_STREAM}:
        id_ = sealed.id.hex()
        shown = {"document": id_, "version": sealed.version, "grants": len(sealed.shared)}
        report(arguments, shown, [f"record {id_}, version {sealed.version}, {len(described)} sections"])


def open_record(arguments: Namespace) -> None:
    """Open what may be read of a record. Raises UsageError, PeerError, TrustError, StoreError, OSError."""
    require_target(arguments.output, replace=arguments.force)
    secret = reader_secret(arguments)
    if arguments.author is not None:
        asked(arguments.home, [arguments.author])
    with open_desk(arguments.home) as desk:
        data = _data(arguments, desk)
        opened = _opened(desk, data, secret, partial(asked, arguments.home, ()))
        shown = _opened_json(desk, opened)
    if arguments.json and arguments.output in {None, STANDARD_STREAM}:
        print_json(shown)
        return
    with writer_to(arguments.output) as write:
        write(opened.text)
    if arguments.output in {None, STANDARD_STREAM}:
        sync()
        return
    shown.pop("value")
    names = ", ".join(opened.sections)
    author = shown["author"] or "somebody who is no contact"
    lines = [f"sections {names}, sealed by {author}; {len(opened.hidden)} sections are hidden"]
    if opened.rivals:
        warn("there are grants for another record that was sealed as this version: ask its authors")
    report(arguments, shown, lines)


def share(arguments: Namespace) -> None:
    """Grant a section to more readers. Raises UsageError, PeerError, TrustError, StoreError, OSError."""
    if arguments.mail is not None:
        from letterlock.cli._address_commands import share_section  # noqa: PLC0415 (optional)

        share_section(arguments, partial(_data, arguments))
        return
    require_clock()
    conditions = conditions_in(arguments.purpose, arguments.until)
    password, link = new_password(arguments), LinkSecret.generate() if arguments.link else None
    others = [each for each in (link, password) if each is not None]
    if not arguments.readers and not others:
        raise UsageError("for whom? give --for READER, --link, --password or --mail ADDRESS")
    if arguments.output is not None:
        raise UsageError("-o is for an invitation: give --mail ADDRESS with it")
    with giving(arguments.home, names_in(arguments.readers)) as giver:
        desk, data = giver.desk, _data(arguments, giver.desk)
        readers = [*readers_in(desk, arguments.readers), *others]
        shared = giver.share_json(data, arguments.section, readers, conditions)
        if arguments.store is None:
            _rewrite(JsonDocuments(desk.user), arguments.file, data, [*shared, *_beside(data)])
        lines = [grant_line(desk, each) for each in shared.grants]
    warn_of_stale(stale(shared.needs))
    shown: dict[str, Any] = {"grants": [grant_json(each) for each in shared.grants]}
    if link is not None:
        shown["link"] = link.fragment()
        lines.append(f"link: {link.fragment()}")
    report(arguments, shown, lines)


def grants(arguments: Namespace) -> None:
    """List the grants of all sections that are open to this user. Raises UsageError, PeerError, OSError."""
    with open_desk(arguments.home) as desk:
        data = _data(arguments, desk)
        records = JsonDocuments(desk.user)
        records.open(data)  # takes the grants beside it
        found = records.grants(data)
        lines = [f"{name}: {grant_line(desk, each)}" for name, all_ in found.items() for each in all_]
    report(arguments, {name: [grant_json(each) for each in all_] for name, all_ in found.items()}, lines)


def revoke(arguments: Namespace) -> None:
    """Take back grants of a section. Raises UsageError, PeerError, StoreError, OSError."""
    require_clock()
    if arguments.output is not None:
        require_output(arguments.output, binary=True, replace=arguments.force)
    with giving(arguments.home, ()) as giver:
        desk, data = giver.desk, _data(arguments, giver.desk)
        records = JsonDocuments(desk.user)
        records.open(data)
        found = records.grants(data).get(arguments.section)
        if found is None:
            raise UsageError("no section of this name is open to you: see `letterlock record grants`")
        hashes = grants_for(desk, arguments.readers, found)
        id_ = JsonDocument.decode(data).id
        notes = giver.withdraw(id_, hashes, arguments.reason, SubjectKind.SECTION)
        if arguments.output is not None:
            write_items(arguments.output, notes)
        gone = {each.hash for each in found if each.withdrawn is not None} | set(hashes)
        if arguments.store is None:
            left = (each for each in _beside(data) if _hash(each) not in gone)
            _rewrite(records, arguments.file, data, left)
    shown = {"withdrawn": [each.hex() for each in hashes]}
    report(arguments, shown, [f"{len(hashes)} grants withdrawn; what was read stays read"])


# --- files ------------------------------------------------------------------------------------------------


def _read(name: str) -> bytes:
    return read_text(name, MAX_SEALED_JSON)


def _data(arguments: Namespace, desk: DocumentDesk) -> bytes:
    """Return a sealed record from its file, or from a storage. Raises UsageError, BlobError, OSError."""
    if arguments.store is None:
        return _read(arguments.file)
    return _stored(desk, arguments.file, storage_in(arguments.store), partial(asked, arguments.home, ()))


def _before(arguments: Namespace, desk: DocumentDesk, blobs: "Blobs | None") -> bytes:
    """Return the sealed record of which a new version is sealed."""
    return _read(arguments.replaces) if blobs is None else _stored(desk, arguments.replaces, blobs)


def _stored(desk: DocumentDesk, typed: str, blobs: "Blobs", again: Callable[[], bool] = bool) -> bytes:
    id_ = id_in(typed)

    def found() -> bytes:
        with desk.user.transaction():
            number, names = json_names(shelf_behind(desk.documents), id_, None)
        return find_json(blobs, names, (id_, number))

    try:
        return found()
    except NoGrant:
        if not again():
            raise
        return found()


def _opened(
    desk: DocumentDesk, data: bytes, secret: LinkSecret | Password | None, again: Callable[[], bool]
) -> OpenedJson:
    """Open a record; if this user has no grant of it, once more after the relay was asked."""
    records = JsonDocuments(desk.user)
    try:
        return records.open(data, secret=secret)
    except (NoGrant, UnknownAuthor):
        if secret is not None or not again():
            raise
        return records.open(data)


def _beside(data: bytes) -> list[bytes]:
    return decode_bundle(JsonDocument.decode(data).grants)


def _hash(item: bytes) -> bytes:
    return Grant.decode(item).hash


def _rewrite(records: JsonDocuments, name: str, data: bytes, items: Iterable[bytes]) -> None:
    """Replace a sealed record by one with other grants in it. Raises UsageError, OSError."""
    if name == STANDARD_STREAM:
        raise UsageError("the record is replaced by one with other grants in it: name its file")
    changed = records.with_grants(data, items)
    with writer_to(name) as write:
        write(changed)


# --- sections ---------------------------------------------------------------------------------------------


def _described(name: str) -> dict[str, dict[str, Any]]:
    """Return what a file says of sections. Raises UsageError, OSError."""
    try:
        found: Any = json.loads(read_text(name, _MAX_SECTIONS))
    except (ValueError, RecursionError):
        found = None
    described = cast("dict[str, dict[str, Any]]", found if isinstance(found, dict) else {})
    if not described or not all(_is_description(each) for each in described.values()):
        raise UsageError(
            f"{Path(name).name} does not name sections: see `letterlock record seal --help` for its form"
        )
    return described


def _is_description(said: Any) -> bool:  # noqa: ANN401 - anything that JSON has
    if not isinstance(said, dict):
        return False
    told = cast("dict[str, Any]", said)
    texts = [told.get("purpose", ""), told.get("until", "")]
    lists: list[Any] = [told.get("fields", ""), told.get("for", [])]
    if not told.keys() <= _KEYS or not all(isinstance(each, list) for each in lists):
        return False
    return all(isinstance(each, str) for some in (texts, *lists) for each in some)


def _section(desk: DocumentDesk, name: str, said: dict[str, Any]) -> Section:
    conditions = conditions_in(said.get("purpose", ""), said.get("until"))
    readers = None if "for" not in said else readers_in(desk, said["for"])
    return Section(name, said["fields"], readers, conditions)


def _opened_json(desk: DocumentDesk, opened: OpenedJson) -> dict[str, Any]:
    return {
        "document": opened.id.hex(),
        "version": opened.version,
        "author": desk.documents.author(opened.signed_by),
        "author_id": opened.signed_by.signer.user_id.hex(),
        "device": opened.signed_by.signer.device_id,
        "sealed": opened.issued,
        "standing": opened.standing.value,
        "sections": {name: list(fields) for name, fields in opened.sections.items()},
        "hidden": [list(each) for each in opened.hidden],
        "value": json.loads(opened.text),
    }
