"""letterlock without accounts and stores: the session functions, their states kept as objects.

    python letterlock_session.py X3DH|PQXDH

The like-for-like of libraries that keep a session in memory. What a store would keep beside the state,
skipped keys and texts of the post-quantum ratchet, is in dicts here. Messages are bytes on their way.
"""

import sys

import cases
from letterlock_account import OURS, THEIRS, steps, versions

from letterlock import Suite
from letterlock._handshake.agreement import Circumstances, Party, Prekeys, initiate, respond
from letterlock._handshake.bundle_signature import BundleSigner
from letterlock._primitives.curve25519 import IdentityKeyPair, OneTimePrekeyPair, SignedPrekeyPair
from letterlock._primitives.entropy import system_clock
from letterlock._primitives.entropy import system_entropy as entropy
from letterlock._primitives.mlkem import MlKem1024KeyPair
from letterlock._primitives.xeddsa import SigningKey
from letterlock._ratchet.keys import MessageKey
from letterlock._records.session import decode_session, encode_session
from letterlock._session.sealing import Decrypted, decrypt, encrypt
from letterlock._session.session import Session, initiated, responded
from letterlock._wire.bundle import BundleHead
from letterlock._wire.day import day_of
from letterlock._wire.envelope import Kind, peek_kind
from letterlock._wire.message import InitialMessage, RatchetMessage
from letterlock._wire.prekey import PrekeyKind, PublicPrekey


class Side:
    """A session, and beside it what a store would keep."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._kept: dict[tuple[bytes, int], bytes] = {}
        self._looked_up: list[tuple[bytes, int]] = []

    @property
    def session(self) -> Session:
        """The session as it is now."""
        return self._session

    def find(self, chain: bytes, number: int, /) -> bytes | None:
        self._looked_up.append((chain, number))
        return self._kept.get((chain, number))

    def encrypt(self, text: bytes) -> bytes:
        sealed = encrypt(self._session, text, entropy)
        self._session = sealed.session
        return sealed.message

    def decrypt(self, wire: bytes) -> bytes:
        message = RatchetMessage.decode(wire)
        name = (message.header.ratchet_key.data, message.header.number)
        kept = self._kept.get(name)
        key = None if kept is None else MessageKey(kept)
        opened = decrypt(self._session, message, self.find, key)
        if key is not None:
            self._looked_up.append(name)
        if self._looked_up:
            for each in self._looked_up:
                self._kept.pop(each, None)
            self._looked_up.clear()
        return self.commit(opened)

    def commit(self, opened: Decrypted) -> bytes:
        self._session = opened.session
        if opened.skipped.count:
            for each in opened.skipped.double + opened.skipped.sparse:
                for number, key in enumerate(each.keys.expose_each(), each.start):
                    self._kept[each.chain, number] = key
        return opened.plaintext


class SessionPair:
    """Two parties with their keys in hand."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._our_party = Party(OURS, IdentityKeyPair.generate(entropy))
        self._their_party = Party(THEIRS, IdentityKeyPair.generate(entropy))
        signed, one_time = SignedPrekeyPair.generate(entropy), OneTimePrekeyPair.generate(entropy)
        kem = MlKem1024KeyPair.generate(entropy)
        identity = self._their_party.identity
        their_signed = PublicPrekey(PrekeyKind.SIGNED, 1, signed.public)
        head = BundleHead(THEIRS, identity.public, day_of(system_clock()), their_signed)
        self._bundle = BundleSigner(head, SigningKey.of(identity), entropy).bundle(
            PublicPrekey(PrekeyKind.ONE_TIME, 2, one_time.public),
            PublicPrekey(PrekeyKind.KEM_ONE_TIME, 3, kem.public),
        )
        self._prekeys = Prekeys(signed, one_time, kem if suite is Suite.PQXDH else None)
        self._ours: Side | None = None
        self._theirs: Side | None = None

    def initiate(self) -> None:
        circumstances = Circumstances(system_clock(), entropy)
        initiation = initiate(self._our_party, self._bundle, THEIRS, self._suite, circumstances)
        self._ours = Side(initiated(initiation, entropy))

    def send(self, text: bytes) -> bytes:
        assert self._ours is not None
        return self._ours.encrypt(text)

    def receive(self, wire: bytes) -> bytes:
        if self._theirs is not None:
            return self._theirs.decrypt(wire)
        assert peek_kind(wire) is Kind.INITIAL
        initial = InitialMessage.decode(wire)
        agreement = respond(self._their_party, OURS, initial.header, self._prekeys)
        opened = decrypt(responded(agreement, self._prekeys.signed, initial), initial.message)
        self._theirs = Side(opened.session)
        return self._theirs.commit(opened)

    @property
    def session(self) -> Session:
        """Theirs."""
        assert self._theirs is not None
        return self._theirs.session

    def answer(self, text: bytes) -> bytes:
        assert self._theirs is not None
        return self._theirs.encrypt(text)

    def hear(self, wire: bytes) -> bytes:
        assert self._ours is not None
        return self._ours.decrypt(wire)


def saving(suite: Suite) -> dict[str, cases.Own]:
    """A session to bytes and back, without a store."""
    pair = cases.spoken(lambda: SessionPair(suite))
    assert isinstance(pair, SessionPair)
    session = pair.session
    return {"save-load": cases.each_of(lambda: decode_session(encode_session(session)), 100)}


if __name__ == "__main__":
    suite = Suite[sys.argv[1]]
    own = cases.chain(steps) if suite is Suite.X3DH else {}
    cases.serve(lambda: SessionPair(suite), versions(), own | saving(suite))
