"""This device: its store, its identity, and what it takes from the world. `Account` is its public face.

Not here: prekeys (prekeys.py), peers (known_peers.py), conversations (_session/).
"""

from letterlock._device.account_record import AccountRecord, new_account
from letterlock._device.environment import Environment
from letterlock._device.prekeys import PrekeyRing, rotation_is_due
from letterlock._handshake.agreement import Party
from letterlock._primitives.secret import Uncopyable
from letterlock._records.account import decode_account, encode_account
from letterlock._wire.address import Address
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.publication import Publication
from letterlock.errors import AccountExists, NoAccount, UsageError
from letterlock.limits import MAX_ONE_TIME_PREKEYS
from letterlock.stores import Store


class Device(Uncopyable):
    """One device of one user. Make one with `create`, later open it with `open_existing`."""

    __slots__ = ("environment", "party", "store")

    def __init__(self, store: Store, party: Party, environment: Environment) -> None:
        self.store = store
        self.party = party
        self.environment = environment

    @classmethod
    def create(cls, store: Store, address: Address, environment: Environment) -> "Device":
        """Make a new identity and its first prekeys in an empty store. Raises AccountExists."""
        with store.transaction():
            if store.tables.account.load() is not None:
                raise AccountExists("this store holds an account already: open it instead")
            account = new_account(address, environment.entropy)
            account = PrekeyRing(store.tables, environment.entropy).rotate(account, environment.now())
            store.tables.account.save(encode_account(account))
        return cls(store, account.party, environment)

    @classmethod
    def open_existing(cls, store: Store, environment: Environment) -> "Device":
        """Open the account that a store holds, and delete its expired prekeys. Raises NoAccount."""
        with store.transaction():
            account = _load_account(store)
            store.tables.prekeys.delete_expired(environment.now())
        return cls(store, account.party, environment)

    def publish(self, one_time: int, *, rotate: bool) -> Publication:
        """Return `one_time` new prekeys of each kind and the two that stay. Raises UsageError."""
        tables, now = self.store.tables, self.environment.now()
        ring = PrekeyRing(tables, self.environment.entropy)
        with self.store.transaction():
            tables.prekeys.delete_expired(now)
            self._check_room(one_time)
            account = _load_account(self.store)
            rotate = rotate or rotation_is_due(account, now)
            if one_time or rotate:
                account = account.skip_ids(self.environment.entropy)
            if rotate:
                account = ring.rotate(account, now)
            account, curve = ring.add_one_time(account, one_time, now)
            account, kem = ring.add_kem_one_time(account, one_time, now)
            tables.account.save(encode_account(account))
            return Publication(
                self.party.address,
                self.party.identity.public,
                ring.signed(account),
                ring.last_resort(account),
                tuple(curve),
                tuple(kem),
            )

    def _check_room(self, one_time: int) -> None:
        for kind in (PrekeyKind.ONE_TIME, PrekeyKind.KEM_ONE_TIME):
            stored = self.store.tables.prekeys.count(kind)
            if stored + one_time > MAX_ONE_TIME_PREKEYS:
                raise UsageError(f"{stored} unused one-time prekeys are stored already: hand those out first")

    def __repr__(self) -> str:
        return f"<Device {self.party.address}>"


def _load_account(store: Store) -> AccountRecord:
    record = store.tables.account.load()
    if record is None:
        raise NoAccount(
            "this store holds no account: if it is new, create one; if it held one, it may be a copy without "
            "its -wal file, so restore both"
        )
    return decode_account(record)
