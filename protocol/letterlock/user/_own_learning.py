"""Learning what is shown under our own name, by the directory or by another device of ours.

    SAME          the directory took what this device signed, if it shows that           announced   [USR-64]
                  it shows less, while something of ours is still kept back    that is withheld [USR-64]
    NEWER         the versions are saved; sessions with devices that are no longer listed are deleted
    FORK          before what is kept back: another device was faster                    withdrawn   [USR-65]
                  in a notice of another device, which the directory may not have taken  it is asked
    all others    somebody has a key of ours, or the directory lies                      an event    [USR-16]

Every function runs inside the caller's transaction. Not here: lists of contacts (_learning.py).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from letterlock._wire.device_list import DeviceList
from letterlock.errors import PeerError, TrustError
from letterlock.user._announcing import announce
from letterlock.user._contact import ContactEvent, Learned
from letterlock.user._desk import Desk, Findings
from letterlock.user._evidence import Evidence
from letterlock.user._learning import IN_NOTICES, compared, learn_of_contact, still_awaited
from letterlock.user._own_list import take_own
from letterlock.user._values import EventKind
from letterlock.user._withdrawal import withdraw

_SHORT: Final = frozenset({ContactEvent.SAME, ContactEvent.OLDER})


def learn(
    desk: Desk, name: str, lists: Sequence[DeviceList], findings: Findings
) -> tuple[ContactEvent | None, Evidence | None]:
    """Take what the directory shows under a name, ours or that of a contact. Raises as these do."""
    if name == desk.name:
        return learn_own(desk, lists, findings)
    return learn_of_contact(desk, name, lists, findings)


def learn_own(
    desk: Desk, lists: Sequence[DeviceList], findings: Findings
) -> tuple[ContactEvent, Evidence | None]:
    """Take what the directory shows under our own name. Return the event, and evidence if there is some.

    Raises InvalidDeviceList, InvalidSignature, InvalidKey.
    """
    own = desk.book.own()
    learned = compared(desk, desk.name, own.pin, lists)
    event = learned.event
    if event in _SHORT and not _shows_all(learned, lists) and _is_kept_back(desk, learned):
        pin, withheld = replace(own.pin, checked=desk.now()), own.withheld or desk.now()
        awaited = still_awaited(desk.name, pin, own.awaited, findings)
        own = replace(own, pin=pin, awaited=awaited, withheld=withheld)
        announce(desk, own, lists[-1].snapshot.version if lists else own.shown, findings)
        return ContactEvent.SAME, None
    return _take(desk, learned, desk.now(), findings)


def notice_own(desk: Desk, lists: Sequence[DeviceList], findings: Findings) -> None:
    """Take what another device of this user says about our lists. [USR-35]"""
    own = desk.book.own()
    try:
        learned = compared(desk, desk.name, own.pin, lists)
    except (PeerError, TrustError):
        return
    if learned.event is ContactEvent.FORK and _is_kept_back(desk, learned):
        # The directory may have taken ours. Only what it shows decides. USR-65
        findings.need_lists(desk.name, own.shown)
    elif learned.event in IN_NOTICES:
        _take(desk, learned, own.pin.checked, findings)


def _take(
    desk: Desk, learned: Learned, checked: int, findings: Findings
) -> tuple[ContactEvent, Evidence | None]:
    own, event, evidence = desk.book.own(), learned.event, learned.contact.evidence
    if event in {ContactEvent.SAME, ContactEvent.NEWER}:
        after = take_own(desk, own, learned.contact.chain, checked, findings)
        if own.shown < own.pin.version:
            announce(desk, after, after.pin.version, findings)
        else:
            desk.book.save_own(replace(after, shown=after.pin.version))
    elif event is ContactEvent.FORK and evidence is not None and _is_kept_back(desk, learned):
        withdraw(desk, own, evidence, checked, findings)
        return ContactEvent.NEWER, None
    else:
        findings.event(EventKind.CONFLICT, desk.name)
    return event, evidence


def _shows_all(learned: Learned, lists: Sequence[DeviceList]) -> bool:
    """Return whether the newest version on record is among the lists: an empty answer shows nothing."""
    return learned.event is ContactEvent.SAME and bool(lists)


def _is_kept_back(desk: Desk, learned: Learned) -> bool:
    """Return whether the lists end, or part from ours, where only versions follow that nobody has seen."""
    own, evidence = desk.book.own(), learned.contact.evidence
    if own.shown == own.pin.version:
        return False
    return evidence is None or evidence.ours.shared_with(evidence.theirs.lists) >= own.shown
