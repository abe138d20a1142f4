"""A relay and a key server that are processes, and send codes by mail to a mail server of the test.

MailTown.typed         a command that takes a password, and asks for codes
MailTown.pass_time     what both servers have counted, without waiting for it

Not here: the command line in one process with its servers (client_town.py).
"""

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from letterlock._keyserver._keys import ServerKeys
from letterlock._keyserver._rows import Changes, Found, RowKind, Stored
from letterlock._records.second_lock import HoursRecord, decode_hours
from letterlock.relay._opening import path_of
from support.keyserver_served import FREE, key_file
from support.keyserver_town import sealed
from support.mail_server import HOST
from support.mail_thread import MailThread, mail_thread
from support.recovery_town import DECOYS
from support.relay_process import RelayProcess
from support.relay_profiles import Profiles
from support.relay_server import Server, served

_WRONG: Final = b"12345 67890\n"


@contextmanager
def pipe(data: bytes = b"") -> Iterator[tuple[int, int]]:
    """Return the ends of a pipe in which some data is already."""
    read, write = os.pipe()
    os.write(write, data)
    try:
        yield read, write
    finally:
        os.close(read)
        os.close(write)


@dataclass(frozen=True)
class MailTown(Profiles):
    """Profiles at a relay, a key server of another owner, and everybody's mailbox."""

    key_server: Server
    mail: MailThread
    keys: tuple[ServerKeys, ServerKeys]
    rows: tuple[str, str]

    def typed(
        self, name: str, *arguments: str, password: bytes = b"", codes: int = 2, status: int = 0
    ) -> bytes:
        """Run a command that takes a password, and codes from mails. A single one is wrong at first."""
        before = len(self.mail.codes())
        wrong = _WRONG if codes == 1 else b""
        with pipe(password) as (secret, _), pipe(wrong) as (read, write), ThreadPoolExecutor(1) as pool:
            fds = ["--password-fd", str(secret)] if password else []
            fds += ["--code-fd", str(read)] if codes else []
            running = pool.submit(self.run, name, *arguments, *fds, status=status)
            for at in range(codes):
                os.write(write, self.mail.code_of(before + at, running) + b"\n")
            return running.result(120)

    def pass_time(self, seconds: int) -> None:
        """Let both servers have counted so many seconds more, and may they send codes again."""
        for url, own in zip(self.rows, self.keys, strict=True):
            asyncio.run(pass_time(url, own, seconds))
            with closing(sqlite3.connect(path_of(url), timeout=30)) as rows, rows:
                rows.execute("DELETE FROM row WHERE kind = ? AND until IS NOT NULL", (RowKind.GATE,))


async def pass_time(url: str, own: ServerKeys, seconds: int) -> None:
    """Let a server have counted so many seconds more."""

    def step(found: Found) -> tuple[Changes, None]:
        assert found[0] is not None
        hours = decode_hours(found[0])
        after = HoursRecord(hours.last, hours.counted + seconds)
        return {0: Stored(after.encode().expose())}, None

    rows = await sealed(url, own.sealing).open()
    await rows.change([(RowKind.HOURS, b"")], step)
    await rows.close()


@contextmanager
def mail_town(folder: Path) -> Iterator[MailTown]:
    """Run both servers, each with a check by mail."""
    one, two, root = (folder / name for name in ("one", "two", "town"))
    for each in (one, two, root):
        each.mkdir()
    keys = ServerKeys.generate(DECOYS), ServerKeys.generate(DECOYS)
    own = f"sqlite:///{one}/recovery.db"
    with mail_thread() as mail:
        check = f"mail:smtp+plain://{HOST}:{mail.port}?from=codes@example.org&service=Town"
        flags = ["--recovery-store", own, "--recovery-keys", key_file(one, keys[0])]
        flags += ["--recovery-tickets", keys[1].tickets.public.data.hex(), "--recovery-identity", check]
        theirs = ["--keys", key_file(two, keys[1]), *FREE[2:], "--identity", check]
        with RelayProcess(one, *flags) as relay, served(two, *theirs, kind="keyserver") as key_server:
            yield MailTown(relay, root, key_server, mail, keys, (own, f"sqlite:///{key_server.store}"))
