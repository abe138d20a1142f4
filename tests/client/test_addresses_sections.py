"""Sections of JSON documents are shared with addresses as documents are, and collections are not. PRV-15."""

from pathlib import Path

import pytest

from letterlock.client import Client
from letterlock.documents import Conditions, NoGrant, SubjectKind
from letterlock.errors import UsageError
from support.client_addresses import DORA, AddressTown, tell
from support.client_documents import CONTENT, reads, sealed
from support.client_json import VALUE, sections
from support.client_json import reads as reads_json


def test_sections_and_documents_are_claimed_with_one_invitation(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        data = (await alice.documents.json.seal(VALUE, sections([], []), town.blobs)).data
        await alice.documents.addresses.share_section(data, "clinic", DORA, checks=town.checks())
        document, invitation = await town.shared(alice)
        (shared,) = await alice.documents.addresses.all()
        assert len(shared.grants) == 2
        dora = await town.client("dora")
        claimed = await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert {each.kind for each in claimed.grants} == {SubjectKind.DOCUMENT, SubjectKind.SECTION}
        opened = await dora.documents.json.open(data)
        assert dict(opened.value) == {"dose": 5, "note": "allergic"}
        assert await reads_json(dora, opened.id, town.blobs) == dict(opened.value)
        assert await reads(dora, document, town.blobs) == CONTENT

    tell(tmp_path, story)


def test_a_section_is_granted_to_the_user_who_has_claimed_it(tmp_path: Path) -> None:  # PRV-8
    async def story(town: AddressTown, alice: Client) -> None:
        data = (await alice.documents.json.seal(VALUE, sections([], []), town.blobs)).data
        share = alice.documents.addresses.share_section
        made = await share(data, "clinic", DORA, conditions=Conditions("cough"), checks=town.checks())
        assert made.invitation is not None
        dora = await town.client("dora")
        await dora.documents.addresses.claim([made.invitation], checks=town.doras)
        await alice.meet("dora")
        await alice.documents.addresses.refresh()
        granted = (await alice.documents.json.grants(data))["clinic"]
        assert ("alice", "dora", "cough") in {(each.granter, each.reader, each.purpose) for each in granted}
        other = await share(data, "office", DORA)
        assert (other.invitation, other.reader) == (None, "dora")

    tell(tmp_path, story)


def test_a_section_is_withdrawn_and_its_invitation_shown_again(tmp_path: Path) -> None:  # PRV-6
    async def story(town: AddressTown, alice: Client) -> None:
        data = (await alice.documents.json.seal(VALUE, sections([], []), town.blobs)).data
        made = await alice.documents.addresses.share_section(data, "clinic", DORA, checks=town.checks())
        id_ = made.shared.grants[0].id
        assert await alice.documents.addresses.invitations(id_) == ((DORA, made.invitation),)
        await alice.documents.addresses.withdraw(DORA, document=id_)
        dora = await town.client("dora")
        assert made.invitation is not None
        with pytest.raises(NoGrant):
            await dora.documents.addresses.claim([made.invitation], checks=town.doras)
        assert await alice.documents.addresses.all() == ()

    tell(tmp_path, story)


def test_what_cannot_be_shared_with_an_address_says_what_can(tmp_path: Path) -> None:  # PRV-15
    async def story(town: AddressTown, alice: Client) -> None:
        share, checks = alice.documents.addresses.share, town.checks()
        practice = await alice.documents.collections.create("practice")
        with pytest.raises(UsageError, match="share its documents"):
            await share(practice, DORA, checks=checks)
        data = (await alice.documents.json.seal(VALUE, sections([], []), town.blobs)).data
        (section, *_) = (await alice.documents.json.grants(data))["clinic"]
        with pytest.raises(UsageError, match="share_section"):
            await share(section.id, DORA, checks=checks)
        with pytest.raises(UsageError, match="no section of this name"):
            await alice.documents.addresses.share_section(data, "surgery", DORA, checks=checks)
        with pytest.raises(NoGrant):
            await share(bytes(16), DORA, checks=checks)
        assert (town.count("make"), await alice.documents.addresses.all()) == (0, ())

    tell(tmp_path, story)


def test_a_section_that_is_not_open_here_is_shared_with_nobody(tmp_path: Path) -> None:
    async def story(town: AddressTown, alice: Client) -> None:
        bob = await town.client("bob")
        data = (await alice.documents.json.seal(VALUE, sections([], []), town.blobs)).data
        await bob.meet("alice")
        with pytest.raises(NoGrant):
            await bob.documents.addresses.share_section(data, "clinic", DORA, checks=town.checks())
        assert town.count("make") == 0

    tell(tmp_path, story)


def test_documents_of_a_collection_are_shared_one_by_one(tmp_path: Path) -> None:
    """The remedy that the error names: the grant is one of the document, and opens nothing else."""

    async def story(town: AddressTown, alice: Client) -> None:
        practice = await alice.documents.collections.create("practice")
        first = await sealed(alice, town.blobs, practice)
        second = await sealed(alice, town.blobs, practice)
        made = await alice.documents.addresses.share(first, DORA, checks=town.checks())
        dora = await town.client("dora")
        assert made.invitation is not None
        await dora.documents.addresses.claim([made.invitation], checks=town.doras)
        assert await reads(dora, first, town.blobs) == CONTENT
        with pytest.raises(NoGrant):
            await reads(dora, second, town.blobs)

    tell(tmp_path, story)


def test_the_key_of_a_collection_is_claimed_by_nobody(tmp_path: Path) -> None:  # PRV-15
    """A granter's software that shares one nevertheless: what else is in the invitation is claimed."""

    async def story(town: AddressTown, alice: Client) -> None:
        practice = await alice.documents.collections.create("practice")
        addresses, queue = alice.documents.addresses, alice._office.documents

        def epoch(*_: object) -> object:
            return queue.shelf.first_key(SubjectKind.COLLECTION, practice, 1)

        document, _ = await town.shared(alice)
        shared = addresses._share(epoch, DORA, Conditions(), town.checks())  # type: ignore[arg-type]
        invitation = (await shared).invitation
        assert invitation is not None
        dora = await town.client("dora")
        claimed = await dora.documents.addresses.claim([invitation], checks=town.doras)
        assert [each.id for each in claimed.grants] == [document]
        assert await dora.documents.collections.all() == ()

    tell(tmp_path, story)
