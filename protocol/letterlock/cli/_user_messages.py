"""The commands `letterlock user send` and `letterlock user receive`.

    send       record what was encrypted in the transaction that encrypted it, then write it to the folder
    receive    write the text, then commit the new state, then delete the message file

A kill of `send` leaves its messages to the next command. A kill of `receive` loses no text: the next one
prints it again, unless the new state was committed.

    in one transaction    receive; then roll back, if there is a text
    outside               write the text: a reader may take as long as it likes, and holds up nobody
    in a second one       receive once more, and commit

Not here: what a message is (letterlock.user), how the folder is used (_exchange.py).
"""

import mimetypes
import re
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from letterlock.cli._delivery import message_id
from letterlock.cli._exchange import Exchange
from letterlock.cli._folder import Letter, open_folder, read, remove_if_unchanged
from letterlock.cli._input import read_text
from letterlock.cli._output import require_stdout, say, sync
from letterlock.cli._output_file import TemporaryOutput, move_into_place, new_token, temporary_path
from letterlock.cli._profile import require_clock, undone
from letterlock.cli._user_parser import ONE_TIME_BUNDLES
from letterlock.cli._user_profile import (
    UserProfile,
    find_contact,
    is_listed,
    name_of,
    open_user,
    require_listed,
)
from letterlock.cli._user_report import (
    body_json,
    body_lines,
    print_events,
    print_exchange_lines,
    print_json,
    printable,
    report,
    time_text,
)
from letterlock.errors import AuthenticationFailed, DuplicateMessage, UntrustedIdentity, UsageError
from letterlock.limits import MAX_MESSAGE
from letterlock.user import Attachment, Incoming, Outcome

_ROUNDS: Final = 3
"""How often a message is given to the user: its needs may lead to others once."""

_UNUSUAL: Final = re.compile(r"[^\w.-]")
_KEPT_CHARACTERS: Final = 50


def send(arguments: Namespace) -> None:
    """Send a text to all devices of a contact. Raises UsageError, TrustError, StoreError, OSError."""
    name, folder = name_of(arguments.name), open_folder(arguments.folder)
    with open_user(arguments.home) as profile:
        user, exchange = profile.user, Exchange(profile, folder)
        body, attachments = read_text(arguments.file), [_attachment(each) for each in arguments.attach]
        exchange.post()  # what an interrupted command has left
        exchange.refresh(user.name)
        exchange.refresh(name)
        require_listed(user)
        if name != user.name and find_contact(user, name) is None:
            raise UsageError(f"the folder has no device lists of {name}: ask for `letterlock user publish`")
        exchange.meet()
        exchange.recorded.clear()
        with user.transaction():
            sent = user.send(name, body, attachments=attachments)
            exchange.record(sent.outgoing)
        exchange.note(needs=sent.needs)
        exchange.meet()
        addresses = list(dict.fromkeys(exchange.recorded))
        exchange.post()
    shown = {"id": sent.id.hex(), "to": [{"name": each.name, "device": each.device_id} for each in addresses]}
    listed = ", ".join(map(str, addresses)) or "no device yet"
    report(arguments, shown, [f"sent to {listed}"], exchange)
    exchange.require_posted()


def receive(arguments: Namespace) -> None:
    """Read the messages in the folder and print the texts. Raises UsageError, StoreError, OSError."""
    require_stdout(binary=False)
    folder = open_folder(arguments.folder)
    with open_user(arguments.home) as profile:
        exchange = Exchange(profile, folder)
        exchange.post()
        exchange.refresh(profile.user.name)
        exchange.meet()
        receiving = _Receiving(arguments, profile, exchange)
        letters = folder.letters(profile.user.address)
        # A new device publishes its list before it writes, so this finds the list of every letter's sender.
        for name in dict.fromkeys(letter.sender.name for letter in letters):
            exchange.refresh(name)
        exchange.meet()
        print_events(exchange, as_json=arguments.json)
        for letter in letters:
            receiving.take(letter)
        exchange.meet()
        exchange.post()
    print_exchange_lines(exchange, as_json=arguments.json)
    exchange.require_posted()


def upkeep(arguments: Namespace) -> None:
    """Do what time asks for. Raises UsageError, TrustError, StoreError, OSError."""
    require_clock()
    folder = open_folder(arguments.folder)
    with open_user(arguments.home) as profile:
        user, exchange = profile.user, Exchange(profile, folder)
        exchange.post()
        for name in (user.name, *(each.name for each in user.contacts())):
            exchange.refresh(name)
        exchange.recorded.clear()
        with user.transaction():
            due = user.upkeep()
            exchange.record(due.outgoing)
        exchange.note(due.events, due.needs)
        exchange.meet()
        sent, added = len(exchange.recorded), 0
        exchange.post()
        if is_listed(user):
            exchange.publish_lists()
            added = exchange.publish_bundles(ONE_TIME_BUNDLES)
    shown = {"sent": sent, "bundles_added": added, "expired": due.expired}
    line = f"{sent} messages sent, {added} prekey bundles added, {due.expired} texts given up after 30 days"
    report(arguments, shown, [line], exchange)
    exchange.require_posted()


