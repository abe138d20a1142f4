"""The commands of a client of a relay: register, send, receive, devices, join, link, status.

The profile remembers the relay, and keeps what could not be sent and what was not printed yet.

Not here: what a client does (client/), the directory of a profile (_profile.py).
"""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from letterlock.cli._client_parser import WAIT
from letterlock.cli._input import read_text
from letterlock.cli._output import say, sync
from letterlock.cli._profile import create_profile, discard_profile, opener_of, require_clock
from letterlock.cli._user_profile import name_of
from letterlock.cli._user_report import (
    body_json,
    body_lines,
    class_text,
    device_json,
    event_text,
    print_json,
    printable,
    report,
    time_text,
)
from letterlock.client import (
    NameTaken,
    RelayUnavailable,
    SecondLockNews,
    SyncClient,
    SyncMessage,
    TicketRefused,
)
from letterlock.errors import AccountExists, UsageError
from letterlock.stores import Store
from letterlock.user import Event, EventKind, LinkingCode, LinkingRefused, NewDevice

_FLUSH = 30.0
"""Seconds in which a text must have gone out, as long as the relay answers."""

_TOLD = frozenset({EventKind.RECOVERED, EventKind.COPIED})
"""The events that `status` tells a person, who has to ask somebody."""

_LOOK = 2.0
"""Seconds after which a relay that has not answered at all counts as gone."""


def register(arguments: Namespace) -> None:
    """Make a profile and register it. Raises UsageError, RelayUnavailable, StoreError, OSError."""
    require_clock()
    name = name_of(arguments.name)
    ticket = None if arguments.ticket is None else Path(arguments.ticket).read_bytes()
    opener, is_new = new_profile(arguments)
    try:
        client = SyncClient.create(opener, name=name, relay=arguments.relay, ticket=ticket)
    except (NameTaken, TicketRefused):
        # The relay may know an older one, whose answer was lost, or one that another command registered.
        if is_new and not _is_registered(opener):
            discard_profile(arguments.home)
        raise
    with client:
        address, user_id = client.address, client.user_id
    shown = {"name": name, "device": address.device_id, "user_id": user_id.hex(), "relay": arguments.relay}
    report(arguments, shown, [f"{name}, device {address.device_id}, at {arguments.relay}"])


def new_profile(arguments: Namespace) -> tuple[Callable[[], Store], bool]:
    """Return how to open a profile, which is made if there is none, and whether it was made."""
    is_new = False
    with suppress(AccountExists):
        create_profile(arguments.home, lambda _: None, passphrase=arguments.passphrase)
        is_new = True
    return opener_of(arguments.home), is_new


def _is_registered(opener: Callable[[], Store]) -> bool:
    """Return whether a profile holds a user whom the relay knows."""
    try:
        SyncClient.open(opener).close()
    except UsageError:
        return False
    return True


def _is_waiting_with(opener: Callable[[], Store], codes: list[LinkingCode]) -> bool:
    """Return whether the linking that a profile waits for is the one with this code."""
    store = opener()
    try:
        return NewDevice.open(store).code.text() in [each.text() for each in codes]
    except UsageError:  # it has become a device
        return False
    finally:
        store.close()


def send(arguments: Namespace) -> None:
    """Send a text. Raises UsageError, TrustError, StoreError, OSError."""
    require_clock()
    name, text = name_of(arguments.name), read_text(arguments.file)
    with opened_client(arguments) as client:
        client.send(name, text)
        sent = _all_sent(client)
    what = "sent" if sent else "kept: the relay cannot be reached, and a later command sends it"
    shown = {"name": name, "bytes": len(text), "sent": sent}
    report(arguments, shown, [f"{len(text)} bytes to {name}, {what}"])


def _all_sent(client: SyncClient) -> bool:
    """Wait until everything has gone out, and return whether it has."""
    for _ in range(int(_FLUSH / _LOOK)):
        with suppress(RelayUnavailable):
            client.flush(_LOOK)
            return True
        if not client.is_online:
            break
    return False


def receive(arguments: Namespace) -> None:
    """Print what arrived. Raises UsageError, StoreError, OSError."""
    require_clock()
    wait = None if arguments.follow else max(arguments.wait, 0.0)
    with opened_client(arguments) as client:
        for message in client.messages(wait=wait):
            _show(arguments, message, _group_name(client, message))
            sync()


