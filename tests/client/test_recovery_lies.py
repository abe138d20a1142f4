"""One of the two servers lies to a client of recovery: it is found out, or does no more than refuse."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from letterlock import MemoryStore
from letterlock._primitives import voprf
from letterlock._primitives.voprf import OprfSeed
from letterlock._wire.recovery_find import UserFound
from letterlock._wire.recovery_kept import BoxKept, PutBox
from letterlock._wire.relay_body import DoneAnswer, RelayBody
from letterlock._wire.relay_error import RelayCode
from letterlock.client import RelayUnavailable, ServerUnavailable
from letterlock.client._transport import Reply
from letterlock.errors import LetterlockError, UsageError
from letterlock.recovery import (
    BoxRefused,
    EvaluateLock,
    Hardness,
    LockBegun,
    LockEvaluated,
    LocksShown,
    RecoveryRefused,
    ServerAtFault,
    SettleLock,
    WrongPassword,
)
from letterlock.user import InvalidDeviceList
from support.client_recovery import (
    KEY_SERVER,
    RecoveryAsked,
    Servers,
    back,
    hardness,
    linked,
    lost,
    refused,
)
from support.client_town import Asked, Town, play
from support.client_town import refusal as relay_refusal
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")

Lie = Callable[[RecoveryAsked, Any], RelayBody]
OTHER = OprfSeed(bytes(range(32)))


def lies(servers: Servers, server: int, kind: type[RelayBody], lie: Lie) -> None:
    """Have a server lie in its answers of one kind."""

    def change(asked: RecoveryAsked, given: RelayBody) -> RelayBody:
        return lie(asked, given) if asked.server == server and isinstance(given, kind) else given

    servers.changes.append(change)


async def is_found_out(servers: Servers, expected: type[LetterlockError], match: str | None = None) -> None:
    """Recover; check that it is refused, that the store stays empty, and that it works without the lie."""
    store = MemoryStore()
    with pytest.raises(expected, match=match):
        await back(servers, store)
    servers.changes.clear()
    servers.rules.clear()
    await (await back(servers)).close()


def tell(
    tmp_path: Path,
    server: int,
    kind: type[RelayBody],
    lie: Lie,
    expected: type[LetterlockError],
    match: str | None = None,
) -> None:
    """Play a recovery in which a server tells one lie."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        await lost(servers)
        lies(servers, server, kind, lie)
        await is_found_out(servers, expected, match)

    play(tmp_path, story)


def of_another_key(asked: RecoveryAsked, given: LockEvaluated) -> LockEvaluated:
    return replace(given, evaluation=voprf.evaluate(OTHER, asked.request.blinded))


@pytest.mark.parametrize("server", [1, 2])
def test_an_evaluation_under_another_key_is_that_servers_fault(tmp_path: Path, server: int) -> None:
    """REC-7: the user is not told that the password is wrong."""
    tell(tmp_path, server, LockEvaluated, of_another_key, ServerAtFault, f"server {server}")


def softer(asked: RecoveryAsked, given: LocksShown) -> LocksShown:
    """Show a lock that takes less memory."""
    del asked
    locks = tuple(replace(each, hardness=Hardness(1, 9000)) for each in given.locks)
    return replace(given, locks=locks)


def none(asked: RecoveryAsked, given: LocksShown) -> LocksShown:
    del asked
    return replace(given, locks=())


@pytest.mark.parametrize("lie", [softer, none])
@pytest.mark.parametrize("server", [1, 2])
def test_a_lock_that_only_one_shows_is_a_fault_of_one_of_them(tmp_path: Path, server: int, lie: Lie) -> None:
    """REC-6"""
    tell(tmp_path, server, LocksShown, lie, ServerAtFault, "one of the two")


