"""Histories: what was written to a group before a member came, as another member tells it.

    source     the content of a document for the newcomer, checked as it is read                   [GRP-52]
    letter     names the document to the newcomer's devices
    keep       a letter that arrived is noted, if its giver is a member of a group that wants it   [GRP-53]
    pass_on    to devices of this user that came later                                             [GRP-55]
    opened     the texts of a document, each judged before it is given out                         [GRP-54]

Who wrote a text, what and when is the giver's word: members sign texts with keys that only those know who
were there. So a history proves no more than its giver says, except for texts of the giver.

Every function runs inside the caller's transaction, but for what the iterators do, which need no store.

Not here: sealing and granting (documents/); the form of the content (_wire/group_history.py).
"""

from collections.abc import Iterable, Iterator
from typing import Final

from letterlock._primitives.dataclass import dataclass
from letterlock._records.collection import LogState
from letterlock._records.group import StandRecord
from letterlock._wire.collection_member import Member, Role, RoleChange
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import HistoryLetter
from letterlock._wire.group_history import HistoryHead, Pieces, ToldText, framed, read_history
from letterlock._wire.group_limits import MAX_HISTORY_BYTES, MAX_HISTORY_TEXTS
from letterlock._wire.group_text import SenderName
from letterlock._wire.log_entry import Action, LogEntry
from letterlock._wire.log_opening import GroupOpening
from letterlock.errors import UsageError
from letterlock.groups._desk import GroupDesk
from letterlock.groups._errors import GroupForked, InvalidGroupHistory
from letterlock.groups._history import hash_of
from letterlock.groups._letters import send
from letterlock.groups._values import GroupHistory, HistoryText
from letterlock.limits import MAX_COUNTER, MAX_PLAINTEXT
from letterlock.user._desk import Findings

_USER_ID_BYTES: Final = 32


# --- whoever gives ----------------------------------------------------------------------------------------


def source(at: GroupDesk, group: bytes, member: bytes, texts: Iterable[HistoryText]) -> Iterator[bytes]:
    """Return the content of a history for a member. Raises UsageError, also while it is iterated."""
    state = require_giving(at, group, member)
    head = HistoryHead(group, state.number, hash_of(at, group, state.number))
    return _pieces(head, _read_log(at, state, member)[0], texts)


def gives_history(state: LogState) -> bool:
    """Return whether a group gives newcomers what was written before, as its first entry says for good."""
    return isinstance(state.opening, GroupOpening) and state.opening.history


def require_giving(at: GroupDesk, group: bytes, member: bytes) -> LogState:
    """Return the newest state of a group whose history may be given to a member now. [GRP-52]"""
    if at.require(group).forked:
        raise GroupForked
    state = at.log.require(group)
    if not gives_history(state):
        raise UsageError("this group was made without `history`: its newcomers get nothing older")
    if state.role_of(at.user_id) is None:
        raise UsageError("you are no member of this group any more, and give nothing of it")
    if member == at.user_id or state.role_of(member) is None:
        raise UsageError("a history goes to another member of the group: add the user first")
    return state


def letter(at: GroupDesk, group: bytes, member: bytes, document: bytes, findings: Findings) -> None:
    """Name a document to the devices of a member, if it is one by now. Raises as `source` does."""
    state = require_giving(at, group, member)
    body = HistoryLetter(group, state.epoch, state.number, document).encode()
    send(at, {member: at.devices(member)}, ContentKind.GROUP_HISTORY, body, findings)


def _pieces(head: HistoryHead, writers: frozenset[bytes], texts: Iterable[HistoryText]) -> Iterator[bytes]:
    yield (piece := framed(head.encode()))
    size = len(piece)
    for count, each in enumerate(texts, 1):
        _check(each, writers)
        piece = framed(ToldText(each.user_id, each.time, each.text).encode())
        size += len(piece)
        if count > MAX_HISTORY_TEXTS or size > MAX_HISTORY_BYTES:
            raise UsageError(f"a history has at most {MAX_HISTORY_TEXTS} texts and {MAX_HISTORY_BYTES} bytes")
        yield piece


def _check(text: object, writers: frozenset[bytes]) -> None:
    """Raise UsageError for a text that whoever reads the history would refuse."""
    if not isinstance(text, HistoryText):
        raise UsageError("a history is made of HistoryText")
    if type(text.user_id) is not bytes or len(text.user_id) != _USER_ID_BYTES:
        raise UsageError(f"the user id of an author is {_USER_ID_BYTES} bytes")
    if type(text.time) is not int or not 0 <= text.time <= MAX_COUNTER:
        raise UsageError("the time of a text is in whole seconds since 1970")
    if type(text.text) is not bytes or len(text.text) > MAX_PLAINTEXT:
        raise UsageError(f"a text is bytes, at most {MAX_PLAINTEXT}")
    if text.user_id not in writers:
        raise UsageError("nobody of this user id could write before the member came: leave the text out")


# --- whoever gets it --------------------------------------------------------------------------------------


