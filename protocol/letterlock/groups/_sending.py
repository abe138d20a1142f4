"""Sending a text: sealed once, with a chain that every device of the members has.

    ready      nothing changed since the chain was handed out: log, device lists, age           one text
    prepare    the chain goes on, or begins anew; who lacks it gets it; who lost it is out

What is compared is small, so a text costs the same whatever number of members there is.         [GRP-34]

Every function runs inside the caller's transaction. Not here: chains themselves (_groups/_sending.py).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from letterlock._groups._epoch import EpochName
from letterlock._groups._sending import OwnChain, begin, continued, is_worn, seal_text
from letterlock._records.collection import CollectionPhase
from letterlock._records.group import GroupEpochRecord, StandRecord
from letterlock._records.group_chain import AudienceRecord, SendingRecord
from letterlock._records.group_delivery import SaidRecord
from letterlock._records.user import UserRecord
from letterlock._wire.group_limits import MAX_CHAIN_TEXTS
from letterlock.errors import UsageError
from letterlock.groups._desk import GroupDesk
from letterlock.groups._errors import GroupEpochDue, GroupForked, GroupKeyMissing
from letterlock.groups._letters import give_chain
from letterlock.groups._values import GroupPost
from letterlock.user._desk import Findings
from letterlock.user._fanout import require_listed

_NOBODY: Final = frozenset[int]()
_CHAINS_OF_AN_EPOCH: Final = 2**19
"""Numbers of chains, one of which a device takes that does not know which it used."""


def encrypt(at: GroupDesk, group: bytes, text: bytes) -> GroupPost:
    """Seal a text for the members. Raises as `Groups.encrypt`."""
    stand, own, findings = at.require(group), at.desk.book.own(), Findings()
    require_may_send(stand)
    require_listed(at.desk, own)
    sending, strangers = at.book.sending(group), frozenset[bytes]()
    if sending is None or not _is_ready(at, sending, stand, own):
        sending, strangers = prepare(at, group, stand, own, findings)
    entropy = at.desk.environment.entropy
    sealed = seal_text(sending.chain, stand.number, stand.head, stand.heard, text, entropy)
    at.book.save_sending(replace(sending, chain=sealed.chain))
    number, said = sending.chain.number, SaidRecord(stand.number, sealed.chain.head)
    at.deliveries.save_said(group, stand.epoch, number, said, at.desk.now())
    if stand.heard and not stand.told:
        at.book.save_stand(group, replace(stand, told=True))
    found = (tuple(findings.outgoing), tuple(findings.needs), tuple(sorted(strangers)))
    return GroupPost(group, sealed.text, stand.number, stand.epoch, number, *found)


def require_may_send(stand: StandRecord) -> None:
    """Raise GroupForked, GroupEpochDue or UsageError unless this user may send now. [GRP-33]"""
    if stand.forked:
        raise GroupForked
    if not stand.may_send:
        raise UsageError("this user may not write in the group: ask an admin for another role")
    if stand.phase is CollectionPhase.SPENT:
        raise GroupEpochDue
    if stand.phase is CollectionPhase.CLOSED:
        raise UsageError("the group is closed: write in another one")


def prepare(
    at: GroupDesk, group: bytes, stand: StandRecord, own: UserRecord, findings: Findings
) -> tuple[SendingRecord, frozenset[bytes]]:
    """Hand this device's chain to who lacks it, and return it with who is a stranger.

    Raises GroupKeyMissing.
    """
    epoch, stamp = at.book.epoch(group, stand.epoch), at.desk.book.lists_stamp()
    if epoch is None or epoch.secret is None:
        raise GroupKeyMissing
    members = at.places(group, stand)
    devices = {each: at.devices(each) for each in members}
    audience: Mapping[bytes, frozenset[int]] = at.book.audience(group).devices
    chain = _current(at, group, stand)
    if chain is None or is_worn(chain, at.desk.now()) or _lost(audience, devices):  # GRP-4 GRP-35
        chain, audience = _begun(at, group, stand, epoch, chain), dict[bytes, frozenset[int]]()
    lacking = {each: devices[each] - audience.get(each, _NOBODY) for each in members}
    give_chain(at, chain, lacking, findings)
    at.book.save_audience(group, AudienceRecord({each: ids for each, ids in devices.items() if ids}))
    sending = SendingRecord(stand.number, stand.head, stamp, own.pin.hash, chain)
    at.book.save_sending(sending)
    return sending, frozenset(each for each in members if not devices[each] and at.is_stranger(each))


def _is_ready(at: GroupDesk, sending: SendingRecord, stand: StandRecord, own: UserRecord) -> bool:
    """Return whether log, device lists and age are those for which the chain was handed out. [GRP-34]"""
    same_log = sending.number == stand.number and sending.head == stand.head
    same_lists = sending.own_lists == own.pin.hash and sending.stamp == at.desk.book.lists_stamp()
    return same_log and same_lists and not is_worn(sending.chain, at.desk.now())


def _lost(audience: Mapping[bytes, frozenset[int]], devices: Mapping[bytes, frozenset[int]]) -> bool:
    """Return whether a device has the chain that may not have it, although its user is a member. [GRP-35]

    A user who is no member lacks the secret of this epoch.
    """
    return any(ids - devices[user_id] for user_id, ids in audience.items() if user_id in devices)


def _current(at: GroupDesk, group: bytes, stand: StandRecord) -> OwnChain | None:
    """Return this device's chain in the newest epoch, if its seed serves in it and no secret is missing."""
    sending = at.book.sending(group)
    chain = None if sending is None else sending.chain
    while chain is not None and chain.epoch.number < stand.epoch:
        number = chain.epoch.number + 1
        epoch = at.book.epoch(group, number)
        if epoch is None or epoch.secret is None:
            return None
        chain = continued(chain, EpochName(group, number, epoch.opening), epoch.secret)
    return chain


def _begun(
    at: GroupDesk, group: bytes, stand: StandRecord, epoch: GroupEpochRecord, earlier: OwnChain | None
) -> OwnChain:
    """Return a chain with a new seed. [GRP-4]"""
    if epoch.secret is None:
        raise GroupKeyMissing
    entropy, name = at.desk.environment.entropy, EpochName(group, stand.epoch, epoch.opening)
    chain = begin(name, at.sender, epoch.secret, at.desk.now(), entropy, earlier)
    if earlier is None and at.book.audience(group).devices:
        # The chain before is gone, and nobody knows how far it went: a restored store.  GRP-36
        place = 1 + int.from_bytes(entropy(4), "big") % _CHAINS_OF_AN_EPOCH
        return replace(chain, number=place * MAX_CHAIN_TEXTS)
    return chain
