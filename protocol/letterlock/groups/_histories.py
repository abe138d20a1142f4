"""GroupHistories: what newcomers are given of what was written before, for an application without a client.

    source, letter     whoever gives: seal what `source` returns as a document for the member, then tell
    of, read           whoever gets it

Not here: what is checked (_telling.py); documents (documents/).
"""

from collections.abc import Iterable, Iterator
from typing import Any

from letterlock._primitives.secret import Uncopyable
from letterlock.documents import DocumentFile, Readable, Standing
from letterlock.documents._streams import read_up_to
from letterlock.errors import UsageError
from letterlock.groups._desk import GroupDesk, Places, group_desk
from letterlock.groups._telling import Judge, judge, kept, letter, source
from letterlock.groups._values import GroupHistory, GroupReceipts, HistoryText
from letterlock.user._desk import Findings
from letterlock.user._user import User, desk_behind


class GroupHistories(Uncopyable):
    """The histories of a user's groups: `groups.histories`. A history is the word of whoever gives it.

    Every method may raise StoreError, UsageError for a group that is unknown, and GroupForked.
    """

    __slots__ = ("_places", "_user")

    def __init__(self, user: User, places: Places) -> None:
        """Not for applications, which use `groups.histories`."""
        self._user = user
        self._places = places

    def source(self, group: bytes, member: str, texts: Iterable[HistoryText]) -> Readable:
        """Return a binary file object to seal as a document for a member, with what was written before.

        Texts are read one at a time, so memory does not grow with them. They are what this user read and
        wrote before the member came, in their order; the library does not keep them. Raises UsageError, also
        while it is read: if the group gives no history, for a user that is no other member, for an author who
        could not write before the member came, beyond 1,000,000 texts or 4 GiB.
        """
        with self._user.transaction():
            at = self._desk()
            return _Source(source(at, group, self._id(at, member), texts))

    def letter(self, group: bytes, member: str, document: bytes) -> GroupReceipts:
        """Tell the devices of a member which document, of 16 bytes, is its history. Deliver `outgoing`.

        Do it in the transaction that keeps the document's grants, or once they are kept. Raises as `source`.
        """
        findings = Findings()
        with self._user.transaction():
            at = self._desk()
            letter(at, group, self._id(at, member), document, findings)
        return GroupReceipts(tuple(findings.outgoing), tuple(findings.needs))

    def of(self, group: bytes) -> tuple[GroupHistory, ...]:
        """Return what members gave of a group, the oldest first: of each at most the last four."""
        with self._user.transaction():
            return kept(self._desk(), group)

    def read(self, group: bytes, file: DocumentFile[Standing]) -> Iterator[HistoryText]:
        """Return the texts of a history that was opened, in the order in which its giver tells them.

        Raises UsageError for a document that no member gave; InvalidGroupHistory, MalformedMessage and
        DocumentDamaged, also while it is iterated: then discard what was read.
        """
        return texts_in(file, judge_behind(self, group, file.statement.id))

    def _judge(self, group: bytes, document: bytes) -> Judge:
        with self._user.transaction():
            return judge(self._desk(), group, document)

    def _id(self, at: GroupDesk, member: object) -> bytes:
        if type(member) is not str:
            raise UsageError("a member is the name of a contact")
        return at.user_id if member == at.desk.name else at.desk.book.require_contact(member).pin.user_id

    def _desk(self) -> GroupDesk:
        return group_desk(desk_behind(self._user), self._user.user_id, self._places)

    def __repr__(self) -> str:
        return f"<GroupHistories of {self._user.address}>"


def judge_behind(histories: GroupHistories, group: bytes, document: bytes) -> Judge:
    """Return what a history is judged by, for the rooms that stand on this one. Raises as `read` does."""
    return histories._judge(group, document)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def texts_in(file: DocumentFile[Standing], found: Judge) -> Iterator[HistoryText]:
    """Return the texts of a history. It reads the file, and needs no store. Raises as `read` does."""
    file.seek(0)
    return found.texts(file.signed_by.signer.user_id, lambda length: read_up_to(file, length))


class _Source:
    """The content of a history, as a binary file object to read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - anything with a buffer
        """Fill a buffer with what comes next; return how many bytes it got, 0 at the end."""
        view = memoryview(buffer).cast("B")
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(view), len(self._rest))
        view[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
