"""What dies in between: the granter and the person go on, nothing is lost, and there is no second identity.

CLN-32, PRV-10, PRV-11.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from letterlock import MemoryStore, SqliteStore
from letterlock._wire.provisional_calls import ClaimIdentities
from letterlock._wire.relay_body import DoneAnswer
from letterlock._wire.relay_shelf import ShelveAnswer, ShelveOutcome
from letterlock.client import Client, RecoveryLack, RelayUnavailable
from letterlock.client._shelf_rows import MAX_FAILURES
from letterlock.client._transport import Reply
from letterlock.documents import NoGrant
from letterlock.errors import StoreError
from letterlock.stores import EntryKind
from support.client_addresses import DORA, AddressTown, lose, tell
from support.client_documents import kept, reads, sealed, waiting
from support.client_recovery import BOTH, KEY_SERVER, RecoveryAsked, hardness, linked
from support.client_town import Asked
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]


@pytest.mark.parametrize("server", [1, 2])
def test_an_answer_to_make_is_lost(tmp_path: Path, server: int) -> None:  # PRV-10
    """After one server has made a key, or both: the same identity is asked for again."""

    async def story(town: AddressTown, alice: Client) -> None:
        document = await sealed(alice, town.blobs)
        ids = set[bytes]()

        def note(asked: Any) -> None:
            if type(asked.request).__name__ == "MakeIdentity":
                ids.add(asked.request.id)

        town.rules += [note, lose("MakeIdentity", server, after=1)]
        with pytest.raises(RelayUnavailable):
            await alice.documents.addresses.share(document, DORA, checks=town.checks())
        town.rules.pop()
        assert (await alice.documents.addresses.all())[0].grants == ()
        made = await alice.documents.addresses.share(document, DORA, checks=town.checks())
        assert len(ids) == 1
        assert await kept(alice, EntryKind.INVITED) == [1]
        dora = await town.client("dora")
        assert made.invitation is not None
        assert (await dora.documents.addresses.claim([made.invitation], checks=town.doras)).grants

    tell(tmp_path, story)


def test_a_granter_that_dies_before_the_grant_or_after_it(tmp_path: Path) -> None:  # PRV-10
    async def story(town: AddressTown, _: Client) -> None:
        store = partial(SqliteStore, tmp_path / "person.db", key=bytes(32))
        bert = await town.client("bert", store)
        document = await sealed(bert, town.blobs)
        addresses = bert.documents.addresses
        book = addresses._book
        granted = book.granted
        for dies_after in (False, True):

            def die(*what: Any, after: bool = dies_after) -> Any:
                if after:
                    granted(*what)
                raise StoreError("killed")

            book.__class__.granted, plain = die_of(die), book.__class__.granted  # type: ignore[method-assign]
            try:
                with pytest.raises(StoreError, match="killed"):
                    await addresses.share(document, DORA, checks=town.checks())
            finally:
                book.__class__.granted = plain  # type: ignore[method-assign]
            assert await kept(bert, EntryKind.INVITED) == [1]
            assert len(await bert.documents.grants(document)) == 1  # nothing of it was committed
        await bert.close()
        again = await town.town.stack.enter_async_context(await town.kind("bert").open(store))
        town.wait()
        made = await again.documents.addresses.share(document, DORA, checks=town.checks())
        assert made.invitation is not None
        (found,) = await again.documents.addresses.all()
        assert found.grants == tuple(each.hash for each in made.shared.grants)
        ((address, invitation),) = await again.documents.addresses.invitations(document)
        assert (address, invitation) == (DORA, made.invitation)

    tell(tmp_path, story)


def die_of(function: Callable[..., Any]) -> Any:
    return lambda _, *what: function(*what)


@pytest.mark.parametrize(
    ("name", "server", "is_claimed"),
    [
        ("ReleaseSeeds", 1, False), ("ReleaseSeeds", 2, False),
        ("ClaimIdentities", 1, True), ("ClaimIdentities", 2, True),
    ],
)  # fmt: skip
def test_a_claim_that_dies_goes_on(tmp_path: Path, name: str, server: int, is_claimed: bool) -> None:
    """PRV-11. Once the grants are the user's own, no invitation is needed to go on."""

    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        store = partial(SqliteStore, tmp_path / "person.db", key=bytes(32))
        dora = await town.client("dora", store)
        town.rules.append(lose(name, server))
        with pytest.raises(RelayUnavailable):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert (await kept(dora, EntryKind.CLAIMED)) == [int(is_claimed)]
        town.rules.clear()
        await dora.close()
        again = await town.town.stack.enter_async_context(await town.kind("dora").open(store))
        town.wait()
        if is_claimed:
            await again.documents.addresses.claim(checks=town.doras)
        else:
            await again.documents.addresses.claim([invitation], checks=town.doras)
        assert await kept(again, EntryKind.CLAIMED) == [0]
        assert await reads(again, document, town.blobs)
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert found.user_id == again.user_id

    tell(tmp_path, story)


