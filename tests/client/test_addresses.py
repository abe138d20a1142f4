"""Sharing with somebody who has no account yet, through clients: shared, claimed, given on, withdrawn.

CLN-32, PRV-9 to PRV-11. Not here: servers and thieves (test_addresses_lies.py), what dies in between
(test_addresses_kills.py).
"""

from dataclasses import replace
from pathlib import Path

import pytest

from letterlock._wire.grant_recipient import RecipientKind
from letterlock._wire.parcel import decode_contents
from letterlock.client import (
    Client,
    PersonAddress,
    RelayEvent,
    RelayEventKind,
    RelayUnavailable,
    ServerChecks,
)
from letterlock.documents import Conditions, NoGrant
from letterlock.errors import MalformedMessage, UsageError
from letterlock.limits import DAY
from letterlock.recovery import IdentityRefused, RecoveryRefused
from support.client_addresses import ALICE, DORA, AddressTown, lose, only, tell
from support.client_documents import CONTENT, reads, sealed
from support.client_recovery import KEY_SERVER, RecoveryAsked
from support.client_town import RELAY, Asked, happens


def test_shared_with_an_address_and_read_after_signing_up(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        claimed = await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert [(each.id, each.granter, each.reader) for each in claimed.grants] == [
            (document, "dora", "dora")
        ]
        assert (claimed.unopened, claimed.disputed) == (0, 0)
        assert await reads(dora, document, town.blobs) == CONTENT
        phone = await town.town.second(dora)
        assert await reads(phone, document, town.blobs) == CONTENT

    tell(tmp_path, story)


def test_the_granter_learns_who_it_was_and_grants_to_the_user(tmp_path: Path) -> None:  # PRV-8
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice, conditions=Conditions("cough"))
        dora = await town.client("dora")
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        await alice.documents.refresh()  # dora's name comes with what she granted herself
        assert [each.name for each in await alice.contacts()] == ["dora"]
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert (found.user_id, found.grants) == (dora.user_id, ())
        events = await happens(alice, RelayEventKind.CLAIMED)
        assert RelayEvent(RelayEventKind.CLAIMED, "dora") in events
        granted = [each for each in await alice.documents.grants(document) if each.reader == "dora"]
        assert {(each.granter, each.purpose, each.valid_until) for each in granted} == {
            ("alice", "cough", None),
            ("dora", "", None),
        }
        asked = town.count("make")
        other = await sealed(alice, town.blobs)
        made = await alice.documents.addresses.share(other, DORA, checks=town.checks())
        assert (made.invitation, made.reader, made.user_id) == (None, "dora", dora.user_id)
        assert town.count("make") == asked  # both have said who it is
        await alice.flush()
        await alice.documents.refresh()
        assert await reads(dora, other, town.blobs) == CONTENT

    tell(tmp_path, story)


def test_what_the_granter_cannot_open_any_more_keeps_nothing_else_back(tmp_path: Path) -> None:  # PRV-8
    """A grant of somebody else's document, which was taken back since, and one of an own document."""

    async def story(town: AddressTown, alice: Client) -> None:
        bob = await town.client("bob")
        await bob.meet("alice")
        await alice.meet("bob")
        lent = await sealed(bob, town.blobs, "alice")
        await bob.flush()
        await bob.documents.refresh()
        assert await reads(alice, lent, town.blobs) == CONTENT
        await alice.documents.addresses.share(lent, DORA, checks=town.checks())
        own, invitation = await town.shared(alice)
        given = [each.hash for each in await bob.documents.grants(lent) if each.reader == "alice"]
        await bob.documents.withdraw(given)
        await bob.documents.refresh()
        await alice.documents.refresh()
        with pytest.raises(NoGrant):
            await reads(alice, lent, town.blobs)
        dora = await town.client("dora")
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        await alice.meet("dora")
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert (found.user_id, len(found.grants)) == (dora.user_id, 1)
        assert ("alice", "dora") in {
            (each.granter, each.reader) for each in await alice.documents.grants(own)
        }

    tell(tmp_path, story)


def test_a_later_share_asks_again_and_grants_to_the_user(tmp_path: Path) -> None:  # PRV-8
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        other = await sealed(alice, town.blobs)
        await alice.meet("dora")
        made = await alice.documents.addresses.share(other, DORA, checks=town.checks())
        assert (made.invitation, made.reader) == (None, "dora")

    tell(tmp_path, story)


