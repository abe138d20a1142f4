"""The sessions with one device of a peer, in their store: the active one and the archive.

    encrypt     with the active session only
    decrypt     what the active session expects next, there alone; another message with a kept key, else in
                the session that knows the ratchet key, else in each in turn
    insert      a new session becomes active, unless it is of a weaker suite; the oldest beyond the archive's
                limit is deleted                                                            [SES-5] [SES-11]

What a message in the archive means is decided in promotion.py, and what becomes of its session by the
lifecycle table (lifecycle.py). Every method runs inside the caller's transaction. A message that does not
authenticate writes nothing to the store.                                                          [SES-2]
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from letterlock._primitives.entropy import Entropy
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.ratchet import Ratchet
from letterlock._records.first_format import decode_any_session
from letterlock._records.session import encode_session, was_answered
from letterlock._session.in_order import receive_next, send_next
from letterlock._session.kept_keys import KeptKeys
from letterlock._session.late import receive_late
from letterlock._session.lifecycle import TABLE, Event, Phase
from letterlock._session.promotion import event_in_archive, is_weaker, placed
from letterlock._session.sealing import Decrypted, decrypt, encrypt, is_as_sent
from letterlock._session.session import Ended, Established, Initiated, Session
from letterlock._session.status import SessionStatus, status_of
from letterlock._session.stored_session import PHASES, StoredSession, as_of, is_old
from letterlock._session.trial import knows, of_an_unknown_chain
from letterlock._wire.address import Address
from letterlock._wire.message import RatchetMessage
from letterlock._wire.suite import Suite
from letterlock.errors import (
    AuthenticationFailed,
    DuplicateMessage,
    NoSession,
    PeerError,
    SessionEnded,
    TooManySkipped,
    UnknownSession,
    UsageError,
)
from letterlock.limits import KEPT_LIFETIME, MAX_ARCHIVED_SESSIONS, MAX_PAST_CHAINS, MAX_TRIAL_STEPS
from letterlock.stores import DeferredRecord, SessionRow, SkippedKey, Store
from letterlock.stores._any_store import calls_of

_ID_BYTES: Final = 8
_NO_SESSION: Final = "no session with this address: initiate one with its prekey bundle"


class PeerSessions:
    """The sessions with the peer at one address."""

    __slots__ = ("_address", "_calls", "_now", "_numbers", "_peer", "_stray", "_suites", "_tables")

    def __init__(
        self,
        store: Store,
        address: Address,
        suites: frozenset[Suite],
        now: Callable[[], int] = int,
        stray: Callable[[Address, int], None] = lambda _address, _born: None,
    ) -> None:
        """`suites` are those allowed: a session of another suite is kept and not used. [SES-8]

        `now` returns seconds since 1970, by default always 0. An ordinary message does not ask for it.
        `stray` is called for each new message in a session that the peer has left, with `address` and the
        `born` of the active session.
        """
        self._now, self._stray, self._peer = now, stray, address
        self._tables = store.tables
        self._calls = calls_of(store)
        self._address = address.encoded
        self._suites = suites
        self._numbers = frozenset(map(int, suites))

    def encrypt(self, plaintext: bytes, entropy: Entropy) -> bytes:
        """Return the next message of the active session. Raises NoSession, SessionEnded, PlaintextTooLong."""
        row = self._calls.active(self._address)
        if row is None:
            raise NoSession(_NO_SESSION)
        message = send_next(self._calls, row, self._numbers, plaintext, entropy, self._now)
        if message is not None:
            return message
        session = as_of(_session_in(row), self._now)
        if session.origin.suite not in self._suites:  # SES-8
            stored = next(iter(self.all()), None)
            if stored is None:
                raise NoSession(_NO_SESSION)
            row, session = SessionRow(stored.id, self._address, stored.rank, row.record), stored.session
        if isinstance(session, Ended) or (PHASES[type(session)], Event.ENCRYPT) not in TABLE:
            raise SessionEnded
        encrypted = encrypt(session, plaintext, entropy)
        self._save_next(row, encrypted.session)
        return encrypted.message

    def decrypt_next(self, message: bytes) -> bytes | None:
        """Return the plaintext of a message of the active session, if the native module has it.

        Where it returns None nothing has changed, and `decrypt` has the answer.
        """
        return receive_next(self._calls, self._tables, self._address, self._numbers, message, self._now)

    def decrypt_late(self, message: bytes) -> bytes | None:
        """Do the same for a late message of the active session."""
        return receive_late(self._calls, self._address, self._numbers, message, self._now)

    def decrypt(self, message: RatchetMessage, only: StoredSession | None = None) -> bytes:
        """Return the plaintext of a message in any of the sessions, or in `only` one of them.

        Raises UnknownSession, DuplicateMessage, TooManySkipped, AuthenticationFailed and other PeerErrors.
        """
        row = self._calls.active(self._address)
        if only is None and row is not None:
            plaintext = self._decrypt_next(row, message)
            if plaintext is not None:
                return plaintext
        active = None if row is None else self._active_from(row)
        header = message.header
        kept = KeptKeys(self._tables, self._address, self._now)
        key = kept.key(header.ratchet_key.data, header.number)
        if key is not None and (only is None or key.session_id == only.id):  # SES-3
            return self._decrypt_late(key, message, in_initial=only is not None)
        if active is None:
            raise UnknownSession("no session with this address: only a first message can be read")
        return self._decrypt_in_any(active, message, only)

    def _decrypt_in_any(
        self, active: StoredSession, message: RatchetMessage, only: StoredSession | None
    ) -> bytes:
        """Try the sessions in turn, or `only` one of them. Raises as `decrypt`."""
        first_error: PeerError | None = None
        steps = MAX_TRIAL_STEPS
        for stored in self._candidates(active, message) if only is None else [only]:
            session = stored.session
            if isinstance(session, Ended):
                continue
            knows = session.ratchet.knows(message.header.ratchet_key)
            try:
                steps = steps if knows else self._spend(steps, stored.id, session.ratchet, message)
                kept = KeptKeys(self._tables, self._address, self._now)
                decrypted = decrypt(session, message, kept.find)
                if not is_as_sent(session.origin, message.header, in_initial=only is not None):
                    del decrypted  # a reporter of errors may show the variables of every frame
                    raise AuthenticationFailed
            except DuplicateMessage:
                raise  # the message is of this very session, so no earlier error counts
            except PeerError as error:
                if knows:
                    raise  # no other session can do better
                first_error = first_error or error
                continue
            if isinstance(decrypted.session, Ended):
                self._end(stored, decrypted.session)
            else:
                self._commit(stored, active, decrypted, decrypted.session, is_repeat=only is not None)
                if found := kept.found():
                    self._calls.delete_kept(found)
            return decrypted.plaintext
        raise of_an_unknown_chain(first_error, active.session)

    def _decrypt_next(self, row: SessionRow, message: RatchetMessage) -> bytes | None:
        """Return the plaintext of the message that the active session expects next; None for another one.

        Its key is not among the kept ones, it skips nothing and it ends no chain. So one session is loaded
        and saved, and nothing else is looked up.                                                   [SES-3]
        """
        session = _session_in(row)
        if not isinstance(session, Established) or not session.ratchet.is_next(message):
            return None
        if session.origin.suite not in self._suites:
            return None  # SES-8
        if not is_as_sent(session.origin, message.header, in_initial=False):
            return None  # SES-15: refused elsewhere
        decrypted = decrypt(session, message)
        after = decrypted.session
        if isinstance(after, Ended):
            self._end(StoredSession(row.id, row.rank, Phase.ESTABLISHED, session), after)
            return decrypted.plaintext
        if after.yields:
            after = replace(after, yields=after.yields - 1)  # SES-12
        self._save_next(row, after)
        return decrypted.plaintext

    def _spend(self, steps: int, id_: int, ratchet: Ratchet, message: RatchetMessage) -> int:
        """Return how many chain steps are left after trying a session that does not know the ratchet key.

        Raises DuplicateMessage for a finished chain, TooManySkipped when the steps are spent.     [SES-9]
        """
        key = message.header.ratchet_key
        if not ratchet.speaks(message):
            return steps
        # A chain so old that it was forgotten may still have kept keys: it is finished all the same.
        if self._tables.past_chains.has(id_, key.data) or self._tables.skipped_keys.has(id_, key.data):
            raise DuplicateMessage
        cost = ratchet.trial_steps(message)
        if cost > steps:
            raise TooManySkipped(cost, steps)
        return steps - cost

    def require_none_stronger(self, suite: Suite) -> None:
        """Raise UsageError if the active session is of a stronger suite: a new one would not take over."""
        active = self.active()
        if active is not None and suite < active.session.origin.suite:  # SES-11
            raise UsageError(
                f"a session of the stronger suite {active.session.origin.suite.name} exists: "
                "begin in that suite, or delete the session with discard_earlier"
            )

    def insert(self, session: Session, entropy: Entropy) -> int:
        """Add a session; return its id. Draws 8 bytes.

        It becomes the active one, unless that is of a stronger suite.                              [SES-11]
        """
        rows = self._rows()
        rank, active = (rows[0].rank + 1, self._active_from(rows[0])) if rows else (0, None)
        for row in rows[MAX_ARCHIVED_SESSIONS:]:
            self._tables.sessions.delete(row.id)
            if active is not None and active.id == row.id:
                active = None
        id_ = max(1, int.from_bytes(entropy(_ID_BYTES), "big") >> 1)
        if isinstance(session, Initiated):
            session = replace(session, archived=self._now())  # SES-17
        self._save(id_, rank, placed(session, rank + 1, None if active is None else active.session))
        if active is not None and is_weaker(session, active.session):
            self._save(active.id, rank + 1, active.session)
        elif active is not None:
            self._supersede(active)
        return id_

    def expire(self) -> None:
        """Delete what was kept, archived or not answered too long ago. [SES-16] [SES-17]

        What has no time counts from now on.
        """
        now, rows = self._now(), self._rows()
        oldest = max(0, now - KEPT_LIFETIME)
        # An active session that was answered ends by no time, so its record is not decoded.
        if is_settled := bool(rows) and was_answered(rows[0].record, self._numbers):
            self._tables.skipped_keys.delete_kept_before(oldest, rows[0].id)
        for stored in list(self._stored(rows[is_settled:], active=not is_settled, old=True)):
            self._tables.skipped_keys.delete_kept_before(oldest, stored.id)
            if isinstance(stored.session, Ended) or stored.phase is Phase.ESTABLISHED:
                continue
            if not stored.session.archived:
                self._save(stored.id, stored.rank, replace(stored.session, archived=now))
            elif is_old(stored.session, self._now):
                self._end(stored, Ended(stored.session.origin), Event.EXPIRED)

    def _supersede(self, active: StoredSession) -> None:
        """Let another session take the place of the active one, which is archived if it still has keys."""
        if isinstance(active.session, Ended) or TABLE[active.phase, Event.SUPERSEDED] is Phase.DELETED:
            self._tables.sessions.delete(active.id)
        else:
            self._save(active.id, active.rank, replace(active.session, archived=self._now()))

    def _end(self, stored: StoredSession, ended: Ended, event: Event = Event.CONTRADICTED) -> None:
        """Delete the keys of a session that ended. An active one keeps its place. [SES-14]"""
        self._tables.sessions.delete(stored.id)
        if TABLE[stored.phase, event] is Phase.ENDED:
            self._save(stored.id, stored.rank, ended)

    def insert_decrypted(self, decrypted: Decrypted, entropy: Entropy) -> None:
        """Add the session of an initial message that was just decrypted, with the keys it skipped."""
        self._keep_skipped(self.insert(decrypted.session, entropy), decrypted)

    def find_handshake(self, handshake_id: bytes) -> StoredSession | None:
        """Return the session that this initial message began earlier, if it is still here. [SES-3]"""
        for stored in self.all():
            if stored.session.origin.handshake_id == handshake_id:
                return stored
        return None

    def status(self) -> SessionStatus | None:
        """Return what may be known of the active session, or None if there is none."""
        sessions = self.all()
        return status_of(sessions[0].session, len(sessions) - 1) if sessions else None

    def delete_all(self) -> None:
        """Delete every session with this peer."""
        for row in self._rows():
            self._tables.sessions.delete(row.id)

    def active(self) -> StoredSession | None:
        """Return the session used for encrypting, or the one that ended in its place."""
        row = self._calls.active(self._address)
        return None if row is None else self._active_from(row)

    def _active_from(self, row: SessionRow) -> StoredSession | None:
        """Do the same, having loaded the session of the greatest rank."""
        session = as_of(_session_in(row), self._now)
        if session.origin.suite in self._suites:
            return StoredSession(row.id, row.rank, PHASES[type(session)], session)
        return next(iter(self.all()), None)

    def all(self) -> list[StoredSession]:
        """Return all sessions of allowed suites, the active one first."""
        return list(self._stored(self._rows(), active=True))

    def _stored(self, rows: list[SessionRow], *, active: bool, old: bool = False) -> Iterator[StoredSession]:
        """Yield the sessions of allowed suites, the first of them active or not; with `old`, old ones too."""
        for row in rows:
            session = _session_in(row) if old else as_of(_session_in(row), self._now)
            if session.origin.suite in self._suites:
                phase = PHASES[type(session)]
                if not active:
                    phase = TABLE[phase, Event.SUPERSEDED]
                    if not old and is_old(session, self._now):
                        continue
                active = False
                if phase is not Phase.DELETED:
                    yield StoredSession(row.id, row.rank, phase, session)

    def _rows(self) -> list[SessionRow]:
        return self._tables.sessions.load(self._address, MAX_ARCHIVED_SESSIONS + 1)

    def _candidates(self, active: StoredSession, message: RatchetMessage) -> Iterator[StoredSession]:
        """Yield the sessions to try: the active one before the archive is even loaded.

        If a session of the archive knows the ratchet key, it is the only one of the archive that is tried.
        """
        yield active
        archive = self.all()[1:]
        key = message.header.ratchet_key
        yield from [each for each in archive if knows(each.session, key)] or archive

    def _decrypt_late(self, row: SkippedKey, message: RatchetMessage, *, in_initial: bool) -> bytes:
        stored = next((each for each in self.all() if each.id == row.session_id), None)
        if stored is None or isinstance(stored.session, Ended):  # its suite is not allowed any more: SES-8
            raise AuthenticationFailed
        kept = KeptKeys(self._tables, self._address, self._now)
        decrypted = decrypt(stored.session, message, kept.find, MessageKey(row.record.expose()))
        if not is_as_sent(stored.session.origin, message.header, in_initial=in_initial):
            del decrypted
            raise AuthenticationFailed
        if isinstance(decrypted.session, Ended):
            self._end(stored, decrypted.session)
            return decrypted.plaintext
        # A late message does not tell which session the peer uses now, so ranks stay.
        if stored.session.ratchet is not decrypted.session.ratchet:
            self._save(stored.id, stored.rank, decrypted.session)
            self._keep_skipped(stored.id, decrypted)
        self._calls.delete_kept([*kept.found(), row])
        return decrypted.plaintext

    def _commit(
        self,
        stored: StoredSession,
        active: StoredSession,
        decrypted: Decrypted,
        session: Established,
        *,
        is_repeat: bool,
    ) -> None:
        """Save what a message changed. The lifecycle table says whether its session becomes active.

        `session` is the session after it.
        `is_repeat`: it came in an initial message, whose author may not know our sessions yet.
        """
        is_archived = stored.phase is Phase.ARCHIVED
        event = event_in_archive(stored.session, active.session) if is_archived else Event.AUTHENTICATED
        phase = TABLE[stored.phase, event]
        rank = stored.rank
        if session.yields and not is_repeat:
            session = replace(session, yields=session.yields - 1)  # SES-12
        if session.archived and phase is not Phase.ARCHIVED:
            session = replace(session, archived=0)
        if phase is Phase.ARCHIVED:
            session = replace(session, promote_next=event is Event.DEFERRED)
            if event is Event.BARRED and isinstance(active.session, Established):
                self._stray(self._peer, active.session.origin.born)
        elif is_archived:
            rank = self._tables.sessions.load(self._address, 1)[0].rank + 1
            self._supersede(active)
        self._save(stored.id, rank, session)
        self._keep_skipped(stored.id, decrypted)

    def _keep_skipped(self, id_: int, decrypted: Decrypted) -> None:
        session, skipped = decrypted.session, decrypted.skipped
        if not isinstance(session, Ended) and (skipped.double or skipped.sparse):
            self._tables.skipped_keys.add(id_, (skipped.double, skipped.sparse), self._now())
            self._tables.skipped_keys.trim(id_, session.ratchet.max_skipped_keys)  # RAT-7
        if decrypted.finished is not None:
            self._tables.past_chains.add(id_, decrypted.finished.data, MAX_PAST_CHAINS)

    def _save_next(self, row: SessionRow, session: Session) -> None:
        self._calls.save_active(row, DeferredRecord(session, encode_session))

    def _save(self, id_: int, rank: int, session: Session) -> None:
        record = DeferredRecord(session, encode_session)
        self._tables.sessions.save(SessionRow(id_, self._address, rank, record))


def _session_in(row: SessionRow) -> Session:
    record = row.record
    return record.value if isinstance(record, DeferredRecord) else record.decoded(decode_any_session)
