"""party.*: live accounts that draw their own bytes, for a conversation between two implementations.

They are kept by name in this process, 64 at most: a name that comes again is a new party.

Not here: anything that could be recorded, since no answer comes twice.
"""

from typing import Final

from letterlock._wire.bundle import PrekeyBundle
from letterlock.account import Account
from letterlock.errors import UsageError
from letterlock.stores._memory import MemoryStore
from letterlock.vectors.operation import Input, Output, operation

MAX_PARTIES: Final = 64

_PARTIES: Final[dict[str, Account]] = {}


@operation("party.create")
def create(given: Input) -> Output:
    """Make a party with an identity of its own."""
    name = given.text("party")
    if name not in _PARTIES and len(_PARTIES) >= MAX_PARTIES:
        raise UsageError(f"there are {MAX_PARTIES} parties already: use their names again")
    account = Account.create(MemoryStore(), given.address("address"), suites=given.suites())
    _PARTIES[name] = account
    return {"identity": account.identity.data.hex()}


@operation("party.bundle")
def bundle(given: Input) -> Output:
    """Return a fresh bundle for one handshake."""
    return {"bundle": _party(given).bundle().encode().hex()}


@operation("party.publish")
def publish(given: Input) -> Output:
    """Return a publication."""
    return {"publication": _party(given).publish(given.number("one_time")).encode().hex()}


@operation("party.initiate")
def initiate(given: Input) -> Output:
    """Begin a session with the owner of a bundle."""
    theirs = PrekeyBundle.decode(given.hex("bundle"))
    _party(given).initiate(given.address("address"), theirs, suite=given.suite())
    return {}


@operation("party.encrypt")
def encrypt(given: Input) -> Output:
    """Seal a plaintext for a peer."""
    message = _party(given).encrypt(given.address("address"), given.hex("plaintext"))
    return {"message": message.hex()}


@operation("party.decrypt")
def decrypt(given: Input) -> Output:
    """Open a message of a peer."""
    plaintext = _party(given).decrypt(given.address("address"), given.hex("message"))
    return {"plaintext": plaintext.hex()}


@operation("party.safety_number")
def safety_number(given: Input) -> Output:
    """Return the safety number shared with a peer."""
    number = _party(given).safety_number(given.address("address"))
    return {"digits": number.digits, "scannable": number.scannable.hex()}


def _party(given: Input) -> Account:
    account = _PARTIES.get(given.text("party"))
    if account is None:
        raise UsageError("there is no party of this name: create it first")
    return account
