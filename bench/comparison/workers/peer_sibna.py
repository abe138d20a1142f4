"""sibna's X3DH and double ratchet, in Python: sessions are objects in memory."""

from importlib.metadata import version

import cases
from sibna import Ed25519KeyPair, Session, X25519KeyPair, generate_peer_bundle
from sibna.ratchet import ChainKey

OURS, THEIRS = b"ours".ljust(16, b"-"), b"theirs".ljust(16, b"-")


class SibnaPair:
    """Two sessions. Whoever initiates sends the ephemeral key beside the first message."""

    def __init__(self) -> None:
        self._identity, self._their_identity = X25519KeyPair(), X25519KeyPair()
        self._signed, self._one_time = X25519KeyPair(), X25519KeyPair()
        signing = Ed25519KeyPair()
        self._bundle = generate_peer_bundle(
            identity_ed=signing,
            identity_x25519=self._their_identity,
            signed_prekey=self._signed,
            onetime_prekey=self._one_time,
            device_id_bytes=THEIRS,
            root_identity_key=signing.public_key,
        )
        self._ours, self._theirs = Session(), Session()
        self._ephemeral = b""

    def initiate(self) -> None:
        self._ephemeral = self._ours.initiate_as_initiator(
            identity=self._identity,
            ephemeral=X25519KeyPair(),
            peer_bundle=self._bundle,
            our_device_id=OURS,
            peer_device_id=THEIRS,
        )

    def send(self, text: bytes) -> bytes:
        return self._ours.encrypt(text)

    def receive(self, wire: bytes) -> bytes:
        if not self._theirs.is_established:
            self._theirs.initiate_as_responder(
                identity=self._their_identity,
                signed_prekey=self._signed,
                onetime_prekey=self._one_time,
                peer_identity=self._identity.public_key,
                peer_ephemeral=self._ephemeral,
                our_device_id=THEIRS,
                peer_device_id=OURS,
            )
        return self._theirs.decrypt(wire)

    def answer(self, text: bytes) -> bytes:
        return self._theirs.encrypt(text)

    def hear(self, wire: bytes) -> bytes:
        return self._ours.decrypt(wire)


def steps(count: int) -> None:
    chain = ChainKey(bytes(32))
    for _ in range(count):
        _message_key, chain = chain.next_message_key()


if __name__ == "__main__":
    versions = {name: version(name) for name in ("sibna", "cryptography")}
    cases.serve(SibnaPair, versions, cases.chain(steps))
