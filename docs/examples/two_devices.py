"""Two people, one of them with two devices, and a server that neither of them has to trust.

Prints:

    bob.1 reads from alice: Your results are here.
    the digits agree: True
    bob.1 reads from alice: Shall we talk?
    bob.2 reads from alice: Shall we talk?
    alice.1 reads from bob: Is it serious?
    bob.1 sees what bob wrote to alice: Is it serious?
    the safety numbers agree: True
"""

from collections import defaultdict
from collections.abc import Iterable

from letterlock import Address, MemoryStore, PrekeyBundle
from letterlock.user import (
    DeviceList,
    Incoming,
    LinkingCode,
    Need,
    NeedKind,
    NewDevice,
    Outcome,
    Outgoing,
    User,
)


class Server:
    """Keeps what devices publish, and their mail. It sees only bytes."""

    def __init__(self) -> None:
        self.lists: dict[str, list[bytes]] = defaultdict(list)
        self.bundles: dict[Address, list[bytes]] = defaultdict(list)
        self.mail: dict[Address, list[tuple[Address, bytes]]] = defaultdict(list)

    def deliver(self, *phones: "Phone") -> None:
        """Hand over the mail until there is none."""
        while any(self.mail[phone.user.address] for phone in phones):
            for phone in phones:
                while self.mail[phone.user.address]:
                    phone.receive(*self.mail[phone.user.address].pop(0))


class Phone:
    """One device: it carries out what its `User` asks for, and prints what it reads."""

    def __init__(self, user: User, server: Server) -> None:
        self.user = user
        self.server = server
        server.bundles[user.address] += [each.encode() for each in user.publish(one_time=10).bundles()]

    def send(self, name: str, text: str) -> None:
        if name not in {contact.name for contact in self.user.contacts()}:
            self.meet([Need(NeedKind.LISTS, name)])
        sent = self.user.send(name, text.encode())
        self.post(sent.outgoing)
        self.meet(sent.needs)

    def receive(self, sender: Address, message: bytes) -> None:
        incoming = self.user.receive(sender, message)
        self.meet(incoming.needs)
        if incoming.outcome is Outcome.HELD:  # now its needs are met
            incoming = self.user.receive(sender, message)
            self.meet(incoming.needs)
        self.post(incoming.outgoing)
        self.show(incoming)

    def show(self, incoming: Incoming) -> None:
        if incoming.body is not None:
            what = f"reads from {incoming.sender}"
            if incoming.to is not None:
                what = f"sees what {incoming.sender} wrote to {incoming.to}"
            print(f"{self.user.address} {what}: {incoming.body.decode()}")

    def meet(self, needs: Iterable[Need]) -> None:
        """Fetch device lists and prekey bundles."""
        for need in needs:
            if need.kind is NeedKind.LISTS:
                newer = self.server.lists[need.name][need.after or 0 :]
                learned = self.user.learn(need.name, [DeviceList.decode(each) for each in newer])
                self.post(learned.outgoing)
                self.meet(learned.needs)
            elif self.server.bundles[need.address]:  # else it has published none yet: try later
                bundle = self.server.bundles[need.address].pop(0)
                self.post(self.user.begin(need.address, PrekeyBundle.decode(bundle)).outgoing)

    def post(self, outgoing: Iterable[Outgoing]) -> None:
        for each in outgoing:
            self.server.mail[each.address].append((self.user.address, each.message))


def create(name: str, server: Server) -> Phone:
    """Begin with one device."""
    user = User.create(MemoryStore(), name)
    server.lists[name] = [each.encode() for each in user.device_lists()]
    return Phone(user, server)


def add_device(old: Phone, server: Server) -> Phone:
    """Add a device. `code` is scanned or typed, and the other three travel over any channel."""
    new = NewDevice.begin(MemoryStore())
    code = LinkingCode.decode(new.code.encode())
    link = old.user.link(code, new.bundle)
    link.receive(new.receive_offer(link.offer))
    print("the digits agree:", link.digits == new.digits)  # the person compares both screens
    confirmed = link.confirm()
    server.lists[old.user.name].append(confirmed.device_list.encode())
    phone = Phone(new.receive_package(confirmed.package), server)
    old.meet([Need(NeedKind.LISTS, old.user.name, after=len(old.user.device_lists()) - 1)])  # it has the list
    old.meet(confirmed.needs)
    return phone


def main() -> None:
    server = Server()
    alice, bob = create("alice", server), create("bob", server)
    alice.send("bob", "Your results are here.")
    server.deliver(alice, bob)

    tablet = add_device(bob, server)
    alice.meet([Need(NeedKind.LISTS, "bob", after=1)])
    alice.send("bob", "Shall we talk?")
    server.deliver(alice, bob, tablet)

    tablet.send("alice", "Is it serious?")
    server.deliver(alice, bob, tablet)

    # Both read the digits to each other once. New devices do not change them.
    ours, theirs = alice.user.contact("bob"), bob.user.contact("alice")
    print("the safety numbers agree:", str(ours.safety_number()) == str(theirs.safety_number()))
    ours.verify(theirs.safety_number().digits)


if __name__ == "__main__":
    main()
