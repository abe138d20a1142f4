"""Announcing: a device list that this device signed is kept to itself until others may know it.     [USR-64]

    signed                          counts on this device at once; only the directory is given it
    the directory shows it, or      the other devices of this user are told, and get the document seed;
    somebody names its head         contents carry its head from now on. Later versions stay kept back
    withheld for an hour            the same, without the directory, for all versions

The hour begins when the directory answers without the version, or when any content arrives meanwhile.

So a version that another device overtook at the directory was seen by nobody, and can be withdrawn.

Every function runs inside the caller's transaction. Not here: signing (_revocation.py, _link.py); versions
that were overtaken (_withdrawal.py).
"""

from dataclasses import replace

from letterlock._records.user import UserRecord
from letterlock._wire.address import Address
from letterlock._wire.content import ContentKind
from letterlock._wire.content_bodies import ListNotice, NewSeed
from letterlock.errors import NoSession
from letterlock.limits import LISTS_PATIENCE
from letterlock.user._book import device_of
from letterlock.user._control import control
from letterlock.user._desk import Desk, Findings
from letterlock.user._renewal import is_marked
from letterlock.user._seed_delivery import generation_of, send_seed
from letterlock.user._values import Outgoing
from letterlock.user._waiting import own_others


def announce(desk: Desk, own: UserRecord, version: int, findings: Findings) -> None:
    """Tell the other devices of this user of the versions up to this one that they could not know yet."""
    leaves = device_of(own.pin, desk.device_id) is None
    version = own.pin.version if leaves else version  # nothing can be told later
    if own.shown >= version:
        desk.book.save_own(own)
        return
    is_last = version == own.pin.version
    after = replace(own, shown=version, withheld=0 if is_last else own.withheld)
    desk.book.save_own(after)
    if leaves:
        _leave(desk, own, findings)
        return
    for address in own_others(desk, after):
        send_notice(desk, after, address, own.shown, findings)
    lists = desk.book.lists(desk.name, own.pin, own.shown - 1)[: version - own.shown + 1]
    known, announced = generation_of(lists[0].snapshot), generation_of(lists[-1].snapshot)
    for generation, seed in own.seeds:
        if known < generation <= announced:
            send_seed(desk, after, NewSeed(generation, seed), findings)


def await_directory(desk: Desk, own: UserRecord, findings: Findings) -> None:
    """Ask whether the directory took what this device signed; announce it if the directory withholds it."""
    if own.shown == own.pin.version:
        return
    if own.withheld and desk.now() - own.withheld >= LISTS_PATIENCE:
        announce(desk, own, own.pin.version, findings)
    else:
        findings.need_lists(desk.name, own.shown)


def begin_hour(desk: Desk, own: UserRecord) -> UserRecord:
    """Return our record with the time since when the directory had its chance, and save that. [USR-64]

    A content that arrives shows that we are not merely offline.
    """
    if own.shown == own.pin.version or own.withheld:
        return own
    after = replace(own, withheld=desk.now())
    desk.book.save_own(after)
    return after


def send_notice(desk: Desk, own: UserRecord, address: Address, known: int, findings: Findings) -> None:
    """Send a device the versions of our list after the one it knows, once a version. [USR-34]"""
    if is_marked(desk, address) or desk.notes.noticed(address) >= own.shown:
        return
    lists = desk.book.lists(desk.name, own.pin, known)[: own.shown - known]
    content = control(desk, address, ContentKind.LIST_NOTICE, ListNotice.of_first(lists).encode())
    message = desk.seal(address, content.encode())
    if message is not None:
        desk.notes.note_notice(address, own.shown)
        findings.outgoing.append(Outgoing(address, message))


def _leave(desk: Desk, own: UserRecord, findings: Findings) -> None:
    """Tell the other devices that this one revoked itself: its last messages.

    If another device revoked it, it sends nothing more. [USR-37]
    """
    lists = desk.book.lists(desk.name, own.pin, own.shown)
    last = next(each for each in lists if each.snapshot.device(desk.device_id) is None)
    if last.signer != desk.device_id:
        return
    body = ListNotice.of_first(lists).encode()
    for address in own_others(desk, own):
        if is_marked(desk, address):
            continue
        content = control(desk, address, ContentKind.LIST_NOTICE, body)
        try:
            message = desk.account.encrypt(address, content.encode())
        except NoSession:  # or one that ended
            continue
        findings.outgoing.append(Outgoing(address, message))
