"""The commands of `collection`: named sets of readers, whose logs a relay keeps.

Not here: the log and its rules (letterlock.documents), the relay (client/).
"""

from argparse import Namespace
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from letterlock.cli._document_desk import TEAM, DocumentDesk, collection_in, names_in, open_desk, readers_in
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._profile import require_clock
from letterlock.cli._relay_desk import exchange, meet, relay_of, require_relay
from letterlock.cli._user_report import report
from letterlock.documents import Collection, Member, MemberKind, Role
from letterlock.errors import UsageError

if TYPE_CHECKING:
    from letterlock.client import SyncClient

_ROLES = {"reader": Role.READER, "writer": Role.WRITER, "admin": Role.ADMIN}


@dataclass(frozen=True, slots=True)
class _At:
    """A profile with a relay, opened for one command."""

    desk: DocumentDesk
    client: "SyncClient"

    def id(self, arguments: Namespace) -> bytes:
        return collection_in(self.desk, arguments.team).id


@contextmanager
def _at(arguments: Namespace) -> Generator[_At]:
    """Open a profile, and take what the relay has. Raises UsageError for a profile without a relay."""
    require_clock()
    with open_desk(arguments.home) as desk, relay_of(arguments.home) as found:
        client = require_relay(found)
        exchange(client)
        yield _At(desk, client)
        exchange(client)


def create(arguments: Namespace) -> None:
    """Make a collection. Raises UsageError, StoreError."""
    with _at(arguments) as at:
        if any(each.name == arguments.name for each in at.desk.collections.all()):
            raise UsageError(f"a collection is called {arguments.name} already: choose another name")
        id_ = at.client.documents.collections.create(arguments.name)
        shown = _collection(at.desk, at.desk.collections.get(id_))
    report(arguments, shown, [f"{TEAM}{arguments.name}, id {id_.hex()}"])


def list_all(arguments: Namespace) -> None:
    """List all collections on record. Raises UsageError, StoreError."""
    with open_desk(arguments.home) as desk, relay_of(arguments.home) as client:
        exchange(client)
        found = [_collection(desk, each) for each in desk.collections.all()]
    lines = [
        f"{each['name'] or 'a name that is not known yet'}: {len(each['members'])} members, "
        f"{each['role'] or 'no member'}, {each['phase']}, id {each['id']}"
        for each in found
    ]
    report(arguments, {"collections": found}, lines)


def show(arguments: Namespace) -> None:
    """Show one collection. Raises UsageError, StoreError."""
    with open_desk(arguments.home) as desk, relay_of(arguments.home) as client:
        exchange(client)
        found = collection_in(desk, arguments.team)
        shown = _collection(desk, found)
        shown["old_documents"] = [each.hex() for each in desk.collections.old_documents(found.id)]
    lines = [f"{shown['name']}, id {shown['id']}, epoch {shown['epoch']}, {shown['phase']}"]
    lines += [f"{each['name'] or each['id']}: {each['role']}" for each in shown["members"]]
    lines += [f"a new epoch is due ({each}): `letterlock collection renew`" for each in shown["due"]]
    lines += [f"document {each} is to be sealed again, with --replaces" for each in shown["old_documents"]]
    report(arguments, shown, lines)


def add(arguments: Namespace) -> None:
    """Add members. Raises UsageError, StoreError."""
    role, history = _ROLES[arguments.role], not arguments.from_now_on
    _changed(
        arguments,
        lambda at, id_, members: at.client.documents.collections.add(id_, members, role, history=history),
    )


def remove(arguments: Namespace) -> None:
    """Remove members. Raises UsageError, StoreError."""
    _changed(
        arguments,
        lambda at, id_, members: at.client.documents.collections.remove(id_, members, force=arguments.force),
    )


def role(arguments: Namespace) -> None:
    """Give members another role. Raises UsageError, StoreError."""
    wanted = _ROLES[arguments.role]
    _changed(
        arguments, lambda at, id_, members: at.client.documents.collections.set_role(id_, members, wanted)
    )


