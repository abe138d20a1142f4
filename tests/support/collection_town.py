"""People with collections, and a server between them that orders logs by compare-and-swap.

    Town      people and the server; `give` offers a change, `sync` shows a log and the grants of its epochs
    Server    logs and grants; a test makes it lie by changing `logs`
    Reader    what the opening of a document needs here: a version is the key that a grant holds

Documents stand here for what is sealed: `seal` makes a random key of a version and grants it, `opens` says
whether a device finds that key.
"""

import contextlib
from dataclasses import dataclass, field

from letterlock._primitives.entropy import system_entropy
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock._wire.log_entry import LogEntry
from letterlock.documents import CollectionKey, Collections, Documents, InvalidEntry, UnknownAuthor
from letterlock.documents._changes import CollectionChange
from letterlock.documents._collection_desk import collection_desk
from letterlock.documents._collection_values import ChangeOutcome, CollectionTaken
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._granting import Conditions
from letterlock.documents._key_finding import KeyFinder
from letterlock.user import User
from letterlock.user._user import desk_behind
from support.user_devices import Clock, Person


@dataclass
class Server:
    """An honest server: it takes what follows, and shows all."""

    logs: dict[bytes, list[bytes]] = field(default_factory=dict)
    heads: dict[bytes, bytes] = field(default_factory=dict)
    grants: list[bytes] = field(default_factory=list)

    def swap(self, change: CollectionChange, head: bytes) -> bool:
        """Take an entry if it follows; `head` is its hash."""
        log = self.logs.setdefault(change.collection, [])
        if len(log) + 1 != change.number or self.heads.get(change.collection) != change.before:
            return False
        log.append(change.entry)
        self.heads[change.collection] = head
        return True


@dataclass(frozen=True)
class Version:
    """A version that somebody sealed: its subject, its key, and the grants that were made."""

    subject: Subject
    key: GrantedKey


class Town:
    """People by their names, all of whom know all device lists."""

    def __init__(self, *names: str) -> None:
        self.clock = Clock()
        self.server = Server()
        self.people = {name: Person(name, self.clock) for name in names}
        self.learn()

    def user(self, name: str, device: int = 1) -> User:
        """Return a device of a person."""
        return self.people[name].devices[device]

    def at(self, name: str, device: int = 1) -> Collections:
        """Return the collections of a device."""
        return Collections(self.user(name, device))

    def learn(self, *names: str) -> None:
        """Show everybody, or these people, the newest lists of everybody."""
        for name in names or self.people:
            for user in self.people[name].devices.values():
                for other in self.people.values():
                    user.learn(other.name, other.lists)

    # --- the server ---------------------------------------------------------------------------------

    def give(self, name: str, change: CollectionChange, device: int = 1) -> CollectionTaken:
        """Offer a change to the server until it is in the log or given up. Return the last result."""
        collections = self.at(name, device)
        while True:
            if self.server.swap(change, entry_head(change)):
                taken = collections.accepted(change)
                assert taken.outcome is ChangeOutcome.ACCEPTED
                self.server.grants += change.grants
                collections.delivered(change)
                return taken
            taken = self.sync(name, change.collection, device)
            if taken.change is None:
                return taken
            change = taken.change

    def sync(self, name: str, collection: bytes, device: int = 1) -> CollectionTaken:
        """Show a device the newest entries and all grants."""
        collections = self.at(name, device)
        known = {each.id: each.number for each in collections.all()}.get(collection, 0)
        log = self.server.logs.get(collection, [])
        try:
            taken = collections.take(collection, log[known:])
        except InvalidEntry:
            taken = collections.take(collection, log)
        if self.take_grants(name, device) and taken.change is None:
            later = collections.take(collection, [])
            taken = later if later.outcome is not None else taken
        return taken

    def take_grants(self, name: str, device: int = 1) -> bool:
        """Give a device all grants that are for it; return whether there are any."""
        documents = Documents(self.user(name, device))
        try:
            documents.take(self.server.grants, revoked=True)
        except UnknownAuthor:  # the others are taken one by one
            for grant in self.server.grants:
                with contextlib.suppress(UnknownAuthor):
                    documents.take([grant], revoked=True)
        return bool(self.server.grants)

    def sync_all(self, collection: bytes, *names: str) -> None:
        """Show a log to everybody, or to these people, on all devices."""
        for name in names or self.people:
            for device in self.people[name].devices:
                self.sync(name, collection, device)

    def upkeep(self, name: str, device: int = 1) -> None:
        """Do what is due on a device, and give it to the server."""
        found = self.at(name, device).upkeep()
        self.server.grants += found.grants
        for change in found.changes:
            self.give(name, change, device)

    # --- documents ----------------------------------------------------------------------------------

    def new(self, owner: str, *members: str, name: str = "team") -> bytes:
        """Return a collection of an owner with readers."""
        change = self.at(owner).create(name)
        self.give(owner, change)
        if members:
            self.give(owner, self.at(owner).add(change.collection, members))
        self.sync_all(change.collection)
        return change.collection

    def seal(self, name: str, collection: bytes, device: int = 1) -> Version:
        """Seal a version for a collection. Raises as `Collections.reader`."""
        return self.seal_with(name, self.at(name, device).reader(collection), device)

    def epoch_key(self, name: str, collection: bytes) -> CollectionKey:
        """Return the key of a collection's epoch without asking whether it may be used."""
        user = self.user(name)
        with user.transaction():
            at = collection_desk(desk_behind(user))
            epoch = at.book.require(collection).epoch
            secret = at.keyring.secret(collection, epoch)
        assert secret is not None
        return CollectionKey(collection, epoch, secret)

    def seal_with(self, name: str, reader: CollectionKey, device: int = 1) -> Version:
        """Seal a version for a key of a collection, whatever the collection says."""
        user = self.user(name, device)
        subject = Subject(SubjectKind.DOCUMENT, system_entropy(16), 1, system_entropy(32))
        key = GrantedKey(system_entropy(32))
        with user.transaction():
            shelf = Documents(user)._shelf
            self.server.grants += shelf.begin(subject, key, [reader], Conditions()).wire
        return Version(subject, key)

    def opens(self, name: str, version: Version, device: int = 1) -> bool:
        """Return whether a device finds the key of a version among all grants."""
        self.take_grants(name, device)
        return opens(self.user(name, device), version)

    def readers(self, version: Version) -> set[str]:
        """Return who opens a version on a first device."""
        return {name for name in self.people if self.opens(name, version)}


def opens(user: User, version: Version) -> bool:
    """Return whether a device finds the key of a version among the grants in its store."""
    with user.transaction():
        desk = desk_behind(user)
        at = collection_desk(desk)
        found = [key for _, key in KeyFinder(desk, at.grants, at.keyring).keys(version.subject)]
    assert all(each == version.key for each in found)
    return bool(found)


def entry_head(change: CollectionChange) -> bytes:
    """Return the hash of a change's entry."""
    return LogEntry.decode(change.entry).hash
