"""Strays: messages that a device writes in a session after it has begun to use a newer one.

A message that was under way when its sender changed to a newer session arrives in the old one too. So one
that arrives there proves nothing. But its content has a date by the sender's clock, and an honest device
dates nothing later than its change of sessions, which came before the first such message was read here.
Messages that are dated a day later were written by somebody with a copy of the device's keys.    [USR-55]

Every function runs inside the caller's transaction. Not here: which messages these are
(_session/peer_sessions.py).
"""

from dataclasses import replace

from letterlock._wire.address import Address
from letterlock._wire.content import Content
from letterlock.limits import MAX_STRAYS, STRAY_LEAD
from letterlock.user._desk import Desk, Findings
from letterlock.user._values import EventKind


def strayed(desk: Desk, address: Address, content: Content, findings: Findings) -> None:
    """Note whether this content came in a session that its sender had left."""
    for _, session in desk.admission.strays:
        noted = desk.notes.of(address)
        if noted.session != session:
            noted = replace(noted, session=session, since=desk.now(), strays=0)
        elif content.sent <= noted.since + STRAY_LEAD or noted.reported:
            return
        else:
            noted = replace(noted, strays=noted.strays + 1)
        if noted.strays >= MAX_STRAYS:
            noted = replace(noted, reported=True)
            findings.event(EventKind.COPIED, address.name, address.device_id)
        desk.notes.save(noted)
