"""What a user's commands print: sentences for a person, or JSON for a program.

A text of somebody else is shown with its control characters replaced and each line indented, so that it
cannot move the cursor or look like a line of this program. JSON has it exactly.

Not here: what happened (_exchange.py, _user_messages.py).
"""

import base64
import json
import shlex
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from letterlock.cli._exchange import Exchange
from letterlock.cli._output import say
from letterlock.user import DeviceClass, Event, EventKind, ListedDevice, Need, NeedKind

_EVENTS: Final = {
    EventKind.NEW_CONTACT: "{name} is a new contact: compare safety numbers, `letterlock user verify {name}`",
    EventKind.DEVICES_CHANGED: "{name} added or revoked device {device}",
    EventKind.RECOVERED: "device {device} of {name} was added by recovery: ask whether it was them",
    EventKind.OWN_DEVICES_CHANGED: "device {device} of your own was added or revoked",
    EventKind.CONFLICT: "device lists of {name} contradict each other, and nothing is sent: ask {name} over "
    "another channel, then `letterlock user keep {name}` or `letterlock user replace {name}`",
    EventKind.UNKNOWN_HEAD: "a device of {name} named a device list that the folder does not show: one of "
    "the two hides or invents it",
    EventKind.KEY_REUSED: "a message of device {device} of {name} does not fit into the session: forged or "
    "damaged, or the device was restored or copied",
    EventKind.COPIED: "somebody has a copy of the keys of device {device} of {name}: ask {name} to revoke it",
    EventKind.SESSION_REPLACED: "device {device} of {name} began a new session",
    EventKind.SESSION_ENDED: "the session with device {device} of {name} ended, and a new one begins",
    EventKind.GIVEN_UP: "something could not be delivered to device {device} of {name}: ask {name} whether "
    "that device is still in use",
    EventKind.RESTORED: "this profile was restored from an earlier copy: `letterlock user publish` again",
    EventKind.LIST_WITHDRAWN: "another device of yours changed the device list at the same time: if this one "
    "added device {device}, link it again; if this one revoked it, that was repeated",
    EventKind.REVOKED: "this device was revoked and sends nothing more: `letterlock user join` with another "
    "--home makes a new one",
}


def print_json(value: Mapping[str, Any], *, indent: int | None = 2) -> None:
    """Print one JSON object, in ASCII, which every terminal and pipe can take."""
    say(json.dumps(value, indent=indent))


def event_json(event: Event) -> dict[str, Any]:
    """Return an event for a program."""
    return {"event": event.kind.value, "name": event.name, "device": event.device}


def need_json(need: Need) -> dict[str, Any]:
    """Return a need that was not met, for a program."""
    return {"need": need.kind.value, "name": need.name, "device": need.device}


def exchange_json(exchange: Exchange) -> dict[str, Any]:
    """Return what there is to report of an exchange, for a program."""
    return {
        "events": [event_json(each) for each in exchange.events],
        "waiting": [need_json(each) for each in exchange.waiting],
        "problems": [printable(each) for each in exchange.problems],
    }


def print_events(exchange: Exchange, *, as_json: bool) -> None:
    """Print what happened, one line each, and forget it."""
    for event in exchange.events:
        if as_json:
            print_json(event_json(event), indent=None)
        else:
            say(event_text(event))
    exchange.events.clear()


def print_exchange_lines(exchange: Exchange, *, as_json: bool) -> None:
    """Print what there is to report of an exchange, one line or one JSON object each."""
    print_events(exchange, as_json=as_json)
    if not as_json:
        print_exchange(exchange)
        return
    for need in exchange.waiting:
        print_json(need_json(need), indent=None)
    for problem in exchange.problems:
        print_json({"problem": printable(problem)}, indent=None)


def print_exchange(exchange: Exchange) -> None:
    """Print what there is to report of an exchange, one sentence a line."""
    for event in exchange.events:
        say(event_text(event))
    for need in exchange.waiting:
        say(_need_text(need))
    for problem in exchange.problems:
        say(printable(problem))


def event_text(event: Event) -> str:
    """Return a sentence about an event."""
    return _EVENTS[event.kind].format(name=shlex.quote(event.name), device=event.device)


def _need_text(need: Need) -> str:
    if need.kind is NeedKind.LISTS:
        return f"the folder shows no later device lists of {need.name}, which are needed"
    return f"device {need.device} of {need.name} waits for its message: the folder has no bundle of it"


def report(
    arguments: Namespace, value: Mapping[str, Any], lines: list[str], exchange: Exchange | None = None
) -> None:
    """Print the result of a command: the JSON object, or the lines, and what there is of an exchange."""
    if arguments.json:
        print_json({**value, **({} if exchange is None else exchange_json(exchange))})
        return
    for line in lines:
        say(printable(line))
    if exchange is not None:
        print_exchange(exchange)


def body_json(body: bytes) -> dict[str, str]:
    """Return a body as `text`, or as `base64` if it is no UTF-8."""
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def body_lines(body: bytes) -> list[str]:
    """Return a body as indented lines for a person."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return [f"  ({len(body):,} bytes that are no text: --json shows them)"]
    return [f"  {printable(line)}" for line in text.splitlines() or [""]]


def printable(text: str) -> str:
    """Return a text whose control characters and other unprintable ones are question marks."""
    return "".join(character if character.isprintable() else "?" for character in text)


def counted(number: int, one: str, many: str) -> str:
    """Return a number with what it counts."""
    return f"{number} {one if number == 1 else many}"


def time_text(seconds: int | None) -> str:
    """Return a time of a device's clock, in UTC."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def device_json(device: ListedDevice) -> dict[str, Any]:
    """Return a device of a list, for a program."""
    return {
        "id": device.id,
        "class": class_text(device.device_class),
        "added": device.added,
        "identity_key": device.identity.data.hex(),
    }


def class_text(device_class: int) -> str:
    """Return the name of a device class; that of a later release has only its number."""
    try:
        return DeviceClass(device_class).name.lower()
    except ValueError:
        return f"class {device_class}"
