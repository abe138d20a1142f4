"""People with groups, a server that orders logs and keeps texts, and one that carries letters.

    GroupTown     people and the servers; `new` makes a group, `post` sends a text, `read` shows all texts
    Relay         logs, and the texts of each group; a test makes it lie by changing `logs` and `texts`

Letters are delivered at once, unless a test sets `lost` to the devices that get none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from letterlock import Address, MemoryStore
from letterlock._wire.log_entry import LogEntry
from letterlock.groups import Group, GroupChange, GroupIncoming, GroupPost, Groups, GroupTaken, InvalidEntry
from letterlock.stores import Store
from letterlock.user import Need, Outcome, Outgoing, User
from support.user_devices import Clock, Person, Servers


@dataclass
class Relay:
    """An honest server: it takes what follows, and shows all."""

    logs: dict[bytes, list[bytes]] = field(default_factory=dict)
    heads: dict[bytes, bytes] = field(default_factory=dict)
    texts: dict[bytes, list[bytes]] = field(default_factory=dict)

    def swap(self, change: GroupChange) -> bool:
        """Take an entry if it follows."""
        log = self.logs.setdefault(change.group, [])
        if len(log) + 1 != change.number or self.heads.get(change.group) != change.before:
            return False
        log.append(change.entry)
        self.heads[change.group] = LogEntry.decode(change.entry).hash
        return True


class Carrier(Servers):
    """Carries letters, counts them, and loses those to devices in `lost`."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: set[Address] = set()

    def carry(self, sender: User, outgoing: Iterable[Outgoing]) -> None:
        """Deliver messages at once, and all that they lead to."""
        super().carry(sender, [each for each in outgoing if each.address not in self.lost])


class GroupTown:
    """People by their names, all of whom know all device lists."""

    def __init__(self, *names: str, store: Callable[[], Store] = MemoryStore) -> None:
        self.clock = Clock()
        self.relay, self.letters = Relay(), Carrier()
        self.people = {name: Person(name, self.clock, store) for name in names}
        self.letters.join(*self.people.values())
        self.groups: dict[Address, Groups] = {}
        self.learn()

    def user(self, name: str, device: int = 1) -> User:
        """Return a device of a person."""
        return self.people[name].devices[device]

    def at(self, name: str, device: int = 1) -> Groups:
        """Return the groups of a device, always the same object."""
        user = self.user(name, device)
        return self.groups.setdefault(user.address, Groups(user))

    def reopen(self, name: str, device: int = 1) -> Groups:
        """Return the groups of a device in a process that begins anew."""
        old = self.user(name, device)
        self.people[name].devices[device] = User.open(old._desk.book.store, clock=self.clock)
        self.groups.pop(old.address, None)
        return self.at(name, device)

    def learn(self, *names: str) -> None:
        """Show everybody, or these people, the newest lists of everybody."""
        for name in names or self.people:
            for user in self.people[name].devices.values():
                for other in self.people.values():
                    self.send(user, user.learn(other.name, other.lists).outgoing)

    # --- letters ------------------------------------------------------------------------------------

    def send(self, user: User, outgoing: Iterable[Outgoing], needs: Iterable[Need] = ()) -> None:
        """Deliver letters, meet needs, and let everybody process what came."""
        self.letters.carry(user, outgoing)
        self.letters.meet(user, [each for each in needs if not self._is_lost(each)])

    def _is_lost(self, need: Need) -> bool:
        return need.device is not None and need.address in self.letters.lost

    def process(self, *names: str) -> set[bytes]:
        """Let people process letters, and what these lead to. Return the groups whose logs they lack."""
        unknown = set[bytes]()
        for _ in range(3):
            for name in names or self.people:
                for device, user in self.people[name].devices.items():
                    found = self.at(name, device).process()
                    self.send(user, found.outgoing, found.needs)
                    unknown |= set(found.unknown)
        return unknown

    def receipts(self, name: str, device: int = 1) -> int:
        """Let a device tell others what it has read, and them take it. Return how many letters that took."""
        found = self.at(name, device).receipts()
        self.send(self.user(name, device), found.outgoing, found.needs)
        self.process()
        return len(found.outgoing)

    def delivered(self, name: str, post: GroupPost, device: int = 1) -> set[str]:
        """Return the members to whom a text of a device was delivered, as far as it knows."""
        found = self.at(name, device).deliveries(post.group, post.epoch, post.number)
        return {each.name or each.user_id.hex() for each in found if each.is_delivered}

    # --- the log ------------------------------------------------------------------------------------

    def new(self, owner: str, *members: str, name: str = "team") -> bytes:
        """Return a group of an owner that everybody in it has."""
        change = self.at(owner).create(name, members)
        self.give(owner, change)
        self.sync(change.group)
        return change.group

    def give(self, name: str, change: GroupChange, device: int = 1) -> GroupTaken:
        """Offer a change to the server until it is in the log or given up. Return the last result."""
        groups = self.at(name, device)
        while True:
            if self.relay.swap(change):
                taken = groups.accepted(change)
                self.send(self.user(name, device), taken.outgoing, taken.needs)
            else:
                taken = self.take(name, change.group, device)
            if taken.change is None:
                return taken
            change = taken.change

    def take(self, name: str, group: bytes, device: int = 1) -> GroupTaken:
        """Show a device the newest entries of a log."""
        groups = self.at(name, device)
        known = {each.id: each.number for each in groups.all()}.get(group, 0)
        log = self.relay.logs.get(group, [])
        try:
            taken = groups.take(group, log[known:])
        except InvalidEntry:
            taken = groups.take(group, log)
        self.send(self.user(name, device), taken.outgoing, taken.needs)
        return taken

    def sync(self, group: bytes, *names: str) -> None:
        """Show a log to everybody, or to these people, on all devices, and let them process letters."""
        for name in names or self.people:
            for device in self.people[name].devices:
                self.take(name, group, device)
        self.process(*names)

    def upkeep(self, name: str, device: int = 1) -> None:
        """Do what is due on a device, and give it to the servers."""
        found = self.at(name, device).upkeep()
        self.send(self.user(name, device), found.outgoing, found.needs)
        for change in found.changes:
            self.give(name, change, device)

    # --- texts --------------------------------------------------------------------------------------

    def post(self, name: str, group: bytes, text: bytes = b"hello", device: int = 1) -> GroupPost:
        """Seal a text, deliver its letters, and give it to the relay."""
        post = self.at(name, device).encrypt(group, text)
        self.send(self.user(name, device), post.outgoing, post.needs)
        self.relay.texts.setdefault(group, []).append(post.text)
        return post

    def show(self, name: str, post: GroupPost | bytes, group: bytes, device: int = 1) -> GroupIncoming:
        """Show a text to a device that has processed its letters."""
        self.process(name)
        return self.at(name, device).decrypt(group, post if isinstance(post, bytes) else post.text)

    def readers(self, post: GroupPost) -> set[tuple[str, int]]:
        """Return the devices that read a text, of all that there are."""
        found = set[tuple[str, int]]()
        for name, person in self.people.items():
            for device in person.devices:
                known = {each.id for each in self.at(name, device).all()}
                if post.group in known and self.show(name, post, post.group, device).outcome is Outcome.READ:
                    found.add((name, device))
        return found

    def group(self, name: str, group: bytes, device: int = 1) -> Group:
        """Return a group as a device sees it."""
        return self.at(name, device).get(group)
