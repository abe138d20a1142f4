"""The commands of `recovery second-lock`: on, off, status, stop, ask.

Not here: what they do (client/); coming back (_recovery_commands.py).
"""

from argparse import Namespace
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from letterlock.cli._client_commands import new_profile, opened_client
from letterlock.cli._identity_answers import answers
from letterlock.cli._profile import discard_profile, require_clock
from letterlock.cli._recovery_commands import is_empty, timed
from letterlock.cli._secret_input import existing_password
from letterlock.cli._user_profile import name_of
from letterlock.cli._user_report import report
from letterlock.cli._wall_clock import local_time, whole_minute
from letterlock.client import (
    RecoveryServers,
    SecondLockNews,
    SecondLockNewsKind,
    SecondLockStanding,
    SecondLockStatus,
    SecondLockWait,
    SyncClient,
)
from letterlock.limits import HOUR

_NAMES: Final = ("relay", "key server")

_WEAKER: Final = (
    "whoever reads your mail has your documents after the delay, unless one of your devices stops it",
    "`letterlock status` shows who is waiting, and `letterlock recovery second-lock stop` stops them",
)

_NEWS: Final = {
    SecondLockNewsKind.ASKED: "somebody without a device asked the {server} to be let back in as you",
    SecondLockNewsKind.OPEN: "the delay is over: the {server} lets somebody back in as you",
    SecondLockNewsKind.STOPPED: "one of your devices stopped a request at the {server}: "
    "nobody can ask there for a week",
    SecondLockNewsKind.ENDED: "nobody is waiting at the {server} any more",
    SecondLockNewsKind.TURNED_ON: "the second lock was turned on at the {server}: if that was not you, "
    "change the password without --old",
    SecondLockNewsKind.TURNED_OFF: "the second lock was turned off at the {server}",
    SecondLockNewsKind.NO_NOTICES: "the {server} refused your address for notices: if it should send "
    "any, turn the second lock on again",
    SecondLockNewsKind.UNSEEN: "the {server} has not answered for 12 hours: nobody sees who waits there",
}
_STOP: Final = "; if that is not you: `letterlock recovery second-lock stop`"


def turn_on(arguments: Namespace) -> None:
    """Turn the second lock on. Raises WrongPassword, LockWaits, UsageError, PeerError, StoreError."""
    require_clock()
    with timed(), opened_client(arguments) as client:
        given = existing_password(arguments, "Password: ")
        delay, key_server = arguments.delay * HOUR, arguments.key_server
        notified = client.recovery.second_lock.turn_on(
            given, delay=delay, key_server=key_server, identities=answers(arguments)
        )
        name = client.name
    by_mail = " and the ".join(_NAMES[each - 1] for each in notified)
    lines = [f"codes by mail and {arguments.delay} hours bring {name} back without the password", *_WEAKER]
    if by_mail:
        lines.append(f"notices by mail come from the {by_mail}")
    report(arguments, {"name": name, "delay": delay, "notices": list(notified)}, lines)


@contextmanager
def _knowing_client(arguments: Namespace) -> Generator[SyncClient]:
    """Open the profile's client, which knows the key server from now on if one was named."""
    with opened_client(arguments) as client:
        if arguments.key_server is not None:
            client.recovery.use_key_server(arguments.key_server)
        yield client


def turn_off(arguments: Namespace) -> None:
    """Turn the second lock off. Raises UsageError, PeerError, RelayUnavailable, StoreError."""
    require_clock()
    with _knowing_client(arguments) as client:
        client.recovery.second_lock.turn_off()
        name = client.name
    report(arguments, {"name": name}, ["the second lock is off: only the password brings you back"])


def status(arguments: Namespace) -> None:
    """Print how the second lock stands. Raises UsageError, StoreError."""
    with _knowing_client(arguments) as client:
        found = client.recovery.second_lock.status()
    report(arguments, _json(found), _lines(found))


