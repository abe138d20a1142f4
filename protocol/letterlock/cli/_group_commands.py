"""The commands of `group`: conversations of many, whose logs and texts a relay keeps.

Not here: what arrives, which `letterlock receive` prints (_client_commands.py); the rules (groups/).
"""

from argparse import Namespace
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from letterlock.cli._input import read_text
from letterlock.cli._output import warn
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._profile import require_clock
from letterlock.cli._relay_desk import relay_of, require_relay
from letterlock.cli._user_profile import name_of
from letterlock.cli._user_report import printable, report
from letterlock.errors import UsageError
from letterlock.groups import Group, GroupRole

if TYPE_CHECKING:
    from letterlock.client import SyncClient

_ROLES: Final = {"reader": GroupRole.READER, "member": GroupRole.MEMBER, "admin": GroupRole.ADMIN}
_LOOKS: Final = 15
_LOOK: Final = 2.0
"""Seconds after which a relay that has not answered at all counts as gone."""


@dataclass(frozen=True, slots=True)
class GroupAt:
    """A profile with a relay, opened for one command."""

    client: "SyncClient"

    def group(self, typed: str) -> Group:
        """Return the group of a name or an id. Raises UsageError unless there is exactly one."""
        return group_in(self.client.groups.all(), typed)


@contextmanager
def at_group(arguments: Namespace) -> Generator[GroupAt]:
    """Open a profile, and take what the relay has. Raises UsageError for a profile without a relay."""
    require_clock()
    with relay_of(arguments.home) as found:
        client = require_relay(found)
        refreshed(client)
        yield GroupAt(client)
        _drained(client)


def _drained(client: "SyncClient") -> None:
    """Send secrets, chains and requests that the command made, as long as the relay answers."""
    from letterlock.client import RelayUnavailable  # noqa: PLC0415

    for _ in range(_LOOKS):
        with suppress(RelayUnavailable):
            client.flush(_LOOK)
            return
        if not client.is_online:
            return


def refreshed(client: "SyncClient") -> None:
    """Take what others have changed and sent, and give what waits. Say so if the relay does not answer."""
    from letterlock.client import RelayUnavailable  # noqa: PLC0415 - a profile without a relay does without

    try:
        client.groups.refresh()
    except RelayUnavailable:
        warn("the relay cannot be reached: what waits for it is kept, and a later command sends it")


def group_in(known: Iterable[Group], typed: str) -> Group:
    """Return the group of a name or an id. Raises UsageError unless there is exactly one."""
    groups = list(known)
    found = [each for each in groups if each.id.hex() == typed] or [
        each for each in groups if each.name == typed
    ]
    if not found:
        raise UsageError(f"no group is called {typed}: `letterlock group list` shows all of them")
    if len(found) > 1:
        ids = ", ".join(each.id.hex() for each in found)
        raise UsageError(f"more than one group is called {typed}: name one by its id, of {ids}")
    return found[0]


# --- commands ---------------------------------------------------------------------------------------------


def create(arguments: Namespace) -> None:
    """Make a group. Raises UsageError, StoreError."""
    members = [name_of(each) for each in arguments.members]
    with at_group(arguments) as at:
        if any(each.name == arguments.name for each in at.client.groups.all()):
            raise UsageError(f"a group is called {arguments.name} already: choose another name")
        id_ = at.client.groups.create(arguments.name, members, history=arguments.history)
        refreshed(at.client)
        shown = _shown(at.client.groups.get(id_))
    report(arguments, shown, [f"{arguments.name}, id {id_.hex()}"])


def list_all(arguments: Namespace) -> None:
    """List all groups on record. Raises UsageError, StoreError."""
    with at_group(arguments) as at:
        found = [_shown(each) for each in at.client.groups.all()]
    lines = [
        f"{printable(each['name'] or 'a name that is not known yet')}: {len(each['members'])} members, "
        f"{each['role'] or 'no member'}, {each['phase']}, id {each['id']}"
        for each in found
    ]
    report(arguments, {"groups": found}, lines)


def show(arguments: Namespace) -> None:
    """Show one group. Raises UsageError, StoreError."""
    with at_group(arguments) as at:
        shown = _shown(at.group(arguments.group))
    lines = [f"{printable(shown['name'] or '')}, id {shown['id']}, epoch {shown['epoch']}, {shown['phase']}"]
    lines += [f"{printable(each['name'] or each['id'])}: {each['role']}" for each in shown["members"]]
    if shown["forked"]:
        lines.append("its log was shown in two versions: `letterlock group evidence`")
    if shown["due"]:
        lines.append("a new epoch is due: `letterlock group renew`")
    if not shown["may_send"]:
        lines.append("you cannot write now")
    report(arguments, shown, lines)


def add(arguments: Namespace) -> None:
    """Add members. Raises UsageError, StoreError."""
    role = _ROLES[arguments.role]
    _changed(arguments, lambda at, id_, names: at.client.groups.add(id_, names, role))


def remove(arguments: Namespace) -> None:
    """Remove members. Raises UsageError, StoreError."""
    _changed(arguments, lambda at, id_, names: at.client.groups.remove(id_, names))


def role(arguments: Namespace) -> None:
    """Give members another role. Raises UsageError, StoreError."""
    wanted = _ROLES[arguments.role]
    _changed(arguments, lambda at, id_, names: at.client.groups.set_role(id_, names, wanted))


