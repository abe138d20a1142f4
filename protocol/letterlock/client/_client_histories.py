"""ClientHistories: what was written to a group before a member came, given and read through a relay.

    give    sealed and put into a storage; then granted and told, in one transaction               [GRP-52]
    read    opened from the storage, and judged text by text                                        [GRP-54]

Not here: the rules (groups/), documents (_client_documents.py).
"""

from collections.abc import AsyncGenerator, Iterable, Iterator
from functools import partial

from letterlock._primitives.secret import Uncopyable
from letterlock.blobs import Blobs
from letterlock.client._body_thread import BodyThread
from letterlock.client._client_documents import ClientDocuments, seal_and
from letterlock.client._office import Office
from letterlock.client._open_document import OpenDocument
from letterlock.documents import NoGrant, Sealed
from letterlock.groups import GroupHistory, HistoryText
from letterlock.groups._histories import judge_behind, texts_in

_AT_ONCE = 1 << 16
"""Bytes of texts after which those that were read are handed over. The longest text alone has more."""


class ClientHistories(Uncopyable):
    """The histories of a client's groups: `client.groups.histories`.

    A history is the word of whoever gives it: its giver alone says who wrote what, when and in which order,
    and what is left out. Only of a giver's own texts is the author certain. A member gives it as a document,
    and `client.events()` has a GroupEvent of the kind HISTORY then.
    """

    __slots__ = ("_documents", "_office", "_queue")

    def __init__(self, office: Office, documents: ClientDocuments) -> None:
        """Not for applications, which use `client.groups.histories`."""
        self._office = office
        self._queue = office.groups
        self._documents = documents

    async def give(self, group: bytes, member: str, texts: Iterable[HistoryText], blobs: Blobs) -> Sealed:
        """Give a newcomer what was written before, as a document in a storage that the member can read.

        `texts` are what this user read and wrote before the member came, in their order, as the application
        kept them. They are iterated in another thread, one at a time. A member who goes meanwhile gets
        nothing. Raises what `GroupHistories.source` and `ClientDocuments.seal` raise, and what iterating the
        texts does.
        """
        histories = self._queue.groups.histories
        source = await self._office.run(histories.source, group, member, texts)

        def tell(sealed: Sealed) -> None:
            self._queue.name_history(group, member, sealed.id)

        sealed = await seal_and(self._documents, source, blobs, [member], tell)
        self._office.wake_all()
        return sealed

    async def of(self, group: bytes) -> tuple[GroupHistory, ...]:
        """Return what members gave of a group, the oldest first: of each at most the last four."""
        return await self._office.run(self._queue.groups.histories.of, group)

    async def read(self, group: bytes, document: bytes, blobs: Blobs) -> AsyncGenerator[HistoryText]:
        """Yield the texts of a history from its storage, in the order in which its giver tells them.

        Raises what `texts` raises, also after some texts: then discard them.
        """
        texts = await self.texts(group, document, blobs)
        while some := await BodyThread(self._office).run(lambda: _some(texts)):
            for each in some:
                yield each

    async def texts(self, group: bytes, document: bytes, blobs: Blobs) -> Iterator[HistoryText]:
        """Return the same as a plain iterator, for code that runs in a thread of its own.

        Raises UsageError for a document that no member gave, GroupForked, and what `ClientDocuments.open`
        raises; InvalidGroupHistory, MalformedMessage, DocumentDamaged and BlobError also in the middle.
        """
        opened = await self._opened(document, blobs)
        id_, histories = opened.statement.id, self._queue.groups.histories
        found = await self._office.run(judge_behind, histories, group, id_)
        # A storage may be slow: another thread waits for it than that of the store.
        return await BodyThread(self._office).run(partial(texts_in, opened.file, found))

    async def _opened(self, document: bytes, blobs: Blobs) -> OpenDocument:
        """Open a document, whose grant may still be at the relay."""
        try:
            return await self._documents.open(document, blobs)
        except NoGrant:
            await self._documents.refresh()
            return await self._documents.open(document, blobs)

    def __repr__(self) -> str:
        return "<ClientHistories>"


def _some(texts: Iterator[HistoryText]) -> list[HistoryText]:
    """Return the next texts, or none at the end."""
    found: list[HistoryText] = []
    size = 0
    for each in texts:
        found.append(each)
        size += len(each.text) + 64
        if size >= _AT_ONCE:
            break
    return found
