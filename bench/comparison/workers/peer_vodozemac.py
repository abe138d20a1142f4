"""vodozemac's Olm, by its Python binding: sessions are objects in memory."""

from importlib.metadata import version

import cases
import vodozemac


class OlmPair:
    """Two Olm accounts. A message is its type and bytes, as it travels."""

    def __init__(self) -> None:
        self._ours, self._theirs = vodozemac.Account(), vodozemac.Account()
        self._theirs.generate_one_time_keys(1)
        (self._one_time,) = self._theirs.one_time_keys.values()
        self._theirs.mark_keys_as_published()
        self._our_session = self._their_session = None

    def initiate(self) -> None:
        identity = self._theirs.curve25519_key
        self._our_session = self._ours.create_outbound_session(identity, self._one_time)

    def send(self, text: bytes) -> tuple[int, bytes]:
        return self._our_session.encrypt(text).to_parts()

    def receive(self, wire: tuple[int, bytes]) -> bytes:
        message = vodozemac.AnyOlmMessage.from_parts(*wire)
        if self._their_session is not None:
            return self._their_session.decrypt(message)
        first = message.to_pre_key()
        made = self._theirs.create_inbound_session(self._ours.curve25519_key, first)
        self._their_session, text = made
        return text

    def answer(self, text: bytes) -> tuple[int, bytes]:
        return self._their_session.encrypt(text).to_parts()

    def hear(self, wire: tuple[int, bytes]) -> bytes:
        return self._our_session.decrypt(vodozemac.AnyOlmMessage.from_parts(*wire))


if __name__ == "__main__":
    cases.serve(OlmPair, {"vodozemac": version("vodozemac")})