def rename(arguments: Namespace) -> None:
    """Give a group another name. Raises UsageError, StoreError."""
    _changed(arguments, lambda at, id_, _: at.client.groups.rename(id_, arguments.name))


def renew(arguments: Namespace) -> None:
    """Begin a new epoch. Raises UsageError, StoreError."""
    _changed(arguments, lambda at, id_, _: at.client.groups.renew(id_))


def leave(arguments: Namespace) -> None:
    """Leave a group. Raises UsageError, StoreError."""
    _changed(arguments, lambda at, id_, _: at.client.groups.leave(id_))


def close(arguments: Namespace) -> None:
    """End a group. Raises UsageError, StoreError."""
    _changed(arguments, lambda at, id_, _: at.client.groups.close(id_))


def _changed(arguments: Namespace, change: Callable[[GroupAt, bytes, list[str]], bool]) -> None:
    """Make a change, and say what the group is then."""
    names = [name_of(each) for each in getattr(arguments, "members", [])]
    with at_group(arguments) as at:
        id_ = at.group(arguments.group).id
        done = change(at, id_, names)
        refreshed(at.client)
        shown = _shown(at.client.groups.get(id_))
    line = (
        f"{printable(shown['name'] or shown['id'])}: {len(shown['members'])} members, epoch {shown['epoch']}"
    )
    if not done:
        line = "the change is kept, and a later command gives it to the relay"
    report(arguments, {**shown, "done": done}, [line])


def send(arguments: Namespace) -> None:
    """Send a text to a group. Raises UsageError, TrustError, StoreError, OSError."""
    text = read_text(arguments.file)
    with at_group(arguments) as at:
        group = at.group(arguments.group)
        if not group.may_send and group.role is None:
            raise UsageError("you are no member of this group any more: nothing was sent")
        id_ = at.client.groups.send(group.id, text)
        sent = _is_sent(at.client, id_)
    what = "sent" if sent else "kept: it goes with a later command"
    shown = {"id": id_.hex(), "group": group.id.hex(), "name": group.name, "bytes": len(text), "sent": sent}
    to = printable(group.name or group.id.hex())
    report(arguments, shown, [f"{len(text)} bytes to {to}, {what}", f"id {id_.hex()}"])


def _is_sent(client: "SyncClient", id_: bytes) -> bool:
    """Wait until a text has gone out, as long as the relay answers; return whether it has."""
    from letterlock.client import RelayUnavailable  # noqa: PLC0415

    for _ in range(_LOOKS):
        with suppress(RelayUnavailable):
            client.groups.refresh()
            client.flush(_LOOK)
        if client.groups.is_sent(id_):
            return True
        if not client.is_online:
            return False
    return False


def delivered(arguments: Namespace) -> None:
    """Show to which members a text was delivered. Raises UsageError, StoreError."""
    try:
        id_ = bytes.fromhex(arguments.id)
    except ValueError:
        raise UsageError("the id of a text has 32 hexadecimal digits: `group send` shows it") from None
    with at_group(arguments) as at:
        found = at.client.groups.deliveries(id_)
    members = [
        {"name": each.name, "id": each.user_id.hex(), "delivered": each.is_delivered} for each in found
    ]
    lines = [
        f"{printable(each.name or each.user_id.hex())}: {'delivered' if each.is_delivered else 'not known'}"
        for each in found
    ]
    report(arguments, {"id": id_.hex(), "members": members}, lines)


# --- trouble ----------------------------------------------------------------------------------------------


def evidence(arguments: Namespace) -> None:
    """Write evidence of a fork. Raises UsageError if there is none, StoreError, OSError."""
    require_output(arguments.output, binary=True, replace=arguments.force)
    with at_group(arguments) as at:
        found = at.client.groups.evidence(at.group(arguments.group).id)
    if found is None:
        raise UsageError("the log of this group was shown in one version only: there is no evidence")
    with writer_to(arguments.output) as write:
        write(found)


def keep(arguments: Namespace) -> None:
    """Go on with the log on record. Raises UsageError, StoreError."""
    with at_group(arguments) as at:
        found = at.group(arguments.group)
        if not found.forked:
            raise UsageError("nothing contradicts the log of this group: there is nothing to keep")
        at.client.groups.keep(found.id)
    report(arguments, {"id": found.id.hex()}, ["the log on record is the one that counts"])


def forget(arguments: Namespace) -> None:
    """Delete a group from the profile. Raises UsageError, StoreError."""
    with at_group(arguments) as at:
        found = at.group(arguments.group)
        at.client.groups.forget(found.id)
    report(arguments, {"id": found.id.hex()}, ["the group is deleted from this profile"])


def _shown(found: Group) -> dict[str, Any]:
    """Return a group for a program."""
    return {
        "id": found.id.hex(),
        "name": found.name,
        "phase": found.phase.name.lower(),
        "epoch": found.epoch,
        "role": None if found.role is None else found.role.name.lower(),
        "history": found.history,
        "forked": found.forked,
        "due": found.due,
        "may_send": found.may_send,
        "members": [
            {"name": each.name, "id": each.user_id.hex(), "role": each.role.name.lower()}
            for each in found.members
        ],
    }
