"""The command `enrol`: users from a table, before any of them logs in.

    table, keys      read, and every line checked
    letters          whole and durable, with the passwords that are missing
    users            some at once; whoever is refused is named as it happens

Only one of these commands works in a directory at a time. No password goes to standard output or error.

Not here: the table (_user_table.py), the file of letters (_letters.py), what an enrolment is (client/).
"""

import asyncio
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from letterlock.cli._alone import alone_in
from letterlock.cli._error_report import NotAllEnrolled, explain
from letterlock.cli._letters import new_letter_password, read_letters, write_letters
from letterlock.cli._output import warn
from letterlock.cli._profile import STORE_NAME, create_profile, opener_of, profile_directory, require_clock
from letterlock.cli._progress import counting
from letterlock.cli._ticket_commands import read_ticket_key
from letterlock.cli._user_report import report
from letterlock.cli._user_table import UserRow, read_table
from letterlock.client import (
    Enrolment,
    EnrolmentStopped,
    IdentityAnswer,
    NewUser,
    NotEnrolled,
    RecoveryServers,
    RelayUnavailable,
    ServerUnavailable,
)
from letterlock.errors import AccountExists, LetterlockError, UsageError
from letterlock.relay import TicketKey

_DAY: Final = 86_400
"""For how long a ticket for registration is valid: a slow relay is waited for."""

_QUIET: Final = 60.0
"""Seconds between two remarks that a server asks to wait."""
_SLOW: Final = (
    "its operator can let more through meanwhile (--address-calls, and --new-users at a key server)"
)
_KEY_SERVER: Final = 2

_BUSY: Final = "another `letterlock enrol` is using this --home: wait until it ends"
_NO_LETTER: Final = "no password: give one, or name a file with --letters, where a new one is written"


def enrol(arguments: Namespace) -> None:
    """Enrol users. Raises NotAllEnrolled, UsageError, StoreError, OSError."""
    require_clock()
    keys, rows = _Keys.read(arguments), read_table(arguments.file)
    keys.require_ids(arguments.file, rows)
    without = [each.line for each in rows if each.password is None]
    if without and arguments.letters is None:
        raise UsageError(f"{arguments.file}, line {without[0]}: {_NO_LETTER}")
    directory = profile_directory(arguments.home)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    run = _Run(arguments, keys)
    with alone_in(directory, UsageError(_BUSY)):
        try:
            asyncio.run(run.run(rows))
        except KeyboardInterrupt:
            warn(f"stopped, {run.enrolled} of {len(rows)} users are enrolled: run it again, and it goes on")
            raise
    shown = {"enrolled": run.enrolled, "refused": run.refused, "earlier": run.earlier}
    lines = [f"{run.enrolled} enrolled, {len(run.refused)} refused"]
    if run.earlier:
        lines.append(
            f"{run.earlier} of them by an earlier run: their passwords are not in {arguments.letters}"
        )
    report(arguments, shown, lines)
    if run.first is not None:
        text = f"{len(run.refused)} of {len(rows)} users are not enrolled: fix that, and run it again"
        raise NotAllEnrolled(text, run.first)


@dataclass(frozen=True, slots=True)
class _Keys:
    """What the application signs with: for the relay's registration, and for a check at each server."""

    tickets: TicketKey | None
    checks: dict[int, TicketKey]

    @classmethod
    def read(cls, arguments: Namespace) -> "_Keys":
        """Read the key files that the arguments name. Raises UsageError, OSError."""
        named = {1: arguments.relay_check, 2: arguments.key_server_check}
        checks = {server: read_ticket_key(file) for server, file in named.items() if file is not None}
        tickets = None if arguments.ticket_key is None else read_ticket_key(arguments.ticket_key)
        return cls(tickets, checks)

    def require_ids(self, file: str, rows: list[UserRow]) -> None:
        """Raise UsageError for a line without the id that a check needs."""
        for each in rows if self.checks else ():
            if each.id is None:
                raise UsageError(f"{file}, line {each.line}: no id, by which a check would know {each.name}")

    def user(self, row: UserRow, password: str) -> NewUser:
        """Return a user to be enrolled. The ticket is of now."""
        ticket = None if self.tickets is None else self.tickets.sign(row.name, seconds=_DAY)
        answers = {server: _answer(key, server, row.id or "") for server, key in self.checks.items()}
        return NewUser(row.name, password, ticket, answers)


