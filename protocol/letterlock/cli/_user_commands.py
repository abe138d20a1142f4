"""The commands about a user and its contacts: init, devices, publish, learn, contacts, verify, and conflicts.

Not here: messages (_user_messages.py), how the exchange folder is used (_exchange.py).
"""

from argparse import Namespace
from collections.abc import Callable
from typing import Any, Final

from letterlock._wire.address import Address
from letterlock.cli._exchange import Exchange
from letterlock.cli._folder import open_folder, spelling
from letterlock.cli._output_file import require_output, writer_to
from letterlock.cli._profile import create_profile, require_clock
from letterlock.cli._user_profile import (
    UserProfile,
    find_contact,
    name_of,
    open_user,
    require_contact,
    require_listed,
)
from letterlock.cli._user_report import class_text, device_json, print_json, report
from letterlock.errors import UsageError
from letterlock.limits import MAX_PUBLISHED_ONE_TIME
from letterlock.stores import SqliteStore
from letterlock.user import ContactEvent, ContactFrozen, ContactState, User, UserContact

_DIGITS: Final = 60


def init(arguments: Namespace) -> None:
    """Make a user and the profile of its first device. Raises UsageError, StoreError, OSError."""
    require_clock()
    name = name_of(arguments.name)
    spelling(name)

    def make(store: SqliteStore) -> tuple[Address, bytes]:
        user = User.create(store, name)
        return user.address, user.user_id

    address, user_id = create_profile(arguments.home, make, passphrase=arguments.passphrase)
    shown = {"name": address.name, "device": address.device_id, "user_id": user_id.hex()}
    report(arguments, shown, [f"{address.name}, device {address.device_id}, user id {user_id.hex()}"])


def devices(arguments: Namespace) -> None:
    """Print this user's own devices. Raises UsageError, StoreError, OSError."""
    with open_user(arguments.home) as profile:
        user = profile.user
        found, version, own = user.devices(), len(user.device_lists()), user.address.device_id
    listed = any(each.id == own for each in found)
    shown: dict[str, Any] = {
        "name": user.name,
        "user_id": user.user_id.hex(),
        "version": version,
        "this_device": own,
        "revoked": not listed,
        "devices": [device_json(each) for each in found],
    }
    lines = [f"{user.name}, version {version} of the device list"]
    for each in found:
        this = ", this device" if each.id == own else ""
        lines.append(f"device {each.id}: {class_text(each.device_class)}, {each.identity.data.hex()}{this}")
    report(arguments, shown, lines if listed else [*lines, f"device {own}, this device, was revoked"])


def publish(arguments: Namespace) -> None:
    """Write device lists and bundles to the folder. Raises UsageError, TrustError, StoreError, OSError."""
    require_clock()
    if not 0 <= arguments.one_time <= MAX_PUBLISHED_ONE_TIME:
        raise UsageError(f"--one-time is how many bundles the folder holds: 0 to {MAX_PUBLISHED_ONE_TIME}")
    folder = open_folder(arguments.folder, make=True)
    with open_user(arguments.home) as profile:
        exchange = Exchange(profile, folder)
        exchange.refresh(profile.user.name)
        require_listed(profile.user)
        version = exchange.publish_lists()
        added = exchange.publish_bundles(arguments.one_time, rotate=arguments.rotate)
        exchange.meet()
        exchange.post()
    shown = {"version": version, "bundles_added": added}
    line = f"version {version} of the device list, {added} new prekey bundles"
    report(arguments, shown, [line], exchange)
    exchange.require_posted()


def learn(arguments: Namespace) -> None:
    """Read device lists of a name from the folder. Raises UsageError, TrustError, StoreError, OSError."""
    name, folder = name_of(arguments.name), open_folder(arguments.folder)
    with open_user(arguments.home) as profile:
        exchange = Exchange(profile, folder)
        learned = exchange.learn(name)
        if learned is None and not _is_known(profile, name):
            raise UsageError(f"the folder has no device lists of {name}: ask for `letterlock user publish`")
        exchange.meet()
        exchange.post()
        version = _version(profile, name)
    event = None if learned is None else learned.event
    what = "nothing new" if learned is None else "new contact" if event is None else event.value
    shown = {"name": name, "found": what, "version": version}
    report(arguments, shown, [f"{name}: {what}, version {version} of the device list"], exchange)
    exchange.require_posted()
    if event in {ContactEvent.FORK, ContactEvent.OLDER, ContactEvent.OTHER_USER}:
        raise ContactFrozen


def contacts(arguments: Namespace) -> None:
    """Print every contact. Raises UsageError, StoreError, OSError."""
    with open_user(arguments.home) as profile:
        found = [_contact(each) for each in profile.user.contacts()]
    lines = [
        f"{each['name']}: {each['state']}, version {each['version']}, devices "
        f"{' '.join(str(device['id']) for device in each['devices']) or 'not known'}"
        for each in found
    ]
    report(arguments, {"contacts": found}, lines)


def verify(arguments: Namespace) -> None:
    """Print a safety number, or compare it with the one that was typed. Raises UsageError, TrustError."""
    code = "".join("".join(arguments.code).split())
    if arguments.code and not (len(code) == _DIGITS and code.isascii() and code.isdigit()):
        raise UsageError(f"a safety number has {_DIGITS} digits, which this has not: type all of them")
    with open_user(arguments.home) as profile:
        contact = require_contact(profile.user, arguments.name)
        if code:
            contact.verify(code)
        number, state = str(contact.safety_number()), contact.state
    shown = {"name": contact.name, "state": state.value, "safety_number": number}
    report(arguments, shown, [number] if not code else [f"{contact.name} is verified"])


def keep(arguments: Namespace) -> None:
    """End a conflict with the lists on record. Raises UsageError if there is none, StoreError."""
    _decide(arguments, UserContact.keep)


def replace(arguments: Namespace) -> None:
    """End a conflict with the other lists. Raises UsageError if there is none to take, StoreError."""
    _decide(arguments, UserContact.replace)


def evidence(arguments: Namespace) -> None:
    """Write the evidence of a conflict. Raises UsageError if there is none, StoreError, OSError."""
    require_output(arguments.output, binary=True, replace=arguments.force)
    with open_user(arguments.home) as profile:
        found = require_contact(profile.user, arguments.name).evidence
    if found is None:
        raise UsageError("there is no evidence about this contact: it is kept while a conflict lasts")
    with writer_to(arguments.output) as write:
        write(found.encode())
    if arguments.output is not None and arguments.json:
        print_json({"name": found.name, "kind": found.kind.name, "version": found.version})


def _decide(arguments: Namespace, decide: Callable[[UserContact], None]) -> None:
    with open_user(arguments.home) as profile:
        contact = require_contact(profile.user, arguments.name)
        decide(contact)
        shown = _contact(contact)
    report(arguments, shown, [f"{shown['name']}: {shown['state']}; compare safety numbers again"])


def _contact(contact: UserContact) -> dict[str, Any]:
    frozen = contact.state is ContactState.CONFLICTING
    return {
        "name": contact.name,
        "state": contact.state.value,
        "version": contact.version,
        "user_id": contact.user_id.hex(),
        "devices": [] if frozen else [device_json(each) for each in contact.devices],
    }


def _is_known(profile: UserProfile, name: str) -> bool:
    return name == profile.user.name or find_contact(profile.user, name) is not None


def _version(profile: UserProfile, name: str) -> int:
    if name == profile.user.name:
        return len(profile.user.device_lists())
    return profile.user.contact(name).version
