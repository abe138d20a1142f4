"""The granter's client learns of a claim by itself, and asks nobody without end. CLN-36, PRV-14."""

import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from letterlock import SqliteStore
from letterlock._wire.grant_subject import SubjectKind
from letterlock._wire.provisional_calls import IdentityMade
from letterlock.client import Client, RelayEvent, RelayEventKind, RelayUnavailable
from letterlock.documents import NoGrant
from letterlock.errors import UsageError
from letterlock.recovery import ServerAtFault
from support.client_addresses import DORA, AddressTown, lose, tell
from support.client_documents import CONTENT, reads, sealed
from support.client_town import Asked, happens

SERVERS = pytest.mark.parametrize("server", [1, 2])


async def _given(alice: Client, document: bytes) -> set[str | None]:
    return {each.reader for each in await alice.documents.grants(document) if each.granter == "alice"}


async def _pretends(mallory: Client, alice: Client, document: bytes) -> None:
    """Show alice a grant of a document by mallory to mallory, as whoever claims does."""
    queue = mallory._office.documents

    def show() -> None:
        subject, key = queue.shelf.first_key(SubjectKind.DOCUMENT, document, None)
        made = queue.shelf.result(queue.shelf.keep(subject, key))
        queue.parcels_out.show({alice.user_id}, made.wire)

    await mallory.run(show)
    await mallory.documents.refresh()
    await alice.documents.refresh()


async def _shared(town: AddressTown, alice: Client) -> tuple[Client, bytes]:
    """Return mallory, who can read a document that waits to be claimed by dora."""
    mallory = await town.client("mallory")
    await mallory.meet("alice")
    await alice.meet("mallory")
    document, _ = await town.shared(alice)
    await alice.documents.share(document, ["mallory"])
    await alice.flush()
    await alice.documents.refresh()
    assert await reads(mallory, document, town.blobs) == CONTENT
    return mallory, document


