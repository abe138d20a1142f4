"""Groups: the one object that an application holds for the conversations of many that a user is in.

It joins the rooms of groups and decides nothing itself. Each public method is one transaction of the user's
store.

    create, add, remove, ...     _changes.py
    take, accepted               _log_taking.py
    encrypt, decrypt             _sending.py, _opening.py
    deliveries, receipts         _receipts.py
    process                      _mail.py
    upkeep                       _upkeep.py
    histories                    _histories.py

Nothing is in the log until a server took it: give each change's entry to the server that orders the log, and
what it answers to `take`.

Not here: sockets. What is to be delivered is in `outgoing`, and what is to be fetched in `needs`.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from letterlock._primitives.secret import Uncopyable
from letterlock._records.collection import LogState
from letterlock._records.collection_change import Asked, Wish
from letterlock._records.group_chain import AudienceRecord
from letterlock._wire.collection_member import Member, MemberName, Role
from letterlock._wire.group_limits import MAX_GROUP_MEMBERS
from letterlock._wire.log_entry import Action, LogEntry
from letterlock.documents._sealed_name import check_name
from letterlock.errors import UsageError
from letterlock.groups._changes import make_change, name_of
from letterlock.groups._desk import GroupDesk, Places, group_desk
from letterlock.groups._histories import GroupHistories
from letterlock.groups._log_taking import may_send_now, set_forked, take
from letterlock.groups._mail import process
from letterlock.groups._opening import decrypt
from letterlock.groups._receipts import deliveries, give
from letterlock.groups._renewing import is_due
from letterlock.groups._sending import encrypt
from letterlock.groups._telling import gives_history
from letterlock.groups._upkeep import pending, upkeep
from letterlock.groups._values import (
    Group,
    GroupChange,
    GroupDelivery,
    GroupIncoming,
    GroupMember,
    GroupPost,
    GroupProcessed,
    GroupReceipts,
    GroupRole,
    GroupTaken,
    GroupUpkeep,
)
from letterlock.user._desk import Findings
from letterlock.user._user import User, desk_behind


class Groups(Uncopyable):
    """The groups of a user. Make one for a `User`; it keeps everything in the user's store.

    A member is the name of a contact, and a group is 16 bytes. Every method may raise StoreError, and
    UsageError for a group that is unknown; one that raises has changed nothing. Those that make a change
    raise UsageError if the rules of the log, a role or a change under way forbid it, GroupKeyMissing if the
    secret of the epoch has not arrived, and GroupForked.
    """

    __slots__ = ("_places", "_user", "histories")

    def __init__(self, user: User) -> None:
        self._user = user
        self._places = Places()
        self.histories: Final = GroupHistories(user, self._places)
        """What newcomers are given of what was written before."""

    # --- changes ----------------------------------------------------------------------------------

    def create(self, name: str, members: Iterable[str] = (), *, history: bool = False) -> GroupChange:
        """Make a group with this user as its admin, and these contacts as members.

        `name`, of up to 255 bytes of UTF-8, is sealed. With `history`, members may give newcomers what was
        written before: see `histories`.
        """
        check_name(name, "group")
        with self._user.transaction():
            at = self._desk()
            own = MemberName.user(at.user_id)
            others = [Asked(each, Role.WRITER) for each in _names(at, members, least=0) if each != own]
            wish = Wish(Action.CREATE, (Asked(own, Role.ADMIN), *others), name)
            return make_change(at, wish, None, history=bool(history))

    def add(self, group: bytes, members: Iterable[str], role: GroupRole = GroupRole.MEMBER) -> GroupChange:
        """Add contacts. They read what is sent from now on: what was sent before is not sealed for them.

        Raises GroupEpochDue if somebody went when this epoch began: who went may have keys of it that a
        newcomer would complete. Call `renew`, then add.
        """
        with self._user.transaction():
            at = self._desk()
            asked = tuple(Asked(each, _role(role)) for each in _names(at, members))
            if any(each.name in at.log.require(group).members for each in asked):
                raise UsageError("one of these is a member already: give it another role, or leave it out")
            return self._change(at, group, Wish(Action.ADD, asked))

    def remove(self, group: bytes, members: Iterable[str]) -> GroupChange:
        """Remove members, and begin a new epoch whose secret they do not get."""
        with self._user.transaction():
            at = self._desk()
            asked = tuple(Asked(each) for each in _names(at, members))
            return self._change(at, group, Wish(Action.REMOVE, asked))

    def set_role(self, group: bytes, members: Iterable[str], role: GroupRole) -> GroupChange:
        """Give members another role."""
        with self._user.transaction():
            at = self._desk()
            asked = tuple(Asked(each, _role(role)) for each in _names(at, members))
            return self._change(at, group, Wish(Action.ROLE, asked))

    def rename(self, group: bytes, name: str) -> GroupChange:
        """Give a group another name, of up to 255 bytes of UTF-8. It is sealed for the members."""
        check_name(name, "group")
        with self._user.transaction():
            return self._change(self._desk(), group, Wish(Action.RENAME, name=name))

    def renew(self, group: bytes) -> GroupChange:
        """Begin a new epoch with the same members: after somebody left, or when a device was lost."""
        with self._user.transaction():
            return self._change(self._desk(), group, Wish(Action.RENEW))

    def leave(self, group: bytes) -> GroupChange:
        """Leave. Before anything else is sealed, a member has to begin a new epoch."""
        with self._user.transaction():
            return self._change(self._desk(), group, Wish(Action.LEAVE))

    def close(self, group: bytes) -> GroupChange:
        """End a group for good."""
        with self._user.transaction():
            return self._change(self._desk(), group, Wish(Action.CLOSE))

    # --- what the server answered -----------------------------------------------------------------

    def take(self, group: bytes, entries: Iterable[bytes]) -> GroupTaken:
        """Take what a server showed of a log: entries after a known one, or all from the first.

        If a change of ours is in it, the secret that it began goes out: deliver `outgoing`. If others were
        faster, a new change is made of what remains, and is in the result. Call this without entries when
        letters were processed, for a change that waited for a secret. Entries that contradict the log on
        record freeze the group, and are kept as evidence. Raises GroupForked then; UsageError for a gap;
        MalformedMessage, UnsupportedVersion, InvalidEntry, InvalidSignature, InvalidKey for entries that are
        wrong: discard them all.
        """
        decoded = [LogEntry.decode(each) for each in entries]
        with self._user.transaction():
            at = self._desk()
            if not decoded:
                at.require(group)
            return take(at, group, decoded)

    def accepted(self, change: GroupChange) -> GroupTaken:
        """Note that the server took a change. Raises as `take` does."""
        return self.take(change.group, [change.entry])

    def pending(self) -> tuple[GroupChange, ...]:
        """Return the changes that are not in their logs, after a restart."""
        with self._user.transaction():
            return pending(self._desk())

    # --- texts ------------------------------------------------------------------------------------

    def encrypt(self, group: bytes, text: bytes) -> GroupPost:
        """Seal a text of up to 16 MiB once for all members.

        Send `outgoing` first: it brings this device's chain to who lacks it. Then give `text` to the relay.
        If the relay has a newer log, take it, and encrypt again. Raises GroupEpochDue if somebody left,
        GroupKeyMissing, GroupForked, UsageError if this user may not write, OwnDeviceRevoked,
        PlaintextTooLong.
        """
        if type(text) is not bytes:
            raise UsageError(f"a text must be bytes, not {type(text).__name__}")
        with self._user.transaction():
            return encrypt(self._desk(), group, text)

    def decrypt(self, group: bytes, text: bytes) -> GroupIncoming:
        """Take a text that the relay showed, and return what it is.

        Whatever a sender or a server can cause is in the result. Give a text that was HELD again when what
        `error` names is here. The application's own save of the text can be part of the same commit: `with
        user.transaction():` around both.
        """
        if type(text) is not bytes:
            raise UsageError(f"a text must be bytes, not {type(text).__name__}")
        with self._user.transaction():
            return decrypt(self._desk(), group, text)

    def process(self) -> GroupProcessed:
        """Take the letters about groups that `User.receive` kept, and answer those that ask for something."""
        with self._user.transaction():
            return process(self._desk())

    # --- what arrived -----------------------------------------------------------------------------

    def deliveries(self, group: bytes, epoch: int, number: int) -> tuple[GroupDelivery, ...]:
        """Return to which members a text of this device was delivered, in the order of their ids.

        `epoch` and `number` are those of the GroupPost. Asked are those who were members when it was sealed
        and are members now. What is known came from their own devices, in texts or in receipts. In a group
        of more than 64 members, whoever writes nothing tells nothing. Raises UsageError for a text that is
        older than 30 days, or of another device.
        """
        with self._user.transaction():
            return deliveries(self._desk(), group, epoch, number)

    def receipts(self) -> GroupReceipts:
        """Return letters that tell others that their texts were read, if they are due. Deliver `outgoing`.

        Call this after texts were decrypted, and when `next_receipt` says so.
        """
        findings = Findings()
        with self._user.transaction():
            give(self._desk(), findings)
        return GroupReceipts(tuple(findings.outgoing), tuple(findings.needs))

    def next_receipt(self) -> int | None:
        """Return when receipts are due again, in seconds since 1970, or None."""
        with self._user.transaction():
            at = self._desk()
            return at.deliveries.next_receipt(at.desk.now())

    # --- looking ----------------------------------------------------------------------------------

    def number(self, group: bytes) -> int:
        """Return the number of the newest entry of a log on record, 0 if there is none."""
        with self._user.transaction():
            stand = self._desk().book.stand(group)
            return 0 if stand is None else stand.number

    def all(self) -> tuple[Group, ...]:
        """Return all groups on record, in the order of their ids."""
        with self._user.transaction():
            at = self._desk()
            return tuple(_shown(at, state) for _, state in sorted(at.log.states().items()))

    def get(self, group: bytes) -> Group:
        """Return a group."""
        with self._user.transaction():
            at = self._desk()
            return _shown(at, at.log.require(group))

    def log(self, group: bytes, after: int = 0) -> tuple[bytes, ...]:
        """Return the entries on record after one of them, for a server or another member."""
        with self._user.transaction():
            at = self._desk()
            number = at.log.require(group).number
            return tuple(each.encode() for each in at.log.entries(group, after, number))

    # --- time and trouble -------------------------------------------------------------------------

    def upkeep(self) -> GroupUpkeep:
        """Do what is due: begin epochs, send what is owed, ask for what did not come, delete what is old.

        Call it after device lists were learned and logs taken, and once a day at least.
        """
        with self._user.transaction():
            return upkeep(self._desk())

    def evidence(self, group: bytes) -> bytes | None:
        """Return evidence that the log was shown in two versions, or None. Others check it."""
        with self._user.transaction():
            at = self._desk()
            at.require(group)
            return at.log.evidence(group)

    def keep(self, group: bytes) -> None:
        """Go on with the log on record, once the contradiction is explained."""
        with self._user.transaction():
            at = self._desk()
            at.log.settle_fork(at.log.require(group))
            set_forked(at, group, forked=False)

    def forget(self, group: bytes) -> None:
        """Delete a group from the store: log, secrets and chains. Leave it first, or you stay a member."""
        with self._user.transaction():
            at = self._desk()
            state = at.log.require(group)
            was_handed_out = bool(at.book.audience(group).devices)
            at.book.forget(group, state.epoch)
            if was_handed_out:
                # If others take this user in again, they keep its chains, and take no other seed in their
                # places: this mark makes the next one begin at a random place.  GRP-36 GRP-44
                at.book.save_audience(group, AudienceRecord({at.user_id: frozenset({at.sender.device})}))
            at.histories.forget(group)
            at.log.forget(state)

    def __repr__(self) -> str:
        return f"<Groups of {self._user.address}>"

    def _desk(self) -> GroupDesk:
        return group_desk(desk_behind(self._user), self._user.user_id, self._places)

    def _change(self, at: GroupDesk, group: bytes, wish: Wish) -> GroupChange:
        at.require(group)
        state = at.log.require_sound(group)
        if at.book.changes(group):
            raise UsageError("a change of this group is under way: give the server's answer to take")
        return make_change(at, Wish(wish.action, wish.asked, wish.name, state.epoch), state)


def group_desk_behind(groups: Groups) -> GroupDesk:
    """Return the desk of a user's groups, for the rooms that stand on this one."""
    return groups._desk()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _names(at: GroupDesk, members: Iterable[str], least: int = 1) -> tuple[MemberName, ...]:
    given: Sequence[str] = (members,) if isinstance(members, str | bytes) else tuple(members)
    if isinstance(members, str | bytes) or not least <= len(given) <= MAX_GROUP_MEMBERS:
        raise UsageError(f"members are {least} to {MAX_GROUP_MEMBERS} names of contacts")
    return tuple(dict.fromkeys(_member(at, each) for each in given))


def _member(at: GroupDesk, name: object) -> MemberName:
    if type(name) is not str:
        raise UsageError("a member is the name of a contact")
    if name == at.desk.name:
        return MemberName.user(at.user_id)
    return MemberName.user(at.desk.book.require_contact(name).pin.user_id)


def _role(role: object) -> Role:
    if type(role) is not GroupRole:
        raise UsageError("a role is GroupRole.READER, GroupRole.MEMBER or GroupRole.ADMIN")
    return Role(role)


def _shown(at: GroupDesk, state: LogState) -> Group:
    stand, role = at.require(state.log_id), state.role_of(at.user_id)
    return Group(
        state.log_id,
        name_of(at, state),
        state.phase,
        state.epoch,
        state.number,
        state.head,
        tuple(_shown_member(at, each) for each in sorted(state.users, key=lambda each: each.name.id)),
        None if role is None else GroupRole(role),
        may_send=may_send_now(stand),
        due=is_due(at, state),
        forked=state.forked,
        history=gives_history(state),
    )


def _shown_member(at: GroupDesk, member: Member) -> GroupMember:
    return GroupMember(member.name.id, at.name(member.name.id), GroupRole(member.role))
