"""A ledger of keys: every message key that sealed or opened, every one-time prekey that was spent.

    Ledger      wraps the primitives, or hears of the native module's steps; who sealed with which (key,
                nonce), for ever
    Used        a key, and what it is in the triple ratchet: of the two halves each serves once too
    Calls       what one call of an account did with them
    Timeline    what one device has lived through, and so what its store must hold; a copy of the store
                takes a copy of it along

A store that is put back forgets the keys it used, and so does the timeline: that a key comes again then is
stated in spec/limitations.md. The ledger's (key, nonce) pairs are never forgotten.                [SES-1]

Not here: which message may be read (model_world.py); which keys a step of the native module took
(model_native.py).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from letterlock._primitives import aead, curve25519, mlkem, mlkem_split
from letterlock._primitives.curve25519 import OneTimePrekeyPair, PublicKey, SharedPoint
from letterlock._primitives.mlkem import Encapsulation, KemKeyPair, KemPublicKey, KemSecret, MlKem768PublicKey
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._primitives.native import NATIVE
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_keys import HybridKey, SparseMessageKey
from letterlock._ratchet.pq_profile import LetterlockProfile
from letterlock._wire.address import Address
from letterlock._wire.prekey import PrekeyKind
from support.model_native import NativeSteps


@dataclass(frozen=True)
class Prekey:
    """The public half of a prekey, and when it ends."""

    key: bytes
    expires: int | None = None

    def usable(self, now: int) -> bool:
        return self.expires is None or self.expires > now


@dataclass(frozen=True)
class Used:
    """A key that sealed or opened, or one of the two halves that made it."""

    role: str
    key: bytes


@dataclass
class Calls:
    """What one call of an account did: keys that sealed, keys that opened, prekeys it agreed with.

    `braided` are the braid's secrets with the header, or ciphertext, that each served for.
    """

    sealed: list[Used] = field(default_factory=list)
    opened: list[Used] = field(default_factory=list)
    agreed: list[bytes] = field(default_factory=list)
    braided: list[tuple[Used, bytes]] = field(default_factory=list)


@dataclass
class Timeline:
    """What a device remembers as long as nobody puts its store back.

    `held` names its sessions with each peer by their associated data, `accepted` those that a peer's first
    message began, `read` the numbers of the messages it has read. `one_time` are all one-time prekeys it ever
    made, `prekeys` those of every kind that it has not used up, `used` the others; `sealed`, `opened` and
    `spent` are keys that have served and may not serve again; `places` are epoch and number of what it wrote
    in each session, `braided` what each secret of the braid has served for. `unanswered` names the session
    that it began last with a peer, as long as it has read nothing in it and has not been led to a new one.
    `handed` are the one-time prekeys of peers that it has begun a session with, by peer.
    `births` numbers the sessions in the order in which the device came to hold them.
    """

    held: dict[Address, set[bytes]] = field(default_factory=dict)
    accepted: set[bytes] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    prekeys: dict[tuple[PrekeyKind, int], Prekey] = field(default_factory=dict)
    used: set[tuple[PrekeyKind, int]] = field(default_factory=set)
    one_time: set[bytes] = field(default_factory=set)
    sealed: set[Used] = field(default_factory=set)
    opened: set[Used] = field(default_factory=set)
    spent: set[bytes] = field(default_factory=set)
    places: set[tuple[bytes, int, int]] = field(default_factory=set)
    braided: dict[Used, bytes] = field(default_factory=dict)
    current: dict[PrekeyKind, int] = field(default_factory=dict)
    unanswered: dict[Address, bytes] = field(default_factory=dict)
    births: dict[bytes, int] = field(default_factory=dict)
    handed: set[bytes] = field(default_factory=set)

    def copy(self) -> "Timeline":
        copies: dict[str, Any] = {name: value.copy() for name, value in vars(self).items()}
        copies["held"] = {address: set(sessions) for address, sessions in self.held.items()}
        return replace(self, **copies)

    def holds(self, peer: Address, session: bytes) -> None:
        """Take in a session that is new to the device."""
        self.held.setdefault(peer, set()).add(session)
        self.births[session] = 1 + max(self.births.values(), default=0)

    def commit(self, calls: Calls, others: Iterable["Timeline"]) -> None:
        """Take in what a call did that has happened; no key of it may have done the same before."""
        everybody = (self, *others)
        for used in calls.sealed:
            assert not any(used in each.sealed for each in everybody), f"a {used.role} seals twice"
            self.sealed.add(used)
        for used in calls.opened:
            assert used not in self.opened, f"a {used.role} opens twice"
            self.opened.add(used)
        for key in calls.agreed:
            if key in self.one_time:
                assert key not in self.spent, "a one-time prekey is used twice"
                self.spent.add(key)
        for secret, served in calls.braided:
            first = self.braided.setdefault(secret, served)
            assert first == served, f"{secret.role} of the braid serves for two"

    def wrote(self, session: bytes, epoch: int, number: int) -> None:
        """Take in where in its sparse chain a message that was written stands."""
        assert (session, epoch, number) not in self.places, "two messages stand in one sparse place"
        self.places.add((session, epoch, number))


_ENCAPSULATIONS: dict[tuple[bytes, int], Encapsulation] = {}
_MAX_ENCAPSULATIONS: Final = 20_000


class Ledger:
    """The primitives, watched. `close` lets go of them."""

    def __init__(self) -> None:
        self.pairs: set[tuple[bytes, bytes]] = set()
        self._calls: Calls | None = None
        self._encapsulated: Counter[bytes] = Counter()
        self._halves: dict[bytes, tuple[bytes, bytes]] = {}
        self._patches = ExitStack()
        patch = self._patches.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(aead, "seal", self._seal(aead.seal))
        patch.setattr(aead, "open_sealed", self._open(aead.open_sealed))
        patch.setattr(curve25519.KeyPair, "agree", self._agree(curve25519.KeyPair.agree))
        patch.setattr(mlkem.KemKeyPair, "decapsulate", self._decapsulate(mlkem.KemKeyPair.decapsulate))
        patch.setattr(mlkem.KemPublicKey, "encapsulate", self._encapsulate(mlkem.KemPublicKey.encapsulate))
        patch.setattr(LetterlockProfile, "hybrid", self._hybrid(LetterlockProfile.hybrid))
        begin = self._begin_ciphertext(mlkem_split.encapsulate_header)
        patch.setattr("letterlock._ratchet.braid.encapsulate_header", begin)
        if NATIVE is not None:
            NativeSteps(self, patch)

    def close(self) -> None:
        self._patches.close()

    @contextmanager
    def calls(self) -> Iterator[Calls]:
        """Note down what the account calls in the block do. Whether it has happened is for the caller."""
        calls, outer = Calls(), self._calls
        self._calls = calls
        try:
            yield calls
        finally:
            self._calls = outer

    def notes(self, calls: Calls) -> None:
        """Add what was noted apart from the account's own call."""
        noted = self._note()
        for name, value in vars(calls).items():
            getattr(noted, name).extend(value)

    def seals(self, key: bytes, nonce: bytes) -> None:
        """Note that a key and nonce seal. No two messages may have both."""
        assert (key, nonce) not in self.pairs, "a key and nonce seal twice"
        self.pairs.add((key, nonce))
        self._note().sealed += self._used(key)

    def encapsulates(self, m: EncapsulationRandomness, header: bytes) -> None:
        """Note which header an m of the braid serves for."""
        self._note().braided.append((Used("an m", m.expose()), header))

    def _note(self) -> Calls:
        assert self._calls is not None, "the model calls an account and does not watch"
        return self._calls

    def _seal(self, seal: Any) -> Any:
        def watched(key: bytes, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
            self.seals(key, nonce)
            sealed: bytes = seal(key, nonce, plaintext, associated_data)
            return sealed

        return watched

    def _open(self, open_: Any) -> Any:
        def watched(key: bytes, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes | None:
            opened: bytes | None = open_(key, nonce, sealed, associated_data)
            if opened is not None:
                assert (key, nonce) in self.pairs, "nobody sealed what opens"
                self._note().opened += self._used(key)
            return opened

        return watched

    def _used(self, key: bytes) -> list[Used]:
        """Return what is used up with a key: of the triple ratchet, both halves as well."""
        used = [Used("message key", key)]
        if key in self._halves:
            double, sparse = self._halves[key]
            used += [Used("double key", double), Used("sparse key", sparse)]
        return used

    def _hybrid(self, hybrid: Any) -> Any:
        def watched(profile: LetterlockProfile, double: MessageKey, sparse: SparseMessageKey) -> HybridKey:
            key: HybridKey = hybrid(profile, double, sparse)
            another = bytes(each ^ 1 for each in sparse.expose())
            without = hybrid(profile, double, SparseMessageKey(another))
            assert without != key, "the sparse half makes no difference"
            another = bytes(each ^ 1 for each in double.expose())
            assert hybrid(profile, MessageKey(another), sparse) != key, "the double half makes no difference"
            self._halves[key.expose()] = double.expose(), sparse.expose()
            return key

        return watched

    def _begin_ciphertext(self, encapsulate: Any) -> Any:
        def watched(header: bytes, m: EncapsulationRandomness) -> tuple[KemSecret, bytes]:
            self.encapsulates(m, header)
            begun: tuple[KemSecret, bytes] = encapsulate(header, m)
            return begun

        return watched

    def _agree(self, agree: Any) -> Any:
        def watched(pair: curve25519.KeyPair[Any], their_public: PublicKey) -> SharedPoint:
            if isinstance(pair, OneTimePrekeyPair):
                self._note().agreed.append(pair.public.data)
            shared: SharedPoint = agree(pair, their_public)
            return shared

        return watched

    def _decapsulate(self, decapsulate: Any) -> Any:
        def watched(pair: KemKeyPair[Any], ciphertext: bytes) -> KemSecret:
            if isinstance(pair.public, MlKem768PublicKey):
                self._note().braided.append((Used("a seed", pair.seed.expose()), ciphertext))
            else:
                self._note().agreed.append(pair.public.data)
            secret: KemSecret = decapsulate(pair, ciphertext)
            return secret

        return watched

    def _encapsulate(self, encapsulate: Any) -> Any:
        """OpenSSL draws its own randomness here; kept, so that hypothesis meets the same example again."""

        def watched(public: KemPublicKey) -> Encapsulation:
            self._encapsulated[public.data] += 1
            times = public.data, self._encapsulated[public.data]
            if times not in _ENCAPSULATIONS:
                if len(_ENCAPSULATIONS) >= _MAX_ENCAPSULATIONS:
                    _ENCAPSULATIONS.clear()
                _ENCAPSULATIONS[times] = encapsulate(public)
            return _ENCAPSULATIONS[times]

        return watched
