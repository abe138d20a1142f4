"""A relay and people who call it directly, without HTTP.

    Town        a relay over a store, at a time that a test moves; `ask` makes a call and reads the answer
    Resident    one person: device lists, keys, and a token for each device

Residents sign what real clients sign, with keys from their names. Their messages are any bytes.

Not here: real clients (tests/client).
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from letterlock import Address
from letterlock._handshake.bundle_signature import BundleSigner
from letterlock._primitives.curve25519 import (
    OneTimePrekey,
    OneTimePrekeyPair,
    PrivateKey,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.ed25519 import Ed25519KeyPair, Ed25519Seed
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import KemSeed, MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._primitives.xeddsa import SigningKey
from letterlock._wire.bundle import BundleHead, KemPrekey, OneTime
from letterlock._wire.prekey import PrekeyKind, PublicPrekey
from letterlock._wire.publication import Publication
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_calls import CALL_OF_REQUEST
from letterlock._wire.relay_error import ErrorAnswer, RelayCode
from letterlock._wire.relay_lists import AppendRequest, ListsAnswer, ListsRequest, RegisterRequest
from letterlock._wire.relay_login import (
    AuthenticateAnswer,
    AuthenticateRequest,
    ChallengeAnswer,
    ChallengeRequest,
    login_input,
)
from letterlock._wire.relay_mail import AckRequest, Delivery, FetchAnswer, FetchRequest, SendRequest
from letterlock._wire.relay_prekeys import (
    ClaimAnswer,
    ClaimRequest,
    PublishAnswer,
    PublishRequest,
    StateAnswer,
    StateRequest,
)
from letterlock._wire.relay_ticket import Ticket
from letterlock.relay._relay import Relay
from letterlock.relay._reply import Reply
from letterlock.relay._settings import RelaySettings
from letterlock.relay._store import RelayStore
from support.pair import entropy_of
from support.user_tools import FULL, LIMITED, Owner, material

NAME: Final = "relay.example"
TICKET_KEY: Final = Ed25519KeyPair(Ed25519Seed(material("relay ticket key", 32)))
NOW: Final = 1_800_000_000
DAY_OF_NOW: Final = NOW // 86_400

Answer = TypeVar("Answer", bound=RelayBody)


class Town:
    """A relay, its store and its time."""

    def __init__(self, store: RelayStore, settings: RelaySettings | None = None) -> None:
        self.store = store
        self.settings = settings or RelaySettings(NAME)
        self.now = NOW
        self.draw: Entropy = entropy_of("relay town")
        self.relay = Relay(store, self.settings, entropy=self.draw)

    async def restart(self, settings: RelaySettings | None = None) -> None:
        """Begin again, as another process on the same store does: nothing in memory is left."""
        self.settings = settings or self.settings
        self.relay = Relay(self.store, self.settings, entropy=self.draw)
        await self.relay.start()

    async def post(self, name_or_request: RelayBody, token: bytes | None = None) -> Reply:
        """Make a call."""
        call = CALL_OF_REQUEST[type(name_or_request)]
        return await self.relay.handle(call, name_or_request.encode(), token, self.now)

    async def ask(self, request: RelayBody, token: bytes | None = None) -> RelayBody:
        """Make a call, and return what its answer holds: that of the call, or an error."""
        reply = await self.post(request, token)
        if reply.status == 200:
            return CALL_OF_REQUEST[type(request)].answer.decode(reply.body)
        error = ErrorAnswer.decode(reply.body)
        assert reply.status == error.code.status
        return error

    async def get(self, kind: type[Answer], request: RelayBody, token: bytes | None = None) -> Answer:
        """Make a call that must succeed."""
        answer = await self.ask(request, token)
        assert type(answer) is kind, answer
        return answer

    async def refuses(
        self, code: RelayCode, request: RelayBody, token: bytes | None = None, number: int | None = None
    ) -> None:
        """Make a call that must be refused with this code, and this number if one is given."""
        answer = await self.ask(request, token)
        assert type(answer) is ErrorAnswer, answer
        assert answer.code is code, answer
        if number is not None:
            assert answer.number == number, answer


class Resident(Owner):
    """One person, with a token for each device that is logged in."""

    def __init__(self, town: Town, name: str, first: Sequence[tuple[int, int]] = ((1, FULL),)) -> None:
        super().__init__(name, first)
        self.town = town
        self.tokens: dict[int, bytes] = {}
        self.shown = 0

    # --- registering and logging in -----------------------------------------------------------------------

    def registration(self, ticket: bytes | None = None, most: int = 20) -> RegisterRequest:
        """Return the request that registers the lists so far."""
        return RegisterRequest(self.name, tuple(each.encode() for each in self.lists[:most]), ticket)

    async def move_in(self, *devices: int) -> "Resident":
        """Register, and log these devices in, or else all."""
        await self.town.get(DoneAnswer, self.registration())
        for each in devices or tuple(device.id for device in self.lists[-1].snapshot.devices):
            await self.log_in(each)
        return self

    async def challenge(self, device: int) -> bytes:
        """Ask for a challenge."""
        return (await self.town.get(ChallengeAnswer, ChallengeRequest(Address(self.name, device)))).challenge

    def login(
        self, device: int, challenge: bytes, *, counter: int = 1, relay: str = NAME, signer: int | None = None
    ) -> AuthenticateRequest:
        """Return a signed login."""
        address = Address(self.name, device)
        signed = login_input(relay, address, challenge, counter)
        seed = self.keys(signer or device).signing.seed.expose()
        signature = Ed25519KeyPair(Ed25519Seed(seed[32:])).sign(signed)
        return AuthenticateRequest(address, challenge, counter, signature)

    async def log_in(self, device: int) -> AuthenticateAnswer:
        """Log a device in, and keep its token."""
        self.shown += 1
        request = self.login(device, await self.challenge(device), counter=self.shown)
        answer = await self.town.get(AuthenticateAnswer, request)
        self.tokens[device] = answer.token
        return answer

    async def append(self, device: int = 1) -> DoneAnswer:
        """Bring the newest list to the relay."""
        return await self.town.get(DoneAnswer, AppendRequest(self.lists[-1].encode()), self.tokens[device])

    async def listed(self, name: str, after: int = 0, *, device: int = 1) -> ListsAnswer:
        """Return the device lists of a name."""
        return await self.town.get(ListsAnswer, ListsRequest(name, after), self.tokens[device])

    # --- prekeys ------------------------------------------------------------------------------------------

    def publication(
        self, device: int = 1, pairs: int = 3, signed: int = 1, first: int = 100, name: str | None = None
    ) -> Publication:
        """Return a publication with so many pairs, whose ids count from `first`."""
        keys = self.keys(device)
        head = BundleHead(
            Address(name or self.name, device),
            keys.identity.public,
            DAY_OF_NOW,
            PublicPrekey(PrekeyKind.SIGNED, signed, signed_key(signed)),
        )
        signer = BundleSigner(head, SigningKey.of(keys.identity), entropy_of(f"{self.name} {first}"))
        ones = (PublicPrekey(PrekeyKind.ONE_TIME, first + each, ONE_TIME) for each in range(pairs))
        kems = (PublicPrekey(PrekeyKind.KEM_ONE_TIME, first + 1000 + each, KEM) for each in range(pairs))
        last = PublicPrekey(PrekeyKind.KEM_LAST_RESORT, signed + 50, KEM)
        return signer.publication(last, tuple[tuple[OneTime, KemPrekey], ...](zip(ones, kems, strict=True)))

    async def publish(self, device: int = 1, number: int = 1, **made: Any) -> int:
        """Publish, and return the stock."""
        made.setdefault("first", 100 * number)
        request = PublishRequest(number, self.publication(device, **made).encode())
        return (await self.town.get(PublishAnswer, request, self.tokens[device])).stock

    def claim(self, of: "Resident", *devices: int, id_: str = "claim", **changed: Any) -> ClaimRequest:
        """Return the claim of one bundle of each of somebody's devices."""
        newest = of.lists[-1]
        fields: dict[str, Any] = {"version": newest.snapshot.version, "head": newest.hash[:8]} | changed
        return ClaimRequest(some_id(f"{self.name} {id_}"), of.name, devices=devices or (1,), **fields)

    async def claimed(self, of: "Resident", *devices: int, id_: str = "claim") -> tuple[bytes | None, ...]:
        """Claim bundles."""
        request = self.claim(of, *devices, id_=id_)
        return (await self.town.get(ClaimAnswer, request, self.tokens[1])).bundles

    async def state(self, device: int = 1) -> StateAnswer:
        """Return what the relay has of a device."""
        return await self.town.get(StateAnswer, StateRequest(), self.tokens[device])

    # --- mail ---------------------------------------------------------------------------------------------

    def send(
        self, to: "Resident", texts: dict[int, bytes], *, id_: str = "send", **changed: Any
    ) -> SendRequest:
        """Return the send of one text for each of somebody's devices."""
        newest = to.lists[-1]
        fields: dict[str, Any] = {"version": newest.snapshot.version, "head": newest.hash[:8]} | changed
        return SendRequest(some_id(f"{self.name} {id_}"), to.name, messages=tuple(texts.items()), **fields)

    async def sent(
        self, to: "Resident", texts: dict[int, bytes], *, id_: str = "send", device: int = 1
    ) -> None:
        """Send texts."""
        await self.town.get(DoneAnswer, self.send(to, texts, id_=id_), self.tokens[device])

    async def fetched(
        self, device: int = 1, *, most: int = 100, wait: int = 0, skip: Iterable[bytes] = ()
    ) -> tuple[Delivery, ...]:
        """Return what a device fetches."""
        request = FetchRequest(most, wait, tuple(skip))
        return (await self.town.get(FetchAnswer, request, self.tokens[device])).deliveries

    async def acknowledged(self, *ids: bytes, device: int = 1) -> None:
        """Acknowledge messages."""
        await self.town.get(DoneAnswer, AckRequest(ids), self.tokens[device])


