"""Collections: the one object that an application holds for the sets of readers that a user is in.

It joins the rooms of collections and decides nothing itself. Each public method is one transaction of the
user's store.

    create, add, remove, ...     _changes.py, _wishes.py
    take, accepted               _log_taking.py, _log.py
    upkeep, sweep                _collection_upkeep.py
    reader, may_write            _collection_reading.py

Nothing is in the log until a server took it: give each change's entry to the server that orders the log, and
what it answers to `take`.

Not here: sockets; documents, which are shared with a collection like with any other reader.
"""

from collections.abc import Iterable, Sequence

from letterlock._primitives.secret import Uncopyable
from letterlock._records.collection import LogState
from letterlock._records.collection_change import Asked, Wish
from letterlock._wire.collection_limits import COLLECTION_ID_BYTES, MAX_MEMBERS
from letterlock._wire.collection_member import MemberName, Role
from letterlock._wire.log_entry import Action, LogEntry
from letterlock.documents._changes import CollectionChange, make_change
from letterlock.documents._collection_desk import CollectionDesk, collection_desk
from letterlock.documents._collection_reading import collection_key, shown_collection
from letterlock.documents._collection_upkeep import delivered, old_documents, pending, regrant, upkeep
from letterlock.documents._collection_values import Collection, CollectionTaken, CollectionUpkeep
from letterlock.documents._log_taking import take
from letterlock.documents._nesting import check_nesting
from letterlock.documents._sealed_name import check_name
from letterlock.documents._targets import CollectionKey
from letterlock.documents._writers import may_have_written
from letterlock.errors import UsageError
from letterlock.user._user import User, desk_behind


