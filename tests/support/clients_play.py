"""A play of the model of clients: people with several phones, and a relay that lies to them, over the wire.

    alice, bob, carol     two, three and one phones: power and networks fail, phones are linked and revoked
    the relay             lies about one call in so many (clients_lies.py)
    a thief               copied one of Bob's phones, and signed a list with it, which the relay shows
    the end               the relay is honest again, and everything arrives

A seed decides who does what. When each call arrives is up to the event loop and the threads, so the same seed
plays almost the same, and no more.

Not here: phones (clients_phones.py); what must hold at the end (clients_settling.py).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from letterlock import Address
from letterlock.client import Client, RelayMisbehaves, RelayUnavailable, UnknownUser
from letterlock.errors import LetterlockError, UsageError
from letterlock.limits import DAY, HOUR
from letterlock.user import ContactFrozen, ContactState, Contradiction, Evidence
from support.clients_cast import Cast, linked
from support.clients_lies import LyingRelay, Twin
from support.clients_phones import Country, Phone, pass_time

NAMES: Final = ("alice", "bob", "carol")
MAX_PHONES: Final = 3
STEPS: Final = 60
RATES: Final = (0.08, 0.2, 0.4)
LONGEST: Final = 4 * DAY
"""How long a play takes by its own clock, before the end."""
_LINKING: Final = 12.0


@dataclass(frozen=True)
class Text:
    """What somebody wrote. `due` are the devices that its writer had on record, for a stranger the first one.

    Devices that the writer learned of before the relay took the text get it as well.
    """

    sender: Address
    to: str
    due: frozenset[Address]


@dataclass
class Play:
    """One play."""

    seed: int
    country: Country
    folder: Path
    cast: Cast
    phones: list[Phone] = field(default_factory=list)
    texts: dict[bytes, Text] = field(default_factory=dict)
    maybe: dict[bytes, Text] = field(default_factory=dict)
    """Texts of which nobody knows whether they were saved."""
    dropped: set[tuple[Address, str]] = field(default_factory=set)
    """Who took other lists of whom: what was not acknowledged is not sent to the other user."""
    ghosts: set[tuple[str, int]] = field(default_factory=set)
    """Devices that were listed, and that no phone has become."""
    story: list[str] = field(default_factory=list)
    passed: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        twins = {name: Twin(name, self.country.clock) for name in NAMES}
        rng, truth, owners = random.Random(self.seed + 1), dict(self.cast.truth), dict(self.cast.stores)
        self.liar = LyingRelay(rng, twins, self.cast.forks, truth, owners)
        self.country.liar = self.liar

    def note(self, *what: object) -> None:
        """Keep what happened, for whoever reads a play that failed."""
        self.story.append(" ".join(map(str, what)))

    async def begin(self) -> None:
        """Let everybody switch the phone on."""
        for label, name in self.cast.stores.items():
            phone = Phone(self.country, name, label, self.folder / f"{label}.db")
            self.phones.append(phone)
            await phone.start()

    async def run(self, steps: int = STEPS) -> None:
        """Make so many moves, while the relay lies."""
        self.liar.rate = self.rng.choice(RATES)
        moves, weights = [move for move, _ in MOVES], [weight for _, weight in MOVES]
        for move in self.rng.choices(moves, weights, k=steps):
            await move(self)
            await asyncio.sleep(0.03 * self.rng.random())
        self.liar.rate = 0.0
        self.country.is_down = False

    # --- choosing -------------------------------------------------------------------------------------

    def running(self) -> list[Phone]:
        """Return the phones that are on."""
        return [each for each in self.phones if each.client is not None]

    def someone(self) -> tuple[Phone, Client]:
        """Return a phone that is on, and its client."""
        phone = self.rng.choice(self.running())
        assert phone.client is not None
        return phone, phone.client

    def listed(self, name: str) -> list[Phone]:
        """Return the phones that the true list has, the oldest first."""
        ids = [each.id for each in self.liar.truth[name][-1].snapshot.devices]
        mine = [each for each in self.phones if each.name == name and each.address.device_id in ids]
        return sorted(mine, key=lambda each: each.address.device_id)

    def has_replaced(self, sender: Address, name: str) -> bool:
        """Whether a phone took other lists of a name, so that what it had sent is not sent to them."""
        return (sender, name) in self.dropped

    # --- moves ----------------------------------------------------------------------------------------

    async def writes(self) -> None:
        phone, client = self.someone()
        await self.write(phone, client, self.rng.choice(NAMES))

    async def write(self, phone: Phone, client: Client, name: str) -> None:
        """Let a phone write to a name, and note for whom it is meant."""
        body = b"text %d" % (len(self.texts) + len(self.maybe))
        self.maybe[body] = Text(client.address, name, frozenset())
        with suppress(ContactFrozen, UsageError):  # frozen; unknown to the relay; revoked
            async with client.transaction():
                await client.send(name, body)
                due = await client.run(_meant_for, client, name)
            del self.maybe[body]
            self.texts[body] = Text(client.address, name, due)
        self.note(phone, "writes", body.decode(), "to", name, "" if body in self.texts else "- refused")

    async def pauses(self) -> None:
        await asyncio.sleep(0.15 * self.rng.random())

    async def time_passes(self) -> None:
        seconds = self.rng.choice((1, 31, 61, 600, HOUR, DAY))
        if self.passed + seconds < LONGEST:
            self.passed += seconds
            pass_time(self.phones, self.country, seconds)

    async def power_fails(self) -> None:
        running = self.running()
        if len(running) > 2:
            phone = self.rng.choice(running)
            self.note("the power fails:", phone)
            await phone.crash()

    async def stops(self) -> None:
        running = self.running()
        if len(running) > 2:
            phone = self.rng.choice(running)
            self.note(phone, "is switched off")
            await phone.stop()

    async def starts(self) -> None:
        for phone in self.phones:
            if phone.client is None:
                self.note(phone, "is switched on")
                await phone.start()

    async def network_fails(self) -> None:
        self.country.dead ^= {self.rng.choice(self.phones).label}

    async def relay_fails(self) -> None:
        self.country.is_down = not self.country.is_down and self.rng.random() < 0.5

    async def meets(self) -> None:
        phone, client = self.someone()
        name = self.rng.choice(NAMES)
        if name != phone.name:
            with suppress(RelayUnavailable, RelayMisbehaves, UnknownUser, UsageError):
                await client.meet(name)

    async def decides(self) -> None:
        phone, client = self.someone()
        await self.decide_all(phone, client)

    async def decide_all(self, phone: Phone, client: Client) -> bool:
        """Let people compare what they have, and take the true one of two chains. Return whether any did."""
        decided = False
        for person in await client.contacts():
            if person.state is ContactState.CONFLICTING and person.name in self.liar.truth:
                decided = True
                await self._decide(phone, client, person.name, await client.evidence(person.name))
        return decided

    async def _decide(self, phone: Phone, client: Client, name: str, evidence: Evidence | None) -> None:
        replaces = False
        if evidence is not None and evidence.kind is not Contradiction.OLDER:
            true = [each.hash for each in self.liar.truth[name]]
            ours = [each.hash for each in evidence.ours.lists]
            theirs = [each.hash for each in evidence.theirs.lists]
            replaces = true[: len(theirs)] == theirs and true[: len(ours)] != ours
        self.note(phone, "replaces" if replaces else "keeps", name)
        if replaces:
            self.dropped.add((client.address, name))
        await (client.replace(name) if replaces else client.keep(name))

    async def links(self) -> None:
        name = self.rng.choice(NAMES)
        signers = [each for each in self.listed(name) if each.client is not None]
        if signers and len(self.listed(name)) < MAX_PHONES:
            await self.link(self.rng.choice(signers))

    async def link(self, old: Phone) -> None:
        """Let a person link one more phone. The relay may spoil it at any step."""
        label = f"{old.name}{len(self.phones) + 1}"
        self.liar.owners[label] = old.name
        new = Phone(self.country, old.name, label, self.folder / f"{label}.db")
        try:
            async with asyncio.timeout(_LINKING):
                client = await linked(self.country.kind(label), new.path, old)
        except (LetterlockError, TimeoutError) as error:
            self.note(old, "cannot link", new, type(error).__name__)
            return
        await new.run(client)
        self.phones.append(new)
        self.note(old, "links", new)

    async def revokes(self) -> None:
        name = self.rng.choice(NAMES)
        listed = self.listed(name)
        if len(listed) > 1:
            at = self.rng.randrange(1, len(listed))
            await self.revoke(listed[self.rng.randrange(at)], listed[at].address.device_id)

    async def revoke(self, signer: Phone, device_id: int) -> None:
        """Let an older phone revoke a newer one, if it knows that one."""
        if signer.client is not None:
            try:
                await signer.client.revoke(device_id)
                self.note(signer, "revokes", device_id)
            except UsageError as error:
                self.note(signer, "cannot revoke", device_id, error)


def _meant_for(client: Client, name: str) -> frozenset[Address]:
    """Return the devices that a client has on record for a name and for its own user, but for itself."""
    queue = client._office.queue
    if queue.head(name) is None:
        return frozenset({Address(name, 1)})
    own = {Address(client.name, each) for each in queue.listed(client.name)}
    return frozenset({Address(name, each) for each in queue.listed(name)} | own) - {client.address}


Move = Callable[[Play], Awaitable[None]]
MOVES: Final[tuple[tuple[Move, float], ...]] = (
    (Play.writes, 30),
    (Play.pauses, 14),
    (Play.time_passes, 8),
    (Play.power_fails, 4),
    (Play.stops, 2),
    (Play.starts, 6),
    (Play.network_fails, 4),
    (Play.relay_fails, 3),
    (Play.meets, 4),
    (Play.decides, 5),
    (Play.links, 2.5),
    (Play.revokes, 1.5),
)
"""Each move, and how often it is made."""
