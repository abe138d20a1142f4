"""Texts of groups: a relay stores each once, in order, and shows it to the devices of the members.

    send        a text of the calling device, after the newest entry of the group's log             [RLY-46]
    texts       what follows a number, to members alone                                             [RLY-48]
    parcel      8 bytes for when it was stored || text: a group's texts are a shelf whose parcels expire

Who is a member, and may write, the log says. The relay opens no text and verifies none.

Not here: the log (_collection_logs.py); the databases; sockets (the server).
"""

import asyncio
import hashlib
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from letterlock._records.collection import WRITABLE, LogState
from letterlock._wire.collection_member import Role
from letterlock._wire.group_text import GroupText, SenderName, TextPlace
from letterlock._wire.log_opening import LogKind
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_group import (
    GroupSendAnswer,
    GroupSendRequest,
    GroupTextsAnswer,
    GroupTextsRequest,
    StoredText,
    log_key,
    texts_key,
)
from letterlock._wire.relay_limits import MAX_FETCHED_BYTES
from letterlock._wire.relay_shelf import ShelfName
from letterlock.errors import PeerError
from letterlock.relay._limits import MEMBER_SHARE
from letterlock.relay._means import NOT_THERE, Means
from letterlock.relay._recent_logs import ReadLog
from letterlock.relay._reply import Refused
from letterlock.relay._session import Session
from letterlock.relay._shelves import News
from letterlock.relay._store import Put, ShelfPage, Watch
from letterlock.relay._waiting import read_until
from letterlock.relay._watchers import SHELF

_TIME: Final = struct.Struct(">Q")
_ATTEMPTS: Final = 3
"""How often a text is tried: with what was read lately, with what is there now, and once after a race."""


class GroupNews(News):
    """Tells the newest number of a group's texts, and whether the device may still see it."""

    __slots__ = ("_group", "_session", "_texts")

    def __init__(self, texts: "GroupTexts", session: Session, group: bytes, watch: Watch) -> None:
        super().__init__(texts.means, texts_key(group), watch)
        self._texts = texts
        self._session = session
        self._group = group

    async def check(self, now: int) -> None:
        """Raise Refused for a device whose user is no member any more. [RLY-51]"""
        await self._texts.check_reader(self._session, self._group, now)


