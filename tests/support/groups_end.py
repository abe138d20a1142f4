"""A group that was played, and what must hold of it in the end.

At the end the relay is honest, whoever was shown another history throws it away, and everybody who was a
member when a text was sealed has read it, unless it was removed since, or the reader's or the author's device
was revoked, or five epochs have begun.

Not here: what happens before (groups_play.py).
"""

from typing import Final

from letterlock._wire.log_entry import LogEntry
from letterlock.groups import GroupForked, GroupRole
from letterlock.limits import DAY, HOUR
from support.groups_world import Phone, Sealed, Town

KEPT: Final = 4
"""Epochs that may begin before everybody looks: keys of five are kept."""
PAUSES: Final = (0, 61, HOUR, HOUR, *(DAY,) * 16)
"""How long everybody waits in the end, until all is read: what was lost is repeated after an hour or days."""


class PlayedGroup:
    """A group of people with some devices each."""

    def __init__(self, devices: dict[str, int]) -> None:
        self.town = Town(**devices)
        self.names = list(devices)
        self.revoked: set[Phone] = set()
        self.cheated: Phone | None = None
        self.written = 0
        some = self.names[1 : 1 + max(2, len(self.names) // 2)]
        self.group = self.town.begin(self.names[0], *some)
        first = self.town.groups(self.names[0])
        for name in some[:2]:
            change = first.set_role(self.group, [name], GroupRole.ADMIN)
            assert self.town.give(self.town.phone(self.names[0]), change)
        self.town.settle(self.group)

    def _working(self) -> list[Phone]:
        return [each for each in self.town.phones.values() if each not in self.revoked]

    def _epoch(self) -> int:
        return max(self.town.states.values(), key=lambda each: each.number).epoch

    def settle(self) -> None:
        """Let everybody be honest, and check who read what."""
        self.town.learn(*self._working())
        self._undeceive()
        for pause in PAUSES:
            self.town.clock.now += pause
            for phone in self._working():
                self.town.upkeep(phone)
            self._rest()
            if not self._unread():
                break
        self._check_all()
        self._write_to_all()

    def _undeceive(self) -> None:
        """Show the true log to whoever has another one: that is noticed, and its user decides."""
        phone, group = self.cheated, self.group
        if phone is None:
            return
        self.town.blind.discard(phone)
        log = self.town.relay.logs[group]
        mine = phone.groups.get(group)
        if not mine.forked and len(log) >= mine.number:
            taken = phone.groups.take(group, log)
            assert phone.groups.get(group).forked, f"a fork is not noticed: {taken}"
            phone.events += taken.events
        if phone.groups.get(group).forked:
            try:
                phone.groups.encrypt(group, b"into a fork")
                raise AssertionError("a text is sealed for a group that forked")
            except GroupForked:
                pass
        phone.groups.forget(group)

    def _rest(self) -> None:
        working = [each for each in self._working() if each is not self.cheated or not self.town.blind]
        self.town.settle(self.group, *working)

    def _unread(self) -> dict[Phone, list[bytes]]:
        """Return what phones have to read and have not read."""
        found = {}
        for phone in self._working():
            owed = [each.body for each in self.town.sealed.values() if self._is_owed(each, phone)]
            found[phone] = [each for each in owed if each not in phone.read]
        return {phone: bodies for phone, bodies in found.items() if bodies}

    def _check_all(self) -> None:
        for phone, unread in self._unread().items():
            raise AssertionError(f"{phone} has not read {unread}: {self._why(phone, unread)}")

    def _why(self, phone: Phone, unread: list[bytes]) -> list[str]:
        """Return what became of texts on a phone."""
        texts = [self.town.sealed[each].text for each in unread]
        shown = [phone.groups.decrypt(self.group, each) for each in texts]
        return [f"{each.outcome.value} {each.error!r} {each.name} {each.number}" for each in shown]

    def _is_owed(self, sealed: Sealed, phone: Phone) -> bool:
        """Return whether a phone has to have read a text in the end."""
        is_cheated = self.cheated is not None and self.cheated in {phone, sealed.author}
        return (
            sealed.is_posted
            and phone is not sealed.author
            and not is_cheated
            and sealed.author not in self.revoked
            and self._epoch() - self.town.states[sealed.head].epoch < KEPT
            and self._is_member_since(phone.user.user_id, sealed)
            and phone.address in sealed.devices
        )

    def _is_member_since(self, user_id: bytes, sealed: Sealed) -> bool:
        """Return whether a user was a member all the time since a text was sealed."""
        log = [LogEntry.decode(each).hash for each in self.town.relay.logs[self.group]]
        since = log[log.index(sealed.head) :]
        return all(self.town.states[each].role_of(user_id) is not None for each in since)

    def _write_to_all(self) -> None:
        """Somebody writes, and every member reads it; whoever threw its keys away reads the second text."""
        writers = [each for each in self._working() if each.knows(self.group)]
        for phone in [each for each in writers if each.groups.get(self.group).may_send][:1]:
            first, second = self._last_text(phone), self._last_text(phone)
            for other in self._working():
                if other is not phone and other.user.user_id in first.members:
                    assert second.body in other.read, f"{other} does not read what {phone} writes"
                    assert first.body in other.read or other is self.cheated

    def _last_text(self, phone: Phone) -> Sealed:
        self.written += 1
        sealed = self.town.send(phone, self.group, b"last text %d" % self.written)
        for pause in PAUSES:
            self.town.clock.now += pause
            for each in self._working():
                self.town.upkeep(each)
            self._rest()
            if pause >= HOUR and not self._unread():
                break
        return sealed