def test_no_server_is_told_before_the_grants_are_on_the_own_shelf(tmp_path: Path) -> None:  # PRV-11
    """A device is lost after a claim whose parcels went nowhere: the seeds are still there."""

    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        phone = await linked(town, dora)

        town.town.rules.append(_full)
        for _ in range(2):
            with pytest.raises(RelayUnavailable, match="nothing is lost"):
                await dora.documents.addresses.claim([invitation], checks=town.doras)
            town.wait()
        assert town.count("claimed") == 0
        await dora.close()
        with pytest.raises(NoGrant):
            await reads(phone, document, town.blobs)
        claimed = await phone.documents.addresses.claim([invitation], checks=town.doras)
        assert claimed.grants
        assert town.count("claimed") == 2

    tell(tmp_path, story)


def test_a_parcel_that_was_refused_for_long_is_not_taken_for_one_that_is_there(tmp_path: Path) -> None:
    """PRV-11. After 30 days of a full shelf, the grant is still in this store alone."""

    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")

        def age() -> None:
            rows = dora._office.documents.rows.parcels
            for key, each in rows.due():
                rows.save(key, replace(each, failures=MAX_FAILURES), 0)

        town.town.rules.append(_full)
        for given in ([invitation], [invitation], []):
            with pytest.raises(RelayUnavailable, match="nothing is lost"):
                await dora.documents.addresses.claim(given, checks=town.doras)
            await dora.run(age)
            town.wait()
        assert town.count("claimed") == 0
        town.town.rules.clear()
        await dora.documents.addresses.claim(checks=town.doras)
        assert town.count("claimed") == 2

    tell(tmp_path, story)


def test_the_same_claim_again_and_again_makes_one_grant(tmp_path: Path) -> None:  # PRV-11
    """While the shelf is full, and on a device that knows nothing of the claim of the other one."""

    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        phone = await linked(town, dora)
        town.town.rules.append(_full)
        for _ in range(3):
            with pytest.raises(RelayUnavailable, match="nothing is lost"):
                await dora.documents.addresses.claim([invitation], checks=town.doras)
            town.wait()
        own = [each.hash for each in await dora.documents.grants(document) if each.granter == "dora"]
        assert len(own) == 1
        assert await waiting(dora) == 2  # for dora's own shelf, and for alice
        town.town.rules.clear()
        claimed = await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert [each.hash for each in claimed.grants] == own
        await phone.documents.refresh()
        town.wait()
        late = await phone.documents.addresses.claim([invitation], checks=town.doras)
        assert (late.grants, await waiting(phone)) == ((), 0)
        assert [each.hash for each in await phone.documents.grants(document)] == own

    tell(tmp_path, story)


def test_a_server_that_releases_again_makes_no_second_grant(tmp_path: Path) -> None:  # PRV-7
    """Both servers were restored from a backup: the seeds are there again, and the claim is told again."""

    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        town.rules.append(_swallow)
        first = await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert await kept(dora, EntryKind.CLAIMED) == [0]
        town.rules.clear()
        town.wait()
        again = await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert [each.hash for each in again.grants] == [each.hash for each in first.grants]
        assert sum(each.granter == "dora" for each in await dora.documents.grants(document)) == 1
        assert await waiting(dora) == 0
        assert town.count("claimed") == 4

    tell(tmp_path, story)


