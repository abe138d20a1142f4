"""Groups of residents of a relay: logs that are signed as by real clients, and texts that nobody can open.

group_log     the log of one group
text_of       a text of a device, after the newest entry unless the test says otherwise
begun         a group that the first of some people began
"""

import os
from typing import Any

from letterlock._wire.collection_member import Member, Role
from letterlock._wire.group_text import GroupText, SenderName, TextPlace
from letterlock._wire.log_entry import Action, Change, LogEntry
from letterlock._wire.log_opening import LogKind
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_group import (
    GroupSendAnswer,
    GroupSendRequest,
    GroupTextsAnswer,
    GroupTextsRequest,
    StoredText,
)
from letterlock._wire.relay_log import LogAppendAnswer, LogAppendRequest
from support.relay_logs import SignedLog, user_member
from support.relay_town import Resident, Town


def group_log(author: Resident, *members: Member, device: int = 1) -> SignedLog:
    """Return the log of a group, made by a resident who is its admin."""
    return SignedLog(author, *members, device=device, kind=LogKind.GROUP)


def text_of(log: SignedLog, author: Resident, device: int = 1, size: int = 100, **changed: Any) -> bytes:
    """Return an encoded text of a device after the newest entry, of random bytes."""
    fields: dict[str, Any] = {
        "group_id": log.id,
        "epoch": log.state.epoch,
        "entry": log.state.number,
        "sender": SenderName(author.user_id, device),
        "number": 0,
    }
    return GroupText.signed_with(TextPlace(**fields | changed), os.urandom(size), os.urandom(64)).encoded


async def append(caller: Resident, entry: LogEntry, device: int = 1) -> LogAppendAnswer:
    request = LogAppendRequest(entry.encode())
    return await caller.town.get(LogAppendAnswer, request, caller.tokens[device])


async def gone_on(log: SignedLog, caller: Resident, action: Action, *changes: Change, **fields: Any) -> None:
    """Append an entry that must be taken."""
    assert (await append(caller, log.keep(log.make(caller, action, *changes, **fields)))).is_taken


async def begun(town: Town, *names: str, role: Role = Role.WRITER) -> tuple[SignedLog, list[Resident]]:
    """Return a group that the first of some people began, with the others as members."""
    people = [await Resident(town, each).move_in() for each in names]
    log = group_log(people[0], *(user_member(each, role) for each in people[1:]))
    assert (await append(people[0], log.entries[0])).is_taken
    return log, people


async def sent(caller: Resident, text: bytes, device: int = 1) -> int:
    """Send a text, and return its number."""
    request = GroupSendRequest(text)
    return (await caller.town.get(GroupSendAnswer, request, caller.tokens[device])).number


async def shown(
    caller: Resident, group: bytes, after: int = 0, *, device: int = 1, most: int = 100, wait: int = 0
) -> tuple[StoredText, ...]:
    """Return what a device is shown of a group."""
    request = GroupTextsRequest(group, after, most, wait)
    return (await caller.town.get(GroupTextsAnswer, request, caller.tokens[device])).texts


async def refuses(
    caller: Resident, code: RelayCode, text: bytes, device: int = 1, number: int | None = None
) -> None:
    """Require that the relay refuses a text of a device, and names this number if one is given."""
    await caller.town.refuses(code, GroupSendRequest(text), caller.tokens[device], number)
