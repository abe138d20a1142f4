"""A random play of people with collections and a server that lies: the model of collections.

The model knows of each version who was a member when it was sealed, by the log that its author had on record.
The server withholds entries, shows old ones again, shows another order, delivers grants late, and shows some
people the losers of races. What must hold at every step:

    whoever opens a version was a member of the log that its author knew, or became one later
    a device that was revoked before, as its author knew, opens nothing of it
    a member that has seen everything opens it

Not here: how a play begins and ends (tests/model/test_collections.py).
"""

import random
from dataclasses import dataclass

from letterlock._wire.collection_member import MemberKind, Role
from letterlock._wire.log_entry import LogEntry
from letterlock.documents import CollectionForked, EpochDue, InvalidEntry, NoEpochKey, UnknownAuthor
from letterlock.errors import UsageError
from support.collection_town import Town, Version

NAMES = ("alice", "bob", "carol", "dave")
Device = tuple[str, int]


@dataclass(frozen=True)
class Sealed:
    """A version, the users that its author knew as members, and devices that it knew as revoked."""

    version: Version
    collection: bytes
    number: int
    members: frozenset[bytes]
    revoked: frozenset[Device]


class CollectionPlay:
    """One play, decided by its seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.town = Town(*NAMES)
        for name in NAMES[:2]:
            self.town.people[name].add()
        self.town.learn()
        self.collections: list[bytes] = []
        self.sealed: list[Sealed] = []
        self.revoked: dict[Device, int] = {}
        self.copies: dict[str, int] = {}
        self.story: list[str] = []

    def run(self, steps: int = 40) -> None:
        """Play; check after every fifth step."""
        self._create("alice")
        for step in range(steps):
            act = self.random.choices(
                [self._change, self._seal, self._sync, self._lie, self._race, self._revoke, self._upkeep],
                [6, 6, 8, 3, 2, 1, 3],
            )[0]
            act()
            if step % 10 == 9:
                self.check()
        self.check()

    # --- what people do -----------------------------------------------------------------------------

    def _create(self, name: str) -> None:
        change = self.town.at(name).create("team")
        self.town.give(name, change)
        self.collections.append(change.collection)
        for role in (Role.ADMIN, Role.WRITER):
            other = self.random.choice([each for each in NAMES if each != name])
            try:
                self.town.give(name, self.town.at(name).add(change.collection, [other]))
                self.town.give(name, self.town.at(name).set_role(change.collection, [other], role))
            except UsageError:  # the same one again
                continue
        self.town.sync_all(change.collection)

    def _device(self) -> Device:
        name = self.random.choice(NAMES)
        known = [each for each in self.town.people[name].devices if (name, each) not in self.revoked]
        return name, self.random.choice(known)

    def _change(self) -> None:
        name, device = self._device()
        collection = self.random.choice(self.collections)
        other = self.random.choice(NAMES)
        at = self.town.at(name, device)
        acts = {
            "add": lambda: at.add(collection, [other], self.random.choice([*Role][:2])),
            "from now on": lambda: at.add(collection, [other], history=False),
            "remove": lambda: at.remove(collection, [other]),
            "role": lambda: at.set_role(collection, [other], self.random.choice([*Role])),
            "renew": lambda: at.renew(collection),
            "rename": lambda: at.rename(collection, "other"),
            "leave": lambda: at.leave(collection),
        }
        what = self.random.choice([*acts, "add", "remove"])
        try:
            self.town.give(name, acts[what](), device)
            self._tell(f"{name} {device}: {what} {other}")
        except (UsageError, CollectionForked) as error:
            self._tell(f"{name} {device}: not {what} {other} ({error})")

    def _race(self) -> None:
        """Two devices change a collection at once; the server shows the loser's entry to a third."""
        collection = self.random.choice(self.collections)
        made = []
        for name, device in {self._device(), self._device()}:
            try:
                made.append((name, device, self.town.at(name, device).renew(collection)))
            except (UsageError, CollectionForked):
                continue
        for name, device, change in made:
            self.town.give(name, change, device)
        if len(made) > 1 and self.random.random() < 0.3:
            name, device = self._device()
            self._show(name, device, collection, [made[-1][2].entry])
        self._tell(f"race of {len(made)}")

    def _revoke(self) -> None:
        for name in NAMES[:2]:
            if (name, 2) not in self.revoked and self.random.random() < 0.5:
                self.town.people[name].revoke(2)
                self.revoked[name, 2] = len(self.sealed)
                knows = self.random.sample(NAMES, 2)
                self.town.learn(*knows)
                self._tell(f"{name} revoked a device; {knows} know")
                return
        self.town.learn()

    def _upkeep(self) -> None:
        name, device = self._device()
        self.town.upkeep(name, device)
        self._tell(f"upkeep of {name} {device}")

    def _seal(self) -> None:
        name, device = self._device()
        collection = self.random.choice(self.collections)
        at = self.town.at(name, device)
        try:
            version = self.town.seal(name, collection, device)
        except (UsageError, EpochDue, NoEpochKey, CollectionForked):
            return
        known = at.get(collection)
        members = {each.name.id for each in known.members if each.name.kind is MemberKind.USER}
        revoked = frozenset(each for each in self.revoked if self._knows(name, device, each))
        self.sealed.append(Sealed(version, collection, known.number, frozenset(members), revoked))
        self._tell(f"{name} {device} sealed at {known.number}")

    def _knows(self, name: str, device: int, gone: Device) -> bool:
        """Return whether a device knows that another one was revoked."""
        user = self.town.user(name, device)
        listed = user.devices() if gone[0] == name else user.contact(gone[0]).devices
        return gone[1] not in {each.id for each in listed}

    # --- the server ---------------------------------------------------------------------------------

    def _sync(self) -> None:
        name, device = self._device()
        collection = self.random.choice(self.collections)
        try:
            self.town.sync(name, collection, device)
        except (CollectionForked, UnknownAuthor):
            return

    def _lie(self) -> None:
        name, device = self._device()
        collection = self.random.choice(self.collections)
        log = list(self.town.server.logs[collection])
        known = {each.id: each.number for each in self.town.at(name, device).all()}.get(collection, 0)
        lies = [
            log[:1],
            log[known : known + 1],
            log[known:][::-1],
            log[known + 1 :],
            log[:known] + log[known:][1:],
        ]
        self._show(name, device, collection, self.random.choice(lies))

    def _show(self, name: str, device: int, collection: bytes, entries: list[bytes]) -> None:
        before = self.town.at(name, device).all()
        try:
            taken = self.town.at(name, device).take(collection, entries)
        except (UsageError, InvalidEntry, CollectionForked):
            assert self.town.at(name, device).all() == before
            return
        self._tell(f"{name} {device} was shown {len(entries)} and has {taken.number}: {taken.events}")

    def _tell(self, what: str) -> None:
        self.story.append(what)

    # --- what must hold -----------------------------------------------------------------------------

    def check(self) -> None:
        """Check who opens what, with every grant that was ever made."""
        ids = {self.town.people[name].first.user_id: name for name in NAMES}
        for sealed in self.sealed:
            later = self._later(sealed)
            for name in NAMES:
                for device in self.town.people[name].devices:
                    if self.town.opens(name, sealed.version, device):
                        user_id = self.town.user(name, device).user_id
                        if user_id not in later:  # whoever adds somebody later may not know of a revocation
                            assert user_id in sealed.members, (
                                f"{name} opens what was sealed at {sealed.number}"
                            )
                            assert (name, device) not in sealed.revoked, f"revoked {name} {device} opens"
        assert set(ids) >= {each for sealed in self.sealed for each in sealed.members}

    def _later(self, sealed: Sealed) -> frozenset[bytes]:
        """Return the users that any entry made after a version was sealed adds, in any history."""
        found: set[bytes] = set()
        for wire in self.town.server.logs[sealed.collection]:
            entry = LogEntry.decode(wire)
            if entry.terms.number > sealed.number and entry.terms.action.name == "ADD":
                found |= {each.name.id for each in entry.terms.changes if hasattr(each, "role")}  # type: ignore[union-attr]
        return frozenset(found)

    def settle(self) -> None:
        """Let the server be honest, everybody learn and take all, and admins do what is due."""
        self.town.learn()
        forked = set()
        for _ in range(3):
            for name in NAMES:
                for device in self.town.people[name].devices:
                    if (name, device) not in self.revoked:
                        for collection in self.collections:
                            try:
                                self.town.sync(name, collection, device)
                            except CollectionForked:
                                forked.add((name, device))
                        if (name, device) not in forked:
                            self.town.upkeep(name, device)
        self.check()
        for sealed in self.sealed:
            state = next(each for each in self.town.at("alice").all() if each.id == sealed.collection)
            members = {each.name.id: each for each in state.members}
            for name in NAMES:
                member = members.get(self.town.user(name).user_id)
                kept = member is not None and member.since == 0 and member.name.id in sealed.members
                if kept and not state.forked and not self.town.at(name).get(sealed.collection).forked:
                    assert self.town.opens(name, sealed.version), f"{name} opens nothing of {sealed.number}"
