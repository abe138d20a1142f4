"""Letters about groups that arrived: secrets, chains and requests, each judged by the log on record.

    secret     kept if the log commits to it; otherwise dropped and reported                        [GRP-5]
    chain      kept as that of the device that sent it                                             [GRP-37]
    request    answered to a device of a member                                                    [GRP-40]
    receipt    noted, if it is of a member and names this device's own texts                       [GRP-45]
    history    noted, if it is of a member of a group that gives newcomers what was before         [GRP-53]

A letter about a log or an epoch that is not on record stays where it is, and the log is asked for. A letter
of a device that is not listed is dropped, like those about epochs that are over for long.

Every function runs inside the caller's transaction. Not here: how letters are kept (user/_group_mail.py).
"""

import hmac
from enum import Enum, auto

from letterlock._groups._epoch import commitment
from letterlock._groups._receiving import Agreement
from letterlock._records.group import GroupEpochRecord, StandRecord
from letterlock._records.group_chain import AudienceRecord
from letterlock._records.group_mail import GroupLetter, GroupMailRecord
from letterlock._wire.collection_member import MemberName, Role
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import (
    GroupReceipt,
    GroupRequest,
    GroupSecret,
    HistoryLetter,
    Wanted,
    peek_group,
)
from letterlock._wire.group_text import SenderName
from letterlock._wire.sender_chain import SenderChain
from letterlock.groups._chains import keep_chain
from letterlock.groups._desk import GroupDesk
from letterlock.groups._history import role_after
from letterlock.groups._letters import ask, give_chain, secret_body, send
from letterlock.groups._log_taking import keep_secret
from letterlock.groups._receipts import count
from letterlock.groups._telling import keep as keep_history
from letterlock.groups._values import GroupEvent, GroupEventKind, GroupProcessed
from letterlock.groups._wants import Want
from letterlock.user._desk import Findings
from letterlock.user._group_mail import all_mail, save_mail


class _Fate(Enum):
    """What becomes of a letter."""

    TAKEN = auto()
    """It brought a key."""
    DONE = auto()
    """It is dropped, or answered."""
    KEPT = auto()
    """It waits for the log."""
    EARLY = auto()
    """It waits too, but for an entry that may never come: its user may not write by the log on record."""