def test_a_user_whom_nobody_introduced_has_to_be_met(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        town.town.rules.append(_keeps_shelf_of_alice)
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        other = await sealed(alice, town.blobs)
        with pytest.raises(UsageError, match="meet them"):
            await alice.documents.addresses.share(other, DORA, checks=town.checks())
        await alice.meet("dora")
        made = await alice.documents.addresses.share(other, DORA, checks=town.checks())
        assert made.reader == "dora"

    tell(tmp_path, story)


def _keeps_shelf_of_alice(asked: Asked) -> None:
    if (asked.client, asked.name) == ("alice", "shelf"):
        raise RelayUnavailable("down")


def test_one_identity_and_one_invitation_as_long_as_it_is_open(tmp_path: Path) -> None:  # PRV-9, PRV-10
    async def story(town: AddressTown, alice: Client) -> None:
        first, _ = await town.shared(alice)
        asked = town.asked
        second, invitation = await town.shared(alice)
        assert town.asked == asked  # the passes are still good
        (shared,) = await alice.documents.addresses.all()
        assert len(shared.grants) == 2
        dora = await town.client("dora")
        claimed = await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert {each.id for each in claimed.grants} == {first, second}

    tell(tmp_path, story)


def test_one_address_in_two_spellings_is_one_person(tmp_path: Path) -> None:  # PRV-13
    async def story(town: AddressTown, alice: Client) -> None:
        first, _ = await town.shared(alice)
        second = await sealed(alice, town.blobs)
        spelt = PersonAddress(" Dora@EXAMPLE.org")
        made = await alice.documents.addresses.share(second, spelt, checks=town.checks())
        assert len(await alice.documents.addresses.all()) == 1
        await alice.documents.addresses.withdraw(
            PersonAddress("DORA@example.org"), document=first, checks=town.checks()
        )
        dora = await town.client("dora")
        assert made.invitation is not None
        claimed = await dora.documents.addresses.claim([made.invitation], checks=town.doras)
        assert {each.id for each in claimed.grants} == {first, second}

    tell(tmp_path, story)


def test_addresses_of_other_kinds_are_compared_as_they_stand(tmp_path: Path) -> None:  # PRV-13
    async def story(town: AddressTown, alice: Client) -> None:
        document = await sealed(alice, town.blobs)
        for text in ("patient-4711@x", "Patient-4711@x"):
            with pytest.raises(RecoveryRefused):  # these servers have no such check
                await alice.documents.addresses.share(
                    document, PersonAddress(text, "ticket"), checks=town.checks()
                )
            town.wait()
        assert len(await alice.documents.addresses.all()) == 2

    tell(tmp_path, story)


def test_another_end_is_another_identity(tmp_path: Path) -> None:  # PRV-10
    async def story(town: AddressTown, alice: Client) -> None:
        now = town.town.clock()
        _, one = await town.shared(alice)
        document, other = await town.shared(alice, conditions=Conditions("", now + 9 * DAY))
        ends = [each.end for each in await alice.documents.addresses.all()]
        assert ends[0] == now + 9 * DAY
        assert len(ends) == 2
        assert [whom for whom, _ in await alice.documents.addresses.invitations(document)] == [DORA]
        dora = await town.client("dora")
        claimed = await dora.documents.addresses.claim([other], checks=town.doras)
        assert (len(claimed.grants), claimed.unopened) == (1, 1)
        town.wait()
        assert len((await dora.documents.addresses.claim([one], checks=town.doras)).grants) == 1

    tell(tmp_path, story)


def test_two_granters_to_one_address(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        bert = await town.client("bert")
        first, one = await town.shared(alice)
        second = await sealed(bert, town.blobs)
        made = await bert.documents.addresses.share(second, DORA, checks=town.checks("bert@example.org"))
        assert made.invitation is not None
        dora = await town.client("dora")
        claimed = await dora.documents.addresses.claim([one, made.invitation], checks=town.doras)
        assert {each.id for each in claimed.grants} == {first, second}
        for each in (alice, bert):
            (found,) = await each.documents.addresses.refresh(checks=town.checks())
            assert found.user_id == dora.user_id

    tell(tmp_path, story)


def test_an_invitation_tells_the_relay_and_the_servers_nothing_of_the_grant(tmp_path: Path) -> None:  # PRV-9
    async def story(town: AddressTown, alice: Client) -> None:
        bodies: list[bytes] = []

        def listen(asked: Asked | RecoveryAsked) -> None:
            bodies.append(asked.body if isinstance(asked, Asked) else asked.request.encode())

        town.town.rules.append(listen)
        town.rules.append(listen)
        document, invitation = await town.shared(alice)
        await alice.flush()
        assert DORA.text.encode() not in invitation
        assert any(DORA.text.encode() in each for each in bodies)  # both servers are told
        for item in decode_contents(invitation)[1:]:
            assert not any(item.data in each or document in each for each in bodies)
        (shared,) = await alice.documents.addresses.all()
        assert DORA.text not in repr(shared)

    tell(tmp_path, story)


# --- withdrawn, ended ---------------------------------------------------------------------------------


def test_what_is_withdrawn_is_claimed_by_nobody(tmp_path: Path) -> None:  # PRV-6
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        await alice.documents.addresses.withdraw(DORA, checks=ServerChecks(key_server=KEY_SERVER))
        with pytest.raises(NoGrant):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert await alice.documents.addresses.all() == ()
        assert [each.withdrawn is None for each in await alice.documents.grants(document)] == [True, False]
        with pytest.raises(UsageError, match="nothing that waits"):
            await alice.documents.addresses.withdraw(DORA, checks=town.checks())

    tell(tmp_path, story)


@pytest.mark.parametrize("server", [1, 2])
def test_one_server_is_enough_to_withdraw(tmp_path: Path, server: int) -> None:  # PRV-6
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        town.rules.append(lose("WithdrawIdentity", server))
        with pytest.raises(RelayUnavailable):
            await alice.documents.addresses.withdraw(DORA, checks=town.checks())
        (found,) = await alice.documents.addresses.all()
        assert found.is_withdrawn
        with pytest.raises(NoGrant):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        town.rules.clear()
        assert await alice.documents.addresses.refresh(checks=town.checks()) == ()

    tell(tmp_path, story)


def test_one_document_is_withdrawn_and_the_other_one_claimed(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        first, _ = await town.shared(alice)
        second, _ = await town.shared(alice)
        await alice.documents.addresses.withdraw(DORA, document=first, checks=town.checks())
        assert town.count("withdraw") == 0
        ((_, invitation),) = await alice.documents.addresses.invitations(second)
        dora = await town.client("dora")
        claimed = await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert [each.id for each in claimed.grants] == [second]
        with pytest.raises(NoGrant):
            await dora.documents.open(first, town.blobs)

    tell(tmp_path, story)


def test_what_has_ended_is_claimed_by_nobody(tmp_path: Path) -> None:  # PRV-5
    async def story(town: AddressTown, alice: Client) -> None:
        end = town.town.clock() + DAY
        _, invitation = await town.shared(alice, conditions=Conditions("", end))
        dora = await town.client("dora")
        town.town.now += 2 * DAY
        with pytest.raises(NoGrant):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert found.user_id is None
        _, again = await town.shared(alice)  # another identity, which is open
        town.wait()
        assert (await dora.documents.addresses.claim([again], checks=town.doras)).grants

    tell(tmp_path, story)


# --- what cannot be done ------------------------------------------------------------------------------


def test_without_a_pass_nothing_is_made(tmp_path: Path) -> None:  # PRV-3
    async def story(town: AddressTown, alice: Client) -> None:
        document = await sealed(alice, town.blobs)
        share = alice.documents.addresses.share
        for checks in (ServerChecks(key_server=KEY_SERVER), only(town.checks(), 1)):
            with pytest.raises(IdentityRefused):
                await share(document, DORA, checks=checks)
            granted = await alice.documents.grants(document)
            assert [each.recipient for each in granted] == [RecipientKind.USER]
            town.wait()

    tell(tmp_path, story)


def test_whom_nothing_is_shared_with(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        document, now = await sealed(alice, town.blobs), town.town.clock()
        share, checks = alice.documents.addresses.share, town.checks()
        for address in (PersonAddress(""), PersonAddress("x" * 321), PersonAddress("a@b.c", "No Kind")):
            with pytest.raises(UsageError):
                await share(document, address, checks=checks)
        for end in (now - 1, now + 400 * DAY):
            with pytest.raises(UsageError, match="within 366 days"):
                await share(document, DORA, conditions=Conditions("", end), checks=checks)
        with pytest.raises(NoGrant):
            await share(bytes(16), DORA, checks=checks)
        with pytest.raises(UsageError, match="no key server"):
            await share(document, DORA, checks=replace(checks, key_server=None))
        with pytest.raises(UsageError, match="another server"):
            await share(document, DORA, checks=replace(checks, key_server=RELAY))
        async with alice.transaction():
            with pytest.raises(UsageError, match="transaction"):
                await share(document, DORA, checks=checks)
        assert town.asked == 0
        assert town.count("make") == 0

    tell(tmp_path, story)


@pytest.mark.parametrize("wrong", [b"", b"\x80", b"\xff" * 40, b"\x81\x82\x01\x41\x00"])
def test_what_is_no_invitation_costs_no_code(tmp_path: Path, wrong: bytes) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        with pytest.raises(MalformedMessage):
            await alice.documents.addresses.claim([wrong], checks=town.checks())
        with pytest.raises(UsageError):
            await alice.documents.addresses.claim(["text"], checks=town.checks())  # type: ignore[list-item]
        with pytest.raises(UsageError, match="64 invitations"):
            await alice.documents.addresses.claim([wrong] * 65, checks=town.checks())
        with pytest.raises(UsageError, match="both servers"):
            await alice.documents.addresses.claim([], checks=only(town.checks(), 1))
        assert town.asked == 0

    tell(tmp_path, story)


def test_an_address_prints_nothing() -> None:
    assert ALICE not in repr(PersonAddress(ALICE))
