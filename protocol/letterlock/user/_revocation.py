"""Revocation: a device list without a device, and a document key whose seed that device does not get.

    new list        without the device, with the next generation of the document key             [USR-13]
    sessions        with the device are deleted, and what waits for it is dropped                [USR-37]
    the seed        is kept for the other devices                                                [USR-46]

All of it is one commit. Not here: who may revoke whom (_rules.py); when the other devices are told
(_announcing.py).
"""

from dataclasses import dataclass, replace

from letterlock._records.user import UserRecord
from letterlock._wire.content import ContentKind
from letterlock._wire.content_bodies import NewSeed
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import ListedDevice
from letterlock.errors import UsageError
from letterlock.user._book import device_of
from letterlock.user._chain import ListChain
from letterlock.user._control import control
from letterlock.user._desk import Desk, Findings
from letterlock.user._document_seeds import document_key_pair, new_seed
from letterlock.user._drafts import next_snapshot
from letterlock.user._own_list import require_signer, signing_key, take_change
from letterlock.user._renewal import is_marked
from letterlock.user._rules import may_revoke, rights
from letterlock.user._seed_delivery import reads_documents, with_seed
from letterlock.user._signatures import sign_snapshot
from letterlock.user._values import Need, Outgoing
from letterlock.user._waiting import own_others


@dataclass(frozen=True, slots=True)
class Revoked:
    """What `User.revoke` made.

    `device_list` goes to the directory. Give what the directory shows afterwards to `User.learn`: that result
    has what the user's other devices are told. The `outgoing` of a device that revokes itself comes first,
    because a server may take nothing from a device that is revoked.
    """

    device_list: DeviceList
    outgoing: tuple[Outgoing, ...] = ()
    needs: tuple[Need, ...] = ()


def revoke(desk: Desk, device_id: int) -> Revoked:
    """Take a device out of the user's device list. Raises UsageError."""
    own, findings = desk.book.own(), Findings()
    require_signer(desk, own)
    chain = desk.book.chain(desk.name, own.pin)
    new, fresh = signed_revocation(desk, own, chain, (device_id,))
    if fresh is not None and device_id == desk.device_id:
        leave(desk, own, fresh, findings)
        fresh = None
    after = take_change(desk, own, chain, new, findings)
    if fresh is not None:
        desk.book.save_own(replace(after, seeds=with_seed(after.seeds, fresh)))
    return Revoked(new, tuple(findings.outgoing), tuple(findings.needs))


def signed_revocation(
    desk: Desk, own: UserRecord, chain: ListChain, ids: tuple[int, ...]
) -> tuple[DeviceList, NewSeed | None]:
    """Return the version after a chain without these devices, and the seed that comes with it.

    `own` has the chain's pin. There is no seed if no device is left. Raises UsageError.
    """
    left = _others(desk, own, ids)
    seed = new_seed(desk.environment.entropy) if left else None
    key = None if seed is None else document_key_pair(seed).public.data
    draft = next_snapshot(chain.newest, chain.user_id, desk.now(), revoke=ids, document_key=key)
    new = sign_snapshot(draft, desk.device_id, signing_key(own))
    if seed is None or draft.document_key is None:
        return new, None
    return new, NewSeed(draft.document_key.generation, seed)


def leave(desk: Desk, own: UserRecord, fresh: NewSeed, findings: Findings) -> None:
    """Give the seed to each other device that has a session, while this one is listed and may send.

    They are told of the list once others may know it, and the seed waits for it. [USR-64]
    """
    for address in own_others(desk, own):
        if reads_documents(own, address.device_id) and not is_marked(desk, address):
            content = control(desk, address, ContentKind.DOCUMENT_SEED, fresh.encode())
            message = desk.seal(address, content.encode())
            if message is not None:
                findings.outgoing.append(Outgoing(address, message))


def _others(desk: Desk, own: UserRecord, ids: tuple[int, ...]) -> tuple[ListedDevice, ...]:
    """Return the devices that are left. Raises UsageError unless this device may revoke those."""
    snapshot = own.pin.snapshot
    signer, targets = device_of(own.pin, desk.device_id), [device_of(own.pin, each) for each in ids]
    if snapshot is None or signer is None or None in targets:
        raise UsageError("no device of this user has this id: look at `devices`")
    if any(each is not None and not may_revoke(signer, each) for each in targets):  # USR-11
        raise UsageError("that device was listed before this one: revoke it from itself, or an older device")
    left = tuple(each for each in snapshot.devices if each.id not in ids)
    if left and not any(rights(each).changes_list for each in left):  # USR-5
        raise UsageError("no full device would be left: revoke the devices of class limited first")
    return left