def keep(at: GroupDesk, stand: StandRecord, sender: SenderName, told: HistoryLetter) -> SenderName | None:
    """Note that a member gave a history; return who, if this user wants it and it is new. [GRP-53]"""
    group, state, own = told.group_id, at.log.require(told.group_id), at.user_id
    if not gives_history(state) or stand.forked or state.role_of(own) is None:
        return None
    giver = _giver_of(at, state, sender, told)
    if giver is None:
        return None
    is_new = at.histories.save(group, giver, told.document, at.desk.now())
    if sender.user_id == own:
        at.histories.note_told(group, giver.user_id, told.document, frozenset({sender.device}))
    return giver if is_new else None


def _giver_of(at: GroupDesk, state: LogState, sender: SenderName, told: HistoryLetter) -> SenderName | None:
    """Return who gave a history, or None if nobody who could. [GRP-53] [GRP-55]"""
    if sender.user_id != at.user_id:
        is_member = state.role_of(sender.user_id) is not None
        return sender if is_member and told.giver is None else None
    giver = told.giver
    if giver is None or giver.user_id == at.user_id or not _was_member(at, state, giver.user_id):
        return None
    return giver


def _was_member(at: GroupDesk, state: LogState, user_id: bytes) -> bool:
    """Return whether a user was a member after some entry: it may be gone by the time a device joins us."""
    entries = at.log.entries(state.log_id, 0, state.number)
    return any(user_id in _added(each) for each in entries)


def pass_on(at: GroupDesk, state: LogState, findings: Findings) -> None:
    """Tell other devices of this user of histories that they do not know: they came later. [GRP-55]"""
    group, devices = state.log_id, at.devices(at.user_id)
    for giver, document, new in at.histories.untold(group, devices) if devices else ():
        body = HistoryLetter(group, state.epoch, state.number, document, giver).encode()
        send(at, {at.user_id: new}, ContentKind.GROUP_HISTORY, body, findings)
        at.histories.note_told(group, giver.user_id, document, new)


def kept(at: GroupDesk, group: bytes) -> tuple[GroupHistory, ...]:
    """Return the histories of a group that members gave, the oldest first."""
    at.require(group)
    found = at.histories.of(group)
    return tuple(
        GroupHistory(group, document, sender.user_id, sender.device, at.name(sender.user_id), time)
        for sender, document, time in found
    )


@dataclass(frozen=True, slots=True)
class Judge:
    """What a history is judged by. It needs no store any more."""

    group: bytes
    givers: frozenset[bytes]
    writers: frozenset[bytes]
    names: dict[bytes, str]
    hashes: dict[int, bytes]

    def texts(self, author: bytes, pieces: Pieces) -> Iterator[HistoryText]:
        """Return the texts of the document, which this user sealed. [GRP-54]

        Raises InvalidGroupHistory and MalformedMessage, also while it is iterated.
        """
        if author not in self.givers:
            raise InvalidGroupHistory("another user sealed it than the one who gave it: discard it")
        head, told = read_history(pieces)
        if head.group_id != self.group:
            raise InvalidGroupHistory("it is the history of another group: discard it")
        if self.hashes.get(head.entry) != head.entry_hash:
            raise InvalidGroupHistory("its giver has another log of the group, or a newer one: ask the giver")
        return (self._judged(each, author) for each in told)

    def _judged(self, told: ToldText, giver: bytes) -> HistoryText:
        if told.user_id not in self.writers:
            raise InvalidGroupHistory("it names an author who could not write then: discard it")
        name = self.names.get(told.user_id)
        return HistoryText(told.user_id, told.time, told.text, name, by_giver=told.user_id == giver)


def judge(at: GroupDesk, group: bytes, document: bytes) -> Judge:
    """Return what a history is judged by. Raises UsageError for one that nobody gave, GroupForked."""
    if at.require(group).forked:
        raise GroupForked
    givers = frozenset(each.user_id for each in kept(at, group) if each.document == document)
    if not givers:
        raise UsageError("nobody gave this document as a history of the group")
    state = at.log.require(group)
    writers, hashes = _read_log(at, state, at.user_id)
    known = ((each, at.name(each)) for each in writers)
    names = {each: name for each, name in known if name is not None}
    return Judge(group, givers, writers, names, hashes)


def _read_log(at: GroupDesk, state: LogState, member: bytes) -> tuple[frozenset[bytes], dict[int, bytes]]:
    """Return who could write before the newest entry that made a user a member, and the hashes of entries."""
    writers, found, hashes = set[bytes](), frozenset[bytes](), dict[int, bytes]()
    for entry in at.log.entries(state.log_id, 0, state.number):
        hashes[entry.terms.number] = entry.hash
        if member in _added(entry):
            found = frozenset(writers)
        for each in entry.terms.changes:
            if isinstance(each, Member | RoleChange) and each.role >= Role.WRITER:
                writers.add(each.name.id)
    return found, hashes


def _added(entry: LogEntry) -> set[bytes]:
    if entry.terms.action not in {Action.CREATE, Action.ADD}:
        return set()
    return {each.name.id for each in entry.terms.changes if isinstance(each, Member)}
