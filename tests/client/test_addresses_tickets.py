"""Sharing with somebody whom the servers know by a ticket, of which the client sees nothing. PRV-11."""

from pathlib import Path

import pytest

from letterlock.client import Client, PersonAddress, RelayUnavailable
from letterlock.documents import NoGrant
from letterlock.stores import EntryKind
from support.client_addresses import AddressTown, lose, tell
from support.client_documents import CONTENT, kept, reads, sealed

DORA = PersonAddress("patient 4711", "stamp")


async def _shared(town: AddressTown, alice: Client) -> tuple[bytes, bytes]:
    document = await sealed(alice, town.blobs)
    made = await alice.documents.addresses.share(document, DORA, checks=town.checks())
    assert made.invitation is not None
    return document, made.invitation


def test_a_person_is_known_by_a_ticket(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await _shared(town, alice)
        dora, eve = await town.client("dora"), await town.client("eve")
        with pytest.raises(NoGrant):
            await eve.documents.addresses.claim([invitation], checks=town.stamped(b"patient 4712"))
        await dora.documents.addresses.claim([invitation], checks=town.stamped(b"patient 4711"))
        assert await reads(dora, document, town.blobs) == CONTENT

    tell(tmp_path, story)


@pytest.mark.parametrize("server", [1, 2])
def test_what_is_told_of_one_ticket_is_not_told_with_another_ones_pass(tmp_path: Path, server: int) -> None:
    """A server would pass over it without a word, and keep the seed."""

    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await _shared(town, alice)
        dora = await town.client("dora")
        town.rules.append(lose("ClaimIdentities", server))
        with pytest.raises(RelayUnavailable):
            await dora.documents.addresses.claim([invitation], checks=town.stamped(b"patient 4711"))
        town.rules.clear()
        told = town.count("claimed")
        await dora.documents.addresses.claim(checks=town.stamped(b"patient 4712"))
        assert (await kept(dora, EntryKind.CLAIMED), town.count("claimed")) == ([1], told)
        await dora.documents.addresses.claim(checks=town.stamped(b"patient 4711"))
        assert await kept(dora, EntryKind.CLAIMED) == [0]
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert found.user_id == dora.user_id

    tell(tmp_path, story)


def test_what_no_server_can_have_any_more_is_forgotten(tmp_path: Path) -> None:
    """Both servers took the claim, and the client died before it noted that: no server shows it again."""

    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await _shared(town, alice)
        dora = await town.client("dora")
        town.rules.append(lose("ClaimIdentities", 2))
        with pytest.raises(RelayUnavailable):
            await dora.documents.addresses.claim([invitation], checks=town.stamped(b"patient 4711"))
        assert await kept(dora, EntryKind.CLAIMED) == [1]
        town.rules.clear()
        town.town.now += 397 * 86_400
        await dora.documents.addresses.claim(checks=town.stamped(b"patient 4712"))
        assert await kept(dora, EntryKind.CLAIMED) == [0]

    tell(tmp_path, story)
