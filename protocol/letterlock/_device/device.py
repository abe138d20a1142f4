"""This device: its store, its identity, and what it takes from the world. `Account` is its public face.

Not here: prekeys (prekeys.py), peers (known_peers.py), sessions (_session/).
"""

from letterlock._device.account_record import AccountRecord, new_account
from letterlock._device.due import Due
from letterlock._device.environment import Environment
from letterlock._device.prekeys import OneTimePair, PrekeyRing, has_current, rotation_is_due
from letterlock._handshake.agreement import Party
from letterlock._handshake.bundle_signature import BundleSigner
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.xeddsa import SigningKey
from letterlock._records.account import decode_account, encode_account
from letterlock._wire.address import Address
from letterlock._wire.bundle import BundleHead, PrekeyBundle
from letterlock._wire.day import day_of
from letterlock._wire.publication import Publication
from letterlock.errors import AccountExists, NoAccount, UsageError
from letterlock.limits import PREKEY_GRACE, PREKEY_ROTATION
from letterlock.stores import Store


class Device(Uncopyable):
    """One device of one user. Make one with `create`, later open it with `open_existing`."""

    __slots__ = ("environment", "party", "store")

    def __init__(self, store: Store, party: Party, environment: Environment) -> None:
        self.store = store
        self.party = party
        self.environment = environment

    @classmethod
    def create(
        cls,
        store: Store,
        address: Address,
        environment: Environment,
        *,
        identity: IdentityKeyPair | None = None,
    ) -> "Device":
        """Make an account and its first prekeys in an empty store. Raises AccountExists, UsageError.

        `identity` is a key pair that exists already: a device that is linked shows it before there is an
        account. Without it, a new one is made.
        """
        _require_store(store)
        if type(address) is not Address:
            raise UsageError(f"address must be Address, not {type(address).__name__}")
        if identity is not None and type(identity) is not IdentityKeyPair:
            raise UsageError(f"identity must be IdentityKeyPair, not {type(identity).__name__}")
        with store.transaction():
            if store.tables.account.load() is not None:
                raise AccountExists("this store holds an account already: open it instead")
            account = new_account(address, environment.entropy, identity)
            account = PrekeyRing(store.tables, environment.entropy).rotate(account, environment.now())
            store.tables.account.save(encode_account(account))
        return cls(store, account.party, environment)

    @classmethod
    def open_existing(cls, store: Store, environment: Environment) -> "Device":
        """Open the account of a store, and delete its expired prekeys. Raises NoAccount, UsageError."""
        _require_store(store)
        with store.transaction():
            account = _load_account(store)
            store.tables.prekeys.delete_expired(environment.now())
        return cls(store, account.party, environment)

    def publish(self, one_time: int, *, rotate: bool) -> Publication:
        """Return `one_time` new pairs of one-time prekeys and the two that stay. Raises UsageError."""
        with self.store.transaction():
            account, pairs = self._make_prekeys(one_time, rotate=rotate)
            return self._signer(account).publication(self._ring().last_resort(account), pairs)

    def bundle(self, *, one_time: bool) -> PrekeyBundle:
        """Return one bundle alone, with a new pair of one-time prekeys or without. Raises UsageError."""
        with self.store.transaction():
            account, pairs = self._make_prekeys(int(one_time), rotate=False)
            prekeys = pairs[0] if pairs else (None, self._ring().last_resort(account))
            return self._signer(account).bundle(*prekeys)

    def _make_prekeys(self, one_time: int, *, rotate: bool) -> tuple[AccountRecord, list[OneTimePair]]:
        now, ring = self.environment.now(), self._ring()
        self.store.tables.prekeys.delete_expired(now)
        account = _load_account(self.store)
        rotate = rotate or not has_current(account) or rotation_is_due(account, now)
        if one_time or rotate:
            account = account.skip_ids(self.environment.entropy)
        if rotate:
            account = ring.rotate(account, now)
        ring.make_room(one_time)
        account, pairs = ring.add_pairs(account, one_time, now)
        self.store.tables.account.save(encode_account(account))
        return account, pairs

    def _ring(self) -> PrekeyRing:
        return PrekeyRing(self.store.tables, self.environment.entropy)

    def _signer(self, account: AccountRecord) -> BundleSigner:
        identity, signed = self.party.identity, self._ring().signed(account)
        head = BundleHead(self.party.address, identity.public, day_of(account.rotated), signed)
        return BundleSigner(head, SigningKey.of(identity), self.environment.entropy)

    def due(self, now: int, unanswered: tuple[Address, ...], ended: tuple[Address, ...]) -> Due:
        """Return what is due at a time, inside the caller's transaction. Changes nothing."""
        account = _load_account(self.store)
        rotation = rotation_is_due(account, now)
        unused = self._ring().unused(now)
        return Due(rotation, rotation or not has_current(account) or unused == 0, unused, unanswered, ended)

    def keep_up(self) -> None:
        """Retire prekeys that are due for rotation, and delete expired ones. [HAND-14]

        For the transaction of a message that has authenticated: an account that only reads never publishes.
        """
        now = self.environment.now()
        self.store.tables.prekeys.delete_expired(now)
        account = _load_account(self.store)
        # A clock that went back retires nothing here: once it is set right, the prekeys would have expired.
        if has_current(account) and now - account.rotated >= PREKEY_ROTATION:
            account = self._ring().retire(account, now)
            self.store.tables.account.save(encode_account(account))

    def discard_prekeys(self) -> None:
        """Delete every prekey, for a store that was restored: those that were used up are in it again.

        The next publication makes new ones. First messages that are under way can no longer be read.
        """
        now, account = self.environment.now(), _load_account(self.store)
        self.store.tables.account.save(encode_account(self._ring().retire(account, now)))
        self.store.tables.prekeys.delete_expired(now + PREKEY_GRACE)

    def __repr__(self) -> str:
        return f"<Device {self.party.address}>"


def _require_store(store: object) -> None:
    if not hasattr(store, "transaction"):
        raise UsageError(f"an account lives in a store, not in a {type(store).__name__}: see SqliteStore")


def _load_account(store: Store) -> AccountRecord:
    record = store.tables.account.load()
    if record is None:
        raise NoAccount(
            "this store holds no account: if it is new, create one; if it held one, it may be a copy without "
            "its -wal file, so restore both"
        )
    return record.decoded(decode_account)
