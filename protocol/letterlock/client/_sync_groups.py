"""SyncGroups and SyncHistories: the calls of `ClientGroups` for programs without asyncio.

Not here: what the calls do (_client_groups.py, _client_histories.py).
"""

from collections.abc import Iterable, Iterator
from functools import partial

from letterlock._primitives.secret import Uncopyable
from letterlock.blobs import Blobs
from letterlock.client._client_groups import ClientGroups
from letterlock.client._client_histories import ClientHistories
from letterlock.client._sync_json import Do
from letterlock.documents import Sealed
from letterlock.groups import Group, GroupDelivery, GroupHistory, GroupRole, HistoryText


class SyncHistories(Uncopyable):
    """The histories of a client whose calls wait: each does what that of `ClientHistories` does."""

    __slots__ = ("_do", "_histories")

    def __init__(self, histories: ClientHistories, do: Do) -> None:
        """Not for applications, which use `client.groups.histories`."""
        self._histories = histories
        self._do = do

    def give(self, group: bytes, member: str, texts: Iterable[HistoryText], blobs: Blobs) -> Sealed:
        """Give a newcomer what was written before, as a document. Another thread reads `texts`."""
        return self._do(partial(self._histories.give, group, member, texts, blobs))

    def of(self, group: bytes) -> tuple[GroupHistory, ...]:
        """Return what members gave of a group, the oldest first."""
        return self._do(partial(self._histories.of, group))

    def read(self, group: bytes, document: bytes, blobs: Blobs) -> Iterator[HistoryText]:
        """Return the texts of a history, for the calling thread to iterate."""
        return self._do(partial(self._histories.texts, group, document, blobs))

    def __repr__(self) -> str:
        return "<SyncHistories>"


class SyncGroups(Uncopyable):
    """The groups of a client whose calls wait: each does what that of `ClientGroups` does."""

    __slots__ = ("_do", "_groups", "histories")

    def __init__(self, groups: ClientGroups, do: Do) -> None:
        """Not for applications, which use `client.groups`."""
        self._groups = groups
        self._do = do
        self.histories = SyncHistories(groups.histories, do)
        """What newcomers are given of what was written before."""

    def create(self, name: str, members: Iterable[str] = (), *, history: bool = False) -> bytes:
        """Make a group with this user as its admin, and return its id, 16 bytes."""
        return self._do(partial(self._groups.create, name, members, history=history))

    def add(self, group: bytes, members: Iterable[str], role: GroupRole = GroupRole.MEMBER) -> bool:
        """Add members. They read what is sent from now on."""
        return self._do(partial(self._groups.add, group, members, role))

    def remove(self, group: bytes, members: Iterable[str]) -> bool:
        """Remove members, and begin a new epoch whose secret they do not get."""
        return self._do(partial(self._groups.remove, group, members))

    def set_role(self, group: bytes, members: Iterable[str], role: GroupRole) -> bool:
        """Give members another role."""
        return self._do(partial(self._groups.set_role, group, members, role))

    def rename(self, group: bytes, name: str) -> bool:
        """Give a group another name."""
        return self._do(partial(self._groups.rename, group, name))

    def renew(self, group: bytes) -> bool:
        """Begin a new epoch with the same members."""
        return self._do(partial(self._groups.renew, group))

    def leave(self, group: bytes) -> bool:
        """Leave a group."""
        return self._do(partial(self._groups.leave, group))

    def close(self, group: bytes) -> bool:
        """End a group for good."""
        return self._do(partial(self._groups.close, group))

    def send(self, group: bytes, body: bytes) -> bytes:
        """Send a text to a group; return its id, 16 bytes."""
        return self._do(partial(self._groups.send, group, body))

    def is_sent(self, id_: bytes) -> bool:
        """Return whether the relay has taken a text, or it was given up."""
        return self._do(partial(self._groups.is_sent, id_))

    def deliveries(self, id_: bytes) -> tuple[GroupDelivery, ...]:
        """Return to which members a text was delivered, by the id that `send` returned."""
        return self._do(partial(self._groups.deliveries, id_))

    def all(self) -> tuple[Group, ...]:
        """Return all groups on record, in the order of their ids."""
        return self._do(self._groups.all)

    def get(self, group: bytes) -> Group:
        """Return a group. Raises UsageError for an id that is unknown."""
        return self._do(partial(self._groups.get, group))

    def refresh(self) -> None:
        """Take from the relay what others have sent and changed by now, and give it what waits here."""
        self._do(self._groups.refresh)

    def evidence(self, group: bytes) -> bytes | None:
        """Return evidence that the log was shown in two versions, or None."""
        return self._do(partial(self._groups.evidence, group))

    def keep(self, group: bytes) -> None:
        """Go on with the log on record, once the contradiction is explained."""
        self._do(partial(self._groups.keep, group))

    def forget(self, group: bytes) -> None:
        """Delete a group from the store."""
        self._do(partial(self._groups.forget, group))

    def __repr__(self) -> str:
        return "<SyncGroups>"
