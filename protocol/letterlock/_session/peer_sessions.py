"""The sessions with one peer, in their store: the active one and the archive.

    encrypt     with the active session only
    decrypt     a kept key, else the session that knows the ratchet key, else each in turn
    insert      a new session becomes active; the oldest beyond the archive's limit goes     [SES-5]

Every method runs inside the caller's transaction. Of a message that does not authenticate nothing reaches
the store.                                                                                   [SES-2]
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, assert_never

from letterlock._primitives.entropy import Entropy
from letterlock._primitives.fast_init import fast_init
from letterlock._primitives.secret import Uncopyable
from letterlock._ratchet.braid_states import Append, Clear, Slot, Write
from letterlock._ratchet.chain import MessageKey
from letterlock._records.session import decode_session, encode_session
from letterlock._session.lifecycle import Event, Phase, advance
from letterlock._session.session import (
    Decrypted,
    Initiated,
    Session,
    decrypt,
    decrypt_late,
    defers_promotion,
    encrypt,
    fits,
    knows,
)
from letterlock._session.session import steps as trial_steps
from letterlock._wire.address import Address
from letterlock._wire.message import RatchetMessage
from letterlock._wire.suite import Suite
from letterlock.errors import (
    AuthenticationFailed,
    BraidFailed,
    DuplicateMessage,
    NoSession,
    PeerError,
    TooManySkipped,
    UnknownSession,
)
from letterlock.limits import MAX_ARCHIVED_SESSIONS, MAX_PAST_CHAINS, MAX_SKIPPED_KEYS, MAX_TRIAL_STEPS
from letterlock.stores._interface import Record, SessionRow, SkippedRow, Store

_ID_BYTES: Final = 8

_KEPT_KEYS: Final = {Suite.X3DH: MAX_SKIPPED_KEYS, Suite.PQXDH: 2 * MAX_SKIPPED_KEYS}
"""Keys kept in a session: of the triple ratchet, a message that was jumped over leaves two."""


@fast_init
@dataclass(frozen=True, slots=True)
class Entry(Uncopyable):
    """A session and where it stands: the greatest rank is active."""

    id: int
    rank: int
    active: bool
    session: Session

    @property
    def phase(self) -> Phase:
        """Where the session is in its life."""
        if isinstance(self.session, Initiated):
            return Phase.INITIATED if self.active else Phase.SHELVED
        return Phase.ESTABLISHED if self.active else Phase.ARCHIVED


class PeerSessions:
    """The sessions with the peer at one address."""

    __slots__ = ("_address", "_store", "_suites")

    def __init__(self, store: Store, address: Address, suites: frozenset[Suite]) -> None:
        """`suites` are those allowed: a session of another one is kept, and not used. [SES-8]"""
        self._store = store
        self._address = address.encode()
        self._suites = suites

    def encrypt(self, plaintext: bytes, entropy: Entropy) -> bytes:
        """Return the next message of the active session. Raises NoSession, PlaintextTooLong."""
        entry = self.active()
        if entry is None:
            raise NoSession("no session with this address: initiate one with its prekey bundle")
        advance(entry.phase, Event.ENCRYPT)
        sealed = encrypt(entry.session, plaintext, entropy, self._beside(entry))
        self._save(entry.id, entry.rank, sealed.session)
        self._write(entry.id, sealed.writes)
        return sealed.message

    def decrypt(self, message: RatchetMessage, only: Entry | None = None) -> bytes:
        """Return the plaintext of a message in any of the sessions, or in `only` one of them.

        Raises UnknownSession, DuplicateMessage, TooManySkipped, AuthenticationFailed, BraidFailed and other
        PeerErrors.
        """
        row = self._store.tables.skipped_keys.find(
            self._address, message.header.ratchet_key.data, message.header.number
        )
        if row is not None and (only is None or row.session_id == only.id):  # SES-3
            return self._decrypt_late(row, message)
        active = self.active()
        if active is None:
            raise UnknownSession("no session with this address: only a first message can be read")
        first_error: PeerError | None = None
        steps = MAX_TRIAL_STEPS
        for entry in self._candidates(active, message) if only is None else [only]:
            try:
                steps = self._spend(steps, entry, message)
                beside = self._beside(entry)
                opened = decrypt(entry.session, message, beside)
            except (DuplicateMessage, BraidFailed):
                raise  # of this very session: what the ones before it said does not count
            except PeerError as error:
                if knows(entry.session, message.header.ratchet_key):
                    raise  # no other session can do better
                first_error = first_error or error
                continue
            self._commit(entry, active, opened)
            beside.use_up()
            return opened.plaintext
        raise first_error or AuthenticationFailed()

    def _spend(self, steps: int, entry: Entry, message: RatchetMessage) -> int:
        """Return how many chain steps are left after trying a session; what is known costs no trial.

        Raises DuplicateMessage for a finished chain, TooManySkipped when the steps are spent.     [SES-9]
        """
        key = message.header.ratchet_key
        if knows(entry.session, key) or not fits(entry.session, message):
            return steps
        # Of a chain so old that it was forgotten, keys may still be kept: it is finished all the same.
        if self._store.tables.past_chains.has(entry.id, key.data) or self._store.tables.skipped_keys.has(
            entry.id, key.data
        ):
            raise DuplicateMessage
        cost = trial_steps(entry.session, message)
        if cost > steps:
            raise TooManySkipped(cost, steps)
        return steps - cost

    def insert(self, session: Session, entropy: Entropy) -> int:
        """Add a session and make it the active one; return its id. Draws 8 bytes."""
        entries = self._all()
        rank = entries[0].rank + 1 if entries else 0
        for entry in entries[MAX_ARCHIVED_SESSIONS:]:
            self._store.tables.sessions.delete(entry.id)
        id_ = max(1, int.from_bytes(entropy(_ID_BYTES), "big") >> 1)
        self._save(id_, rank, session)
        return id_

    def insert_opened(self, opened: Decrypted, entropy: Entropy) -> None:
        """Add the session of an initial message that was just opened, with the keys it skipped."""
        self._keep_skipped(self.insert(opened.session, entropy), opened)

    def find_handshake(self, handshake: bytes) -> Entry | None:
        """Return the session that this initial message began earlier, if it is still here. [SES-3]"""
        for entry in self.entries():
            if entry.session.origin.handshake == handshake:
                return entry
        return None

    def delete_all(self) -> None:
        """Drop every session with this peer."""
        for entry in self._all():
            self._store.tables.sessions.delete(entry.id)

    def active(self) -> Entry | None:
        """Return the session used for encrypting."""
        for limit in (1, MAX_ARCHIVED_SESSIONS + 1):  # nearly always the first is it
            for entry in self._load(limit):
                return entry
        return None

    def entries(self) -> list[Entry]:
        """Return all sessions of allowed suites, the active one first."""
        return list(self._load(MAX_ARCHIVED_SESSIONS + 1))

    def _load(self, limit: int) -> Iterator[Entry]:
        active = True
        for row in self._store.tables.sessions.load(self._address, limit):
            session = decode_session(row.record)
            if session.origin.suite in self._suites:
                yield Entry(row.id, row.rank, active, session)
                active = False

    def _all(self) -> list[SessionRow]:
        return self._store.tables.sessions.load(self._address, MAX_ARCHIVED_SESSIONS + 1)

    def _candidates(self, active: Entry, message: RatchetMessage) -> Iterator[Entry]:
        """Yield the sessions to try: the active one before the archive is even loaded.

        In the archive only the one that knows the ratchet key is tried, if one does.
        """
        yield active
        archive = self.entries()[1:]
        key = message.header.ratchet_key
        yield from [each for each in archive if knows(each.session, key)] or archive

    def _decrypt_late(self, row: SkippedRow, message: RatchetMessage) -> bytes:
        entry = next((each for each in self.entries() if each.id == row.session_id), None)
        if entry is None:  # its suite is not allowed any more: SES-8
            raise AuthenticationFailed
        beside = self._beside(entry)
        opened = decrypt_late(entry.session, message, MessageKey(row.record.expose()), beside)
        # A late message says nothing about which session the peer uses now: the order stays.
        if entry.session.ratchet != opened.session.ratchet:
            self._save(entry.id, entry.rank, opened.session)
            self._keep_skipped(entry.id, opened)
        beside.use_up()
        self._store.tables.skipped_keys.delete(row)
        return opened.plaintext

    def _commit(self, entry: Entry, active: Entry, opened: Decrypted) -> None:
        crossed = not entry.active and defers_promotion(entry.session, active.session)
        phase = advance(entry.phase, Event.DEFERRED if crossed else Event.AUTHENTICATED)
        session, rank = opened.session, entry.rank
        if phase is Phase.ARCHIVED:
            session = replace(session, promote_next=True)
        elif not entry.active:
            rank = active.rank + 1
        self._save(entry.id, rank, session)
        self._keep_skipped(entry.id, opened)

    def _keep_skipped(self, id_: int, opened: Decrypted) -> None:
        self._write(id_, opened.writes)
        if opened.skipped.count:
            self._store.tables.skipped_keys.add(
                SkippedRow(id_, chain, number, key) for chain, number, key in opened.skipped.rows()
            )
            self._store.tables.skipped_keys.trim(id_, _KEPT_KEYS[opened.session.origin.suite])  # RAT-7
        if opened.finished is not None:
            self._store.tables.past_chains.add(id_, opened.finished.data, MAX_PAST_CHAINS)

    def _write(self, id_: int, writes: Iterable[Write]) -> None:
        for write in writes:
            match write:
                case Append(slot, entry):
                    self._store.tables.side_data.append(id_, int(slot), Record(entry))
                case Clear(slot):
                    self._store.tables.side_data.clear(id_, int(slot))
                case _:
                    assert_never(write)

    def _beside(self, entry: Entry) -> "StoredSideData":
        return StoredSideData(self._store, self._address, entry.id)

    def _save(self, id_: int, rank: int, session: Session) -> None:
        self._store.tables.sessions.save(SessionRow(id_, self._address, rank, encode_session(session)))


class StoredSideData(Uncopyable):
    """What the store keeps beside one session's record; a key that was found here is used up afterwards."""

    __slots__ = ("_address", "_found", "_id", "_store")

    def __init__(self, store: Store, address: bytes, id_: int) -> None:
        self._store, self._address, self._id = store, address, id_
        self._found: SkippedRow | None = None

    def read(self, slot: Slot) -> list[bytes]:
        """See SideStorage."""
        return [each.expose() for each in self._store.tables.side_data.load(self._id, int(slot))]

    def find(self, chain: bytes, number: int) -> bytes | None:
        """See SideStorage."""
        self._found = self._store.tables.skipped_keys.find(self._address, chain, number)
        return None if self._found is None else self._found.record.expose()

    def use_up(self) -> None:
        """Delete the key that was found, now that its message has authenticated."""
        if self._found is not None:
            self._store.tables.skipped_keys.delete(self._found)
