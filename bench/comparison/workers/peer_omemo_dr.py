"""omemo-dr's session ciphers over a store in memory that keeps serialised records, as one on disk must.

What an XMPP client adds, a payload key for many devices and XML around it, is left out: each text is the
message of one ratchet.
"""

from importlib.metadata import version
from typing import Any

import cases
from omemo_dr.const import NS_OMEMO_TMP
from omemo_dr.protocol.prekeywhispermessage import PreKeyWhisperMessage
from omemo_dr.protocol.whispermessage import WhisperMessage
from omemo_dr.ratchet.chainkey import ChainKey
from omemo_dr.sessionbuilder import SessionBuilder
from omemo_dr.sessioncipher import SessionCipher
from omemo_dr.state.prekeybundle import PreKeyBundle
from omemo_dr.state.sessionrecord import SessionRecord
from omemo_dr.util.keyhelper import KeyHelper

OURS, THEIRS = ("ours", 1), ("theirs", 2)
VERSION = 3
"""The session version of the namespace that clients speak."""


class Records:
    """What session builders and ciphers ask of a store; it trusts everybody."""

    def __init__(self, device_id: int) -> None:
        self._device_id = device_id
        self._identity = KeyHelper.generate_identity_key_pair()
        self.signed = KeyHelper.generate_signed_pre_key(self._identity, 1)
        (self.one_time,) = KeyHelper.generate_pre_keys(1, 1)
        self._prekeys = {1: self.one_time}
        self._sessions: dict[tuple[str, int], bytes] = {}
        self._identities: dict[str, Any] = {}

    def get_identity_key_pair(self) -> Any:
        return self._identity

    def get_our_device_id(self) -> int:
        return self._device_id

    def is_trusted_identity(self, _name: str, _key: Any) -> bool:
        return True

    def save_identity(self, name: str, key: Any) -> None:
        self._identities[name] = key

    def load_signed_pre_key(self, _id: int) -> Any:
        return self.signed

    def load_pre_key(self, id_: int) -> Any:
        return self._prekeys[id_]

    def remove_pre_key(self, id_: int) -> None:
        del self._prekeys[id_]

    def contains_session(self, name: str, device_id: int) -> bool:
        return (name, device_id) in self._sessions

    def load_session(self, name: str, device_id: int) -> SessionRecord:
        record = self._sessions.get((name, device_id))
        return SessionRecord(serialized=record)

    def store_session(self, name: str, device_id: int, record: SessionRecord) -> None:
        self._sessions[name, device_id] = record.serialize()


class CipherPair:
    """Two session ciphers. A message is whether it is a first one, and its bytes."""

    def __init__(self) -> None:
        self._records, theirs = Records(OURS[1]), Records(THEIRS[1])
        self._ours = SessionCipher(self._records, *THEIRS)
        self._theirs = SessionCipher(theirs, *OURS)
        self._bundle = PreKeyBundle(
            THEIRS[1],
            NS_OMEMO_TMP,
            theirs.one_time.get_id(),
            theirs.one_time.get_key_pair().get_public_key(),
            theirs.signed.get_id(),
            theirs.signed.get_key_pair().get_public_key(),
            theirs.signed.get_signature(),
            theirs.get_identity_key_pair().get_public_key(),
        )

    def initiate(self) -> None:
        SessionBuilder(self._records, *THEIRS).process_pre_key_bundle(self._bundle)

    def send(self, text: bytes) -> tuple[bool, bytes]:
        return _sent(self._ours, text)

    def receive(self, wire: tuple[bool, bytes]) -> bytes:
        return _received(self._theirs, wire)

    def answer(self, text: bytes) -> tuple[bool, bytes]:
        return _sent(self._theirs, text)

    def hear(self, wire: tuple[bool, bytes]) -> bytes:
        return _received(self._ours, wire)


def _sent(cipher: SessionCipher, text: bytes) -> tuple[bool, bytes]:
    message = cipher.encrypt(text)
    return isinstance(message, PreKeyWhisperMessage), message.serialize()


def _received(cipher: SessionCipher, wire: tuple[bool, bytes]) -> bytes:
    first, data = wire
    if first:
        return cipher.decrypt_pkmsg(PreKeyWhisperMessage.from_bytes(data))
    return cipher.decrypt_msg(WhisperMessage.from_bytes(data))


def steps(count: int) -> None:
    chain = ChainKey(VERSION, bytes(32), 0)
    for _ in range(count):
        chain.get_message_keys()
        chain = chain.get_next_chain_key()


if __name__ == "__main__":
    versions = {name: version(name) for name in ("omemo-dr", "protobuf")}
    cases.serve(CipherPair, versions, cases.chain(steps))
