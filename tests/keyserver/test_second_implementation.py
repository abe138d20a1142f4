"""The second implementation comes back at two servers that are processes, and this one after it.

Then somebody without an account claims there what was shared here, and the granter learns of it. CLN-36.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any, Final

import pytest

from letterlock import MemoryStore
from letterlock._keyserver._keys import ServerKeys
from letterlock.blobs import BlobFile, DirectoryBlobs
from letterlock.client import (
    Client,
    IdentityAnswer,
    PersonAddress,
    RecoveryServers,
    RelayEvent,
    RelayEventKind,
    ServerChecks,
)
from letterlock.recovery import WrongPassword
from letterlock.relay import TicketKey
from support.client_documents import reads, sealed
from support.client_town import happens
from support.keyserver_served import FREE, key_file
from support.mail_server import HOST
from support.mail_thread import MailThread, mail_thread
from support.recovery_town import DECOYS
from support.relay_process import RelayProcess
from support.relay_server import served

SECOND: Final = Path(__file__).parents[2] / "vectors" / "second"
NODE: Final = shutil.which("node")
APPLICATION: Final = TicketKey(bytes(range(32)))
PASSWORD, ANOTHER = "correct horse battery", "staple of another stable"
ADDRESS: Final = "alice@example.org"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        NODE is None or not (SECOND / "node_modules").exists(), reason="needs Node and its packages"
    ),
]


@dataclass
class Both:
    """Both servers, and the mailbox of alice."""

    relay: str
    key_server: str
    mail: MailThread

    def servers(self) -> RecoveryServers:
        """Return them, with a ticket of the application for each."""
        answers = {server: IdentityAnswer("ticket", None, self.ticket(server)) for server in (1, 2)}
        return RecoveryServers(self.relay, self.key_server, identities=answers)

    @staticmethod
    def ticket(server: int) -> Any:
        async def answer(challenge: bytes) -> bytes:
            return APPLICATION.sign_identity("patient 4711", server=server, challenge=challenge)

        return answer

    def proof(self, asked: dict[str, Any]) -> bytes:
        """Return what proves an identity to the server that asked."""
        if asked["kind"] == "mail":
            return self.mail.code()
        challenge = bytes.fromhex(asked["challenge"])
        return APPLICATION.sign_identity("patient 4711", server=asked["server"], challenge=challenge)


@contextmanager
def both(tmp_path: Path) -> Iterator[Both]:
    """Run a relay that is server 1, a key server, and a mail server. Both servers check identities."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    first, second = ServerKeys.generate(DECOYS), ServerKeys.generate(DECOYS)
    ticket = f"ticket:{APPLICATION.public_hex}"
    flags = ["--recovery-store", f"sqlite:///{one}/recovery.db", "--recovery-keys", key_file(one, first)]
    flags += ["--recovery-tickets", second.tickets.public.data.hex(), "--recovery-identity", ticket]
    with mail_thread() as mail:
        check = f"mail:smtp+plain://{HOST}:{mail.port}?from=codes@keys.example&service=Keys {ticket}"
        theirs = ["--keys", key_file(two, second), *FREE[2:], "--identity", check]
        with RelayProcess(one, *flags) as relay, served(two, *theirs, kind="keyserver") as key_server:
            yield Both(relay.url, key_server.url, mail)


async def lost(town: Both, blobs: DirectoryBlobs) -> tuple[bytes, bytes]:
    """Have alice set recovery up and lose her device. Return her user id, and a document of hers."""
    made = await Client.create(MemoryStore(), name="alice", relay=town.relay)
    async with made as alice:
        document = await sealed(alice, blobs, content=b"of alice")
        await alice.recovery.setup(PASSWORD, town.key_server)
        for server, answer in town.servers().identities.items():
            await alice.recovery.bind_identity(server, answer)
        return alice.user_id, document


def second(script: str, given: dict[str, str], proof: Callable[[dict[str, Any]], bytes]) -> dict[str, Any]:
    """Run a script of the second implementation, and answer what it asks. Return what it says in the end."""
    assert NODE is not None
    found: dict[str, Any] = {}
    with subprocess.Popen(
        [NODE, str(SECOND / script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        timer = Timer(120, child.kill)
        timer.start()
        print(json.dumps(given), file=child.stdin, flush=True)
        for line in child.stdout:
            found = json.loads(line)
            if "challenge" in found:
                print(json.dumps({"proof": proof(found).hex()}), file=child.stdin, flush=True)
        timer.cancel()
    assert child.returncode == 0
    return found


def second_comes_back(town: Both) -> dict[str, Any]:
    given = {"relay": town.relay, "key_server": town.key_server, "name": "alice", "address": ADDRESS}
    given |= {"password": PASSWORD, "new_password": ANOTHER}
    return second("recover-over-http.js", given, town.proof)


def second_claims(town: Both, invitation: bytes, document: bytes) -> dict[str, Any]:
    def proof(asked: dict[str, Any]) -> bytes:
        whose = "patient 4713" if asked["stranger"] else "patient 4712"
        challenge = bytes.fromhex(asked["challenge"])
        return APPLICATION.sign_identity(whose, server=asked["server"], challenge=challenge)

    given = {"relay": town.relay, "key_server": town.key_server, "name": "dora"}
    given |= {"invitation": invitation.hex(), "document": document.hex()}
    return second("claim-over-http.js", given, proof)


async def claimed_there(town: Both, blobs: DirectoryBlobs, alice: Client) -> None:
    """Share a document with a person of the application, who signs up and claims it."""
    document = await sealed(alice, blobs, content=b"for dora")
    checks = ServerChecks(town.servers().identities, town.key_server)
    made = await alice.documents.addresses.share(
        document, PersonAddress("patient 4712", "ticket"), checks=checks
    )
    assert made.invitation is not None
    with BlobFile(blobs, await alice.documents.blob_name(document)) as body:
        found = await asyncio.to_thread(second_claims, town, made.invitation, body.read())
    assert (found["granter"], found["content"], found["refused"]) == ("alice", "for dora", 8)
    assert RelayEvent(RelayEventKind.CLAIMED, "dora") in await happens(alice, RelayEventKind.CLAIMED)
    granted = {(each.granter, each.reader) for each in await alice.documents.grants(document)}
    assert {("dora", "dora"), ("alice", "dora")} < granted
    (shown,) = await alice.documents.addresses.all()
    assert shown.user_id == bytes.fromhex(found["user_id"])


async def comes_back(town: Both, password: str) -> Client:
    return await Client.recover(MemoryStore(), name="alice", password=password, servers=town.servers())


def test_a_user_comes_back_there_and_then_here(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path)

    async def here(town: Both, user_id: bytes, document: bytes) -> None:
        async with await comes_back(town, ANOTHER) as fresh:
            assert fresh.user_id == user_id
            assert await reads(fresh, document, blobs) == b"of alice"
            assert (
                len(await fresh.devices()) == 3
            )  # that of the second implementation, and the recovery device
            await claimed_there(town, blobs, fresh)
        with pytest.raises(WrongPassword):
            await comes_back(town, PASSWORD)

    with both(tmp_path) as town:
        user_id, document = asyncio.run(asyncio.wait_for(lost(town, blobs), 300))
        back = second_comes_back(town)
        assert (back["name"], back["user_id"], back["refused"]) == ("alice", user_id.hex(), 11)
        assert back["seeds"] >= 2
        asyncio.run(asyncio.wait_for(here(town, user_id, document), 300))