class _Reading:
    """One look at all letters, and what it led to."""

    def __init__(self, at: GroupDesk) -> None:
        self.at = at
        self.findings = Findings()
        self.events: list[GroupEvent] = []
        self.unknown: set[bytes] = set()
        self.retry: set[bytes] = set()

    def read(self, mail: GroupMailRecord) -> None:
        """Take the letters of one device, and keep those that wait."""
        sender = SenderName(mail.user_id, mail.address.device_id)
        kept: list[GroupLetter] = []
        for letter in mail.letters:
            group, epoch = peek_group(letter.kind, letter.body.expose())
            fate = self._take(sender, group, epoch, letter)
            if fate in {_Fate.KEPT, _Fate.EARLY}:
                kept.append(letter)
            if fate is _Fate.KEPT:
                self.unknown.add(group)
            elif fate is _Fate.TAKEN:
                self.retry.add(group)
        if len(kept) != len(mail.letters):
            save_mail(self.at.desk, GroupMailRecord(mail.address, mail.user_id, tuple(kept)))

    def _take(self, sender: SenderName, group: bytes, epoch: int, letter: GroupLetter) -> _Fate:
        if sender.device not in self.at.devices(sender.user_id):
            return _Fate.DONE
        stand, body = self.at.book.stand(group), letter.body.expose()
        if letter.kind is ContentKind.GROUP_REQUEST:
            return _Fate.DONE if stand is None else self._answer(stand, sender, GroupRequest.decode(body))
        if letter.kind is ContentKind.GROUP_RECEIPT:
            return _Fate.DONE if stand is None else self._receipt(stand, sender, GroupReceipt.decode(body))
        if stand is None or epoch > stand.epoch:
            return _Fate.KEPT
        return self._given(stand, sender, letter)

    def _given(self, stand: StandRecord, sender: SenderName, letter: GroupLetter) -> _Fate:
        """Take what a letter brings of an epoch that is on record."""
        body = letter.body.expose()
        if letter.kind is ContentKind.GROUP_HISTORY:
            return self._history(stand, sender, HistoryLetter.decode(body))
        if letter.kind is ContentKind.GROUP_SECRET:
            return self._secret(sender, GroupSecret.decode(body))
        return self._chain(stand, sender, SenderChain.decode(body))

    def _secret(self, sender: SenderName, sent: GroupSecret) -> _Fate:
        """Keep the secret of an epoch, if the log commits to it. [GRP-5]"""
        record = self.at.book.epoch(sent.group_id, sent.epoch)
        if record is None or record.secret is not None:
            return _Fate.DONE
        right = hmac.compare_digest(commitment(sent.secret, sent.epoch), record.commitment)
        if not right or sent.opening != record.opening:
            kind = GroupEventKind.WRONG_SECRET
            self.events.append(GroupEvent(kind, sent.group_id, sender.user_id, sender.device))
            return _Fate.DONE
        keep_secret(self.at, sent.group_id, sent.epoch, sent.secret)
        return _Fate.TAKEN

    def _chain(self, stand: StandRecord, sender: SenderName, sent: SenderChain) -> _Fate:
        """Keep a chain of the device that sent it. [GRP-37]"""
        record = self.at.book.epoch(sent.group_id, sent.epoch)
        if record is None or record.opening != sent.opening:
            if record is not None:  # GRP-48
                kind = GroupEventKind.OTHER_LOG
                self.events.append(GroupEvent(kind, sent.group_id, sender.user_id, sender.device))
            return _Fate.DONE
        # Whether its user may write is judged for each text. This keeps strangers from filling the store.
        if not self._wrote(stand, record, sent, sender):
            return _Fate.EARLY if sent.epoch == stand.epoch else _Fate.DONE
        keep_chain(self.at, sent, sender)
        return _Fate.TAKEN

    def _wrote(
        self, stand: StandRecord, record: GroupEpochRecord, sent: SenderChain, sender: SenderName
    ) -> bool:
        """Return whether a user could write in an epoch: now, or when it began or ended. [GRP-43]"""
        group, user_id = sent.group_id, sender.user_id
        if sent.epoch == stand.epoch:
            state = self.at.log.require(group)
            return MemberName.user(user_id) in state.writers or state.has_role(user_id, Role.WRITER)
        following = self.at.book.epoch(group, sent.epoch + 1)
        ends = (record.number,) if following is None else (record.number, following.number - 1)
        roles = (role_after(self.at, stand, group, each, user_id) for each in ends)
        return any(role is not None and role >= Role.WRITER for role in roles)

    def _answer(self, stand: StandRecord, sender: SenderName, asked: GroupRequest) -> _Fate:
        """Send a member what it asks for, once an hour. [GRP-40]"""
        at, group = self.at, asked.group_id
        is_member = at.place_of(group, stand, sender.user_id) is not None
        if stand.forked or not is_member or not self._is_entitled(stand, sender, asked):
            return _Fate.DONE
        want = Want(group, asked.epoch, sender, asked.what)
        if at.wants.answered(want, at.desk.now()):
            return _Fate.DONE
        device = {sender.user_id: frozenset({sender.device})}
        record, sending = at.book.epoch(group, asked.epoch), at.book.sending(group)
        if asked.what is Wanted.SECRET and record is not None and record.secret is not None:
            body = secret_body(group, asked.epoch, record)
            send(at, device, ContentKind.GROUP_SECRET, body, self.findings)
        elif asked.what is Wanted.CHAIN and sending is not None and sending.chain.epoch.number == stand.epoch:
            give_chain(at, sending.chain, device, self.findings)
            audience = dict(at.book.audience(group).devices)
            audience[sender.user_id] = audience.get(sender.user_id, frozenset()) | device[sender.user_id]
            at.book.save_audience(group, AudienceRecord(audience))
        return _Fate.DONE

    def _receipt(self, stand: StandRecord, sender: SenderName, told: GroupReceipt) -> _Fate:
        """Note what a device has read of this one's texts. [GRP-45]"""
        if not stand.forked and count(self.at, stand, sender, told) is Agreement.DIFFERENT:
            own, said_by = self.at.sender, (sender.user_id, sender.device)
            kind, group = GroupEventKind.DISAGREES, told.group_id
            self.events.append(GroupEvent(kind, group, own.user_id, own.device, *said_by))
        return _Fate.DONE

    def _history(self, stand: StandRecord, sender: SenderName, told: HistoryLetter) -> _Fate:
        """Note a history, once the log has the entry that its giver has. [GRP-53]"""
        if told.entry > stand.number:
            return _Fate.KEPT
        giver = keep_history(self.at, stand, sender, told)
        if giver is not None:
            kind = GroupEventKind.HISTORY
            self.events.append(GroupEvent(kind, told.group_id, giver.user_id, giver.device))
        return _Fate.DONE

    def _is_entitled(self, stand: StandRecord, sender: SenderName, asked: GroupRequest) -> bool:
        """Return whether a member may have what it asks for: of epochs that are over, the secret alone.

        Its user was a member when that epoch ended, so it was to have the secret. The letter may be lost
        because the device that sent it was revoked.
        """
        if asked.epoch >= stand.epoch:
            return asked.epoch == stand.epoch
        group, following = asked.group_id, self.at.book.epoch(asked.group_id, asked.epoch + 1)
        if asked.what is not Wanted.SECRET or following is None:
            return False
        return role_after(self.at, stand, group, following.number - 1, sender.user_id) is not None


def process(at: GroupDesk) -> GroupProcessed:
    """Take the letters that arrived, and ask for what did not."""
    reading = _Reading(at)
    for mail in all_mail(at.desk):
        reading.read(mail)
    ask(at, reading.findings)
    found = reading.findings
    return GroupProcessed(
        tuple(dict.fromkeys(reading.events)),
        tuple(found.outgoing),
        tuple(found.needs),
        tuple(sorted(reading.unknown)),
        tuple(sorted(reading.retry)),
    )
