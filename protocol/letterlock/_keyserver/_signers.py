"""Who signs calls: a user whose device lists come with them, and are compared with what was seen.

    frame -> lists, verified -> signature (by the call's plan) -> newest here and in the directory    [REC-19]

Not here: verifying lists (_lists.py); what is signed (recovery/_signing.py).
"""

from typing import Protocol

from letterlock._keyserver._lists import CheckedLists, SeenList, check_lists, require_newest, seen_in
from letterlock._keyserver._newcomers import Newcomers
from letterlock._keyserver._rows import RowKind, SealedRows
from letterlock._keyserver._turns import Turns
from letterlock._wire.recovery_frame import RecoveryFrame
from letterlock._wire.relay_error import RelayCode
from letterlock.errors import MalformedMessage
from letterlock.relay._reply import Refused
from letterlock.relay._verification import Run


class Directory(Protocol):
    """Where device lists are looked up by user id: a relay's own. Methods raise StoreError."""

    async def lists(self, user_id: bytes, after: int) -> tuple[int, list[bytes]]:
        """Return the newest version, 0 for an unknown user, and lists after a version: at most 20, 4 MiB."""
        ...

    async def newest(self, user_id: bytes) -> SeenList | None:
        """Return what is known of the newest list of a user, or None."""
        ...

    async def find(self, name: str) -> bytes | None:
        """Return the user id of a name, or None."""
        ...


class Signers:
    """The device lists that come with calls of one server. `run` runs what takes milliseconds."""

    __slots__ = ("_directory", "_rows", "_turns", "newcomers", "run")

    def __init__(self, rows: SealedRows, directory: Directory | None, newcomers: Newcomers, run: Run) -> None:
        self._rows = rows
        self._directory = directory
        self.newcomers = newcomers
        self._turns = Turns()
        self.run = run

    async def lists(self, user_id: bytes, frame: RecoveryFrame) -> CheckedLists:
        """Return the lists of a frame, verified. Raises Refused."""
        if frame.lists is None:
            raise MalformedMessage("the call comes without device lists")
        encoded, size = frame.lists, sum(map(len, frame.lists))
        (found,) = await self._rows.load((RowKind.LISTS, user_id))
        seen = seen_in(found)
        async with self._turns.turn(size):  # REC-55
            return await self.run(lambda: check_lists(user_id, encoded, seen))

    async def admit(self, lists: CheckedLists, pass_: bytes | None) -> None:
        """Compare, and count a user who is new here. Raises Refused. [REC-56]

        Ask after the signature was checked, and before anything is kept. Lists that go on from nothing that
        is known may be made up: they get one answer, whether this server knows the user or not. [REC-19]
        """
        await self.compare(lists)
        if not lists.known:
            raise Refused(RelayCode.STALE)
        self.newcomers.admit(lists.before, pass_)

    async def compare(self, lists: CheckedLists) -> None:
        """Raise Refused if the directory has a newer list, or another one, or no such user. [REC-19] [REC-49]

        A recovery device that was revoked since is refused, even if nobody has shown the newest list here.
        Ask after the signature was checked.
        """
        if self._directory is not None:
            newest = await self._directory.newest(lists.user_id)
            require_newest(lists, newest)
            if newest is None:
                raise Refused(RelayCode.REFUSED)