def test_another_user_under_the_name_opens_nothing(tmp_path: Path) -> None:
    """Server 1 leads to a lock of its own, which the password does not open."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        await lost(servers)
        mallory = await servers.client("mallory")
        await mallory.recovery.setup("a trap of hers", KEY_SERVER, hardness=hardness())
        lies(servers, 1, UserFound, lambda asked, given: UserFound(mallory.user_id))
        await is_found_out(servers, WrongPassword)

    play(tmp_path, story)


def test_another_user_with_the_same_password_is_noticed_by_the_name(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        await lost(servers)
        mallory = await servers.client("mallory")
        await mallory.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        lies(servers, 1, UserFound, lambda asked, given: UserFound(mallory.user_id))
        await is_found_out(servers, BoxRefused, "another name")

    play(tmp_path, story)


# --- boxes and lists ------------------------------------------------------------------------------------

BOXES: dict[str, tuple[Callable[[BoxKept], BoxKept], type[LetterlockError]]] = {
    "no box": (lambda kept: replace(kept, card=None, box=None), BoxRefused),
    "a damaged box": (lambda kept: replace(kept, box=(kept.box or b"")[::-1]), BoxRefused),
    "no lists": (lambda kept: replace(kept, newest=0, lists=()), ServerAtFault),
    "lists that are none": (lambda kept: replace(kept, lists=(b"\0",)), ServerAtFault),
    "an older list": (lambda kept: replace(kept, newest=1, lists=kept.lists[:1]), InvalidDeviceList),
    "lists that never end": (lambda kept: replace(kept, newest=9, lists=kept.lists[:0]), ServerAtFault),
}


@pytest.mark.parametrize("what", BOXES)
def test_a_box_or_lists_that_are_wrong(tmp_path: Path, what: str) -> None:
    """REC-14"""
    lie, expected = BOXES[what]
    tell(tmp_path, 1, BoxKept, lambda asked, given: lie(given), expected)


def test_a_box_from_before_a_revocation_brings_nobody_back(tmp_path: Path) -> None:
    """REC-14: it lacks the newest seed, so the documents of since would be lost without a word."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        second = await linked(servers, alice)
        await second.close()  # it would make boxes as well
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        old = servers.boxes[alice.user_id]
        await alice.revoke(second.address.device_id)
        await alice.recovery.refresh()
        while servers.boxes[alice.user_id].number == old.number:
            await alice.recovery.refresh()
        await alice.close()
        lies(servers, 1, BoxKept, lambda asked, given: replace(given, box=old.box))
        await is_found_out(servers, BoxRefused, "newer one")

    play(tmp_path, story)


def test_a_card_of_server_one_is_not_sealed_to(tmp_path: Path) -> None:
    """REC-13: it would read the box."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        mallory = await servers.client("mallory")
        await mallory.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        second = await linked(servers, alice)
        forged = servers.boxes[mallory.user_id].card
        lies(servers, 1, BoxKept, lambda asked, given: replace(given, card=forged))
        before = servers.calls[1, "put-box"]
        await second.recovery.refresh()
        assert servers.calls[1, "put-box"] == before

    play(tmp_path, story)


# --- changes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", [1, 2])
def test_a_new_lock_under_a_key_that_was_not_proven(tmp_path: Path, server: int) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        lies(servers, server, LockBegun, lambda asked, given: replace(given, public=voprf.public_key(OTHER)))
        with pytest.raises(ServerAtFault, match=f"server {server}"):
            await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        servers.changes.clear()
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await alice.close()
        await (await back(servers)).close()

    play(tmp_path, story)


@pytest.mark.parametrize("server", [1, 2])
def test_a_server_that_refuses_each_lock_leaves_the_one_before(tmp_path: Path, server: int) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())

        def refuse(asked: RecoveryAsked) -> Reply | None:
            is_it = asked.server == server and isinstance(asked.request, SettleLock)
            return refused(RelayCode.REFUSED) if is_it else None

        servers.rules.append(refuse)
        with pytest.raises(RecoveryRefused):
            await alice.recovery.change_password("another horse", old=PASSWORD, hardness=hardness())
        servers.rules.clear()
        await alice.close()
        await (await back(servers)).close()

    play(tmp_path, story)


@pytest.mark.parametrize("server", [1, 2])
def test_a_settled_lock_that_is_not_held_is_noticed_when_it_is_asked_for(tmp_path: Path, server: int) -> None:
    """A server says that it took the lock, and has forgotten it: the servers disagree."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")

        def forget(asked: RecoveryAsked) -> Reply | None:
            is_it = asked.server == server and asked.request.NUMBER in {34, 35}
            return Reply(200, DoneAnswer().encode()) if is_it else None

        servers.rules.append(forget)
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        assert {each.value for each in (await alice.recovery.status()).missing} == {"servers disagree"}

    play(tmp_path, story)


