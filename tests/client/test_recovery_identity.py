"""Checks of identity through a client: nobody tries a password who has not shown who they are."""

from dataclasses import replace
from pathlib import Path

import pytest

from letterlock._wire.identity_calls import Challenged, Prove, Proven
from letterlock._wire.relay_body import RelayBody
from letterlock.client import IdentityAnswer, RelayUnavailable, ServerUnavailable
from letterlock.client._transport import Reply
from letterlock.errors import UsageError
from letterlock.recovery import IdentityRefused, RecoveryRefused, ServerAtFault
from support.client_checks import ANNA, Checks
from support.client_recovery import BOTH, KEY_SERVER, RecoveryAsked, hardness
from support.client_town import Town, play
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


def test_two_checks_and_a_password_bring_the_user_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.lost()
        async with await checks.back(checks.both()) as fresh:
            assert fresh.user_id == alice.user_id
            assert (await fresh.recovery.status()).missing == frozenset()

    play(tmp_path, story)


def test_without_a_pass_no_use_is_spent(tmp_path: Path) -> None:  # REC-31
    async def story(town: Town) -> None:
        checks = Checks(town)
        await checks.lost()
        only_one = replace(BOTH, identities={1: checks.ticket()})
        for servers in (BOTH, only_one):
            with pytest.raises(IdentityRefused):
                await checks.back(servers)
        async with await checks.back(checks.both()) as fresh:
            status = await fresh.recovery.status()
            assert status.uses_left == 1000

    play(tmp_path, story)


def test_a_code_is_asked_for_again_and_not_for_ever(tmp_path: Path) -> None:  # REC-27
    async def story(town: Town) -> None:
        checks = Checks(town)
        await checks.lost()
        checks.asked = 0
        wrong = checks.mail(change=lambda _: b"1")
        with pytest.raises(IdentityRefused):
            await checks.back(checks.both(second=wrong))
        assert checks.asked == 3
        assert checks.servers.calls[2, "prove"] == 4  # one of them bound the identity
        assert checks.servers.calls[2, "evaluate"] == 0

    play(tmp_path, story)


def test_a_server_that_gives_tries_for_ever_is_not_answered_for_ever(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        await checks.lost()
        checks.asked = 0

        def again(asked: RecoveryAsked) -> Reply | None:
            is_it = isinstance(asked.request, Prove) and asked.server == 2
            return Reply(200, Proven(None, None, 3).encode()) if is_it else None

        checks.servers.rules.append(again)
        with pytest.raises(IdentityRefused):
            await checks.back(checks.both())
        assert checks.asked == 3

    play(tmp_path, story)


def test_a_proof_whose_answer_was_lost_is_not_sent_again(tmp_path: Path) -> None:  # REC-27
    async def story(town: Town) -> None:
        checks = Checks(town)
        await checks.lost()

        def lose(asked: RecoveryAsked) -> Reply | None:
            if isinstance(asked.request, Prove) and asked.server == 2:
                raise RelayUnavailable("lost")
            return None

        before = checks.servers.calls[2, "prove"]
        checks.servers.rules.append(lose)
        with pytest.raises(ServerUnavailable):
            await checks.back(checks.both())
        assert checks.servers.calls[2, "prove"] == before + 1

    play(tmp_path, story)


def test_an_identity_of_nobody_leads_nowhere(tmp_path: Path) -> None:  # REC-34
    async def story(town: Town) -> None:
        checks = Checks(town)
        await checks.lost()
        with pytest.raises(IdentityRefused):
            await checks.back(checks.both(second=checks.mail("bert@example.org")))

    play(tmp_path, story)


@pytest.mark.parametrize("server", [1, 2])
def test_a_server_that_names_another_user_is_at_fault(tmp_path: Path, server: int) -> None:  # REC-34
    async def story(town: Town) -> None:
        checks = Checks(town)
        await checks.lost()

        def lead_away(asked: RecoveryAsked, given: RelayBody) -> RelayBody:
            lies = isinstance(given, Proven) and asked.server == server
            return Proven(b"a pass", bytes(32)) if lies else given

        checks.servers.changes.append(lead_away)
        with pytest.raises(ServerAtFault):
            await checks.back(checks.both())
        assert checks.servers.calls[2, "evaluate"] == 0

    play(tmp_path, story)


@pytest.mark.parametrize(("said", "told"), [(40, 40), (-40, 1), (2**31, 3600)])
def test_a_check_that_waits_is_told_with_its_time(tmp_path: Path, said: int, told: int) -> None:
    """An hour at most: whoever waits by itself would else wait for ever."""

    async def story(town: Town) -> None:
        checks = Checks(town)
        await checks.lost()

        def wait(asked: RecoveryAsked, given: RelayBody) -> RelayBody:
            return Challenged(None, town.clock() + said) if isinstance(given, Challenged) else given

        checks.servers.changes.append(wait)
        with pytest.raises(ServerUnavailable) as waits:
            await checks.back(checks.both())
        assert (waits.value.server, waits.value.seconds) == (1, told)

    play(tmp_path, story)


def test_the_old_password_needs_the_checks_too(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        await alice.recovery.bind_identity(1, checks.ticket())
        await alice.recovery.bind_identity(2, checks.mail())
        town.now += 61
        change = alice.recovery.change_password
        with pytest.raises(IdentityRefused):
            await change("a newer one", old=PASSWORD, hardness=hardness())
        answers = checks.both().identities
        await change("a newer one", old=PASSWORD, hardness=hardness(), identities=answers)

    play(tmp_path, story)


# --- binding ----------------------------------------------------------------------------------------------


def test_an_identity_of_another_user_is_not_bound(tmp_path: Path) -> None:  # REC-32
    async def story(town: Town) -> None:
        checks = Checks(town)
        await checks.lost()
        bob = await checks.servers.client("bob")
        await bob.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        with pytest.raises(RecoveryRefused):
            await bob.recovery.bind_identity(2, checks.mail())

    play(tmp_path, story)


def test_a_wrong_proof_binds_nothing(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        with pytest.raises(IdentityRefused):
            await alice.recovery.bind_identity(2, checks.mail(change=lambda _: b"1"))
        assert checks.servers.calls[2, "bind"] == 0

    play(tmp_path, story)


def test_a_server_without_checks_says_so(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        checks.servers.gates.clear()
        with pytest.raises(IdentityRefused):
            await alice.recovery.bind_identity(2, checks.mail())

    play(tmp_path, story)


def test_what_cannot_be_bound(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        checks = Checks(town)
        alice = await checks.servers.client("alice")
        with pytest.raises(UsageError):
            await alice.recovery.bind_identity(2, checks.mail())  # recovery is not set up
        with pytest.raises(UsageError):
            await alice.recovery.bind_identity(3, checks.mail())
        with pytest.raises(UsageError):
            await checks.back(replace(BOTH, identities={3: checks.mail()}))

    play(tmp_path, story)


def test_an_answer_prints_no_address() -> None:
    async def answer(_: bytes) -> bytes:
        return b""

    assert "alice" not in repr(IdentityAnswer("mail", ANNA, answer))