def test_a_claim_is_learned_without_a_call_or_a_code(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora, codes = await town.client("dora"), town.asked
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert RelayEvent(RelayEventKind.CLAIMED, "dora") in await happens(alice, RelayEventKind.CLAIMED)
        assert town.asked == codes + 2  # dora's own
        (found,) = await alice.documents.addresses.all()
        assert (found.user_id, await _given(alice, document)) == (dora.user_id, {"alice", "dora", None})

    tell(tmp_path, story)


def test_it_is_learned_after_a_restart_without_recovery(tmp_path: Path) -> None:
    """The passes are gone, and the key server was named to the earlier process alone."""

    async def story(town: AddressTown, _: Client) -> None:
        store = partial(SqliteStore, tmp_path / "granter.db", key=bytes(32))
        bert = await town.client("bert", store)
        invitation = (await town.shared(bert))[1]
        await bert.close()
        dora = await town.client("dora")
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        town.town.now += 86_400
        again = await town.town.stack.enter_async_context(await town.kind("bert").open(store))
        assert RelayEvent(RelayEventKind.CLAIMED, "dora") in await happens(again, RelayEventKind.CLAIMED)

    tell(tmp_path, story)


def test_nobody_is_asked_as_long_as_nothing_is_shown(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        await town.shared(alice)
        asked = town.count("make")
        bob = await town.client("bob")
        await bob.meet("alice")
        await sealed(bob, town.blobs, "alice")  # a grant that has nothing to do with it
        await bob.documents.refresh()
        for _ in range(3):
            await alice.documents.refresh()
        assert town.count("make") == asked

    tell(tmp_path, story)


def test_who_only_pretends_is_granted_nothing_and_costs_one_look(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        mallory, document = await _shared(town, alice)
        asked, given = town.count("make"), await _given(alice, document)
        await _pretends(mallory, alice, document)
        for _ in range(5):
            await alice.documents.refresh()
        assert town.count("make") == asked + 2
        assert await _given(alice, document) == given
        assert all(each.user_id is None for each in await alice.documents.addresses.all())
        assert all(each.kind is not RelayEventKind.CLAIMED for each in alice._office.events)

    tell(tmp_path, story)


@SERVERS
def test_one_server_beside_whoever_pretends_leads_nowhere(tmp_path: Path, server: int) -> None:  # PRV-8
    """It says that mallory has claimed it. The granter asks a few times more, and grants nothing."""

    async def story(town: AddressTown, alice: Client) -> None:
        mallory, document = await _shared(town, alice)
        given = await _given(alice, document)

        def lie(asked: object, made: object) -> object:
            is_it = getattr(asked, "server", 0) == server and isinstance(made, IdentityMade)
            return IdentityMade(None, mallory.user_id) if is_it else made

        town.changes.append(lie)  # type: ignore[arg-type]
        before = town.count("make")
        await _pretends(mallory, alice, document)
        for _ in range(40):
            await alice.documents.refresh()
        assert town.count("make") <= before + 48
        assert await _given(alice, document) == given

    tell(tmp_path, story)


@SERVERS
def test_a_server_that_is_away_is_asked_again_a_few_times(tmp_path: Path, server: int) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        rule = lose("MakeIdentity", server)
        town.rules.append(rule)
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        for _ in range(3):
            await alice.documents.refresh()
        assert all(each.user_id is None for each in await alice.documents.addresses.all())
        town.rules.remove(rule)
        await alice.documents.refresh()
        (found,) = await alice.documents.addresses.all()
        assert found.user_id == dora.user_id

    tell(tmp_path, story)


def test_what_the_relay_withholds_is_learned_by_refresh(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        town.town.rules.append(_away)
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        await alice.meet("dora")
        (found,) = await alice.documents.addresses.refresh()  # without an answer to any check
        assert found.user_id == dora.user_id
        assert "dora" in await _given(alice, document)

    tell(tmp_path, story)


def test_claims_that_the_servers_dispute_are_told_by_refresh_alone(tmp_path: Path) -> None:  # PRV-8
    async def story(town: AddressTown, alice: Client) -> None:
        mallory, document = await _shared(town, alice)
        others = {1: mallory.user_id, 2: bytes(32)}

        def dispute(asked: object, made: object) -> object:
            return (
                IdentityMade(None, others[getattr(asked, "server", 0)])
                if isinstance(made, IdentityMade)
                else made
            )

        town.changes.append(dispute)  # type: ignore[arg-type]
        before = town.count("make")
        await _pretends(mallory, alice, document)
        await alice.documents.refresh()
        assert town.count("make") == before + 2
        with pytest.raises(ServerAtFault, match="different users"):
            await alice.documents.addresses.refresh()
        assert all(each.user_id is None for each in await alice.documents.addresses.all())

    tell(tmp_path, story)


def _away(asked: Asked) -> None:
    if (asked.client, asked.name) == ("alice", "shelf"):
        raise RelayUnavailable("down")


def test_what_was_claimed_before_it_was_withdrawn_is_said(tmp_path: Path) -> None:  # PRV-6
    """The relay kept the claim from the granter. Nothing is granted to whoever claimed."""

    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        await alice.meet("dora")
        town.town.rules.append(_away)
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert await alice.documents.addresses.withdraw(DORA) == (dora.user_id,)
        assert await alice.documents.addresses.all() == ()
        assert "dora" not in await _given(alice, document)

    tell(tmp_path, story)


def test_one_of_two_documents_that_was_claimed_before_is_said_too(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        first, _ = await town.shared(alice)
        second, invitation = await town.shared(alice)
        dora = await town.client("dora")
        await alice.meet("dora")
        town.town.rules.append(_away)
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert await alice.documents.addresses.withdraw(DORA, document=first) == (dora.user_id,)
        town.town.rules.clear()
        await alice.documents.addresses.refresh()
        assert "dora" not in await _given(alice, first)
        assert "dora" in await _given(alice, second)

    tell(tmp_path, story)


@SERVERS
def test_one_server_says_of_nobody_that_they_had_claimed_it(tmp_path: Path, server: int) -> None:  # PRV-8
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")

        def lie(asked: object, made: object) -> object:
            is_it = getattr(asked, "server", 0) == server and isinstance(made, IdentityMade)
            return IdentityMade(None, dora.user_id) if is_it else made

        town.changes.append(lie)  # type: ignore[arg-type]
        assert await alice.documents.addresses.withdraw(DORA) == ()
        town.changes.clear()
        assert await alice.documents.addresses.all() == ()
        with pytest.raises(NoGrant):
            await dora.documents.addresses.claim([invitation], checks=town.doras)

    tell(tmp_path, story)


def test_without_the_extra_nobody_looks_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that was installed anew without `recovery`, on the store of an earlier one."""

    class Missing(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise UsageError(f"recovery needs voprf, for {name}")

    async def story(town: AddressTown, alice: Client) -> None:
        mallory, document = await _shared(town, alice)
        asked, name = town.count("make"), "letterlock.client._client_addresses"
        monkeypatch.setitem(sys.modules, name, Missing(name))
        await _pretends(mallory, alice, document)
        await alice.documents.refresh()
        assert town.count("make") == asked
        assert all(each.kind is not RelayEventKind.FAILED for each in alice._office.events)

    tell(tmp_path, story)
