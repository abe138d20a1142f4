"""The commands about people who have no account yet: share --mail, claim, withdraw, addresses.

Not here: what they do (client/), where a code is typed (_identity_answers.py).
"""

from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from letterlock.cli._client_commands import opened_client
from letterlock.cli._document_desk import DocumentDesk, conditions_in, document_in
from letterlock.cli._giving import giving
from letterlock.cli._identity_answers import answers, by_mail
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._profile import require_clock
from letterlock.cli._recovery_arguments import SERVERS
from letterlock.cli._relay_desk import exchange, require_relay
from letterlock.cli._user_report import counted, report, time_text
from letterlock.client import AddressShared, Claimed, PersonAddress, ServerChecks, SharedAddress
from letterlock.documents import Conditions
from letterlock.errors import UsageError

_MAX_INVITATION: Final = 1 << 20
_ENDING: Final = ".invitation"


def share(arguments: Namespace) -> None:
    """Share a document with a mail address. Raises UsageError, PeerError, RelayUnavailable, StoreError."""
    address, conditions, checks = _asked(arguments)
    with giving(arguments.home, ()) as giver, document_in(giver.desk, arguments.file) as (id_, version, _):
        addresses = require_relay(giver.client).documents.addresses
        made = addresses.share(id_, address, conditions=conditions, version=version, checks=checks)
        _keep(arguments, made)
    _report(arguments, {"document": id_.hex()}, made)


def share_section(arguments: Namespace, data_in: Callable[[DocumentDesk], bytes]) -> None:
    """Share a section of a record with a mail address. Raises what `share` does.

    `data_in` returns the sealed record.
    """
    address, conditions, checks = _asked(arguments)
    with giving(arguments.home, ()) as giver:
        addresses, data = require_relay(giver.client).documents.addresses, data_in(giver.desk)
        share_it = partial(addresses.share_section, conditions=conditions, checks=checks)
        made = share_it(data, arguments.section, address)
        _keep(arguments, made)
    _report(arguments, {"section": arguments.section}, made)


def _asked(arguments: Namespace) -> tuple[PersonAddress, Conditions, ServerChecks]:
    """Return with whom to share, and how, before anything is done. Raises UsageError."""
    require_clock()
    if arguments.readers or arguments.link or arguments.password or arguments.password_fd is not None:
        raise UsageError("--mail goes without other readers: run `share` once more for them")
    require_output(_target(arguments), binary=True, replace=arguments.force)
    checks = ServerChecks(answers(arguments), arguments.key_server)
    return PersonAddress(arguments.mail), conditions_in(arguments.purpose, arguments.until), checks


def _target(arguments: Namespace) -> str:
    return arguments.output or f"{arguments.file}{_ENDING}"


def _keep(arguments: Namespace, made: AddressShared) -> None:
    if made.invitation is not None:
        with writer_to(_target(arguments)) as write:
            write(made.invitation)


def _report(arguments: Namespace, what: dict[str, Any], made: AddressShared) -> None:
    shown = what | {"address": arguments.mail, "reader": made.reader}
    if made.invitation is None:
        said = f"{arguments.mail} is the user {made.reader} by now: shared with this user"
        report(arguments, shown, [said])
        return
    target = _target(arguments)
    shown |= {"invitation": target, "until": made.end}
    lines = [
        f"{target}: send it with the sealed file to {arguments.mail}",
        f"it can be claimed until {time_text(made.end)}, UTC",
    ]
    report(arguments, shown, lines)


def claim(arguments: Namespace) -> None:
    """Take what was shared with a mail address. Raises NoGrant, PeerError, RelayUnavailable, StoreError."""
    require_clock()
    invitations = [_invitation(each) for each in arguments.files]
    identities = {number: by_mail(arguments, name, arguments.mail) for name, number in SERVERS.items()}
    checks = ServerChecks(identities, arguments.key_server)
    with opened_client(arguments) as client:
        found = client.documents.addresses.claim(invitations, checks=checks)
        exchange(client)
    shown = {
        "documents": [each.id.hex() for each in found.grants],
        "unopened": found.unopened,
        "disputed": found.disputed,
    }
    report(arguments, shown, claimed_lines(found))


