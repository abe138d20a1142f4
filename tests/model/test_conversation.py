"""Conversations of four devices as hypothesis thinks them up, checked at every step against the model.

Messages are lost, repeated, reordered, damaged, taken apart, replayed, and brought to the wrong device or in
the wrong name. Processes stop, are killed, and have their stores put back to older copies. Both sides begin
sessions, at once too, in both suites; prekeys run out, rotate and expire; transactions are taken back.
At the end the network becomes honest, and every pair of devices finds together.

support/model_world.py and support/model_ledger.py say what holds at every step. `LETTERLOCK_DEEP=1` runs
10,000 examples.
"""

import os
import sys
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from letterlock._wire.suite import Suite
from letterlock.limits import DAY
from support import model_settling
from support.model_device import Device
from support.model_messages import (
    Message,
    Parcel,
    cut,
    lengthened,
    peeled,
    relabelled,
    rewrapped,
    turned_over,
    whole,
    with_pq_field,
)
from support.model_server import Stock
from support.model_world import LINKS, Verdict, World

DEEP: Final = os.environ.get("LETTERLOCK_DEEP") == "1"
EXAMPLES: Final = {"memory": 8000, "sqlite": 2000} if DEEP else {"memory": 30, "sqlite": 12}
MAX_COPIES: Final = 3

DEVICES = st.integers(0, 3)
PEERS = st.integers(0, 1)
SUITES = st.sampled_from([Suite.PQXDH, Suite.X3DH])
STOCKS = st.sampled_from(list(Stock))
ANY: Final = st.integers(0, 999)
FILLERS = st.sampled_from([b"", b"x", b"x" * 40, bytes(300), bytes(1500), bytes(5000)])
"""The two longest carry 13 and 41 codewords: so epochs of the braid end within an example."""
MOVES: Final = st.sampled_from(["one writes", "other writes", "oldest", "latest", "lost"])
AMONG: Final = st.sampled_from(["all", "coming", "late"])
PLACES: Final = st.one_of(st.integers(0, 80), st.integers(0, 4000))
DAMAGE: Final = st.one_of(
    st.builds(lambda add: lambda message: relabelled(message, add), st.integers(1, 3)),
    st.builds(
        lambda name, add: lambda message: with_pq_field(message, name, add),
        st.sampled_from(["epoch", "number", "previous", "type", "first", "codewords"]),
        st.integers(1, 3),
    ),
    st.builds(lambda at: lambda message: cut(message, at), st.integers(0, 4000)),
    st.builds(lambda tail: lambda message: lengthened(message, tail), st.binary(min_size=1, max_size=3)),
    st.builds(
        lambda at, mask: lambda message: turned_over(message, at, mask),
        PLACES,
        st.integers(1, 255),
    ),
)


epochs: list[int] = []
"""How far the braid came in each example."""