def _full(asked: Asked) -> Reply | None:
    if (asked.client, asked.name) != ("dora", "shelve"):
        return None
    outcomes = (ShelveOutcome.FULL,) * len(asked.request.parcels)
    return Reply(200, ShelveAnswer(outcomes).encode())


def _swallow(asked: RecoveryAsked) -> Reply | None:
    return Reply(200, DoneAnswer().encode()) if isinstance(asked.request, ClaimIdentities) else None


def test_what_is_told_of_one_address_is_not_told_with_another_ones_pass(tmp_path: Path) -> None:  # PRV-11
    """A server would pass over it without a word, and keep the seed."""

    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        town.rules.append(lose("ClaimIdentities", 1))
        with pytest.raises(RelayUnavailable):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        town.rules.clear()
        await dora.documents.addresses.claim(checks=town.checks("work@example.org"))
        assert await kept(dora, EntryKind.CLAIMED) == [1]
        town.wait()
        await dora.documents.addresses.claim(checks=town.doras)
        assert await kept(dora, EntryKind.CLAIMED) == [0]
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert found.user_id == dora.user_id

    tell(tmp_path, story)


def test_a_claim_goes_on_with_the_address_in_another_spelling(tmp_path: Path) -> None:  # PRV-13
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        town.rules.append(lose("ClaimIdentities", 1))
        with pytest.raises(RelayUnavailable):
            await dora.documents.addresses.claim([invitation], checks=town.doras)
        town.rules.clear()
        town.wait()
        await dora.documents.addresses.claim(checks=town.checks("Dora@EXAMPLE.org"))
        assert await kept(dora, EntryKind.CLAIMED) == [0]

    tell(tmp_path, story)


@pytest.mark.usefixtures("cheap")
def test_what_was_claimed_comes_back_after_the_loss_of_every_device(tmp_path: Path) -> None:  # PRV-11
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        await dora.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        while RecoveryLack.BOX in (await dora.recovery.status()).missing:  # the granter is a contact now
            await dora.recovery.refresh()
        await dora.close()
        town.gates.clear()  # here the lock is behind no check
        town.wait()
        fresh = await town.kind("fresh").recover(MemoryStore(), name="dora", password=PASSWORD, servers=BOTH)
        await town.town.stack.enter_async_context(fresh)
        assert await reads(fresh, document, town.blobs)

    tell(tmp_path, story)


def test_two_devices_of_the_person_claim_at_once(tmp_path: Path) -> None:  # PRV-7
    async def story(town: AddressTown, alice: Client) -> None:
        document, invitation = await town.shared(alice)
        dora = await town.client("dora")
        phone = await linked(town, dora)
        both = await asyncio.gather(
            dora.documents.addresses.claim([invitation], checks=town.doras),
            phone.documents.addresses.claim([invitation], checks=town.doras),
            return_exceptions=True,
        )
        failed = [each for each in both if isinstance(each, BaseException)]
        for each, client in zip(both, (dora, phone), strict=True):
            if isinstance(each, BaseException):  # its code was overtaken, or it has to wait for another one
                assert isinstance(each, Exception)
                town.wait()
                assert (await client.documents.addresses.claim([invitation], checks=town.doras)).disputed == 0
        assert len(failed) < 2
        for client in (dora, phone):
            assert await reads(client, document, town.blobs)
        (found,) = await alice.documents.addresses.refresh(checks=town.checks())
        assert found.user_id == dora.user_id

    tell(tmp_path, story)


def test_a_device_that_is_late_finds_everything_done(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        _, invitation = await town.shared(alice)
        dora = await town.client("dora")
        phone = await linked(town, dora)
        await dora.documents.addresses.claim([invitation], checks=town.doras)
        town.wait()
        late = await phone.documents.addresses.claim([invitation], checks=town.doras)
        assert (late.grants, late.unopened, late.disputed) == ((), 0, 0)
        stranger = await town.client("eve")
        with pytest.raises(NoGrant):
            await stranger.documents.addresses.claim([invitation], checks=town.checks("eve@example.org"))

    tell(tmp_path, story)
