"""Servers that lie, one at a time: what they get, and what they cannot get.

PRV-4 to PRV-12. Not here: thieves of a mailbox (test_addresses_thieves.py).
"""

from pathlib import Path

import pytest

from letterlock._primitives import hpke
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.xwing import XWingKeyPair, XWingPublicKey, XWingSeed
from letterlock._wire.provisional_calls import ClaimIdentities, IdentityMade, MakeIdentity, SeedsReleased
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import RelayCode
from letterlock.client import Client, PersonAddress, RelayEventKind
from letterlock.client._transport import Reply
from letterlock.documents import Conditions, NoGrant
from letterlock.recovery import RecoveryRefused, ServerAtFault
from support.client_addresses import DORA, AddressTown, tell
from support.client_documents import kept, reads, sealed
from support.client_recovery import Change, RecoveryAsked, refused

SERVERS = pytest.mark.parametrize("server", [1, 2])


EVE = PersonAddress("eve@example.org")


def _soon(town: AddressTown) -> Conditions:
    """Return an end that comes before all others, so that it is looked at first."""
    return Conditions(valid_until=town.town.clock() + 3600)


async def _granted_to(alice: Client, document: bytes, reader: str) -> bool:
    """Return whether alice has granted a document to a reader herself."""
    found = {(each.granter, each.reader) for each in await alice.documents.grants(document)}
    return ("alice", reader) in found


def another_key() -> IdentityMade:
    return IdentityMade(XWingKeyPair(XWingSeed(system_entropy(32))).public, None)


def lie(server: int, told: type[RelayBody], instead: RelayBody) -> Change:
    """Return a change of what one server answers."""

    def change(asked: RecoveryAsked, given: RelayBody) -> RelayBody:
        return instead if asked.server == server and isinstance(given, told) else given

    return change


# --- to the granter -----------------------------------------------------------------------------------


@SERVERS
def test_a_server_that_answers_nonsense_keeps_no_seeds_at_the_other_one(tmp_path: Path, server: int) -> None:
    """PRV-6: one honest server is enough, whatever the other one says."""

    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        town.changes.append(lie(server, DoneAnswer, another_key()))
        for _ in range(2):
            with pytest.raises(ServerAtFault):
                await alice.documents.addresses.withdraw(DORA, checks=town.checks())
        (row,) = await alice._office.run(alice.documents.addresses._book.rows)
        assert row[1].told == 3 - server
        town.changes.clear()
        with pytest.raises(NoGrant):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert await alice.documents.addresses.refresh(checks=town.checks()) == ()

    tell(tmp_path, story)


def test_two_equal_keys_are_refused(tmp_path: Path) -> None:  # PRV-4
    async def story(town: AddressTown, alice: Client) -> None:
        document, same = await sealed(alice, town.blobs), another_key()
        town.changes += [lie(1, IdentityMade, same), lie(2, IdentityMade, same)]
        with pytest.raises(ServerAtFault, match="same key"):
            await alice.documents.addresses.share(document, DORA, checks=town.checks())
        assert len(await alice.documents.grants(document)) == 1

    tell(tmp_path, story)


@SERVERS
def test_another_key_than_before_is_refused(tmp_path: Path, server: int) -> None:  # PRV-10
    async def story(town: AddressTown, alice: Client) -> None:
        await town.shared(alice)
        document = await sealed(alice, town.blobs)
        town.changes.append(lie(server, IdentityMade, another_key()))
        with pytest.raises(ServerAtFault) as caught:
            await alice.documents.addresses.share(document, DORA, checks=town.checks())
        assert caught.value.server == server
        assert len(await alice.documents.grants(document)) == 1

    tell(tmp_path, story)


@SERVERS
def test_a_key_of_its_own_lets_a_server_open_nothing(tmp_path: Path, server: int) -> None:  # PRV-5
    """A server that lies from the start has one half. The person cannot claim, and nothing is lost."""

    async def story(town: AddressTown, alice: Client) -> None:
        town.changes.append(lie(server, IdentityMade, another_key()))
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        with pytest.raises(NoGrant, match="keys of the servers"):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert town.count("claimed") == 0

    tell(tmp_path, story)


@SERVERS
def test_one_server_that_says_claimed_leads_to_another_identity(tmp_path: Path, server: int) -> None:
    """PRV-8. It is granted to nobody whom one server names, and the event is not told."""

    async def story(town: AddressTown, alice: Client) -> None:
        await town.shared(alice)
        mallory = await town.client("mallory")
        await alice.meet("mallory")
        document = await sealed(alice, town.blobs)
        town.changes.append(lie(server, IdentityMade, IdentityMade(None, mallory.user_id)))
        for _ in range(2):
            with pytest.raises(RecoveryRefused, match="only one server"):
                await alice.documents.addresses.share(document, DORA, checks=town.checks())
        await alice.documents.addresses.refresh(checks=town.checks())
        town.changes.clear()
        made = await alice.documents.addresses.share(document, DORA, checks=town.checks())
        assert made.invitation is not None
        assert all(each.reader != "mallory" for each in await alice.documents.grants(document))
        assert all(each.user_id is None for each in await alice.documents.addresses.all())
        assert all(each.kind is not RelayEventKind.CLAIMED for each in alice._office.events)

    tell(tmp_path, story)