def stop(arguments: Namespace) -> None:
    """Stop whoever waits. Raises UsageError, PeerError, RelayUnavailable, StoreError."""
    require_clock()
    with _knowing_client(arguments) as client:
        stopped = client.recovery.second_lock.stop()
    lines = [f"{_NAMES[each - 1]}: stopped, and nobody can ask there for a week" for each in stopped]
    if stopped:
        lines.append("somebody has read codes that were sent to you: secure your mailbox")
    report(arguments, {"stopped": list(stopped)}, lines or ["nobody is waiting"])


def ask(arguments: Namespace) -> None:
    """Ask both servers for a user. Raises PeerError, RelayUnavailable, UsageError, StoreError."""
    require_clock()
    name = name_of(arguments.name)
    opener, is_new = new_profile(arguments)
    servers = RecoveryServers(arguments.relay, arguments.key_server, identities=answers(arguments))
    try:
        asked = SyncClient.ask_second_lock(opener, name=name, servers=servers)
    except BaseException:
        if is_new and is_empty(opener):
            discard_profile(arguments.home)
        raise
    waits = {"relay": _wait_json(asked.relay), "key_server": _wait_json(asked.key_server)}
    if asked.until is None:
        lines = ["the delay begins once a notice is sent: run this again in a few minutes to see the date"]
    else:
        lines = [
            f"both servers wait until {whole_minute(asked.until)}",
            "each of your devices sees that, and can stop it; keep this profile",
            f"then: letterlock recovery recover {name} --forgotten, with the same servers and addresses",
        ]
    report(arguments, {"name": name, "until": asked.until, **waits}, lines)


def news_text(news: SecondLockNews) -> str:
    """Return a sentence about something that a server has shown."""
    text = _NEWS[news.kind].format(server=_NAMES[news.server - 1])
    if news.kind is SecondLockNewsKind.ASKED and news.wait is not None:
        return f"{text}, {_until(news.wait)}{_STOP}"
    return f"{text}{_STOP}" if news.kind is SecondLockNewsKind.OPEN else text


# --- what is printed --------------------------------------------------------------------------------------


def _json(found: SecondLockStatus) -> dict[str, Any]:
    return {
        "on": found.is_on,
        "changing": found.is_changing,
        "relay": _standing_json(found.relay),
        "key_server": _standing_json(found.key_server),
    }


def _standing_json(standing: SecondLockStanding | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    wait = None if standing.wait is None else _wait_json(standing.wait)
    return {"delay": standing.delay, "quiet_seconds": standing.quiet_seconds, "wait": wait}


def _wait_json(wait: SecondLockWait) -> dict[str, Any]:
    shown = {"asked_at": wait.asked_at, "noticed": wait.is_noticed}
    return {**shown, "seconds_left": wait.seconds_left, "until": wait.until}


def _lines(found: SecondLockStatus) -> list[str]:
    says = {True: "on", False: "off", None: "not known, because a server does not answer"}
    lines = [f"the second lock is {says[found.is_on]}"]
    if found.is_changing:
        lines.append("a change is under way: it goes on with the next command")
    standings = (found.relay, found.key_server)
    has_half = [each is not None and each.delay is not None for each in standings]
    if found.is_on is False and any(has_half):
        lines.append("the two servers hold halves that do not fit together: turn it on again, or turn it off")
    for name, each in zip(_NAMES, standings, strict=True):
        lines += [f"{name}: {line}" for line in _standing_lines(each)]
    if any(each is not None and each.wait is not None for each in standings):
        lines.append(f"somebody is waiting{_STOP}")
    return lines


def _standing_lines(standing: SecondLockStanding | None) -> list[str]:
    if standing is None:
        return ["does not answer, or is not known here"]
    delay = standing.delay
    lines = ["holds no half" if delay is None else f"holds a half, and waits {delay // HOUR} hours"]
    if standing.wait is not None:
        lines.append(f"somebody asked on {local_time(standing.wait.asked_at)}, {_until(standing.wait)}")
    if standing.quiet_seconds:
        hours = -(-standing.quiet_seconds // HOUR)
        lines.append(f"somebody was stopped, so nobody can ask for {hours} hours")
    return lines


def _until(wait: SecondLockWait) -> str:
    if wait.until is None:
        return "and the delay begins once a notice is sent"
    if not wait.seconds_left:
        return "and can come back now"
    return f"and can come back on {whole_minute(wait.until)}"
