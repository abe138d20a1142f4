"""Revocation: a device list without a device, and a document key whose seed that device does not get.

    new list        without the device, with the next generation of the document key             [USR-13]
    sessions        with the device are deleted, and what waits for it is dropped                [USR-37]
    other devices   get the list in a notice, and the new seed if they may read documents        [USR-46]

All of it is one commit. Not here: who may revoke whom (_rules.py).
"""

from dataclasses import dataclass, replace

from letterlock._records.user import UserRecord
from letterlock._wire.content import ContentKind
from letterlock._wire.content_bodies import ListNotice, NewSeed
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import ListedDevice
from letterlock.errors import UsageError
from letterlock.user._book import device_of
from letterlock.user._control import control
from letterlock.user._desk import Desk, Findings
from letterlock.user._document_seeds import document_key_pair, new_seed
from letterlock.user._drafts import next_snapshot
from letterlock.user._own_list import require_signer, signing_key, take_change, tell_others
from letterlock.user._rules import may_revoke, rights
from letterlock.user._seed_delivery import reads_documents, send_seed, with_seed
from letterlock.user._signatures import sign_snapshot
from letterlock.user._values import Need, Outgoing
from letterlock.user._waiting import own_others


@dataclass(frozen=True, slots=True)
class Revoked:
    """What `User.revoke` made.

    `device_list` goes to the directory and `outgoing` to the user's other devices. `needs` names the bundles
    of those that have no session yet: they get the new document seed from `User.begin`.
    """

    device_list: DeviceList
    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()


def revoke(desk: Desk, device_id: int) -> Revoked:
    """Take a device out of the user's device list. Raises UsageError."""
    own, findings = desk.book.own(), Findings()
    require_signer(desk, own)
    left = _others(desk, own, device_id)
    chain = desk.book.chain(desk.name, own.pin)
    seed = new_seed(desk.environment.entropy) if left else None
    key = None if seed is None else document_key_pair(seed).public.data
    draft = next_snapshot(chain.newest, chain.user_id, desk.now(), revoke=(device_id,), document_key=key)
    new = sign_snapshot(draft, desk.device_id, signing_key(own))
    fresh = (
        None if seed is None or draft.document_key is None else NewSeed(draft.document_key.generation, seed)
    )
    if device_id == desk.device_id:
        _leave(desk, own, new, fresh, findings)
        take_change(desk, own, chain, new, findings)
    else:
        after = take_change(desk, own, chain, new, findings)
        tell_others(desk, own, after, findings)
        if fresh is not None:
            after = replace(after, seeds=with_seed(after.seeds, fresh))
            desk.book.save_own(after)
            send_seed(desk, after, fresh, findings)
    return Revoked(new, tuple(findings.outgoing), tuple(findings.needs))


def _leave(desk: Desk, own: UserRecord, new: DeviceList, fresh: NewSeed | None, findings: Findings) -> None:
    """Tell each other device that has a session, while this one is still listed and may send.

    The seed is sent first, because nobody takes anything from this device once they know.
    """
    for address in own_others(desk, own):
        bodies = [(ContentKind.LIST_NOTICE, ListNotice((new,)).encode())]
        if fresh is not None and reads_documents(own, address.device_id):
            bodies.insert(0, (ContentKind.DOCUMENT_SEED, fresh.encode()))
        for kind, body in bodies:
            message = desk.seal(address, control(desk, address, kind, body).encode())
            if message is not None:
                findings.outgoing.append(Outgoing(address, message))


def _others(desk: Desk, own: UserRecord, device_id: int) -> tuple[ListedDevice, ...]:
    """Return the devices that are left. Raises UsageError unless this device may revoke that one."""
    snapshot = own.pin.snapshot
    signer, target = device_of(own.pin, desk.device_id), device_of(own.pin, device_id)
    if snapshot is None or signer is None or target is None:
        raise UsageError("no device of this user has this id: look at `devices`")
    if not may_revoke(signer, target):  # USR-11
        raise UsageError("that device was listed before this one: revoke it from itself, or an older device")
    left = tuple(each for each in snapshot.devices if each.id != device_id)
    if left and not any(rights(each).changes_list for each in left):  # USR-5
        raise UsageError("no full device would be left: revoke the devices of class limited first")
    return left
