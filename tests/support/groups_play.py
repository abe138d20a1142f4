"""A random play of people with a group, a network that loses and mixes mail, and a relay that lies.

The relay withholds entries and texts, repeats texts, shows them in another order, damages them, hands them to
people outside, and shows the loser of a race to some. What must hold at every step is checked where a text is
read (groups_world.py):

    whoever reads a text was a member by the log that its author knew, on a device that its author knew
    nobody reads a text twice, or one that its named sender did not seal
    whoever reads a text has the log that its author had

Not here: what everybody has read in the end (groups_end.py), how a play begins (tests/model/test_groups.py).
"""

import random
from collections.abc import Callable
from typing import Final

from letterlock.errors import TrustError, UsageError
from letterlock.groups import GroupChange, GroupEpochDue, GroupRole
from letterlock.limits import DAY, HOUR
from letterlock.user import OwnDeviceRevoked
from support.groups_end import KEPT, PlayedGroup
from support.groups_world import Phone

REFUSALS: Final = (UsageError, TrustError, OwnDeviceRevoked)
"""What a call may raise because of the state of a group."""


class GroupsPlay(PlayedGroup):
    """One play, decided by its seed. `devices` says how many each person has."""

    def __init__(self, seed: int, devices: dict[str, int]) -> None:
        self.random = random.Random(seed)
        self.losers: list[GroupChange] = []
        self.seen_epoch = 1
        self.story: list[str] = []
        super().__init__(devices)

    def run(self, steps: int) -> None:
        """Play."""
        acts: list[tuple[Callable[[], None], int]] = [
            (self._write, 10),
            (self._sync, 8),
            (self._mail, 8),
            (self._change, 4),
            (self._race, 2),
            (self._lie, 5),
            (self._outside, 2),
            (self._cheat, 1),
            (self._revoke, 1),
            (self._link, 1),
            (self._upkeep, 2),
            (self._wait, 1),
        ]
        for _ in range(steps):
            self.random.choices([act for act, _ in acts], [weight for _, weight in acts])[0]()
            if self._epoch() > self.seen_epoch + KEPT - 2:
                self._look()

    # --- what people do -----------------------------------------------------------------------------

    def _tell(self, what: str) -> None:
        self.story.append(what)

    def _phone(self) -> Phone:
        return self.random.choice(self._working())

    def _write(self) -> None:
        phone = self._phone()
        self.written += 1
        body = b"text %d" % self.written
        try:
            sealed = self.town.seal(phone, self.group, body)
            self._tell(f"{phone} seals {body!r}{'' if sealed.is_posted else ', and is too late'}")
        except REFUSALS as error:
            self._tell(f"{phone} seals nothing ({type(error).__name__})")

    def _sync(self) -> None:
        phone = self._phone()
        if phone is self.cheated:
            return
        log = self.town.relay.logs[self.group]
        upto = self.random.choice([None, None, self.random.randint(0, len(log))])
        self.town.take(phone, self.group, upto)
        texts = self.town.relay.texts.get(self.group, [])
        if phone.knows(self.group):
            end = self.random.choice([None, self.random.randint(0, len(texts))])
            self.town.read_texts(phone, self.group, end)
        self._tell(f"{phone} looks")

    def _mail(self) -> None:
        """Deliver a part of the mail in any order, some of it twice, and lose a little."""
        flights = self.town.flights
        self.random.shuffle(flights)
        count = self.random.randint(0, len(flights))
        now, self.town.flights = flights[:count], flights[count:]
        for sender, outgoing in now:
            luck = self.random.random()
            if luck < 0.05:
                continue
            self.town.deliver(sender, outgoing)
            if luck > 0.95:
                self.town.deliver(sender, outgoing)
        self._tell(f"{count} letters")

    def _change(self) -> None:
        phone, other = self._phone(), self.random.choice(self.names)
        groups, group = phone.groups, self.group
        acts = {
            "add": lambda: self._added(phone, other),
            "remove": lambda: groups.remove(group, [other]),
            "role": lambda: groups.set_role(group, [other], self.random.choice([*GroupRole])),
            "renew": lambda: groups.renew(group),
            "rename": lambda: groups.rename(group, f"name {self.written}"),
            "leave": lambda: groups.leave(group),
        }
        what = self.random.choice([*acts, "add", "add", "remove", "renew"])
        done = self._give(phone, acts[what])
        self._tell(f"{phone}: {what} {other}{'' if done else ', in vain'}")

    def _added(self, phone: Phone, other: str) -> GroupChange:
        """Return an addition; one that has to wait for an epoch is made after renewals."""
        role = self.random.choice([*GroupRole][:2])
        try:
            return phone.groups.add(self.group, [other], role)
        except GroupEpochDue:
            for _ in range(2):
                self._give(phone, lambda: phone.groups.renew(self.group))
        return phone.groups.add(self.group, [other], role)

    def _give(self, phone: Phone, make: Callable[[], GroupChange]) -> bool:
        if phone is self.cheated:
            return False
        try:
            change = make()
        except REFUSALS:
            return False
        return self._offer(phone, change)

    def _offer(self, phone: Phone, change: GroupChange) -> bool:
        try:
            return self.town.give(phone, change)
        except REFUSALS:
            return False

    def _race(self) -> None:
        """Two or three phones change the group before any of them is told of another."""
        made: list[tuple[Phone, GroupChange]] = []
        phones = self.random.sample(self._working(), min(6, len(self._working())))
        for phone in phones:
            if phone is self.cheated or len(made) == 3:
                continue
            try:
                made.append((phone, self._wish(phone)))
            except REFUSALS:
                continue
        for phone, change in made:
            self._offer(phone, change)
        log = self.town.relay.logs[self.group]
        self.losers += [change for _, change in made if change.entry not in log]
        self._tell(f"race of {[phone for phone, _ in made]}")

    def _wish(self, phone: Phone) -> GroupChange:
        other = self.random.choice(self.names)
        wishes = [
            lambda: phone.groups.remove(self.group, [other]),
            lambda: phone.groups.add(self.group, [other]),
            lambda: phone.groups.renew(self.group),
        ]
        return self.random.choice(wishes)()

    def _revoke(self) -> None:
        younger = [each for name in self.names for each in self._phones_left(name)[1:]]
        if not younger:
            return
        gone = self.random.choice(younger)
        signer = self._phones_left(gone.name)[0]  # an older device revokes a younger one
        for phone in self._working():
            # What only the relay has of a device that is revoked now would be taken by nobody later. DOC-72
            if phone is not self.cheated:
                self.town.take(phone, self.group)
        self.town.people[gone.name].revoke(gone.address.device_id, signer.address.device_id)
        self.revoked.add(gone)
        knows = self.random.sample(self._working(), max(1, len(self._working()) // 2))
        self.town.learn(signer, *knows)
        self._tell(f"{signer} revokes {gone}; {knows} know")

    def _phones_left(self, name: str) -> list[Phone]:
        return [each for each in self.town.phones_of(name) if each not in self.revoked]

    def _link(self) -> None:
        name = self.random.choice(self.names)
        if len(self.town.phones_of(name)) >= 3 or self.town.phone(name) in self.revoked:
            return
        phone = self.town.link(name)
        self.town.learn(phone, *self.random.sample(self._working(), len(self._working()) // 2))
        self._tell(f"{phone} is new")

    def _upkeep(self) -> None:
        phone = self._phone()
        if phone is not self.cheated:
            self.town.upkeep(phone)
            self._tell(f"upkeep of {phone}")

    def _wait(self) -> None:
        pause = self.random.choice([60, HOUR, DAY])
        self.town.clock.now += pause
        if pause == DAY:
            self._repeat()
        self._tell(f"{pause} seconds")

    def _look(self) -> None:
        """Let everybody be told everything, as people are who look often enough."""
        for phone in self._working():
            if phone is not self.cheated:
                self.town.learn(phone)
        self._repeat()
        self._rest()
        self.seen_epoch = self._epoch()
        self._tell("everybody looks")

    def _repeat(self) -> None:
        """Let everybody send again what was lost, as clients do each hour."""
        for phone in self._working():
            if phone is not self.cheated:
                self.town.upkeep(phone)

    # --- what the relay does --------------------------------------------------------------------------

    def _lie(self) -> None:
        """Show a phone old texts, texts in another order, and texts that were changed."""
        phone, texts = self._phone(), self.town.relay.texts.get(self.group, [])
        if not texts or not phone.knows(self.group):
            return
        shown = self.random.sample(texts, min(len(texts), 4))
        for text in shown:
            self.town.show(phone, self.group, text)
            self._damaged(phone, text)
        self._tell(f"{phone} is shown {len(shown)} texts again, and damaged ones")

    def _damaged(self, phone: Phone, text: bytes) -> None:
        at = self.random.randrange(len(text))
        changed = text[:at] + bytes([text[at] ^ 1 << self.random.randrange(8)]) + text[at + 1 :]
        before = len(phone.read)
        self.town.show(phone, self.group, changed)
        assert len(phone.read) == before

    def _outside(self) -> None:
        """Show everything to somebody who is no member, and to a revoked device."""
        state = max(self.town.states.values(), key=lambda each: each.number)
        members = {each.name.id for each in state.users}
        phones = [
            each
            for each in self.town.phones.values()
            if each.user.user_id not in members or each in self.revoked
        ]
        if not phones:
            return
        phone = self.random.choice(phones)
        if phone.knows(self.group):
            for text in self.town.relay.texts.get(self.group, [])[-8:]:
                self.town.show(phone, self.group, text)
        self._tell(f"{phone} is shown what is not for it")

    def _cheat(self) -> None:
        """Show one phone the loser of a race, if its log ends before that: it has another history then."""
        if self.cheated is not None or not self.losers:
            return
        change = self.random.choice(self.losers)
        behind = [
            each
            for each in self._working()
            if each.knows(self.group) and each.groups.get(self.group).head == change.before
        ]
        if not behind:
            return
        phone = self.random.choice(behind)
        self.town.note_state(change)
        taken = phone.groups.take(self.group, [change.entry])
        self.town.after_taking(phone, taken)
        if taken.number < change.number:
            return  # lists of its author are missing, or no longer have it: the entry was not taken
        self.cheated = phone
        self.town.blind.add(phone)
        self._tell(f"{phone} is shown another history")
