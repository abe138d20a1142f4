"""party.*: live accounts with fresh randomness, for a conversation between two implementations.

Not here: anything that could be recorded. The same request never has the same answer twice.
"""

from collections.abc import Mapping
from typing import Final

from letterlock._wire.bundle import PrekeyBundle
from letterlock.account import Account
from letterlock.errors import UsageError
from letterlock.stores._memory import MemoryStore
from letterlock_vectors.inputs import Input, Operation, Output

MAX_PARTIES: Final = 64


class Parties:
    """Accounts by the name that the asker chose, 64 at most. A name used again is a new party."""

    __slots__ = ("_accounts",)

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Return the operations on these parties, by name."""
        return {
            "party.create": self.create,
            "party.bundle": self.bundle,
            "party.publish": self.publish,
            "party.initiate": self.initiate,
            "party.encrypt": self.encrypt,
            "party.decrypt": self.decrypt,
            "party.safety_number": self.safety_number,
        }

    def create(self, given: Input) -> Output:
        """Create a party with a fresh identity. Raises UsageError for a 65th name."""
        name = given.text("party")
        if name not in self._accounts and len(self._accounts) >= MAX_PARTIES:
            raise UsageError(f"there are {MAX_PARTIES} parties already: use their names again")
        account = Account.create(MemoryStore(), given.address("address"), suites=given.suites())
        self._accounts[name] = account
        return {"identity": account.identity.data.hex()}

    def bundle(self, given: Input) -> Output:
        """Return a fresh bundle for one handshake."""
        return {"bundle": self._account(given).bundle().encode().hex()}

    def publish(self, given: Input) -> Output:
        """Return a publication with as many pairs of one-time prekeys as asked for."""
        return {"publication": self._account(given).publish(given.number("one_time")).encode().hex()}

    def initiate(self, given: Input) -> Output:
        """Begin a session with the owner of a bundle."""
        theirs = PrekeyBundle.decode(given.hex("bundle"))
        self._account(given).initiate(given.address("address"), theirs, suite=given.suite())
        return {}

    def encrypt(self, given: Input) -> Output:
        """Encrypt a plaintext to a peer."""
        message = self._account(given).encrypt(given.address("address"), given.hex("plaintext"))
        return {"message": message.hex()}

    def decrypt(self, given: Input) -> Output:
        """Decrypt a message of a peer."""
        plaintext = self._account(given).decrypt(given.address("address"), given.hex("message"))
        return {"plaintext": plaintext.hex()}

    def safety_number(self, given: Input) -> Output:
        """Return the safety number shared with a peer."""
        number = self._account(given).safety_number(given.address("address"))
        return {"digits": number.digits, "scannable": number.scannable.hex()}

    def _account(self, given: Input) -> Account:
        account = self._accounts.get(given.text("party"))
        if account is None:
            raise UsageError("there is no party with this name: create it first")
        return account