@pytest.mark.parametrize("code", [RelayCode.MALFORMED, RelayCode.SLOW_DOWN, RelayCode.UNAVAILABLE])
def test_a_server_that_gives_no_answer_costs_no_use_at_the_other(tmp_path: Path, code: RelayCode) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        await lost(servers)

        def refuse(asked: RecoveryAsked) -> Reply | None:
            is_it = asked.server == 2 and isinstance(asked.request, EvaluateLock)
            return refused(code, 1) if is_it else None

        servers.rules.append(refuse)
        before = servers.calls[1, "evaluate"]
        with pytest.raises(ServerUnavailable) as away:
            await back(servers)
        assert away.value.server == 2
        assert servers.calls[1, "evaluate"] == before

    play(tmp_path, story)


def test_a_recovery_that_another_list_overtook_begins_again(tmp_path: Path) -> None:
    """CLN-26: nobody knows the fresh device, and its store is deleted."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        await lost(servers)

        def overtaken(asked: Asked) -> Reply | None:
            return relay_refusal(RelayCode.CONFLICT, 9) if asked.name == "append" else None

        town.rules.append(overtaken)
        path = tmp_path / "fresh.db"
        with pytest.raises(UsageError, match="recover again"):
            await back(servers, path, key=bytes(32))
        assert not path.exists()
        town.rules.clear()
        await (await back(servers, path, key=bytes(32))).close()

    play(tmp_path, story)


def test_no_lock_is_made_before_the_box_is_kept(tmp_path: Path) -> None:
    """CLN-27: a password that opens a lock brings documents back."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")

        def refuse(asked: RecoveryAsked) -> Reply | None:
            return refused(RelayCode.REFUSED) if isinstance(asked.request, PutBox) else None

        servers.rules.append(refuse)
        with pytest.raises(RecoveryRefused):
            await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        assert not servers.calls[1, "begin"] + servers.calls[2, "begin"]

        def no_list(asked: Asked) -> Reply | None:
            return relay_refusal(RelayCode.UNAVAILABLE) if asked.name == "append" else None

        bob = await servers.client("bob")
        town.rules.append(no_list)
        servers.rules.clear()
        with pytest.raises(RelayUnavailable):
            await bob.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        assert bob.user_id not in servers.boxes  # alice's box may be on its way by itself

    play(tmp_path, story)


@pytest.mark.parametrize("server", [1, 2])
@pytest.mark.parametrize("code", [RelayCode.UNKNOWN, RelayCode.REFUSED, RelayCode.STALE])
def test_a_server_that_refuses_does_not_hide_what_the_other_one_counts(
    tmp_path: Path, server: int, code: RelayCode
) -> None:
    """The user sees an attack by the uses that are gone, whatever the attacker's own server says."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())

        def refuse(asked: RecoveryAsked) -> Reply | None:
            return refused(code) if asked.server == server else None

        servers.rules.append(refuse)
        status = await alice.recovery.status()
        found = {1: status.relay, 2: status.key_server}
        assert found[server] is None
        assert found[3 - server] is not None

    play(tmp_path, story)


@pytest.mark.parametrize("code", [RelayCode.UNKNOWN, RelayCode.REFUSED])
def test_a_relay_that_refuses_boxes_is_no_failure_of_the_client(tmp_path: Path, code: RelayCode) -> None:
    """CLN-25: the keeper waits, and `status` says what is missing."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await servers.client("bob")

        def refuse(asked: RecoveryAsked) -> Reply | None:
            return refused(code) if asked.server == 1 else None

        servers.rules.append(refuse)
        await alice.send("bob", b"a new contact")
        await alice.recovery.refresh()
        assert "box out of date" in {each.value for each in (await alice.recovery.status()).missing}
        servers.rules.clear()
        await alice.recovery.refresh()
        assert not (await alice.recovery.status()).missing

    play(tmp_path, story)
