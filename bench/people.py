"""Two people to measure: Alice and Bob, each with several devices, who have all written to each other.

`People.turn` brings every session back to the state of most messages, as `Conversation.turn` does.

Not here: what is measured (bench_user.py).
"""

from collections.abc import Callable, Sequence
from typing import Any

from conversation import BURST, PAYLOAD
from letterlock import Address, MemoryStore
from letterlock.user import Need, NeedKind, NewDevice, Outcome, Outgoing, User


class People:
    """The first device of Alice, and those that get her texts: Bob's, and her own others."""

    def __init__(self, alices: int, bobs: int, make: Callable[[], Any] = MemoryStore) -> None:
        people = [_person(name, count, make) for name, count in (("alice", alices), ("bob", bobs))]
        for one, others in zip(people, people[::-1], strict=True):
            for user in one:
                user.learn(one[0].name, one[0].device_lists())
                user.learn(others[0].name, others[0].device_lists())
        self.devices = {user.address: user for one in people for user in one}
        self.alice, self.bob = people[0][0], people[1][0]
        self.peers = [user for user in self.devices.values() if user is not self.alice]
        for user in self.devices.values():
            sent = user.send(people[user.name == "alice"][0].name, PAYLOAD)
            self.deliver(user, sent.outgoing)
            self.meet(user, sent.needs)
        self.pending: list[Outgoing] = []
        self.turn()

    def deliver(self, sender: User, outgoing: Sequence[Outgoing]) -> None:
        """Deliver messages, which must be read."""
        for each in outgoing:
            incoming = self.devices[each.address].receive(sender.address, each.message)
            if incoming.outcome is not Outcome.READ or incoming.needs:
                raise ValueError(f"{each.address} cannot read what {sender.address} sent")

    def meet(self, user: User, needs: Sequence[Need]) -> None:
        """Begin the sessions that a user needs."""
        for need in needs:
            if need.kind is not NeedKind.BUNDLE:
                raise ValueError(f"{user.address} needs device lists")
            self.deliver(user, user.begin(need.address, self.devices[need.address].account.bundle()).outgoing)

    def send(self) -> None:
        """Alice sends a text to Bob; nobody has read it yet."""
        self.pending.extend(self.alice.send("bob", PAYLOAD).outgoing)

    def encrypt(self, address: Address, plaintext: bytes) -> None:
        """Alice's account encrypts for one device; it has not read it yet."""
        self.pending.append(Outgoing(address, self.alice.account.encrypt(address, plaintext)))

    def turn(self) -> None:
        """All devices read what is pending and answer with BURST messages; Alice begins new chains."""
        ours = self.alice.account
        for each in self.pending:
            self.devices[each.address].account.decrypt(ours.address, each.message)
        self.pending.clear()
        for peer in self.peers:
            for _ in range(BURST):
                ours.decrypt(peer.address, peer.account.encrypt(ours.address, PAYLOAD))
            peer.account.decrypt(ours.address, ours.encrypt(peer.address, PAYLOAD))


def _person(name: str, count: int, make: Callable[[], Any]) -> list[User]:
    """Return the devices of one person. The first has linked the others."""
    first, *others = [User.create(make(), name)]
    for _ in range(1, count):
        new = NewDevice.begin(make())
        link = first.link(new.code, new.bundle)
        link.receive(new.receive_offer(link.offer))
        others.append(new.receive_package(link.confirm().package))
    return [first, *others]
