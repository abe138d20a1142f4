"""The commands that take back: `revoke`, of grants or of a device, and `erase`, of keys.

Not here: `user revoke`, which takes a device out of lists in an exchange folder (_linking_commands.py).
"""

import sys
from argparse import Namespace
from collections.abc import Iterable

from letterlock._wire.grant_bundle import encode_bundle
from letterlock._wire.grant_recipient import RecipientKind
from letterlock.cli._blob_storage import all_names, storage_in
from letterlock.cli._document_desk import (
    TEAM,
    DocumentDesk,
    collection_in,
    document_in,
    known_name,
)
from letterlock.cli._giving import giving
from letterlock.cli._output import say
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._parsing import STANDARD_STREAM
from letterlock.cli._profile import require_clock
from letterlock.cli._relay_desk import exchange, relay_of, require_relay
from letterlock.cli._share_commands import rewrite, write_items
from letterlock.cli._user_report import report
from letterlock.documents import Granted
from letterlock.errors import UsageError

_LEAST_DIGITS = 8


def revoke(arguments: Namespace) -> None:
    """Take back grants, or a device. Raises UsageError, PeerError, TrustError, StoreError, OSError."""
    require_clock()
    if (arguments.file is None) == (arguments.device is None):
        raise UsageError(
            "what is to be taken back? name a sealed FILE, or a device of your own with --device ID"
        )
    if arguments.device is not None:
        _revoke_device(arguments)
        return
    if not arguments.readers and not arguments.grant:
        raise UsageError(
            "from whom? give --for READER or --grant HASH, as `letterlock grants FILE` shows them"
        )
    if arguments.output is not None:
        require_output(arguments.output, binary=True, replace=arguments.force)
    with giving(arguments.home, ()) as giver, document_in(giver.desk, arguments.file) as (id_, _, source):
        hashes = _chosen(giver.desk, arguments, id_)
        notes = giver.withdraw(id_, hashes, arguments.reason)
        if arguments.output is not None:
            write_items(arguments.output, notes)
        if source is not None and arguments.file != STANDARD_STREAM:
            rewrite(arguments.file, source, (), hashes)
    shown = {"document": id_.hex(), "withdrawn": [each.hex() for each in hashes]}
    report(arguments, shown, [f"{len(hashes)} grants withdrawn; what was read stays read"])


def _chosen(desk: DocumentDesk, arguments: Namespace, id_: bytes) -> list[bytes]:
    """Return the hashes of this user's grants that were named. Raises UsageError if one names none."""
    found = _own(desk, desk.documents.grants(id_))
    chosen = dict.fromkeys(grants_for(desk, arguments.readers, found))
    for typed in arguments.grant:
        matching = [each for each in found if each.hash.hex().startswith(typed.lower())]
        if len(typed) < _LEAST_DIGITS or len(matching) != 1:
            raise UsageError(
                f"--grant {typed} names no grant of yours: give {_LEAST_DIGITS} digits of its hash"
            )
        chosen[matching[0].hash] = None
    return list(chosen)


def grants_for(desk: DocumentDesk, readers: Iterable[str], found: Iterable[Granted]) -> list[bytes]:
    """Return the hashes of this user's grants to these readers. Raises UsageError for one of none."""
    given, chosen = _own(desk, found), dict[bytes, None]()
    for typed in readers:
        wanted = _reader_id(desk, typed)
        kind = RecipientKind.COLLECTION if typed.startswith(TEAM) else RecipientKind.USER
        matching = [each for each in given if (each.reader_id, each.recipient) == (wanted, kind)]
        if not matching:
            raise UsageError(f"no grant of yours lets {typed} open this: see `letterlock grants`")
        chosen |= dict.fromkeys(each.hash for each in matching)
    return list(chosen)


def _own(desk: DocumentDesk, found: Iterable[Granted]) -> list[Granted]:
    """Return those grants that this user made to others, and that hold."""
    own = desk.user.user_id
    return [
        each for each in found if each.granter_id == own and each.withdrawn is None and each.reader_id != own
    ]


def _reader_id(desk: DocumentDesk, typed: str) -> bytes:
    if typed.startswith(TEAM):
        return collection_in(desk, typed).id
    name = known_name(desk, typed)
    return desk.user.user_id if name == desk.user.name else desk.user.contact(name).user_id


def _revoke_device(arguments: Namespace) -> None:
    if arguments.readers or arguments.grant or arguments.output is not None:
        raise UsageError("a device is taken back alone: leave the options for grants out")
    with relay_of(arguments.home) as found:
        client = require_relay(found)
        client.revoke(arguments.device)
        exchange(client)
    report(arguments, {"device": arguments.device}, [f"device {arguments.device} is revoked"])


def erase(arguments: Namespace) -> None:
    """Destroy the keys of a document. Raises UsageError, PeerError, StoreError, OSError."""
    require_clock()
    require_output(arguments.output, binary=True, replace=arguments.force)
    with giving(arguments.home, ()) as giver, document_in(giver.desk, arguments.file) as (id_, _, __):
        if not arguments.yes:
            _confirm()
        if arguments.store is not None:
            blobs = storage_in(arguments.store)
            for name in all_names(giver.desk, id_):  # while the keys are here that name them
                blobs.delete(name)
        with writer_to(arguments.output) as write:
            write(encode_bundle(giver.erase(id_, arguments.reason)))
    if arguments.output not in {None, STANDARD_STREAM}:
        report(
            arguments, {"document": id_.hex()}, ["the keys are destroyed: this profile can no longer open it"]
        )


def _confirm() -> None:
    """Ask. Raises UsageError unless the answer is yes."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("the keys are destroyed for good: repeat the command with --yes")
    say("the keys of this document are destroyed for good; type yes to go on:")
    if sys.stdin.readline().strip().lower() != "yes":
        raise UsageError("nothing was erased")
