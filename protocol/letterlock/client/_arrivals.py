"""Arrivals: messages that came from the relay, until the application has finished them.

    read, with something for the application      arrived, until it has finished
    held                                          kept here, and given to the user again when something
                                                  about its sender has changed
    everything else                               done

When `receive` has been committed the relay may delete the messages: each was read, refused for ever, or is in
the store.                                                                                          [CLN-2]

Every method runs inside a transaction of the store, which the caller began.

Not here: the relay (_receiver.py).
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from letterlock._primitives.secret import Uncopyable
from letterlock._wire.address import Address
from letterlock._wire.relay_mail import Delivery
from letterlock.client._errors import AlreadyDone
from letterlock.client._queue import Queue
from letterlock.client._rows import Arrived, Held, Notice
from letterlock.client._table import LATEST
from letterlock.errors import UsageError
from letterlock.stores import Store
from letterlock.user import EventKind, Incoming, Outcome

MAX_HELD: Final = 1000
"""Messages that cannot be judged yet. Beyond them, the next one is given up and reported."""
MAX_HELD_OF_ONE: Final = 250
"""The same for one name, so that a contact in conflict leaves room for everybody else."""
MAX_ARRIVED: Final = 1000
"""Contents that the application has not finished. Beyond them, the rest stays at the relay."""


class Arrivals(Uncopyable):
    """What one client has received."""

    __slots__ = ("_held_of", "_store", "_tables", "queue")

    def __init__(self, queue: Queue, store: Store) -> None:
        self.queue = queue
        self._store = store
        self._tables = queue.tables
        self._held_of: Counter[str] = Counter()
        queue.judge_held = self.judge_held

    def receive(self, deliveries: Iterable[Delivery]) -> None:
        """Take messages out of the mailbox."""
        for each in deliveries:
            if not self._tables.held.has(each.id):
                incoming = self._receive(each.sender, each.message)
                if incoming is not None and incoming.outcome is Outcome.HELD:
                    self._hold(each)

    def _receive(self, sender: Address, message: bytes) -> Incoming | None:
        """Give one message to the user. None stands for one that the user does not even look at."""
        try:
            with self._store.transaction():
                incoming = self.queue.user.receive(sender, message)
                self.queue.take(incoming)
                self._arrive(incoming)
                return incoming
        except UsageError:
            self.queue.notice(EventKind.GIVEN_UP, sender.name, sender.device_id)
            return None

    def _arrive(self, incoming: Incoming) -> None:
        kind, id_, time, body = incoming.kind, incoming.id, incoming.time, incoming.body
        if incoming.outcome is not Outcome.READ or body is None:
            return
        if kind is None or id_ is None or time is None:
            return
        sender = Address(incoming.sender, incoming.device)
        arrived = Arrived(sender, int(kind), id_, time, body, incoming.attachments, incoming.to)
        self._tables.append(self._tables.arrived, arrived)

    def _hold(self, each: Delivery) -> None:
        held, name = self._tables.held, each.sender.name
        count = held.count()
        of_one = self._count_held(name, count) if count >= MAX_HELD_OF_ONE else 0
        if count >= MAX_HELD or of_one >= MAX_HELD_OF_ONE:
            self.queue.notice(EventKind.GIVEN_UP, name, each.sender.device_id)
        else:
            held.save(each.id, Held(each.sender, each.message), self._tables.order())
            self._held_of[name] += 1

    def _count_held(self, name: str, count: int) -> int:
        """Return how many of the `count` held messages are of a name.

        All of them are read only if the numbers in memory do not add up to `count`: after a start, or when
        some were deleted, or a transaction was undone.
        """
        if self._held_of.total() != count:
            self._held_of = Counter(one.sender.name for _, one in self._tables.held.due())
        return self._held_of[name]

    def judge_held(self, name: str) -> None:
        """Give the user what was held of a name once more."""
        for key, held in self._tables.held.due():
            if held.sender.name == name:
                incoming = self._receive(held.sender, held.message)
                if incoming is None or incoming.outcome is not Outcome.HELD:
                    self._tables.held.delete(key)

    # --- for the application ----------------------------------------------------------------------------

    def count(self) -> int:
        """Return how many contents the application has not finished."""
        return self._tables.arrived.count()

    def state(self) -> dict[str, Any]:
        """Return who this is, and how much was not sent and not read."""
        user, tables = self.queue.user, self._tables
        own = {"name": user.name, "device": user.address.device_id, "relay": self.queue.relay()}
        unsent = tables.posts.count() + tables.drafts.count()
        return {**own, "unsent": unsent, "unread": self.count()}

    def arrived(self, limit: int) -> list[tuple[bytes, Arrived]]:
        """Return the oldest contents that the application has not finished."""
        return self._tables.arrived.due(LATEST, limit)

    def notices(self, limit: int) -> list[tuple[bytes, Notice]]:
        """Return the oldest events that the application has not finished."""
        return self._tables.notices.due(LATEST, limit)

    def finish(self, key: bytes) -> None:
        """Delete a content that the application has finished. Raises AlreadyDone if it is not there."""
        if not self._tables.arrived.has(key):
            raise AlreadyDone
        self._tables.arrived.delete(key)

    def finish_notice(self, key: bytes) -> None:
        """Delete an event that the application has finished."""
        self._tables.notices.delete(key)
