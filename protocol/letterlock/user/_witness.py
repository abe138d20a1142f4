"""Witness: somebody who remembers how far this device's store has come, and so notices that it went back.

A store that was restored from a copy repeats keys, takes first messages for new that it has read before, and
knows less of others than they know of it. Its own bytes do not show that. So the store counts, and a witness
that the copy does not contain, such as a server, remembers the greatest number.                  [USR-59]

    the witness has seen a smaller number      nothing happened
    it has seen this number, or a greater one  RESTORED: all prekeys are deleted, and every session is to be
                                               replaced before anything is sent again

A witness that lies causes new sessions and nothing else, as a server does that loses messages.

Not here: how the number travels.
"""

from dataclasses import replace
from typing import Protocol

from letterlock._records.entry import MAX_TIME
from letterlock._wire.address import Address
from letterlock.errors import UsageError
from letterlock.user._desk import Desk, Findings
from letterlock.user._group_mail import forget_chains
from letterlock.user._renewal import mark
from letterlock.user._values import EventKind, Upkeep


class Witness(Protocol):
    """Remembers a number for one device, outside of the device's store and of every copy of it."""

    def advance(self, counter: int) -> int:
        """Return the greatest number that was seen before this call, 0 at first, and remember `counter`."""
        ...


def count(desk: Desk) -> int:
    """Return the next number of this store, which is saved. It is shown once the save is committed."""
    own = desk.book.own()
    if own.counter >= MAX_TIME:
        raise UsageError("the counter of this store is used up: link the device again as a new one")
    desk.book.save_own(replace(own, counter=own.counter + 1))
    return own.counter + 1


def compare(desk: Desk, shown: int, highest: int) -> Upkeep:
    """Return what is to be done after a witness was shown a number and had seen `highest` before."""
    if type(highest) is not int or not 0 <= highest < MAX_TIME:
        raise UsageError("a witness returns the greatest number that it has seen, as an int")
    findings, own = Findings(), desk.book.own()
    # Another process with this store may have shown a greater number meanwhile.
    went_back = highest >= own.counter if own.counter == shown else highest > own.counter
    if went_back:
        desk.book.save_own(replace(own, counter=highest, restored=True))
        desk.device.discard_prekeys()
        forget_chains(desk)
        mark(desk, [each.address for each in desk.account.peers()], discard=True)
        findings.event(EventKind.RESTORED, desk.name, desk.device_id)
        restored_needs(desk, findings)
    publish = desk.account.due(desk.now()).publication
    return Upkeep(publish, needs=tuple(findings.needs), events=tuple(findings.events))


def restored_needs(desk: Desk, findings: Findings) -> None:
    """Ask for the bundles that a restored store still needs; it is like any other when it has them all."""
    own = desk.book.own()
    if not own.restored:
        return
    marked = [Address(desk.name, id_) for id_ in own.discard]
    for contact in desk.book.contacts():
        marked += [Address(contact.name, id_) for id_ in contact.discard]
    for address in marked:
        findings.need_bundle(address.name, address.device_id)
    if not marked:
        desk.book.save_own(replace(own, restored=False))
