"""account.play: a whole account with chosen keys, prekeys and time.

A memory store holds the initial records. Each step calls `Account` with the random bytes of the vector.

Not here: accounts with fresh randomness (parties.py).
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from letterlock._device.account_record import AccountRecord
from letterlock._device.device import Device
from letterlock._device.environment import Environment
from letterlock._handshake.agreement import Party
from letterlock._primitives.curve25519 import IdentityKey, IdentityKeyPair
from letterlock._primitives.mlkem import Encapsulation, MlKem1024PublicKey
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.account import encode_account
from letterlock._session.peer_sessions import PeerSessions
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PrekeyKind
from letterlock.account import Account
from letterlock.stores._memory import MemoryStore
from letterlock_vectors.inputs import Input, Operation, Output
from letterlock_vectors.operations.bundles import prekey_kind, private_key
from letterlock_vectors.operations.handshakes import encapsulation_of, prekey_row
from letterlock_vectors.operations.plays import ChosenEntropy, entropy_for_sending, kept_keys, play


def account_play(given: Input) -> Output:
    """Return the answer of each step."""
    player = AccountPlayer(given.nested("account"))
    table = {
        "initiate": player.initiate,
        "encrypt": player.encrypt,
        "decrypt": player.decrypt,
        "accept_identity": player.accept_identity,
        "wait": player.wait,
        "allow": player.allow,
        "users": player.users,
        "sessions": player.sessions,
        "prekeys": player.prekeys,
    }
    return play(given.nested_list("steps"), table)


class AccountPlayer(Uncopyable):
    """An account with its store, its clock and its random bytes."""

    __slots__ = (
        "_account",
        "_encapsulation",
        "_entropy",
        "_now",
        "_prekeys",
        "_store",
        "_suites",
        "_user_ids",
    )

    def __init__(self, given: Input) -> None:
        self._store, self._entropy = MemoryStore(), ChosenEntropy()
        self._encapsulation = encapsulation_of(None)
        self._now = given.number("now")
        self._prekeys: list[tuple[PrekeyKind, int]] = []
        self._user_ids: dict[Address, bytes] = {}
        self._fill(given)
        self._suites = given.suites()
        self._account = self._open()

    def _fill(self, given: Input) -> None:
        identity = IdentityKeyPair.from_private(private_key(given, "identity"))
        profile = AccountRecord(Party(given.address("address"), identity), next_id=1)
        rows = [prekey_row(each, each.optional_number("expires")) for each in given.nested_list("prekeys")]
        self._prekeys = [(row.kind, row.id) for row in rows]
        replays = given.optional_nested("replays")
        with self._store.transaction():
            self._store.tables.account.save(encode_account(profile))
            self._store.tables.prekeys.add(rows)
            if replays is not None:
                kind, id_ = prekey_kind(replays), replays.number("id")
                for number in range(replays.number("count")):
                    digest = hashlib.sha256(number.to_bytes(4, "big")).digest()
                    self._store.tables.replays.add(kind, id_, digest)

    def _open(self) -> Account:
        environment = Environment(
            self._suites, lambda: self._now, self._entropy, self._encapsulate, self._admit
        )
        return Account(Device.open_existing(self._store, environment))

    def _encapsulate(self, key: MlKem1024PublicKey) -> Encapsulation:
        return self._encapsulation(key)

    def _admit(self, address: Address, _identity: IdentityKey) -> bytes | None:
        return self._user_ids.get(address)

    def initiate(self, step: Input) -> Output:
        """Begin a session with the owner of a bundle."""
        self._encapsulation = encapsulation_of(step.optional_nested("kem"))
        self._entropy.offer(step.sized("ephemeral", KEY_BYTES), step.sized("ratchet_private", KEY_BYTES))
        self._account.initiate(
            step.address("address"),
            PrekeyBundle.decode(step.hex("bundle")),
            suite=step.suite(),
            discard_earlier=step.flag("discard_earlier"),
        )
        return {}

    def encrypt(self, step: Input) -> Output:
        """Encrypt a plaintext to a peer."""
        address = step.address("address")
        with self._store.transaction():
            active = PeerSessions(self._store, address, self._suites).active()
        self._entropy.offer(*entropy_for_sending(step, active))
        message = self._account.encrypt(address, step.hex("plaintext"))
        return {"message": message.hex()}

    def decrypt(self, step: Input) -> Output:
        """Decrypt a message of a peer."""
        self._entropy.offer()
        plaintext = self._account.decrypt(step.address("address"), step.hex("message"))
        return {"plaintext": plaintext.hex()}

    def accept_identity(self, step: Input) -> Output:
        """Trust an identity key."""
        self._account.accept_identity(step.address("address"), step.hex("identity"))
        return {}

    def wait(self, step: Input) -> Output:
        """Let time pass."""
        self._now += step.number("seconds")
        return {}

    def allow(self, step: Input) -> Output:
        """Allow exactly these suites from now on. The account is opened again."""
        self._suites = step.suites()
        self._account = self._open()
        return {}

    def users(self, step: Input) -> Output:
        """Take a peer for a device of a user, ours as well; or, with null, for an account without a user."""
        address = step.address("address")
        if step.is_null("theirs"):
            self._user_ids.pop(address, None)
        else:
            self._user_ids[address] = step.sized("ours", KEY_BYTES) + step.sized("theirs", KEY_BYTES)
        return {}

    def sessions(self, step: Input) -> Output:
        """Count the sessions and skipped keys of a peer."""
        sessions, skipped = kept_keys(self._store, step.address("address").encode())
        return {"sessions": sessions, "skipped": skipped}

    def prekeys(self, _step: Input) -> Output:
        """Return the ids of the prekeys that can still be used."""
        with self._store.transaction():
            rows = [self._store.tables.prekeys.load(kind, id_) for kind, id_ in self._prekeys]
        usable = [row.id for row in rows if row and (row.expires is None or row.expires > self._now)]
        return {"ids": sorted(usable)}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "account.play": account_play,
}