def _group_name(client: SyncClient, message: SyncMessage) -> str | None:
    """Return the name of the group in which a text was sent, or None; that may be forgotten by now."""
    names = (each.name for each in client.groups.all() if each.id == message.group)
    return None if message.group is None else next(names, None)


def _show(arguments: Namespace, message: SyncMessage, name: str | None) -> None:
    if arguments.json:
        shown: dict[str, Any] = {"sender": message.sender, "device": message.device, "to": message.to}
        if message.group is not None:
            shown |= {"group": message.group.hex(), "group_name": name}
            shown |= {"user_id": None if message.user_id is None else message.user_id.hex()}
            shown |= {"late": message.is_late}
        shown |= {"id": message.id.hex(), "time": message.time, **body_json(message.body)}
        print_json(shown, indent=None)
        return
    to = "" if message.to is None else f" to {printable(message.to)}"
    if message.group is not None:
        to = f" in {printable(name or message.group.hex())}"
        to += " (late: no writer of the group any more)" if message.is_late else ""
    sender = printable(message.sender or "a member whose name is not known")
    head = f"{sender}, device {message.device}{to}, {time_text(message.time)}:"
    say("\n".join([head, *body_lines(message.body)]))


def devices(arguments: Namespace) -> None:
    """Print this user's devices. Raises UsageError, StoreError, OSError."""
    client = SyncClient.open(opener_of(arguments.home))
    try:
        found, own = client.devices(), client.address.device_id
        name = client.name
    finally:
        client.close()
    lines = [
        f"device {each.id}: {class_text(each.device_class)}{', this device' if each.id == own else ''}"
        for each in found
    ]
    report(arguments, {"name": name, "devices": [device_json(each) for each in found]}, lines)


def status(arguments: Namespace) -> None:
    """Print the state of a profile and of its relay. Raises UsageError, StoreError, OSError."""
    with opened_client(arguments) as client:
        events = list(client.events(wait=WAIT))
        state = client.state()
        online = client.is_online
    shown = {**state, "online": online, "events": [each.kind.value for each in events]}
    lines = [
        f"{state['name']}, device {state['device']}, at {state['relay']}",
        "the relay answers" if online else "the relay does not answer",
        f"{state['unsent']} to be sent, {state['unread']} not printed yet",
        *(event_text(each) for each in events if isinstance(each, Event) and each.kind in _TOLD),
        *_second_lock_lines(events),
    ]
    report(arguments, shown, lines)


def _second_lock_lines(events: Iterable[object]) -> list[str]:
    """Return a sentence for each news of a second lock."""
    from letterlock.cli._second_lock_commands import news_text  # noqa: PLC0415 (it imports this module)

    return [news_text(each) for each in events if isinstance(each, SecondLockNews)]


def join(arguments: Namespace) -> None:
    """Make this profile a new device. Raises LinkingRefused, UsageError, StoreError, OSError."""
    require_clock()
    opener, _ = new_profile(arguments)
    codes: list[LinkingCode] = []

    def show(code: LinkingCode) -> None:
        codes.append(code)
        say(code.text())

    def digits(number: str) -> None:
        say(f"the other device must show {number}")

    try:
        client = SyncClient.join(opener, relay=arguments.relay, show=show, digits=digits)
    except LinkingRefused:
        if _is_waiting_with(opener, codes):  # another command may have been faster
            discard_profile(arguments.home)
        raise
    with client:
        address = client.address
    shown = {"name": address.name, "device": address.device_id}
    report(arguments, shown, [f"device {address.device_id} of {address.name}"])


def link(arguments: Namespace) -> None:
    """Add a new device. Raises LinkingRefused, UsageError, StoreError, OSError."""
    require_clock()
    code = LinkingCode.from_text(" ".join(arguments.code))

    def compare(number: str) -> bool:
        say(f"type yes if the new device shows {number}:")
        return sys.stdin.readline().strip().lower() == "yes"

    with opened_client(arguments) as client:
        device = client.link(code, compare)
    report(arguments, {"device": device}, [f"device {device} is added"])


def opened_client(arguments: Namespace) -> SyncClient:
    """Return the client of a profile, to be entered. Raises UsageError, StoreError, OSError."""
    try:
        return SyncClient.open(opener_of(arguments.home))
    except UsageError as error:
        raise UsageError(f"{error}; `letterlock register NAME --relay URL` makes a profile") from None