def ticket(
    name: str,
    *,
    key: Ed25519KeyPair = TICKET_KEY,
    until: int = NOW + 600,
    label: str = "",
    may_replace: bool = False,
) -> bytes:
    """Return a ticket of the application's server."""
    return Ticket.sign(key, name, until, some_id(f"ticket {label}"), may_replace=may_replace).encode()


def some_id(label: str) -> bytes:
    """Return an id of 16 bytes that is always the same for one label."""
    return material(f"relay id {label}", 16)


@cache
def signed_key(label: object) -> SignedPrekey:
    """Return a public key, from a label."""
    return SignedPrekeyPair.from_private(PrivateKey(material(f"relay signed {label}", 32))).public


ONE_TIME: Final[OneTimePrekey] = OneTimePrekeyPair.from_private(
    PrivateKey(material("relay one-time", 32))
).public
KEM: Final[MlKem1024PublicKey] = MlKem1024KeyPair(KemSeed(material("relay kem", 64))).public
"""The same keys in each pair: a relay compares ids and bytes of bundles, and opens none."""


def family(town: Town, name: str = "alice") -> Resident:
    """Return somebody with three devices, added one after the other."""
    alice = Resident(town, name)
    alice.next(add=[(2, FULL)])
    alice.next(add=[(3, LIMITED)])
    return alice