class GroupTexts:
    """The calls `group-send` and `group-texts`, and what sockets are told of groups."""

    __slots__ = ("_draining", "means")

    def __init__(self, means: Means, draining: asyncio.Event) -> None:
        self.means = means
        self._draining = draining

    async def send(self, request: GroupSendRequest, session: Session, now: int) -> GroupSendAnswer:
        """Store a text of the caller, after the newest entry alone. A repeat keeps its number. [RLY-46]"""
        means = self.means
        head, _ = await means.check_messenger(session, now)
        text = text_of(request.text, SenderName(head.user_id, session.device))
        means.limits.texts.take((session.requester, text.place.group_id), now)
        return GroupSendAnswer(await self.keep(text, now))

    async def keep(self, text: GroupText, now: int) -> int:
        """Return the number of a text of its sender, which is stored or was. Raises Refused. [RLY-46]"""
        return await self._post(text.place, self._put(text, now), now)

    def _put(self, text: GroupText, now: int) -> Put:
        """Return a text as a parcel, with the bounds that hold for a member. [RLY-50]"""
        settings, place = self.means.settings, text.place
        return Put(
            texts_key(place.group_id),
            hashlib.sha256(text.encoded).digest(),
            ShelfName.of_user(place.sender.user_id).key,
            _TIME.pack(now) + text.encoded,
            settings.shelf_parcels,
            settings.shelf_bytes,
            settings.shelf_parcels // MEMBER_SHARE,
            settings.shelf_bytes // MEMBER_SHARE,
            now,
        )

    async def _post(self, place: TextPlace, put: Put, now: int) -> int:
        """Return the number of a text that is there, since now or since earlier. Raises Refused."""
        store, logs, key = self.means.store, self.means.logs, log_key(place.group_id)
        for attempt in range(_ATTEMPTS):
            log = await (logs.newest if attempt else logs.recent)(key, now)
            refusal = refusal_of(_state(log), place)
            if log is not None and refusal is None:
                posted = await store.post(put, key, log.head)
                if posted.number is not None:
                    return posted.number
                if posted.is_full:
                    raise Refused(RelayCode.FULL)
            elif refusal is not None and attempt:
                number = await store.shelved(put.shelf, put.hash)  # RLY-47: the answer was lost
                if number is not None:
                    return number
                raise refusal
        raise Refused(RelayCode.UNAVAILABLE, 1)

    async def texts(self, request: GroupTextsRequest, session: Session, now: int) -> GroupTextsAnswer:
        """Return texts after a number, in order, or wait for one. [RLY-48] [RLY-49]"""
        clock = asyncio.get_running_loop().time
        epoch, group = now - clock(), request.group
        await self.check_reader(session, group, now)
        page = await self._read(request)
        if not page.parcels and request.wait:
            page = await read_until(
                self.means.store.watch(texts_key(group), SHELF),
                lambda: self._read(request),
                lambda page: bool(page.parcels),
                request.wait,
                self._draining,
            )
            # The user may have been removed meanwhile, or the device revoked.
            await self.check_reader(session, group, int(epoch + clock()))
        return GroupTextsAnswer(page.newest, tuple(map(_stored, page.parcels)))

    async def _read(self, request: GroupTextsRequest) -> ShelfPage:
        key = texts_key(request.group)
        async with self.means.reads:
            return await self.means.store.shelf(key, request.after, request.most, MAX_FETCHED_BYTES)

    async def check_reader(self, session: Session, group: bytes, now: int) -> None:
        """Raise Refused, UNKNOWN, unless the user is a member by the newest entry. [RLY-48]"""
        head, _ = await self.means.check_messenger(session, now)
        logs, key = self.means.logs, log_key(group)
        if role_in(_state(await logs.recent(key, now)), head.user_id) is None:
            # Somebody may have added the user just now, by another process.
            require_member(_state(await logs.newest(key, now)), head.user_id)

    @asynccontextmanager
    async def watch(self, session: Session, group: bytes, now: int) -> AsyncGenerator[GroupNews]:
        """Watch the texts of a group. Raises Refused for a device whose user is no member. [RLY-51]"""
        await self.check_reader(session, group, now)
        async with self.means.store.watch(texts_key(group), SHELF) as watch:
            yield GroupNews(self, session, group, watch)


def text_of(encoded: bytes, caller: SenderName) -> GroupText:
    """Return a text of the calling device. Raises Refused. [RLY-46]"""
    try:
        text = GroupText.decode(encoded)
    except PeerError:
        raise Refused(RelayCode.REFUSED) from None
    if text.place.sender != caller:
        raise Refused(RelayCode.REFUSED)
    return text


def _state(log: ReadLog | None) -> LogState | None:
    return None if log is None else log.state


def role_in(log: LogState | None, user_id: bytes) -> Role | None:
    """Return the role of a user in a group; None for whoever is no member, and where there is no group."""
    return None if log is None or log.kind is not LogKind.GROUP else log.role_of(user_id)


def require_member(log: LogState | None, user_id: bytes) -> None:
    """Raise Refused, UNKNOWN, unless a user is a member by the newest entry. [RLY-48]"""
    if role_in(log, user_id) is None:
        raise Refused(RelayCode.UNKNOWN, NOT_THERE)


def refusal_of(log: LogState | None, place: TextPlace) -> Refused | None:
    """Return why a text may not be stored after the newest entry, or None. [RLY-46]"""
    role = role_in(log, place.sender.user_id)
    if log is None or role is None:
        return Refused(RelayCode.UNKNOWN, NOT_THERE)
    if role < Role.WRITER:
        return Refused(RelayCode.REFUSED)
    if place.entry != log.number:
        return Refused(RelayCode.STALE, log.number)
    if place.epoch != log.epoch or log.phase not in WRITABLE:
        return Refused(RelayCode.REFUSED)
    return None


def _stored(parcel: tuple[int, bytes]) -> StoredText:
    number, data = parcel
    (time,) = _TIME.unpack_from(data)
    return StoredText(number, time, data[_TIME.size :])
