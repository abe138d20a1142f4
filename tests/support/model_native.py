"""Steps of the native module, for the ledger of the model: which keys sealed and opened.

The module works on stored records and calls no primitive that the ledger could watch. So Python derives the
key of the same step from the record that the session had before it. A message that the module wrote must open
with that key. A message that the module read is read by Python as well. What the braid drew is looked up in
the record that the module returned.

Not here: whether the module's records and messages are Python's, byte for byte (tests/native/).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pytest

from letterlock._primitives import aead
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem_split import encapsulate_header
from letterlock._ratchet.braid_states import Ct1Sampled, HeaderReceived
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.triple import Triple
from letterlock._records.session import decode_session
from letterlock._session import peer_sessions
from letterlock._session.in_order import send_next
from letterlock._session.kept_keys import KeptKeys
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.sealing import decrypt, open_message, padded_length
from letterlock._session.session import Established, Live
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import SENT_NONCE_BYTES, InitialMessage, RatchetMessage
from letterlock.errors import AuthenticationFailed, PeerError
from letterlock.stores._calls import StoreCalls
from letterlock.stores._interface import Record, SessionRow
from support.pair import live

if TYPE_CHECKING:
    from support.model_ledger import Calls, Ledger

_NONCE_PREFIX: Final = bytes(aead.NONCE_BYTES - SENT_NONCE_BYTES)


class NativeSteps:
    """Tells a ledger of each step that the native module took."""

    def __init__(self, ledger: "Ledger", patch: pytest.MonkeyPatch) -> None:
        self._ledger = ledger
        patch.setattr(peer_sessions, "send_next", self._send(send_next))
        for name in ("decrypt_next", "decrypt_late"):
            patch.setattr(PeerSessions, name, self._read(getattr(PeerSessions, name)))

    def _send(self, send: Any) -> Any:
        def watched(
            calls: StoreCalls, row: SessionRow, suites: object, text: bytes, entropy: Entropy, now: object
        ) -> bytes | None:
            drawn: list[bytes] = []

            def draw(length: int) -> bytes:
                drawn.append(entropy(length))
                return drawn[-1]

            before = _session_of(row)
            message: bytes | None = send(calls, row, suites, text, draw, now)
            if message is not None:
                after = calls.active(row.address)
                assert after is not None
                self._sealed(before, _session_of(after), text, drawn, message)
            return message

        return watched

    def _sealed(self, before: Live, after: Live, text: bytes, drawn: list[bytes], message: bytes) -> None:
        repeated = b"" if isinstance(before, Established) else before.header_bytes
        draws = iter(drawn)
        with self._ledger.calls():
            size = len(repeated) + padded_length(len(text))
            key = before.ratchet.next_message(size, lambda _: next(draws)).key
        inner = _ratchet_message(message)
        self._ledger.seals(key.expose(), _NONCE_PREFIX + inner.sealed[:SENT_NONCE_BYTES])
        with self._ledger.calls():
            try:
                assert open_message(key, before.origin.associated_data, inner) == text
            except AuthenticationFailed:
                raise AssertionError("the native module seals with a key that is not the next") from None
        self._began_ciphertext(before, after)

    def _began_ciphertext(self, before: Live, after: Live) -> None:
        if isinstance(before.ratchet, Triple) and isinstance(after.ratchet, Triple):
            old, new = before.ratchet.braid, after.ratchet.braid
            if isinstance(old, HeaderReceived) and isinstance(new, Ct1Sampled):
                _, ct1 = encapsulate_header(old.kept, new.m)
                assert ct1 == new.outgoing, "the m of the braid does not make its ct1"
                self._ledger.encapsulates(new.m, old.kept)

    def _read(self, decrypt_next: Callable[..., bytes | None]) -> Any:
        def watched(sessions: PeerSessions, message: bytes) -> bytes | None:
            by_python = self._in_python(sessions, message)
            text = decrypt_next(sessions, message)
            if text is not None:
                assert by_python is not None, "the native module reads what Python refuses"
                self._ledger.notes(by_python)
            return text

        return watched

    def _in_python(self, sessions: PeerSessions, message: bytes) -> "Calls | None":
        """Return what Python does to read a message in the active session; None if it refuses."""
        row = sessions._calls.active(sessions._address)
        if row is None:
            return None
        kept = KeptKeys(sessions._tables, sessions._address, sessions._now)
        try:
            decoded = RatchetMessage.decode(message)
            late = kept.key(decoded.header.ratchet_key.data, decoded.header.number)
            key = None if late is None else MessageKey(late.record.expose())
            with self._ledger.calls() as calls:
                decrypt(_session_of(row), decoded, kept.find, key)
        except PeerError:
            return None
        return calls


def _session_of(row: SessionRow) -> Live:
    return live(decode_session(Record(row.record.expose())))


def _ratchet_message(message: bytes) -> RatchetMessage:
    if peek_kind(message) is Kind.INITIAL:
        return InitialMessage.decode(message).message
    return RatchetMessage.decode(message)
