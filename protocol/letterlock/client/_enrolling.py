"""One user whom an application enrols, step by step; the store knows after each one how far it has come.

    made          recovery key, device list, box: saved before anybody is told                       [REC-53]
    registered    the name, at the relay; the same again changes nothing
    box           at the relay
    bound         where a server checks who asks
    lock          at both servers; the recovery key is deleted with the last call

A step that is repeated changes nothing, so what was interrupted goes on, and no name gets a second user.

Not here: many users (_enrolment.py); the first login (_recovering.py).
"""

from dataclasses import replace
from typing import Final

from letterlock._primitives.composite import DeviceSigningKeyPair
from letterlock._primitives.entropy import Clock, system_entropy
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._wire.recovery_kept import PutBox
from letterlock._wire.relay_body import DoneAnswer
from letterlock.client._connection import Connection
from letterlock.client._enrolment_rows import EnrolmentRecord, decode_enrolment, encode_enrolment
from letterlock.client._enrolment_values import NewUser
from letterlock.client._errors import NameTaken
from letterlock.client._identity import prove
from letterlock.client._lock_change import LockChange
from letterlock.client._opening import register
from letterlock.client._recovery_box import RELAY, signed_keeping
from letterlock.client._recovery_calls import RecoveryCalls
from letterlock.client._recovery_rows import RecoveryChange, RecoveryTables
from letterlock.client._table import Table
from letterlock.client._thread import StoreThread
from letterlock.recovery import EnrolledAhead, Hardness, RecoveryKey, bind_identity, device_keys, enrol_ahead
from letterlock.recovery._signing import UNSIGNED
from letterlock.stores import EntryKind, Store
from letterlock.user._creation import FIRST_DEVICE

_FIRST_BOX: Final = 1


class Enrolling(Uncopyable):
    """The enrolment of one user. `calls` are to both servers, and of this user alone."""

    __slots__ = ("_calls", "_clock", "_hardness", "_key", "_rows", "_tables", "_thread", "_user")

    def __init__(
        self, user: NewUser, thread: StoreThread, calls: RecoveryCalls, hardness: Hardness, clock: Clock
    ) -> None:
        self._user = user
        self._key = user.name.encode()
        self._thread = thread
        self._calls = calls
        self._hardness = hardness
        self._clock = clock
        self._rows = _rows(thread.store)
        self._tables = RecoveryTables(thread.store, self._key)

    async def run(self, relay: Connection) -> bytes:
        """Do what is missing, and return the user id.

        Raises NameTaken, TicketRefused, RecoveryRefused, IdentityRefused, ServerAtFault; RelayUnavailable,
        RelayMisbehaves; UsageError, StoreError.
        """
        record, change = await self._thread.run(self._begun)
        if record.made is None or change is None:
            await self._thread.run(self._done)
            return record.user_id
        self._calls.lists = (record.made.device_list.encode(),)
        try:
            await register(relay, self._user.name, self._calls.lists, self._user.ticket)
        except NameTaken:
            await self._thread.run(self._forget)  # nobody has heard of what was made
            raise
        signing = device_keys(change.key).signing
        await self._calls.at(RELAY, _keeping(record, record.made, signing), DoneAnswer)
        for server, answer in sorted(self._user.identities.items()):
            proven = await prove(self._calls, server, answer, self._clock)
            if proven.pass_ is not None:
                call = bind_identity(server, record.user_id, proven.pass_, FIRST_DEVICE, signing)
                await self._calls.at(server, call, DoneAnswer)
        lock = LockChange(self._thread, record.user_id, self._tables, self._calls)
        await lock.make(self._user.password, self._hardness)
        await self._thread.run(self._done)
        return record.user_id

    # --- in the store -------------------------------------------------------------------------------------

    def _begun(self) -> tuple[EnrolmentRecord, RecoveryChange | None]:
        """Return how far it has come. A recovery key that is not kept yet is kept now. [REC-53]"""
        record = self._rows.load(self._key)
        if record is not None:
            return record, self._tables.change()
        key = RecoveryKey(system_entropy(KEY_BYTES))
        made = enrol_ahead(self._user.name, key, clock=self._clock)
        record, change = EnrolmentRecord(made.device_list.hash, made), RecoveryChange(key, is_first=True)
        self._rows.save(self._key, record, None)
        self._tables.save_change(change)
        return record, change

    def _done(self) -> None:
        record = self._rows.load(self._key)
        if record is not None and self._tables.change() is None:
            self._rows.save(self._key, replace(record, made=None), None)

    def _forget(self) -> None:
        self._rows.delete(self._key)
        self._tables.save_change(None)


def is_done(store: Store, name: str) -> bool:
    """Return whether a user is enrolled. In the store."""
    record = _rows(store).load(name.encode())
    return record is not None and record.made is None


def _rows(store: Store) -> Table[EnrolmentRecord]:
    return Table(store, EntryKind.ENROLMENT, encode_enrolment, decode_enrolment)


def _keeping(record: EnrolmentRecord, made: EnrolledAhead, signing: DeviceSigningKeyPair) -> PutBox:
    put = PutBox(record.user_id, _FIRST_BOX, made.card, made.box, FIRST_DEVICE, UNSIGNED)
    return replace(put, by=signed_keeping(signing, put))