@SERVERS
def test_a_server_that_names_another_user_is_not_believed(tmp_path: Path, server: int) -> None:  # PRV-8
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        mallory, dora = await town.client("mallory"), await town.client("dora")
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        for each in ("mallory", "dora"):
            await alice.meet(each)
        town.changes.append(lie(server, IdentityMade, IdentityMade(None, mallory.user_id)))
        with pytest.raises(ServerAtFault):
            await alice.documents.addresses.refresh(checks=town.checks())
        with pytest.raises(ServerAtFault):
            await alice.documents.addresses.share(document, DORA, checks=town.checks())
        town.changes.clear()
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert found.user_id == dora.user_id
        assert all(each.reader != "mallory" for each in await alice.documents.grants(document))

    tell(tmp_path, story)


# --- to the person ------------------------------------------------------------------------------------


@SERVERS
def test_a_server_that_releases_nothing_only_delays(tmp_path: Path, server: int) -> None:  # PRV-5
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        town.changes.append(lie(server, SeedsReleased, SeedsReleased(())))
        with pytest.raises(NoGrant):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert town.count("claimed") == 0
        town.changes.clear()
        town.wait()
        assert (await dora.documents.addresses.claim([invitation], checks=town.doras)).grants

    tell(tmp_path, story)


@SERVERS
def test_seeds_that_are_not_for_the_key_that_asked(tmp_path: Path, server: int) -> None:  # PRV-5
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")

        def spoil(asked: RecoveryAsked, given: RelayBody) -> RelayBody:
            if isinstance(given, SeedsReleased) and asked.server == server:
                return SeedsReleased(tuple((id_, bytes(len(each))) for id_, each in given.seeds))
            return given

        town.changes.append(spoil)
        with pytest.raises(ServerAtFault) as caught:
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert caught.value.server == server
        assert await kept(dora) == []

    tell(tmp_path, story)


@SERVERS
def test_a_claim_that_one_server_refuses_is_not_told_to_the_other(tmp_path: Path, server: int) -> None:
    """PRV-12."""

    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")

        def refuse(asked: RecoveryAsked) -> Reply | None:
            is_it = isinstance(asked.request, ClaimIdentities) and asked.server == server
            return refused(RelayCode.REFUSED) if is_it else None

        town.rules.append(refuse)
        claimed = await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert claimed.disputed == 1
        assert town.calls[2, "claimed"] == server - 1
        assert await reads(dora, document, town.blobs)

    tell(tmp_path, story)


@SERVERS
def test_a_server_that_only_says_it_took_the_claim(tmp_path: Path, server: int) -> None:  # PRV-8
    """It keeps its seed. The other one has deleted its own, so a later thief gets half."""

    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")

        def swallow(asked: RecoveryAsked) -> Reply | None:
            is_it = isinstance(asked.request, ClaimIdentities) and asked.server == server
            return Reply(200, DoneAnswer().encode()) if is_it else None

        town.rules.append(swallow)
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        thief = await town.client("eve")
        town.wait()
        with pytest.raises(NoGrant):
            await thief.documents.addresses.claim([invitation], checks=town.doras)
        assert town.calls[3 - server, "claimed"] == 1

    tell(tmp_path, story)


@SERVERS
def test_one_identity_that_is_disputed_hides_no_other_claim(tmp_path: Path, server: int) -> None:  # PRV-8
    """The servers name two users for what was shared with eve. What dora has claimed goes to dora."""

    async def story(town: AddressTown, alice: Client) -> None:
        mallory, dora = await town.client("mallory"), await town.client("dora")
        share = alice.documents.addresses.share
        await share(await sealed(alice, town.blobs), EVE, conditions=_soon(town), checks=town.checks())
        disputed = {each.id for each in await alice.documents.addresses.all()}
        document, invitation = await town.shared(alice)
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        await alice.meet("dora")

        def dispute(asked: RecoveryAsked, given: RelayBody) -> RelayBody:
            if not isinstance(asked.request, MakeIdentity) or asked.request.id not in disputed:
                return given
            return IdentityMade(None, mallory.user_id if asked.server == server else dora.user_id)

        town.changes.append(dispute)
        with pytest.raises(ServerAtFault, match="different users"):
            await alice.documents.addresses.refresh(checks=town.checks())
        assert await _granted_to(alice, document, "dora")

    tell(tmp_path, story)


@SERVERS
def test_a_claim_that_came_late_to_one_server_is_seen(tmp_path: Path, server: int) -> None:  # PRV-8
    """While one server says that nobody has claimed it, the granter looks again later."""

    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        await alice.meet("dora")
        town.changes.append(lie(server, IdentityMade, another_key()))
        await alice.documents.addresses.refresh(checks=town.checks())
        assert all(each.user_id is None for each in await alice.documents.addresses.all())
        town.changes.clear()
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert found.user_id == dora.user_id
        assert await _granted_to(alice, document, "dora")

    tell(tmp_path, story)


def _sealed_for_nobody(server: int, asking: XWingPublicKey, id_: bytes) -> bytes:
    """Return a seed of a server's own, sealed as it seals the right one."""
    return hpke.seal(asking, SeedsReleased.info(server, id_), system_entropy(32))


@SERVERS
def test_a_wrong_seed_opens_nothing_and_ends_nothing(tmp_path: Path, server: int) -> None:  # PRV-5, PRV-11
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")

        def other(asked: RecoveryAsked, given: RelayBody) -> RelayBody:
            if not isinstance(given, SeedsReleased) or asked.server != server:
                return given
            key = asked.request.key
            return SeedsReleased(tuple((id_, _sealed_for_nobody(server, key, id_)) for id_, _ in given.seeds))

        town.changes.append(other)
        with pytest.raises(NoGrant, match="keys of the servers"):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert town.count("claimed") == 0
        town.changes.clear()
        town.wait()
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert await reads(dora, document, town.blobs)

    tell(tmp_path, story)
