"""The password of a user: what has to be in the store and at the servers before a lock of it is in force.

    begin, replace     a recovery device in the list, and its key in the store           ONE transaction
    open               the recovery key again, by the password until now                         one use
    lock               list, box, then a lock of the kept key                                   [CLN-27]

With the recovery key at hand, new halves follow where there is a second lock.                  [CLN-30]

Not here: what an application calls (_client_recovery.py).
"""

from collections.abc import Mapping
from dataclasses import replace

from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._wire.second_lock_notices import NoticePlace
from letterlock.client._errors import RelayUnavailable
from letterlock.client._identity import prove_identities
from letterlock.client._opening_lock import open_lock, tell_success
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_desk import RecoveryDesk
from letterlock.client._recovery_rows import RecoveryChange, RecoveryPlace
from letterlock.client._recovery_values import IdentityAnswer
from letterlock.client._second_lock_rows import NOWHERE, OFF, Places, ProvenPlace
from letterlock.errors import UsageError
from letterlock.recovery import Hardness, RecoveryKey, enrol
from letterlock.recovery._device import recovery_device


class PasswordDesk(Uncopyable):
    """How a password is set and used on one client."""

    __slots__ = ("_desk",)

    def __init__(self, desk: RecoveryDesk) -> None:
        self._desk = desk

    # --- in the store -------------------------------------------------------------------------------------

    def begin(self, url: str) -> None:
        """Put a recovery device into the list, or go on with one that is not finished."""
        tables, place = self._desk.tables, self._desk.tables.place()
        if self._desk.going_on() is not None:
            tables.save_place(replace(place or RecoveryPlace(url), key_server=url))
            return
        if recovery_device(self._desk.chain()) is not None:
            raise UsageError(
                "the user has a recovery device: call `change_password`, also without the old one"
            )
        self._enrol(url, is_first=True)

    def place(self, url: str | None) -> RecoveryPlace:
        """Return where recovery stands, with this key server if one is named."""
        tables, place = self._desk.tables, self._desk.tables.place()
        if url is not None:
            place = RecoveryPlace(url) if place is None else replace(place, key_server=url)
            tables.save_place(place)
        if place is None or not place.key_server or recovery_device(self._desk.chain()) is None:
            raise UsageError("recovery was not set up on this device: call `setup`, or name the `key_server`")
        return place

    def replace(self, place: RecoveryPlace) -> None:
        """Put a new recovery device in the place of the one before, in one transaction."""
        if self._desk.going_on() is not None:
            return
        before = recovery_device(self._desk.chain())
        if before is not None:
            self._desk.office.queue.revoke(before.id)
        self._enrol(place.key_server, is_first=False)

    def renew(self) -> None:
        """Put a recovery device into the list, if a first login took the one before out. [REC-52]"""
        place = self._desk.tables.place()
        if place is not None and recovery_device(self._desk.chain()) is None:
            self._enrol(place.key_server, is_first=False)

    def _enrol(self, url: str, *, is_first: bool) -> None:
        key = RecoveryKey(system_entropy(KEY_BYTES))
        enrolled = enrol(self._desk.office.queue.user, key)
        self._desk.tables.save_place(RecoveryPlace(url, enrolled.card))
        self._desk.tables.save_change(RecoveryChange(key, is_first))
        # Halves that are left of an earlier recovery device go. A first one has chosen no second lock.
        self._desk.second.begin(key, OFF if is_first else None, is_new=True)

    def _opened(self, key: RecoveryKey, delay: int | None, places: Places) -> None:
        if not self._desk.is_listed(key):
            raise UsageError("the recovery device was replaced since: call this without the old password")
        self._desk.tables.save_change(RecoveryChange(key, is_first=False))
        self._desk.second.begin(key, delay, is_new=False, places=places)

    # --- with the servers -----------------------------------------------------------------------------------

    async def open(
        self, old: str, identities: Mapping[int, IdentityAnswer], delay: int | None = None
    ) -> None:
        """Keep the recovery key that the old password opens.

        `delay` is that of a second lock to be made, with notices to the addresses that were just proven.
        """
        desk = self._desk
        calls, user_id = await desk.calls(), desk.office.queue.user.user_id
        await prove_identities(calls, identities, user_id, desk.office.queue.tables.clock)
        opened = await open_lock(calls, user_id, old)
        await tell_success(calls, opened)
        places = NOWHERE if delay is None else _places(identities, calls.passes)
        await desk.office.run(self._opened, opened.key, delay, places)

    async def lock(self, password: str, hardness: Hardness) -> None:
        """Bring a lock of the kept key into force, after list and box. [CLN-27]"""
        await self._desk.upload()
        if await self._desk.office.run(self._desk.going_on) is None:
            raise UsageError("another device set recovery up at the same time: its password is in force")
        calls = await self._desk.calls()
        await self.fill(calls)
        await self._desk.lock(calls).make(password, hardness)

    async def fill(self, calls: RecoveryCalls) -> None:
        """Have the relay keep the box of today: without it, the password opens nothing."""
        if not await self._desk.box.keep(calls):
            raise UsageError("the card of the recovery device is not at the relay: call `change_password`")
        if await self._desk.office.run(self._desk.box.lacks):
            raise RelayUnavailable("a document key of another device is on its way: call this again soon")

    def __repr__(self) -> str:
        return "<PasswordDesk>"


def _places(identities: Mapping[int, IdentityAnswer], passes: Mapping[int, bytes]) -> Places:
    """Return where the servers can send notices: to what was just proven there."""

    def place(server: int) -> ProvenPlace | None:
        answer, pass_ = identities.get(server), passes.get(server)
        if answer is None or answer.claim is None or pass_ is None:
            return None
        return ProvenPlace(NoticePlace(answer.kind, answer.claim.encode()), pass_)

    return place(1), place(2)
