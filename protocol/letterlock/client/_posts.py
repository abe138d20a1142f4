"""Posts: messages on their way to the relay, each send of which is one row.

    bundled     messages of one call, as posts: of one name, one for a device, within the relay's limits
    ready       what may be sent now, for the list on record; what may be sent no longer is deleted
    done        the relay has it
    later       it has not, and is tried again

A post keeps its id, so a send whose answer was lost is repeated and changes nothing.               [CLN-4]

Every method runs inside the caller's transaction. Not here: calling the relay (_sender.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from letterlock._primitives.entropy import Entropy
from letterlock._records.contact import ContactState
from letterlock._records.pin import PinnedList
from letterlock._wire.address import Address
from letterlock._wire.relay_limits import KIB, MAX_SEND, MAX_SENT_MESSAGES, RELAY_ID_BYTES
from letterlock.client._rows import Post
from letterlock.client._table import MICROSECONDS, Tables
from letterlock.limits import HEAD_BYTES, HOUR
from letterlock.user import Outgoing
from letterlock.user._book import Book, device_of, gets_messages

_ROOM: Final = MAX_SEND - 2 * KIB
"""Bytes of the messages in one send, and of what stands around each."""
_AROUND: Final = 16


@dataclass(frozen=True, slots=True)
class Sendable:
    """A post that may be sent now: for which version of the name's list, and to which of its devices."""

    id: bytes
    name: str
    version: int
    head: bytes
    messages: tuple[tuple[int, bytes], ...] = field(repr=False)
    is_pinned: bool = False


class Posts:
    """The posts of one client."""

    __slots__ = ("_book", "_device", "_entropy", "_name", "_tables")

    def __init__(self, book: Book, tables: Tables, entropy: Entropy, own: Address) -> None:
        """`own` is the address of this device."""
        self._book = book
        self._tables = tables
        self._entropy = entropy
        self._name, self._device = own.name, own.device_id

    def add(
        self,
        outgoing: Iterable[Outgoing],
        made_for: tuple[int, bytes] | None = None,
        content: bytes | None = None,
    ) -> None:
        """Save messages that a call of the user returned."""
        for post in bundled(outgoing):
            saved = replace(post, made_for=made_for, content=content)
            self._tables.posts.save(self._entropy(RELAY_ID_BYTES), saved, self._tables.order())

    def contents(self, name: str) -> set[bytes]:
        """Return the ids of the contents of which the relay has not taken the messages for a name."""
        return {post.content for _, post in self._tables.posts.due() if post.content and post.name == name}

    def ready(self, limit: int) -> list[Sendable]:
        """Return up to `limit` posts that may be sent now, the oldest first."""
        found: list[Sendable] = []
        own, now = self._book.own().pin, self._tables.clock()
        is_listed = device_of(own, self._device) is not None
        for id_, post in self._tables.posts.due((now + 1) * MICROSECONDS, limit):
            if post.made_for is not None:
                found.append(Sendable(id_, post.name, *post.made_for, post.messages, is_pinned=True))
            elif not is_listed:  # USR-37
                self._tables.posts.delete(id_)
            else:
                self._judge(id_, post, own, found)
        return found

    def next_due(self) -> int | None:
        """Return in how many seconds the next post may be sent, or None if there is none."""
        return self._tables.wait(self._tables.posts)

    def _judge(self, id_: bytes, post: Post, own: PinnedList, found: list[Sendable]) -> None:
        """Add a post to what may be sent, leave it for later, or delete it."""
        pin = own
        if post.name != self._name:
            contact = self._book.contact(post.name)
            if contact is not None and contact.state is ContactState.CONFLICTING:  # USR-16
                self._later(id_, post, HOUR)
                return
            if contact is None:
                self._tables.posts.delete(id_)
                return
            pin = contact.pin
        listed = gets_messages(pin.snapshot)
        messages = tuple(each for each in post.messages if each[0] in listed)
        if messages:
            found.append(Sendable(id_, post.name, pin.version, pin.hash[:HEAD_BYTES], messages))
        else:  # USR-37
            self._tables.posts.delete(id_)

    def done(self, ids: Iterable[bytes]) -> None:
        """Delete posts that the relay has, or will never take."""
        for id_ in ids:
            self._tables.posts.delete(id_)

    def delay(self, ids: Iterable[bytes], seconds: int) -> None:
        """Try posts again after so many seconds, in the order of `ids`."""
        for id_ in ids:
            post = self._tables.posts.load(id_)
            if post is not None:
                self._later(id_, post, seconds)

    def _later(self, id_: bytes, post: Post, seconds: int) -> None:
        self._tables.posts.save(id_, post, self._tables.order(seconds))

    def split(self, id_: bytes, device: int, seconds: int) -> None:
        """Put the message for one device into a post of its own, and try that after so many seconds."""
        post = self._tables.posts.load(id_)
        if post is None:
            return
        full = tuple(each for each in post.messages if each[0] == device)
        rest = tuple(each for each in post.messages if each[0] != device)
        if not full or not rest:
            self._later(id_, post, seconds)
            return
        self._tables.posts.save(id_, replace(post, messages=rest), self._tables.clock() * MICROSECONDS)
        self._later(self._entropy(RELAY_ID_BYTES), replace(post, messages=full), seconds)

    def hurry(self, name: str) -> None:
        """Try what waits for a name now, because something about the name has changed."""
        self.delay([id_ for id_, post in self._tables.posts.due() if post.name == name], 0)


def bundled(outgoing: Iterable[Outgoing]) -> list[Post]:
    """Return messages as posts. Messages for one device stay in their order."""
    open_: dict[str, dict[int, bytes]] = {}
    sizes: dict[str, int] = {}
    posts: list[Post] = []
    for each in outgoing:
        name, device, size = each.address.name, each.address.device_id, len(each.message) + _AROUND
        found = open_.setdefault(name, {})
        is_full = len(found) >= MAX_SENT_MESSAGES or sizes.get(name, 0) + size > _ROOM
        if found and (device in found or is_full):
            posts.append(Post(name, tuple(found.items())))
            open_[name], sizes[name] = {}, 0
        open_[name][device] = each.message
        sizes[name] = sizes.get(name, 0) + size
    return [*posts, *(Post(name, tuple(found.items())) for name, found in open_.items() if found)]