def rename(arguments: Namespace) -> None:
    """Give a collection another name. Raises UsageError, StoreError."""
    _changed(arguments, lambda at, id_, _: at.client.documents.collections.rename(id_, arguments.name))


def renew(arguments: Namespace) -> None:
    """Begin a new epoch. Raises UsageError, StoreError."""
    force = arguments.force
    _changed(arguments, lambda at, id_, _: at.client.documents.collections.renew(id_, force=force))


def leave(arguments: Namespace) -> None:
    """Leave a collection. Raises UsageError, StoreError."""
    _changed(arguments, lambda at, id_, _: at.client.documents.collections.leave(id_))


def close(arguments: Namespace) -> None:
    """End a collection. Raises UsageError, StoreError."""
    _changed(arguments, lambda at, id_, _: at.client.documents.collections.close(id_))


def evidence(arguments: Namespace) -> None:
    """Write evidence of a fork. Raises UsageError if there is none, StoreError, OSError."""
    require_output(arguments.output, binary=True, replace=arguments.force)
    with open_desk(arguments.home) as desk:
        found = desk.collections.evidence(collection_in(desk, arguments.team).id)
    if found is None:
        raise UsageError("the log of this collection was shown in one version only: there is no evidence")
    with writer_to(arguments.output) as write:
        write(found)


def keep(arguments: Namespace) -> None:
    """Go on with the log on record. Raises UsageError, StoreError."""
    with open_desk(arguments.home) as desk:
        found = collection_in(desk, arguments.team)
        if not found.forked:
            raise UsageError("nothing contradicts the log of this collection: there is nothing to keep")
        desk.collections.keep(found.id)
    report(arguments, {"id": found.id.hex()}, ["the log on record is the one that counts"])


def forget(arguments: Namespace) -> None:
    """Delete a collection from the profile. Raises UsageError, StoreError."""
    with open_desk(arguments.home) as desk, relay_of(arguments.home) as client:
        found = collection_in(desk, arguments.team)
        if client is None:
            desk.collections.forget(found.id)
        else:
            client.documents.collections.forget(found.id)
    report(arguments, {"id": found.id.hex()}, ["the collection and its log are deleted from this profile"])


def _changed(arguments: Namespace, change: Callable[[_At, bytes, list[str | bytes]], bool]) -> None:
    """Make a change, and say what the collection is then."""
    typed = getattr(arguments, "members", [])
    with _at(arguments) as at:
        id_ = at.id(arguments)
        meet(at.client, names_in(typed))
        done = change(at, id_, readers_in(at.desk, typed))
        shown = _collection(at.desk, at.desk.collections.get(id_))
    line = f"{shown['name'] or shown['id']}: {len(shown['members'])} members, epoch {shown['epoch']}"
    if not done:
        line = "the change is kept, and a later command gives it to the relay"
    report(arguments, {**shown, "done": done}, [line])


def _collection(desk: DocumentDesk, found: Collection) -> dict[str, Any]:
    names = {desk.user.user_id: desk.user.name}
    names |= {each.user_id: each.name for each in desk.user.contacts()}
    inner = {each.id: None if each.name is None else f"{TEAM}{each.name}" for each in desk.collections.all()}
    return {
        "id": found.id.hex(),
        "name": found.name,
        "phase": found.phase.name.lower(),
        "epoch": found.epoch,
        "role": None if found.role is None else found.role.name.lower(),
        "forked": found.forked,
        "due": sorted(each.name.lower().replace("_", " ") for each in found.due),
        "members": [_member(each, names, inner) for each in found.members],
    }


def _member(member: Member, names: dict[bytes, str], inner: dict[bytes, str | None]) -> dict[str, Any]:
    name, id_ = member.name, member.name.id
    known = inner.get(id_) if name.kind is MemberKind.COLLECTION else names.get(id_)
    return {"name": known, "id": id_.hex(), "role": member.role.name.lower(), "since": member.since}