def _answer(key: TicketKey, server: int, identity: str) -> IdentityAnswer:
    async def answer(challenge: bytes) -> bytes:
        return key.sign_identity(identity, server=server, challenge=challenge)

    return IdentityAnswer("ticket", None, answer)


class _Run:
    """One run of the command, and how far it has come."""

    def __init__(self, arguments: Namespace, keys: _Keys) -> None:
        self._arguments = arguments
        self._keys = keys
        self.enrolled = self.earlier = 0
        self.refused = list[dict[str, Any]]()
        self.first: LetterlockError | None = None
        self._quiet_until = 0.0

    async def run(self, rows: list[UserRow]) -> None:
        """Make letters and users. Raises NotAllEnrolled if a server or the store stops all; UsageError."""
        arguments = self._arguments
        servers = RecoveryServers(arguments.relay, arguments.key_server)
        async with await Enrolment.open(_journal(arguments), servers=servers) as enrolment:
            rows = await self._with_letters(enrolment, rows)
            lines = {each.name: each.line for each in rows}
            with counting("users", len(rows) + self.earlier) as tell:
                try:
                    await enrolment.enrol_all(
                        self._users(rows),
                        at_once=arguments.at_once,
                        progress=lambda _: self._done(tell),
                        refused=lambda each: self._refuse(lines[each.name], each),
                        waits=self._wait,
                    )
                except EnrolmentStopped as error:
                    reason = error.__cause__ if isinstance(error.__cause__, LetterlockError) else error
                    raise NotAllEnrolled(f"{error}. Run it again: it goes on", reason) from None

    async def _with_letters(self, enrolment: Enrolment, rows: list[UserRow]) -> list[UserRow]:
        """Return the rows with a password each. Those that are made are in the file before this returns."""
        missing = [each for each in rows if each.password is None]
        if not missing:
            return rows
        file, lost = str(self._arguments.letters), set[str]()
        letters = read_letters(file)
        before = len(letters)
        for each in missing:
            if each.name in letters:
                continue
            if await enrolment.is_enrolled(each.name):  # with a password that nobody can change here
                lost.add(each.name)
            else:
                letters[each.name] = new_letter_password()
        if len(letters) != before:
            write_letters(file, letters.items())
        self.earlier = self.enrolled = len(lost)
        kept = (each for each in rows if each.name not in lost)
        return [replace(each, password=each.password or letters[each.name]) for each in kept]

    def _users(self, rows: list[UserRow]) -> Iterator[NewUser]:
        for each in rows:
            yield self._keys.user(each, each.password or "")

    def _done(self, tell: Callable[[int], None]) -> None:
        self.enrolled += 1
        tell(self.enrolled)

    def _wait(self, error: RelayUnavailable) -> None:
        if time.monotonic() < self._quiet_until:
            return
        self._quiet_until = time.monotonic() + _QUIET
        which = (
            "the key server"
            if isinstance(error, ServerUnavailable) and error.server == _KEY_SERVER
            else "the relay"
        )
        warn(f"{which} asks to come again in {error.seconds} seconds, so this takes longer; {_SLOW}")

    def _refuse(self, line: int, refused: NotEnrolled) -> None:
        self.first, text = self.first or refused.error, explain(refused.error)
        self.refused.append({"line": line, "name": refused.name, "error": text})
        warn(f"{self._arguments.file}, line {line}, {refused.name}: {text}")


def _journal(arguments: Namespace) -> Callable[[], Any]:
    """Return a function that opens the store of the enrolment. Make the store if there is none."""
    if not (profile_directory(arguments.home) / STORE_NAME).exists():
        with suppress(AccountExists):
            create_profile(arguments.home, lambda _: None, passphrase=arguments.passphrase)
    return opener_of(arguments.home)
