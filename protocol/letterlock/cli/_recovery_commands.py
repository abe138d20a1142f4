"""The commands of `recovery`: setup, bind, password, recover, status.

Not here: what they do (client/), where a password is typed (_secret_input.py).
"""

import time
from argparse import Namespace
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from letterlock._wire.recovery_limits import UNBOUND_SECONDS
from letterlock.cli._client_commands import new_profile, opened_client
from letterlock.cli._identity_answers import answers, by_mail
from letterlock.cli._output import warn
from letterlock.cli._profile import discard_profile, opener_of, require_clock, store_of
from letterlock.cli._recovery_arguments import SERVERS
from letterlock.cli._secret_input import existing_password, first_password
from letterlock.cli._user_profile import name_of
from letterlock.cli._user_report import counted, report
from letterlock.cli._wall_clock import whole_minute
from letterlock.client import (
    NewPasswordNeeded,
    RecoveryLack,
    RecoveryOvertaken,
    RecoveryServers,
    RecoveryStatus,
    RelayUnavailable,
    ServerStanding,
    SyncClient,
)
from letterlock.errors import StoreError
from letterlock.limits import DAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from letterlock.stores import Store

_SERVERS = ("relay", "key server")


def setup(arguments: Namespace) -> None:
    """Have a password bring the user back. Raises UsageError, PeerError, RelayUnavailable, StoreError."""
    require_clock()
    with opened_client(arguments) as client:
        client.recovery.setup(_advised(first_password(arguments)), arguments.key_server)
        name = client.name
    lines = [
        f"the password brings {name} back, with --relay and --key-server as today: note both",
        _reminder(),
    ]
    report(arguments, {"name": name, "key_server": arguments.key_server}, lines)


def password(arguments: Namespace) -> None:
    """Change the password. Raises WrongPassword, LockWaits, and what `setup` raises."""
    require_clock()
    with opened_client(arguments) as client:
        old = existing_password(arguments, "Password until now: ") if arguments.old else None
        given, key_server = _advised(first_password(arguments)), arguments.key_server
        client.recovery.change_password(given, old=old, key_server=key_server, identities=answers(arguments))
        name = client.name
    report(arguments, {"name": name}, ["the password is changed: the old one opens nothing now"])


def bind(arguments: Namespace) -> None:
    """Have a server know this user by a mail address. Raises PeerError, RelayUnavailable, UsageError."""
    require_clock()
    server, address = arguments.server, arguments.address
    with opened_client(arguments) as client:
        client.recovery.bind_identity(SERVERS[server], by_mail(arguments, server, address))
        name = client.name
    lines = [f"the {server.replace('-', ' ')} knows {name} by {address}: it sends codes there"]
    report(arguments, {"name": name, "server": server, "address": address}, lines)


def recover(arguments: Namespace) -> None:
    """Make this profile a new device of a user.

    Raises WrongPassword, LockWaits, HalfWaits, PeerError, StoreError, UsageError.
    """
    require_clock()
    name = name_of(arguments.name)
    if arguments.forgotten:
        given = _advised(first_password(arguments))
    else:
        given = existing_password(arguments, "Password: ")
    opener, is_new = _profile_to_fill(arguments)
    servers = RecoveryServers(arguments.relay, arguments.key_server, identities=answers(arguments))
    try:
        with timed():
            client = _back(arguments, opener, given, servers)
    except BaseException as error:
        if isinstance(error, RecoveryOvertaken):
            _forget_device(arguments.home)
        elif is_new and is_empty(opener):
            discard_profile(arguments.home)
        elif isinstance(error, RelayUnavailable) and not is_empty(opener):
            warn("what was begun is kept: repeat the command, and it goes on")
        raise
    with client:
        with suppress(RelayUnavailable):  # what was shared comes with the next command
            client.documents.refresh()
        devices, own = client.devices(), client.address.device_id
    shown: dict[str, Any] = {"name": name, "device": own, "devices": [each.id for each in devices]}
    lines = [
        f"device {own} of {name}: documents and contacts are here",
        "conversations begin anew, under the same safety numbers",
    ]
    report(arguments, shown, lines)


