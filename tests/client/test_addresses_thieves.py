"""Thieves of a mailbox, and invitations that others made: what they get, and what they cannot get.

PRV-5 to PRV-12. Not here: servers that lie (test_addresses_lies.py).
"""

from pathlib import Path

import pytest

from letterlock._wire.parcel import decode_contents, encode_contents
from letterlock._wire.provisional_calls import ClaimIdentities
from letterlock._wire.relay_error import RelayCode
from letterlock.client import Client, ServerUnavailable
from letterlock.client._transport import Reply
from letterlock.documents import NoGrant, UnknownAuthor
from letterlock.errors import MalformedMessage, UsageError
from letterlock.recovery import IdentityRefused
from support.client_addresses import ALICE, DORA, AddressTown, only, tell
from support.client_documents import reads
from support.client_recovery import RecoveryAsked, refused

SERVERS = pytest.mark.parametrize("server", [1, 2])


# --- thieves ------------------------------------------------------------------------------------------


@SERVERS
def test_a_thief_at_one_server_alone_gets_nothing(tmp_path: Path, server: int) -> None:  # PRV-5
    """Whoever reads the codes of one server has to pass the other one's check by an address of their own."""

    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        thief = await town.client("eve")
        own = town.checks("eve@example.org")
        mixed = {server: town.doras.identities[server], 3 - server: own.identities[3 - server]}
        checks = type(own)(mixed, own.key_server)
        with pytest.raises(NoGrant):
            await thief.documents.addresses.claim([invitation], checks=checks)
        assert town.count("claimed") == 0

    tell(tmp_path, story)


def test_a_thief_of_the_mailbox_after_the_claim_gets_nothing(tmp_path: Path) -> None:  # PRV-7
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora, thief = await town.client("dora"), await town.client("eve")
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        town.wait()
        with pytest.raises(NoGrant):
            await thief.documents.addresses.claim([invitation], checks=town.doras)
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert found.user_id == dora.user_id
        with pytest.raises(NoGrant):
            await thief.documents.open(document, town.blobs)

    tell(tmp_path, story)


def test_a_thief_of_the_mailbox_before_the_claim_is_seen(tmp_path: Path) -> None:
    """It reads, as the specification says. The person gets nothing, and the granter sees who it was."""

    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        thief, dora = await town.client("eve"), await town.client("dora")
        await thief.documents.addresses.claim([invitation], checks=town.doras)
        town.wait()
        with pytest.raises(NoGrant):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert found.user_id == thief.user_id

    tell(tmp_path, story)


def test_two_claimants_at_once_and_the_second_is_told(tmp_path: Path) -> None:  # PRV-7, PRV-12
    """Both have the seeds before either says so: the servers take one of them."""

    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora, thief = await town.client("dora"), await town.client("eve")
        town.rules.append(_hold)
        with pytest.raises(ServerUnavailable):
            await thief.documents.addresses.claim([invitation], checks=town.doras)
        town.rules.clear()
        town.wait()
        assert (await dora.documents.addresses.claim([invitation], checks=town.doras)).disputed == 0
        town.wait()
        late = await thief.documents.addresses.claim(checks=town.doras)
        assert late.disputed == 1
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert found.user_id == dora.user_id
        assert await reads(dora, document, town.blobs)

    def _hold(asked: RecoveryAsked) -> Reply | None:
        is_it = isinstance(asked.request, ClaimIdentities)
        return refused(RelayCode.UNAVAILABLE) if is_it else None

    tell(tmp_path, story)


@SERVERS
def test_a_wrong_code_claims_nothing(tmp_path: Path, server: int) -> None:  # REC-27
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        wrong = town.checks(DORA.text, change={server: lambda _: b"1"})
        with pytest.raises(IdentityRefused):
            await dora.documents.addresses.claim([invitation], checks=wrong)
        assert town.count("release") == 0
        with pytest.raises(UsageError, match="both servers"):
            await dora.documents.addresses.claim([invitation], checks=only(town.doras, server))

    tell(tmp_path, story)


def test_the_granters_own_pass_releases_nothing(tmp_path: Path) -> None:  # PRV-5
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        town.wait()
        eve = await town.client("eve")
        with pytest.raises(NoGrant):
            await eve.documents.addresses.claim([invitation], checks=town.checks(ALICE))
        assert town.count("claimed") == 0

    tell(tmp_path, story)


# --- invitations that others made ---------------------------------------------------------------------


def test_a_forged_grant_in_an_invitation_hinders_no_other(tmp_path: Path) -> None:  # PRV-9
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        items = list(decode_contents(invitation))
        data = items[1].data
        forged = type(items[1])(items[1].kind, data[:-1] + bytes([data[-1] ^ 1]))
        dora = await town.client("dora")
        spoiled = encode_contents([items[0], forged])
        with pytest.raises((NoGrant, MalformedMessage)):
            await dora.documents.addresses.claim([spoiled], checks=town.doras)
        assert town.count("claimed") == 0
        town.wait()
        both = encode_contents([items[0], forged, items[1]])
        claimed = await dora.documents.addresses.claim([both], checks=town.doras)
        assert [each.id for each in claimed.grants] == [document]

    tell(tmp_path, story)


def test_an_invitation_that_names_another_granter_claims_nothing_yet(tmp_path: Path) -> None:  # PRV-9
    """The seeds stay until the author of the grants is known."""

    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        await town.client("bert")
        items = list(decode_contents(invitation))
        lying = type(items[0])(items[0].kind, items[0].data.replace(b"ealice", b"dbert"))
        assert lying != items[0]
        dora = await town.client("dora")
        with pytest.raises(UnknownAuthor):
            await dora.documents.addresses.claim([encode_contents([lying, *items[1:]])], checks=town.doras)
        assert town.count("claimed") == 0
        town.wait()
        assert (await dora.documents.addresses.claim([invitation], checks=town.doras)).grants

    tell(tmp_path, story)


def test_an_invitation_is_replayed_to_nobody(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        first = await dora.documents.addresses.claim([invitation], checks=town.doras)
        town.wait()
        again = await dora.documents.addresses.claim([invitation] * 3, checks=town.doras)
        assert (len(first.grants), len(again.grants)) == (1, 0)

    tell(tmp_path, story)