class Conversation(RuleBasedStateMachine):
    """Alice's two devices, Bob's two devices, and what happens between them."""

    ON_DISK = False

    @initialize(seed=st.integers(0, 3), introduced=st.booleans())
    def start(self, seed: int, introduced: bool) -> None:
        self.world = World(on_disk=self.ON_DISK, seed=seed)
        for device in self.world.devices:
            self.world.publish(device, 2)
        if introduced:
            for link in LINKS:
                one, other = self.link(link)
                self.world.begin(one, other)
                for message in (self.world.write(one, other), self.world.write(other, one)):
                    assert message is None or self.world.receive(message)

    # choosing

    def link(self, link: tuple[int, int]) -> tuple[Device, Device]:
        return self.world.devices[link[0]], self.world.devices[link[1]]

    def pair(self, who: int, peer: int) -> tuple[Device, Device]:
        device = self.world.devices[who]
        return device, self.world.peers(device)[peer]

    def written(self, at: int) -> Message:
        """Any message that was ever written, the latest first."""
        return self.world.messages[-1 - at % len(self.world.messages)]

    def coming(self, at: int) -> Message:
        """Take a message that is on its way, the oldest first."""
        return self.world.on_the_way.pop(at % len(self.world.on_the_way))

    def between(self, one: Device, other: Device) -> list[Message]:
        """Messages on their way between two devices, the oldest first."""
        ends = {one.address, other.address}
        return [each for each in self.world.on_the_way if {each.sender, each.receiver} == ends]

    def among(self, which: str) -> list[Message]:
        """Messages that are on their way, or late ones, whose keys are kept; if there are none, all."""
        messages = [] if which == "all" else self.world.on_the_way
        if which == "late":
            messages = [each for each in messages if self.world.is_late(each)]
        return messages or self.world.messages

    def readable(self, at: int) -> Message | None:
        """A message that was written and must be read if it came now, or None."""
        message = self.written(at)
        device = self.world.device(message.receiver)
        return message if self.world.verdict(device, message.sender, whole(message)) is Verdict.READ else None

    # sessions and messages

    @rule(who=DEVICES, peer=PEERS, suite=SUITES, stock=STOCKS, discard=st.booleans())
    def begin(self, who: int, peer: int, suite: Suite, stock: Stock, discard: bool) -> None:
        one, other = self.pair(who, peer)
        if self.world.may_begin(one, other):
            bundle = self.world.server.hand_out(other.address, stock)
            self.world.begin(one, other, bundle, suite=suite, discard=discard)

    @rule(link=st.sampled_from(LINKS), suites=st.tuples(SUITES, SUITES), count=st.integers(1, 2))
    def begin_at_once(self, link: tuple[int, int], suites: tuple[Suite, Suite], count: int) -> None:
        one, other = self.link(link)
        if self.world.may_begin(one, other):
            self.world.begin(one, other, suite=suites[0])
            self.world.begin(other, one, suite=suites[1])
            for _ in range(count):
                self.world.write(one, other)
                self.world.write(other, one)

    @rule(who=DEVICES, peer=PEERS, filler=FILLERS, count=st.integers(1, 4))
    def write(self, who: int, peer: int, filler: bytes, count: int) -> None:
        for _ in range(count):
            self.world.write(*self.pair(who, peer), filler)

    @rule(link=st.sampled_from(LINKS), filler=FILLERS, steps=st.lists(MOVES, min_size=3, max_size=12))
    def correspond(self, link: tuple[int, int], filler: bytes, steps: list[str]) -> None:
        """Two devices write; of what is between them the oldest or the latest arrives, or is lost."""
        one, other = self.link(link)
        for step in steps:
            between = self.between(one, other)
            if step == "one writes":
                self.world.write(one, other, filler)
            elif step == "other writes":
                self.world.write(other, one, filler)
            elif between:
                message = between[-1 if step == "latest" else 0]
                self.world.on_the_way.remove(message)
                if step != "lost":
                    self.world.receive(message)

    @precondition(lambda self: self.world.messages)
    @rule(at=ANY)
    def answer_in_one_transaction(self, at: int) -> None:
        message = self.readable(at)
        if message is not None:
            self.world.answer_at_once(message)

    @rule(who=DEVICES, peer=PEERS, at=ANY)
    def take_back(self, who: int, peer: int, at: int) -> None:
        message = self.readable(at) if self.world.messages else None
        device, other = self.pair(who, peer)
        if message is not None:
            device, other = self.world.device(message.receiver), self.world.device(message.sender)
        self.world.take_back(device, other, message)

    # the network

    @precondition(lambda self: self.world.on_the_way)
    @rule(places=st.lists(ANY, min_size=1, max_size=6))
    def deliver(self, places: list[int]) -> None:
        for at in places:
            if self.world.on_the_way:
                self.world.receive(self.coming(at))

    @precondition(lambda self: self.world.on_the_way)
    @rule()
    def deliver_all(self) -> None:
        for message in self.world.on_the_way:
            self.world.receive(message)
        self.world.on_the_way.clear()

    @precondition(lambda self: self.world.on_the_way)
    @rule(at=ANY)
    def lose(self, at: int) -> None:
        self.coming(at)

    @precondition(lambda self: self.world.messages)
    @rule(at=ANY, times=st.integers(1, 3))
    def replay(self, at: int, times: int) -> None:
        for _ in range(times):
            self.world.receive(self.written(at))

    @precondition(lambda self: self.world.messages)
    @rule(places=st.lists(ANY, min_size=1, max_size=4), damage=DAMAGE, among=AMONG)
    def damage(self, places: list[int], damage: Callable[[Message], Parcel], among: str) -> None:
        messages = self.among(among)
        for at in places:
            message = messages[-1 - at % len(messages)]
            self.world.deliver(self.world.device(message.receiver), damage(message), message.sender)

    @precondition(lambda self: self.world.messages)
    @rule(at=ANY)
    def peel(self, at: int) -> None:
        message = self.written(at)
        self.world.deliver(self.world.device(message.receiver), peeled(message))

    @precondition(lambda self: self.world.messages)
    @rule(at=ANY, other=ANY, among=AMONG)
    def rewrap(self, at: int, other: int, among: str) -> None:
        messages = self.among(among)
        message = messages[-1 - at % len(messages)]
        ends = message.sender, message.receiver
        headers = [
            each for each in self.world.messages if each.initial and (each.sender, each.receiver) == ends
        ]
        if headers:
            parcel = rewrapped(message, headers[other % len(headers)])
            self.world.deliver(self.world.device(message.receiver), parcel, message.sender)

    @precondition(lambda self: self.world.messages)
    @rule(at=ANY, who=st.none() | DEVICES, claimed=st.none() | DEVICES, among=AMONG)
    def misdeliver(self, at: int, who: int | None, claimed: int | None, among: str) -> None:
        """Bring a message to any device, in any name: often one of the two is right."""
        messages = self.among(among)
        message = messages[-1 - at % len(messages)]
        device = self.world.device(message.receiver) if who is None else self.world.devices[who]
        name = message.sender if claimed is None else self.world.devices[claimed].address
        self.world.deliver(device, whole(message), name)

    @rule(who=DEVICES, peer=PEERS)
    def impersonate(self, who: int, peer: int) -> None:
        victim, claimed = self.pair(who, peer)
        if claimed.address in victim.timeline.held:
            self.world.impostor(victim, claimed.address)

    # processes, stores, time

    @rule(who=DEVICES, killed=st.booleans())
    def restart(self, who: int, killed: bool) -> None:
        device = self.world.devices[who]
        device.kill() if killed else device.restart()

    @rule(who=DEVICES)
    def copy(self, who: int) -> None:
        device = self.world.devices[who]
        device.copy()
        del device.copies[:-MAX_COPIES]

    @precondition(lambda self: any(each.copies for each in self.world.devices))
    @rule(who=DEVICES, at=ANY, heals=st.booleans())
    def restore(self, who: int, at: int, heals: bool) -> None:
        copied = [each for each in self.world.devices if each.copies]
        device = copied[who % len(copied)]
        self.world.restore(device, at % len(device.copies))
        if heals:
            self.heal_if_it_can(device)

    @rule(who=DEVICES, peer=PEERS, turns=st.integers(0, 4), count=st.integers(1, 3), filler=FILLERS)
    def lose_some_time(self, who: int, peer: int, turns: int, count: int, filler: bytes) -> None:
        """A store is put back by a few messages, and the application goes on as if nothing were."""
        one, other = self.pair(who, peer)
        one.copy()
        self.talk(one, other, turns, count, filler)
        self.world.restore(one, -1)
        one.copies.pop()
        self.talk(one, other, turns, count, filler)

    @rule(link=st.sampled_from(LINKS), turns=st.integers(2, 8))
    def write_much(self, link: tuple[int, int], turns: int) -> None:
        """Long texts in turn: an epoch takes three turns."""
        self.talk(*self.link(link), turns, 1, bytes(5000))

    def talk(self, one: Device, other: Device, turns: int, count: int, filler: bytes) -> None:
        for writer, reader in ((one, other), (other, one)) * turns:
            messages = [self.world.write(writer, reader, filler) for _ in range(count)]
            for message in messages:
                if message is not None:
                    self.world.receive(message)

    @precondition(lambda self: any(each.stale for each in self.world.devices))
    @rule()
    def heal(self) -> None:
        self.heal_if_it_can(next(each for each in self.world.devices if each.stale))

    def heal_if_it_can(self, device: Device) -> None:
        if all(self.world.may_begin(device, peer) for peer in self.world.peers(device)):
            self.world.heal(device)

    @rule(who=DEVICES, one_time=st.integers(0, 3), rotate=st.booleans())
    def publish(self, who: int, one_time: int, rotate: bool) -> None:
        self.world.publish(self.world.devices[who], one_time, rotate=rotate)

    @rule(days=st.sampled_from([1, 8, 31, 91]))
    def time_passes(self, days: int) -> None:
        self.world.clock.now += days * DAY

    # the end

    @rule(link=st.sampled_from(LINKS), late=st.booleans())
    def settle(self, link: tuple[int, int], late: bool) -> None:
        """The network is honest for a while; what it still held is lost, or comes first."""
        one, other = self.link(link)
        if self.world.may_begin(one, other):
            for message in self.between(one, other):
                self.world.on_the_way.remove(message)
                if late:
                    self.world.receive(message)
            model_settling.prepare(self.world, one, other)
            model_settling.alternately(self.world, one, other)

    @invariant()
    def stores_hold_what_they_must(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        world = getattr(self, "world", None)
        if world is None:
            return
        try:
            if sys.exc_info()[0] is not None:
                return  # a step has failed: what follows from that must not hide it
            for link in LINKS:
                one, other = self.link(link)
                model_settling.prepare(world, one, other)
                # Two ways for each pair in turn, so that both meet every kind of history.
                ways = [model_settling.alternately, model_settling.at_once]
                ways[(len(world.messages) + link[0]) % 2](world, *(one, other)[:: 1 - 2 * (link[1] % 2)])
            world.check(every=True)
            epochs.append(world.epochs())
        finally:
            world.close()


class ConversationOnDisk(Conversation):
    """The same with every store in a file."""

    ON_DISK = True


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "machine"), [("memory", Conversation), ("sqlite", ConversationOnDisk)])
def test_conversations_as_hypothesis_thinks_them_up(kind: str, machine: type[Conversation]) -> None:
    epochs.clear()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES[kind],
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # Else nobody would have watched an epoch end; twelve examples may not see two.
    assert max(epochs) > (2 if kind == "memory" else 1)
