"""group.member: one device of a member of a group, with the log, the letters and the texts that it gets.

The play runs `letterlock.groups` over a store in memory. The device gives the user id of the play as its own,
so that the logs could be signed before it was made. For the same reason a change of its own is given to it,
as if it had made it before. It has no session, so its letters wait, and it can say for whom they are.

Not here: what is made of a change that lost; a sender's chain alone (groups.py); letters inside sessions.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from letterlock._primitives import composite, mldsa
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._records.collection_change import ChangeRecord, Wish
from letterlock._records.contact import ContactRecord
from letterlock._records.group import GroupChangeRecord
from letterlock._wire.address import Address
from letterlock._wire.content import GROUP_KINDS, Content, ContentKind
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import Snapshot
from letterlock._wire.group_bodies import EpochSecret, GroupSecret
from letterlock._wire.group_limits import GROUP_ID_BYTES, MAX_CHAIN_TEXTS
from letterlock._wire.log_entry import LogEntry
from letterlock.errors import DuplicateMessage, UsageError
from letterlock.groups import GroupEventKind
from letterlock.groups._desk import GroupDesk, Places, group_desk
from letterlock.groups._letters import wanted
from letterlock.groups._log_taking import take
from letterlock.groups._mail import process
from letterlock.groups._opening import decrypt
from letterlock.groups._sending import encrypt
from letterlock.groups._upkeep import upkeep
from letterlock.stores._memory import MemoryStore
from letterlock.user import ListChain, Outcome, User
from letterlock.user._book import pinned
from letterlock.user._group_mail import all_mail, forget_chains, keep_letter
from letterlock.user._user import desk_behind
from letterlock_vectors.inputs import Input, Operation, Output, unhex
from letterlock_vectors.operations.plays import Step, play

_OWN_NAME: Final = "reader"
_HEAD: Final = bytes(8)
_KEY: Final = bytes(mldsa.PUBLIC_BYTES)
_SIGNATURE: Final = bytes(composite.SIGNATURE_BYTES)


class MemberPlayer(Uncopyable):
    """A device of a member, its clock, and the names of others by their user ids."""

    __slots__ = ("_group", "_names", "_now", "_places", "_user", "_user_id")

    def __init__(self, given: Input) -> None:
        self._now = given.counter("now")
        self._user = User.create(MemoryStore(), _OWN_NAME, clock=lambda: self._now)
        self._user_id = given.sized("user_id", KEY_BYTES)
        self._group = given.sized("group_id", GROUP_ID_BYTES)
        self._places = Places()
        self._names: dict[bytes, str] = {}

    def steps(self) -> Mapping[str, Step]:
        """Return the steps of the play, each of which is one transaction."""
        table: Mapping[str, Callable[[GroupDesk, Input], Output]] = {
            "learn": self.learn, "take": self.take, "letter": self.letter, "send": self.send,
            "wait": self.wait, "restore": self.restore, "change": self.change, "secrets": self.secrets,
        }  # fmt: skip
        return {
            "text": self.text,
            **{name: partial(self._inside, act) for name, act in table.items()},
        }

    def _inside(self, act: Callable[[GroupDesk, Input], Output], step: Input) -> Output:
        with self._user.transaction():
            return act(self._desk(), step)

    def _desk(self) -> GroupDesk:
        return group_desk(desk_behind(self._user), self._user_id, self._places)

    def learn(self, at: GroupDesk, step: Input) -> Output:
        """Take the snapshots of somebody, all from version 1. They count as verified."""
        snapshots = [Snapshot.decode(unhex(each, "lists")) for each in step.items("lists")]
        chain = ListChain(tuple(DeviceList(each, (), 1, _KEY, _SIGNATURE) for each in snapshots))
        name = self._names.setdefault(chain.lists[0].hash, f"member {len(self._names)}")
        at.desk.book.save_lists(name, chain.lists)
        at.desk.book.save_contact(ContactRecord(name, pinned(chain, self._now)))
        return {}

    def take(self, at: GroupDesk, step: Input) -> Output:
        """Take entries of the log, and then the letters that waited for them."""
        entries = [LogEntry.decode(unhex(each, "entries")) for each in step.items("entries")]
        take(at, self._group, entries)
        process(at)
        stand = at.require(self._group)
        return {
            "number": stand.number, "epoch": stand.epoch, "phase": stand.phase.value,
            "may_send": stand.may_send, "waiting": self._waiting(at),
        }  # fmt: skip

    def letter(self, at: GroupDesk, step: Input) -> Output:
        """Take a letter of a device, as its session gave it."""
        kind, user_id = step.counter("kind"), step.sized("user_id", KEY_BYTES)
        if kind not in GROUP_KINDS or user_id not in self._names:
            raise UsageError("a letter about groups, of somebody whose lists were learned")
        address = Address(self._names[user_id], step.counter("device_id", 1))
        content = Content(kind, bytes(16), self._now, _HEAD, _HEAD, step.hex("body"))
        keep_letter(at.desk, address, content)
        done = process(at)
        wrong = any(each.kind is GroupEventKind.WRONG_SECRET for each in done.events)
        answered = bool(done.outgoing or done.needs)
        return {"waiting": self._waiting(at), "wrong_secret": wrong, "answered": answered}

    def text(self, step: Input) -> Output:
        """Take a text that a relay shows. What is noted of one that is held stays."""
        with self._user.transaction():
            incoming = decrypt(self._desk(), self._group, step.hex("text"))
        if incoming.outcome is Outcome.REPEATED:
            raise DuplicateMessage
        if incoming.error is not None:
            raise incoming.error
        return {"text": (incoming.text or b"").hex(), "late": incoming.late}

    def send(self, at: GroupDesk, _: Input) -> Output:
        """Seal a text, and say under which number, and which devices have the chain then."""
        post = encrypt(at, self._group, b"a text of the reader")
        audience = at.book.audience(self._group).devices
        devices = [[each.hex(), sorted(ids)] for each, ids in sorted(audience.items())]
        # The place of a chain is random where nobody knows which were used.  GRP-36
        place = {"under_seed": post.number % MAX_CHAIN_TEXTS, "carried_on": post.number < MAX_CHAIN_TEXTS}
        return {"entry": post.entry, **place, "devices": devices}

    def wait(self, at: GroupDesk, step: Input) -> Output:
        """Let time pass, and do what is due. Say what is asked for, and of whom."""
        self._now += step.counter("seconds")
        now = at.desk.now()
        asked = [
            [each.sender.user_id.hex(), each.sender.device, each.epoch, int(each.what)]
            for each in wanted(at, now)
        ]
        upkeep(at)
        return {"asked": sorted(asked)}

    def restore(self, at: GroupDesk, _: Input) -> Output:
        """Let the store go back, as far as this device's chain is concerned."""
        forget_chains(at.desk)
        return {}

    def change(self, at: GroupDesk, step: Input) -> Output:
        """Keep a change of this device that is not in the log yet, and the secret of the epoch it begins."""
        entry = LogEntry.decode(step.hex("entry"))
        terms = entry.terms
        begins = None if step.is_null("secret") else EpochSecret(step.sized("secret", KEY_BYTES))
        wish = Wish(terms.action, epoch=terms.epoch - (begins is not None))
        record = GroupChangeRecord(ChangeRecord(wish, step.hex("entry")), begins)
        at.book.save_change(self._group, terms.number, record)
        return {}

    def secrets(self, at: GroupDesk, _: Input) -> Output:
        """Say which devices are sent secrets of which epochs, and which members are owed that of now."""
        given: set[tuple[str, int, int]] = set()
        for _row, sent in at.desk.outbox.holding(self._group):
            if sent.content.kind is ContentKind.GROUP_SECRET:
                body = GroupSecret.decode(sent.content.body)
                user_id = at.desk.book.require_contact(sent.name).pin.user_id.hex()
                given |= {(user_id, each.device.device_id, body.epoch) for each in sent.places}
        state = at.log.require(self._group)
        record = at.book.epoch(self._group, state.epoch)
        owed = frozenset[bytes]() if record is None else record.owed
        members = {each.name.id for each in state.users}
        return {
            "given": [list(each) for each in sorted(given)],
            "owed": sorted(each.hex() for each in owed & members),
        }

    @staticmethod
    def _waiting(at: GroupDesk) -> int:
        return sum(len(each.letters) for each in all_mail(at.desk))


def _play(given: Input) -> Output:
    return play(given.nested_list("steps"), MemberPlayer(given).steps())


OPERATIONS: Final[Mapping[str, Operation]] = {"group.member": _play}