class Collections(Uncopyable):
    """The collections of a user. Make one for a `User`; it keeps everything in the user's store.

    A member is the name of a contact, or the id of a collection (16 bytes). Every method may raise
    StoreError; one that raises has changed nothing. Those that make a change raise UsageError if the rules
    of the log, a role or a change under way forbid it, NoEpochKey if the keys of the epoch have not arrived,
    and CollectionForked.
    """

    __slots__ = ("_user",)

    def __init__(self, user: User) -> None:
        self._user = user

    # --- changes ----------------------------------------------------------------------------------

    def create(self, name: str) -> CollectionChange:
        """Make a collection with this user as its admin. `name`, of up to 255 bytes of UTF-8, is sealed."""
        check_name(name)
        with self._user.transaction():
            at = self._desk()
            admin = Asked(MemberName.user(at.user_id), Role.ADMIN)
            return make_change(at, Wish(Action.CREATE, (admin,), name), None)

    def add(
        self,
        collection: bytes,
        members: Iterable[str | bytes],
        role: Role = Role.READER,
        *,
        history: bool = True,
    ) -> CollectionChange:
        """Add members. Without `history` they read from the current epoch on: call `renew` first for less.

        A collection that is added has to be on record with its keys, and may not be inside itself, nor more
        than 4 collections inside each other. Its members have the smaller of both roles.
        """
        with self._user.transaction():
            at = self._desk()
            asked = tuple(Asked(each, _role(role), bool(history)) for each in self._names(at, members))
            state = at.book.require_sound(collection)
            if any(each.name in state.members for each in asked):
                raise UsageError("one of these is a member already: give it another role, or leave it out")
            inner = [each.name.id for each in asked if len(each.name.id) == COLLECTION_ID_BYTES]
            if inner:
                states = at.book.states()
                for each_id in inner:
                    check_nesting(states, collection, each_id)
            return self._change(at, collection, Wish(Action.ADD, asked))

    def remove(
        self, collection: bytes, members: Iterable[str | bytes], *, force: bool = False
    ) -> CollectionChange:
        """Remove members, and begin a new epoch whose key they do not get. No document is touched.

        `force` goes on although the keys of the current epoch have not arrived: members who are added later
        then do not read what was sealed in it.
        """
        with self._user.transaction():
            at = self._desk()
            asked = tuple(Asked(each) for each in self._names(at, members))
            return self._change(at, collection, Wish(Action.REMOVE, asked), force=force)

    def set_role(self, collection: bytes, members: Iterable[str | bytes], role: Role) -> CollectionChange:
        """Give members another role."""
        with self._user.transaction():
            at = self._desk()
            asked = tuple(Asked(each, _role(role)) for each in self._names(at, members))
            return self._change(at, collection, Wish(Action.ROLE, asked))

    def rename(self, collection: bytes, name: str) -> CollectionChange:
        """Give a collection another name, of up to 255 bytes of UTF-8. It is sealed for the members."""
        check_name(name)
        with self._user.transaction():
            return self._change(self._desk(), collection, Wish(Action.RENAME, name=name))

    def renew(self, collection: bytes, *, force: bool = False) -> CollectionChange:
        """Begin a new epoch with the same members: after somebody left, or when a device was revoked.

        `force` is as in `remove`.
        """
        with self._user.transaction():
            return self._change(self._desk(), collection, Wish(Action.RENEW), force=force)

    def leave(self, collection: bytes) -> CollectionChange:
        """Leave. Before anything else is sealed, a writer has to begin a new epoch."""
        with self._user.transaction():
            return self._change(self._desk(), collection, Wish(Action.LEAVE))

    def close(self, collection: bytes) -> CollectionChange:
        """End a collection for good. What was sealed for it stays readable to its members."""
        with self._user.transaction():
            return self._change(self._desk(), collection, Wish(Action.CLOSE))

    # --- what the server answered -----------------------------------------------------------------

    def take(self, collection: bytes, entries: Iterable[bytes]) -> CollectionTaken:
        """Take what a server showed of a log: entries after a known one, or all from the first.

        If a change of ours is under way and its place was taken by another entry, a new change is made of
        what remains of it, and is in the result. Call this without entries when grants of an epoch have
        arrived, for a change that waited for them. Entries that contradict the log on record freeze the
        collection, and are kept as evidence. Raises CollectionForked then; UsageError for an unknown id or
        a gap; MalformedMessage, UnsupportedVersion, InvalidEntry, InvalidSignature, InvalidKey for entries
        that are wrong: discard them all.
        """
        decoded = [LogEntry.decode(each) for each in entries]
        with self._user.transaction():
            return take(self._desk(), _id(collection), decoded)

    def accepted(self, change: CollectionChange) -> CollectionTaken:
        """Note that the server took a change. Raises as `take` does."""
        return self.take(change.collection, [change.entry])

    def delivered(self, change: CollectionChange) -> None:
        """Note that the grants of an accepted change were delivered: they are not made again."""
        with self._user.transaction():
            delivered(self._desk(), change)

    def pending(self) -> tuple[CollectionChange, ...]:
        """Return the changes that are not in a log, or whose grants were not delivered, after a restart."""
        with self._user.transaction():
            return pending(self._desk())

    # --- looking ----------------------------------------------------------------------------------

    def all(self) -> tuple[Collection, ...]:
        """Return all collections on record, in the order of their ids."""
        with self._user.transaction():
            at = self._desk()
            return tuple(shown_collection(at, state) for _, state in sorted(at.book.states().items()))

    def get(self, collection: bytes) -> Collection:
        """Return a collection. Raises UsageError for an id that is unknown."""
        with self._user.transaction():
            at = self._desk()
            return shown_collection(at, at.book.require(collection))

    def log(self, collection: bytes, after: int = 0) -> tuple[bytes, ...]:
        """Return the entries on record after one of them, for a server or another member."""
        with self._user.transaction():
            at = self._desk()
            state = at.book.require(collection)
            return tuple(each.encode() for each in at.book.entries(collection, after, state.number))

    # --- sealing and opening ----------------------------------------------------------------------

    def reader(self, collection: bytes) -> CollectionKey:
        """Return a collection as a reader, for `Documents.share`.

        Raises EpochDue if a new epoch is due first, UsageError if this user is no writer, NoEpochKey,
        CollectionForked.
        """
        with self._user.transaction():
            return collection_key(self._desk(), collection)

    def may_have_written(self, collection: bytes, epoch: int, user_id: bytes) -> bool:
        """Return whether a user could write in an epoch: one who could not grants no documents. [DOC-81]"""
        with self._user.transaction():
            return may_have_written(self._desk().book, _id(collection), epoch, user_id)

    def old_documents(self, collection: bytes, limit: int = 1000) -> tuple[bytes, ...]:
        """Return ids of documents whose newest version is granted to an older epoch of a collection.

        Seal a new version of each to close it to who left; nothing else does. At most `limit` ids.
        """
        with self._user.transaction():
            return old_documents(self._desk(), collection, limit)

    # --- time and trouble -------------------------------------------------------------------------

    def upkeep(self) -> CollectionUpkeep:
        """Do what is due: begin epochs and remove void members where this user is an admin, give owed keys.

        Call it after device lists were learned and logs taken, and once a day at least.
        """
        with self._user.transaction():
            return upkeep(self._desk())

    def regrant(self, collection: bytes, members: Iterable[str | bytes]) -> tuple[bytes, ...]:
        """Return grants of the current epoch for members who lost theirs. Raises UsageError for others."""
        with self._user.transaction():
            at = self._desk()
            return regrant(at, at.book.require_sound(collection), self._names(at, members))

    def evidence(self, collection: bytes) -> bytes | None:
        """Return evidence that the log was shown in two versions, or None. Others check it."""
        with self._user.transaction():
            return self._desk().book.evidence(_id(collection))

    def keep(self, collection: bytes) -> None:
        """Go on with the log on record, once the contradiction is explained."""
        with self._user.transaction():
            book = self._desk().book
            book.settle_fork(book.require(collection))

    def forget(self, collection: bytes) -> None:
        """Delete a collection from the store, with its log. Grants of its epochs stay."""
        with self._user.transaction():
            book = self._desk().book
            book.forget(book.require(collection))

    def __repr__(self) -> str:
        return f"<Collections of {self._user.address}>"

    def _desk(self) -> CollectionDesk:
        return collection_desk(desk_behind(self._user))

    def _change(
        self, at: CollectionDesk, collection: bytes, wish: Wish, *, force: bool = False
    ) -> CollectionChange:
        state = at.book.require_sound(collection)
        if any(not record.accepted for _, record in at.book.changes(collection)):
            raise UsageError("a change of this collection is under way: give the server's answer to take")
        return make_change(at, _asked_now(wish, state), state, force=force)

    def _names(self, at: CollectionDesk, members: Iterable[str | bytes]) -> tuple[MemberName, ...]:
        given: Sequence[str | bytes] = tuple(members)
        if isinstance(members, str | bytes) or not 0 < len(given) <= MAX_MEMBERS:
            raise UsageError(f"members are 1 to {MAX_MEMBERS} names of contacts or ids of collections")
        return tuple(dict.fromkeys(_member(at, each) for each in given))


def _asked_now(wish: Wish, state: LogState) -> Wish:
    return Wish(wish.action, wish.asked, wish.name, state.epoch)


def _member(at: CollectionDesk, member: str | bytes) -> MemberName:
    if type(member) is bytes:
        return MemberName.collection(_id(member))
    if type(member) is not str:
        raise UsageError("a member is the name of a contact, or the id of a collection")
    if member == at.desk.name:
        return MemberName.user(at.user_id)
    return MemberName.user(at.desk.book.require_contact(member).pin.user_id)


def _id(collection: object) -> bytes:
    if type(collection) is not bytes or len(collection) != COLLECTION_ID_BYTES:
        raise UsageError(f"a collection id is {COLLECTION_ID_BYTES} bytes")
    return collection


def _role(role: object) -> Role:
    if type(role) is not Role:
        raise UsageError("a role is Role.READER, Role.WRITER or Role.ADMIN")
    return role