def _attachment(name: str) -> Attachment:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Attachment(Path(name).name, media_type, read_text(name))


class _Receiving:
    """Taking messages one after the other."""

    def __init__(self, arguments: Namespace, profile: UserProfile, exchange: Exchange) -> None:
        self._json: bool = arguments.json
        self._attachments = None if arguments.attachments is None else Path(arguments.attachments)
        self._user = profile.user
        self._exchange = exchange

    def take(self, letter: Letter) -> None:
        """Receive one message, print what it brings, and delete its file once that is stored."""
        content = read(letter.path, MAX_MESSAGE)
        if content is None:  # another process was faster, or it is no file
            return
        if content.data is None:
            self._print_refused(letter, "it is longer than any message")
            remove_if_unchanged(letter.path, content)
            return
        incoming = self._receive(letter, content.data)
        for _ in range(_ROUNDS - 1):
            if incoming is None or incoming.outcome is not Outcome.HELD:
                break
            incoming = self._receive(letter, content.data)
        self._exchange.post()
        if incoming is None:
            return
        if incoming.outcome is Outcome.HELD:
            self._print_held(letter)
            return
        if incoming.outcome is Outcome.REFUSED:
            self._print_refused(letter, _reason(incoming))
        remove_if_unchanged(letter.path, content)

    def _receive(self, letter: Letter, data: bytes) -> Incoming | None:
        """Receive and commit, once a text was written. Return None if its attachments cannot be written."""
        user = self._user
        seen = undone(user.account, lambda: user.receive(letter.sender, data))
        if seen.body is not None:
            attachments: list[dict[str, Any]] = []
            if seen.attachments:
                if self._attachments is None:
                    self._print_waiting(letter, seen)
                    return None
                attachments = _write_attachments(self._attachments, letter, data, seen)
            self._print_text(seen, seen.body, attachments)
            sync()
        with user.transaction():
            incoming = user.receive(letter.sender, data)
            self._exchange.record(incoming.outgoing)
        self._exchange.note(incoming.events, incoming.needs)
        self._exchange.meet()
        print_events(self._exchange, as_json=self._json)
        return incoming

    # --- what is printed --------------------------------------------------------------------------

    def _print_text(self, seen: Incoming, body: bytes, attachments: list[dict[str, Any]]) -> None:
        if self._json:
            shown = {
                "from": seen.sender,
                "device": seen.device,
                "to": seen.to,
                "kind": seen.kind,
                "id": None if seen.id is None else seen.id.hex(),
                "time": seen.time,
                **body_json(body),
                "attachments": attachments,
            }
            print_json(shown, indent=None)
            return
        to = "" if seen.to is None else f" to {seen.to}"
        head = f"{seen.sender}, device {seen.device}{to}, {time_text(seen.time)}"
        files = (f"  attachment {each['file']}, {each['bytes']:,} bytes" for each in attachments)
        say("\n".join([printable(head), *body_lines(body), *map(printable, files)]))

    def _print_refused(self, letter: Letter, reason: str) -> None:
        self._print_about(letter, "refused", reason)

    def _print_held(self, letter: Letter) -> None:
        self._print_about(letter, "held", "it stays in the folder until device lists or your decision come")

    def _print_waiting(self, letter: Letter, seen: Incoming) -> None:
        count = len(seen.attachments)
        reason = f"it has {count} attachments: repeat the command with --attachments DIR"
        self._print_about(letter, "held", reason)

    def _print_about(self, letter: Letter, what: str, reason: str) -> None:
        sender = letter.sender
        if self._json:
            shown = {what: letter.path.name, "from": sender.name, "device": sender.device_id}
            print_json({**shown, "reason": printable(reason)}, indent=None)
        else:
            say(printable(f"a message of {sender} is {what}: {reason}"))


def _reason(incoming: Incoming) -> str:
    match incoming.error:
        case None:
            return "it cannot be judged"
        case UntrustedIdentity():
            return "its identity key is not that of the device in the device list"
        case DuplicateMessage():
            return "its place was taken by another message: forged, or its sender was restored from a copy"
        case AuthenticationFailed():
            return "it does not authenticate: forged, damaged, or of a session that is gone"
        case error:
            return str(error)


def _write_attachments(directory: Path, letter: Letter, data: bytes, seen: Incoming) -> list[dict[str, Any]]:
    """Write the attachments of a message, each under a name that only this message gives it."""
    prefix = message_id(letter.sender, data)[:8].hex()
    shown: list[dict[str, Any]] = []
    for number, each in enumerate(seen.attachments, 1):
        name = f"{prefix}-{number}-{_UNUSUAL.sub('_', each.name)[-_KEPT_CHARACTERS:]}"
        _write(directory, name, each.data)
        shown.append(
            {"name": each.name, "media_type": each.media_type, "bytes": len(each.data), "file": name}
        )
    return shown


def _write(directory: Path, name: str, data: bytes) -> None:
    temporary = TemporaryOutput(temporary_path(directory, "new", new_token()))
    try:
        temporary.write(data)
        move_into_place(temporary.path, directory / name)
    finally:
        temporary.discard()
