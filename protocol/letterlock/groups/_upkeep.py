"""What is due for groups: epochs that must end or be deleted, and secrets that are owed.

    owed        to members who were strangers when they should have got it                        [GRP-31]
    our own     this user's other devices get the secrets and histories that they have not been given
    epochs      where somebody left, or a device of a member was revoked, a new one begins          [GRP-51]
    deleted     epochs that are over for 30 days, or for a day if five later ones followed        [GRP-41]

Every function runs inside the caller's transaction. Not here: who begins an epoch (_renewing.py); making
entries (_changes.py).
"""

from dataclasses import replace

from letterlock._records.collection import CollectionPhase, LogState
from letterlock._records.collection_change import Wish
from letterlock._records.group import GroupEpochRecord
from letterlock._records.group_chain import ChainRecord
from letterlock._wire.content import ContentKind
from letterlock._wire.group_limits import KEPT_EPOCHS
from letterlock._wire.group_text import SenderName
from letterlock._wire.log_entry import Action, LogEntry
from letterlock.errors import UsageError
from letterlock.groups._chains import carried_on
from letterlock.groups._changes import make_change, shown
from letterlock.groups._desk import GroupDesk
from letterlock.groups._letters import ask, give_secret, secret_body, send
from letterlock.groups._receipts import give
from letterlock.groups._renewing import is_due, turn
from letterlock.groups._telling import pass_on
from letterlock.groups._values import GroupChange, GroupUpkeep
from letterlock.limits import DAY, KEPT_LIFETIME
from letterlock.user._desk import Findings


def upkeep(at: GroupDesk) -> GroupUpkeep:
    """Do what is due for every group on record."""
    findings, strangers = Findings(), set[bytes]()
    changes: list[GroupChange] = []
    waiting: list[bytes] = []
    later: list[int] = []
    now = at.desk.now()
    at.book.expire(now)
    ask(at, findings)
    give(at, findings)
    _delete_epochs(at, now)
    for group, state in sorted(at.log.states().items()):
        if state.forked or state.role_of(at.user_id) is None:
            continue
        strangers |= _give_owed(at, state, findings)
        _give_own(at, state, findings)
        pass_on(at, state, findings)
        if state.phase is not CollectionPhase.CLOSED and is_due(at, state):
            since = turn(at, state)
            change = _renewed(at, state) if since is not None and since <= now else None
            if since is not None and since > now:
                later.append(since)
            if change is None:
                waiting.append(group)
            else:
                changes.append(change)
    found = (tuple(findings.outgoing), tuple(findings.needs), tuple(sorted(strangers)))
    return GroupUpkeep(tuple(changes), *found, tuple(waiting), min(later, default=None))


def pending(at: GroupDesk) -> tuple[GroupChange, ...]:
    """Return the changes that are not in their logs."""
    made = (each.change.entry for _, _, each in at.book.changes())
    return tuple(shown(LogEntry.decode(each)) for each in made if each)


def _renewed(at: GroupDesk, state: LogState) -> GroupChange | None:
    """Return the change that begins an epoch, or None if one is under way, or it cannot be made."""
    if at.book.changes(state.log_id):
        return None
    try:
        return make_change(at, Wish(Action.RENEW, epoch=state.epoch), state)
    except UsageError:  # a device that signs nothing, or an entry that is left to admins
        return None


def _give_owed(at: GroupDesk, state: LogState, findings: Findings) -> frozenset[bytes]:
    """Send the secret to members who are owed it and no strangers any more; return who still is one."""
    group, epoch = state.log_id, state.epoch
    record = at.book.epoch(group, epoch)
    if record is None or record.secret is None or not record.owed:
        return frozenset()
    members = {each.name.id for each in state.users}
    owed = give_secret(at, group, epoch, sorted(record.owed & members), findings)
    if owed != record.owed:
        at.book.save_epoch(group, epoch, replace(record, owed=owed))
    return owed


def _give_own(at: GroupDesk, state: LogState, findings: Findings) -> None:
    """Send the secret to other devices of this user that came since, and that nobody else knows of yet."""
    record, devices = at.book.epoch(state.log_id, state.epoch), at.devices(at.user_id)
    if record is None or record.secret is None or devices <= record.given:
        return
    body = secret_body(state.log_id, state.epoch, record)
    send(at, {at.user_id: devices - record.given}, ContentKind.GROUP_SECRET, body, findings)
    at.book.save_epoch(state.log_id, state.epoch, replace(record, given=devices))


def _delete_epochs(at: GroupDesk, now: int) -> None:
    """Delete what is over for long; chains go on into the next epoch first. [GRP-41]

    Where a secret is missing no chain goes on, so what is before it waits for it.
    """
    old: dict[bytes, set[int]] = {}
    found = list(at.book.epochs())
    lacking = {group: epoch for group, epoch, record in sorted(found, key=_order) if record.secret is None}
    for group, epoch, record in found:
        stand = at.book.stand(group)
        if stand is None or record.ended is None:
            continue
        is_far = lacking.get(group, 0) < epoch < stand.epoch - KEPT_EPOCHS
        if now - record.ended >= (DAY if is_far else KEPT_LIFETIME):
            old.setdefault(group, set()).add(epoch)
    for group, epochs in old.items():
        last = max(epochs)
        for sender, epoch, number in at.book.all_newest(group):
            if epoch <= last:
                _carry_over(at, group, sender, (epoch, number), last + 1)
        at.book.delete_epochs(group, frozenset(epochs))


def _order(found: tuple[bytes, int, GroupEpochRecord]) -> tuple[bytes, int]:
    return found[:2]


def _carry_over(at: GroupDesk, group: bytes, sender: SenderName, place: tuple[int, int], epoch: int) -> None:
    """Save the chain of a sender in a later epoch, or forget it."""
    record = at.book.chain(group, place[0], sender, place[1])
    chain = None if record is None else carried_on(at, record.chain, epoch)
    if chain is None:
        return
    at.book.save_chain(ChainRecord(chain), chain.number)
    at.book.note_chain(group, sender, epoch, chain.number)
