"""GroupOutbox: what the application sends to groups, from when it is saved until others have read it.

    post          saved, wherever the relay is
    seal          sealed when it is about to go, and anew as the log goes on                     [CLN-22]
    sent          the relay has it
    deliveries    to whom it was delivered, as far as that is known                               [GRP-47]

Every method runs inside a transaction of the store, which the caller began.

Not here: what others send (_group_queue.py), the relay (_convener.py).
"""

from dataclasses import replace
from typing import Final, Protocol

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.group_text import GroupText
from letterlock.client._group_rows import MAX_WAITS, GroupPost, SentText
from letterlock.client._group_tables import GroupTables
from letterlock.client._queue import MAX_TEXT, Queue
from letterlock.client._rows import Notice
from letterlock.client._table import MICROSECONDS
from letterlock.errors import PlaintextTooLong, UsageError
from letterlock.groups import GroupDelivery, Groups
from letterlock.groups._groups import group_desk_behind
from letterlock.limits import MESSAGE_ID_BYTES
from letterlock.user import EventKind, Need, Outgoing

_STRANGERS: Final = 5
"""Seconds for which a text waits for members who are not known, each time."""


class GroupResult(Protocol):
    """What calls of `Groups` return that has letters to deliver."""

    @property
    def outgoing(self) -> tuple[Outgoing, ...]:
        """Messages to deliver."""
        ...

    @property
    def needs(self) -> tuple[Need, ...]:
        """What to fetch."""
        ...


class _Letters:
    """Letters and needs alone: events of groups are no events of the user."""

    def __init__(self, result: GroupResult) -> None:
        self.outgoing, self.needs = result.outgoing, result.needs


def take_letters(queue: Queue, result: GroupResult) -> None:
    """Save letters on their way, and needs."""
    queue.take(_Letters(result))


class GroupOutbox(Uncopyable):
    """What one client sends to groups."""

    __slots__ = ("_groups", "_met", "_queue", "_rows", "_strangers")

    def __init__(self, queue: Queue, groups: Groups, rows: GroupTables) -> None:
        self._queue = queue
        self._groups = groups
        self._rows = rows
        self._met: dict[bytes, int] = {}
        self._strangers: dict[bytes, int] = {}

    def post(self, group: bytes, body: bytes) -> bytes:
        """Keep a text until it can go; return its id of 16 bytes. Raises UsageError, PlaintextTooLong."""
        if len(body) > MAX_TEXT:
            raise PlaintextTooLong(len(body), MAX_TEXT)
        if not self._groups.number(group):
            raise UsageError("no group has this id: take its log first")
        id_ = self._queue.draw(MESSAGE_ID_BYTES)
        self._rows.posts.save(id_, GroupPost(group, body), self._queue.tables.order())
        return id_

    def due(self) -> list[tuple[bytes, GroupPost]]:
        """Return texts that may be tried now, of each group the oldest one."""
        until = (self._queue.tables.clock() + 1) * MICROSECONDS
        first: dict[bytes, tuple[bytes, GroupPost]] = {}
        for id_, post in self._rows.posts.due(until):
            first.setdefault(post.group, (id_, post))
        return list(first.values())

    def next_due(self) -> int | None:
        """Return in how many seconds the next text may be tried, or None if there is none."""
        return self._queue.tables.wait(self._rows.posts)

    def seal(self, id_: bytes) -> GroupPost | None:
        """Return a post with its text, sealed for the members of now; None if it is gone, or waits. [CLN-22]

        It is sealed anew as the log goes on, until it is `offered`: the relay may have it then, so it stays
        the same until it was `stale`. Raises what `Groups.encrypt` raises.
        """
        post = self._rows.posts.load(id_)
        if post is None or post.offered:
            return post
        if post.text is None or GroupText.decode(post.text).place.entry != self._groups.number(post.group):
            if self._waits(id_, post):
                return None
            sealed = self._groups.encrypt(post.group, post.body)
            take_letters(self._queue, sealed)
            post = post.sealed(sealed.text, self._queue.tables.order())
        # It may go when the letters that hand out its keys went first, as far as they could.
        post = replace(post, offered=not self._queue.tables.posts.due(post.order, 1))
        self._rows.posts.save(id_, post, 0)  # the first of its group from now on
        return post

    def _waits(self, id_: bytes, post: GroupPost) -> bool:
        """Return whether a text waits for lists of members, who could else never read it. [GRP-3]"""
        number = self._groups.number(post.group)
        if self._met.get(post.group) == number:
            return False
        desk = group_desk_behind(self._groups)
        members = self._groups.get(post.group).members
        lacking = [each.name for each in members if desk.is_stranger(each.user_id)]
        for name in filter(None, lacking):  # a contact that was told by another device, or by a box
            self._queue.needs.lists(name)
        strangers = len(lacking)
        is_fewer = strangers < self._strangers.get(post.group, strangers)
        self._strangers[post.group] = strangers
        if not strangers or (post.waits >= MAX_WAITS and not is_fewer):
            self._met[post.group] = number
            return False
        self._rows.posts.save(id_, post if is_fewer else post.waited(), 0)
        self.delay(post.group, _STRANGERS)
        return True

    def hurry(self) -> None:
        """Try all texts now: members became known."""
        for group in {post.group for _, post in self._rows.posts.due()}:
            self.delay(group, 0)

    def sent(self, id_: bytes) -> None:
        """Forget a post that the relay has, but where it stands, so that deliveries can be asked for."""
        post = self._rows.posts.load(id_)
        self._rows.posts.delete(id_)
        if post is not None and post.text is not None:
            place = GroupText.decode(post.text).place
            sent = SentText(post.group, place.epoch, place.number)
            self._rows.sent.save(id_, sent, self._queue.tables.order())

    def stale(self, id_: bytes) -> None:
        """Have a post sealed anew."""
        post = self._rows.posts.load(id_)
        if post is not None:
            self._rows.posts.save(id_, post.failed(), 0)

    def delay(self, group: bytes, seconds: int) -> None:
        """Try the texts of a group again after so many seconds, in their order."""
        for id_, post in self._rows.posts.due():
            if post.group == group:
                self._rows.posts.save(id_, post, self._queue.tables.order(seconds))

    def give_up(self, id_: bytes) -> None:
        """Give a post up, and report it."""
        post = self._rows.posts.load(id_)
        if post is not None:
            self._rows.posts.delete(id_)
            self._queue.tell(Notice(EventKind.GIVEN_UP.value, None, None, (post.group, None)))

    # --- what became of it --------------------------------------------------------------------------------

    def deliveries(self, id_: bytes) -> tuple[GroupDelivery, ...]:
        """Return to whom a post was delivered; to nobody while it waits. Raises UsageError."""
        sent, post = self._rows.sent.load(id_), self._rows.posts.load(id_)
        if sent is not None:
            return self._groups.deliveries(sent.group, sent.epoch, sent.number)
        if post is None:
            raise UsageError("no text has this id: it was given up, or is older than 30 days")
        own = self._queue.user.user_id
        members = self._groups.get(post.group).members
        return tuple(
            GroupDelivery(each.user_id, each.name, is_delivered=False)
            for each in members
            if each.user_id != own
        )

    def __repr__(self) -> str:
        return "<GroupOutbox>"
