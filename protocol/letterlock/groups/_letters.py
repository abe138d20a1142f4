"""Letters about a group: who is sent what, inside sessions.

    give_secret     to devices of members, by whoever began the epoch or added them       [GRP-30] [GRP-31]
    give_chain      this device's chain, to devices that lack it                                  [GRP-34]
    ask             for what did not come                                                         [GRP-39]

Every function runs inside the caller's transaction. Not here: how they are sealed and repeated
(user/_group_delivery.py); what a letter that arrives leads to (_mail.py).
"""

from collections.abc import Iterable, Mapping

from letterlock._groups._sending import OwnChain, handed_out
from letterlock._records.group import GroupEpochRecord
from letterlock._wire.content import ContentKind
from letterlock._wire.group_bodies import GroupRequest, GroupSecret, Wanted
from letterlock.groups._desk import GroupDesk
from letterlock.groups._wants import Want
from letterlock.user._book import device_of
from letterlock.user._desk import Findings
from letterlock.user._group_delivery import Letter, deliver


def give_secret(
    at: GroupDesk, group: bytes, epoch: int, user_ids: Iterable[bytes], findings: Findings
) -> frozenset[bytes]:
    """Send the secret of an epoch to all devices of users. Return who is a stranger, and so is owed it."""
    record = at.book.epoch(group, epoch)
    if record is None or record.secret is None:
        return frozenset()
    body = secret_body(group, epoch, record)
    users = tuple(user_ids)
    send(at, {each: at.devices(each) for each in users}, ContentKind.GROUP_SECRET, body, findings)
    return frozenset(each for each in users if at.is_stranger(each))


def secret_body(group: bytes, epoch: int, record: GroupEpochRecord) -> bytes:
    """Return the body of the letter with the secret of an epoch. There is one."""
    if record.secret is None:
        raise ValueError("the secret of this epoch is not here")
    return GroupSecret(group, epoch, record.opening, record.secret).encode()


def give_chain(
    at: GroupDesk, chain: OwnChain, devices: Mapping[bytes, frozenset[int]], findings: Findings
) -> None:
    """Send this device's chain, from its next text on, to devices of users. [GRP-3]"""
    send(at, devices, ContentKind.GROUP_CHAIN, handed_out(chain).encode(), findings)


def wanted(at: GroupDesk, now: int) -> list[Want]:
    """Return what is to be asked for now, and note that it was. Secrets that came meanwhile are forgotten."""
    found = at.wants.due(now)
    here = [each for each in found if each.what is Wanted.SECRET and _has_secret(at, each)]
    for each in here:
        at.wants.settle(each)
    return [each for each in found if each not in here]


def _has_secret(at: GroupDesk, want: Want) -> bool:
    record = at.book.epoch(want.group, want.epoch)
    return record is not None and record.secret is not None


def ask(at: GroupDesk, findings: Findings) -> None:
    """Ask for what is wanted and did not come."""
    for want in wanted(at, at.desk.now()):
        body = GroupRequest(want.group, want.epoch, want.what).encode()
        device = {want.sender.user_id: frozenset({want.sender.device})}
        send(at, device, ContentKind.GROUP_REQUEST, body, findings)


def send(
    at: GroupDesk,
    devices: Mapping[bytes, frozenset[int]],
    kind: ContentKind,
    body: bytes,
    findings: Findings,
) -> None:
    """Seal one letter for devices of users, by their ids. Strangers get nothing.

    A device that was revoked sends nothing: others may still ask it, and it must not stumble over that.
    [USR-37]
    """
    if device_of(at.desk.book.own().pin, at.desk.device_id) is None:
        return
    named = ((at.name(user_id), ids) for user_id, ids in devices.items() if ids)
    letters = [Letter(name, ids, kind, body) for name, ids in named if name is not None]
    if letters:
        at.desk.run(deliver, at.desk, letters, findings)
