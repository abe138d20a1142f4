"""What recovery refuses before it can do harm: one server twice, both changed, too short a password."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from letterlock._wire.recovery_find import FindUser
from letterlock._wire.relay_error import RelayCode
from letterlock.cli._error_report import explain
from letterlock.cli._wall_clock import local_time
from letterlock.client import RecoveryOvertaken, RecoveryServers, RelayUnavailable
from letterlock.client._transport import Reply
from letterlock.errors import LetterlockError, UsageError
from letterlock.recovery import LockWaits, WrongPassword
from letterlock.recovery._password import is_advised, require_strength
from support.client_recovery import KEY_SERVER, RecoveryAsked, Servers, back, hardness, linked, lost
from support.client_recovery import refused as relay_refusal
from support.client_town import RELAY, Asked, Town, play
from support.recovery_town import PASSWORD, cheap

__all__ = ["cheap"]
pytestmark = pytest.mark.usefixtures("cheap")


# --- two servers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("twice", [RELAY, f"{RELAY}/"])
def test_one_server_twice_is_refused_before_anything_is_asked(tmp_path: Path, twice: str) -> None:
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        before = servers.calls.total()
        with pytest.raises(UsageError, match="another server than the relay"):
            await alice.recovery.change_password("another horse", key_server=twice)
        with pytest.raises(UsageError, match="another server than the relay"):
            await back(servers, both=RecoveryServers(RELAY, twice))
        assert servers.calls.total() == before
        await alice.recovery.change_password("another horse", old=PASSWORD, hardness=hardness())

    play(tmp_path, story)


def test_servers_that_changed_places_are_told_apart(tmp_path: Path) -> None:
    """A key server knows no names. No use is spent."""

    async def story(town: Town) -> None:
        servers = Servers(town)
        await lost(servers)

        def no_names(asked: RecoveryAsked) -> Reply | None:
            return relay_refusal(RelayCode.UNKNOWN) if isinstance(asked.request, FindUser) else None

        servers.rules.append(no_names)
        with pytest.raises(UsageError, match="changed places"):
            await back(servers)
        assert not any(name == "evaluate" for _, name in servers.calls)

    play(tmp_path, story)


# --- passwords --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "name"),
    [
        ("", "alice"),
        ("short 7", "alice"),
        ("alice", "alice"),
        ("ALICE alice", "alice"),
        ("al\uff49cealicealice", "alice"),
        ("alice1234567", "alice"),
        ("\ufdfa"[:1], "bo"),
    ],
)
def test_a_new_password_has_eight_characters_besides_the_name(password: str, name: str) -> None:  # REC-51
    if password == "\ufdfa":  # one letter that NFKC makes eighteen of: what is counted is what is stretched
        require_strength(password, name)
        return
    with pytest.raises(UsageError, match="choose a longer") as told:
        require_strength(password, name)
    assert not password or password not in str(told.value)


@pytest.mark.parametrize("password", ["8 letter", "aaaaaaaa", "alice and bob too", "12345678", "\u00e9" * 8])
def test_no_rule_asks_for_kinds_of_characters(password: str) -> None:  # REC-51
    require_strength(password, "alice")
    require_strength(password, "a")


def test_a_short_name_may_stand_in_a_password() -> None:
    require_strength("annas an", "an")


@pytest.mark.parametrize(("password", "enough"), [("fourteen signs", False), ("fifteen letters", True)])
def test_fifteen_are_advised(password: str, enough: bool) -> None:
    assert is_advised(password) is enough


def test_a_short_password_changes_nothing(tmp_path: Path) -> None:  # REC-51
    async def story(town: Town) -> None:
        servers = Servers(town)
        alice = await servers.client("alice")
        version = len(await alice.devices())
        with pytest.raises(UsageError, match="fewer than 8"):
            await alice.recovery.setup("alice123", KEY_SERVER, hardness=hardness())
        assert len(await alice.devices()) == version
        assert not servers.calls
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())
        with pytest.raises(UsageError, match="fewer than 8"):
            await alice.recovery.change_password("seven 7", old=PASSWORD, hardness=hardness())
        await alice.close()
        await (await back(servers)).close()

    play(tmp_path, story)


# --- another list came first ------------------------------------------------------------------------------


def test_a_store_of_an_earlier_attempt_is_deleted_when_another_list_came_first(tmp_path: Path) -> None:
    """CLN-26: the first attempt ended before its list was at the relay; then a device changed the list."""

    async def story(town: Town) -> None:
        servers, path = Servers(town), tmp_path / "fresh.db"
        alice = await servers.client("alice")
        await alice.recovery.setup(PASSWORD, KEY_SERVER, hardness=hardness())

        def away(asked: Asked) -> Reply | None:
            return relay_refusal(RelayCode.UNAVAILABLE) if asked.name == "append" else None

        town.rules.append(away)
        with pytest.raises(RelayUnavailable):
            await back(servers, path, key=bytes(32))
        assert path.exists()
        town.rules.clear()
        await (await linked(servers, alice)).close()
        with pytest.raises(RecoveryOvertaken, match="recover again"):
            await back(servers, path, key=bytes(32))
        assert not path.exists()
        async with await back(servers, path, key=bytes(32)) as fresh:
            assert fresh.user_id == alice.user_id

    play(tmp_path, story)


# --- times ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("zone", "shown"), [("UTC0", "at 00:01 UTC"), ("CET-1", "at 01:01 CET")])
def test_times_are_those_of_the_clock_on_the_wall(
    zone: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert local_time(1_795_910_460) == f"Sunday, 29 November 2026, {shown}"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("kind", [partial(WrongPassword, 9), partial(LockWaits, 2, 9)])
@pytest.mark.parametrize(
    ("not_before", "shown"),
    [
        (1_795_910_460, "from Sunday, 29 November 2026, at 00:01 UTC on"),
        (1_795_910_461, "from Sunday, 29 November 2026, at 00:02 UTC on"),  # a minute in which it is answered
        (2**32 - 1, "from Sunday, 07 February 2106, at 06:29 UTC on"),
    ],
)
def test_a_command_tells_times_as_people_do(
    kind: Callable[[int], LetterlockError], not_before: int, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    try:
        assert explain(kind(not_before)).endswith(shown)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "`not_before`" in str(kind(not_before))
    assert str(not_before) not in str(kind(not_before))


def test_errors_tell_no_time_that_is_not_known() -> None:
    assert str(WrongPassword(9, 0)) == "wrong password, 9 uses left: try another"
    assert str(LockWaits(2, 0, 0)) == "server 2 waits, 0 uses left: try again later"
