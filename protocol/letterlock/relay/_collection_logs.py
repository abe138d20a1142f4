"""Logs of collections and groups: the relay puts entries in order by compare-and-swap, and keeps garbage out.

    rules       of documents/_log_rules.py, over the state that is kept beside the log              [RLY-41]
    signature   of a device that the newest list of the caller's user has
    order       an entry follows the newest one, by its number and the hash that it names           [RLY-42]

Members check all of it again. A relay can withhold entries, and make none.

Not here: the databases; what members do with a log (documents/).
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from letterlock._records.collection import LogState, decode_log, encode_log
from letterlock._wire.collection_limits import MAX_COLLECTION_ENTRY
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import Snapshot
from letterlock._wire.log_entry import LogEntry
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_LOG_BYTES, MAX_LOG_ENTRIES
from letterlock._wire.relay_log import LogAnswer, LogAppendAnswer, LogAppendRequest, LogRequest
from letterlock._wire.relay_shelf import ShelfName
from letterlock.documents._errors import UnknownAuthor
from letterlock.documents._leaves import verify_leaf
from letterlock.documents._log_rules import follow
from letterlock.documents._signing import Standing
from letterlock.errors import PeerError
from letterlock.limits import MAX_DEVICE_LIST
from letterlock.relay._means import NOT_THERE, Means
from letterlock.relay._reply import Refused
from letterlock.relay._session import Session
from letterlock.relay._store import Head, LogHead
from letterlock.stores import Record

_ATTEMPTS: Final = 3
"""How often an entry is tried that lost a race without a newer one. Only a store that fails does that."""


class CollectionLogs:
    """The calls `log` and `log-append`."""

    __slots__ = ("_means",)

    def __init__(self, means: Means) -> None:
        self._means = means

    async def log(self, request: LogRequest, session: Session, now: int) -> LogAnswer:
        """Return entries after a number, to whoever knows the id of the log. [RLY-44]"""
        means, key = self._means, ShelfName.of_collection(request.collection).key
        await means.check(session, now)
        log = await means.store.log_head(key)
        if log is None:
            raise Refused(RelayCode.UNKNOWN, NOT_THERE)
        return LogAnswer(log.number, await self._entries(key, request.after))

    async def append(self, request: LogAppendRequest, session: Session, now: int) -> LogAppendAnswer:
        """Append an entry of the caller's user, unless another one came first. A repeat is done. [RLY-42]"""
        means = self._means
        account, head, _ = await means.check_owner(session, now)
        means.limits.entries.take(session.requester, now)
        entry = await means.run(lambda: _read(request.entry, head.user_id))
        if entry.terms.number == 1:
            means.limits.logs.take(session.requester, now)
        signer = await self._signer(account, head, entry)
        key = ShelfName.of_collection(entry.log_id).key
        for _ in range(_ATTEMPTS):
            before = await means.store.log_head(key)
            newest = 0 if before is None else before.number
            if entry.terms.number != newest + 1 or _names_another(entry, before):
                return await self._not_next(key, newest, entry)
            after = await means.run(partial(_checked, before, entry, signer))
            if await means.store.log_append(key, before, request.entry, after):
                means.logs.forget(key)
                return LogAppendAnswer(is_taken=True, newest=after.number, entries=())
        raise Refused(RelayCode.UNAVAILABLE, 1)

    async def _signer(self, account: bytes, head: Head, entry: LogEntry) -> "_Signer":
        """Return the device lists by which the signature is checked. Raises Refused, REFUSED."""
        store, version = self._means.store, entry.signed_by.signer.list_version
        if version > head.version:
            raise Refused(RelayCode.REFUSED)
        named, newest = [
            await store.lists(account, each - 1, 1, MAX_DEVICE_LIST) for each in (version, head.version)
        ]
        if not named or not newest:
            raise Refused(RelayCode.REFUSED)
        return _Signer(head.user_id, named[0], newest[0])

    async def _not_next(self, key: bytes, newest: int, entry: LogEntry) -> LogAppendAnswer:
        """Return the answer to an entry that does not follow the newest one. [RLY-42]"""
        number = entry.terms.number
        near = await self._means.store.log_entries(key, max(0, number - 2), 2, MAX_COLLECTION_ENTRY * 2)
        hashes = {found.terms.number: found.hash for found in map(LogEntry.decode, near)}
        if hashes.get(number) == entry.hash:
            return LogAppendAnswer(is_taken=True, newest=newest, entries=())
        is_fork = number - 1 in hashes and hashes[number - 1] != entry.terms.before
        lacking = await self._entries(key, max(0, number - 2 if is_fork else number - 1))
        return LogAppendAnswer(is_taken=False, newest=newest, entries=lacking)

    async def _entries(self, key: bytes, after: int) -> tuple[bytes, ...]:
        async with self._means.reads:
            return tuple(await self._means.store.log_entries(key, after, MAX_LOG_ENTRIES, MAX_LOG_BYTES))


@dataclass(frozen=True, slots=True)
class _Signer:
    """The device lists of one user: that which a signature names, and the newest one, both encoded."""

    user_id: bytes
    named: bytes
    last: bytes

    def newest(self, user_id: bytes) -> Snapshot | None:
        """See documents/_signing.py."""
        return DeviceList.decode(self.last).snapshot if user_id == self.user_id else None

    def version(self, user_id: bytes, version: int) -> DeviceList | None:
        """See documents/_signing.py."""
        named = DeviceList.decode(self.named)
        return named if (user_id, version) == (self.user_id, named.snapshot.version) else None


def _read(encoded: bytes, user_id: bytes) -> LogEntry:
    """Return an entry. Raises Refused, REFUSED, unless a device of this user signed it. [RLY-41]"""
    try:
        entry = LogEntry.decode(encoded)
    except PeerError:
        raise Refused(RelayCode.REFUSED) from None
    if entry.author != user_id:
        raise Refused(RelayCode.REFUSED)
    return entry


def _names_another(entry: LogEntry, before: LogHead | None) -> bool:
    return before is not None and entry.terms.before != before.hash


def _checked(before: LogHead | None, entry: LogEntry, signer: _Signer) -> LogHead:
    """Return what the log comes to with an entry. Raises Refused, REFUSED, if it breaks a rule. [RLY-41]"""
    state: LogState | None = None if before is None else decode_log(Record(before.state))
    try:
        after = follow(state, entry)
        standing = verify_leaf(signer, entry.leaf, entry.place, entry.signed_by)
    except (PeerError, UnknownAuthor):
        raise Refused(RelayCode.REFUSED) from None
    if standing is not Standing.LISTED:
        raise Refused(RelayCode.REFUSED)
    return LogHead(after.number, after.head, encode_log(after).expose())