def claimed_lines(found: Claimed) -> list[str]:
    """Return what a claim brought, for a person."""
    versions = dict.fromkeys((each.id, each.version) for each in found.grants)  # sections, too
    lines = [f"{id_.hex()}: version {version} is yours" for id_, version in versions]
    number = len({each.id for each in found.grants})
    lines.append(
        counted(number, "document claimed", "documents claimed") if number else "nothing new to claim"
    )
    if found.unopened:
        more = counted(found.unopened, "more invitation", "more invitations")
        lines.append(f"{more} to this address: look in other mails")
    if found.disputed:
        disputed = counted(found.disputed, "invitation", "invitations")
        lines.append(f"another user has claimed {disputed} as well: tell whoever sent you the mail")
    return lines


def withdraw(arguments: Namespace) -> None:
    """Take back what nobody has claimed yet. Raises UsageError, RelayUnavailable, StoreError."""
    require_clock()
    address, checks = PersonAddress(arguments.mail), ServerChecks(key_server=arguments.key_server)
    with giving(arguments.home, ()) as giver:
        client = require_relay(giver.client)
        take_back = partial(client.documents.addresses.withdraw, reason=arguments.reason, checks=checks)
        if arguments.file is None:
            before = take_back(address)
        else:
            with document_in(giver.desk, arguments.file) as (id_, _, __):
                before = take_back(address, document=id_)
        names = {each.user_id: each.name for each in client.contacts()}
    shown = {"address": arguments.mail, "claimed_before": [each.hex() for each in before]}
    report(arguments, shown, withdrawn_lines(arguments.mail, [names.get(each) for each in before]))


def withdrawn_lines(address: str, before: Sequence[str | None]) -> list[str]:
    """Return what a withdrawal did, for a person. `before` are those who had claimed something, by name."""
    lines = [f"withdrawn: nobody can claim it with {address} any more"]
    who = [each or "somebody who is not a contact" for each in before]
    return [*lines, *(f"but {each} had claimed it before, and can go on reading" for each in who)]


def addresses(arguments: Namespace) -> None:
    """Show what was shared with mail addresses. Raises PeerError, RelayUnavailable, StoreError."""
    with opened_client(arguments) as client:
        if arguments.ask:
            require_clock()
            exchange(client)
            checks = ServerChecks(key_server=arguments.key_server)
            found = client.documents.addresses.refresh(checks=checks)
        else:
            found = client.documents.addresses.all()
        names = {each.user_id: each.name for each in client.contacts()}
    shown = {"addresses": [_json(each, names) for each in found]}
    report(
        arguments,
        shown,
        [address_line(each, names) for each in found] or ["nothing is shared with an address"],
    )


def _invitation(name: str) -> bytes:
    with Path(name).open("rb") as source:
        return source.read(_MAX_INVITATION + 1)


def _json(each: SharedAddress, names: dict[bytes, str]) -> dict[str, Any]:
    return {
        "address": each.address.text,
        "until": each.end,
        "grants": [grant.hex() for grant in each.grants],
        "user_id": None if each.user_id is None else each.user_id.hex(),
        "name": None if each.user_id is None else names.get(each.user_id),
        "withdrawn": each.is_withdrawn,
    }


def address_line(each: SharedAddress, names: dict[bytes, str]) -> str:
    """Return what became of what was shared with an address, for a person."""
    text = f"{each.address.text}, until {time_text(each.end)}"
    if each.is_withdrawn:
        return f"{text}: withdrawn, but one server does not know it yet: use --ask"
    if each.user_id is None:
        return f"{text}: {counted(len(each.grants), 'grant waits', 'grants wait')} to be claimed"
    return f"{text}: claimed by {names.get(each.user_id) or 'somebody who is not a contact'}"
