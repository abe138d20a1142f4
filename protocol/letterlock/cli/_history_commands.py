"""The commands of `group` about what was written before a member came: give-history, histories, read-history.

    give    lines of `receive --json` in, one at a time; those of the group become a document
    read    judged to its end first, then printed

Not here: the other commands of `group` (_group_commands.py), what is checked (groups/).
"""

import base64
import json
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import TYPE_CHECKING, Any, Final, cast

from letterlock.cli._blob_storage import id_in, storage_in
from letterlock.cli._document_streams import plain_source
from letterlock.cli._group_commands import at_group, refreshed
from letterlock.cli._output import say, sync
from letterlock.cli._user_profile import name_of
from letterlock.cli._user_report import body_json, body_lines, print_json, printable, report, time_text
from letterlock.errors import UsageError
from letterlock.groups import Group, GroupHistory, HistoryText

if TYPE_CHECKING:
    from letterlock.client import SyncClient

_MAX_LINE: Final = 32 << 20
"""Bytes of a line: the longest text, as JSON writes it."""


def give(arguments: Namespace) -> None:
    """Give a newcomer what was before. Raises UsageError, TrustError, StoreError, BlobError, OSError."""
    member, blobs, counts = name_of(arguments.member), storage_in(arguments.store), Counter[str]()
    with at_group(arguments) as at, plain_source(arguments.file) as source:
        group = at.group(arguments.group)
        texts = _texts(source, group, _ids(at.client, group), counts)
        sealed = at.client.groups.histories.give(group.id, member, texts, blobs)
        refreshed(at.client)
    shown = {"document": sealed.id.hex(), "texts": counts["given"], "left_out": counts["other"]}
    lines = [
        f"{counts['given']} texts for {member}, document {sealed.id.hex()}",
        f"{counts['other']} lines of other conversations were left out",
    ]
    report(arguments, shown, lines)


def list_all(arguments: Namespace) -> None:
    """List what members gave. Raises UsageError, StoreError."""
    with at_group(arguments) as at:
        group = at.group(arguments.group)
        found = at.client.groups.histories.of(group.id)
    lines = [f"{each.document.hex()}, by {_giver(each)}, {time_text(each.time)}" for each in found]
    report(arguments, {"group": group.id.hex(), "histories": [_shown(each) for each in found]}, lines)


def read(arguments: Namespace) -> None:
    """Print what a member gave. Raises UsageError, PeerError, TrustError, StoreError, BlobError, OSError."""
    document, blobs = id_in(arguments.document), storage_in(arguments.store)
    with at_group(arguments) as at:
        group, histories = at.group(arguments.group), at.client.groups.histories
        given = next((each for each in histories.of(group.id) if each.document == document), None)
        if given is None:
            raise UsageError("nobody gave this document: `letterlock group histories` shows what there is")
        for _ in histories.read(group.id, document, blobs):  # judged to its end before anything is printed
            pass
        for each in histories.read(group.id, document, blobs):
            _print(arguments, group, given, each)
        sync()


# --- lines that are given ---------------------------------------------------------------------------------


def _ids(client: "SyncClient", group: Group) -> Mapping[str, bytes]:
    """Return the user ids of members by their names."""
    named = {each.name: each.user_id for each in group.members if each.name is not None}
    return named | {client.address.name: client.user_id}


def _texts(
    source: BufferedReader, group: Group, ids: Mapping[str, bytes], counts: Counter[str]
) -> Iterator[HistoryText]:
    """Yield the texts of a group, of one line at a time. Raises UsageError for a line that is none."""
    number = 0
    while line := source.readline(_MAX_LINE + 1):
        number += 1
        if len(line) > _MAX_LINE:
            raise UsageError(f"line {number} has more than {_MAX_LINE} bytes: no text is that long")
        if not line.strip():
            continue
        try:
            found = _line(line)
            if found.get("group") != group.id.hex():
                counts["other"] += 1
                continue
            text = _text(found, ids)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise UsageError(f"line {number} is not one that `letterlock receive --json` prints") from None
        counts["given"] += 1
        yield text


def _line(line: bytes) -> dict[str, Any]:
    """Return what a line holds. Raises ValueError, TypeError, RecursionError."""
    found: Any = json.loads(line)
    if type(found) is not dict:
        raise TypeError
    return cast("dict[str, Any]", found)


def _text(line: Mapping[str, Any], ids: Mapping[str, bytes]) -> HistoryText:
    """Return a text from its line. Raises ValueError, TypeError, KeyError."""
    author = line.get("user_id")
    user_id = ids[line["sender"]] if author is None else bytes.fromhex(author)
    if type(line["time"]) is not int or type(line.get("text", "")) is not str:
        raise TypeError
    body = line["text"].encode() if "text" in line else base64.b64decode(line["base64"], validate=True)
    return HistoryText(user_id, line["time"], body)


# --- what is shown ----------------------------------------------------------------------------------------


def _giver(given: GroupHistory) -> str:
    return given.name or f"somebody who is no contact, {given.user_id.hex()[:8]}"


def _shown(given: GroupHistory) -> dict[str, Any]:
    return {
        "document": given.document.hex(),
        "giver": given.name,
        "giver_id": given.user_id.hex(),
        "device": given.device,
        "time": given.time,
    }


def _print(arguments: Namespace, group: Group, given: GroupHistory, text: HistoryText) -> None:
    """Print a text like one that arrives, with whose word it is."""
    if arguments.json:
        shown = {"sender": text.name, "group": group.id.hex(), "group_name": group.name}
        shown |= {"user_id": text.user_id.hex(), "told_by": given.name, "told_by_id": given.user_id.hex()}
        print_json(
            {**shown, "certain": text.by_giver, "time": text.time, **body_json(text.text)}, indent=None
        )
        return
    author = text.name or f"somebody who is no contact, {text.user_id.hex()[:8]}"
    said = author if text.by_giver else f"{author}, as {_giver(given)} tells it"
    head = f"{said}, in {group.name or group.id.hex()}, {time_text(text.time)}:"
    say("\n".join([printable(head), *body_lines(text.text)]))
