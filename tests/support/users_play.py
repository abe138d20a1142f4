"""A play of the model of users: one seed decides all that happens, and the same seed gives the same play.

    alice, bob, carol     three people with one to four devices each
    a move                somebody writes, links, revokes, steals, restores; a server does its worst
    the end               everybody is honest again (users_settling.py)

Not here: what must hold (users_world.py).
"""

import random
from dataclasses import dataclass
from typing import Final

from letterlock.limits import DAY
from letterlock.user import Need, NeedKind, Outcome
from support.memory_copies import copy_of
from support.pair import entropy_of
from support.user_devices import Clock
from support.users_cast import NAMES, SHAPES, Known, cast, link
from support.users_directory import Directory, oldest_full
from support.users_people import Copy, Flight, Memory, Owner, View
from support.users_world import World

MAX_DEVICES: Final = 4
STEPS: Final = 80
LONGEST: Final = 8 * DAY
"""How long a play takes, so that no text is older than 30 days before the end is over."""


@dataclass
class Play:
    """One play. `seed` decides everything; a story says who is there."""

    seed: int
    shape: tuple[int, int, int] | None = None
    known: Known = Known.LISTS

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.entropy = entropy_of(("play", self.seed))
        shape, known = self.rng.choice(SHAPES), self.rng.choice(list(Known))
        base = cast(shape, known) if self.shape is None else cast(self.shape, self.known)
        self.clock = Clock(base.now)
        self.end = base.now + LONGEST
        people = {name: self._enter(owner) for name, owner in base.people.items()}
        self.world = World(people)
        self.directory = Directory(self.world, base.stranger, self.rng)
        self.world.are_lawful(*base.stranger.chain)
        self.written = 0

    def _enter(self, owner: Owner) -> Owner:
        devices = {
            id_: Copy(copy_of(each.store), self.clock, self.entropy, each.memory.copy())
            for id_, each in owner.devices.items()
        }
        return Owner(owner.name, owner.chain, devices)

    def run(self, steps: int = STEPS) -> None:
        """Make so many moves."""
        moves = [move for move, _ in MOVES]
        weights = [weight for _, weight in MOVES]
        for move in self.rng.choices(moves, weights, k=steps):
            move(self)

    def note(self, *what: object) -> None:
        """Keep what happened, for whoever reads a play that failed."""
        self.world.story.append(" ".join(map(str, what)))

    # --- choosing ---------------------------------------------------------------------------------

    def copy(self, *, thieves: float = 0.2) -> Copy:
        """Return a process: an owner's, or sometimes a thief's."""
        if self.world.thieves and self.rng.random() < thieves:
            return self.rng.choice(self.world.thieves)
        return self.rng.choice(
            [each for owner in self.world.people.values() for each in owner.devices.values()]
        )

    def flight(self) -> Flight:
        """Take a message that is on its way; the older ones more often."""
        at = min(self.rng.randrange(len(self.world.flights)), self.rng.randrange(len(self.world.flights)))
        return self.world.flights.pop(at)

    # --- moves ------------------------------------------------------------------------------------

    def writes(self) -> None:
        copy, name = self.copy(), self.rng.choice(NAMES)
        self.written += 1
        sent = self.world.send(copy, name, b"text %d" % self.written)
        self.note(copy, "writes", self.written, "to", name, "" if sent else "- not sent")

    def arrives(self) -> None:
        for _ in range(self.rng.randrange(1, 8)):
            if self.world.flights:
                self.deliver(self.flight())

    def is_lost(self) -> None:
        if self.world.flights:
            flight = self.flight()
            self.note("lost:", flight.sender, "to", flight.receiver)

    def comes_again(self) -> None:
        if self.world.sent:
            self.deliver(self.rng.choice(self.world.sent))

    def is_damaged(self) -> None:
        if self.world.sent:
            flight = self.rng.choice(self.world.sent)
            copy = self.world.copy_at(flight.receiver)
            data = bytearray(flight.message)
            data[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
            if copy is not None:
                self.world.receive(copy, flight, message=bytes(data))

    def goes_astray(self) -> None:
        if self.world.sent:
            flight, copy = self.rng.choice(self.world.sent), self.copy()
            claimed = self.rng.choice([flight.sender, self.copy().address])
            if (copy.address, claimed) != (flight.receiver, flight.sender):
                self.world.receive(copy, flight, claimed=claimed)

    def reads_as_thief(self) -> None:
        thieves = {each.address: each for each in self.world.thieves}
        theirs = [each for each in self.world.sent if each.receiver in thieves]
        if theirs:
            flight = self.rng.choice(theirs)
            thief = thieves[flight.receiver]
            outcome = self.world.receive(thief, flight).outcome
            if outcome is Outcome.READ:
                self.world.spoiled.add(thief.address)
            self.note(thief, "intercepts what", flight.sender, "sent:", outcome)

    def deliver(self, flight: Flight) -> None:
        copy = self.world.copy_at(flight.receiver)
        if copy is not None:
            incoming = self.world.receive(copy, flight)
            self.note(copy, "receives from", flight.sender, incoming.outcome.name, incoming.body or "")

    def asks(self) -> None:
        """A process meets some of its needs; the servers may lie."""
        copy = self.copy()
        needs = copy.memory.needs
        self.rng.shuffle(needs)
        for _ in range(self.rng.randrange(1, 5)):
            if needs:
                self.meet(copy, needs.pop(), lies=0.2)
        self.gives_again(copy)

    def looks(self) -> None:
        """A process asks the directory without being told to."""
        copy, name = self.copy(), self.rng.choice(NAMES)
        view = copy.views.get(name)
        after = 0 if view is None or self.rng.random() < 0.3 else len(view.chain)
        self.meet(copy, Need(NeedKind.LISTS, name, after=after), lies=0.4)

    def meet(self, copy: Copy, need: Need, *, lies: float) -> None:
        """Answer a need."""
        lies_now = self.rng.random() < lies
        if need.kind is NeedKind.LISTS:
            after = need.after or 0
            answer = (
                self.directory.lie(need.name, after) if lies_now else self.directory.true(need.name, after)
            )
            event = self.world.learn(copy, need.name, answer)
            self.note(
                copy,
                "learns of",
                need.name,
                [each.snapshot.version for each in answer],
                event,
                "(lie)" if lies_now else "",
            )
            return
        owner = self.world.copy_at(need.address)
        if owner is None:
            return
        if lies_now:
            owner = self.copy(thieves=0.5)
        right = owner.address == need.address and owner.honest
        if not right:
            self.world.spoiled.add(owner.address)
        self.note(copy, "begins with", need.address, "" if right else f"a bundle of {owner}")
        taken = self.world.begin(copy, need.address, owner.user.account.bundle(), right=right)
        if not taken:
            copy.memory.needs.append(need)  # another bundle may come

    def gives_again(self, copy: Copy) -> None:
        """An application gives messages that were held again."""
        held, copy.memory.held = copy.memory.held, []
        for flight in held:
            self.world.receive(copy, flight)

    def decides(self) -> None:
        self.decides_all(self.copy(thieves=0))

    def decides_all(self, copy: Copy) -> None:
        for name, view in list(copy.views.items()):
            if view.other is not None and name != copy.address.name:
                self.decide(copy, name, view)

    def decide(self, copy: Copy, name: str, view: View) -> None:
        """Two people compare what they have: the true chain is taken, if it is one of the two."""
        true = [each.hash for each in self.world.people[name].chain]
        theirs = [each.hash for each in view.other or ()]
        ours = [each.hash for each in view.chain]
        older = ours[: len(theirs)] == theirs
        replaces = true[: len(theirs)] == theirs and true[: len(ours)] != ours and not older
        self.note(copy, "replaces" if replaces else "keeps", name)
        self.world.decide(copy, name, replaces=replaces)

    def links(self) -> None:
        owner = self.rng.choice(list(self.world.people.values()))
        signers = [each for each in oldest_full(owner) if each.honest]
        if signers and len(oldest_full(owner)) < MAX_DEVICES:
            self.add(owner, self.rng.choice(signers))

    def add(self, owner: Owner, signer: Copy) -> Copy:
        """A device links another one in the true chain."""
        new = link(owner, signer, self.clock, self.entropy)
        self.world.are_lawful(owner.chain[-1])
        new.memory = Memory({owner.name: View(owner.chain, shown=self.clock())})
        self.note(signer, "links", new)
        return new

    def revokes(self) -> None:
        owner = self.rng.choice(list(self.world.people.values()))
        devices = oldest_full(owner)
        if len(devices) > 1:
            at = self.rng.randrange(1, len(devices))
            signer = devices[self.rng.randrange(at)]
            if signer.honest:
                self.revoke(owner, signer, devices[at])

    def revoke(self, owner: Owner, signer: Copy, target: Copy) -> None:
        """A device that has the true list revokes another one."""
        if signer.own.chain[-1].hash != owner.chain[-1].hash:
            self.meet(signer, Need(NeedKind.LISTS, owner.name, after=0), lies=0)
        if signer.own.chain[-1].hash == owner.chain[-1].hash:
            owner.chain = self.world.revoke(signer, target.address.device_id)
            self.note(signer, "revokes", target)

    def steals(self) -> None:
        copy = self.copy(thieves=0)
        if len(self.world.thieves) < 2 and copy.honest:
            self.world.thieves.append(copy.stolen())
            self.world.spoiled.add(copy.address)
            self.note("a thief copies", copy)

    def thief_signs(self) -> None:
        if self.world.thieves:
            thief = self.rng.choice(self.world.thieves)
            self.directory.thief_signs(thief)
            self.note(thief, "signs a list")

    def is_copied(self) -> None:
        copy = self.copy(thieves=0)
        copy.keep_a_copy()
        self.world.check_witness(copy)

    def is_restored(self) -> None:
        copies = [
            each for owner in self.world.people.values() for each in owner.devices.values() if each.shelf
        ]
        if copies:
            copy = self.rng.choice(copies)
            copy.restore(self.rng.randrange(2))
            self.world.spoiled.add(copy.address)
            self.note(copy, "is restored")
            if self.rng.random() < 0.5:
                self.world.check_witness(copy)

    def keeps_up(self) -> None:
        self.world.upkeep(self.copy())

    def restarts(self) -> None:
        self.copy().restart()

    def time_passes(self) -> None:
        seconds = self.rng.choice((1, 30, 61, 3600, DAY))
        if self.clock.now + seconds < self.end:
            self.clock.now += seconds


MOVES: Final = (
    (Play.writes, 20),
    (Play.arrives, 30),
    (Play.is_lost, 4),
    (Play.comes_again, 4),
    (Play.is_damaged, 2),
    (Play.goes_astray, 2),
    (Play.asks, 24),
    (Play.looks, 8),
    (Play.decides, 4),
    (Play.links, 2),
    (Play.revokes, 1.5),
    (Play.steals, 3),
    (Play.thief_signs, 2),
    (Play.reads_as_thief, 4),
    (Play.keeps_up, 8),
    (Play.is_copied, 4),
    (Play.is_restored, 3),
    (Play.restarts, 2),
    (Play.time_passes, 5),
)
"""Each move, and how often it is made."""
