"""Shelves: parcels for a user, or for whoever reads a collection, until somebody takes them away.

    user            put there by anybody who knows the user id; shown to the user's own devices     [RLY-37]
    collection      put there by anybody who knows the id, and shown to the same
    group           put there by members, and shown to whoever knows the id                         [RLY-61]

A flood is bounded twice: what one user may put on a shelf of somebody else is a sixteenth of it, and an
eighth is left to the owner.                                                                        [RLY-38]

Not here: what parcels hold (_wire/parcel.py); logs of collections (_collection_logs.py).
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from letterlock._records.collection import decode_log
from letterlock._wire.collection_member import Role
from letterlock._wire.log_opening import LogKind
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_error import RelayCode
from letterlock._wire.relay_limits import MAX_SHELF_BYTES
from letterlock._wire.relay_shelf import (
    ShelfAnswer,
    ShelfKind,
    ShelfName,
    ShelfRequest,
    ShelveAnswer,
    ShelveOutcome,
    ShelveRequest,
    UnshelveRequest,
    parcel_hash,
)
from letterlock.limits import MAX_COUNTER
from letterlock.relay._limits import OWNERS_SHARE, PUTTER_SHARE
from letterlock.relay._means import NOT_THERE, Means
from letterlock.relay._reply import Refused
from letterlock.relay._session import Session
from letterlock.relay._store import Put, Watch
from letterlock.relay._watchers import SHELF
from letterlock.stores import Record


class News:
    """Tells the newest number on a shelf, as often as a parcel came."""

    __slots__ = ("_key", "_means", "_told", "_watch")

    def __init__(self, means: Means, key: bytes, watch: Watch) -> None:
        self._means = means
        self._key = key
        self._watch = watch
        self._told: int | None = None

    async def next(self, seconds: float) -> int | None:
        """Return the number if it was not told yet, at once; or None after so many seconds without one.

        Raises StoreError.
        """
        newest = await self._newest()
        if newest == self._told and await self._watch.wait(seconds):
            newest = await self._newest()
        if newest == self._told:
            return None
        self._told = newest
        return newest

    async def _newest(self) -> int:
        return (await self._means.store.shelf(self._key, MAX_COUNTER, 1, 1)).newest


class Shelves:
    """The calls `shelve`, `shelf` and `unshelve`."""

    __slots__ = ("_means",)

    def __init__(self, means: Means) -> None:
        self._means = means

    async def shelve(self, request: ShelveRequest, session: Session, now: int) -> ShelveAnswer:
        """Put parcels on shelves. What is there already stays as it is. [RLY-35]"""
        means = self._means
        head, _ = await means.check_now(session, now)
        means.limits.shelvings.take(session.requester, now)
        own = ShelfName.of_user(head.user_id)
        names = dict.fromkeys(shelf for shelf, _ in request.parcels)
        for name in names:
            if name != own:
                means.limits.target(session.requester, name.key, now)
        found = await asyncio.gather(*(self._takes(name, head.user_id) for name in names))
        known = dict(zip(names, found, strict=True))
        puts = [self._put(name, parcel, own) for name, parcel in request.parcels if known[name]]
        stored = iter(await means.store.shelve(puts) if puts else ())
        return ShelveAnswer(
            tuple(_outcome(next(stored) if known[name] else None) for name, _ in request.parcels)
        )

    def _put(self, name: ShelfName, parcel: bytes, own: ShelfName) -> Put:
        """Return a parcel with the bounds that hold for whoever puts it there. [RLY-38]"""
        settings = self._means.settings
        parcels, size = settings.shelf_parcels, settings.shelf_bytes
        limits = (parcels, size, parcels, size)
        if name != own:
            limits = (
                parcels - parcels // OWNERS_SHARE,
                size - size // OWNERS_SHARE,
                parcels // PUTTER_SHARE,
                size // PUTTER_SHARE,
            )
        return Put(name.key, parcel_hash(parcel), own.key, parcel, *limits)

    async def _is_known(self, name: ShelfName) -> bool:
        """Return whether there is such a user, or such a log. Otherwise nobody would ever look. [RLY-35]"""
        store = self._means.store
        if name.kind is ShelfKind.USER:
            return await store.user(name.id) is not None
        return await store.log_head(name.key) is not None

    async def _takes(self, name: ShelfName, user_id: bytes) -> bool:
        """Return whether a user may put parcels on a shelf: on that of a group, only members may. [RLY-61]"""
        if name.kind is ShelfKind.USER:
            return await self._is_known(name)
        log = await self._means.store.log_head(name.key)
        state = None if log is None else decode_log(Record(log.state))
        return state is not None and (state.kind is not LogKind.GROUP or state.role_of(user_id) is not None)

    async def shelf(self, request: ShelfRequest, session: Session, now: int) -> ShelfAnswer:
        """Return parcels of the caller's own shelf, or of a collection whose id the caller knows. [RLY-37]"""
        means, name = self._means, request.shelf
        if name.kind is ShelfKind.USER:
            _, head, _ = await means.check_owner(session, now)
            if name.id != head.user_id:
                raise Refused(RelayCode.UNKNOWN, NOT_THERE)
        else:
            await means.check(session, now)
            if not await self._is_known(name):
                raise Refused(RelayCode.UNKNOWN, NOT_THERE)
        async with means.reads:
            page = await means.store.shelf(name.key, request.after, request.most, MAX_SHELF_BYTES)
        return ShelfAnswer(page.newest, page.parcels)

    @asynccontextmanager
    async def watch(self, session: Session, now: int) -> AsyncGenerator["News"]:
        """Watch the shelf of the caller's user. Raises Refused for a device that may not see it. [RLY-37]"""
        _, head, _ = await self._means.check_owner(session, now)
        key = ShelfName.of_user(head.user_id).key
        async with self._means.store.watch(key, SHELF) as watch:
            yield News(self._means, key, watch)

    async def unshelve(self, request: UnshelveRequest, session: Session, now: int) -> DoneAnswer:
        """Take parcels away that the caller put there, or that are on a shelf of its own. [RLY-39]

        All others are passed over: whoever knows a hash learns nothing of whether the parcel is there.
        """
        means, name = self._means, request.shelf
        _, head, _ = await means.check_owner(session, now)
        putter = None if await self._owns(name, head.user_id) else ShelfName.of_user(head.user_id).key
        await means.store.unshelve(name.key, request.hashes, putter)
        return DoneAnswer()

    async def _owns(self, name: ShelfName, user_id: bytes) -> bool:
        """Return whether a shelf is this user's own, or of a collection in which the user is an admin."""
        if name.kind is ShelfKind.USER:
            return name.id == user_id
        log = await self._means.store.log_head(name.key)
        return log is not None and decode_log(Record(log.state)).has_role(user_id, Role.ADMIN)


def _outcome(is_there: bool | None) -> ShelveOutcome:  # noqa: FBT001 - None: there is no shelf
    if is_there is None:
        return ShelveOutcome.UNKNOWN
    return ShelveOutcome.STORED if is_there else ShelveOutcome.FULL
