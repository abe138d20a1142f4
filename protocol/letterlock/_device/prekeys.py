"""This device's own prekeys, in their store: made, rotated, found for an initial message, used up.

    signed, last-resort      current without expiry; retired ones live PREKEY_GRACE longer
    one-time, kem one-time   expire unused after ONE_TIME_LIFETIME, or with the signed prekey of their bundle

A one-time prekey is deleted when, and only when, the message that used it has authenticated. A prekey that
can be used again remembers every handshake it was used in.                        [HAND-7] [HAND-8]

Every method runs inside the caller's transaction.
"""

from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

from letterlock._device.account_record import AccountRecord
from letterlock._handshake.agreement import Prekeys
from letterlock._primitives.curve25519 import (
    OneTimePrekey,
    OneTimePrekeyPair,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._records.prekey import decode_curve_prekey, decode_kem_prekey, encode_prekey
from letterlock._wire.message import HandshakeHeader
from letterlock._wire.prekey import PrekeyKind, PublicPrekey
from letterlock.errors import CorruptStore, DuplicateMessage, ReplayRecordFull, UnknownPrekey
from letterlock.limits import (
    MAX_EXPANDED_PREKEYS,
    MAX_ONE_TIME_PREKEYS,
    MAX_REPLAY_RECORDS,
    ONE_TIME_LIFETIME,
    PREKEY_GRACE,
    PREKEY_ROTATION,
)
from letterlock.stores import PrekeyRow, Record, Tables

OneTimePair: TypeAlias = tuple[PublicPrekey[OneTimePrekey], PublicPrekey[MlKem1024PublicKey]]
"""The public halves of two one-time prekeys that make a bundle."""

_ONE_TIME: Final = (PrekeyKind.ONE_TIME, PrekeyKind.KEM_ONE_TIME)
_decode_signed = partial(decode_curve_prekey, pair=SignedPrekeyPair)
_decode_one_time = partial(decode_curve_prekey, pair=OneTimePrekeyPair)
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

    def retire(self, account: AccountRecord, now: int) -> AccountRecord:
        """Return the account without current prekeys; all that it had expire within PREKEY_GRACE.

        One-time prekeys were signed together with the signed prekey and serve no longer than it does. They
        are not deleted at once, because first messages that use them may be under way.  [HAND-9] [HAND-13]
        """
        self._retire(PrekeyKind.SIGNED, account.signed_id, now)
        self._retire(PrekeyKind.KEM_LAST_RESORT, account.last_resort_id, now)
        for kind in _ONE_TIME:
            for expires, id_ in self._tables.prekeys.expiries(kind):
                if expires > now + PREKEY_GRACE:
                    self._retire(kind, id_, now)
        return replace(account, signed_id=0, last_resort_id=0)

    def rotate(self, account: AccountRecord, now: int) -> AccountRecord:
        """Return the account with new signed and last-resort prekeys; all earlier ones are retired."""
        account = self.retire(account, now)
        signed_id, last_resort_id = account.take_ids(2)
        signed = encode_prekey(SignedPrekeyPair.generate(self._entropy))
        last_resort = encode_prekey(MlKem1024KeyPair.generate(self._entropy))
        self._tables.prekeys.add(
            [
                PrekeyRow(PrekeyKind.SIGNED, signed_id, None, signed),
                PrekeyRow(PrekeyKind.KEM_LAST_RESORT, last_resort_id, None, last_resort),
            ]
        )
        return replace(
            account,
            next_id=last_resort_id + 1,
            signed_id=signed_id,
            last_resort_id=last_resort_id,
            rotated=now,
        )

    def add_pairs(
        self, account: AccountRecord, count: int, now: int
    ) -> tuple[AccountRecord, list[OneTimePair]]:
        """Make one-time prekeys of both kinds; return the account and the public halves, in pairs."""
        ids = account.take_ids(2 * count)
        curve = {id_: OneTimePrekeyPair.generate(self._entropy) for id_ in ids[:count]}
        kem = {id_: MlKem1024KeyPair.generate(self._entropy) for id_ in ids[count:]}
        few = count <= MAX_EXPANDED_PREKEYS
        expires = now + ONE_TIME_LIFETIME
        for kind, pairs in ((PrekeyKind.ONE_TIME, curve), (PrekeyKind.KEM_ONE_TIME, kem)):
            records = {id_: encode_prekey(pair, expanded=few) for id_, pair in pairs.items()}
            self._tables.prekeys.add(
                [PrekeyRow(kind, id_, expires, record) for id_, record in records.items()]
            )
        public = zip(
            (PublicPrekey(PrekeyKind.ONE_TIME, id_, pair.public) for id_, pair in curve.items()),
            (PublicPrekey(PrekeyKind.KEM_ONE_TIME, id_, pair.public) for id_, pair in kem.items()),
            strict=True,
        )
        return replace(account, next_id=account.next_id + 2 * count), list(public)

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
        record = self._current(PrekeyKind.SIGNED, account.signed_id)
        public = record.decoded(_decode_signed).public
        return PublicPrekey(PrekeyKind.SIGNED, account.signed_id, public)

    def last_resort(self, account: AccountRecord) -> PublicPrekey[MlKem1024PublicKey]:
        """Return the public half of the current last-resort KEM prekey."""
        record = self._current(PrekeyKind.KEM_LAST_RESORT, account.last_resort_id)
        public = record.decoded(decode_kem_prekey).public
        return PublicPrekey(PrekeyKind.KEM_LAST_RESORT, account.last_resort_id, public)

    # answering

    def find(self, header: HandshakeHeader, handshake_id: bytes, now: int) -> Prekeys:
        """Return the private prekeys that an initial message names, before anything is computed with them.

        Raises UnknownPrekey; DuplicateMessage or ReplayRecordFull where a prekey can serve again. [HAND-8]
        """
        # Records keep private keys wrapped, so that no local variable in a traceback holds their bytes.
        signed = self._usable(PrekeyKind.SIGNED, header.signed_prekey_id, now)
        self._check_replay(header, handshake_id)
        one_time = kem = None
        if header.one_time_prekey_id is not None:
            one_time = self._usable(PrekeyKind.ONE_TIME, header.one_time_prekey_id, now)
        if header.kem is not None:
            kem = self._usable(self._kem_kind(header.kem.prekey_id), header.kem.prekey_id, now)
        return Prekeys(
            signed.decoded(_decode_signed),
            None if one_time is None else one_time.decoded(_decode_one_time),
            None if kem is None else kem.decoded(decode_kem_prekey),
        )

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

    def _retire(self, kind: PrekeyKind, id_: int, now: int) -> None:
        row = self._tables.prekeys.load(kind, id_)
        if row is not None:
            self._tables.prekeys.replace(replace(row, expires=now + PREKEY_GRACE))

    def _usable(self, kind: PrekeyKind, id_: int, now: int) -> Record:
        row = self._tables.prekeys.load(kind, id_)
        # Expired prekeys are deleted only now and then, so one may still be there.  HAND-9
        if row is None or (row.expires is not None and row.expires <= now):
            raise UnknownPrekey(_UNKNOWN)
        return row.record

    def _current(self, kind: PrekeyKind, id_: int) -> Record:
        row = self._tables.prekeys.load(kind, id_)
        if row is None:
            raise CorruptStore("a current prekey is missing: restore the store from a copy")
        return row.record
