"""This device's own prekeys, in their store: made, rotated, found for an initial message, used up.

    signed, last-resort      current without expiry; retired ones live PREKEY_GRACE longer
    one-time, kem one-time   expire unused after ONE_TIME_LIFETIME, or PREKEY_GRACE after they were replaced

A one-time prekey is deleted when, and only when, the message that used it has authenticated. A prekey that
can be used again remembers every handshake it was used in.                        [HAND-7] [HAND-8]

Every method runs inside the caller's transaction.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from letterlock._device.account_record import AccountRecord
from letterlock._handshake.agreement import Prekeys
from letterlock._handshake.prekey_signature import sign_prekey
from letterlock._primitives import xeddsa
from letterlock._primitives.curve25519 import (
    OneTimePrekey,
    OneTimePrekeyPair,
    PrivateKey,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import KemSeed, MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._primitives.secret import Secret
from letterlock._records.prekey import decode_prekey, encode_prekey
from letterlock._wire.message import HandshakeHeader
from letterlock._wire.prekey import PrekeyKey, PrekeyKind, PublicPrekey
from letterlock.errors import CorruptStore, DuplicateMessage, ReplayRecordFull, UnknownPrekey
from letterlock.limits import (
    MAX_ONE_TIME_PREKEYS,
    MAX_REPLAY_RECORDS,
    ONE_TIME_LIFETIME,
    PREKEY_GRACE,
    PREKEY_ROTATION,
)
from letterlock.stores import PrekeyRow, Tables

_ONE_TIME: Final = (PrekeyKind.ONE_TIME, PrekeyKind.KEM_ONE_TIME)
_UNKNOWN: Final = (
    "a prekey of this first message is used up, expired or not ours: send its author a new bundle"
)


def has_current(account: AccountRecord) -> bool:
    """Return whether the account has signed and last-resort prekeys; otherwise a publication makes them."""
    return account.signed_id != 0


def rotation_is_due(account: AccountRecord, now: int) -> bool:
    """Return whether the signed and last-resort prekeys are too old, or newer than a clock that went back."""
    return has_current(account) and not 0 <= now - account.rotated < PREKEY_ROTATION


class PrekeyRing:
    """The private prekeys of one account."""

    __slots__ = ("_entropy", "_tables")

    def __init__(self, tables: Tables, entropy: Entropy) -> None:
        self._tables = tables
        self._entropy = entropy

    # making

    def retire_current(self, account: AccountRecord, now: int) -> AccountRecord:
        """Return the account without signed and last-resort prekeys; those it had expire in PREKEY_GRACE."""
        self._retire(PrekeyKind.SIGNED, account.signed_id, now)
        self._retire(PrekeyKind.KEM_LAST_RESORT, account.last_resort_id, now)
        return replace(account, signed_id=0, last_resort_id=0)

    def rotate(self, account: AccountRecord, now: int) -> AccountRecord:
        """Return the account with new signed and last-resort prekeys; the old ones are retired."""
        account = self.retire_current(account, now)
        signed = SignedPrekeyPair.generate(self._entropy)
        last_resort = MlKem1024KeyPair.generate(self._entropy)
        signed_id, last_resort_id = account.take_ids(2)
        self._add(account, PrekeyKind.SIGNED, {signed_id: (signed.private, signed.public)}, None)
        self._add(
            account,
            PrekeyKind.KEM_LAST_RESORT,
            {last_resort_id: (last_resort.seed, last_resort.public)},
            None,
        )
        return replace(
            account,
            next_id=last_resort_id + 1,
            signed_id=signed_id,
            last_resort_id=last_resort_id,
            rotated=now,
        )

    def add_one_time(
        self, account: AccountRecord, count: int, now: int
    ) -> tuple[AccountRecord, list[PublicPrekey[OneTimePrekey]]]:
        """Make one-time curve prekeys; return the account and their public halves."""
        pairs = {id_: OneTimePrekeyPair.generate(self._entropy) for id_ in account.take_ids(count)}
        keys = {id_: (pair.private, pair.public) for id_, pair in pairs.items()}
        published = self._add(account, PrekeyKind.ONE_TIME, keys, now + ONE_TIME_LIFETIME)
        return replace(account, next_id=account.next_id + count), published

    def add_kem_one_time(
        self, account: AccountRecord, count: int, now: int
    ) -> tuple[AccountRecord, list[PublicPrekey[MlKem1024PublicKey]]]:
        """Make one-time KEM prekeys; return the account and their public halves."""
        pairs = {id_: MlKem1024KeyPair.generate(self._entropy) for id_ in account.take_ids(count)}
        keys = {id_: (pair.seed, pair.public) for id_, pair in pairs.items()}
        published = self._add(account, PrekeyKind.KEM_ONE_TIME, keys, now + ONE_TIME_LIFETIME)
        return replace(account, next_id=account.next_id + count), published

    def replace_one_time(self, now: int) -> None:
        """Let all one-time prekeys expire within PREKEY_GRACE, as the server discards them. [HAND-13]

        They are not deleted at once, because first messages that use them may be under way.
        """
        for kind in _ONE_TIME:
            for expires, id_ in self._tables.prekeys.expiries(kind):
                if expires > now + PREKEY_GRACE:
                    self._retire(kind, id_, now)

    def make_room(self, count: int) -> None:
        """Delete the one-time prekeys that expire first, so that `count` more of each kind have room."""
        for kind in _ONE_TIME:
            excess = self._tables.prekeys.count(kind) + count - MAX_ONE_TIME_PREKEYS
            if excess > 0:
                for _, id_ in self._tables.prekeys.expiries(kind)[:excess]:
                    self._tables.prekeys.delete(kind, id_)

    def unused(self, now: int) -> int:
        """Return how many pairs of one-time prekeys serve for longer than PREKEY_GRACE."""
        good = now + PREKEY_GRACE
        return min(
            sum(expires > good for expires, _ in self._tables.prekeys.expiries(kind)) for kind in _ONE_TIME
        )

    # showing

    def signed(self, account: AccountRecord) -> PublicPrekey[SignedPrekey]:
        """Return the public half of the current signed prekey."""
        secret, signature = self._current(PrekeyKind.SIGNED, account.signed_id)
        public = SignedPrekeyPair.from_private(PrivateKey(secret)).public
        return PublicPrekey(PrekeyKind.SIGNED, account.signed_id, public, signature)

    def last_resort(self, account: AccountRecord) -> PublicPrekey[MlKem1024PublicKey]:
        """Return the public half of the current last-resort KEM prekey."""
        secret, signature = self._current(PrekeyKind.KEM_LAST_RESORT, account.last_resort_id)
        public = MlKem1024KeyPair(KemSeed(secret)).public
        return PublicPrekey(PrekeyKind.KEM_LAST_RESORT, account.last_resort_id, public, signature)

    # answering

    def find(self, header: HandshakeHeader, handshake_id: bytes, now: int) -> Prekeys:
        """Return the private prekeys that an initial message names, before anything is computed with them.

        Raises UnknownPrekey; DuplicateMessage or ReplayRecordFull where a prekey can serve again. [HAND-8]
        """
        # Private keys stay wrapped here, so that no local variable in a traceback holds their bytes.
        signed_key = self._private_key(PrekeyKind.SIGNED, header.signed_prekey_id, now)
        self._check_replay(header, handshake_id)
        one_time = kem = None
        if header.one_time_prekey_id is not None:
            one_time_key = self._private_key(PrekeyKind.ONE_TIME, header.one_time_prekey_id, now)
            one_time = OneTimePrekeyPair.from_private(one_time_key)
        if header.kem is not None:
            kem_id = header.kem.prekey_id
            kem = MlKem1024KeyPair(self._seed(self._kem_kind(kem_id), kem_id, now))
        signed = SignedPrekeyPair.from_private(signed_key)
        return Prekeys(signed, one_time, kem)

    def use_up(self, header: HandshakeHeader, handshake_id: bytes) -> None:
        """Delete or record what an initial message used, now that it has authenticated. [HAND-7]"""
        reusable = self._reusable(header)
        if reusable is not None:
            self._tables.replays.add(*reusable, handshake_id)
        if header.one_time_prekey_id is not None:
            self._tables.prekeys.delete(PrekeyKind.ONE_TIME, header.one_time_prekey_id)
        if header.kem is not None:
            self._tables.prekeys.delete(PrekeyKind.KEM_ONE_TIME, header.kem.prekey_id)

    def _reusable(self, header: HandshakeHeader) -> tuple[PrekeyKind, int] | None:
        """Return the prekey that must remember the handshake, or None if it uses up a one-time prekey."""
        if header.one_time_prekey_id is not None:
            return None
        if header.kem is None:
            return PrekeyKind.SIGNED, header.signed_prekey_id
        kind = self._kem_kind(header.kem.prekey_id)
        return None if kind is PrekeyKind.KEM_ONE_TIME else (kind, header.kem.prekey_id)

    def _check_replay(self, header: HandshakeHeader, handshake_id: bytes) -> None:
        reusable = self._reusable(header)
        if reusable is None:
            return
        if self._tables.replays.has(*reusable, handshake_id):
            raise DuplicateMessage
        if self._tables.replays.count(*reusable) >= MAX_REPLAY_RECORDS:
            raise ReplayRecordFull(MAX_REPLAY_RECORDS)

    def _kem_kind(self, id_: int) -> PrekeyKind:
        # The message does not say which kind it names; no two kinds share an id.
        if self._tables.prekeys.load(PrekeyKind.KEM_ONE_TIME, id_) is not None:
            return PrekeyKind.KEM_ONE_TIME
        return PrekeyKind.KEM_LAST_RESORT

    # rows

    def _add(
        self,
        account: AccountRecord,
        kind: PrekeyKind,
        keys: Mapping[int, tuple[Secret, PrekeyKey]],
        expires: int | None,
    ) -> list[PublicPrekey[PrekeyKey]]:
        identity = account.party.identity
        published: list[PublicPrekey[PrekeyKey]] = []
        rows: list[PrekeyRow] = []
        for id_, (secret, public) in keys.items():
            # Every signature draws a new Z: a repeated one would reveal the identity key.  PRIM-4
            prekey = sign_prekey(kind, id_, public, identity, self._entropy(xeddsa.NONCE_BYTES))
            rows.append(PrekeyRow(kind, id_, expires, encode_prekey(secret, prekey.signature)))
            published.append(prekey)
        self._tables.prekeys.add(rows)
        return published

    def _retire(self, kind: PrekeyKind, id_: int, now: int) -> None:
        row = self._tables.prekeys.load(kind, id_)
        if row is not None:
            self._tables.prekeys.replace(replace(row, expires=now + PREKEY_GRACE))

    def _private_key(self, kind: PrekeyKind, id_: int, now: int) -> PrivateKey:
        return PrivateKey(self._usable(kind, id_, now)[0])

    def _seed(self, kind: PrekeyKind, id_: int, now: int) -> KemSeed:
        return KemSeed(self._usable(kind, id_, now)[0])

    def _usable(self, kind: PrekeyKind, id_: int, now: int) -> tuple[bytes, bytes]:
        row = self._tables.prekeys.load(kind, id_)
        # Expired prekeys are deleted only now and then, so one may still be there.  HAND-9
        if row is None or (row.expires is not None and row.expires <= now):
            raise UnknownPrekey(_UNKNOWN)
        return decode_prekey(kind, row.record)

    def _current(self, kind: PrekeyKind, id_: int) -> tuple[bytes, bytes]:
        row = self._tables.prekeys.load(kind, id_)
        if row is None:
            raise CorruptStore("a current prekey is missing: restore the store from a copy")
        return decode_prekey(kind, row.record)
