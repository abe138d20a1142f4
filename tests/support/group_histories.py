"""Histories of groups, between users without a relay: given, told and read, or made by liars.

team       Alice and Bob in a group that gives histories, to which Carol comes; Dave is in none
told       a history that was given to a user, as a document
lie        any content as a document of anybody, told by anybody
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import HistoryLetter
from letterlock._wire.group_history import HistoryHead, ToldText, framed
from letterlock.documents import Documents
from letterlock.groups import GroupEvent, GroupEventKind, HistoryText
from support.group_lies import desk, tell
from support.group_town import GroupTown

NOW = 1_700_000_000


@dataclass
class Team:
    """A group with a newcomer. `id` is that of the group."""

    town: GroupTown
    id: bytes

    def user_id(self, name: str) -> bytes:
        return self.town.user(name).user_id

    def said(self, name: str, text: bytes, time: int = NOW) -> HistoryText:
        """Return a text of somebody, as an application gives it."""
        return HistoryText(self.user_id(name), time, text)

    def head(self, group: bytes | None = None) -> HistoryHead:
        """Return the true head of a history, or one of another group."""
        shown = self.town.group("alice", self.id)
        return HistoryHead(group or self.id, shown.number, shown.head)

    def give(self, giver: str, member: str, texts: Iterable[HistoryText]) -> "Given":
        """Give a history, and let everybody take the letters."""
        histories, user = self.town.at(giver).histories, self.town.user(giver)
        target = io.BytesIO()
        sealed = Documents(user).seal(histories.source(self.id, member, texts), target, [member])
        made = histories.letter(self.id, member, sealed.id)
        self.town.send(user, made.outgoing, made.needs)
        return Given(self, sealed.id, target.getvalue())

    def lie(
        self, sealer: str, content: bytes, *, teller: str | None = None, entry: int = 1, to: str = "carol"
    ) -> "Given":
        """Seal any content for somebody, and have somebody tell it as a history."""
        target = io.BytesIO()
        sealed = Documents(self.town.user(sealer)).seal(io.BytesIO(content), target, [to])
        body = HistoryLetter(self.id, 1, entry, sealed.id).encode()
        tell(self.town, (teller or sealer, 1), (to, 1), ContentKind.GROUP_HISTORY, body)
        return Given(self, sealed.id, target.getvalue())

    def events(self, name: str) -> Sequence[GroupEvent]:
        """Let a device process letters, and return what it tells of histories."""
        found = self.town.at(name).process()
        return [each for each in found.events if each.kind is GroupEventKind.HISTORY]


@dataclass
class Given:
    """A document, and what a user reads of it."""

    team: Team
    id: bytes
    sealed: bytes

    def read(self, name: str = "carol", device: int = 1) -> list[HistoryText]:
        """Return what a device reads, with a grant that devices of a user share."""
        file = Documents(self.team.town.user(name)).open(io.BytesIO(self.sealed))
        return list(self.team.town.at(name, device).histories.read(self.team.id, file))


def content(head: HistoryHead, *texts: ToldText) -> bytes:
    """Return the content of a history."""
    return b"".join(map(framed, [head.encode(), *(each.encode() for each in texts)]))


def told(ours: Team, name: str, text: bytes = b"made up") -> ToldText:
    """Return a text as a history tells it."""
    return ToldText(ours.user_id(name), NOW, text)


def team(*, history: bool = True, newcomer: str = "carol") -> Team:
    """Return a group of Alice and Bob, to which somebody was added. All know each other, and Dave."""
    town = GroupTown("alice", "bob", "carol", "dave")
    change = town.at("alice").create("team", ["bob"], history=history)
    town.give("alice", change)
    town.sync(change.group, "alice", "bob")
    town.give("alice", town.at("alice").add(change.group, [newcomer]))
    town.sync(change.group, "alice", "bob", newcomer)
    return Team(town, change.group)


def log_number(made: Team, name: str) -> int:
    """Return the number of the newest entry that a device has."""
    user = made.town.user(name)
    with user.transaction():
        return desk(user).require(made.id).number