def _forget_device(home: str | None) -> None:
    """Delete a store whose device nobody knows, apart from what somebody waits with. [CLN-39]"""
    from letterlock.client._asking_kept import keep_asking  # noqa: PLC0415 (optional)

    if not keep_asking(*store_of(home)):
        discard_profile(home)


def _profile_to_fill(arguments: Namespace) -> "tuple[Callable[[], Store], bool]":
    """Return how to open a profile, and whether it was made now. A recovery that was killed left it empty."""
    try:
        return new_profile(arguments)
    except StoreError:
        opener = opener_of(arguments.home)
        if not is_empty(opener):
            raise
        return opener, False


def _back(
    arguments: Namespace, opener: "Callable[[], Store]", password: str, servers: RecoveryServers
) -> SyncClient:
    """Return the client of whoever is back, with the password or with a new one."""
    name, revoke_others = name_of(arguments.name), arguments.revoke_others
    if arguments.forgotten:
        return SyncClient.recover_forgotten(
            opener, name=name, new_password=password, servers=servers, revoke_others=revoke_others
        )
    if not arguments.first:
        with suppress(NewPasswordNeeded):  # whoever enrolled this user made the password  [REC-52]
            return SyncClient.recover(
                opener, name=name, password=password, servers=servers, revoke_others=revoke_others
            )
    warn("this is the first login: choose a password of your own")
    chosen = _advised(first_password(arguments))
    return SyncClient.first_login(opener, name=name, password=password, new_password=chosen, servers=servers)


def status(arguments: Namespace) -> None:
    """Print how recovery stands. Raises UsageError, StoreError."""
    with opened_client(arguments) as client:
        found = client.recovery.status()
    report(arguments, _json(found), _lines(found))


def _advised(password: str) -> str:
    """Return a new password, and remark on one that is better not the only thing that servers ask for."""
    from letterlock.recovery._password import ADVISED_PASSWORD, is_advised  # noqa: PLC0415 (optional)

    if not is_advised(password):
        warn(f"{ADVISED_PASSWORD} characters or more are better, where no server checks who you are as well")
    return password


@contextmanager
def timed() -> Generator[None]:
    """Say from when a half is given."""
    from letterlock.recovery import HalfWaits  # noqa: PLC0415 (optional)

    try:
        yield
    except HalfWaits as error:
        warn(f"come back on {whole_minute(int(time.time()) + error.seconds)}, or later")
        raise


def is_empty(opener: "Callable[[], Store]") -> bool:
    """Return whether a profile holds no account, and nobody waits with it."""
    from letterlock.client._asking import is_used  # noqa: PLC0415 (optional)

    store = opener()
    try:
        with store.transaction():
            return not is_used(store)
    finally:
        store.close()


def _json(found: RecoveryStatus) -> dict[str, Any]:
    standings = dict(zip(("relay", "key_server"), (found.relay, found.key_server), strict=True))
    shown = {
        name: None
        if each is None
        else {"uses_left": each.uses_left, "not_before": each.not_before, "rests": each.rests}
        for name, each in standings.items()
    }
    return {"missing": sorted(each.value for each in found.missing), **shown}


def _lines(found: RecoveryStatus) -> list[str]:
    missing = ", ".join(sorted(each.value for each in found.missing))
    lines = [f"missing: {missing}" if missing else "the password brings you back"]
    for name, each in zip(_SERVERS, (found.relay, found.key_server), strict=True):
        lines.append(f"{name}: {'does not answer' if each is None else _standing(each)}")
    if found.missing & {RecoveryLack.SETUP, RecoveryLack.KEY_SERVER} and found.key_server is None:
        lines[-1] = f"{_SERVERS[1]}: none is known here"
    if RecoveryLack.SERVERS in found.missing:
        lines += ["set a password again: `letterlock recovery password`", _reminder()]
    return lines


def _reminder() -> str:
    return (
        f"if the key server checks who you are, it forgets you in {UNBOUND_SECONDS // DAY} days unless you "
        "run `letterlock recovery bind key-server ADDRESS`"
    )


def _standing(each: ServerStanding) -> str:
    waits = f", the next one on {whole_minute(each.not_before)}" if each.not_before else ""
    return f"{counted(each.uses_left, 'use', 'uses')} left{waits}"
